//! NetBIOS datagram service (RFC 1002 section 4.4).
//!
//! Layout (big-endian): 0 type (10 direct unique, 11 direct group, 12 broadcast, 13 error, 14 to
//! 16 query) · 1 flags, low nibble only · 2 datagram identifier · 4 source address · 8 source port.
//! Types 10 to 12 go on with 10 length of what follows the header · 12 offset of a fragment · 14
//! two encoded names; an error with 10 its code, 82 to 84; a query with 10 one name. Strong: a
//! length that adds up and an encoded name.

use super::Recogniser;
use super::details::Details;
use super::dns_message::is_encoded;
use super::evidence::Carriage;
use super::nbns::decoded;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading};
use crate::base::Cursor;

/// The recogniser of the NetBIOS datagram service.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Nbdgm,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Nbdgm, read).detailed(details);

/// Bytes before the source name, and of the header of the short types.
const HEADER: usize = 14;
const SHORT_HEADER: usize = 10;

/// Bytes of the first encoded name: length byte and letters.
const NAME: usize = 33;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let (Some(kind), Some(flags)) = (cursor.u8(), cursor.u8()) else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    if !matches!(kind, 0x10..=0x16) || flags & 0xF0 != 0 {
        return Reading::NO;
    }
    match kind {
        0x10..=0x12 => read_data(message),
        0x13 => read_error(message),
        _ => read_name(message, SHORT_HEADER),
    }
}

/// A datagram with user data.
fn read_data(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let Some(length) = cursor.skip(10).and_then(|()| cursor.u16_be()) else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    if usize::from(length) + HEADER != message.wire {
        return Reading::NO;
    }
    read_name(message, HEADER)
}

fn read_error(message: Message<'_>) -> Reading {
    match message.bytes.get(SHORT_HEADER) {
        _ if message.wire != SHORT_HEADER + 1 => Reading::NO,
        Some(0x82..=0x84) => Reading::weak(SHORT_HEADER + 1),
        Some(_) => Reading::NO,
        None => Reading::OPEN,
    }
}

fn read_name(message: Message<'_>, at: usize) -> Reading {
    match message.bytes.get(at..at + NAME) {
        Some(name) if is_encoded(name) => Reading::strong(at + NAME),
        None if message.is_cut() => Reading::OPEN,
        _ => Reading::NO,
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    let at = if matches!(message.bytes.first(), Some(0x10..=0x12)) { HEADER } else { SHORT_HEADER };
    if let Some(name) = message.bytes.get(at..at + NAME).filter(|name| is_encoded(name)) {
        details.add_text("netbios-name", &decoded(name));
    }
}
