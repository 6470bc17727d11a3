//! NetBIOS name service (RFC 1002 section 4.2).
//!
//! The layout of DNS (`dns_message`) with opcodes of its own (0 query, 5 registration, 6 release,
//! 7 wait, 8 and 9 refresh, 15 multi-homed registration), the broadcast bit 0010, and an encoded
//! NetBIOS name: a length byte 20, 32 letters from A to P, optional scope labels, 00. Record types
//! are 0020 NB and 0021 NBSTAT, the class is Internet. Strong: such a name in a legal header, and
//! records that add up.

use super::Recogniser;
use super::details::Details;
use super::dns_message::{ENCODED, Extent, Family, HEADER, parse};
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of the NetBIOS name service.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Nbns,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Nbns, read).detailed(details);

fn read(message: Message<'_>) -> Reading {
    let Some(parsed) = parse(message) else { return Reading::NO };
    if message.bytes.len() < HEADER {
        return Reading::OPEN;
    }
    let Some(first) = parsed.first else {
        return if parsed.extent == Extent::Cut { Reading::OPEN } else { Reading::NO };
    };
    let legal = matches!(parsed.opcode(), 0 | 5..=9 | 15)
        && parsed.counts.iter().all(|count| *count <= 8)
        && first.class == 1;
    if parsed.family() != Family::Nbns || !legal {
        return Reading::NO;
    }
    let reading = match parsed.extent {
        Extent::Trailing => Reading::weak(first.end),
        Extent::Whole | Extent::Cut => Reading::strong(first.end),
    };
    let reading = reading.from(if parsed.is_response() { Role::Server } else { Role::Client });
    parsed.exchange().map_or(reading, |exchange| reading.in_exchange(exchange))
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(first) = parse(message).and_then(|parsed| parsed.first) {
        details.add_text("netbios-name", &decoded(first.name));
    }
}

/// The name that 32 letters encode, without its padding (RFC 1001 section 14.1: each letter is
/// half a byte, counted from A). The sixteenth byte says what the name is for and is left out.
pub(super) fn decoded(name: &[u8]) -> Vec<u8> {
    let letters = name.get(1..=ENCODED).unwrap_or_default();
    let mut text: Vec<u8> = letters
        .chunks_exact(2)
        .take(15)
        .map(|pair| pair.iter().fold(0, |byte, letter| byte << 4 | letter.wrapping_sub(b'A') & 15))
        .collect();
    while text.last().is_some_and(|byte| matches!(byte, b' ' | 0)) {
        text.pop();
    }
    text
}
