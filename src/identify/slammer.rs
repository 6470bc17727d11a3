//! The SQL Slammer worm of 2003 (CERT advisory CA-2003-04, CVE-2002-0649).
//!
//! One datagram of 376 bytes: `04`, which the SQL Server browser takes for an instance name, 96
//! bytes `01` that run over its buffer, and the return address `DC C9 B0 42` with the jump
//! `EB 0E`.

use super::Recogniser;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of the worm.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Slammer,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Slammer, read);

const DATAGRAM: usize = 376;
const FILLING: usize = 96;
const LEAP: [u8; 6] = [0xDC, 0xC9, 0xB0, 0x42, 0xEB, 0x0E];

fn read(message: Message<'_>) -> Reading {
    let expected = |at: usize| match at.checked_sub(1 + FILLING) {
        _ if at == 0 => Some(&0x04),
        None => Some(&0x01),
        Some(at) => LEAP.get(at),
    };
    let known = 1 + FILLING + LEAP.len();
    let fits =
        message.bytes.iter().take(known).enumerate().all(|(at, byte)| expected(at) == Some(byte));
    match message.bytes.len() {
        _ if message.wire != DATAGRAM || !fits => Reading::NO,
        length if length < known => Reading::OPEN,
        _ => Reading::strong(known).from(Role::Client),
    }
}
