//! Cisco hot standby router protocol (RFC 2281 section 5.1; version 2 as Cisco documents it).
//!
//! Version 1, 20 bytes: 0 version 0 · 1 operation 0 to 2 · 2 state 0, 1, 2, 4, 8 or 16 · 3 hello and
//! hold time · 5 priority · 6 group · 7 zero · 8 password, mostly `cisco` · 16 address. Version 2 is
//! made of parts with kind and length: 01 28 is the state of a group, with version 2 and operation
//! and state behind. Strong: a legal state in a message of that size.

use super::Recogniser;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading};

/// The recogniser of HSRP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Hsrp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Hsrp, read);

const VERSION_1: usize = 20;

fn read(message: Message<'_>) -> Reading {
    match message.bytes {
        [0, 0..=2, 0 | 1 | 2 | 4 | 8 | 16, hello, hold, _, _, 0, rest @ ..]
            if message.wire == VERSION_1 && hello <= hold && *hello > 0 =>
        {
            read_password(rest)
        }
        [1, 40, 2, 0..=2, 0..=6, 4 | 6, ..] if parts_fit(message) => Reading::strong(6),
        [0 | 1, ..] | [] if message.is_cut() && message.bytes.len() < 8 => Reading::OPEN,
        _ => Reading::NO,
    }
}

/// Whether the parts of version 2 fill the message.
fn parts_fit(message: Message<'_>) -> bool {
    let mut at = 0;
    while at < message.wire {
        match message.bytes.get(at + 1) {
            Some(length) => at += 2 + usize::from(*length),
            None => return message.is_cut(),
        }
    }
    at == message.wire
}

/// A password of printable letters, filled up with zeros.
fn read_password(rest: &[u8]) -> Reading {
    let Some(password) = rest.get(..8) else { return Reading::weak(8) };
    let length = password.iter().take_while(|byte| byte.is_ascii_graphic()).count();
    let filled = password.iter().skip(length).all(|byte| *byte == 0);
    match (length, filled) {
        (3.., true) => Reading::strong(16),
        (_, true) => Reading::weak(8),
        _ => Reading::NO,
    }
}
