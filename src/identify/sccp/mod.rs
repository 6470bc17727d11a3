//! Skinny client control protocol (SCCP) between a call manager and its devices.
//!
//! No standard is published; the layout is that of the domain reference, section 2.15, which real
//! captures confirm. All numbers are little-endian.
//!
//! | offset | field |
//! | --- | --- |
//! | 0..4 | bytes from offset 8 on |
//! | 4..8 | version of the header: 0, or 0A to 16 (hexadecimal) |
//! | 8..12 | message |
//! | 12.. | its body |
//!
//! One segment often carries many messages. A header by itself is mostly zeros, so two must
//! chain. `media` reads where the media of a call go.

mod media;

pub use media::SccpFollower;

use super::details::Details;
use super::messages::{Look, Looker, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Skinny, carriage: &[Carriage::Tcp], recognise };

/// Bytes that the length does not count.
const UNCOUNTED: usize = 8;
/// Most bytes that the length may count.
const LONGEST: u32 = 16_384;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    version: u32,
    message: u32,
}

fn look(bytes: &[u8]) -> Look<Header> {
    let mut cursor = Cursor::new(bytes);
    let mut field = |known: fn(u32) -> bool| cursor.u32_le().map(|value| (value, known(value)));
    let length = field(|length| (4..=LONGEST).contains(&length));
    let version = field(|version| matches!(version, 0 | 0x0a..=0x16));
    let message = field(is_message);
    match (length, version, message) {
        (Some((_, false)), ..) | (_, Some((_, false)), _) | (.., Some((_, false))) => Look::Differs,
        // Keep-alives, the only messages whose numbers are all zeros, are short.
        (Some((17.., _)), _, Some((0 | 0x100, _))) => Look::Differs,
        (Some((length, _)), Some((version, _)), Some((message, _))) => Look::Fits {
            length: UNCOUNTED.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)),
            what: Header { version, message },
        },
        _ => Look::Open,
    }
}

/// Whether a message of that number exists.
fn is_message(number: u32) -> bool {
    matches!(number, 0x0000..=0x009f | 0x0100..=0x0160 | 0x8000 | 0x8100 | 0x8101)
}

/// Devices send the numbers below 80, and acknowledge the start of transmission.
fn role(header: &Header) -> Role {
    match header.message {
        0x0000..=0x007f | 0x0154 | 0x8000 => Role::Client,
        _ => Role::Server,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = read_both(evidence, look as Looker<'_, Header>, role, |_| {});
    sides.answer(Protocol::Skinny, Grade::Weak, Details::default())
}
