//! Server Message Block, versions 1 to 3, directly over TCP or in a NetBIOS session, on any port.
//!
//! Behind the four bytes of framing (`nbss`) stands a magic number, which fixes the header:
//!
//! | magic | header | checked |
//! | --- | --- | --- |
//! | `FF 'SMB'` | SMB 1, 32 bytes (MS-CIFS section 2.2.3.1) | length |
//! | `FE 'SMB'` | SMB 2 and 3, 64 bytes (MS-SMB2 section 2.2.1) | its size field, length |
//! | `FD 'SMB'` | encrypted, 52 bytes (MS-SMB2 section 2.2.41) | length |
//! | `FC 'SMB'` | compressed, 16 bytes (MS-SMB2 section 2.2.42) | length |
//!
//! Remote procedure calls in a pipe are part of SMB and are not looked for.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::nbss::{self, HEADER};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Smb, carriage: &[Carriage::Tcp], recognise };

/// Detail: the version spoken or agreed on, such as `smb1` or `3.1.1`.
pub const DIALECT: &str = "dialect";

/// Whether the bytes behind the framing begin with one of the magic numbers.
pub(super) fn is_magic(bytes: Option<&[u8]>) -> bool {
    matches!(bytes, Some([0xfc..=0xff, b'S', b'M', b'B', ..]))
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// Set-up of the NetBIOS session.
    Session(Role),
    /// SMB 1.
    First(Role),
    /// SMB 2 or 3.
    Second(Role),
    /// An encrypted or compressed message.
    Wrapped,
}

fn look(bytes: &[u8]) -> Look<Frame> {
    let mut cursor = Cursor::new(bytes);
    let session = |length, role| Look::Fits { length, what: Frame::Session(role) };
    match (bytes.first(), bytes.get(1..HEADER)) {
        (None, _) => Look::Open,
        (Some(0x00), _) => message(bytes),
        (Some(0x81), _) => match nbss::request(bytes) {
            Look::Fits { length, .. } => session(length, Role::Client),
            Look::Open => Look::Open,
            Look::Differs => Look::Differs,
        },
        (Some(0x82..=0x85), None) => {
            let _ = cursor.skip(1);
            if cursor.rest().iter().all(|byte| *byte < 7) { Look::Open } else { Look::Differs }
        }
        (Some(0x82), Some([0, 0, 0])) => session(HEADER, Role::Server),
        (Some(0x83), Some([0, 0, 1])) => session(HEADER + 1, Role::Server),
        (Some(0x84), Some([0, 0, 6])) => session(HEADER + 6, Role::Server),
        (Some(0x85), Some([0, 0, 0])) => session(HEADER, Role::Either),
        _ => Look::Differs,
    }
}

/// Looks at a message: length, magic, header.
fn message(bytes: &[u8]) -> Look<Frame> {
    let magic = bytes.get(HEADER..).unwrap_or_default();
    let wanted = |at: usize, byte: u8| match at {
        0 => (0xfc..=0xff).contains(&byte),
        1 => byte == b'S',
        2 => byte == b'M',
        _ => byte == b'B',
    };
    if !magic.iter().take(4).enumerate().all(|(at, byte)| wanted(at, *byte)) {
        return Look::Differs;
    }
    let length = Cursor::new(bytes).u32_be().and_then(|length| usize::try_from(length).ok());
    let (Some(length), Some(version)) = (length, magic.first()) else { return Look::Open };
    if magic.len() < 4 {
        return Look::Open;
    }
    let (least, what) = match version {
        0xff => (32, first(magic)),
        0xfe => (64, second(magic)),
        0xfd => (52, Some(Frame::Wrapped)),
        _ => (16, Some(Frame::Wrapped)),
    };
    match what {
        _ if length < least => Look::Differs,
        Some(what) => Look::Fits { length: HEADER.saturating_add(length), what },
        None if magic.len() < least => Look::Open,
        None => Look::Differs,
    }
}

/// SMB 1: the reply bit in its flags.
fn first(header: &[u8]) -> Option<Frame> {
    const FLAGS: usize = 9;
    let reply = header.get(FLAGS)? & 0x80 != 0;
    Some(Frame::First(if reply { Role::Server } else { Role::Client }))
}

/// SMB 2: the size of its header, the response bit in its flags.
fn second(header: &[u8]) -> Option<Frame> {
    const SIZE: usize = 64;
    let mut cursor = Cursor::new(header);
    cursor.skip(4)?;
    let size = usize::from(cursor.u16_le()?);
    cursor.skip(10)?;
    let response = cursor.u32_le()? & 1 != 0;
    let role = if response { Role::Server } else { Role::Client };
    (size == SIZE).then_some(Frame::Second(role))
}

fn role(frame: &Frame) -> Role {
    match frame {
        Frame::Session(role) | Frame::First(role) | Frame::Second(role) => *role,
        Frame::Wrapped => Role::Either,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let mut messages = 0_u32;
    let visit = |message: Message<'_, Frame>| {
        messages += u32::from(!matches!(message.what, Frame::Session(_)));
        match message.what {
            Frame::Session(_) => {}
            Frame::First(_) => details.add(DIALECT, "smb1"),
            Frame::Second(role) => {
                details.add(DIALECT, "smb2");
                if role == Role::Server {
                    agreed_dialect(&mut details, message.bytes);
                }
            }
            Frame::Wrapped => details.add(DIALECT, "smb3"),
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Frame>, role, visit);
    let grade = sides.grade(Grade::Strong).filter(|_| messages > 0);
    sides.answer_graded(Protocol::Smb, grade, details)
}

/// The dialect that a server chose in its negotiate response (MS-SMB2 section 2.2.4).
fn agreed_dialect(details: &mut Details, bytes: &[u8]) {
    const COMMAND: usize = HEADER + 12;
    const DIALECT_REVISION: usize = HEADER + 64 + 4;
    let field = |offset: usize| Cursor::new(bytes.get(offset..).unwrap_or_default()).u16_le();
    if field(COMMAND) == Some(0) {
        match field(DIALECT_REVISION) {
            Some(0x0202) => details.add(DIALECT, "2.0.2"),
            Some(0x0210) => details.add(DIALECT, "2.1"),
            Some(0x0300) => details.add(DIALECT, "3.0"),
            Some(0x0302) => details.add(DIALECT, "3.0.2"),
            Some(0x0311) => details.add(DIALECT, "3.1.1"),
            _ => {}
        }
    }
}
