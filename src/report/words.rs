//! The sentences about findings.
//!
//! The document lists what the product needs and forbids nothing, so the report says "outside
//! the documented set" and never "forbidden" (D1.6 A-09).

use super::grants::{self, Grant};
use super::names::Names;
use crate::base::IpProto;
use crate::identify::Protocol;
use crate::identify::dcerpc::{INTERFACE_CLASS, InterfaceClass};
use crate::judge::model::{Row, RowId, Terms};
use crate::judge::{
    Assumption, Finding, FindingKind, Hardening, PeerClass, Reason, Severity, Side, Verdict,
    WaiverFault,
};

/// `tcp`, or `any` where there are several.
pub(crate) fn transport(transport: Option<IpProto>) -> String {
    transport.map_or("any".to_owned(), |transport| transport.to_string())
}

/// `1 flow`, `2 flows`, `3 entries`, `4 addresses`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, noun) => format!("1 {noun}"),
        (number, "entry") => format!("{number} entries"),
        (number, "address") => format!("{number} addresses"),
        (number, noun) => format!("{number} {noun}s"),
    }
}

/// `TCP 1026`, `UDP 40000-40123 (57 ports)`.
pub(crate) fn service(finding: &Finding) -> String {
    let transport = transport(finding.transport).to_uppercase();
    match finding.ports.count() {
        0 => transport,
        1 => format!("{transport} {}", finding.ports),
        2..=4 => format!("{transport} {}", finding.ports),
        count => {
            let low = finding.ports.ranges().first().map_or(0, |range| range.low);
            let high = finding.ports.ranges().last().map_or(0, |range| range.high);
            format!("{transport} {low}-{high} ({count} ports)")
        }
    }
}

/// One line that says what was seen.
pub(crate) fn title(names: &Names<'_>, finding: &Finding) -> String {
    let pair = format!("{} -> {}", names.side(finding.from), names.side(finding.to));
    let service = service(finding);
    match finding.kind {
        FindingKind::Scan(_) => {
            let doors = count(finding.responder_count, "address");
            format!("{} tried {service} on {doors}", scanners(names, finding))
        }
        FindingKind::Waiver(fault, index) => waiver_title(names, finding, fault, index),
        // Packets are missing, and the answers may be among them.
        FindingKind::Blocked if finding.severity == Severity::Info => {
            format!("{pair} {service}: documented, no answer seen")
        }
        FindingKind::Blocked => format!("{pair} {service}: documented, tried in vain"),
        FindingKind::Flows(Verdict::NotAssessable, _) => {
            format!("{pair} {service}: cannot be judged")
        }
        FindingKind::Flows(Verdict::UnknownPeer, _) => {
            format!("{pair} {service}: peer is not in the site file")
        }
        FindingKind::Flows(_, reason) => {
            let what = match reason {
                Some(Reason::ProtocolMismatch) => {
                    let known = service_names(names, &finding.rows);
                    return format!("{pair} {service}: {} on the port of {known}", spoken(finding));
                }
                Some(Reason::PortOutsideRange) => {
                    let ports = grants::in_title(names, finding);
                    return format!("{pair} {service}: {} outside {ports}", spoken(finding));
                }
                Some(Reason::ConditionOff) => "its row is switched off by the site's answers",
                Some(Reason::QualifierMismatch) => "documented for other hosts of the role",
                Some(Reason::WrongDirection) => "documented the other way round only",
                Some(Reason::WrongTransport) => "documented over the other transport only",
                Some(Reason::UndocumentedService) => "no row for this port",
                Some(Reason::UndocumentedPair) | None => "no row for these roles",
            };
            format!("{pair} {service}: {what}")
        }
    }
}

/// What the flows of a finding speak, as people call it.
pub(crate) fn spoken(finding: &Finding) -> String {
    let Some(evident) = &finding.speaks else { return "another protocol".to_owned() };
    let has = |class: InterfaceClass| {
        let mut facts = evident.details.iter();
        facts.any(|fact| fact.name == INTERFACE_CLASS && fact.value == class.name())
    };
    match evident.spoken.protocol {
        Protocol::DceRpc if has(InterfaceClass::Dcom) => "DCOM".to_owned(),
        Protocol::DceRpc if has(InterfaceClass::Exchange) => "Exchange RPC".to_owned(),
        Protocol::DceRpc if has(InterfaceClass::Msdtc) => "MSDTC".to_owned(),
        Protocol::DceRpc => "DCE/RPC".to_owned(),
        Protocol::Skinny => "SCCP".to_owned(),
        Protocol::Rfb => "VNC (RFB)".to_owned(),
        Protocol::T38 => "T.38 fax".to_owned(),
        other => other.name().to_uppercase(),
    }
}

