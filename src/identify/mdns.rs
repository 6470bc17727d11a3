//! Multicast DNS (RFC 6762).
//!
//! The layout of DNS (`dns_message`) with identifier 0, no recursion bits, and names of the local
//! link. Strong: records that add up to the message. The class may carry the top bit (section
//! 10.2: flush the cache; section 5.4: answer by unicast).

use super::Recogniser;
use super::details::Details;
use super::dns_message::{Extent, Family, HEADER, dotted, parse};
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading};

/// The recogniser of mDNS.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Mdns,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Mdns, read).detailed(details);

fn read(message: Message<'_>) -> Reading {
    let Some(parsed) = parse(message) else { return Reading::NO };
    if message.bytes.len() >= HEADER && (parsed.id != 0 || parsed.opcode() != 0) {
        return Reading::NO;
    }
    let Some(first) = parsed.first else {
        return if parsed.extent == Extent::Cut { Reading::OPEN } else { Reading::NO };
    };
    // The class is Internet, whatever its top bit says; an OPT record has none.
    if parsed.family() != Family::Mdns || !matches!(first.class & 0x7FFF, 1 | 255) {
        return Reading::NO;
    }
    match parsed.extent {
        Extent::Trailing => Reading::weak(first.end),
        Extent::Whole | Extent::Cut => Reading::strong(first.end),
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(first) = parse(message).and_then(|parsed| parsed.first) {
        details.add_text("query-name", &dotted(first.name));
    }
}
