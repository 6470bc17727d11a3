//! MySQL and MariaDB, client and server protocol, version 10 of its handshake (MySQL internals
//! manual, "Protocol::HandshakeV10" and "Protocol::HandshakeResponse41").
//!
//! A packet has three bytes of length, little-endian, and a sequence number. The server speaks
//! first: sequence 0, `0A`, its version as zero-ended text, four bytes of connection identifier,
//! eight of salt, a zero. The client answers with sequence 1: capabilities, packet size, character
//! set, 23 zeros; or asks for TLS with the first 32 of these bytes.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::MySql, carriage: &[Carriage::Tcp], recognise };

/// Detail: the version that the server states.
pub const VERSION: &str = "version";

/// Bytes of the packet header.
const HEADER: usize = 4;
/// Longest version text.
const LONGEST_VERSION: usize = 64;

fn look(bytes: &[u8]) -> Look<Role> {
    let mut cursor = Cursor::new(bytes);
    let Some([low, middle, high]) = cursor.array::<3>() else { return Look::Open };
    let length = usize::from(u16::from_le_bytes([low, middle]));
    let fits = match cursor.u8() {
        _ if high != 0 => Some(false),
        None => None,
        Some(0) => greeting(cursor.rest(), length),
        Some(1 | 2) => response(cursor.rest(), length),
        Some(_) => Some(false),
    };
    let role = if bytes.get(3) == Some(&0) { Role::Server } else { Role::Client };
    match fits {
        None => Look::Open,
        Some(false) => Look::Differs,
        Some(true) => Look::Fits { length: HEADER + length, what: role },
    }
}

/// The server's greeting; `None` when its bytes end before it is sure.
fn greeting(body: &[u8], length: usize) -> Option<bool> {
    const BEHIND_VERSION: usize = 4 + 8 + 1;
    let (version, rest) = match body.split_first() {
        None => return None,
        Some((0x0a, rest)) => (version(rest), rest),
        Some(_) => return Some(false),
    };
    match version {
        None if rest.len() < LONGEST_VERSION => None,
        None | Some([]) => Some(false),
        Some(text) => {
            let end = text.len() + BEHIND_VERSION;
            let filler = rest.get(end).map(|byte| *byte == 0);
            let text = text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
                && text.first().is_some_and(u8::is_ascii_digit)
                && text.contains(&b'.');
            if text && length > end + 1 { filler } else { Some(false) }
        }
    }
}

/// The text up to its zero.
fn version(rest: &[u8]) -> Option<&[u8]> {
    let end = rest.iter().take(LONGEST_VERSION).position(|byte| *byte == 0)?;
    rest.get(..end)
}

/// The client's answer, or its request for TLS; `None` when its bytes end before it is sure.
fn response(body: &[u8], length: usize) -> Option<bool> {
    const FIXED: usize = 32;
    const PROTOCOL_41: u32 = 0x0200;
    if length < FIXED {
        return Some(false);
    }
    let mut cursor = Cursor::new(body);
    let capabilities = cursor.u32_le()?;
    cursor.skip(5)?;
    // MariaDB keeps four bytes of its own capabilities at the end of the filler.
    let filler = cursor.take(19)?;
    Some(capabilities & PROTOCOL_41 != 0 && filler.iter().all(|byte| *byte == 0))
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let visit = |message: Message<'_, Role>| {
        if message.what == Role::Server {
            let text = message.bytes.get(HEADER + 1..).and_then(version);
            details.add_text(VERSION, text.unwrap_or_default());
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Role>, |role| *role, visit);
    sides.answer(Protocol::MySql, Grade::Strong, details)
}
