//! Tabular Data Stream, spoken to SQL Server and Sybase (MS-TDS section 2.2.3.1).
//!
//! | offset | field |
//! | --- | --- |
//! | 0 | type: 01 batch, 02 old login, 03 call, 04 answer, 06 attention, 07 bulk, 0E transaction, 0F Sybase, 10 login, 11 SSPI, 12 pre-login |
//! | 1 | status; bit 0: last packet of its message |
//! | 2..4 | length with this header |
//! | 4..6 | process identifier |
//! | 6 | packet number |
//! | 7 | window, 0 |
//!
//! A pre-login is a table of options whose offsets add up, a login states its length again: both
//! are strong. Other packets must chain. TLS handshakes travel inside pre-login packets; encrypted
//! streams go on as plain TLS records and stay TDS.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, candidate, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Tds,
    carriage: &[Carriage::Tcp],
    candidate: |piece| candidate(piece, look),
    recognise,
};

/// Bytes of the header.
const HEADER: usize = 8;
/// Fewest bytes of a packet that is not the last of its message: packets of one message have the
/// size agreed on, 512 at least (MS-TDS section 2.2.3.1.3).
const LEAST_FULL: usize = 512;
/// Most bytes of a packet.
const LONGEST: usize = 32_768;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packet {
    role: Role,
    /// Whether its contents are a login or pre-login that agrees with its length.
    login: bool,
}

fn look(bytes: &[u8]) -> Look<Packet> {
    let fits = |offset: usize, test: fn(u8) -> bool| bytes.get(offset).is_none_or(|b| test(*b));
    let known = |kind: u8| matches!(kind, 0x01..=0x04 | 0x06 | 0x07 | 0x0e..=0x12);
    if !(fits(0, known) && fits(1, |status| status < 0x20) && fits(7, |window| window == 0)) {
        return Look::Differs;
    }
    let mut cursor = Cursor::new(bytes);
    let mut header = || Some((cursor.u8()?, cursor.u8()?, cursor.u16_be()?, cursor.skip(4)?));
    let Some((kind, status, length, ())) = header() else { return Look::Open };
    let length = usize::from(length);
    let last = status & 1 != 0;
    let plausible = (HEADER..=LONGEST).contains(&length)
        && (last || length >= LEAST_FULL)
        && (length > HEADER || kind == 0x06);
    let first = bytes.get(6).is_some_and(|number| *number < 2);
    if !plausible || (kind == 0x04 && first && !answers(cursor.rest().first())) {
        return Look::Differs;
    }
    let login = match kind {
        0x10 => states_length(cursor.rest(), length - HEADER, last),
        0x12 | 0x04 => is_option_table(cursor.rest(), length - HEADER),
        _ => false,
    };
    let role = match kind {
        0x04 => Role::Server,
        0x12 if !login => Role::Either,
        _ => Role::Client,
    };
    Look::Fits { length, what: Packet { role, login } }
}

/// Whether an answer begins with a token of MS-TDS section 2.2.5.1 or of TDS 5, or with the table
/// of a pre-login.
fn answers(first: Option<&u8>) -> bool {
    first.is_none_or(|token| {
        matches!(token, 0x00 | 0x61 | 0x62 | 0x78 | 0x79 | 0x7c | 0x81 | 0x88 | 0xa0..=0xae)
            || matches!(token, 0xd1..=0xd7 | 0xe2..=0xef | 0xfd..=0xff)
    })
}

/// A login of version 7: its own length, then a version whose first byte is 7 (MS-TDS section
/// 2.2.6.4).
fn states_length(body: &[u8], length: usize, last: bool) -> bool {
    let mut cursor = Cursor::new(body);
    let stated = cursor.u32_le().and_then(|stated| usize::try_from(stated).ok());
    let version = cursor.array::<4>();
    let agrees = if last { stated == Some(length) } else { stated.is_some_and(|s| s > length) };
    agrees && matches!(version, Some([.., 0x70..=0x7f]))
}

/// The option table of a pre-login: token, offset and length of each option, the version first,
/// every option inside the packet, closed by FF.
fn is_option_table(body: &[u8], length: usize) -> bool {
    const MOST_OPTIONS: usize = 16;
    let mut cursor = Cursor::new(body);
    for index in 0..MOST_OPTIONS {
        let Some(token) = cursor.u8() else { return false };
        if token == 0xff {
            return index > 0;
        }
        let (Some(offset), Some(size)) = (cursor.u16_be(), cursor.u16_be()) else { return false };
        let end = usize::from(offset) + usize::from(size);
        if (index == 0) != (token == 0) || usize::from(offset) < 6 || end > length {
            return false;
        }
    }
    false
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut single = Grade::Weak;
    let visit = |message: Message<'_, Packet>| {
        if message.what.login {
            single = Grade::Strong;
        }
    };
    let role = |packet: &Packet| packet.role;
    let sides = read_both(evidence, look as Looker<'_, Packet>, role, visit);
    // A header that chains to nothing is as common as the numbers 1 to 4.
    let chained = sides.a.links > 0 || sides.b.links > 0;
    let grade = sides.grade(single).filter(|_| chained || single == Grade::Strong);
    sides.answer_graded(Protocol::Tds, grade, Details::default())
}
