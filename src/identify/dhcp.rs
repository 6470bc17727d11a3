//! Dynamic host configuration protocol for IPv4, and BOOTP (RFC 2131 section 2, RFC 951).
//!
//! Layout (big-endian): 0 operation, 1 from the client, 2 from the server · 1 hardware type · 2
//! bytes of a hardware address, up to 16 · 3 hops · 4 transaction · 8 seconds · 10 flags, only the
//! top bit · 12 four addresses · 28 hardware address · 44 server name · 108 file · 236 cookie
//! 63825363 · 240 options: code, length, value, ended by FF. Strong: a legal head and the cookie, or
//! the capture ends before it.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of DHCP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Dhcp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Dhcp, read).detailed(details);

/// Bytes before the cookie, and of the smallest message.
const COOKIE_AT: usize = 236;
const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
const SMALLEST: usize = 240;

/// Bytes before server name and file, where the head ends that tells something.
const HEAD: usize = 44;

const HOST_NAME: u8 = 12;
const VENDOR: u8 = 60;
const PADDING: u8 = 0;
const END: u8 = 255;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let fields = (|| {
        let (operation, hardware, length) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let (hops, transaction) = (cursor.u8()?, cursor.u32_be()?);
        cursor.skip(2)?;
        Some((operation, hardware, length, hops, transaction, cursor.u16_be()?))
    })();
    if message.wire < SMALLEST {
        return Reading::NO;
    }
    let Some((operation, hardware, length, hops, transaction, flags)) = fields else {
        let could = message.bytes.first().is_none_or(|operation| matches!(operation, 1 | 2));
        return if could && message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let legal = matches!(operation, 1 | 2)
        && (1..=37).contains(&hardware)
        && length <= 16
        && hops <= 16
        && flags & 0x7FFF == 0;
    if !legal || !has_clean_padding(message.bytes, length.into()) {
        return Reading::NO;
    }
    let reading = match message.bytes.get(COOKIE_AT..SMALLEST) {
        Some(cookie) if cookie == COOKIE => Reading::strong(SMALLEST),
        Some(_) => Reading::weak(12),
        // Sixteen bytes of hardware address with zeros behind it tell as much as the cookie.
        None if has_address(message.bytes) => Reading::strong(HEAD),
        None => Reading::weak(12),
    };
    let role = if operation == 1 { Role::Client } else { Role::Server };
    reading.from(role).in_exchange(transaction.into())
}

/// Whether the whole head was captured and holds a hardware address of Ethernet's kind.
fn has_address(bytes: &[u8]) -> bool {
    let ethernet = bytes.get(1..3) == Some(&[1, 6]) && bytes.len() >= HEAD;
    ethernet && bytes.get(28..34).is_some_and(|address| address != [0; 6])
}

/// Whether the field of the hardware address holds nothing behind the address.
fn has_clean_padding(bytes: &[u8], length: usize) -> bool {
    let field = bytes.get(28..).unwrap_or_default();
    let field = field.get(..16).unwrap_or(field);
    field.iter().skip(length.max(6)).all(|byte| *byte == 0)
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut cursor = Cursor::new(message.bytes.get(SMALLEST..).unwrap_or_default());
    while let Some(code) = cursor.u8() {
        if code == PADDING {
            continue;
        }
        let Some(value) = cursor.u8().and_then(|length| cursor.take(length.into())) else { return };
        match code {
            END => return,
            HOST_NAME => details.add_text("host-name", value),
            VENDOR => details.add_text("vendor-class", value),
            _ => {}
        }
    }
}
