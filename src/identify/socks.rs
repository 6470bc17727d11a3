//! SOCKS version 5 (RFC 1928, RFC 1929) and version 4.
//!
//! A version 5 client sends its methods, `05` count methods, perhaps a user and a password, `01`
//! and two counted texts, and a request, `05` command `00` address. The server answers `05` method,
//! perhaps `01` status, and `05` reply `00` address. A version 4 client sends `04` command, port,
//! address and a zero-ended user; the server answers eight bytes, `00` and 5A to 5D.
//!
//! Each message is a few bytes and looks like others by itself, so the ends are read from the start
//! of their streams, in this order.

use super::details::Details;
use super::messages::{Side, Sides};
use super::{Answer, Carriage, End, Evidence, Grade, Proof, Protocol, Recogniser, Start};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Socks, carriage: &[Carriage::Tcp], recognise };

/// Longest user of version 4.
const LONGEST_USER: usize = 255;

/// How far an end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It began with something else.
    Foreign,
    /// What is there fits.
    Open,
    /// The methods were offered, or one was chosen.
    Begun,
    /// A request or reply with its address.
    Complete,
}

/// The stage of a client.
fn client(bytes: &[u8]) -> Stage {
    let mut cursor = Cursor::new(bytes);
    match cursor.u8() {
        None => Stage::Open,
        Some(4) => old_request(&mut cursor),
        Some(5) => match methods(&mut cursor) {
            Stage::Begun => {
                if cursor.rest().first() == Some(&1) && user(&mut cursor).is_none() {
                    return Stage::Begun;
                }
                address(&mut cursor, 1..=3)
            }
            stage => stage,
        },
        Some(_) => Stage::Foreign,
    }
}

/// The stage of a server.
fn server(bytes: &[u8]) -> Stage {
    let mut cursor = Cursor::new(bytes);
    match (cursor.u8(), cursor.u8()) {
        (None, _) | (Some(0 | 5), None) => Stage::Open,
        (Some(0), Some(0x5a..=0x5d)) if bytes.len() >= 8 => Stage::Begun,
        (Some(0), Some(0x5a..=0x5d)) => Stage::Open,
        (Some(5), Some(0..=9)) => {
            if cursor.rest().first() == Some(&1) {
                let _ = cursor.skip(2);
            }
            address(&mut cursor, 0..=8)
        }
        (Some(5), Some(0xff)) => Stage::Begun,
        _ => Stage::Foreign,
    }
}

/// Methods offered: those of the IANA registry, none twice.
fn methods(cursor: &mut Cursor<'_>) -> Stage {
    let Some(count) = cursor.u8() else { return Stage::Open };
    let Some(methods) = cursor.take(count.into()) else { return Stage::Open };
    let known = methods.iter().all(|method| *method < 0x0a || *method >= 0x80);
    let sorted = methods.is_sorted_by(|a, b| a < b) || methods.len() == 2 && !methods.is_sorted();
    if known && sorted && count > 0 { Stage::Begun } else { Stage::Foreign }
}

/// Steps over a user and a password.
fn user(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.skip(1)?;
    for _ in 0..2 {
        let length = cursor.u8()?.into();
        cursor.skip(length)?;
    }
    Some(())
}

/// A request or reply of version 5 behind what came before.
fn address(cursor: &mut Cursor<'_>, codes: std::ops::RangeInclusive<u8>) -> Stage {
    let mut fields = || Some((cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?));
    let length = match fields() {
        None => return Stage::Begun,
        Some((5, code, 0, 1)) if codes.contains(&code) => 4,
        Some((5, code, 0, 4)) if codes.contains(&code) => 16,
        Some((5, code, 0, 3)) if codes.contains(&code) => match cursor.u8() {
            None => return Stage::Begun,
            Some(length) => length.into(),
        },
        Some(_) => return Stage::Foreign,
    };
    if cursor.skip(length + 2).is_some() { Stage::Complete } else { Stage::Begun }
}

