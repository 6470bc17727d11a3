//! Who opened a flow: what was observed first, then what the policy's ports say, then what ports
//! in general say (D3.1, D3.2).

use super::flow::{Judge, Opinion};
use super::inventory::Identity;
use super::verdict::{Basis, Missing, Reason, Verdict};
use crate::base::{IpProto, SYSTEM_PORTS};
use crate::decode::Direction;
use crate::flow::{ConnectionState, DirectionBasis, FlowRecord};

/// Flows that begin within this time of the first packet may have begun before it, in
/// nanoseconds.
const CAPTURE_LEAD_IN: i64 = 60_000_000_000;

/// Ports from here on are ephemeral on every system met in practice.
const EPHEMERAL_PORTS: u16 = 32_768;

/// The orientation that was chosen and what is said of it.
pub(super) struct Decided {
    pub(super) initiator: Direction,
    pub(super) basis: Basis,
    pub(super) opinion: Opinion,
}

/// Chooses the orientation of a flow between the hosts `a` (the lower end) and `b`.
pub(super) fn decide(judge: &Judge<'_>, record: &FlowRecord, a: Identity, b: Identity) -> Decided {
    let opinion = |initiator: Direction| match initiator {
        Direction::AToB => judge.opinion(record, initiator, a, b),
        Direction::BToA => judge.opinion(record, initiator, b, a),
    };
    let seen = record.initiator;
    let basis = match record.basis {
        _ if record.origin.is_none() => Basis::IcmpQuote,
        DirectionBasis::Syn => Basis::Syn,
        DirectionBasis::SynAck => Basis::SynAck,
        DirectionBasis::FirstPacket => Basis::FirstPacket,
    };
    let forward = opinion(seen);
    let firm = matches!(basis, Basis::Syn | Basis::SynAck | Basis::IcmpQuote);
    let open = matches!(forward.verdict, Verdict::OutOfScope | Verdict::Infrastructure);
    if firm || (open && !record.key.protocol().has_ports()) {
        return Decided { initiator: seen, basis, opinion: forward };
    }
    let backward = opinion(seen.reverse());
    if record.key.protocol() == IpProto::TCP {
        mid_stream(record, seen, forward, backward)
    } else {
        datagrams(judge, record, seen, forward, backward)
    }
}

/// TCP without a SYN: the first packet tells nothing.
fn mid_stream(
    record: &FlowRecord,
    seen: Direction,
    forward: Opinion,
    backward: Opinion,
) -> Decided {
    match (forward.is_firm(), backward.is_firm()) {
        (true, false) => {
            return Decided { initiator: seen, basis: Basis::PortRole, opinion: forward };
        }
        (false, true) => {
            let initiator = seen.reverse();
            return Decided { initiator, basis: Basis::PortRole, opinion: backward };
        }
        _ => {}
    }
    let ports = (record.end(seen).port(), record.end(seen.reverse()).port());
    match by_port(ports) {
        Some(true) => Decided {
            initiator: seen,
            basis: Basis::PortHeuristic,
            opinion: without_direction(forward),
        },
        Some(false) => Decided {
            initiator: seen.reverse(),
            basis: Basis::PortHeuristic,
            opinion: without_direction(backward),
        },
        None => undecided(seen, forward, backward),
    }
}

/// Whether the first of two ports is the initiator's, if ports alone can tell.
fn by_port((from, to): (u16, u16)) -> Option<bool> {
    let system = (from < SYSTEM_PORTS, to < SYSTEM_PORTS);
    let ephemeral = (from >= EPHEMERAL_PORTS, to >= EPHEMERAL_PORTS);
    match (system, ephemeral) {
        ((false, true), _) => Some(true),
        ((true, false), _) => Some(false),
        (_, (true, false)) => Some(true),
        (_, (false, true)) => Some(false),
        _ => None,
    }
}

/// A guessed direction never makes a flow a violation for its direction.
fn without_direction(mut opinion: Opinion) -> Opinion {
    if opinion.reason == Some(Reason::WrongDirection) {
        opinion.reason = Some(Reason::UndocumentedService);
    }
    opinion
}

/// Neither observation nor ports tell: the verdict stands if both orientations agree on it.
fn undecided(seen: Direction, forward: Opinion, backward: Opinion) -> Decided {
    let (initiator, basis) = (seen, Basis::Unknown);
    if forward.verdict == backward.verdict {
        return Decided { initiator, basis, opinion: without_direction(forward) };
    }
    let opinion = Opinion {
        verdict: Verdict::NotAssessable,
        reason: None,
        strength: None,
        rows: Vec::new(),
        missing: vec![Missing::Direction],
        ..forward
    };
    Decided { initiator, basis, opinion }
}

/// UDP: the first packet tells, unless the capture may have begun after it.
///
/// An answer whose request was not captured looks like a flow from the service port; where the
/// other orientation is documented on exactly that port, it is taken for the answer it is. A
/// range is not enough for that: its ports are ephemeral ports too.
fn datagrams(
    judge: &Judge<'_>,
    record: &FlowRecord,
    seen: Direction,
    forward: Opinion,
    backward: Opinion,
) -> Decided {
    let lead_in = record.earliest.since(judge.capture_begin()) < CAPTURE_LEAD_IN;
    let answer_only = record.state(seen) == ConnectionState::OneWay && backward.by_single_port;
    if !forward.is_firm() && backward.is_firm() && (lead_in || answer_only) {
        return Decided { initiator: seen.reverse(), basis: Basis::PortRole, opinion: backward };
    }
    Decided { initiator: seen, basis: Basis::FirstPacket, opinion: forward }
}
