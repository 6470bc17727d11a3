//! What may be said of a flow when a part of it was not captured: the same, or something weaker
//! that is listed here.

use std::collections::BTreeSet;

use portolan::decode::Direction;
use portolan::flow::ConnectionState;
use portolan::identify::{Protocol, dcerpc};
use portolan::judge::{
    Basis, JudgedFlow, Judgement, Missing, Reason, Spoken, Strength, Verdict, identity,
};

/// What a capture lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The packets of one direction.
    Direction,
    /// What went before its begin.
    Begin,
    /// What came after its end.
    End,
    /// The bytes of packets behind the ports.
    Bytes,
}

use ConnectionState::{
    Established, HalfSeen, HandshakeOnly, MidStream, OneWay, Refused, Unanswered, UnknownAnswer,
};

/// States that a flow of a state may be in instead.
type Weaker = &'static [(ConnectionState, &'static [ConnectionState])];

impl Lack {
    fn states(self) -> Weaker {
        match self {
            // Nothing is said of answers that could not be captured: a flow is never unanswered.
            Lack::Direction => &[
                (Established, &[HalfSeen, OneWay, UnknownAnswer]),
                (HandshakeOnly, &[HalfSeen, OneWay, UnknownAnswer]),
                (MidStream, &[HalfSeen, OneWay, UnknownAnswer]),
                (Refused, &[OneWay, UnknownAnswer]),
                (Unanswered, &[UnknownAnswer]),
                (OneWay, &[UnknownAnswer]),
            ],
            Lack::Begin => &[
                (Established, &[MidStream, HalfSeen, OneWay]),
                (HandshakeOnly, &[MidStream, HalfSeen, OneWay]),
                (Refused, &[OneWay]),
            ],
            Lack::End => &[
                (Established, &[HandshakeOnly, Unanswered, OneWay]),
                (HandshakeOnly, &[Unanswered]),
                (MidStream, &[HalfSeen, OneWay]),
                (Refused, &[Unanswered, OneWay]),
            ],
            // The flags of TCP lie behind the ports.
            Lack::Bytes => &[
                (Established, &[MidStream, OneWay]),
                (HandshakeOnly, &[MidStream, OneWay]),
                (Refused, &[MidStream, OneWay]),
                (Unanswered, &[OneWay]),
                (HalfSeen, &[OneWay]),
            ],
        }
    }
}

/// Whether one state may turn into another for want of all of that.
fn state_may_become(lacks: &[Lack], before: ConnectionState, after: ConnectionState) -> bool {
    let mut reached = BTreeSet::from([before]);
    loop {
        let rules = lacks.iter().flat_map(|lack| lack.states());
        let next = rules.filter(|(from, _)| reached.contains(from)).flat_map(|(_, to)| *to);
        let more: Vec<_> = next.filter(|state| !reached.contains(*state)).copied().collect();
        if more.is_empty() {
            return reached.contains(&after);
        }
        reached.extend(more);
    }
}

/// How firmly it is known who opened a flow; less is firmer.
fn firmness(basis: Basis) -> u8 {
    match basis.name() {
        "unknown" => 5,
        "port-heuristic" => 4,
        "port-role" => 3,
        "icmp-quote" | "first-packet" | "media" => 2,
        "syn-ack" => 1,
        _ => 0,
    }
}

/// What is wrong with what is said of a flow in the part of a capture, if anything: `before` is
/// what is said of it in the whole.
pub fn objection(lacks: &[Lack], before: &JudgedFlow, after: &JudgedFlow) -> Option<&'static str> {
    let (was, is) = (&before.judgement, &after.judgement);
    let same = (was.verdict, was.reason, was.strength, &was.rows)
        == (is.verdict, is.reason, is.strength, &is.rows);
    if !same && !is_weaker(lacks, before, after) {
        return Some("the verdict");
    }
    if was.state != is.state && !state_may_become(lacks, was.state, is.state) {
        return Some("the state");
    }
    if firmness(is.basis) < firmness(was.basis) {
        return Some("the basis of the direction");
    }
    let turned = was.initiator != is.initiator;
    let matters = !matches!(is.verdict, Verdict::OutOfScope | Verdict::Infrastructure);
    if turned && matters && is.basis != Basis::Unknown && !is_leg_of_media(before, after) {
        return Some("the initiator");
    }
    None
}

