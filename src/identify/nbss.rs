//! NetBIOS session service (RFC 1002 section 4.3), and SMB directly over TCP, which keeps its
//! framing (MS-SMB2 section 2.1).
//!
//! | offset | field |
//! | --- | --- |
//! | 0 | type: 00 message, 81 session request, 82 accepted, 83 refused, 84 go elsewhere, 85 keep-alive |
//! | 1..4 | length of what follows: 17 bits over NetBIOS, 24 bits directly over TCP |
//!
//! A session request carries two names of 34 bytes. This recogniser claims sessions in which no
//! SMB message was seen; with one they are SMB.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Nbss, carriage: &[Carriage::Tcp], recognise };

/// Bytes of the header.
pub(super) const HEADER: usize = 4;
/// Bytes of an encoded name without scope: a length, 32 letters, a closing zero.
const NAME: usize = 34;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Message,
    /// A session request with both names seen.
    Request,
    Response,
    KeepAlive,
}

/// Looks at a possible frame of the session service other than a message.
fn look(bytes: &[u8]) -> Look<Frame> {
    let mut cursor = Cursor::new(bytes);
    let Some(kind) = cursor.u8() else { return Look::Open };
    let rest = cursor.rest();
    let zeros = |length: &[u8]| rest.iter().zip(length).all(|(byte, wanted)| byte == wanted);
    let control = |length: u8, what| match zeros(&[0, 0, length]) {
        false => Look::Differs,
        true if rest.len() < 3 => Look::Open,
        true => Look::Fits { length: HEADER + usize::from(length), what },
    };
    match kind {
        0x81 => request(bytes),
        0x82 => control(0, Frame::Response),
        0x83 => control(1, Frame::Response),
        0x84 => control(6, Frame::Response),
        0x85 => control(0, Frame::KeepAlive),
        0x00 => message(bytes),
        _ => Look::Differs,
    }
}

/// A message over NetBIOS: seven reserved bits, 17 bits of length.
fn message(bytes: &[u8]) -> Look<Frame> {
    let mut cursor = Cursor::new(bytes);
    match cursor.u32_be() {
        None => Look::Open,
        Some(0 | 0x0002_0000..) => Look::Differs,
        Some(length) => Look::Fits {
            length: HEADER.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)),
            what: Frame::Message,
        },
    }
}

/// A session request: the names called and calling, each 32 letters from `A` to `P` (RFC 1001
/// section 14.1).
pub(super) fn request(bytes: &[u8]) -> Look<Frame> {
    let wanted = |at: usize, byte: u8| match at {
        0 => byte == 0x81,
        1 | 2 => byte == 0,
        3 => usize::from(byte) == 2 * NAME,
        at if (at - HEADER).is_multiple_of(NAME) => byte == 0x20,
        at if (at - HEADER) % NAME == NAME - 1 => byte == 0,
        _ => (b'A'..=b'P').contains(&byte),
    };
    let whole = HEADER + 2 * NAME;
    if !bytes.iter().take(whole).enumerate().all(|(at, byte)| wanted(at, *byte)) {
        return Look::Differs;
    }
    if bytes.len() < whole {
        Look::Open
    } else {
        Look::Fits { length: whole, what: Frame::Request }
    }
}

fn role(frame: &Frame) -> Role {
    match frame {
        Frame::Request => Role::Client,
        Frame::Response => Role::Server,
        Frame::Message | Frame::KeepAlive => Role::Either,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut request = false;
    let mut response = false;
    let mut smb = false;
    let visit = |message: Message<'_, Frame>| match message.what {
        Frame::Request => request = true,
        Frame::Response => response = true,
        Frame::KeepAlive => {}
        Frame::Message => smb |= super::smb::is_magic(message.bytes.get(HEADER..)),
    };
    let sides = read_both(evidence, look as Looker<'_, Frame>, role, visit);
    let grade = match (request, response) {
        _ if smb => None,
        (true, true) => Some(Grade::Confirmed),
        (true, false) => Some(Grade::Strong),
        (false, _) => None,
    };
    sides.answer_graded(Protocol::Nbss, grade, Details::default())
}
