//! Inter-Asterisk exchange, version 2 (RFC 5456 section 8).
//!
//! Layout of a full frame (big-endian): 0 bit 1, call of the sender 15 bits · 2 retransmission bit,
//! call of the receiver · 4 time · 8 number sent · 9 number expected · 10 kind 1 to 12 · 11 subclass.
//! Control frames (kind 6) go on with elements: type, length, value. A call opens with NEW (1),
//! which must carry the version, `0B 02 00 02`; other openings are REGREQ (13) and POKE (30). Strong:
//! elements that fill a control frame with a known element among them. Short frames for media (first
//! bit 0) are neutral.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of IAX2.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Iax2,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Iax2, read).detailed(details);

const HEADER: usize = 12;

const CONTROL: u8 = 6;
const NEW: u8 = 1;
const REGISTER: u8 = 13;
const POKE: u8 = 30;

const USER_NAME: u8 = 6;
const VERSION: u8 = 11;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let fields = (|| {
        let (sender, receiver) = (cursor.u16_be()?, cursor.u16_be()?);
        cursor.skip(6)?;
        Some((sender, receiver, cursor.u8()?, cursor.u8()?))
    })();
    let Some((sender, receiver, kind, subclass)) = fields else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    if sender & 0x8000 == 0 {
        return Reading::OPEN;
    }
    if !(1..=12).contains(&kind) || message.wire < HEADER {
        return Reading::NO;
    }
    let (own, other) = (u64::from(sender & 0x7FFF), u64::from(receiver & 0x7FFF));
    if kind != CONTROL {
        return if message.wire <= 1500 { Reading::OPEN } else { Reading::NO };
    }
    let opens = matches!(subclass, NEW | REGISTER | POKE) && other == 0;
    match elements(message) {
        None => Reading::NO,
        Some(true) => {
            let role = if opens { Role::Client } else { Role::Any };
            Reading::strong(message.bytes.len()).from(role)
        }
        Some(false) if opens => Reading::weak(HEADER).from(Role::Client).in_exchange(own),
        Some(false) if subclass <= 40 && message.wire == HEADER => {
            Reading::weak(HEADER).in_exchange(other)
        }
        Some(false) => Reading::OPEN,
    }
}

/// Whether an element of known size is among the elements; `None` when they do not add up.
fn elements(message: Message<'_>) -> Option<bool> {
    let mut cursor = Cursor::new(message.bytes);
    cursor.skip(HEADER)?;
    let mut sized = false;
    while cursor.position() < message.wire {
        let (Some(kind), Some(length)) = (cursor.u8(), cursor.u8()) else {
            return message.is_cut().then_some(sized);
        };
        let known = match (kind, length) {
            (VERSION, 2) => Some(true),
            (VERSION, _) => return None,
            (8 | 9 | 31, 4) | (19, 2) => Some(true),
            (8 | 9 | 31, _) => return None,
            _ => None,
        };
        sized |= known == Some(true);
        if kind == 0 || kind > 56 || cursor.skip(length.into()).is_none() {
            return message.is_cut().then_some(sized);
        }
    }
    Some(sized)
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut cursor = Cursor::new(message.bytes.get(HEADER..).unwrap_or_default());
    while let (Some(kind), Some(length)) = (cursor.u8(), cursor.u8()) {
        let Some(value) = cursor.take(length.into()) else { return };
        if kind == USER_NAME {
            details.add_text("user-name", value);
        }
    }
}
