//! Link-local multicast name resolution (RFC 4795).
//!
//! The layout of DNS (`dns_message`) with its own flags (section 2.1.1: QR, opcode, C, TC, T, four
//! zero bits, RCODE) and names of one label, as hosts on a Windows network look for each other.
//! Strong: one question for an address of such a name, nothing that a unicast resolver sets, and
//! records that add up. A question for the name of an address looks the same in DNS, and is weak
//! in both. Questions go to a group and answers come from a host, so never both in one
//! conversation: that is DNS.

use super::Recogniser;
use super::claim::Answer;
use super::details::Details;
use super::dns_message::{Extent, Family, HEADER, dotted, parse};
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of LLMNR.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Llmnr,
    carriage: &[Carriage::Udp],
    recognise: |evidence| {
        let both = !evidence.a.is_empty() && !evidence.b.is_empty();
        if both { Answer::No } else { COURSE.recognise(evidence) }
    },
};

const COURSE: Course = Course::new(Protocol::Llmnr, read).detailed(details);

fn read(message: Message<'_>) -> Reading {
    let Some(parsed) = parse(message) else { return Reading::NO };
    if message.bytes.len() < HEADER {
        return Reading::OPEN;
    }
    let Some(first) = parsed.first else {
        return if parsed.extent == Extent::Cut { Reading::OPEN } else { Reading::NO };
    };
    let question = parsed.is_response() || parsed.counts[1] == 0;
    let family = parsed.family();
    if !matches!(family, Family::Llmnr | Family::DnsOrLlmnr)
        || first.class != 1
        || parsed.opcode() != 0
        || !question
    {
        return Reading::NO;
    }
    let reading = match parsed.extent {
        _ if family == Family::DnsOrLlmnr => Reading::weak(first.end),
        Extent::Trailing => Reading::weak(first.end),
        Extent::Whole | Extent::Cut => Reading::strong(first.end),
    };
    let reading = reading.from(if parsed.is_response() { Role::Server } else { Role::Client });
    parsed.exchange().map_or(reading, |exchange| reading.in_exchange(exchange))
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(first) = parse(message).and_then(|parsed| parsed.first) {
        details.add_text("query-name", &dotted(first.name));
    }
}
