//! Remote authentication dial-in user service (RFC 2865 section 3, RFC 2866, RFC 5176).
//!
//! Layout (big-endian): 0 code · 1 identifier · 2 length · 4 authenticator, 16 bytes · 20
//! attributes: type, length with its header, value. Strong: two attributes that add up to the
//! length, one of them of a size that its type prescribes.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of RADIUS.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Radius,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Radius, read).detailed(details);

const HEADER: usize = 20;
const LONGEST: usize = 4096;

const USER_NAME: u8 = 1;
const NAS_IDENTIFIER: u8 = 32;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let (Some(code), Some(identifier), Some(length)) = (cursor.u8(), cursor.u8(), cursor.u16_be())
    else {
        let could = message.bytes.first().is_none_or(|code| exchange(*code).is_some());
        return if message.is_cut() && could { Reading::OPEN } else { Reading::NO };
    };
    let length = usize::from(length);
    // What follows the length in a datagram is padding (RFC 2865 section 3).
    let sane = (HEADER..=LONGEST).contains(&length) && length == message.wire;
    let Some((kind, role)) = exchange(code).filter(|_| sane) else { return Reading::NO };
    let reading = match attributes(message) {
        None => return Reading::NO,
        Some(true) => Reading::strong(message.bytes.len()),
        Some(false) => Reading::weak(HEADER),
    };
    reading.from(role).in_exchange(u64::from(kind) << 8 | u64::from(identifier))
}

/// Which exchange a code belongs to, named by the code of its request, and who sends it.
fn exchange(code: u8) -> Option<(u8, Role)> {
    match code {
        1 => Some((1, Role::Client)),
        2 | 3 | 11 => Some((1, Role::Server)),
        4 => Some((4, Role::Client)),
        5 => Some((4, Role::Server)),
        12 => Some((12, Role::Client)),
        13 => Some((12, Role::Server)),
        40 => Some((40, Role::Client)),
        41 | 42 => Some((40, Role::Server)),
        43 => Some((43, Role::Client)),
        44 | 45 => Some((43, Role::Server)),
        _ => None,
    }
}

/// Whether there are two attributes, one of a size that its type prescribes; `None` when they do not add up or
/// one has another size.
fn attributes(message: Message<'_>) -> Option<bool> {
    let mut cursor = Cursor::new(message.bytes);
    let (mut sized, mut count) = (false, 0_u32);
    if cursor.skip(HEADER).is_none() {
        return Some(false);
    }
    while cursor.position() < message.wire {
        let (Some(kind), Some(length)) = (cursor.u8(), cursor.u8()) else {
            return message.is_cut().then_some(sized && count > 1);
        };
        let value = usize::from(length).checked_sub(2)?;
        if kind == 0 || cursor.position() + value > message.wire {
            return None;
        }
        count += 1;
        match size_of(kind) {
            Some(size) if size != value => return None,
            Some(_) => sized = true,
            None => sized |= kind == USER_NAME && value > 0,
        }
        if cursor.skip(value).is_none() {
            return Some(sized && count > 1);
        }
    }
    Some(sized && count > 1)
}

/// Attributes of a fixed size: numbers, addresses, and the message authenticator (RFC 2865 section
/// 5, RFC 2866 section 5, RFC 3579 section 3.2).
fn size_of(kind: u8) -> Option<usize> {
    match kind {
        4..=10 | 12..=16 | 23 | 27..=29 | 37 | 38 | 40..=43 | 45..=49 | 51..=53 | 55 | 61 | 62 => {
            Some(4)
        }
        80 => Some(16),
        _ => None,
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut cursor = Cursor::new(message.bytes.get(HEADER..).unwrap_or_default());
    while let (Some(kind), Some(length)) = (cursor.u8(), cursor.u8()) {
        let length = usize::from(length).saturating_sub(2);
        let Some(value) = cursor.take(length) else { return };
        match kind {
            USER_NAME => details.add_text("user-name", value),
            NAS_IDENTIFIER => details.add_text("nas-identifier", value),
            _ => {}
        }
    }
}
