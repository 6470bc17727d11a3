//! Transparent Network Substrate, spoken to Oracle databases (Oracle Net; layout as observed in
//! captures, no standard is published).
//!
//! | offset | field |
//! | --- | --- |
//! | 0..2 | length, big-endian |
//! | 2..4 | checksum, 0 |
//! | 4 | type: 1 connect, 2 accept, 4 refuse, 5 redirect, 6 data, 11 resend, 12 marker |
//! | 5 | 0 |
//! | 6..8 | checksum of the header, 0 |
//!
//! A connect packet states where its text begins and how long it is, and the text begins with
//! `(`: it is strong.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Oracle, carriage: &[Carriage::Tcp], recognise };

/// Bytes of the header.
const HEADER: usize = 8;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packet {
    role: Role,
    connect: bool,
}

fn look(bytes: &[u8]) -> Look<Packet> {
    let zero = |offset: usize| bytes.get(offset).is_none_or(|byte| *byte == 0);
    let known = bytes.get(4).is_none_or(|kind| matches!(kind, 1 | 2 | 4 | 5 | 6 | 11 | 12));
    if !(zero(2) && zero(3) && known && zero(6) && zero(7)) {
        return Look::Differs;
    }
    let mut cursor = Cursor::new(bytes);
    let length = cursor.u16_be().map(usize::from);
    let kind = cursor.skip(2).and_then(|()| cursor.u8());
    let (Some(length), Some(kind), true) = (length, kind, bytes.len() >= HEADER) else {
        return Look::Open;
    };
    if length < HEADER || (kind != 6 && !zero(5)) {
        return Look::Differs;
    }
    let role = match kind {
        1 => Role::Client,
        2 | 4 | 5 | 11 => Role::Server,
        _ => Role::Either,
    };
    let connect = kind == 1;
    match if connect { text(bytes, length) } else { Some(true) } {
        None => Look::Open,
        Some(false) => Look::Differs,
        Some(true) => Look::Fits { length, what: Packet { role, connect } },
    }
}

/// Whether a connect packet has a version of the kind 3xx and its text, which begins with `(`, lies
/// where the packet says and fills the rest of it. A text too long for the packet is not looked for.
fn text(bytes: &[u8], length: usize) -> Option<bool> {
    const TEXT_LENGTH: usize = 24;
    const LEAST: usize = 10;
    let mut cursor = Cursor::new(bytes);
    cursor.skip(HEADER)?;
    let version = cursor.u16_be()?;
    cursor.skip(TEXT_LENGTH - HEADER - 2)?;
    let size = usize::from(cursor.u16_be()?);
    let offset = usize::from(cursor.u16_be()?);
    if version >> 8 != 1 || offset < TEXT_LENGTH + 4 || size < LEAST || offset + size != length {
        return Some(false);
    }
    bytes.get(offset).map(|byte| *byte == b'(')
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut single = Grade::Weak;
    let visit = |message: Message<'_, Packet>| {
        if message.what.connect {
            single = Grade::Strong;
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Packet>, |packet| packet.role, visit);
    let grade = sides.grade(single).map(|grade| if single == Grade::Weak { single } else { grade });
    sides.answer_graded(Protocol::Oracle, grade, Details::default())
}
