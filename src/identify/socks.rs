//! SOCKS version 5 (RFC 1928) and version 4.
//!
//! A version 5 client sends its methods, `05` count methods, and, chosen one, a request, `05`
//! command `00` address; the server answers `05` method and `05` reply `00` address. A version 4
//! client sends `04` command, port, address and a zero-ended user; the server answers eight bytes,
//! `00` and 5A to 5D. Each message is a few bytes: only both ends together, or greeting and request
//! of one, say enough.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, candidate, read_both};
use super::{Answer, Carriage, End, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Socks,
    carriage: &[Carriage::Tcp],
    candidate: |piece| candidate(piece, look),
    recognise,
};

/// Longest user of version 4.
const LONGEST_USER: usize = 255;

/// What a message can be. The first bytes of greeting, choice, request and reply overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `05` count methods, no two of them equal.
    Greeting,
    /// A request or reply of version 5: a code, and an address of the right length.
    Address,
    /// A request of version 4.
    OldRequest,
    /// A reply of version 4.
    OldReply,
}

fn look(bytes: &[u8]) -> Look<Kind> {
    match bytes {
        [] | [0x05] | [0x05, _] => Look::Open,
        [0x05, 0..=9, 0x00, form, ..] if matches!(form, 1 | 3 | 4) => address(bytes),
        [0x05, 1..=9, ..] => greeting(bytes),
        [0x04, 1 | 2, ..] => old_request(bytes),
        [0x04] => Look::Open,
        [0x00, 0x5a..=0x5d, ..] => {
            let fits = Look::Fits { length: 8, what: Kind::OldReply };
            if bytes.len() < 8 { Look::Open } else { fits }
        }
        [0x00] => Look::Open,
        _ => Look::Differs,
    }
}

/// A greeting; its methods are those of the IANA registry, none twice.
fn greeting(bytes: &[u8]) -> Look<Kind> {
    let count = usize::from(bytes.get(1).copied().unwrap_or(0));
    let Some(methods) = bytes.get(2..2 + count) else { return Look::Open };
    let known = |method: &u8| *method < 0x0a || *method >= 0x80;
    let twice =
        (1..methods.len()).any(|at| methods.get(..at).unwrap_or(&[]).contains(&methods[at]));
    if twice || !methods.iter().all(known) {
        return Look::Differs;
    }
    Look::Fits { length: 2 + count, what: Kind::Greeting }
}

/// A request or reply of version 5.
fn address(bytes: &[u8]) -> Look<Kind> {
    let length = match (bytes.get(3), bytes.get(4)) {
        (Some(1), _) => 4 + 4 + 2,
        (Some(4), _) => 4 + 16 + 2,
        (Some(3), Some(name)) => 5 + usize::from(*name) + 2,
        _ => return Look::Open,
    };
    if bytes.len() < length { Look::Open } else { Look::Fits { length, what: Kind::Address } }
}

/// A request of version 4: a port other than 0, an address, a user of printable letters. An address
/// `0.0.0.x` is followed by a name.
fn old_request(bytes: &[u8]) -> Look<Kind> {
    let Some(fixed) = bytes.get(..8) else { return Look::Open };
    let text = |from: usize| {
        let text = bytes.get(from..).unwrap_or_default();
        let end = text.iter().take(LONGEST_USER).position(|byte| *byte == 0);
        let printable = |text: &[u8]| text.iter().all(|byte| (0x20..0x7f).contains(byte));
        match end {
            Some(at) if text.get(..at).is_some_and(printable) => Ok(Some(from + at + 1)),
            None if text.len() < LONGEST_USER && printable(text) => Ok(None),
            _ => Err(()),
        }
    };
    let named = matches!(fixed, [.., 0, 0, 0, last] if *last != 0);
    let end = match text(8) {
        Ok(Some(end)) if named => text(end),
        end => end,
    };
    match (fixed, end) {
        ([_, _, 0, 0, ..], _) | (_, Err(())) => Look::Differs,
        (_, Ok(None)) => Look::Open,
        (_, Ok(Some(length))) => Look::Fits { length, what: Kind::OldRequest },
    }
}

/// What one end sent, in order, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    greeting: bool,
    /// A request or reply behind the greeting.
    address: bool,
    old_request: bool,
    old_reply: bool,
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut sent = [Sent::default(); 2];
    let visit = |message: Message<'_, Kind>| {
        let [a, b] = &mut sent;
        let sent = if message.end == End::A { a } else { b };
        match message.what {
            Kind::Greeting => sent.greeting = true,
            Kind::Address => sent.address |= sent.greeting,
            Kind::OldRequest => sent.old_request = true,
            Kind::OldReply => sent.old_reply = true,
        }
    };
    let mut sides = read_both(evidence, look as Looker<'_, Kind>, |_| Role::Either, visit);
    let [a, b] = sent;
    let chosen = |end: End| {
        let first = evidence.sent_by(end).first();
        first.is_some_and(|piece| matches!(piece.bytes, [0x05, 0x00..=0x09 | 0xff, ..]))
    };
    let server = |end: End, sent: Sent| sent.old_reply || chosen(end);
    let fits = |client: Sent, end: End, sent: Sent| match client {
        Sent { old_request: true, .. } => sent.old_reply,
        Sent { greeting: true, address: true, .. } => server(end, sent),
        _ => false,
    };
    let (client, grade) = match (fits(a, End::B, b), fits(b, End::A, a)) {
        (true, _) => (Some(End::A), Some(Grade::Confirmed)),
        (_, true) => (Some(End::B), Some(Grade::Confirmed)),
        _ if a.address && b.address => (None, Some(Grade::Strong)),
        _ => (None, None),
    };
    sides.client = client;
    sides.answer_graded(Protocol::Socks, grade, Details::default())
}