/// The services of rows, each once.
fn service_names(names: &Names<'_>, rows: &[RowId]) -> String {
    let rows = rows.iter().filter_map(|row| names.row(*row));
    let services = rows.filter_map(|row| names.policy.services.get(row.service.0));
    let mut list: Vec<&str> = services.map(|service| service.name.as_str()).collect();
    list.dedup();
    list.join(", ")
}

/// Whether a host keeps a service inside its documented range of ports.
pub(crate) fn hardening(service: &str, host: &str, seen: &Hardening) -> String {
    let Hardening { documented, inside, outside, .. } = seen;
    if seen.is_applied() {
        return format!("{service}: {host} was seen on {inside} only, inside {documented}.");
    }
    format!("{service}: the restriction to {documented} is not applied on {host}: {outside}.")
}

fn scanners(names: &Names<'_>, finding: &Finding) -> String {
    match (finding.from, finding.initiator_count) {
        (Side::Unlisted(PeerClass::Internal), 2..) => {
            count(finding.initiator_count, "unlisted host")
        }
        (Side::Unlisted(PeerClass::External), 2..) => {
            count(finding.initiator_count, "outside host")
        }
        _ => names.side(finding.from),
    }
}

fn waiver_title(names: &Names<'_>, finding: &Finding, fault: WaiverFault, index: usize) -> String {
    let id = names.waiver(index).map_or("?", |waiver| waiver.id.as_str());
    let flows = count(finding.flows + finding.hearsay, "flow");
    match fault {
        WaiverFault::Exceeded => format!("waiver {id} accepted {flows}, more than it allows"),
        WaiverFault::Expired => format!("waiver {id} is over, and {flows} would need it"),
        WaiverFault::Unused => format!("waiver {id} accepted nothing"),
    }
}

fn waiver_expected(names: &Names<'_>, fault: WaiverFault, index: usize) -> String {
    let Some(waiver) = names.waiver(index) else { return String::new() };
    match fault {
        WaiverFault::Exceeded => {
            let most = count(waiver.maximum_flows.unwrap_or_default(), "flow");
            format!("It allows {most}; all were accepted, the surplus is this finding.")
        }
        WaiverFault::Expired => format!("It held until {}.", waiver.expires),
        WaiverFault::Unused => {
            "A waiver that nothing needs accepts whatever comes to match it.".to_owned()
        }
    }
}

/// What the document grants instead.
pub(crate) fn expected(names: &Names<'_>, finding: &Finding) -> String {
    match finding.kind {
        FindingKind::Blocked => {
            format!("{} grants this connection; it should be answered.", rows(names, &finding.rows))
        }
        FindingKind::Scan(_) => {
            "No row grants connections to so many ports or hosts at once.".to_owned()
        }
        FindingKind::Waiver(fault, index) => waiver_expected(names, fault, index),
        FindingKind::Flows(Verdict::NotAssessable, _) => {
            "The fact named under missing decides whether a row grants this.".to_owned()
        }
        FindingKind::Flows(Verdict::UnknownPeer, _) if finding.would_document.is_empty() => {
            "No role of the policy would make this conversation documented.".to_owned()
        }
        FindingKind::Flows(Verdict::UnknownPeer, _) => {
            let roles: Vec<_> = finding.would_document.iter().map(|r| names.role(*r)).collect();
            format!("It would be documented if the peer were {}.", roles.join(" or "))
        }
        FindingKind::Flows(_, Some(Reason::QualifierMismatch))
            if !readings(names, finding).is_empty() =>
        {
            by_the_words(names, finding)
        }
        FindingKind::Flows(_, Some(Reason::ConditionOff | Reason::QualifierMismatch)) => {
            let terms: Vec<_> = finding
                .rows
                .iter()
                .filter_map(|id| names.row(*id))
                .map(|row| demand(names, row))
                .collect();
            format!("{}: {}.", rows(names, &finding.rows), terms.join("; "))
        }
        FindingKind::Flows(_, Some(Reason::ProtocolMismatch)) => {
            let verb = if finding.rows.len() == 1 { "grants" } else { "grant" };
            let known = service_names(names, &finding.rows);
            format!("{} {verb} this port to {known}.", rows(names, &finding.rows))
        }
        FindingKind::Flows(_, Some(Reason::PortOutsideRange)) => {
            let grants: Vec<_> = grants::of_rows(names, finding)
                .into_iter()
                .map(|Grant { row, ports, at }| {
                    let transport = row.transport.to_string().to_uppercase();
                    format!("{transport} {ports}{at} ({}, {})", row.id, section(names, row))
                })
                .collect();
            let what = spoken(finding);
            format!("Between these roles the document grants {what} on {}.", grants.join(", "))
        }
        FindingKind::Flows(..) => {
            let nearest = finding.nearest.first();
            match nearest.and_then(|near| names.row(near.row).map(|row| (near, row))) {
                Some((near, row)) => format!(
                    "Nearest row {} ({}) grants {} {} {}.",
                    row.id,
                    section(names, row),
                    pair(names, row),
                    row.transport.to_string().to_uppercase(),
                    grants::of_nearest(names, finding, near, row)
                ),
                None => "No row of the document comes near.".to_owned(),
            }
        }
    }
}