/// The verdicts that may differ.
fn is_weaker(lacks: &[Lack], before: &JudgedFlow, after: &JudgedFlow) -> bool {
    let (was, is) = (&before.judgement, &after.judgement);
    let guessed = matches!(is.basis, Basis::PortHeuristic | Basis::Unknown);
    let misses = |missing: Missing| is.missing.contains(&missing);
    let cut = lacks.contains(&Lack::Bytes);
    let proved = |judgement: &Judgement| judgement.spoken.is_some_and(Spoken::is_proved);
    let less_spoken = !lacks.is_empty() && proved(was) && !proved(is);
    let fewer = !lacks.is_empty() && names_interface(before) && !names_interface(after);
    match (was.verdict, is.verdict) {
        // Who asked is not known, and it matters.
        (_, Verdict::NotAssessable) => (guessed && misses(Missing::Direction)) || cut || fewer,
        // A direction that was guessed is held against nobody.
        (Verdict::Violation, Verdict::Violation) => {
            let reasons = (was.reason, is.reason);
            let turned = (Some(Reason::WrongDirection), Some(Reason::UndocumentedService));
            // Rows for some interfaces alone may be meant, or may not.
            let other_transport = (Some(Reason::PortOutsideRange), Some(Reason::WrongTransport));
            (guessed && reasons == turned)
                || less_spoken && by_content(was.reason) && !by_content(is.reason)
                || is_inner(was, is) && was.reason == is.reason
                || fewer && (was.reason == is.reason || reasons == other_transport)
        }
        // The payload that proved another protocol is not there: the port alone is documented.
        (Verdict::Violation, Verdict::Documented)
            if was.reason == Some(Reason::ProtocolMismatch) =>
        {
            less_spoken && is.strength.is_some_and(|one| one != Strength::Confirmed)
        }
        (Verdict::Violation, Verdict::Documented)
            if fewer && was.reason == Some(Reason::PortOutsideRange) =>
        {
            is.strength.is_some_and(|one| one != Strength::Confirmed)
        }
        (Verdict::Violation | Verdict::Documented, Verdict::Documented)
            if is_leg_of_media(before, after) =>
        {
            true
        }
        // What was spoken is not known, or not by which interface.
        (Verdict::Documented, Verdict::Documented) => {
            let less = matches!(
                (was.strength, is.strength),
                (Some(Strength::Confirmed), Some(Strength::PortOnly | Strength::Weak))
            );
            (less_spoken || fewer) && was.rows == is.rows && less
        }
        _ => false,
    }
}

/// Whether an interface of DCE/RPC was seen, which the bind names.
fn names_interface(flow: &JudgedFlow) -> bool {
    identity(&flow.record)
        .is_some_and(|one| one.details.iter().any(|fact| fact.name == dcerpc::INTERFACE))
}

/// Whether what a session carries is seen, and its begin is not.
fn is_inner(was: &Judgement, is: &Judgement) -> bool {
    let spoken = |judgement: &Judgement| judgement.spoken.map(|spoken| spoken.protocol);
    (spoken(was), spoken(is)) == (Some(Protocol::Nbss), Some(Protocol::Smb))
}

/// Whether a reason rests on what is spoken.
fn by_content(reason: Option<Reason>) -> bool {
    matches!(reason, Some(Reason::ProtocolMismatch | Reason::PortOutsideRange))
}

/// Each direction of media is judged by its own port. The other one was not captured.
fn is_leg_of_media(before: &JudgedFlow, after: &JudgedFlow) -> bool {
    let packets = |way| (before.record.half(way).packets, after.record.half(way).packets);
    let lost = [Direction::AToB, Direction::BToA].map(packets);
    lost.iter().any(|(before, after)| *before > 0 && *after == 0)
        && after.judgement.basis == Basis::FirstPacket
}

#[test]
fn the_rules_allow_less_and_never_more() {
    for (lacks, before, after, allowed) in [
        (&[Lack::Direction][..], Established, HalfSeen, true),
        (&[Lack::Direction], Established, Unanswered, false),
        (&[Lack::Direction], HalfSeen, Established, false),
        (&[Lack::Begin], Established, Unanswered, false),
        (&[Lack::End], Established, Unanswered, true),
        (&[Lack::End], OneWay, Established, false),
        (&[Lack::Begin, Lack::End], Established, OneWay, true),
        (&[Lack::Begin, Lack::End], Unanswered, Refused, false),
        (&[], Established, Established, true),
        (&[], Established, OneWay, false),
    ] {
        assert_eq!(
            state_may_become(lacks, before, after),
            allowed,
            "{lacks:?}: {before:?}, {after:?}"
        );
    }
}
