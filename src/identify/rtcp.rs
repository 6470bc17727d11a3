//! RTP control protocol, and SRTCP, which leaves the first header readable (RFC 3550 section 6,
//! RFC 3711 section 3.4).
//!
//! Layout (big-endian) of each packet of a compound: 0 version 2 bits = 2, padding, 5 bits of
//! count · 1 type: 200 sender report, 201 receiver report, 202 source description, 203 goodbye,
//! 204 application, 205 and 206 feedback, 207 extended report · 2 length in words less one · 4
//! source. Strong: a compound of several packets whose lengths add up exactly. A packet alone is weak;
//! two different ones of the same source are strong. A compound begins with a report, but telephones
//! send goodbyes without one, and open a path with an application's packet alone (RFC 5506 section 4.1).

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading};
use crate::base::Cursor;

/// The recogniser of RTCP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Rtcp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Rtcp, read).detailed(details).sharing();

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const GOODBYE: u8 = 203;
const APPLICATION: u8 = 204;
const EXTENDED_REPORT: u8 = 207;

/// Bytes of a report without and of each of its blocks.
const SENDER_BYTES: usize = 28;
const RECEIVER_BYTES: usize = 8;
const BLOCK_BYTES: usize = 24;

/// Bytes that SRTCP puts behind a packet at least: an index of four and a tag of four.
const SECURE_TRAILER: usize = 8;

/// One packet of a compound.
struct Header {
    count: usize,
    kind: u8,
    /// Bytes, header included.
    length: usize,
}

fn header(cursor: &mut Cursor<'_>) -> Option<Header> {
    let (first, kind, words) = (cursor.u8()?, cursor.u8()?, cursor.u16_be()?);
    (first >> 6 == 2 && (SENDER_REPORT..=EXTENDED_REPORT).contains(&kind)).then(|| Header {
        count: usize::from(first & 0x1F),
        kind,
        length: (usize::from(words) + 1) * 4,
    })
}

impl Header {
    /// Whether the length is one that the count allows; profiles may add to a report.
    fn has_legal_length(&self) -> bool {
        let least = match self.kind {
            SENDER_REPORT => SENDER_BYTES + self.count * BLOCK_BYTES,
            RECEIVER_REPORT => RECEIVER_BYTES + self.count * BLOCK_BYTES,
            GOODBYE => 4 + self.count * 4,
            205 | 206 => 12,
            APPLICATION => 12,
            _ => 4,
        };
        self.length >= least
    }
}

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let Some(first) = header(&mut cursor) else {
        let short = message.bytes.len() < 4 && message.wire >= RECEIVER_BYTES;
        let fits = message.bytes.first().is_none_or(|byte| byte >> 6 == 2);
        return if short && fits { Reading::OPEN } else { Reading::NO };
    };
    let source = cursor.u32_be().map(u64::from);
    // A compound starts with a report; others may go alone (RFC 5506).
    let alone = match first.kind {
        205 | 206 => true,
        GOODBYE => first.count > 0,
        APPLICATION => has_printable_name(message),
        _ => false,
    };
    let starts = matches!(first.kind, SENDER_REPORT | RECEIVER_REPORT) || alone;
    if !starts || !first.has_legal_length() || first.length > message.wire {
        return Reading::NO;
    }
    let reading = match chain(message, first.length) {
        Chain::Broken => read_secured(&first, message),
        Chain::Cut => Reading::weak(RECEIVER_BYTES),
        Chain::Whole(1) => Reading::weak(RECEIVER_BYTES),
        Chain::Whole(_) => Reading::strong(first.length),
    };
    source.map_or(reading, |source| reading.in_session(source))
}

/// Whether the name of an application's packet is text (RFC 3550 section 6.7).
fn has_printable_name(message: Message<'_>) -> bool {
    message.bytes.get(8..12).is_some_and(|name| name.iter().all(u8::is_ascii_graphic))
}

/// SRTCP: behind the first eight bytes everything is encrypted, so that only the length of a first
/// report can be checked, and that a trailer has room.
fn read_secured(first: &Header, message: Message<'_>) -> Reading {
    let exact = match first.kind {
        SENDER_REPORT => first.length == SENDER_BYTES + first.count * BLOCK_BYTES,
        RECEIVER_REPORT => first.length == RECEIVER_BYTES + first.count * BLOCK_BYTES,
        _ => false,
    };
    let behind = message.wire - first.length;
    if exact && behind >= SECURE_TRAILER { Reading::weak(RECEIVER_BYTES) } else { Reading::NO }
}

/// How the packets behind the first one compare with the length of the datagram.
enum Chain {
    /// So many packets fill it.
    Whole(usize),
    /// The capture ends before its end is known.
    Cut,
    Broken,
}

fn chain(message: Message<'_>, first: usize) -> Chain {
    let (mut at, mut packets) = (first, 1);
    while at < message.wire {
        let Some(rest) = message.bytes.get(at..).filter(|rest| rest.len() >= 4) else {
            return if message.is_cut() { Chain::Cut } else { Chain::Broken };
        };
        let Some(next) = header(&mut Cursor::new(rest)).filter(Header::has_legal_length) else {
            return Chain::Broken;
        };
        at += next.length;
        packets += 1;
    }
    if at == message.wire { Chain::Whole(packets) } else { Chain::Broken }
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(ssrc) = message.bytes.get(4..8).and_then(|bytes| bytes.first_chunk()) {
        details.add("ssrc", format!("{:08x}", u32::from_be_bytes(*ssrc)));
    }
}
