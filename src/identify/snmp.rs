//! Simple network management protocol, versions 1, 2c and 3 (RFC 1157 section 4, RFC 3416
//! section 3, RFC 3412 section 6).
//!
//! Over TCP a message follows the other, framed by their outer lengths alone (RFC 3430 section 2.1).
//!
//! Layout (BER): `30` length, `02 01` version (0, 1 or 3). Versions 1 and 2c: `04` community, then
//! a PDU: A0 get, A1 get-next, A2 response, A3 set, A4 trap of version 1, A5 get-bulk, A6 inform,
//! A7 trap, A8 report. Version 3: `30` header data with message identifier, size, flags and
//! security model, security parameters, then the context and its PDU, or both encrypted. Who sends a
//! message of version 3 is told by its PDU, or by the flag that asks for reports: requests set it,
//! and nothing else may (RFC 3412 section 6.4). Strong: the outer length equals the datagram and the inner ones fit into it.
//! LDAP, which starts alike, has an application tag there.

use super::Recogniser;
use super::ber::{self, Fault};
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of SNMP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Snmp,
    carriage: &[Carriage::Tcp, Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Snmp, read).framed(outer_length).detailed(details);

/// The length of the whole message.
fn outer_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut cursor = Cursor::new(bytes);
    let contents = ber::expect(&mut cursor, SEQUENCE).ok()?;
    Some((0, cursor.position().saturating_add(contents)))
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// Flags of a message of version 3 (RFC 3412 section 6.4).
const ENCRYPTED: u8 = 0x02;
const REPORTABLE: u8 = 0x04;

/// PDU tags (RFC 3416 section 3, RFC 1157 section 4.1.6).
const RESPONSE: u8 = 0xA2;
const TRAP_V1: u8 = 0xA4;
const TRAP: u8 = 0xA7;
const REPORT: u8 = 0xA8;

/// Reads tag and length of an element that must not reach beyond `limit`. Answers where its
/// contents end.
fn element(cursor: &mut Cursor<'_>, tag: u8, limit: usize) -> Result<usize, Fault> {
    let length = ber::expect(cursor, tag)?;
    let end = cursor.position().saturating_add(length);
    if end > limit { Err(Fault::Wrong) } else { Ok(end) }
}

/// Reads an integer of up to five bytes.
fn integer(cursor: &mut Cursor<'_>, limit: usize) -> Result<u64, Fault> {
    let end = element(cursor, INTEGER, limit)?;
    let length = end - cursor.position();
    if !(1..=5).contains(&length) {
        return Err(Fault::Wrong);
    }
    let bytes = cursor.take(length).ok_or(Fault::Short)?;
    Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn read(message: Message<'_>) -> Reading {
    match try_read(message) {
        Ok(reading) => reading,
        Err(Fault::Short) if message.is_cut() => Reading::OPEN,
        Err(_) => Reading::NO,
    }
}

fn try_read(message: Message<'_>) -> Result<Reading, Fault> {
    let mut cursor = Cursor::new(message.bytes);
    let end = element(&mut cursor, SEQUENCE, message.wire)?;
    if end != message.wire {
        return Err(Fault::Wrong);
    }
    match integer(&mut cursor, end)? {
        0 | 1 => read_community(cursor, end),
        3 => read_version_3(cursor, end),
        _ => Err(Fault::Wrong),
    }
}

/// Versions 1 and 2c, from the community on.
fn read_community(mut cursor: Cursor<'_>, end: usize) -> Result<Reading, Fault> {
    let community = element(&mut cursor, OCTETS, end)?;
    let length = community - cursor.position();
    cursor.skip(length).ok_or(Fault::Short)?;
    let tag = cursor.rest().first().copied().ok_or(Fault::Short)?;
    if !matches!(tag, 0xA0..=REPORT) || element(&mut cursor, tag, end)? != end {
        return Err(Fault::Wrong);
    }
    let proof = cursor.position();
    if tag == TRAP_V1 {
        return match element(&mut cursor, OBJECT_IDENTIFIER, end) {
            Err(Fault::Wrong) => Err(Fault::Wrong),
            _ => Ok(Reading::strong(proof)),
        };
    }
    match pdu_head(&mut cursor, end) {
        Ok(request) => Ok(Reading::strong(proof).from(role(tag)).in_exchange(request)),
        Err(Fault::Short) => Ok(Reading::strong(proof).from(role(tag))),
        Err(Fault::Wrong) => Err(Fault::Wrong),
    }
}

/// Request identifier, error status, error index and the list of variables. Answers the first.
fn pdu_head(cursor: &mut Cursor<'_>, end: usize) -> Result<u64, Fault> {
    let request = integer(cursor, end)?;
    integer(cursor, end)?;
    integer(cursor, end)?;
    if element(cursor, SEQUENCE, end)? == end { Ok(request) } else { Err(Fault::Wrong) }
}

/// Version 3, from the header data on.
fn read_version_3(mut cursor: Cursor<'_>, end: usize) -> Result<Reading, Fault> {
    let header = element(&mut cursor, SEQUENCE, end)?;
    let identifier = integer(&mut cursor, header)?;
    integer(&mut cursor, header)?;
    let flags = element(&mut cursor, OCTETS, header)?;
    if flags != cursor.position() + 1 {
        return Err(Fault::Wrong);
    }
    let flags = cursor.u8().ok_or(Fault::Short)?;
    integer(&mut cursor, header)?;
    if cursor.position() != header {
        return Err(Fault::Wrong);
    }
    let role = match scoped_pdu(cursor, end) {
        _ if flags & REPORTABLE != 0 => Role::Client,
        Ok(tag) if flags & ENCRYPTED == 0 => role(tag),
        _ => Role::Any,
    };
    Ok(Reading::strong(header).from(role).in_exchange(identifier))
}

/// The tag of the PDU behind the security parameters and the context (RFC 3412 section 6).
fn scoped_pdu(mut cursor: Cursor<'_>, end: usize) -> Result<u8, Fault> {
    let skip = |cursor: &mut Cursor<'_>| {
        let after = element(cursor, OCTETS, end)?;
        cursor.skip(after - cursor.position()).ok_or(Fault::Short)
    };
    skip(&mut cursor)?;
    element(&mut cursor, SEQUENCE, end)?;
    skip(&mut cursor)?;
    skip(&mut cursor)?;
    cursor.u8().ok_or(Fault::Short)
}

fn role(tag: u8) -> Role {
    match tag {
        RESPONSE | REPORT => Role::Server,
        TRAP => Role::Any,
        _ => Role::Client,
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut cursor = Cursor::new(message.bytes);
    let version =
        element(&mut cursor, SEQUENCE, message.wire).and_then(|end| integer(&mut cursor, end));
    match version {
        Ok(0) => details.add("version", "1".to_owned()),
        Ok(1) => details.add("version", "2c".to_owned()),
        Ok(3) => details.add("version", "3".to_owned()),
        _ => {}
    }
}
