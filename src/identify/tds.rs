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
//! A pre-login is a table of options whose offsets add up, a login states its length again or
//! counts its names: all are strong. Other packets must begin as their type demands, and chain. TLS handshakes travel inside pre-login packets; encrypted
//! streams go on as plain TLS records and stay TDS.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Tds, carriage: &[Carriage::Tcp], recognise };

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
    contents: Contents,
}

/// How far the contents of a packet bear its type out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contents {
    /// They go on from an earlier packet, or were not captured.
    Unknown,
    /// They begin as the type demands.
    Fitting,
    /// A login or pre-login whose inner lengths agree.
    Login,
}

fn look(bytes: &[u8]) -> Look<Packet> {
    let fits = |offset: usize, test: fn(u8) -> bool| bytes.get(offset).is_none_or(|b| test(*b));
    let known = |kind: u8| matches!(kind, 0x01..=0x04 | 0x06 | 0x07 | 0x0e..=0x12);
    if !(fits(0, known) && fits(1, |status| status < 0x20) && fits(7, |window| window == 0)) {
        return Look::Differs;
    }
    let mut cursor = Cursor::new(bytes);
    let mut header = || {
        let (kind, status, length) = (cursor.u8()?, cursor.u8()?, cursor.u16_be()?);
        cursor.skip(2)?;
        let number = cursor.u8()?;
        cursor.skip(1)?;
        Some((kind, status & 1 != 0, usize::from(length), number))
    };
    let Some((kind, last, length, number)) = header() else { return Look::Open };
    let plausible = (HEADER..=LONGEST).contains(&length)
        && (last || length >= LEAST_FULL)
        && (length > HEADER) != (kind == 0x06);
    let body = cursor.rest();
    let body = body.get(..length.saturating_sub(HEADER)).unwrap_or(body);
    let contents = match number {
        0 | 1 => contents(kind, body, length.saturating_sub(HEADER), last),
        _ => Some(Contents::Unknown),
    };
    let role = match kind {
        0x04 => Role::Server,
        0x12 if contents != Some(Contents::Login) => Role::Either,
        _ => Role::Client,
    };
    match contents {
        Some(contents) if plausible => Look::Fits { length, what: Packet { role, contents } },
        _ => Look::Differs,
    }
}

/// Whether the first packet of a message begins as its type demands; `None` when it does not.
fn contents(kind: u8, body: &[u8], length: usize, last: bool) -> Option<Contents> {
    let login = match kind {
        0x10 => states_length(body, length, last),
        0x12 | 0x04 => is_option_table(body, length),
        0x02 => has_counted_names(body),
        _ => false,
    };
    let fitting = match kind {
        0x01 => has_headers(body) || begins_with_text(body),
        0x02 => begins_with_text(body),
        0x03 => has_headers(body) || names_procedure(body),
        0x04 => body.first().is_some_and(|token| is_token(*token)),
        0x07 => body.first() == Some(&0x81),
        0x0e => has_headers(body),
        0x0f => matches!(
            body.first(),
            Some(0x21 | 0x71 | 0x80 | 0x83 | 0xa6 | 0xe0 | 0xe2 | 0xe6 | 0xe7)
        ),
        0x11 => matches!(body, [b'N', b'T', ..] | [0x60 | 0xa1, ..]),
        0x12 => matches!(body, [0x14..=0x17, 0x03, ..]),
        _ => false,
    };
    match (login, fitting) {
        (true, _) => Some(Contents::Login),
        (false, true) => Some(Contents::Fitting),
        // Too little was captured to tell.
        (false, false) if body.len() < LEAST_TELLING.min(length) || kind == 0x06 => {
            Some(Contents::Unknown)
        }
        (false, false) => None,
    }
}

/// Bytes of contents that tell whether they fit: more than the longest option table.
const LEAST_TELLING: usize = 64;

/// Whether a request begins with stream headers: their whole length, then length and type of the
/// first (MS-TDS section 2.2.5.3).
fn has_headers(body: &[u8]) -> bool {
    let mut cursor = Cursor::new(body);
    let mut fields = || Some((cursor.u32_le()?, cursor.u32_le()?, cursor.u16_le()?));
    fields().is_some_and(|(all, first, kind)| {
        (10..=256).contains(&all) && (6..=all - 4).contains(&first) && (1..=3).contains(&kind)
    })
}

/// Whether text begins, of one byte or of two to a letter.
fn begins_with_text(body: &[u8]) -> bool {
    let text = |byte: &u8| (0x20..0x7f).contains(byte) || matches!(byte, b'\t' | b'\r' | b'\n');
    match body {
        [a, 0, b, 0, c, 0, ..] => text(a) && text(b) && text(c),
        [a, b, c, d, ..] => text(a) && text(b) && text(c) && text(d),
        _ => false,
    }
}

