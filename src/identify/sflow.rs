//! sFlow version 5 (sflow.org, sFlow version 5 memo, section 5).
//!
//! Layout (big-endian): 0 version 5 · 4 kind of address, 1 or 2 · 8 address of the agent, 4 or 16
//! bytes · then sub-agent, sequence, uptime, number of samples · samples: kind, length, contents.
//! Strong: samples that fill the datagram.

use super::Recogniser;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of sFlow.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Sflow,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Sflow, read);

const VERSION: u32 = 5;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let (Some(version), Some(family)) = (cursor.u32_be(), cursor.u32_be()) else {
        let could = message.bytes.iter().zip([0, 0, 0, 5, 0, 0, 0]).all(|(a, b)| *a == b);
        return if message.is_cut() && could { Reading::OPEN } else { Reading::NO };
    };
    let address = match family {
        1 => 4,
        2 => 16,
        _ => return Reading::NO,
    };
    if version != VERSION || message.wire < 24 + address {
        return Reading::NO;
    }
    let Some(samples) = cursor.skip(address + 12).and_then(|()| cursor.u32_be()) else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let proof = cursor.position();
    for _ in 0..samples {
        let Some(length) = cursor.skip(4).and_then(|()| cursor.u32_be()) else {
            return if message.is_cut() { Reading::strong(proof) } else { Reading::NO };
        };
        let end = cursor.position().saturating_add(length as usize);
        if end > message.wire || length % 4 != 0 {
            return Reading::NO;
        }
        if cursor.skip(length as usize).is_none() {
            return Reading::strong(proof).from(Role::Client);
        }
    }
    if cursor.position() == message.wire && samples > 0 {
        Reading::strong(proof).from(Role::Client)
    } else {
        Reading::NO
    }
}
