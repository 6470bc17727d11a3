//! Documented connections that one host tried to another, always in vain.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::finding::JudgedFlow;
use super::flow::Judge;
use super::verdict::Verdict;
use crate::base::{Endpoint, IpProto};
use crate::flow::ConnectionState;

/// Least number of tries, SYN retransmissions counted, that make a door a blocked one.
const TRIES: u64 = 3;

/// What became of one initiator's tries at one address and port.
#[derive(Debug, Default)]
struct Door {
    /// Whether one of them succeeded, was refused by the responder itself, or may have been
    /// answered where the capture does not show it.
    opened: bool,
    /// Packets of all tries.
    packets: u64,
    /// Flows, by index.
    flows: Vec<usize>,
}

/// The flows, by index, of each blocked door.
pub(super) fn blocked_doors(judge: &Judge<'_>, flows: &[JudgedFlow]) -> Vec<Vec<usize>> {
    let mut doors: BTreeMap<(IpAddr, Endpoint), Door> = BTreeMap::new();
    for (index, flow) in flows.iter().enumerate() {
        let documented = flow.judgement.verdict == Verdict::Documented;
        if !documented || flow.record.key.protocol() != IpProto::TCP {
            continue;
        }
        let door = doors.entry((flow.initiator().address(), flow.responder())).or_default();
        door.opened |= !in_vain(flow) || judge.visibility().hides_answer(&flow.record);
        door.packets += flow.record.packets();
        door.flows.push(index);
    }
    let blocked = doors.into_values().filter(|door| !door.opened && door.packets >= TRIES);
    blocked.map(|door| door.flows).collect()
}

/// Nobody answered, or a firewall said that it is prohibited. An error message about a connection
/// that stands says nothing: anybody can send one.
fn in_vain(flow: &JudgedFlow) -> bool {
    let prohibited = || flow.record.icmp.as_ref().is_some_and(|notice| notice.quote.prohibited > 0);
    match flow.judgement.state {
        ConnectionState::Unanswered => true,
        ConnectionState::Refused => prohibited(),
        _ => false,
    }
}