/// A request of version 4: a port other than 0, an address, a user of printable letters. An address
/// `0.0.0.x` is followed by a name.
fn old_request(cursor: &mut Cursor<'_>) -> Stage {
    let mut fields = || Some((cursor.u8()?, cursor.u16_be()?, cursor.array::<4>()?));
    let (command, port, address) = match fields() {
        None if matches!(cursor.rest().first(), None | Some(1 | 2)) => return Stage::Open,
        None => return Stage::Foreign,
        Some(fields) => fields,
    };
    if !matches!(command, 1 | 2) || port == 0 || address == [0; 4] {
        return Stage::Foreign;
    }
    let named = matches!(address, [0, 0, 0, last] if last != 0);
    let begin = cursor.position();
    for _ in 0..1 + u8::from(named) {
        match text(cursor) {
            Stage::Complete => {}
            stage => return stage,
        }
    }
    // Without a user or name nothing but a few small numbers was sent.
    if cursor.position() > begin + 1 { Stage::Complete } else { Stage::Begun }
}

/// A zero-ended text.
fn text(cursor: &mut Cursor<'_>) -> Stage {
    let rest = cursor.rest();
    let end = rest.iter().take(LONGEST_USER).position(|byte| *byte == 0);
    let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    let printable = text.len() < LONGEST_USER && text.iter().all(|b| (0x20..0x7f).contains(b));
    match end {
        _ if !printable => Stage::Foreign,
        None => Stage::Open,
        Some(end) => {
            let _ = cursor.skip(end + 1);
            Stage::Complete
        }
    }
}

/// What one end sent from the start of its stream.
fn stream<'a>(evidence: &Evidence<'a>, end: End) -> Option<&'a [u8]> {
    let first = evidence.sent_by(end).first()?;
    (first.start == Start::Message).then_some(first.bytes)
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let [a, b] = [End::A, End::B].map(|end| stream(evidence, end));
    let as_client = |bytes: Option<&[u8]>| bytes.map_or(Stage::Open, client);
    let as_server = |bytes: Option<&[u8]>| bytes.map_or(Stage::Open, server);
    let graded = |client, server| {
        let same = version(client, 4) == version(server, 0) && version(client, 4).is_some();
        let silent = server.is_none_or(<[u8]>::is_empty);
        graded(as_client(client), as_server(server)).filter(|_| same || silent)
    };
    let forwards = graded(a, b);
    let backwards = graded(b, a);
    let (grade, client) =
        if forwards >= backwards { (forwards, End::A) } else { (backwards, End::B) };
    let side = |end: End, bytes: Option<&[u8]>, foreign: bool| Side {
        proof: bytes.map(|bytes| Proof { end, piece: 0, offset: 0, length: bytes.len().min(32) }),
        differs: foreign,
        open: bytes.is_some_and(|_| !foreign),
        ..Side::default()
    };
    let foreign = |bytes| as_client(bytes).max(as_server(bytes)) == Stage::Foreign;
    let sides = Sides {
        a: side(End::A, a, foreign(a)),
        b: side(End::B, b, foreign(b)),
        client: Some(client),
        same_role: false,
    };
    sides.answer_graded(Protocol::Socks, grade, Details::default())
}

/// The version of a stream, by its first byte; `old` is the one that stands for version 4.
fn version(bytes: Option<&[u8]>, old: u8) -> Option<u8> {
    match bytes?.first()? {
        5 => Some(5),
        first if *first == old => Some(4),
        _ => None,
    }
}

fn graded(client: Stage, server: Stage) -> Option<Grade> {
    match (client, server) {
        (Stage::Foreign, _) | (_, Stage::Foreign) => None,
        (Stage::Complete, Stage::Begun | Stage::Complete) => Some(Grade::Confirmed),
        (Stage::Begun, Stage::Complete) => Some(Grade::Strong),
        (Stage::Begun, Stage::Begun) | (Stage::Complete, Stage::Open) => Some(Grade::Weak),
        _ => None,
    }
}
