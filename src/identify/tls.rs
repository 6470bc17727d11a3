//! Transport Layer Security over TCP, and SSL before it (RFC 8446 section 5.1, RFC 5246 section
//! 6.2, RFC 6101).
//!
//! | offset | field |
//! | --- | --- |
//! | 0 | content type: 14 change of cipher, 15 alert, 16 handshake, 17 data, 18 heartbeat (hexadecimal) |
//! | 1..3 | version 03 00 to 03 04 |
//! | 3..5 | length, at most 2^14 + 2048 |
//! | 5 | in a first handshake record: 01 client hello, 02 server hello; three bytes of length, version |
//!
//! A hello is strong by itself. Without one, records must chain. Old clients begin with a hello in
//! the form of SSL 2 (RFC 5246 appendix E.2). What runs inside cannot be told, only what the
//! hello names: server name and application protocols.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Tls, carriage: &[Carriage::Tcp], recognise };

/// Detail: the name that the client asks for.
pub const SERVER_NAME: &str = "server-name";
/// Detail: an application protocol that the client offers.
pub const APPLICATION_PROTOCOL: &str = "application-protocol";
/// Detail: the version chosen by the server, such as `1.2`.
pub const VERSION: &str = "version";

/// Bytes of the record header.
const HEADER: usize = 5;
/// Most bytes of a record: RFC 5246 section 6.2.3.
const LONGEST: usize = (1 << 14) + 2048;
/// Content type of handshake messages.
const HANDSHAKE: u8 = 0x16;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    ClientHello,
    /// A client hello in the form of SSL 2.
    OldHello,
    ServerHello,
    Other,
}

fn look(bytes: &[u8]) -> Look<Record> {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        return old_hello(bytes);
    }
    let fits = |offset: usize, test: fn(u8) -> bool| bytes.get(offset).is_none_or(|b| test(*b));
    if !(fits(0, |kind| (0x14..=0x18).contains(&kind)) && fits(1, |v| v == 3) && fits(2, |v| v < 5))
    {
        return Look::Differs;
    }
    let mut cursor = Cursor::new(bytes);
    let kind = cursor.u8();
    let length = cursor.skip(2).and_then(|()| cursor.u16_be()).map(usize::from);
    let (Some(kind), Some(length)) = (kind, length) else { return Look::Open };
    // Change of cipher is the byte 1; an alert two bytes, the first 1 or 2. What is encrypted has
    // an authentication code or tag of 16 bytes at least.
    let first = cursor.rest().first();
    let plausible = match kind {
        0x14 => length == 1 && first.is_none_or(|byte| *byte == 1),
        0x15 if length == 2 => first.is_none_or(|level| matches!(level, 1 | 2)),
        0x15 => (16..=512).contains(&length),
        HANDSHAKE => (4..=LONGEST).contains(&length),
        _ => (16..=LONGEST).contains(&length),
    };
    if !plausible {
        return Look::Differs;
    }
    let what = if kind == HANDSHAKE { hello(cursor) } else { Record::Other };
    Look::Fits { length: HEADER + length, what }
}

/// Whether a handshake record begins with a hello, by message length, version and session
/// identifier. A hello may go on in further records.
fn hello(mut cursor: Cursor<'_>) -> Record {
    const LEAST: usize = 38;
    let fields = || -> Option<(u8, usize, [u8; 2])> {
        let kind = cursor.u8()?;
        let (high, low) = (cursor.u8()?, cursor.u16_be()?);
        let length = (usize::from(high) << 16) | usize::from(low);
        Some((kind, length, cursor.array()?))
    };
    let Some((kind, length, version)) = { fields }() else { return Record::Other };
    let bounded = (LEAST..=1 << 16).contains(&length);
    let session = cursor.skip(32).and_then(|()| cursor.u8());
    let agrees = version.first() == Some(&3)
        && version.get(1).is_some_and(|minor| *minor < 5)
        && session.is_none_or(|length| length <= 32);
    match kind {
        1 if bounded && agrees => Record::ClientHello,
        2 if bounded && agrees => Record::ServerHello,
        _ => Record::Other,
    }
}

