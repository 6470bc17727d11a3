//! Syslog over UDP and TCP (RFC 5424, RFC 3164, framing RFC 6587).
//!
//! A message starts with `<n>`, n from 0 to 191. RFC 5424 goes on with `1 ` and a time like
//! `2003-10-11T22:14:15` or `-`; RFC 3164 with a time like `Oct 11 22:14:15 `. Over TCP the length
//! in digits and a space may come first, or messages end with a line. Strong: priority and time.
//! Weak: the priority, and text behind it.

use super::Recogniser;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of syslog.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Syslog,
    carriage: &[Carriage::Tcp, Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Syslog, read).framed(frame);

/// Facility 23 and severity 7 (RFC 5424 section 6.2.1).
const PRIORITIES: u32 = 191;

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A number of up to `limit` digits without leading zeros, and what follows it.
fn number(bytes: &[u8], limit: usize) -> Option<(u32, &[u8])> {
    let digits = bytes.iter().take(limit).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at_checked(digits)?;
    if digits.is_empty() || digits.len() > 1 && digits.first() == Some(&b'0') {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    Some((value, rest))
}

/// A message of a stream: counted, or a line.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    if let Some((length, [b' ', rest @ ..])) = number(bytes, 5) {
        return Some((bytes.len() - rest.len(), length as usize));
    }
    let line = bytes.iter().position(|byte| *byte == b'\n');
    Some((0, line.map_or(bytes.len() + 1, |line| line + 1)))
}

fn read(message: Message<'_>) -> Reading {
    let short = || if message.is_cut() { Reading::OPEN } else { Reading::NO };
    let Some(rest) = message.bytes.strip_prefix(b"<") else {
        return if message.bytes.is_empty() { short() } else { Reading::NO };
    };
    let Some((priority, rest)) = number(rest, 3) else {
        return if rest.is_empty() { short() } else { Reading::NO };
    };
    let Some(text) = rest.strip_prefix(b">") else {
        return if rest.is_empty() { short() } else { Reading::NO };
    };
    if priority > PRIORITIES {
        return Reading::NO;
    }
    let proof = message.bytes.len() - text.len();
    let printable = text.iter().take(64).all(|byte| *byte >= 0x20 || byte.is_ascii_whitespace());
    match time(text) {
        Some(time) => Reading::strong(proof + time).from(Role::Client),
        None if !printable => Reading::NO,
        None if text.is_empty() => short(),
        None => Reading::weak(proof).from(Role::Client),
    }
}

/// Bytes of the time that a text starts with.
fn time(text: &[u8]) -> Option<usize> {
    if let Some(rest) = text.strip_prefix(b"1 ") {
        return match rest {
            [b'-', b' ', ..] => Some(4),
            _ => fits(rest, b"0000-00-00T00:00:00").then_some(21),
        };
    }
    let month = text.get(..3)?;
    let day = text.get(3..)?;
    let known = MONTHS.iter().any(|known| known.eq_ignore_ascii_case(month));
    (known && (fits(day, b" 00 00:00:00") || fits(day, b"  0 00:00:00"))).then_some(15)
}

/// Whether a text starts like the pattern, in which 0 stands for any digit.
fn fits(text: &[u8], pattern: &[u8]) -> bool {
    text.len() >= pattern.len()
        && text.iter().zip(pattern).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}
