//! Internet key exchange, versions 1 and 2 (RFC 2408 section 3.1, RFC 7296 section 3.1; on port
//! 4500 behind four zero bytes, RFC 3948 section 2.2).
//!
//! Layout (big-endian): 0 initiator's cookie, 8 bytes · 8 responder's · 16 next payload · 17 version
//! 10 or 20 · 18 exchange · 19 flags · 20 message · 24 length. Payloads in clear: next payload, flags,
//! length with this header. Strong: a legal header whose length is the datagram's. A lone FF keeps a
//! translation alive and is neutral.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of IKE.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Ike,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Ike, read).detailed(details).sharing();

const HEADER: usize = 28;

/// Four zero bytes where ESP has its security parameter index.
const MARKER: &[u8] = &[0, 0, 0, 0];

const VERSION_1: u8 = 0x10;
const VERSION_2: u8 = 0x20;

fn read(message: Message<'_>) -> Reading {
    if message.bytes == [0xFF] && message.wire == 1 {
        return Reading::OPEN;
    }
    match message.bytes.strip_prefix(MARKER) {
        Some(bytes) => {
            let inner = Message { bytes, wire: message.wire.saturating_sub(MARKER.len()) };
            let reading = read_header(inner);
            Reading { proof: reading.proof + MARKER.len(), ..reading }
        }
        None => read_header(message),
    }
}

fn read_header(message: Message<'_>) -> Reading {
    if message.wire < HEADER {
        return Reading::NO;
    }
    let mut cursor = Cursor::new(message.bytes);
    let fields = (|| {
        let (initiator, responder) = (cursor.array()?, cursor.array()?);
        let (next, version) = (cursor.u8()?, cursor.u8()?);
        let (exchange, flags) = (cursor.u8()?, cursor.u8()?);
        cursor.skip(4)?;
        let length = cursor.u32_be()?;
        let cookies = (u64::from_be_bytes(initiator), u64::from_be_bytes(responder));
        Some((cookies, next, version, exchange, flags, length))
    })();
    let Some(((initiator, responder), next, version, exchange, flags, length)) = fields else {
        return Reading::OPEN;
    };
    let legal = match version {
        VERSION_1 => {
            let known = next <= 13 || matches!(next, 20 | 21 | 128..=132);
            known && matches!(exchange, 1..=6 | 32 | 33) && flags & 0xF8 == 0
        }
        VERSION_2 => {
            let known = next == 0 || (33..=54).contains(&next);
            known && (34..=44).contains(&exchange) && flags & 0xC7 == 0
        }
        _ => false,
    };
    if !legal || initiator == 0 || length as usize != message.wire {
        return Reading::NO;
    }
    // Version 2 says with two flags who opened the association, and whether this is an answer.
    let role = match (version, flags & 0x28) {
        (VERSION_1, _) if responder == 0 => Role::Client,
        (VERSION_2, 0x08 | 0x20) => {
            if flags & 0x20 == 0 {
                Role::Client
            } else {
                Role::Server
            }
        }
        _ => Role::Any,
    };
    Reading::strong(HEADER).from(role).in_exchange(initiator)
}

fn details(message: Message<'_>, details: &mut Details) {
    let bytes = message.bytes.strip_prefix(MARKER).unwrap_or(message.bytes);
    match bytes.get(17) {
        Some(&VERSION_1) => details.add("version", "1"),
        Some(&VERSION_2) => details.add("version", "2"),
        _ => {}
    }
}
