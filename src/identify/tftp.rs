//! Trivial file transfer protocol (RFC 1350 section 5, options RFC 2347).
//!
//! Layout (big-endian): 0 operation · read 1 and write 2: file name, mode, then options and values,
//! each ended by 00 · data 3 and acknowledgement 4: block · error 5: code, text ended by 00 ·
//! option acknowledgement 6: options and values. Strong: a request that ends with its last string,
//! in one of the three modes. The data travel between other ports: blocks that count up, answered
//! by acknowledgements that do.

use super::Recogniser;
use super::claim::{Answer, Claim, Grade, Proof};
use super::details::Details;
use super::evidence::{Carriage, End, Evidence, Piece};
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of TFTP.
pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Tftp, carriage: &[Carriage::Udp], recognise };

const COURSE: Course = Course::new(Protocol::Tftp, read).detailed(details);

const READ: u16 = 1;
const WRITE: u16 = 2;
const DATA: u16 = 3;
const ACKNOWLEDGEMENT: u16 = 4;
const ERROR: u16 = 5;
const OPTIONS: u16 = 6;

/// Header and contents of a block that is not the last, unless options say otherwise.
const BLOCK: usize = 516;

/// The longest block (RFC 2348).
const LONGEST: usize = 65464 + 4;

/// Blocks and acknowledgements that prove a transfer.
const STEPS: u32 = 3;

fn read(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let Some(operation) = cursor.u16_be() else {
        let could = message.bytes.first().is_none_or(|first| *first == 0);
        return if message.is_cut() && could { Reading::OPEN } else { Reading::NO };
    };
    match operation {
        READ | WRITE => read_request(message),
        DATA if (4..=LONGEST).contains(&message.wire) => Reading::OPEN,
        ACKNOWLEDGEMENT if message.wire == 4 => Reading::OPEN,
        ERROR => read_error(message),
        OPTIONS => read_options(message),
        _ => Reading::NO,
    }
}

/// The strings behind the operation. A last one that is not ended by a zero byte is left out.
fn strings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ended = bytes.iter().rposition(|byte| *byte == 0).unwrap_or(0);
    bytes.get(2..ended).unwrap_or_default().split(|byte| *byte == 0)
}

fn is_printable(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| *byte >= 0x20)
}

fn read_request(message: Message<'_>) -> Reading {
    let mut strings = strings(message.bytes);
    let (Some(name), mode) = (strings.next(), strings.next()) else { return Reading::NO };
    if message.is_cut() {
        return if name.iter().all(|byte| *byte >= 0x20) { Reading::OPEN } else { Reading::NO };
    }
    let known = |mode: &[u8]| {
        [b"octet".as_slice(), b"netascii", b"mail"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(mode))
    };
    // Options and their values come in pairs.
    let options =
        mode.is_some_and(known) && strings.count().is_multiple_of(2) && is_printable(name);
    // A server must bear an empty name, which attackers pad.
    let padded = name.is_empty() && self::strings(message.bytes).last().is_some_and(known);
    if (options || padded) && message.bytes.last() == Some(&0) {
        Reading::strong(message.bytes.len()).from(Role::Client)
    } else {
        Reading::NO
    }
}

fn read_error(message: Message<'_>) -> Reading {
    let code = message.bytes.get(2..4).and_then(|code| code.first_chunk());
    match code.map(|code| u16::from_be_bytes(*code)) {
        None if message.is_cut() => Reading::OPEN,
        Some(0..=8) if message.bytes.last() == Some(&0) || message.is_cut() => {
            let text = message.bytes.get(4..).unwrap_or_default();
            let text = text.strip_suffix(&[0]).unwrap_or(text);
            if is_printable(text) { Reading::weak(message.bytes.len()) } else { Reading::NO }
        }
        _ => Reading::NO,
    }
}

/// Acknowledged options (RFC 2348, RFC 2349, RFC 7440).
fn read_options(message: Message<'_>) -> Reading {
    let first = strings(message.bytes).next().unwrap_or_default();
    let known = [b"blksize".as_slice(), b"tsize", b"timeout", b"windowsize"];
    if known.iter().any(|known| known.eq_ignore_ascii_case(first)) {
        Reading::strong(message.bytes.len()).from(Role::Server)
    } else if message.is_cut() && message.bytes.len() < 12 {
        Reading::OPEN
    } else {
        Reading::NO
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    if matches!(message.bytes, [0, 1 | 2, ..])
        && let Some(name) = strings(message.bytes).next()
    {
        details.add_text("file-name", name);
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    match COURSE.recognise(evidence) {
        Answer::No => Answer::No,
        known @ Answer::Match(Claim { grade: Grade::Strong | Grade::Confirmed, .. }) => known,
        other => [End::A, End::B]
            .into_iter()
            .find_map(|sender| transfer(evidence, sender))
            .map_or(other, Answer::Match),
    }
}

/// The block of a data datagram or of an acknowledgement.
fn block(piece: &Piece<'_>, wanted: u16) -> Option<u16> {
    let mut cursor = Cursor::new(piece.bytes);
    let (operation, block) = (cursor.u16_be()?, cursor.u16_be()?);
    (operation == wanted && (wanted == DATA || piece.wire == 4)).then_some(block)
}

/// A transfer by `sender`: blocks that count up by one, all of one size but the last, and the
/// other end acknowledges them.
fn transfer(evidence: &Evidence<'_>, sender: End) -> Option<Claim> {
    let (data, acknowledged) = (evidence.sent_by(sender), evidence.sent_by(sender.other()));
    let mut steps = 0;
    let mut first = None;
    let mut last: Option<(u16, usize)> = None;
    for piece in data {
        let Some(block) = block(piece, DATA) else { continue };
        if last.is_some_and(|(last, _)| last == block) {
            continue;
        }
        let goes_on = last.is_none_or(|(last, size)| {
            block == last.wrapping_add(1) && size >= BLOCK.min(piece.wire) && piece.wire <= size
        });
        if !goes_on {
            return None;
        }
        steps += 1;
        first = first.or(Some(block));
        last = Some((block, piece.wire));
    }
    // The server acknowledges block 0 when the client asked to write.
    let (first, (end, _)) = first.zip(last)?;
    let before = first.wrapping_sub(1);
    let (mut answered, mut known) = (0, None);
    for number in acknowledged.iter().filter_map(|piece| block(piece, ACKNOWLEDGEMENT)) {
        let within = number.wrapping_sub(before) <= end.wrapping_sub(before);
        if within && known != Some(number) {
            answered += 1;
            known = Some(number);
        }
    }
    let opened = first == 1 || steps >= STEPS;
    let piece = data.iter().position(|piece| block(piece, DATA).is_some())?;
    (opened && answered > 0 && steps + answered >= STEPS).then(|| Claim {
        protocol: Protocol::Tftp,
        grade: Grade::Strong,
        client: None,
        proofs: vec![Proof { end: sender, piece, offset: 0, length: 4 }],
        details: Vec::new(),
    })
}
