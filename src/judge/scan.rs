//! Scans: one source, many doors, little time (D3.4).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use super::finding::JudgedFlow;
use super::verdict::Verdict;
use crate::base::{Endpoint, IpProto, Timestamp};
use crate::flow::ConnectionState;

/// Distinct host and port pairs that make a scan.
pub(super) const DOORS: usize = 15;

/// Within this time, in nanoseconds.
pub(super) const WINDOW: i64 = 60_000_000_000;

/// The flows, by index, that are part of a scan. `flows` are in order of their first packet.
pub(super) fn scans(flows: &[JudgedFlow]) -> BTreeSet<usize> {
    let mut tries: BTreeMap<IpAddr, Vec<(Timestamp, Endpoint, usize)>> = BTreeMap::new();
    for (index, flow) in flows.iter().enumerate() {
        if is_try(flow) {
            let source = flow.initiator().address();
            let door = (flow.record.earliest, flow.responder(), index);
            tries.entry(source).or_default().push(door);
        }
    }
    let mut members = BTreeSet::new();
    for doors in tries.into_values().filter(|doors| doors.len() >= DOORS) {
        mark(&doors, &mut members);
    }
    members
}

/// An attempt outside the documented set that opened nothing.
pub(super) fn is_try(flow: &JudgedFlow) -> bool {
    let outside = matches!(flow.judgement.verdict, Verdict::Violation | Verdict::UnknownPeer);
    let in_vain = match flow.judgement.state {
        ConnectionState::Unanswered | ConnectionState::Refused => true,
        // Whoever was answered acknowledges it, and that is the direction that was captured.
        ConnectionState::HandshakeOnly | ConnectionState::UnknownAnswer => {
            flow.record.key.protocol() == IpProto::TCP
        }
        _ => flow.record.is_probe(),
    };
    outside && in_vain
}

/// Slides the window over the tries of one source, in linear time.
fn mark(doors: &[(Timestamp, Endpoint, usize)], members: &mut BTreeSet<usize>) {
    let mut window: VecDeque<&(Timestamp, Endpoint, usize)> = VecDeque::new();
    let mut distinct: BTreeMap<Endpoint, usize> = BTreeMap::new();
    let mut marked = 0;
    for (place, door) in doors.iter().enumerate() {
        window.push_back(door);
        *distinct.entry(door.1).or_default() += 1;
        while let Some(oldest) = window.front().copied()
            && door.0.since(oldest.0) > WINDOW
        {
            window.pop_front();
            if let Some(count) = distinct.get_mut(&oldest.1) {
                *count -= 1;
                if *count == 0 {
                    distinct.remove(&oldest.1);
                }
            }
        }
        if distinct.len() >= DOORS {
            let begin = (place + 1 - window.len()).max(marked);
            let fresh = doors.get(begin..=place).unwrap_or_default();
            members.extend(fresh.iter().map(|(_, _, index)| *index));
            marked = place + 1;
        }
    }
}