/// `unity to cucm, phone`: whom a row joins.
fn pair(names: &Names<'_>, row: &Row) -> String {
    let terms = names.terms(row);
    let (from, to) = (names.roles(terms.initiator), names.roles(terms.responder));
    format!("{} to {}", from.join(", "), to.join(", "))
}

/// The readings beyond the words on which a mismatch would be documented.
pub(super) fn readings<'a>(names: &Names<'a>, finding: &Finding) -> Vec<&'a str> {
    let named = finding.assumptions.iter().filter_map(|assumption| match assumption {
        Assumption::Reading(id) => names.policy.readings.get(id.0).map(|r| r.id.as_str()),
        _ => None,
    });
    named.collect()
}

/// What the rows grant by the words of the document alone, so far as the recommended reading
/// grants more.
fn by_the_words(names: &Names<'_>, finding: &Finding) -> String {
    let rows = finding.rows.iter().filter_map(|id| names.row(*id));
    let grants: Vec<_> = rows
        .map(|row| {
            let recommended = demands(names, row, &row.terms);
            let mut more = demands(names, row, names.terms(row));
            more.retain(|demand| !recommended.contains(demand));
            let only = if more.is_empty() { String::new() } else { " only if ".to_owned() };
            format!("row {} grants {}{only}{}", row.id, pair(names, row), more.join(" and "))
        })
        .collect();
    let readings = readings(names, finding).join(", ");
    format!("By the words alone (literal reading of {readings}), {}.", grants.join("; "))
}

fn section<'a>(names: &Names<'a>, row: &Row) -> &'a str {
    names.policy.sections.get(row.section.0).map_or("?", |section| section.id.as_str())
}

fn rows(names: &Names<'_>, rows: &[RowId]) -> String {
    let ids: Vec<_> = rows.iter().map(|row| names.row_id(*row)).collect();
    match ids.as_slice() {
        [one] => format!("Row {one}"),
        many => format!("Rows {}", many.join(", ")),
    }
}

/// What a row demands beyond roles and port, under the reading in force.
pub(super) fn demand(names: &Names<'_>, row: &Row) -> String {
    let demands = demands(names, row, names.terms(row));
    if demands.is_empty() { "no further demand".to_owned() } else { demands.join(" and ") }
}

/// The same one by one.
pub(super) fn demands(names: &Names<'_>, row: &Row, terms: &Terms) -> Vec<String> {
    let mut demands = Vec::new();
    for (end, has) in [("responder", terms.responder_has), ("initiator", terms.initiator_has)] {
        let has = names.attributes(has);
        if !has.is_empty() {
            demands.push(format!("the {end} carries {}", has.join(" or ")));
        }
    }
    if let Some(relation) = row.relation.and_then(|id| names.policy.relations.get(id.0)) {
        demands.push(format!("the two hosts are in the relation {}", relation.id));
    }
    for requirement in &terms.when {
        if let Some(condition) = names.policy.conditions.get(requirement.condition.0) {
            let accepted: Vec<_> = requirement
                .accepted
                .iter()
                .filter_map(|answer| condition.answers.get(*answer).map(String::as_str))
                .collect();
            demands.push(format!("{} is {}", condition.id, accepted.join(" or ")));
        }
    }
    demands
}