/// A hello in the form of SSL 2: 15 bits of length, type 1, version, and three lengths that add
/// up to the first.
fn old_hello(bytes: &[u8]) -> Look<Record> {
    let fits = |offset: usize, test: fn(u8) -> bool| bytes.get(offset).is_none_or(|b| test(*b));
    if !(fits(2, |kind| kind == 1) && fits(3, |v| v == 3 || v == 0) && fits(4, |v| v < 5)) {
        return Look::Differs;
    }
    let mut cursor = Cursor::new(bytes);
    let mut field = || cursor.u16_be().map(usize::from);
    let (Some(length), Some(kind)) = (field(), field()) else { return Look::Open };
    let version = (kind & 0xff) << 8 | bytes.get(4).copied().map_or(0, usize::from);
    let mut cursor = Cursor::new(bytes);
    let _ = cursor.skip(5);
    let mut field = || cursor.u16_be().map(usize::from);
    let (Some(ciphers), Some(session), Some(challenge)) = (field(), field(), field()) else {
        return Look::Open;
    };
    let length = length & 0x7fff;
    let agrees = (version == 2 || version >> 8 == 3)
        && ciphers > 0
        && ciphers % 3 == 0
        && matches!(session, 0 | 16)
        && (16..=32).contains(&challenge)
        && length == 9 + ciphers + session + challenge;
    if agrees { Look::Fits { length: length + 2, what: Record::OldHello } } else { Look::Differs }
}

fn role(record: &Record) -> Role {
    match record {
        Record::ClientHello | Record::OldHello => Role::Client,
        Record::ServerHello => Role::Server,
        Record::Other => Role::Either,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let mut single = Grade::Weak;
    let mut records = 0_u32;
    let visit = |message: Message<'_, Record>| {
        records += 1;
        let body = message.bytes.get(HEADER..).unwrap_or_default();
        match message.what {
            Record::Other => return,
            Record::OldHello => {}
            Record::ClientHello => client_hello(&mut details, body).unwrap_or_default(),
            Record::ServerHello => server_hello(&mut details, body).unwrap_or_default(),
        }
        single = Grade::Strong;
    };
    let sides = read_both(evidence, look as Looker<'_, Record>, role, visit);
    // The five bytes of one header are too few, even where its length agrees with its segment's.
    let lone = single == Grade::Weak && records == 1;
    let grade = sides.grade(single).map(|grade| if lone { Grade::Weak } else { grade });
    sides.answer_graded(Protocol::Tls, grade, details)
}

/// Steps over a vector whose length stands in two bytes before it.
fn vector<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.u16_be()?.into();
    cursor.take(length)
}

/// The name asked for and the protocols offered (RFC 8446 section 4.1.2, RFC 6066 section 3, RFC
/// 7301 section 3.1). `body` begins with the handshake type.
fn client_hello(details: &mut Details, body: &[u8]) -> Option<()> {
    const TO_SESSION: usize = 38;
    let mut cursor = Cursor::new(body);
    cursor.skip(TO_SESSION)?;
    let session = cursor.u8()?.into();
    cursor.skip(session)?;
    vector(&mut cursor)?;
    let compressions = cursor.u8()?.into();
    cursor.skip(compressions)?;
    cursor.skip(2)?;
    loop {
        let kind = cursor.u16_be()?;
        let mut extension = Cursor::new(vector(&mut cursor)?);
        match kind {
            0 => {
                extension.skip(3)?;
                details.add_text(SERVER_NAME, vector(&mut extension)?);
            }
            16 => {
                extension.skip(2)?;
                while let Some(length) = extension.u8() {
                    details.add_text(APPLICATION_PROTOCOL, extension.take(length.into())?);
                }
            }
            _ => {}
        }
    }
}

/// The version chosen, which TLS 1.3 hides in an extension (RFC 8446 section 4.2.1).
fn server_hello(details: &mut Details, body: &[u8]) -> Option<()> {
    let mut cursor = Cursor::new(body);
    cursor.skip(4)?;
    let mut version = cursor.u16_be()?;
    let mut extensions = || -> Option<()> {
        cursor.skip(32)?;
        let session = cursor.u8()?.into();
        cursor.skip(session)?;
        cursor.skip(3 + 2)?;
        loop {
            let kind = cursor.u16_be()?;
            let extension = vector(&mut cursor)?;
            if kind == 43 {
                version = Cursor::new(extension).u16_be()?;
            }
        }
    };
    let _ = extensions();
    let name = match version {
        0x0300 => "ssl-3.0",
        0x0301 => "1.0",
        0x0302 => "1.1",
        0x0303 => "1.2",
        0x0304 => "1.3",
        _ => return None,
    };
    details.add(VERSION, name);
    Some(())
}
