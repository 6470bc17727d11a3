//! DNS, over UDP and over TCP (RFC 1035; section 4.2.2 puts a big-endian length before each
//! message of a stream).
//!
//! Strong: one question of a known type and class, a legal header for its opcode, and records that
//! add up to the message. Confirmed: an answer with the identifier and question of a query. What
//! LLMNR might have sent too is weak, unless it is answered between the same ports.

use super::Recogniser;
use super::details::Details;
use super::dns_message::{Extent, Family, HEADER, Parsed, dotted, parse};
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of DNS.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Dns,
    carriage: &[Carriage::Tcp, Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Dns, read).framed(length_prefix).detailed(details);

/// The length before a message of a stream.
fn length_prefix(bytes: &[u8]) -> Option<(usize, usize)> {
    bytes.first_chunk().map(|length| (2, usize::from(u16::from_be_bytes(*length))))
}

const QUERY: u16 = 0;
const STATUS: u16 = 2;
const NOTIFY: u16 = 4;
const UPDATE: u16 = 5;
const IXFR: u16 = 251;

/// Flags that only answers carry: AA and RA.
const ANSWER_FLAGS: u16 = 0x0480;
const RESERVED: u16 = 0x0040;

fn read(message: Message<'_>) -> Reading {
    let Some(parsed) = parse(message) else { return Reading::NO };
    if message.bytes.len() < HEADER {
        return Reading::OPEN;
    }
    let family = parsed.family();
    if !has_legal_header(&parsed) || matches!(family, Family::Mdns | Family::Nbns) {
        return Reading::NO;
    }
    let role = if parsed.is_response() { Role::Server } else { Role::Client };
    let Some(first) = parsed.first else {
        // A server that could not read the question answers with the header alone.
        let empty = parsed.counts == [0; 4] && parsed.is_response() && parsed.rcode() != 0;
        return match parsed.extent {
            Extent::Cut => Reading::OPEN,
            Extent::Whole if empty => Reading::weak(HEADER).from(role),
            _ => Reading::NO,
        };
    };
    if !is_known_class(first.class) || !is_known_type(first.kind) {
        return Reading::NO;
    }
    let odd = !parsed.is_response() && parsed.flags & ANSWER_FLAGS != 0;
    // Names of other bytes are legal (RFC 2181 section 11) and rare.
    let foreign = first.name.iter().any(|byte| !byte.is_ascii());
    let unsure = parsed.extent == Extent::Trailing || family != Family::Dns || foreign;
    let reading = if parsed.counts[0] != 1 || unsure || odd {
        Reading::weak(first.end)
    } else {
        Reading::strong(first.end)
    };
    let reading = reading.from(role);
    parsed.exchange().map_or(reading, |exchange| reading.in_exchange(exchange))
}

/// Whether flags and counts go together (RFC 1035 section 4.1.1, RFC 1996, RFC 2136).
fn has_legal_header(parsed: &Parsed<'_>) -> bool {
    let [questions, answers, authority, additional] = parsed.counts;
    if parsed.flags & RESERVED != 0 || questions > 1 && (answers > 0 || authority > 0) {
        return false;
    }
    if parsed.is_response() {
        return matches!(parsed.opcode(), QUERY | STATUS | NOTIFY | UPDATE) && parsed.rcode() <= 11;
    }
    let transfer = parsed.first.is_some_and(|first| first.kind == IXFR);
    let sections = match parsed.opcode() {
        QUERY => answers == 0 && (authority == 0 || transfer) && additional <= 3,
        STATUS => answers == 0 && authority == 0,
        NOTIFY => answers <= 1 && authority == 0,
        UPDATE => true,
        _ => false,
    };
    sections && (1..=4).contains(&questions) && parsed.rcode() == 0
}

/// IN, CH, HS, NONE and ANY (RFC 6895 section 3.2).
fn is_known_class(class: u16) -> bool {
    matches!(class, 1 | 3 | 4 | 254 | 255)
}

/// Assigned types (RFC 6895 section 3.1 and its registry), without 32, which is NetBIOS.
fn is_known_type(kind: u16) -> bool {
    matches!(kind, 1..=31 | 33..=66 | 99..=109 | 128 | 249..=262 | 32768 | 32769 | 65226..=65534)
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(first) = parse(message).and_then(|parsed| parsed.first) {
        details.add_text("query-name", &dotted(first.name));
    }
}
