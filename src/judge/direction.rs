//! Who opened a flow: what was observed first, then what the policy's ports say, then what ports
//! in general say (D3.1, D3.2).

use super::flow::Judge;
use super::inventory::Identity;
use super::opinion::Opinion;
use super::spoken::{client, identity};
use super::verdict::{Basis, Missing, Reason, Verdict};
use crate::base::{IpProto, SYSTEM_PORTS};
use crate::decode::Direction;
use crate::flow::{DirectionBasis, FlowRecord};
use crate::identify::{Grade, Protocol};

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
    let firm = matches!(basis, Basis::Syn | Basis::SynAck | Basis::IcmpQuote)
        || !record.key.protocol().has_ports()
        || record.is_probe()
        || without_source_port(record, seen)
        || judge.goes_to_group(record, seen);
    if firm {
        return Decided { initiator: seen, basis, opinion: forward };
    }
    let backward = opinion(seen.reverse());
    if let Some((initiator, basis)) = told(judge, record) {
        let opinion = if initiator == seen { forward } else { backward };
        return Decided { initiator, basis, opinion };
    }
    if record.key.protocol() == IpProto::TCP {
        return mid_stream(record, seen, forward, backward);
    }
    let (from, to) = ends(seen, a, b);
    let is_media = judge.grants_media(record, seen, from, to)
        && (names_service(&forward) || !names_service(&backward));
    let decided = if judge.visibility().hides_answer(record) {
        lone_datagrams(judge, record, is_media, forward, backward)
    } else {
        datagrams(judge, record, is_media, forward, backward)
    };
    if judge.rests_on_media(&decided.opinion) {
        let back = decided.initiator.reverse();
        let (from, to) = ends(back, a, b);
        let granted = judge.grants_media(record, back, from, to);
        return both_legs(record, decided, granted.then(|| opinion(back)));
    }
    decided
}

/// Who opened the flow by what its payload says of the part that each end plays, or because one
/// end was announced as an endpoint. Each direction of media goes by itself, and over UDP a port of
/// the policy goes before the payload (D3.1, D3.2).
fn told(judge: &Judge<'_>, record: &FlowRecord) -> Option<(Direction, Basis)> {
    let learned = |initiator: Direction| {
        let receiver = initiator.reverse();
        let learned = judge.endpoints().find(receiver, record, &judge.inventory)?;
        Some(learned.protocol)
            .filter(|one| !matches!(one, Protocol::Rtp | Protocol::Rtcp | Protocol::T38))
    };
    let stream = record.key.protocol() == IpProto::TCP;
    if stream && let Some(initiator) = client(record) {
        return Some((initiator, Basis::PayloadRole));
    }
    match (learned(Direction::AToB), learned(Direction::BToA)) {
        (Some(_), None) => Some((Direction::AToB, Basis::Learned)),
        (None, Some(_)) => Some((Direction::BToA, Basis::Learned)),
        _ => None,
    }
}

/// Whether the sender named no port to which an answer could go (RFC 768), as of a tunnel whose
/// source port says nothing.
fn without_source_port(record: &FlowRecord, seen: Direction) -> bool {
    record.key.protocol() == IpProto::UDP
        && record.end(seen).port() == 0
        && record.end(seen.reverse()).port() != 0
}

/// Whether a row names the port, though over the other transport. Hosts that exchange media
/// exchange other datagrams too.
fn names_service(opinion: &Opinion) -> bool {
    opinion.reason == Some(Reason::WrongTransport)
}

/// The hosts as sender and receiver in a direction.
fn ends(direction: Direction, a: Identity, b: Identity) -> (Identity, Identity) {
    if direction == Direction::AToB { (a, b) } else { (b, a) }
}

/// TCP without a SYN: the first packet tells nothing, the policy's ports tell.
///
/// A range of the policy tells only where ports in general do not object: its ports are ephemeral
/// ports too, and an answer to port 5000 of a client is no service in 5000-5020.
fn mid_stream(
    record: &FlowRecord,
    seen: Direction,
    forward: Opinion,
    backward: Opinion,
) -> Decided {
    let ports = (record.end(seen).port(), record.end(seen.reverse()).port());
    let general = by_port(ports);
    let fits = |opinion: &Opinion, objection: Option<bool>| {
        opinion.is_firm() && (opinion.by_single_port || general != objection)
    };
    match (fits(&forward, Some(false)), fits(&backward, Some(true))) {
        (true, false) => {
            return Decided { initiator: seen, basis: Basis::PortRole, opinion: forward };
        }
        (false, true) => {
            let initiator = seen.reverse();
            return Decided { initiator, basis: Basis::PortRole, opinion: backward };
        }
        _ => {}
    }
    guessed(seen, general, forward, backward)
}

