//! PostgreSQL, frontend and backend protocol 3 (PostgreSQL documentation, chapter "Message
//! Formats").
//!
//! A client begins without a type byte: length, then a code: `00 03 00 00` and parameters as pairs
//! of zero-ended texts, or a request for encryption or cancellation, `04 D2 16 xx`. Every later
//! message, of both ends, is a type byte and a length that counts itself. Server and client agree
//! on TLS by a single letter, after which the stream is TLS and stays PostgreSQL.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Postgres, carriage: &[Carriage::Tcp], recognise };

/// Most bytes of a message that is believed.
const LONGEST: usize = 1 << 24;
/// Longest beginning of a connection.
const LONGEST_STARTUP: usize = 10_000;

/// How many messages must chain where the beginning of the connection was not seen.
const CHAINED: u32 = 5;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    role: Role,
    /// Whether it is the beginning of a connection, which has enough form of its own.
    startup: bool,
}

fn look(bytes: &[u8]) -> Look<Kind> {
    match bytes.first() {
        None => Look::Open,
        Some(0) => startup(bytes),
        Some(kind) => typed(*kind, bytes),
    }
}

/// The beginning of a connection.
fn startup(bytes: &[u8]) -> Look<Kind> {
    let mut cursor = Cursor::new(bytes);
    let length = cursor.u32_be().and_then(|length| usize::try_from(length).ok());
    let Some(length) = length else {
        return if bytes.iter().take(2).all(|byte| *byte == 0) {
            Look::Open
        } else {
            Look::Differs
        };
    };
    let fits = match cursor.u32_be() {
        _ if !(8..=LONGEST_STARTUP).contains(&length) => Some(false),
        None => None,
        // Encryption by TLS or GSS, cancellation.
        Some(80_877_103 | 80_877_104) => Some(length == 8),
        Some(80_877_102) => Some(length == 16),
        Some(version) if version >> 16 == 3 && version & 0xffff < 16 => {
            parameters(cursor.rest(), length - 8)
        }
        Some(_) => Some(false),
    };
    match fits {
        None => Look::Open,
        Some(false) => Look::Differs,
        Some(true) => Look::Fits { length, what: Kind { role: Role::Client, startup: true } },
    }
}

/// Whether parameters are names of letters and underscores, among them `user`, closed by a zero.
fn parameters(bytes: &[u8], length: usize) -> Option<bool> {
    let whole = bytes.len() >= length;
    let bytes = bytes.get(..length).unwrap_or(bytes);
    if whole && !bytes.ends_with(&[0, 0]) {
        return Some(false);
    }
    let mut user = false;
    for (index, text) in bytes.split(|byte| *byte == 0).enumerate() {
        let name = index % 2 == 0;
        let valid = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if name && !text.iter().all(valid) {
            return Some(false);
        }
        user |= name && text == b"user";
    }
    if user || whole { Some(user) } else { None }
}

/// A message with a type.
fn typed(kind: u8, bytes: &[u8]) -> Look<Kind> {
    let role = match kind {
        b'R' | b'K' | b'Z' | b'T' | b'I' | b'N' | b'A' | b'G' | b'V' | b'W' | b'1' | b'2'
        | b'3' | b'n' | b's' | b't' | b'v' => Role::Server,
        b'B' | b'F' | b'f' | b'P' | b'Q' | b'X' | b'p' => Role::Client,
        b'C' | b'D' | b'E' | b'H' | b'S' | b'c' | b'd' => Role::Either,
        _ => return Look::Differs,
    };
    let mut cursor = Cursor::new(bytes);
    let length = cursor.skip(1).and_then(|()| cursor.u32_be());
    match length.map(usize::try_from) {
        None => Look::Open,
        Some(Ok(length)) if (4..=LONGEST).contains(&length) && agrees(kind, length) => {
            Look::Fits { length: 1 + length, what: Kind { role, startup: false } }
        }
        Some(_) => Look::Differs,
    }
}

/// Whether the length is one that the type allows, where it is fixed.
fn agrees(kind: u8, length: usize) -> bool {
    match kind {
        b'Z' => length == 5,
        b'I' | b'X' | b'1' | b'2' | b'3' | b'n' | b's' | b'c' => length == 4,
        b'R' => (8..=4096).contains(&length),
        b'K' => (12..=264).contains(&length),
        b'Q' | b'T' | b't' | b'C' => length > 4,
        _ => true,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut single = Grade::Weak;
    let visit = |message: Message<'_, Kind>| {
        if message.what.startup {
            single = Grade::Strong;
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Kind>, |kind| kind.role, visit);
    let grade = match (single, sides.a.links.max(sides.b.links)) {
        // Five bytes of header, three of them mostly zero, say little.
        (Grade::Weak, links) if links < CHAINED => sides.grade(single).map(|_| single),
        (Grade::Weak, _) => Some(Grade::Strong),
        _ => sides.grade(single),
    };
    sides.answer_graded(Protocol::Postgres, grade, Details::default())
}
