//! Remote Desktop Protocol: over TCP its connection request (MS-RDPBCGR sections 2.2.1.1 and
//! 2.2.1.2), over UDP the first datagrams of its multitransport (MS-RDPEUDP section 2.2.2.1).
//!
//! | offset | field |
//! | --- | --- |
//! | 0..4 | TPKT: `03 00`, length |
//! | 4 | length of the rest of the X.224 header and its data |
//! | 5 | `E0` request, `D0` confirmation, `F0` data |
//! | 6..11 | references and class |
//! | 11.. | `Cookie: ` line or routing token, then `01`, `02` or `03`, flags, `08 00`, protocols |
//!
//! A bare request has nothing after offset 11; it fits other users of X.224 as well and is weak. An
//! `F0 80` with `7F 65` behind it begins the conference (T.125), in which `Duca` or `McDn` stands.

use super::details::Details;
use super::messages::{Look, Message, Role, by_carriage, read_both};
use super::tpkt;
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Rdp, carriage: &[Carriage::Tcp, Carriage::Udp], recognise };

/// Detail: the user or host that a connection cookie names.
pub const COOKIE: &str = "cookie";

/// Bytes of TPKT and a whole X.224 connection header.
const CONNECTION: usize = 11;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packet {
    role: Role,
    /// Whether it carries what only this protocol does.
    telling: bool,
}

fn look(bytes: &[u8]) -> Look<Packet> {
    let length = match tpkt::look(bytes, 7) {
        Look::Fits { length, .. } => length,
        Look::Open => return Look::Open,
        Look::Differs => return Look::Differs,
    };
    let mut cursor = Cursor::new(bytes);
    let header = cursor.skip(tpkt::HEADER).and_then(|()| Some((cursor.u8()?, cursor.u8()?)));
    let Some((indicator, kind)) = header else { return Look::Open };
    let body = bytes.get(..length).unwrap_or(bytes);
    let connection = usize::from(indicator) + 5 == length && length >= CONNECTION;
    let what = match kind {
        0xe0 if connection => Packet { role: Role::Client, telling: request(body) },
        0xd0 if connection => Packet { role: Role::Server, telling: negotiation(body, &[2, 3]) },
        0xf0 if indicator == 2 => data(body),
        _ => return Look::Differs,
    };
    Look::Fits { length, what }
}

/// Whether a connection request carries a cookie or a negotiation.
fn request(packet: &[u8]) -> bool {
    let rest = packet.get(CONNECTION..).unwrap_or_default();
    rest.starts_with(b"Cookie: ") || negotiation(packet, &[1])
}

/// Whether the last eight bytes are a negotiation structure of one of the types.
fn negotiation(packet: &[u8], types: &[u8]) -> bool {
    let rest = packet.get(CONNECTION..).unwrap_or_default();
    let structure = rest.len().checked_sub(8).and_then(|at| rest.get(at..));
    matches!(structure, Some([kind, _, 8, 0, _, _, 0, 0]) if types.contains(kind))
}

/// A data packet: a conference begins in it, or anything goes on.
fn data(packet: &[u8]) -> Packet {
    let body = packet.get(tpkt::HEADER + 3..).unwrap_or_default();
    let has = |word: &[u8]| body.windows(word.len()).any(|bytes| bytes == word);
    match body {
        [0x7f, 0x65, ..] => Packet { role: Role::Client, telling: has(b"Duca") },
        [0x7f, 0x66, ..] => Packet { role: Role::Server, telling: has(b"McDn") },
        _ => Packet { role: Role::Either, telling: false },
    }
}

/// The first datagram of a client or a server: an acknowledgement number of minus one, flags with
/// SYN, two sizes between 1132 and 1232, filled up to the larger of them (MS-RDPEUDP sections
/// 2.2.2.1, 2.2.2.5 and 3.1.5.1.1).
fn look_datagram(bytes: &[u8]) -> Look<Packet> {
    let mut cursor = Cursor::new(bytes);
    let Some(acknowledged) = cursor.array::<4>() else {
        return if bytes.iter().all(|byte| *byte == 0xff) { Look::Open } else { Look::Differs };
    };
    if acknowledged != [0xff; 4] {
        return Look::Differs;
    }
    let mut fields = || {
        cursor.skip(2)?;
        let flags = cursor.u16_be()?;
        cursor.skip(4)?;
        Some((flags, cursor.u16_be()?, cursor.u16_be()?))
    };
    let Some((flags, up, down)) = fields() else { return Look::Open };
    let sizes = 1132..=1232;
    if flags & 0x0001 == 0 || !sizes.contains(&up) || !sizes.contains(&down) {
        return Look::Differs;
    }
    let role = if flags & 0x0004 == 0 { Role::Client } else { Role::Server };
    Look::Fits { length: usize::from(up.max(down)), what: Packet { role, telling: true } }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let mut single = Grade::Weak;
    let visit = |message: Message<'_, Packet>| {
        if message.what.telling {
            single = Grade::Strong;
            add_cookie(&mut details, message.bytes);
        }
    };
    let look = by_carriage(evidence, look, look_datagram);
    let sides = read_both(evidence, look, |packet: &Packet| packet.role, visit);
    // Packets of X.224 chain in other protocols as well.
    let grade = match sides.grade(single) {
        Some(_) if single == Grade::Weak => Some(Grade::Weak),
        grade => grade,
    };
    sides.answer_graded(Protocol::Rdp, grade, details)
}

fn add_cookie(details: &mut Details, packet: &[u8]) {
    let name = packet.get(CONNECTION..).and_then(|rest| rest.strip_prefix(b"Cookie: mstshash="));
    let end = |name: &[u8]| name.iter().position(|byte| *byte == b'\r');
    if let Some(name) = name.and_then(|name| name.get(..end(name)?)) {
        details.add_text(COOKIE, name);
    }
}
