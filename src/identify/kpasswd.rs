//! Kerberos password change and set (RFC 3244 section 2), over UDP, and over TCP behind four bytes
//! of length.
//!
//! | offset | field |
//! | --- | --- |
//! | 0..2 | length of the message |
//! | 2..4 | version: 0001 change and every reply, FF80 set |
//! | 4..6 | length of the authentication message; 0 in a reply that carries an error |
//! | 6.. | AP-REQ `6E` or AP-REP `6F`, then KRB-PRIV `75`; or KRB-ERROR `7E` |
//!
//! The inner messages must have exactly the lengths that the outer ones leave them.

use super::ber::{self, Fault};
use super::details::Details;
use super::messages::{Look, Role, by_carriage, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Kpasswd,
    carriage: &[Carriage::Tcp, Carriage::Udp],
    recognise,
};

/// Bytes before the authentication message.
const HEADER: usize = 6;

/// A message behind its length, over TCP.
fn look_stream(bytes: &[u8]) -> Look<Role> {
    let mut cursor = Cursor::new(bytes);
    let Some(length) = cursor.u32_be() else {
        return if bytes.iter().take(2).all(|byte| *byte == 0) {
            Look::Open
        } else {
            Look::Differs
        };
    };
    match look(cursor.rest()) {
        Look::Fits { length: inner, what } if u32::try_from(inner) == Ok(length) => {
            Look::Fits { length: 4 + inner, what }
        }
        Look::Fits { .. } | Look::Differs => Look::Differs,
        Look::Open if length > u16::MAX.into() => Look::Differs,
        Look::Open => Look::Open,
    }
}

/// A message; its sender's role.
fn look(bytes: &[u8]) -> Look<Role> {
    match message(bytes) {
        Ok((length, what)) => Look::Fits { length, what },
        Err(Fault::Short) => Look::Open,
        Err(Fault::Wrong) => Look::Differs,
    }
}

fn message(bytes: &[u8]) -> Result<(usize, Role), Fault> {
    let mut cursor = Cursor::new(bytes);
    let mut field = || cursor.u16_be().ok_or(Fault::Short);
    let (length, version, authentication) = (field()?.into(), field()?, field()?.into());
    let plausible = matches!(version, 0x0001 | 0xff80) && HEADER + authentication < length;
    if !plausible {
        return Err(Fault::Wrong);
    }
    if authentication == 0 {
        return exactly(&mut cursor, 0x7e, length - HEADER).map(|()| (length, Role::Server));
    }
    let role = match cursor.rest().first() {
        None => return Err(Fault::Short),
        Some(0x6e) => Role::Client,
        Some(0x6f) => Role::Server,
        Some(_) => return Err(Fault::Wrong),
    };
    let tag = if role == Role::Client { 0x6e } else { 0x6f };
    exactly(&mut cursor, tag, authentication)?;
    let sealed = bytes.get(HEADER + authentication..).unwrap_or_default();
    match exactly(&mut Cursor::new(sealed), 0x75, length - HEADER - authentication) {
        Err(Fault::Wrong) => Err(Fault::Wrong),
        // The authentication message alone has shown it where the rest was not captured.
        Ok(()) | Err(Fault::Short) => Ok((length, role)),
    }
}

/// Whether an element with a tag takes exactly `length` bytes.
fn exactly(cursor: &mut Cursor<'_>, tag: u8, length: usize) -> Result<(), Fault> {
    let begin = cursor.position();
    let contents = ber::expect(cursor, tag)?;
    let header = cursor.position() - begin;
    if header + contents == length { Ok(()) } else { Err(Fault::Wrong) }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let look = by_carriage(evidence, look_stream, look);
    let sides = read_both(evidence, look, |role| *role, |_| {});
    sides.answer(Protocol::Kpasswd, Grade::Strong, Details::default())
}
