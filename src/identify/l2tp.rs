//! Layer two tunnelling protocol, version 2 (RFC 2661 section 3.1).
//!
//! Layout (big-endian): 0 flags T 80, L 40, S 08, O 02, P 01, and version 2 in the last four bits of
//! byte 1 · length if L · tunnel · session · numbers sent and received if S · offset if O. A control
//! message has T, L and S set and goes on with attributes: flags 6 bits and length 10 · vendor · type
//! · value, the first of them the type of message, `80 08 00 00 00 00`. Strong: attributes that fill
//! a control message. Data and empty control messages are weak.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of L2TP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::L2tp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::L2tp, read).detailed(details);

const CONTROL_HEADER: usize = 12;
const CONTROL: u16 = 0xC802;

/// Bits that are not reserved, and where the version stands.
const RESERVED: u16 = 0x34F0;
const VERSION: u16 = 0x000F;

/// The attribute that says which message it is: mandatory, eight bytes, no vendor, type 0.
const MESSAGE_TYPE: [u8; 6] = [0x80, 0x08, 0, 0, 0, 0];

const HOST_NAME: u16 = 7;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let (Some(flags), Some(length)) = (cursor.u16_be(), cursor.u16_be()) else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    if flags & VERSION != 2 || flags & RESERVED != 0 {
        return Reading::NO;
    }
    if flags & 0x8000 != 0 {
        return read_control(message, flags, length.into());
    }
    let counted = flags & 0x4000 != 0;
    match counted {
        true if usize::from(length) == message.wire => Reading::weak(4),
        true => Reading::NO,
        false => Reading::OPEN,
    }
}

fn read_control(message: Message<'_>, flags: u16, length: usize) -> Reading {
    if flags != CONTROL || length != message.wire || length < CONTROL_HEADER {
        return Reading::NO;
    }
    if length == CONTROL_HEADER {
        return Reading::weak(CONTROL_HEADER);
    }
    let Some(kind) = message.bytes.get(CONTROL_HEADER..CONTROL_HEADER + 6) else {
        return if message.is_cut() { Reading::weak(4) } else { Reading::NO };
    };
    if kind != MESSAGE_TYPE || !attributes_fit(message) {
        return Reading::NO;
    }
    // Requests for a connection, and their answers.
    let role = match message.bytes.get(CONTROL_HEADER + 7) {
        Some(1) => Role::Client,
        Some(2) => Role::Server,
        _ => Role::Any,
    };
    Reading::strong(CONTROL_HEADER + 8).from(role)
}

fn attributes_fit(message: Message<'_>) -> bool {
    let mut at = CONTROL_HEADER;
    while at < message.wire {
        let Some(head) = message.bytes.get(at..).and_then(|bytes| Cursor::new(bytes).u16_be())
        else {
            return message.is_cut();
        };
        let length = usize::from(head & 0x03FF);
        if length < 6 || head & 0x3C00 != 0 {
            return false;
        }
        at += length;
    }
    at == message.wire
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut cursor = Cursor::new(message.bytes.get(CONTROL_HEADER..).unwrap_or_default());
    while let (Some(head), Some(vendor), Some(kind)) =
        (cursor.u16_be(), cursor.u16_be(), cursor.u16_be())
    {
        let length = usize::from(head & 0x03FF).saturating_sub(6);
        let Some(value) = cursor.take(length) else { return };
        if vendor == 0 && kind == HOST_NAME {
            details.add_text("host-name", value);
        }
    }
}
