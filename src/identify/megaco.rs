//! Media gateway control, H.248 in text encoding (RFC 3525 annex B, ITU-T H.248.1).
//!
//! A message starts with `MEGACO/n [address]` or `MEGACO/n <name>`, short `!/n`. Strong: that much.

use super::Recogniser;
use super::evidence::Carriage;
use super::header_lines::{Start, starts};
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading};

/// The recogniser of H.248 in text.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Megaco,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Megaco, read);

/// Transactions that follow the address, in long and short form.
const BODIES: [&[u8]; 10] = [
    b"transaction",
    b"t=",
    b"reply",
    b"p=",
    b"pending",
    b"pn=",
    b"error",
    b"er=",
    b"responseack",
    b"k{",
];

fn read(message: Message<'_>) -> Reading {
    let (long, short) = (starts(message, b"MEGACO/"), starts(message, b"!/"));
    let head = match (long, short) {
        (Start::Yes, _) => 7,
        (_, Start::Yes) => 2,
        (Start::No, Start::No) => return Reading::NO,
        _ => return Reading::OPEN,
    };
    let rest = message.bytes.get(head..).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let blank = rest.iter().skip(digits).take_while(|byte| byte.is_ascii_whitespace()).count();
    let address = rest.get(digits + blank..).unwrap_or_default();
    match address.first() {
        None if message.is_cut() => Reading::OPEN,
        Some(b'[' | b'<') if (1..=2).contains(&digits) && blank > 0 => {
            read_body(message, address, head)
        }
        // A device name, such as `gateway/1`.
        Some(_) if head == 7 && (1..=2).contains(&digits) && blank > 0 => Reading::strong(head),
        _ => Reading::NO,
    }
}

/// Reads what follows the address.
fn read_body(message: Message<'_>, address: &[u8], head: usize) -> Reading {
    let close = address.iter().position(|byte| matches!(byte, b']' | b'>'));
    let Some(close) = close else {
        return if message.is_cut() { Reading::weak(head) } else { Reading::NO };
    };
    let behind = address.get(close + 1..).unwrap_or_default();
    // A port may stand between.
    let port = behind.iter().take_while(|byte| matches!(byte, b':' | b'0'..=b'9')).count();
    let body = || behind.iter().skip(port).filter(|byte| !byte.is_ascii_whitespace());
    let known = BODIES.iter().any(|words| {
        body().take(words.len()).map(u8::to_ascii_lowercase).eq(words.iter().copied())
    });
    match known {
        true => Reading::strong(message.bytes.len()),
        false if message.is_cut() => Reading::weak(head),
        false => Reading::NO,
    }
}
