//! GPRS tunnelling protocol (3GPP TS 29.060 section 6, TS 29.281 section 5, TS 29.274 section 5).
//!
//! Layout (big-endian): 0 version 3 bits; version 1: 1 bit 1, reserved 0, flags E, S, PN; version 2:
//! flags P, T and reserved · 1 type · 2 length of what follows byte 4 (version 2: and the same) · 4
//! tunnel (version 2: with T) · sequence. Strong: a length that fits and a known type, a user packet
//! (type FF) that starts like IP, or information elements that fill a message of version 2.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of GTP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Gtp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Gtp, read).detailed(details);

/// Bytes of the shortest header of version 1, and the ones that flags add.
const HEADER: usize = 8;
const OPTIONAL: usize = 4;

const ECHO_REQUEST: u8 = 1;
const ECHO_RESPONSE: u8 = 2;
const USER_PACKET: u8 = 0xFF;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let (Some(flags), Some(kind), Some(length)) = (cursor.u8(), cursor.u8(), cursor.u16_be())
    else {
        let could = message.bytes.first().is_none_or(|flags| matches!(flags >> 4, 3..=5));
        return if message.is_cut() && could { Reading::OPEN } else { Reading::NO };
    };
    let length = usize::from(length);
    match flags >> 5 {
        1 if flags & 0x18 == 0x10 && length + HEADER == message.wire => {
            read_version_1(message, flags, kind)
        }
        2 if flags & 0x07 == 0 && length + 4 == message.wire => {
            read_version_2(message, flags, kind)
        }
        _ => Reading::NO,
    }
}

fn read_version_1(message: Message<'_>, flags: u8, kind: u8) -> Reading {
    let payload = if flags & 0x07 == 0 { HEADER } else { HEADER + OPTIONAL };
    match kind {
        USER_PACKET => match message.bytes.get(payload) {
            None if message.is_cut() => Reading::weak(4),
            Some(first) if matches!(first >> 4, 4 | 6) && inner_fits(message, payload) => {
                Reading::strong(payload + 6)
            }
            // An extension header or no IP at all.
            Some(_) => Reading::weak(4),
            None => Reading::NO,
        },
        ECHO_REQUEST => Reading::weak(HEADER).from(Role::Client).in_exchange(sequence(message)),
        ECHO_RESPONSE => Reading::weak(HEADER).from(Role::Server).in_exchange(sequence(message)),
        // Requests and answers of the control plane, which always carry a sequence number.
        16..=60 | 96..=105 | 112..=122 | 26 if flags & 0x02 != 0 => Reading::weak(HEADER),
        254 => Reading::weak(HEADER),
        _ => Reading::NO,
    }
}

fn sequence(message: Message<'_>) -> u64 {
    let mut cursor = Cursor::new(message.bytes);
    cursor.skip(HEADER).and_then(|()| cursor.u16_be()).unwrap_or(0).into()
}

/// Whether the length in the IP header at `at` is what the datagram holds.
fn inner_fits(message: Message<'_>, at: usize) -> bool {
    let left = message.wire.saturating_sub(at);
    let mut cursor = Cursor::new(message.bytes.get(at..).unwrap_or_default());
    match cursor.u8().map(|first| first >> 4) {
        Some(4) => cursor.skip(1).and_then(|()| cursor.u16_be()).map(usize::from) == Some(left),
        Some(6) => {
            let payload = cursor.skip(3).and_then(|()| cursor.u16_be()).map(usize::from);
            payload.map(|payload| payload + 40) == Some(left)
        }
        _ => false,
    }
}

/// Version 2: the elements behind the header are type, length, instance and value.
fn read_version_2(message: Message<'_>, flags: u8, kind: u8) -> Reading {
    let header = if flags & 0x08 != 0 { 12 } else { 8 };
    let known = matches!(kind, 1..=3 | 25..=40 | 64..=73 | 95..=104 | 128..=200);
    let piggybacked = flags & 0x10 != 0;
    let spare = message.bytes.get(header - 1).is_some_and(|spare| *spare != 0);
    if !known || piggybacked || spare || message.wire < header {
        return Reading::NO;
    }
    let mut at = header;
    while at < message.wire {
        let mut cursor = Cursor::new(message.bytes.get(at..).unwrap_or_default());
        let Some(length) = cursor.skip(1).and_then(|()| cursor.u16_be()) else {
            return if message.is_cut() { Reading::strong(header) } else { Reading::NO };
        };
        if cursor.u8().is_some_and(|instance| instance & 0xF0 != 0) {
            return Reading::NO;
        }
        at += 4 + usize::from(length);
    }
    match at == message.wire {
        true if at > header => Reading::strong(header),
        true => Reading::weak(header),
        false => Reading::NO,
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(flags) = message.bytes.first() {
        details.add("version", (flags >> 5).to_string());
    }
}
