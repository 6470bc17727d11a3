//! Lightweight Directory Access Protocol (RFC 4511 section 4), the global catalog, and its
//! connectionless form over UDP (MS-ADTS section 6.3.3).
//!
//! A message is `30` length, `02` message identifier, an operation with its own tag and length,
//! and perhaps controls `A0`. The operation must fill the message, and must begin as that
//! operation does: a bind with its version, a search with its base, a result with its code. Windows
//! writes lengths in four bytes. SNMP has the same envelope but a string or a sequence in place of
//! the operation.
//!
//! A stream may leave this form after a bind that seals it, or after StartTLS; it stays LDAP.

use super::ber::{self, Fault};
use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Ldap, carriage: &[Carriage::Tcp, Carriage::Udp], recognise };

/// Detail `yes`: the client asked for TLS (RFC 4511 section 4.14).
pub const START_TLS: &str = "start-tls";

/// Object identifier of the request for TLS.
const START_TLS_NAME: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// Most bytes of a message that is believed.
const LONGEST: usize = 1 << 26;

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operation {
    role: Role,
    /// Whether its contents were checked; some operations have none that could be.
    checked: bool,
}

/// Tag of the operation, who sends it, and what its contents begin with, as far as that is fixed:
/// tag and length of the first element; 0 for a length that varies.
static OPERATIONS: &[(u8, Role, &[u8])] = &[
    // Bind: version, in one byte.
    (0x60, Role::Client, &[0x02, 0x01]),
    // Results: a code, in one byte.
    (0x61, Role::Server, &[0x0a, 0x01]),
    (0x65, Role::Server, &[0x0a, 0x01]),
    (0x67, Role::Server, &[0x0a, 0x01]),
    (0x69, Role::Server, &[0x0a, 0x01]),
    (0x6b, Role::Server, &[0x0a, 0x01]),
    (0x6d, Role::Server, &[0x0a, 0x01]),
    (0x6f, Role::Server, &[0x0a, 0x01]),
    (0x78, Role::Server, &[0x0a, 0x01]),
    // A name.
    (0x63, Role::Client, &[0x04]),
    (0x64, Role::Server, &[0x04]),
    (0x66, Role::Client, &[0x04]),
    (0x68, Role::Client, &[0x04]),
    (0x6c, Role::Client, &[0x04]),
    (0x6e, Role::Client, &[0x04]),
    (0x73, Role::Server, &[0x04]),
    // An object identifier.
    (0x77, Role::Client, &[0x80]),
    (0x79, Role::Server, &[]),
    // Unbind, delete and abandon have primitive contents.
    (0x42, Role::Client, &[]),
    (0x4a, Role::Client, &[]),
    (0x50, Role::Client, &[]),
];

fn look(bytes: &[u8]) -> Look<Operation> {
    match message(bytes) {
        Ok((length, what)) => Look::Fits { length, what },
        Err(Fault::Short) => Look::Open,
        Err(Fault::Wrong) => Look::Differs,
    }
}

fn message(bytes: &[u8]) -> Result<(usize, Operation), Fault> {
    let mut cursor = Cursor::new(bytes);
    let length = ber::expect(&mut cursor, 0x30)?;
    let begin = cursor.position();
    let identifier = ber::expect(&mut cursor, 0x02)?;
    if !(1..=4).contains(&identifier) || length > LONGEST {
        return Err(Fault::Wrong);
    }
    cursor.skip(identifier).ok_or(Fault::Short)?;
    let (tag, contents) = ber::element(&mut cursor)?;
    let Some((_, role, start)) = OPERATIONS.iter().find(|(known, ..)| *known == tag) else {
        return Err(Fault::Wrong);
    };
    let used = cursor.position() - begin + contents;
    let unbind = tag == 0x42;
    if used > length || unbind != (contents == 0) || contents < start.len() {
        return Err(Fault::Wrong);
    }
    for wanted in *start {
        match cursor.u8() {
            None => return Err(Fault::Short),
            Some(byte) if byte == *wanted => {}
            Some(_) => return Err(Fault::Wrong),
        }
    }
    if used < length {
        controls(bytes.get(begin + used..).unwrap_or_default(), length - used)?;
    }
    let what = Operation { role: *role, checked: !start.is_empty() };
    Ok((begin + length, what))
}

/// What follows the operation must be controls to the end of the message.
fn controls(bytes: &[u8], left: usize) -> Result<(), Fault> {
    let mut cursor = Cursor::new(bytes);
    match ber::expect(&mut cursor, 0xa0) {
        Ok(length) if cursor.position() + length == left => Ok(()),
        Ok(_) | Err(Fault::Wrong) => Err(Fault::Wrong),
        // Beyond what was kept nothing is known.
        Err(Fault::Short) => Ok(()),
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let mut single = Grade::Weak;
    let visit = |message: Message<'_, Operation>| {
        if message.what.checked {
            single = Grade::Strong;
        }
        let name = message.bytes.windows(START_TLS_NAME.len());
        if message.bytes.len() < 64 && name.clone().any(|name| name == START_TLS_NAME) {
            details.add(START_TLS, "yes");
        }
    };
    let role = |operation: &Operation| operation.role;
    let sides = read_both(evidence, look as Looker<'_, Operation>, role, visit);
    sides.answer(Protocol::Ldap, single, details)
}
