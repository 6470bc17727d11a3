//! QUIC, versions 1 and 2 and their drafts (RFC 9000 section 17, RFC 9369), and the long headers of
//! Google's QUIC from version Q046 on.
//!
//! Long header (big-endian): 0 form bit 80, fixed bit 40, type 2 bits · 1 version · 5 length of the
//! destination identifier, the identifier · length of the source identifier, the identifier ·
//! version negotiation: versions; initial: token behind its length; then the length of the packet as
//! a variable-length integer, for retry none. Several packets may share a datagram. Strong: a known
//! version and lengths that fit. Short headers (40 to 7F) are neutral; Google's versions up to Q043
//! are known by their version tag and the tag of their client hello.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::header_lines::contains;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of QUIC.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Quic,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Quic, read).detailed(details).sharing();

const LONG: u8 = 0x80;
const FIXED: u8 = 0x40;

const VERSION_2: u32 = 0x6B33_43CF;

/// Longest connection identifier of versions 1 and 2; of versions negotiated, any.
const IDENTIFIER: u8 = 20;

fn read(message: Message<'_>) -> Reading {
    let Some(first) = message.bytes.first() else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    if first & LONG == 0 {
        let tagged = read_tagged(message);
        return match tagged {
            Some(reading) => reading,
            None if message.is_cut() && message.bytes.len() < 13 && first & 0x09 == 0x09 => {
                Reading::OPEN
            }
            // Sixteen bytes of authentication tag, a packet number and an identifier or none.
            None if first & FIXED != 0 && message.wire >= 21 => Reading::OPEN,
            None => Reading::NO,
        };
    }
    match long_header(message) {
        Ok(reading) => reading,
        Err(Stop::End) if message.is_cut() => Reading::OPEN,
        Err(_) => Reading::NO,
    }
}

enum Stop {
    End,
    Broken,
}

/// Shortest identifier that a client chooses for a server.
const FIRST_IDENTIFIER: usize = 8;

/// A variable-length integer (RFC 9000 section 16).
fn integer(cursor: &mut Cursor<'_>) -> Option<u64> {
    let first = cursor.u8()?;
    let more = (1_usize << (first >> 6)) - 1;
    let rest = cursor.take(more)?;
    Some(rest.iter().fold(u64::from(first & 0x3F), |value, byte| value << 8 | u64::from(*byte)))
}

fn identifier<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Stop> {
    let length = cursor.u8().ok_or(Stop::End)?;
    if length > IDENTIFIER {
        return Err(Stop::Broken);
    }
    cursor.take(length.into()).ok_or(Stop::End)
}

fn long_header(message: Message<'_>) -> Result<Reading, Stop> {
    let mut cursor = Cursor::new(message.bytes);
    let first = cursor.u8().ok_or(Stop::End)?;
    let version = cursor.u32_be().ok_or(Stop::End)?;
    if version == 0 {
        return negotiation(cursor, message);
    }
    if is_google(version) && version < u32::from_be_bytes(*b"Q050") {
        return google(first, message, cursor);
    }
    if !is_known(version) || first & FIXED == 0 {
        return Err(Stop::Broken);
    }
    let (destination, source) = (identifier(&mut cursor)?, identifier(&mut cursor)?);
    let kind = match (first >> 4 & 3, version) {
        (kind, VERSION_2) => (kind + 3) & 3,
        (kind, _) => kind,
    };
    let proof = cursor.position();
    // The first identifier of a conversation has eight bytes at least (RFC 9000 section 7.2); short
    // ones make a header of little but a version number.
    let long = destination.len().max(source.len()) >= FIRST_IDENTIFIER;
    let reading = if long { Reading::strong(proof) } else { Reading::weak(proof) };
    match kind {
        // Nothing but an opaque token follows.
        RETRY if message.wire >= proof + 16 => return Ok(Reading::weak(proof).from(Role::Server)),
        RETRY => return Err(Stop::Broken),
        INITIAL => {
            let token = integer(&mut cursor).ok_or(Stop::End)?;
            let left = message.wire.saturating_sub(cursor.position()) as u64;
            if token > left {
                return Err(Stop::Broken);
            }
            cursor.skip(token as usize).ok_or(Stop::End)?;
        }
        _ => {}
    }
    let length = integer(&mut cursor).ok_or(Stop::End)?;
    let left = message.wire.saturating_sub(cursor.position()) as u64;
    // Packet number and authentication tag are at least 17 bytes.
    if length > left || length < 17 {
        return Err(Stop::Broken);
    }
    // Another packet may follow, and each has the fixed bit.
    let next = cursor.rest().get(length as usize);
    if next.is_some_and(|first| first & FIXED == 0) { Err(Stop::Broken) } else { Ok(reading) }
}

