//! Dynamic host configuration protocol for IPv6 (RFC 8415 sections 8, 9 and 21).
//!
//! Layout (big-endian): 0 type 1 to 11 · 1 transaction, 24 bits · 4 options; of a relay: 0 type 12
//! or 13 · 1 hops · 2 two addresses · 34 options. An option is code, length, value. Strong: options
//! that fill the message, a client or server identifier of a known kind among them, or a relayed
//! message.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of DHCPv6.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Dhcpv6,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Dhcpv6, read).detailed(details);

const HEADER: usize = 4;
const RELAY_HEADER: usize = 34;

const CLIENT_IDENTIFIER: u16 = 1;
const SERVER_IDENTIFIER: u16 = 2;
const RELAYED: u16 = 9;
const HOST_NAME: u16 = 39;

/// Highest option that is assigned.
const OPTIONS: u16 = 160;

fn read(message: Message<'_>) -> Reading {
    let Some(kind) = message.bytes.first() else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let (header, role) = match kind {
        1 | 3..=6 | 8 | 9 | 11 => (HEADER, Role::Client),
        2 | 7 | 10 => (HEADER, Role::Server),
        12 | 13 => (RELAY_HEADER, Role::Any),
        _ => return Reading::NO,
    };
    let exchange = message
        .bytes
        .get(1..HEADER)
        .map(|bytes| bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    let reading = match options(message, header) {
        None => return Reading::NO,
        Some(true) => Reading::strong(message.bytes.len()).from(role),
        Some(false) if message.is_cut() => return Reading::OPEN,
        Some(false) => Reading::weak(message.bytes.len()).from(role),
    };
    exchange.map_or(reading, |exchange| reading.in_exchange(exchange))
}

/// Whether an option that only DHCPv6 has stands among the options; `None` when they do not fit
/// the message.
fn options(message: Message<'_>, header: usize) -> Option<bool> {
    let mut proof = false;
    let mut cursor = Cursor::new(message.bytes);
    if cursor.skip(header).is_none() {
        return (message.wire > header && message.is_cut()).then_some(false);
    }
    while cursor.position() < message.wire {
        let (Some(code), Some(length)) = (cursor.u16_be(), cursor.u16_be()) else {
            return message.is_cut().then_some(proof);
        };
        let end = cursor.position() + usize::from(length);
        if !(1..=OPTIONS).contains(&code) || end > message.wire {
            return None;
        }
        let Some(value) = cursor.take(length.into()) else { return Some(proof) };
        match code {
            CLIENT_IDENTIFIER | SERVER_IDENTIFIER if is_identifier(value) => proof = true,
            CLIENT_IDENTIFIER | SERVER_IDENTIFIER => return None,
            RELAYED => proof |= header == RELAY_HEADER,
            _ => {}
        }
    }
    Some(proof)
}

/// Whether a unique identifier is of one of the four kinds (RFC 8415 section 11): with time and
/// link-layer address, by enterprise, with link-layer address, or random.
fn is_identifier(value: &[u8]) -> bool {
    match value {
        [0, 1, 0, 0..=40, rest @ ..] => rest.len() >= 4,
        [0, 2, rest @ ..] => rest.len() >= 5,
        [0, 3, 0, 0..=40, rest @ ..] => !rest.is_empty(),
        [0, 4, rest @ ..] => rest.len() == 16,
        _ => false,
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut cursor = Cursor::new(message.bytes.get(HEADER..).unwrap_or_default());
    while let (Some(code), Some(length)) = (cursor.u16_be(), cursor.u16_be()) {
        let Some(value) = cursor.take(length.into()) else { return };
        if code == HOST_NAME {
            details
                .add_text("host-name", &super::dns_message::dotted(value.get(1..).unwrap_or(&[])));
        }
    }
}
