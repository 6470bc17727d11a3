//! Names for the numbers that judging uses.

use crate::base::PortSet;
use crate::judge::model::{
    HostId, Policy, RoleId, Row, RowId, RowPorts, SectionId, Set64, Site, Terms as RowTerms,
    Waiver, Waivers,
};
use crate::judge::{PeerClass, ReadingMode, Side, Terms};

/// Resolves numbers of a policy, a site and its waivers to names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) site: &'a Site,
    waivers: &'a Waivers,
    reading: ReadingMode,
}

impl<'a> Names<'a> {
    pub(crate) fn of(terms: Terms<'a>) -> Self {
        let Terms { policy, site, waivers, reading, .. } = terms;
        Names { policy, site, waivers, reading }
    }

    /// The terms of a row under the reading in force.
    pub(crate) fn terms(&self, row: &'a Row) -> &'a RowTerms {
        match (self.reading, &row.literal) {
            (ReadingMode::Literal, Some(literal)) => literal,
            _ => &row.terms,
        }
    }

    pub(crate) fn waiver(&self, index: usize) -> Option<&'a Waiver> {
        self.waivers.list.get(index)
    }

    pub(crate) fn roles(&self, roles: Set64) -> Vec<String> {
        roles.members().map(|role| self.role(RoleId(role)).to_owned()).collect()
    }

    pub(crate) fn role(&self, role: RoleId) -> &'a str {
        self.policy.roles.get(usize::from(role.0)).map_or("?", |role| role.id.as_str())
    }

    pub(crate) fn attributes(&self, attributes: Set64) -> Vec<String> {
        let all = &self.policy.attributes;
        attributes
            .members()
            .filter_map(|attribute| all.get(usize::from(attribute)))
            .map(|attribute| attribute.id.clone())
            .collect()
    }

    /// `unity+cucm`, or the class of unlisted addresses.
    pub(crate) fn side(&self, side: Side) -> String {
        match side {
            Side::Roles(roles) if roles.is_empty() => "a host without a role".to_owned(),
            Side::Roles(roles) => self.roles(roles).join("+"),
            Side::Unlisted(PeerClass::Internal) => "an unlisted host".to_owned(),
            Side::Unlisted(PeerClass::External) => "an outside host".to_owned(),
            Side::Unlisted(PeerClass::Group) => "a group".to_owned(),
            Side::Any => "any host".to_owned(),
        }
    }

    pub(crate) fn host(&self, id: HostId) -> Option<&'a str> {
        self.site.hosts.get(id.0).map(|host| host.name.as_str())
    }

    pub(crate) fn row(&self, id: RowId) -> Option<&'a Row> {
        self.policy.rows.get(id.0)
    }

    pub(crate) fn row_id(&self, id: RowId) -> &'a str {
        self.row(id).map_or("?", |row| row.id.as_str())
    }

    /// Identifiers of the readings on which a row rests.
    pub(crate) fn readings(&self, row: &Row) -> Vec<String> {
        let readings = row.readings.iter().filter_map(|id| self.policy.readings.get(id.0));
        readings.map(|reading| reading.id.clone()).collect()
    }

    pub(crate) fn section(&self, id: SectionId) -> &'a str {
        self.policy.sections.get(id.0).map_or("?", |section| section.id.as_str())
    }

    /// `S06 "Network Traffic from ..."`.
    pub(crate) fn citation(&self, row: &Row) -> String {
        match self.policy.sections.get(row.section.0) {
            Some(section) => format!("{} {}", section.id, section.citation),
            None => String::new(),
        }
    }

    /// `5000-5020 (dcom-range)` or `135`: the ports of a row for responders without a value of
    /// their own.
    pub(crate) fn row_ports(&self, row: &'a Row) -> String {
        self.ports_of(row, self.ports(row, None))
    }

    /// The ports of a row for a responder, or for those without a value of their own. `None` when
    /// its parameter has no value.
    pub(crate) fn ports(&self, row: &'a Row, responder: Option<HostId>) -> Option<&'a PortSet> {
        match &row.ports {
            RowPorts::Fixed(ports) => Some(ports),
            RowPorts::Parameter(id) => {
                let parameter = self.policy.parameters.get(id.0)?;
                let host = responder.and_then(|id| self.site.hosts.get(id.0));
                let own = host.filter(|_| parameter.per_responder);
                let own = own.and_then(|host| host.parameters.get(id));
                own.or_else(|| self.site.parameters.get(id)).or(parameter.default.as_ref())
            }
        }
    }

    /// The same for ports that were looked up before; `None` when the parameter has no value.
    pub(crate) fn ports_of(&self, row: &Row, ports: Option<&PortSet>) -> String {
        let value = ports.map_or("unbound".to_owned(), ToString::to_string);
        match &row.ports {
            RowPorts::Fixed(_) => value,
            RowPorts::Parameter(id) => {
                let parameter = self.policy.parameters.get(id.0);
                format!("{value} ({})", parameter.map_or("?", |parameter| &parameter.id))
            }
        }
    }

    /// The service that the policy knows on a port, if it is one and the same for all rows.
    pub(crate) fn service_on(&self, transport: crate::base::IpProto, port: u16) -> Option<&'a str> {
        let mut found = None;
        for row in self.policy.rows.iter().filter(|row| row.transport == transport && !row.weak) {
            if !self.ports(row, None).is_some_and(|ports| ports.contains(port)) {
                continue;
            }
            let name = self.policy.services.get(row.service.0).map(|s| s.name.as_str())?;
            match found {
                None => found = Some(name),
                Some(other) if other == name => {}
                Some(_) => return None,
            }
        }
        found
    }
}
