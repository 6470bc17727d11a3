//! Routing information protocol, versions 1 and 2 (RFC 1058 section 3.1, RFC 2453 section 4).
//!
//! Layout (big-endian): 0 command, 1 request, 2 response · 1 version · 2 zero · 4 up to 25 entries
//! of 20 bytes: family 2 (0 asks for all, FFFF authenticates), tag, address, mask, next hop, metric
//! up to 16. Version 1 keeps tag, mask and next hop zero. Strong: entries that fill the message.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of RIP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Rip,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Rip, read).detailed(details);

const HEADER: usize = 4;
const ENTRY: usize = 20;

/// Entries of one message; a last one may hold a digest.
const ENTRIES: usize = 26;

const INTERNET: u16 = 2;
const ALL: u16 = 0;
const AUTHENTICATION: u16 = 0xFFFF;

/// The metric that means unreachable.
const INFINITY: u32 = 16;

fn read(message: Message<'_>) -> Reading {
    let entries = message.wire.saturating_sub(HEADER) / ENTRY;
    if message.wire != HEADER + entries * ENTRY || !(1..=ENTRIES).contains(&entries) {
        return Reading::NO;
    }
    let mut cursor = Cursor::new(message.bytes);
    let (Some(command), Some(version), Some(zero)) = (cursor.u8(), cursor.u8(), cursor.u16_be())
    else {
        let could = message.bytes.first().is_none_or(|command| matches!(command, 1 | 2));
        return if could { Reading::OPEN } else { Reading::NO };
    };
    if !matches!(command, 1 | 2) || !matches!(version, 1 | 2) || zero != 0 {
        return Reading::NO;
    }
    let mut whole = 0;
    for _ in 0..entries {
        let Some(entry) = cursor.take(ENTRY) else { break };
        if !is_entry(entry, version, command) {
            return Reading::NO;
        }
        whole += 1;
    }
    let role = if command == 1 { Role::Client } else { Role::Any };
    match whole {
        0 => Reading::OPEN,
        _ => Reading::strong(HEADER + whole * ENTRY).from(role),
    }
}

fn is_entry(entry: &[u8], version: u8, command: u8) -> bool {
    let mut cursor = Cursor::new(entry);
    let fields = (|| {
        let (family, tag) = (cursor.u16_be()?, cursor.u16_be()?);
        cursor.skip(4)?;
        Some((family, tag, cursor.u32_be()?, cursor.u32_be()?, cursor.u32_be()?))
    })();
    let Some((family, tag, mask, next, metric)) = fields else { return false };
    let first_version = tag == 0 && mask == 0 && next == 0;
    let contiguous = (!mask).wrapping_add(1).is_power_of_two() || mask == 0;
    match family {
        AUTHENTICATION => version == 2 && matches!(tag, 1..=3),
        INTERNET if version == 1 => first_version && (1..=INFINITY).contains(&metric),
        INTERNET => contiguous && (1..=INFINITY).contains(&metric),
        ALL => command == 1 && first_version && metric == INFINITY,
        _ => false,
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(version) = message.bytes.get(1) {
        details.add("version", version.to_string());
    }
}
