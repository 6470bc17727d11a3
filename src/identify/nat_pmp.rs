//! NAT port mapping protocol and port control protocol (RFC 6886 section 3, RFC 6887 section 7).
//!
//! Layout (big-endian), version 0: 0 version · 1 operation 0 to 2, with 80 an answer · request: zero,
//! ports, lifetime (2 or 12 bytes in all) · answer: result, seconds, then an address or ports and
//! lifetime (12 or 16 bytes). Version 2: 1 operation, reserved, lifetime, address, 24 bytes and what
//! the operation adds. Weak: a request or answer of its size; a pair of them is strong.

use super::Recogniser;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of NAT-PMP and PCP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::NatPmp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::NatPmp, read);

/// Bytes of a version 2 message: header, header and mapping, header and peer.
const PCP: [usize; 3] = [24, 60, 80];

fn read(message: Message<'_>) -> Reading {
    match (message.bytes, message.wire) {
        ([0, 0, ..], 2) => Reading::weak(2).from(Role::Client).in_exchange(0),
        ([0, 0x80, 0, 0..=5, ..], 12) => Reading::weak(4).from(Role::Server).in_exchange(0),
        ([0, operation @ (1 | 2), 0, 0, rest @ ..], 12) => {
            let exchange = mapping(*operation, rest);
            exchange.map_or(Reading::OPEN, |exchange| {
                Reading::weak(12).from(Role::Client).in_exchange(exchange)
            })
        }
        ([0, operation @ (0x81 | 0x82), 0, 0..=5, _, _, _, _, rest @ ..], 16) => {
            let exchange = mapping(operation & 0x7F, rest);
            exchange.map_or(Reading::OPEN, |exchange| {
                Reading::weak(16).from(Role::Server).in_exchange(exchange)
            })
        }
        ([2, operation @ (0..=2 | 0x80..=0x82), 0, _, rest @ ..], length)
            if PCP.contains(&length) =>
        {
            let role = if *operation < 0x80 { Role::Client } else { Role::Server };
            let nonce = rest.get(20..28).and_then(|nonce| nonce.first_chunk());
            let nonce = nonce.map_or(0, |nonce| u64::from_be_bytes(*nonce));
            Reading::weak(24).from(role).in_exchange(nonce)
        }
        (bytes, _) if message.is_cut() && bytes.len() < 4 => Reading::OPEN,
        _ => Reading::NO,
    }
}

/// Operation and internal port, which the answer repeats.
fn mapping(operation: u8, rest: &[u8]) -> Option<u64> {
    let [high, low] = rest.first_chunk()?;
    Some(u64::from(operation) << 16 | u64::from(*high) << 8 | u64::from(*low))
}
