//! H.323: call signalling of H.225.0 in messages of Q.931, and control of H.245, both in TPKT
//! packets over TCP; registration of H.225.0 (RAS) over UDP.
//!
//! A Q.931 message is: discriminator `08`, call reference of two bytes, message type, information
//! elements; H.225.0 puts its part into the last, `7E`, two bytes of length, `05` (H.225.0 section
//! 7.2). H.245 and RAS are packed encodings, told by the object identifier of their protocol
//! version.

use super::details::Details;
use super::messages::{Look, Role, by_carriage, read_both};
use super::tpkt;
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::H323, carriage: &[Carriage::Tcp, Carriage::Udp], recognise };

/// Length and first arcs of the identifiers of H.225.0 (0.0.8.2250.0) and H.245 (0.0.8.245.0).
const H225: &[u8] = &[0x06, 0x00, 0x08, 0x91, 0x4a, 0x00];
const H245: &[u8] = &[0x06, 0x00, 0x08, 0x81, 0x75, 0x00];
/// Within how many bytes the identifier of a packed message stands.
const IDENTIFIER_WITHIN: usize = 24;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packet {
    role: Role,
    /// Whether it carries what only this protocol does.
    telling: bool,
}

fn look(bytes: &[u8]) -> Look<Packet> {
    let length = match tpkt::look(bytes, tpkt::HEADER + 1) {
        Look::Fits { length, .. } => length,
        Look::Open => return Look::Open,
        Look::Differs => return Look::Differs,
    };
    let body = bytes.get(tpkt::HEADER..).unwrap_or_default();
    let body = body.get(..length - tpkt::HEADER).unwrap_or(body);
    let what = match body {
        [] => return Look::Open,
        [0x08, rest @ ..] => match signalling(rest) {
            Some(what) => what,
            None if rest.len() < 8 => return Look::Open,
            None => return Look::Differs,
        },
        _ if begins_with_identifier(body, H245) => Packet { role: Role::Either, telling: true },
        // Other messages of H.245 have no fixed bytes. X.224, which shares TPKT, states a length
        // that leaves room for its own header.
        [0x02 | 0x06 | 0x0e, 0xe0 | 0xd0 | 0xf0, ..] => return Look::Differs,
        _ => Packet { role: Role::Either, telling: false },
    };
    Look::Fits { length, what }
}

/// A Q.931 message behind its discriminator.
fn signalling(bytes: &[u8]) -> Option<Packet> {
    let mut cursor = Cursor::new(bytes);
    let reference = cursor.u8()?;
    if reference != 2 {
        return None;
    }
    // The upper bit is set in messages to the side that began the call (Q.931 section 4.3).
    let to_originator = cursor.u16_be()? & 0x8000 != 0;
    let kind = cursor.u8()?;
    let known = matches!(kind, 0x01..=0x0f | 0x20..=0x2e | 0x45..=0x4d | 0x5a | 0x62 | 0x6e);
    let known = known || matches!(kind, 0x75 | 0x7b | 0x7d);
    let role = if to_originator { Role::Server } else { Role::Client };
    known.then(|| Packet { role, telling: has_user_element(cursor) })
}

/// Whether the information elements lead to the one that carries H.225.0.
fn has_user_element(mut cursor: Cursor<'_>) -> bool {
    const USER_TO_USER: u8 = 0x7e;
    const PACKED: u8 = 0x05;
    loop {
        match cursor.u8() {
            None => return false,
            Some(USER_TO_USER) => {
                return cursor.skip(2).is_some() && cursor.u8() == Some(PACKED);
            }
            Some(0x80..) => {}
            Some(_) => {
                let Some(length) = cursor.u8() else { return false };
                if cursor.skip(length.into()).is_none() {
                    return false;
                }
            }
        }
    }
}

fn begins_with_identifier(bytes: &[u8], identifier: &[u8]) -> bool {
    let head = bytes.get(..IDENTIFIER_WITHIN).unwrap_or(bytes);
    head.windows(identifier.len()).any(|bytes| bytes == identifier)
}

/// A registration message over UDP.
fn look_registration(bytes: &[u8]) -> Look<Packet> {
    let what = Packet { role: Role::Either, telling: true };
    match begins_with_identifier(bytes, H225) {
        // Its length follows from its contents.
        true => Look::Fits { length: bytes.len(), what },
        false if bytes.len() < IDENTIFIER_WITHIN => Look::Open,
        false => Look::Differs,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut single = Grade::Weak;
    let visit = |message: super::messages::Message<'_, Packet>| {
        if message.what.telling {
            single = Grade::Strong;
        }
    };
    let look = by_carriage(evidence, look, look_registration);
    let sides = read_both(evidence, look, |packet: &Packet| packet.role, visit);
    // TPKT packets chain in other protocols as well.
    let grade = sides.grade(single).filter(|_| single == Grade::Strong);
    sides.answer_graded(Protocol::H323, grade, Details::default())
}