/// Goes by what ports in general say: whether the first sender initiated, if they tell.
fn guessed(seen: Direction, general: Option<bool>, forward: Opinion, backward: Opinion) -> Decided {
    match general {
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
///
/// The sending end of a tunnel has none.
fn by_port((from, to): (u16, u16)) -> Option<bool> {
    if from == 0 || to == 0 {
        return None;
    }
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
    let opinion = Opinion::not_assessable(Missing::Direction);
    Decided { initiator, basis, opinion }
}

/// Most packets, and most bytes of payload, that pass for the answer to a request which was not
/// captured.
const ANSWER: (u64, u64) = (8, 8192);

/// UDP: a port that a row documents for the two roles in one orientation alone tells best, unless
/// it is the port of both ends, then the payload, then the first packet (D3.2).
///
/// So an answer whose request was not captured is no flow from the service port. A range is not
/// enough for that, because its ports are ephemeral ports too, except where the capture may have
/// begun after the flow. What is too much for an answer stays undecided: anyone may send from a
/// documented port.
///
/// Where no row tells and the capture may have begun after the flow, what goes to an ephemeral
/// port of a flow in scope may be an answer as well. Each direction of media is judged by the port to which it goes,
/// so there is nothing to tell.
fn datagrams(
    judge: &Judge<'_>,
    record: &FlowRecord,
    is_media: bool,
    forward: Opinion,
    backward: Opinion,
) -> Decided {
    let seen = record.initiator;
    let sent = record.half(seen);
    let one_way = record.half(seen.reverse()).packets == 0;
    let lead_in = record.earliest.since(judge.capture_begin()) < CAPTURE_LEAD_IN;
    let by_content = client(record);
    let ports_tell = !ports_are_of_either(record, lead_in);
    let turned = ports_tell && !forward.is_firm() && backward.is_firm();
    let bulk = sent.packets > ANSWER.0 || sent.payload_bytes > ANSWER.1;
    // Each direction of media is judged by its own port, so there is nothing to turn.
    let by_range = lead_in && !one_way && !judge.rests_on_media(&backward);
    let told = by_content.is_some();
    if turned && one_way && backward.by_single_port && bulk && !told {
        let opinion = Opinion::not_assessable(Missing::Direction);
        return Decided { initiator: seen, basis: Basis::Unknown, opinion };
    }
    if turned && (backward.by_single_port || by_range) {
        return Decided { initiator: seen.reverse(), basis: Basis::PortRole, opinion: backward };
    }
    // Whether a port of the policy tells: in one orientation alone.
    let port_tells =
        ports_tell && forward.by_single_port && forward.is_firm() && !backward.is_firm();
    match by_content.filter(|_| !port_tells) {
        Some(initiator) if initiator == seen => {
            return Decided { initiator, basis: Basis::PayloadRole, opinion: forward };
        }
        Some(initiator) => {
            return Decided { initiator, basis: Basis::PayloadRole, opinion: backward };
        }
        None => {}
    }
    let ports = (record.end(seen).port(), record.end(seen.reverse()).port());
    let firm = forward.is_firm() || backward.is_firm();
    let matters = forward.verdict != Verdict::OutOfScope;
    if lead_in && matters && !is_media && !firm && by_port(ports) == Some(false) {
        return match forward.verdict == backward.verdict {
            true => guessed(seen, Some(false), forward, backward),
            false => undecided(seen, forward, backward),
        };
    }
    Decided { initiator: seen, basis: Basis::FirstPacket, opinion: forward }
}

/// Whether both ends use one port, as NetBIOS and NTP do: that a row names it says nothing of who
/// asked. What is spoken tells, else who sent first (D3.3, D1.6 A-36); but what the capture begins
/// with, and what nothing recognises, may be the answer to a request that was lost.
fn ports_are_of_either(record: &FlowRecord, lead_in: bool) -> bool {
    let known = || identity(record).is_some_and(|identity| identity.grade >= Grade::Strong);
    record.key.a().port() == record.key.b().port()
        && (client(record).is_some() || !lead_in && known())
}

/// UDP of which a capture of one direction shows one: who sent is no sign of who asked, so rows
/// and ports tell as they do in TCP without a SYN.
///
/// Of media there is nothing to tell.
fn lone_datagrams(
    judge: &Judge<'_>,
    record: &FlowRecord,
    is_media: bool,
    forward: Opinion,
    backward: Opinion,
) -> Decided {
    let seen = record.initiator;
    let answer = !forward.is_firm() && backward.is_firm() && backward.by_single_port;
    if is_media || answer {
        return datagrams(judge, record, is_media, forward, backward);
    }
    let weakly = forward.verdict == Verdict::Documented && !forward.is_firm();
    if weakly && !backward.is_firm() {
        let ports = (record.end(seen).port(), record.end(seen.reverse()).port());
        // The answer to whatever port of a client would pass for what an over-broad row grants.
        if by_port(ports) == Some(false) && backward.verdict != Verdict::Documented {
            let opinion = Opinion::not_assessable(Missing::Direction);
            return Decided { initiator: seen, basis: Basis::Unknown, opinion };
        }
        return datagrams(judge, record, is_media, forward, backward);
    }
    mid_stream(record, seen, forward, backward)
}

/// Media is two one-way streams: the verdict is that of the worse (D1.6 A-03).
///
/// `other` is what is said of the stream the other way; `None` where no row grants media that
/// way at all, so that it passes as the return half of the granted one (D1.6 A-05).
fn both_legs(record: &FlowRecord, decided: Decided, other: Option<Opinion>) -> Decided {
    let back = decided.initiator.reverse();
    match other {
        Some(opinion) if opinion.verdict == Verdict::Violation && record.half(back).packets > 0 => {
            Decided { initiator: back, basis: Basis::Media, opinion }
        }
        _ => decided,
    }
}
