//! The sentences about what keeps a verdict from being firm: facts that are missing, and
//! assumptions.

use super::names::Names;
use crate::judge::{Assumption, Finding, Missing};

/// A fact that is missing, with the line to add.
pub(crate) fn missing(names: &Names<'_>, finding: &Finding, missing: Missing) -> String {
    match missing {
        Missing::Parameter(id) => {
            let parameter = names.policy.parameters.get(id.0).map_or("?", |p| p.id.as_str());
            let host = finding.responders.first().and_then(|(_, host, _)| *host);
            let host = host.and_then(|id| names.host(id)).unwrap_or("the responder");
            format!(
                "{parameter} has no value for {host}: add `parameters = {{ {parameter} = \
                 \"PORTS\" }}` to its [[host]], or `{parameter} = \"\"` under [parameters] if no \
                 port was pinned"
            )
        }
        Missing::Direction => {
            "which end opened the flow: the capture holds neither SYN nor SYN+ACK, and the ports \
             do not tell"
                .to_owned()
        }
        Missing::Ports => {
            "the ports: the capture cut the packets before them, so raise its snaplen".to_owned()
        }
        Missing::HostIdentity => {
            "which host owned the address: two entries of the site file with different roles are \
             valid at that time"
                .to_owned()
        }
    }
}

/// What a documented flow, or a mismatch under the literal reading, rests on.
pub(crate) fn assumption(names: &Names<'_>, assumption: Assumption) -> String {
    match assumption {
        Assumption::Condition(id) => {
            let condition = names.policy.conditions.get(id.0);
            let (id, question) = condition.map_or(("?", "?"), |c| (&c.id, &c.question));
            format!("{id} is not answered under [conditions]: {question}")
        }
        Assumption::Attribute(id) => {
            let attribute = names.policy.attributes.get(usize::from(id.0));
            let name = attribute.map_or("?", |attribute| attribute.id.as_str());
            format!("no host of the role carries the attribute {name}")
        }
        Assumption::Relation(id) => {
            let relation = names.policy.relations.get(id.0);
            let name = relation.map_or("?", |relation| relation.id.as_str());
            format!("no [[relation]] of type {name} is stated for the initiator")
        }
        Assumption::Reading(id) => {
            let reading = names.policy.readings.get(id.0);
            let (id, question) = reading.map_or(("?", "?"), |r| (&r.id, &r.question));
            format!("reading {id}: {question}")
        }
    }
}
