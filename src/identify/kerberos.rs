//! Kerberos version 5 between a client and a key distribution centre (RFC 4120 sections 5 and
//! 7.2), over UDP, and over TCP behind four bytes of length.
//!
//! An application tag, a sequence, then the protocol version 5 and the message type, which must be
//! the number of the tag:
//!
//! | message | tag | fields |
//! | --- | --- | --- |
//! | requests AS-REQ, TGS-REQ | 6A, 6C | `A1 03 02 01 05`, `A2 03 02 01` type |
//! | replies AS-REP, TGS-REP, error | 6B, 6D, 7E | `A0 03 02 01 05`, `A1 03 02 01` type |
//!
//! With both lengths of the envelope consistent, one message is strong.

use super::ber::{self, Fault};
use super::details::Details;
use super::messages::{Look, Message, Role, by_carriage, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Kerberos,
    carriage: &[Carriage::Tcp, Carriage::Udp],
    recognise,
};

/// Detail: the message types seen, such as `as-req`.
pub const MESSAGE: &str = "message";

/// Most bytes of a message over TCP; tickets with many groups reach 64 KiB (MS-KILE).
const LONGEST: usize = 1 << 17;

/// A message type: its number.
type Kind = u8;

/// A message behind its length, over TCP. The top bit of the length is reserved.
fn look_stream(bytes: &[u8]) -> Look<Kind> {
    let mut cursor = Cursor::new(bytes);
    let Some(length) = cursor.u32_be() else {
        return if bytes.first().is_none_or(|byte| *byte == 0) {
            Look::Open
        } else {
            Look::Differs
        };
    };
    match usize::try_from(length) {
        Ok(length) if length <= LONGEST => match look(cursor.rest()) {
            Look::Fits { length: inner, what } if inner == length => {
                Look::Fits { length: 4 + length, what }
            }
            Look::Fits { .. } | Look::Differs => Look::Differs,
            Look::Open => Look::Open,
        },
        _ => Look::Differs,
    }
}

/// A message.
fn look(bytes: &[u8]) -> Look<Kind> {
    match message(bytes) {
        Ok((length, what)) => Look::Fits { length, what },
        Err(Fault::Short) => Look::Open,
        Err(Fault::Wrong) => Look::Differs,
    }
}

fn message(bytes: &[u8]) -> Result<(usize, Kind), Fault> {
    let mut cursor = Cursor::new(bytes);
    let (tag, outer) = ber::element(&mut cursor)?;
    let (kind, first) = match tag {
        0x6a | 0x6c => (tag - 0x60, 0xa1),
        0x6b | 0x6d | 0x7e => (tag - 0x60, 0xa0),
        _ => return Err(Fault::Wrong),
    };
    let begin = cursor.position();
    let inner = ber::expect(&mut cursor, 0x30)?;
    if outer != cursor.position() - begin + inner {
        return Err(Fault::Wrong);
    }
    for wanted in [first, 3, 2, 1, 5, first + 1, 3, 2, 1, kind] {
        match cursor.u8() {
            None => return Err(Fault::Short),
            Some(byte) if byte == wanted => {}
            Some(_) => return Err(Fault::Wrong),
        }
    }
    Ok((begin + outer, kind))
}

fn role(kind: &Kind) -> Role {
    if matches!(kind, 10 | 12) { Role::Client } else { Role::Server }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let visit = |message: Message<'_, Kind>| {
        details.add(
            MESSAGE,
            match message.what {
                10 => "as-req",
                11 => "as-rep",
                12 => "tgs-req",
                13 => "tgs-rep",
                _ => "krb-error",
            },
        );
    };
    let look = by_carriage(evidence, look_stream, look);
    let sides = read_both(evidence, look, role, visit);
    sides.answer(Protocol::Kerberos, Grade::Strong, details)
}
