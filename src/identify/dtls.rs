//! Datagram transport layer security (RFC 6347 section 4.1, RFC 9147 section 4).
//!
//! Record (big-endian): 0 type 14 to 17 hex, 18 heartbeat, 19 connection identifier, 1A
//! acknowledgement · 1 version FEFF (1.0), FEFD (1.2, and 1.3 in clear) or 0100 (before the
//! standard) · 3 epoch · 5 sequence, 48 bits · 11 length · contents. A handshake record of epoch 0
//! starts with 0 type · 1 length, 24 bits · 4 sequence · 6 offset and 9 length of the fragment.
//! Strong: records that add up to the datagram, with a plausible epoch and sequence. Version 1.3 encrypts under
//! a short header (20 to 3F), which is neutral.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of DTLS.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Dtls,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Dtls, read).detailed(details).sharing();

/// Bytes of a record header, and of a handshake header.
const HEADER: usize = 13;
const HANDSHAKE_HEADER: usize = 12;

/// Longest record: 2^14 bytes and what encryption adds.
const RECORD: usize = 16384 + 2048;

/// Most epochs a connection goes through.
const EPOCHS: u16 = 64;

const ALERT: u8 = 0x15;
const HANDSHAKE: u8 = 0x16;
const CIPHER_CHANGE: u8 = 0x14;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const VERIFY_REQUEST: u8 = 3;

/// A record.
struct Record<'a> {
    kind: u8,
    version: u16,
    epoch: u16,
    /// Upper byte of the sequence number.
    high: u8,
    /// Bytes of the contents on the wire.
    length: usize,
    contents: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads a record as far as it was captured; `None` when its header is cut or is none.
    fn parse(bytes: &'a [u8]) -> Option<Record<'a>> {
        let mut cursor = Cursor::new(bytes);
        let (kind, version, epoch) = (cursor.u8()?, cursor.u16_be()?, cursor.u16_be()?);
        let high = cursor.u8()?;
        cursor.skip(5)?;
        let length = usize::from(cursor.u16_be()?);
        let rest = cursor.rest();
        let contents = rest.get(..length).unwrap_or(rest);
        Some(Record { kind, version, epoch, high, length, contents })
    }

    fn is_legal(&self) -> bool {
        let version = matches!(self.version, 0xFEFF | 0xFEFD | 0x0100);
        let contents = match self.kind {
            CIPHER_CHANGE => matches!(self.length, 1 | 3),
            ALERT => self.length >= 2,
            HANDSHAKE => self.epoch > 0 || self.is_handshake(),
            0x17..=0x1A => self.epoch > 0,
            _ => false,
        };
        version
            && contents
            && self.epoch < EPOCHS
            && self.high == 0
            && (1..=RECORD).contains(&self.length)
    }

    /// Whether the contents start with the header of a handshake message in clear.
    fn is_handshake(&self) -> bool {
        let mut cursor = Cursor::new(self.contents);
        let fields = (|| {
            let (kind, length) = (cursor.u8()?, long(&mut cursor)?);
            cursor.skip(2)?;
            Some((kind, length, long(&mut cursor)?, long(&mut cursor)?))
        })();
        let Some((kind, length, offset, fragment)) = fields else {
            return self.length >= HANDSHAKE_HEADER;
        };
        let known = matches!(kind, 0..=4 | 8 | 11..=16 | 20..=25 | 67);
        known && offset + fragment <= length && fragment + HANDSHAKE_HEADER <= self.length
    }
}

/// A big-endian number of three bytes.
fn long(cursor: &mut Cursor<'_>) -> Option<usize> {
    let [high, middle, low] = cursor.array()?;
    Some(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
}

fn read(message: Message<'_>) -> Reading {
    let short = matches!(message.bytes.first(), Some(0x20..=0x3F));
    if short {
        return Reading::OPEN;
    }
    let Some(first) = Record::parse(message.bytes) else {
        let could = message.wire > HEADER
            && message.bytes.first().is_none_or(|kind| matches!(kind, CIPHER_CHANGE..=0x1A))
            && message.bytes.get(1).is_none_or(|version| matches!(version, 0xFE | 0x01));
        return if could && message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let mut at = 0;
    while at < message.wire {
        let rest = message.bytes.get(at..).unwrap_or_default();
        match Record::parse(rest) {
            Some(record) if record.is_legal() => at += HEADER + record.length,
            None if message.is_cut() => break,
            _ => return Reading::NO,
        }
    }
    if at > message.wire {
        return Reading::NO;
    }
    let role = match (first.kind, first.epoch, first.contents.first()) {
        (HANDSHAKE, 0, Some(&CLIENT_HELLO)) => Role::Client,
        (HANDSHAKE, 0, Some(&(SERVER_HELLO | VERIFY_REQUEST))) => Role::Server,
        _ => Role::Any,
    };
    Reading::strong(HEADER).from(role)
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(record) = Record::parse(message.bytes) {
        match record.version {
            0xFEFF => details.add("version", "1.0"),
            0xFEFD => details.add("version", "1.2"),
            _ => {}
        }
    }
}
