//! OpenVPN (protocol description in the source of OpenVPN, `doc/doxygen/doc_protocol_overview.h`).
//!
//! Layout (big-endian), over TCP behind a length of two bytes: 0 opcode 5 bits, key 3 bits · control
//! and acknowledgement: 1 session of the sender, 8 bytes · with authentication a digest of 16 to 64
//! bytes, packet number and time · count of acknowledged packets, their numbers, and if there are
//! any the session of the receiver · control: number of the packet. Weak: the reset that opens a
//! session. Strong: an answer that names the session of the other end.

use super::Recogniser;
use super::claim::{Answer, Claim, Grade, Proof};
use super::evidence::{Carriage, End, Evidence};
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of OpenVPN.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::OpenVpn,
    carriage: &[Carriage::Tcp, Carriage::Udp],
    recognise,
};

const COURSE: Course = Course::new(Protocol::OpenVpn, read).framed(frame).sharing();

/// Opcode byte without the key: resets that open a session, by client and server.
const CLIENT_RESET: u8 = 7;
const SERVER_RESET: u8 = 8;
const CLIENT_RESET_WITH_KEY: u8 = 10;

/// Bytes of the opcode and a session.
const SESSION: usize = 9;

/// What authentication puts behind the session: a digest (16, 20, 32 or 64 bytes), number and time.
const AUTHENTICATION: [usize; 5] = [0, 24, 28, 40, 72];

fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    bytes.first_chunk().map(|length| (2, usize::from(u16::from_be_bytes(*length))))
}

fn read(message: Message<'_>) -> Reading {
    let Some(first) = message.bytes.first() else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let session = message.bytes.get(1..SESSION).and_then(|session| session.first_chunk());
    let session = session.map(|session| u64::from_be_bytes(*session));
    match (first >> 3, session) {
        (CLIENT_RESET, Some(session)) if first & 7 == 0 && is_reset(message) => {
            Reading::weak(SESSION).from(Role::Client).in_exchange(session)
        }
        (SERVER_RESET, Some(_)) => match receiver(message) {
            Some(receiver) if first & 7 == 0 => {
                Reading::weak(SESSION).from(Role::Server).in_exchange(receiver)
            }
            _ => other(message),
        },
        (1..=10, _) => other(message),
        _ => Reading::NO,
    }
}

/// A message that shows nothing but an opcode.
fn other(message: Message<'_>) -> Reading {
    if message.wire > SESSION { Reading::OPEN } else { Reading::NO }
}

/// Whether a reset has its size, and nothing to acknowledge where that is readable: control
/// messages in encryption (40 bytes more) show the number of the first packet instead.
fn is_reset(message: Message<'_>) -> bool {
    AUTHENTICATION.iter().any(|extra| {
        let end = SESSION + extra + 5;
        let clear = message.bytes.get(SESSION + extra..end) == Some(&[0; 5]);
        let first = message.bytes.get(SESSION..SESSION + 4) == Some(&[0, 0, 0, 1]);
        message.wire == end && (clear || *extra == 40 && first)
    })
}

/// The session that the answer to a reset names: one packet acknowledged, number 0, and itself the
/// packet number 0.
fn receiver(message: Message<'_>) -> Option<u64> {
    AUTHENTICATION.iter().find_map(|extra| {
        let mut cursor = Cursor::new(message.bytes);
        cursor.skip(SESSION + extra)?;
        let (count, acknowledged) = (cursor.u8()?, cursor.u32_be()?);
        let (receiver, number) = (cursor.array()?, cursor.u32_be()?);
        let fits = count == 1 && acknowledged == 0 && number == 0;
        (fits && cursor.position() == message.wire).then(|| u64::from_be_bytes(receiver))
    })
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    match COURSE.recognise(evidence) {
        // A reset alone has too few fixed bits to be shown as more than a guess, and none at all
        // when what the other end sent does not answer it.
        Answer::No if both_sent(evidence) => encrypted(evidence, Answer::No),
        Answer::Match(Claim { grade: Grade::Weak, .. }) | Answer::Undecided
            if both_sent(evidence) =>
        {
            encrypted(evidence, Answer::Undecided)
        }
        other => other,
    }
}

/// Bytes of opcode, session, packet number and time.
const STAMPED: usize = 17;

/// How far the clocks of both ends may lie apart, in seconds.
const CLOCK_SPREAD: u32 = 3600;

/// The first packet of an end with control messages in encryption: its opcode and its time.
fn stamp(evidence: &Evidence<'_>, end: End) -> Option<(u8, u32)> {
    let piece = evidence.sent_by(end).first()?;
    let mut cursor = Cursor::new(piece.bytes);
    if evidence.carriage == Carriage::Tcp {
        cursor.skip(2)?;
    }
    let opcode = cursor.u8()?;
    let number = cursor.skip(8).and_then(|()| cursor.u32_be())?;
    // The upper half tells what the client is capable of.
    (opcode & 7 == 0 && number & 0xFFFF == 1).then_some((opcode >> 3, cursor.u32_be()?))
}

/// Control messages in encryption hide what acknowledges what. Their resets show a first packet
/// number and the time, on which both ends agree.
fn encrypted(evidence: &Evidence<'_>, otherwise: Answer) -> Answer {
    let stamps = [End::A, End::B].map(|end| stamp(evidence, end));
    let [Some((a, time)), Some((b, other))] = stamps else { return otherwise };
    let client = match (a, b) {
        (CLIENT_RESET | CLIENT_RESET_WITH_KEY, SERVER_RESET) => End::A,
        (SERVER_RESET, CLIENT_RESET | CLIENT_RESET_WITH_KEY) => End::B,
        _ => return otherwise,
    };
    if time.abs_diff(other) > CLOCK_SPREAD || time < EARLIEST {
        return otherwise;
    }
    let proof = |end| Proof { end, piece: 0, offset: 0, length: STAMPED };
    Answer::Match(Claim {
        protocol: Protocol::OpenVpn,
        grade: Grade::Strong,
        client: Some(client),
        proofs: vec![proof(client), proof(client.other())],
        details: Vec::new(),
    })
}

/// Seconds since 1970 that no OpenVPN is older than: the year 2001.
const EARLIEST: u32 = 978_307_200;

fn both_sent(evidence: &Evidence<'_>) -> bool {
    [End::A, End::B].iter().all(|end| !evidence.sent_by(*end).is_empty())
}
