//! Open Network Computing remote procedure calls (RFC 5531), with port mapper, mount and network
//! file system; over UDP, and over TCP in fragments behind four bytes of record mark (section 11).
//!
//! A call is: transaction, 0, version 2, program, its version, procedure, credential (kind and
//! length), verifier (kind and length). A reply is: transaction, 1, 0 accepted or 1 refused, and
//! then a verifier and a status, or the reason. A call is strong; a reply mostly zeros, so it counts
//! little by itself, and with the transaction of a call confirms.

use super::details::Details;
use super::messages::{Look, Message, Role, by_carriage, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use crate::base::Cursor;

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::SunRpc, carriage: &[Carriage::Tcp, Carriage::Udp], recognise };

/// Detail: a program called, by name or number.
pub const PROGRAM: &str = "program";

/// Longest credential or verifier (RFC 5531 section 8.2).
const LONGEST_AUTHENTICATION: u32 = 400;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Call { transaction: u32, program: u32 },
    Reply { transaction: u32 },
}

/// A record over TCP: its mark, then a message that fits into it.
fn look_stream(bytes: &[u8]) -> Look<Kind> {
    const LAST: u32 = 0x8000_0000;
    const LONGEST: usize = 1 << 24;
    let mut cursor = Cursor::new(bytes);
    let Some(mark) = cursor.u32_be() else {
        return if bytes.first().is_none_or(|byte| *byte == 0x80) {
            Look::Open
        } else {
            Look::Differs
        };
    };
    let length = usize::try_from(mark & !LAST).unwrap_or(usize::MAX);
    if mark & LAST == 0 || !(24..=LONGEST).contains(&length) {
        return Look::Differs;
    }
    match message(cursor.rest(), Some(length)) {
        Ok(Some(what)) => Look::Fits { length: 4 + length, what },
        Ok(None) => Look::Open,
        Err(Differs) => Look::Differs,
    }
}

/// A datagram.
fn look_datagram(bytes: &[u8]) -> Look<Kind> {
    match message(bytes, None) {
        // The length of a message follows from its contents, which differ from program to
        // program: it fills the datagram.
        Ok(Some(what)) => Look::Fits { length: bytes.len().max(1), what },
        Ok(None) => Look::Open,
        Err(Differs) => Look::Differs,
    }
}

/// The bytes are no message.
struct Differs;

/// Reads the fixed part of a message; `None` when the bytes end within it.
fn message(bytes: &[u8], length: Option<usize>) -> Result<Option<Kind>, Differs> {
    let mut cursor = Cursor::new(bytes);
    let Some(transaction) = cursor.u32_be() else { return Ok(None) };
    match cursor.u32_be() {
        None => Ok(None),
        Some(0) => call(&mut cursor, transaction, length),
        Some(1) => reply(&mut cursor, transaction),
        Some(_) => Err(Differs),
    }
}

fn call(
    cursor: &mut Cursor<'_>,
    transaction: u32,
    length: Option<usize>,
) -> Result<Option<Kind>, Differs> {
    const MOST_PROCEDURES: u32 = 256;
    const MOST_VERSIONS: u32 = 16;
    let mut field = |test: &dyn Fn(u32) -> bool| match cursor.u32_be() {
        None => Ok(None),
        Some(value) if test(value) => Ok(Some(value)),
        Some(_) => Err(Differs),
    };
    field(&|version| version == 2)?;
    // Programs below 100000 are not assigned (RFC 5531 section 8.3).
    let program = field(&|program| (100_000..0x6000_0000).contains(&program))?;
    field(&|version| version <= MOST_VERSIONS)?;
    field(&|procedure| procedure < MOST_PROCEDURES)?;
    field(&|kind| kind <= 6 || (390_000..400_000).contains(&kind))?;
    let size = field(&|size| {
        size <= LONGEST_AUTHENTICATION && length.is_none_or(|length| size as usize + 40 <= length)
    })?;
    Ok(size.and(program).map(|program| Kind::Call { transaction, program }))
}

fn reply(cursor: &mut Cursor<'_>, transaction: u32) -> Result<Option<Kind>, Differs> {
    let Some(status) = cursor.u32_be() else { return Ok(None) };
    let (Some(first), Some(second)) = (cursor.u32_be(), cursor.u32_be()) else { return Ok(None) };
    let fits = match status {
        // A verifier: kind and length.
        0 => first <= 6 && second <= LONGEST_AUTHENTICATION,
        // Wrong version, or authentication refused.
        1 => first <= 1 && second <= 16,
        _ => false,
    };
    if fits { Ok(Some(Kind::Reply { transaction })) } else { Err(Differs) }
}

fn role(kind: &Kind) -> Role {
    match kind {
        Kind::Call { .. } => Role::Client,
        Kind::Reply { .. } => Role::Server,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let mut called = None;
    let mut answered = None;
    let mut single = Grade::Weak;
    let visit = |message: Message<'_, Kind>| match message.what {
        Kind::Call { transaction, program } => {
            single = Grade::Strong;
            called.get_or_insert(transaction);
            match program {
                100_000 => details.add(PROGRAM, "portmapper"),
                100_003 => details.add(PROGRAM, "nfs"),
                100_005 => details.add(PROGRAM, "mount"),
                100_021 => details.add(PROGRAM, "lock-manager"),
                100_024 => details.add(PROGRAM, "status"),
                number => details.add(PROGRAM, number.to_string()),
            }
        }
        Kind::Reply { transaction } => {
            answered.get_or_insert(transaction);
        }
    };
    let look = by_carriage(evidence, look_stream, look_datagram);
    let sides = read_both(evidence, look, role, visit);
    // Replies alone are mostly zeros: in datagrams they are nothing, behind a record mark a hint.
    let grade = match (sides.grade(single), single, evidence.carriage) {
        (Some(_), Grade::Weak, Carriage::Udp) => None,
        (Some(_), Grade::Weak, Carriage::Tcp) => Some(Grade::Weak),
        (Some(grade), ..) if called != answered => Some(grade.min(Grade::Strong)),
        (grade, ..) => grade,
    };
    sides.answer_graded(Protocol::SunRpc, grade, details)
}