const INITIAL: u8 = 0;
const RETRY: u8 = 3;

/// Version negotiation: both identifiers, then versions to the end. The source is what the client
/// chose for the server, at least eight bytes (RFC 9000 sections 6.1 and 7.2).
fn negotiation(mut cursor: Cursor<'_>, message: Message<'_>) -> Result<Reading, Stop> {
    identifier(&mut cursor)?;
    let source = identifier(&mut cursor)?;
    let left = message.wire.saturating_sub(cursor.position());
    if source.len() < FIRST_IDENTIFIER || left == 0 || !left.is_multiple_of(4) {
        return Err(Stop::Broken);
    }
    let mut known = false;
    for _ in 0..left / 4 {
        let version = cursor.u32_be().ok_or(Stop::End)?;
        // Versions that are reserved to be asked for in vain (section 15).
        let reserved = version & 0x0F0F_0F0F == 0x0A0A_0A0A;
        if !is_known(version) && !reserved {
            return Err(Stop::Broken);
        }
        known |= !reserved;
    }
    if known {
        Ok(Reading::strong(cursor.position()).from(Role::Server))
    } else {
        Err(Stop::Broken)
    }
}

/// Version 1, version 2 and the drafts of the working group.
fn is_known(version: u32) -> bool {
    matches!(version, 1 | VERSION_2 | 0xFF00_0011..=0xFF00_0022)
        || version & 0xFFFF_FF00 == 0xFACE_B000
        || is_google(version)
}

/// Google's versions: `Q` or `T`, 0 and two digits.
fn is_google(version: u32) -> bool {
    matches!(version.to_be_bytes(), [b'Q' | b'T', b'0', b'0'..=b'9', b'0'..=b'9'])
}

/// Q044 to Q049: one byte holds both lengths of identifiers, which are 0 or 8.
fn google(first: u8, message: Message<'_>, mut cursor: Cursor<'_>) -> Result<Reading, Stop> {
    let lengths = cursor.u8().ok_or(Stop::End)?;
    let sane = matches!(lengths, 0x50 | 0x05 | 0x55);
    if !sane || first & FIXED == 0 || message.wire < 6 + 8 + 4 {
        return Err(Stop::Broken);
    }
    Ok(Reading::strong(6))
}

/// Google's versions up to Q043: 0 flags (09, 0D and others: version present, identifier of eight
/// bytes) · 1 identifier · 9 version · 13 packet number; the first packet carries `CHLO` within.
fn read_tagged(message: Message<'_>) -> Option<Reading> {
    let mut cursor = Cursor::new(message.bytes);
    let flags = cursor.u8()?;
    if flags & 0x09 != 0x09 || flags & 0xC0 != 0 {
        return None;
    }
    cursor.skip(8)?;
    let version = cursor.u32_be()?;
    let hello = contains(message.bytes, b"CHLO");
    let reading = if hello { Reading::strong(13) } else { Reading::weak(13) };
    is_google(version).then(|| reading.from(Role::Client))
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut cursor = Cursor::new(message.bytes);
    if cursor.u8().is_some_and(|first| first & LONG != 0)
        && let Some(version) = cursor.u32_be()
    {
        details.add("version", format!("{version:08x}"));
    }
}
