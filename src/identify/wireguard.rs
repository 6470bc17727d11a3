//! WireGuard (J. Donenfeld, WireGuard: next generation kernel network tunnel, section 5.4).
//!
//! Layout (little-endian): 0 type, three zero bytes · initiation, type 1, 148 bytes: 4 sender · 8
//! keys and a time, encrypted · 116 first code · 132 second code, zero unless under load · answer,
//! type 2, 92 bytes: 4 sender · 8 receiver · ... · 60 first code · 76 second code · cookie, type 3,
//! 64 bytes: 4 receiver · data, type 4, a multiple of 16 and at least 32 bytes: 4 receiver · 8
//! counter. Strong: a handshake message of its size with the second code zero. Confirmed: an answer
//! that names the sender of the initiation. Data alone: counters that go up for one receiver.

use super::Recogniser;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of WireGuard.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::WireGuard,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::WireGuard, read).sharing();

const INITIATION: usize = 148;
const ANSWER: usize = 92;
const COOKIE: usize = 64;
const DATA: usize = 32;

/// The second code is the last sixteen bytes of a handshake message.
const CODE: usize = 16;

/// Counters are believed up to this: keys are renewed within minutes.
const COUNTER_LIMIT: u64 = 1 << 32;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let kind = match cursor.u32_le() {
        Some(kind @ 1..=4) => kind,
        None if message.is_cut() && message.wire >= DATA => return Reading::OPEN,
        _ => return Reading::NO,
    };
    let Some(first) = cursor.u32_le() else { return Reading::OPEN };
    let handshake = |length: usize| {
        let code = message.bytes.get(length - CODE..length);
        match code {
            Some(code) if code == [0; CODE] => Reading::strong(length),
            _ => Reading::weak(8),
        }
    };
    match (kind, message.wire) {
        (1, INITIATION) => handshake(INITIATION).from(Role::Client).in_exchange(first.into()),
        (2, ANSWER) => {
            let receiver = cursor.u32_le().unwrap_or(0);
            handshake(ANSWER).from(Role::Server).in_exchange(receiver.into())
        }
        (3, COOKIE) => Reading::weak(8).from(Role::Server),
        (4, DATA..) if message.wire.is_multiple_of(16) => {
            match cursor.array().map(u64::from_le_bytes) {
                Some(counter) if counter >= COUNTER_LIMIT => Reading::NO,
                _ => Reading::weak(16).in_session(first.into()),
            }
        }
        _ => Reading::NO,
    }
}
