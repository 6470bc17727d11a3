//! Control and provisioning of wireless access points (RFC 5415 section 4).
//!
//! Layout (big-endian): 0 version 4 bits 0, type 4 bits: 0 clear, 1 DTLS · 1 length of the header in
//! words 5 bits, radio 5, binding 5, flags 9, of which the last 3 are reserved · 4 fragment · 6
//! offset 13 bits, reserved 3 · optional address and radio data. A control message goes on with:
//! type, 32 bits, whose upper 24 are an enterprise · sequence · length of what follows it, with two
//! bytes of flags · flags · elements: type, length, value. Over DTLS four bytes, 01 and zeros, stand
//! before each record. Strong: a control message whose elements add up, or a record of DTLS.

use super::Recogniser;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of CAPWAP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Capwap,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Capwap, read).sharing();

/// Bytes of the shortest header, and of the header of a control message behind it.
const HEADER: usize = 8;
const CONTROL: usize = 8;

/// Control messages of the base protocol.
const MESSAGES: u32 = 26;

fn read(message: Message<'_>) -> Reading {
    match message.bytes {
        [0x01, 0, 0, 0, record @ ..] => read_secured(record, message),
        [0x01] | [0x01, 0] | [0x01, 0, 0] if message.is_cut() => Reading::OPEN,
        [0x00, ..] => read_clear(message),
        [] if message.is_cut() => Reading::OPEN,
        _ => Reading::NO,
    }
}

/// A record of DTLS behind the four bytes.
fn read_secured(record: &[u8], message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(record);
    let fields = (|| {
        let (kind, version) = (cursor.u8()?, cursor.u16_be()?);
        cursor.skip(8)?;
        Some((kind, version, usize::from(cursor.u16_be()?)))
    })();
    let Some((kind, version, length)) = fields else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let legal = matches!(kind, 0x14..=0x17) && matches!(version, 0xFEFF | 0xFEFD);
    if legal && 4 + 13 + length <= message.wire { Reading::strong(17) } else { Reading::NO }
}

fn read_clear(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let Some(head) = cursor.u32_be() else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let length = (head >> 19 & 0x1F) as usize * 4;
    // A longer header holds an address or radio data, and flags say so.
    let extended = head & 0x30 != 0;
    let legal = length >= HEADER && head & 0x07 == 0 && extended == (length > HEADER);
    if !legal || message.wire < length {
        return Reading::NO;
    }
    let fragment = head & 0x80 != 0;
    let control = (|| {
        let place = cursor.u32_be()?;
        if !fragment && place != 0 {
            return Some((0, 0, 0));
        }
        cursor.skip(length - HEADER)?;
        let kind = cursor.u32_be()?;
        let sequence = cursor.u8()?;
        Some((kind, sequence, usize::from(cursor.u16_be()?)))
    })();
    let Some((kind, sequence, elements)) = control else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let known = (1..=MESSAGES).contains(&kind);
    if !known || fragment {
        // Frames of clients travel in the same header, with nothing in it to know them by.
        return Reading::OPEN;
    }
    // By the standard the length counts itself, the flags and the elements; some implementations
    // leave out one or both of the former.
    let start = length + CONTROL;
    let whole = [0, 1, 3].iter().any(|counted| message.wire + counted == start + elements);
    if !whole || message.wire <= start || !elements_fit(message, start) {
        return Reading::NO;
    }
    let role = if kind % 2 == 1 { Role::Client } else { Role::Server };
    let exchange = u64::from(kind.next_multiple_of(2)) << 8 | u64::from(sequence);
    Reading::strong(start).from(role).in_exchange(exchange)
}

/// Whether elements of known kinds fill the message.
fn elements_fit(message: Message<'_>, start: usize) -> bool {
    let mut at = start;
    while at < message.wire {
        let mut cursor = Cursor::new(message.bytes.get(at..).unwrap_or_default());
        let (Some(kind), Some(length)) = (cursor.u16_be(), cursor.u16_be()) else {
            return message.is_cut();
        };
        if !matches!(kind, 1..=60 | 1024..=2047) {
            return false;
        }
        at += 4 + usize::from(length);
    }
    at == message.wire
}
