//! Loading a waiver file: text, policy and site go in, valid [`Waivers`] come out, or every fault
//! of the text. Whether a waiver has expired is decided by the time of the traffic, not here.

use ipnet::IpNet;

use super::raw::{RawMatcher, RawWaiver, RawWaivers};
use crate::base::{PortSet, Timestamp};
use crate::judge::diagnostic::{Code, Diagnostic, Problems};
use crate::judge::document::{self, At, Document};
use crate::judge::model::{HostId, Policy, ServiceId, Site, WaivedEnd, Waiver, Waivers};
use crate::judge::names::{Names, suggestion};
use crate::judge::policy::rows::transport;
use crate::judge::policy::vocabulary::{Vocabulary, demand_text, ports};
use crate::judge::site::hosts::{address, interval, prefix};

/// Loads a waiver file against a policy and a site. `name` is the name of the file, for messages.
///
/// # Errors
///
/// All faults of the text, in the order of its lines.
pub fn load_waivers(
    text: &str,
    name: &str,
    policy: &Policy,
    site: &Site,
) -> Result<Waivers, Vec<Diagnostic>> {
    let mut document: Document<RawWaivers> = document::read(name, text);
    let mut waivers = Waivers { sha256: document::sha256(text), list: Vec::new() };
    document::demand_version(&mut document, |raw| raw.schema.as_ref());
    if let Document { raw: Some(raw), problems, .. } = &mut document {
        let mut ids = Names::new("waiver", Code::DuplicateId);
        let mut loader = Loader { names: Vocabulary::of(policy), site, problems };
        for raw in &raw.waiver {
            ids.define(&raw.id, loader.problems);
            waivers.list.push(loader.waiver(raw));
        }
    }
    document::finish(vec![document])?;
    Ok(waivers)
}

/// Follows the references of a waiver file into the policy and the site.
struct Loader<'a> {
    names: Vocabulary,
    site: &'a Site,
    problems: &'a mut Problems,
}

impl Loader<'_> {
    fn waiver(&mut self, raw: &RawWaiver) -> Waiver {
        demand_text(&raw.owner, "owner", self.problems);
        demand_text(&raw.reason, "reason", self.problems);
        let keys = ["created", "expires"];
        let (created, expires) =
            interval(Some(&raw.created), Some(&raw.expires), keys, self.problems);
        let matcher = &raw.matches.value;
        if is_unbounded(matcher) {
            let message = format!("waiver `{}` covers all traffic", raw.id.value);
            let help = "name roles, hosts, ports or a service";
            let span = raw.matches.span.clone();
            self.problems.report(Code::UnboundedWaiver, span, message, help);
        }
        Waiver {
            id: raw.id.value.clone(),
            owner: raw.owner.value.clone(),
            reason: raw.reason.value.clone(),
            ticket: raw.ticket.clone(),
            created: created.unwrap_or(Timestamp::from_nanos(i64::MIN)),
            expires: expires.unwrap_or(Timestamp::from_nanos(i64::MIN)),
            maximum_flows: raw.maximum_flows,
            initiator_roles: self.names.role_set(&matcher.initiator_roles, self.problems),
            responder_roles: self.names.role_set(&matcher.responder_roles, self.problems),
            initiators: self.ends(&matcher.initiators),
            responders: self.ends(&matcher.responders),
            transport: matcher.transport.map(transport),
            ports: matcher.ports.as_ref().and_then(|text| self.some_ports(text)),
            service: matcher
                .service
                .as_ref()
                .and_then(|id| self.names.services.find(id, self.problems))
                .map(ServiceId),
        }
    }

    fn some_ports(&mut self, text: &At<String>) -> Option<PortSet> {
        demand_text(text, "ports", self.problems);
        ports(text, self.problems)
    }

    /// The networks of host names, addresses and prefixes.
    fn ends(&mut self, raw: &[At<String>]) -> Vec<WaivedEnd> {
        let mut found = Vec::new();
        for text in raw {
            let host = self.site.hosts.iter().position(|host| host.name == text.value);
            if let Some(address) = address(&text.value) {
                found.push(WaivedEnd::Network(IpNet::from(address)));
            } else if let Some(prefix) = prefix(&text.value) {
                found.push(WaivedEnd::Network(prefix));
            } else if let Some(host) = host {
                found.push(WaivedEnd::Host(HostId(host)));
            } else {
                let message = format!("`{}` is no host, address or prefix", text.value);
                let names = self.site.hosts.iter().map(|host| host.name.as_str());
                let help = suggestion(&text.value, names);
                self.problems.report(Code::UnknownHost, text.span.clone(), message, help);
            }
        }
        found
    }
}

/// Whether a matcher demands nothing.
fn is_unbounded(raw: &RawMatcher) -> bool {
    let RawMatcher {
        initiator_roles,
        responder_roles,
        initiators,
        responders,
        transport: _,
        ports,
        service,
    } = raw;
    initiator_roles.is_empty()
        && responder_roles.is_empty()
        && initiators.is_empty()
        && responders.is_empty()
        && ports.is_none()
        && service.is_none()
}
