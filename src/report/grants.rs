//! The ports that rows grant to the conversations of a finding. A row whose ports are a parameter may
//! grant other ports at each responder; then each is named with its ports.

use std::fmt;

use super::names::Names;
use crate::base::PortSet;
use crate::judge::model::{Row, RowPorts};
use crate::judge::{Finding, Nearest};

/// What a row grants at responders of a finding.
pub(super) struct Grant<'a> {
    pub(super) row: &'a Row,
    pub(super) ports: &'a PortSet,
    pub(super) at: Responders<'a>,
}

/// Names of the responders to which a grant is limited; none when it holds for all.
pub(super) struct Responders<'a>(Vec<&'a str>);

impl fmt::Display for Responders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => Ok(()),
            [one] => write!(f, " at {one}"),
            [one, other] => write!(f, " at {one} and {other}"),
            [one, others @ ..] => write!(f, " at {one} and {} others", others.len()),
        }
    }
}

/// What a row grants at the responders of a finding: once, or for each value of its parameter.
fn of_row<'a>(names: &Names<'a>, finding: &Finding, row: &'a Row) -> Vec<Grant<'a>> {
    let mut grants: Vec<Grant<'a>> = Vec::new();
    for (_, host, _) in &finding.responders {
        let Some(ports) = names.ports(row, *host).filter(|ports| !ports.is_empty()) else {
            continue;
        };
        let name = host.and_then(|id| names.host(id)).unwrap_or("an unlisted host");
        match grants.iter_mut().find(|grant| grant.ports == ports) {
            Some(Grant { at: Responders(at), .. }) if at.contains(&name) => {}
            Some(grant) => grant.at.0.push(name),
            None => grants.push(Grant { row, ports, at: Responders(vec![name]) }),
        }
    }
    if let [all] = grants.as_mut_slice() {
        all.at.0.clear();
    }
    grants
}

/// What the rows of a finding grant over its transport, or over any where none does.
pub(super) fn of_rows<'a>(names: &Names<'a>, finding: &Finding) -> Vec<Grant<'a>> {
    let rows = finding.rows.iter().filter_map(|row| names.row(*row));
    let mut all: Vec<_> = rows.flat_map(|row| of_row(names, finding, row)).collect();
    if all.iter().any(|grant| Some(grant.row.transport) == finding.transport) {
        all.retain(|grant| Some(grant.row.transport) == finding.transport);
    }
    all
}

/// The ports that rows grant to what is spoken, for a title: where there is a range, it alone, since
/// single ports beside it lead to it.
pub(super) fn in_title(names: &Names<'_>, finding: &Finding) -> String {
    let granted = of_rows(names, finding);
    if granted.iter().any(|grant| !grant.at.0.is_empty()) {
        return "the ports of its responder".to_owned();
    }
    let ranges = granted.iter().any(|grant| grant.ports.count() > 1);
    let told = granted.iter().filter(|grant| !ranges || grant.ports.count() > 1);
    let ports: PortSet = told.flat_map(|grant| grant.ports.ranges()).copied().collect();
    ports.to_string()
}

/// The ports of a near row at the responders of a finding, with the name of its parameter.
pub(super) fn of_nearest<'a>(
    names: &Names<'a>,
    finding: &Finding,
    near: &Nearest,
    row: &'a Row,
) -> String {
    match (at_each(names, finding, near.ports.as_ref(), row), &row.ports) {
        (Some(each), RowPorts::Parameter(id)) => {
            let parameter = names.policy.parameters.get(id.0);
            format!("{each} ({})", parameter.map_or("?", |parameter| &parameter.id))
        }
        _ => names.ports_of(row, near.ports.as_ref()),
    }
}

/// `5000-5020 at dc-1, 5100-5130 at dc-2`: what a row grants at each responder, where that differs
/// and `known` is what it grants at one of them.
pub(super) fn at_each<'a>(
    names: &Names<'a>,
    finding: &Finding,
    known: Option<&PortSet>,
    row: &'a Row,
) -> Option<String> {
    let grants = of_row(names, finding, row);
    if grants.len() < 2 || !grants.iter().any(|grant| Some(grant.ports) == known) {
        return None;
    }
    let each: Vec<_> = grants.iter().map(|grant| format!("{}{}", grant.ports, grant.at)).collect();
    Some(each.join(", "))
}