/// Whether a call names its procedure: by a number behind FFFF, or by a counted name.
fn names_procedure(body: &[u8]) -> bool {
    match body {
        [0xff, 0xff, 1..=15, 0, ..] => true,
        [1..=128, 0, name @ ..] | [1..=128, name @ ..] => begins_with_text(name),
        _ => false,
    }
}

/// Whether an answer begins with a token of MS-TDS section 2.2.5.1 or of TDS 5.
fn is_token(token: u8) -> bool {
    matches!(token, 0x61 | 0x62 | 0x78 | 0x79 | 0x7c | 0x81 | 0x88 | 0xa0..=0xae)
        || matches!(token, 0xd1..=0xd7 | 0xe2..=0xef | 0xfd..=0xff)
}

/// A login of version 7: its own length, a version whose first byte is 7, a packet size, and the
/// place of the host name behind the fixed part (MS-TDS section 2.2.6.4).
fn states_length(body: &[u8], length: usize, last: bool) -> bool {
    const FIXED: u16 = 86;
    let mut cursor = Cursor::new(body);
    let mut fields = || {
        let stated = usize::try_from(cursor.u32_le()?).ok()?;
        let version = cursor.array::<4>()?;
        let size = cursor.u32_le()?;
        // Where the capture ends before the place of the host name, the rest has to do.
        let host = cursor.skip(24).and_then(|()| cursor.u16_le()).unwrap_or(FIXED);
        Some((stated, version, size, host))
    };
    fields().is_some_and(|(stated, version, size, host)| {
        (if last { stated == length } else { stated > length })
            && matches!(version, [0..=4, 0, 0 | 9..=11, 0x70..=0x74])
            && (size == 0 || (512..=32_767).contains(&size))
            && (FIXED..256).contains(&host)
    })
}

/// An old login begins with the names of host and user, each in thirty bytes filled up with zeros
/// and followed by its length (TDS 5.0 functional specification, login record).
fn has_counted_names(body: &[u8]) -> bool {
    const ROOM: usize = 30;
    let counted = |at: usize| {
        let name = body.get(at..at + ROOM)?;
        let length = usize::from(*body.get(at + ROOM)?);
        let (name, filling) = name.split_at_checked(length)?;
        let text = name.iter().all(|byte| (0x20..0x7f).contains(byte));
        (text && filling.iter().all(|byte| *byte == 0)).then_some(length)
    };
    let user = counted(ROOM + 1).filter(|length| (1..ROOM).contains(length));
    counted(0).is_some() && user.is_some()
}

/// The option table of a pre-login: token, offset and length of each option, closed by FF. The
/// version comes first, six bytes right behind the table (MS-TDS section 2.2.6.5).
///
/// Of a table that the capture cut, three options must be there whose values follow each other, and
/// the table must be as long as whole options and the end make it.
fn is_option_table(body: &[u8], length: usize) -> bool {
    const MOST_OPTIONS: usize = 16;
    const LEAST_OPTIONS: usize = 3;
    const OPTION_BYTES: usize = 5;
    const VERSION_BYTES: usize = 6;
    let mut cursor = Cursor::new(body);
    let (mut first, mut next, mut adjoining) = (0, 0, 0);
    for index in 0..MOST_OPTIONS {
        let token = cursor.u8();
        if token == Some(0xff) {
            return index > 0 && first == cursor.position();
        }
        let (Some(token), Some(offset), Some(size)) = (token, cursor.u16_be(), cursor.u16_be())
        else {
            let whole = first % OPTION_BYTES == 1 && first > body.len();
            return whole && index >= LEAST_OPTIONS && adjoining == index;
        };
        let (offset, size) = (usize::from(offset), usize::from(size));
        let version = index == 0;
        if version != (token == 0) || (version && size != VERSION_BYTES) || offset + size > length {
            return false;
        }
        if version {
            (first, next) = (offset, offset);
        }
        adjoining += usize::from(offset == next);
        next = offset + size;
    }
    false
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut single = Grade::Weak;
    let mut fitting = false;
    let visit = |message: Message<'_, Packet>| match message.what.contents {
        Contents::Unknown => {}
        Contents::Fitting => fitting = true,
        Contents::Login => single = Grade::Strong,
    };
    let role = |packet: &Packet| packet.role;
    let sides = read_both(evidence, look as Looker<'_, Packet>, role, visit);
    // A header that chains to nothing is as common as the numbers 1 to 4.
    let chained = fitting && (sides.a.links > 0 || sides.b.links > 0);
    let grade = sides.grade(single).filter(|_| chained || single == Grade::Strong);
    sides.answer_graded(Protocol::Tds, grade, Details::default())
}
