//! Flow export: NetFlow versions 1, 5, 7 and 9 (RFC 3954) and IPFIX (RFC 7011 section 3).
//!
//! Layout (big-endian): 0 version · 2 records, or for IPFIX (version 10) the length of the message
//! · then uptime, seconds, and so on up to 16 (versions 1 and IPFIX), 20 (9) or 24 bytes (5, 7).
//! Versions 1, 5 and 7 go on with records of 52, 48 and 52 bytes; 9 and IPFIX with sets: identifier,
//! length with its header, contents. Strong: records or sets that fill the datagram.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of flow export.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Netflow,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Netflow, read).detailed(details);

const IPFIX: u16 = 10;

/// Seconds since 1970 that no export is older than: the year 1996, when NetFlow was made.
const EARLIEST: u32 = 820_454_400;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let (Some(version), Some(count)) = (cursor.u16_be(), cursor.u16_be()) else {
        let could = message.bytes.first().is_none_or(|first| *first == 0);
        return if message.is_cut() && could { Reading::OPEN } else { Reading::NO };
    };
    let count = usize::from(count);
    let fits = match version {
        1 => (1..=24).contains(&count) && message.wire == 16 + 52 * count,
        5 => (1..=30).contains(&count) && message.wire == 24 + 48 * count,
        7 => (1..=28).contains(&count) && message.wire == 24 + 52 * count,
        9 => count > 0 && sets(message, 20, 0),
        IPFIX => count == message.wire && sets(message, 16, 2),
        _ => false,
    };
    if !fits {
        return Reading::NO;
    }
    // IPFIX has no uptime before the time of export.
    let seconds = if version == IPFIX { Some(()) } else { cursor.skip(4) };
    match seconds.and_then(|()| cursor.u32_be()) {
        Some(seconds) if seconds < EARLIEST => Reading::weak(8),
        Some(_) => Reading::strong(cursor.position()).from(Role::Client),
        None => Reading::weak(message.bytes.len()),
    }
}

/// Whether sets fill the datagram: templates (`template` and the next number) and data (256 and
/// more). At most three bytes may pad the end.
fn sets(message: Message<'_>, header: usize, template: u16) -> bool {
    let mut at = header;
    while at + 4 <= message.wire {
        let mut cursor = Cursor::new(message.bytes.get(at..).unwrap_or_default());
        let (Some(kind), Some(length)) = (cursor.u16_be(), cursor.u16_be()) else {
            return message.is_cut();
        };
        let known = kind >= 256 || kind == template || kind == template + 1;
        if !known || length < 4 || at + usize::from(length) > message.wire {
            return false;
        }
        at += usize::from(length);
    }
    at > header && message.wire - at < 4
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(version) = Cursor::new(message.bytes).u16_be() {
        details.add("version", version.to_string());
    }
}
