//! What to do about findings, and how near the nearest rows come: sentences, as in `words`.

use super::grants;
use super::names::Names;
use super::words::{demand, readings, transport};
use crate::base::IpProto;
use crate::judge::model::RowPorts;
use crate::judge::{Failed, Finding, FindingKind, Nearest, Reason, Side, Verdict, WaiverFault};

/// What to do.
pub(super) fn remediation(names: &Names<'_>, finding: &Finding) -> String {
    let dynamic_rpc = finding.transport == Some(IpProto::TCP)
        && finding.ports.ranges().first().is_some_and(|range| range.low >= 1024);
    match finding.kind {
        FindingKind::Waiver(WaiverFault::Exceeded, _) => {
            "Look at the flows; narrow the waiver, or agree on a higher maximum-flows with its \
             owner."
                .to_owned()
        }
        FindingKind::Waiver(WaiverFault::Expired, _) => {
            "End the conversation, or have its owner renew the waiver.".to_owned()
        }
        FindingKind::Waiver(WaiverFault::Unused, _) => {
            "Remove it, or correct what it matches.".to_owned()
        }
        FindingKind::Scan(_) => {
            "Find out what runs on the source and whether it is authorised to probe.".to_owned()
        }
        FindingKind::Blocked => {
            "Check the service and every firewall between the two hosts; the document warns \
             against separating some of them at all."
                .to_owned()
        }
        FindingKind::Flows(Verdict::NotAssessable, _) => {
            "Add the missing fact to the site file and run again.".to_owned()
        }
        FindingKind::Flows(Verdict::UnknownPeer, _) => {
            "Add the address to the site file with its role, or find out why it talks to this \
             host."
                .to_owned()
        }
        FindingKind::Flows(_, Some(Reason::ConditionOff)) => {
            "Switch the service off, or correct the answer in the site file.".to_owned()
        }
        FindingKind::Flows(_, Some(Reason::QualifierMismatch))
            if !readings(names, finding).is_empty() =>
        {
            "Decide whether the recommended reading holds at this site; under it the conversation \
             is documented."
                .to_owned()
        }
        FindingKind::Flows(_, Some(Reason::QualifierMismatch)) => {
            "Point the initiator at the host that the row means, or correct attributes and \
             relations in the site file."
                .to_owned()
        }
        FindingKind::Flows(_, Some(Reason::WrongDirection)) => {
            "Find out why the responder of the documented connection opens it.".to_owned()
        }
        FindingKind::Flows(_, Some(Reason::WrongTransport)) => {
            "Configure the service for the documented transport.".to_owned()
        }
        FindingKind::Flows(_, Some(Reason::ProtocolMismatch)) => {
            "Find out which program answers on the port, and stop it or move it; a firewall that \
             goes by ports lets it pass."
                .to_owned()
        }
        FindingKind::Flows(_, Some(Reason::PortOutsideRange)) if !dynamic_rpc => {
            "Configure the responder for the documented ports, or document the ones it uses."
                .to_owned()
        }
        FindingKind::Flows(_, Some(Reason::PortOutsideRange))
            if has_dynamic_row(names, finding) =>
        {
            "Restrict dynamic port allocation on the responder as the document's section on DCOM \
             describes, and start it again."
                .to_owned()
        }
        FindingKind::Flows(..) if dynamic_rpc && has_dynamic_row(names, finding) => {
            "If this is RPC, restrict dynamic port allocation on the responder as the document's \
             section on DCOM describes; otherwise close the port or waive it."
                .to_owned()
        }
        FindingKind::Flows(..) => {
            "Close the port for this pair, document it, or waive it with an owner and an expiry."
                .to_owned()
        }
    }
}

/// Whether a nearest row takes its ports from a parameter of the responder.
fn has_dynamic_row(names: &Names<'_>, finding: &Finding) -> bool {
    let near = finding.nearest.iter().map(|near| near.row);
    near.chain(finding.rows.iter().copied()).filter_map(|row| names.row(row)).any(|row| {
        let RowPorts::Parameter(id) = &row.ports else { return false };
        names.policy.parameters.get(id.0).is_some_and(|parameter| parameter.id == "dcom-range")
    })
}

/// The predicates of a near row that fail: field, wanted, got.
pub(super) fn failed(
    names: &Names<'_>,
    finding: &Finding,
    near: &Nearest,
) -> Vec<(&'static str, String, String)> {
    let transport = transport(finding.transport);
    let roles = |side: Side| names.side(side);
    near.failed
        .iter()
        .map(|failed| match failed {
            Failed::Direction => (
                "direction",
                format!("{} initiates", roles(finding.to)),
                format!("{} initiated", roles(finding.from)),
            ),
            Failed::InitiatorRole(wanted) => {
                ("initiator-role", names.roles(*wanted).join(" or "), roles(finding.from))
            }
            Failed::ResponderRole(wanted) => {
                ("responder-role", names.roles(*wanted).join(" or "), roles(finding.to))
            }
            Failed::Transport => {
                let wanted = names.row(near.row).map_or(String::new(), |r| r.transport.to_string());
                ("transport", wanted, transport.clone())
            }
            Failed::Port(wanted) => {
                let each = names
                    .row(near.row)
                    .and_then(|row| grants::at_each(names, finding, Some(wanted), row));
                let wanted = each.unwrap_or_else(|| wanted.to_string());
                ("port", wanted, finding.ports.to_string())
            }
            Failed::Unbound => {
                let wanted = names.row(near.row).map_or(String::new(), |row| names.row_ports(row));
                ("parameter", wanted, finding.ports.to_string())
            }
            Failed::Condition(_) => (
                "condition",
                names.row(near.row).map_or(String::new(), |row| demand(names, row)),
                "answered otherwise in the site file".to_owned(),
            ),
            Failed::Qualifier => (
                "qualifier",
                names.row(near.row).map_or(String::new(), |row| demand(names, row)),
                "another host of the role".to_owned(),
            ),
        })
        .collect()
}

/// The smallest change that would make the flow documented by a near row.
pub(super) fn change(names: &Names<'_>, finding: &Finding, near: &Nearest) -> String {
    let parts: Vec<String> = failed(names, finding, near)
        .into_iter()
        .map(|(field, wanted, _)| match field {
            "direction" => "let the other host open the connection".to_owned(),
            "transport" => format!("use {}", wanted.to_uppercase()),
            "port" => format!("move the service to port {wanted}"),
            "parameter" => format!("give the parameter a value: {wanted}"),
            "initiator-role" => format!("initiate from {wanted}"),
            "responder-role" => format!("connect to {wanted}"),
            _ => format!("see that {wanted}"),
        })
        .collect();
    parts.join("; ")
}
