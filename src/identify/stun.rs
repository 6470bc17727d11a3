//! Session traversal utilities for NAT and relays around it (RFC 8489 section 5, RFC 8656; the
//! older RFC 3489 without a cookie).
//!
//! Layout (big-endian): 0 two zero bits, 14 bits of message type · 2 length of what follows the
//! header · 4 cookie 2112A442 · 8 transaction · 20 attributes: type, length, value padded to
//! words. Channel data of a relay: 0 channel 4000 to 4FFF · 2 length · data. Strong: the cookie and
//! attributes that add up; without the cookie a known type whose known attributes have their sizes.
//! Over TCP messages follow each other without more.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of STUN.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Stun,
    carriage: &[Carriage::Tcp, Carriage::Udp],
    recognise: |evidence| match evidence.carriage {
        Carriage::Udp => DATAGRAMS.recognise(evidence),
        Carriage::Tcp => STREAM.recognise(evidence),
    },
};

const DATAGRAMS: Course = Course::new(Protocol::Stun, read).detailed(details).sharing();

const STREAM: Course =
    Course::new(Protocol::Stun, read_in_stream).framed(frame).detailed(details).sharing();

const HEADER: usize = 20;
const CHANNEL_HEADER: usize = 4;
const COOKIE: u32 = 0x2112_A442;

const SOFTWARE: u16 = 0x8022;

/// The messages of a stream: each by its own length, or behind one of two bytes (RFC 4571), as
/// ICE puts it. What is neither is a message of no bytes.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut cursor = Cursor::new(bytes);
    let (first, second) = (cursor.u16_be()?, usize::from(cursor.u16_be()?));
    let third = usize::from(cursor.u16_be()?);
    if usize::from(first) == third + HEADER && second < 0x4000 {
        return Some((2, first.into()));
    }
    match first {
        0x0000..0x4000 => Some((0, HEADER + second)),
        0x4000..0x5000 => Some((0, CHANNEL_HEADER + second.next_multiple_of(4))),
        _ => Some((0, 0)),
    }
}

/// Reads a message of a stream, where the cookie is needed.
fn read_in_stream(message: Message<'_>) -> Reading {
    let cookie = message.bytes.get(4..8).is_none_or(|cookie| cookie == COOKIE.to_be_bytes());
    let channel = message.bytes.first().is_some_and(|first| *first >= 0x40);
    if cookie || channel { read(message) } else { Reading::NO }
}

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let (Some(kind), Some(length)) = (cursor.u16_be(), cursor.u16_be()) else {
        let fits = message.bytes.first().is_none_or(|first| *first < 0x50);
        return if message.is_cut() && fits { Reading::OPEN } else { Reading::NO };
    };
    let length = usize::from(length);
    if (0x4000..0x5000).contains(&kind) {
        let least = CHANNEL_HEADER + length;
        let fits = (least..least + 4).contains(&message.wire);
        return if fits { Reading::OPEN } else { Reading::NO };
    }
    if kind >> 14 != 0 || length + HEADER != message.wire {
        return Reading::NO;
    }
    let Some(cookie) = cursor.u32_be() else { return Reading::OPEN };
    if length % 4 != 0 {
        // Some senders do not pad the last attribute.
        return if cookie == COOKIE { Reading::weak(HEADER) } else { Reading::NO };
    }
    let Some(transaction) = cursor.array().map(u64::from_be_bytes) else { return Reading::OPEN };
    let reading = match (cookie == COOKIE, attributes(message)) {
        (_, Attributes::Broken) => return Reading::NO,
        (true, _) => Reading::strong(HEADER),
        (false, _) if !is_classic(kind) => return Reading::NO,
        (false, Attributes::Whole { sized: true }) => Reading::strong(message.wire),
        (false, Attributes::Cut) => Reading::OPEN,
        (false, Attributes::Whole { .. }) => Reading::weak(HEADER),
    };
    let role = match kind & 0x0110 {
        0x0000 => Role::Client,
        0x0100 | 0x0110 => Role::Server,
        _ => Role::Any,
    };
    reading.from(role).in_exchange(transaction ^ u64::from(cookie))
}

/// Binding and shared-secret requests, responses and errors (RFC 3489 section 11.1).
fn is_classic(kind: u16) -> bool {
    matches!(kind, 0x0001 | 0x0101 | 0x0111 | 0x0002 | 0x0102 | 0x0112)
}

/// How the attributes compare with the length.
enum Attributes {
    /// They fill it; `sized` when some are of a known kind and all those have their size.
    Whole {
        sized: bool,
    },
    /// The capture ends among them.
    Cut,
    Broken,
}

fn attributes(message: Message<'_>) -> Attributes {
    let mut cursor = Cursor::new(message.bytes.get(HEADER..).unwrap_or_default());
    let mut sized = false;
    while cursor.position() + HEADER < message.wire {
        let missing = if message.is_cut() { Attributes::Cut } else { Attributes::Broken };
        let (Some(kind), Some(length)) = (cursor.u16_be(), cursor.u16_be()) else {
            return missing;
        };
        let length = usize::from(length);
        match size_of(kind) {
            Some(size) if size == length || size == ADDRESS && length == LONG_ADDRESS => {
                sized = true;
            }
            Some(_) => return Attributes::Broken,
            None => {}
        }
        // Old servers do not pad the last attribute.
        if cursor.skip(length.next_multiple_of(4)).is_none() {
            return missing;
        }
    }
    Attributes::Whole { sized }
}

const ADDRESS: usize = 8;
const LONG_ADDRESS: usize = 20;

/// Attributes of a fixed size: addresses, flags, priorities, fingerprints, integrity (RFC 8489
/// section 14, RFC 8445 section 16.1, RFC 3489 section 11.2).
fn size_of(kind: u16) -> Option<usize> {
    match kind {
        0x0001 | 0x0002 | 0x0004 | 0x0005 | 0x000B | 0x0012 | 0x0016 | 0x0020 | 0x802C => {
            Some(ADDRESS)
        }
        0x0003 | 0x000D | 0x0019 | 0x0024 | 0x8028 => Some(4),
        0x0008 => Some(20),
        0x0025 => Some(0),
        0x8029 | 0x802A => Some(8),
        _ => None,
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut cursor = Cursor::new(message.bytes.get(HEADER..).unwrap_or_default());
    while let (Some(kind), Some(length)) = (cursor.u16_be(), cursor.u16_be()) {
        let Some(value) = cursor.take(usize::from(length).next_multiple_of(4)) else { return };
        if kind == SOFTWARE {
            let text = value.get(..length.into()).unwrap_or(value).trim_ascii_end();
            details.add_text("software", text);
        }
    }
}
