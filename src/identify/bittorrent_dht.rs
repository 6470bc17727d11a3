//! BitTorrent over UDP: the distributed hash table (BEP 5), the micro transport protocol (BEP 29)
//! and trackers (BEP 15).
//!
//! A message of the hash table is a bencoded dictionary with sorted keys: `d1:ad2:id20:` opens a
//! query, `d1:rd2:id20:` an answer, `d1:eli` an error. A tracker's conversation opens with the
//! number 0000041727101980, action 0 and a transaction; the answer repeats both. A micro transport
//! packet (big-endian): 0 type 4 bits, version 1 · 1 extension · 2 connection · 4 time · 8 delay · 12
//! window · 16 sequence · 18 acknowledged. Strong: the words of the hash table or the number, or
//! a synchronisation packet that is acknowledged on its connection.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::header_lines::{Start, starts};
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of BitTorrent over UDP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::BitTorrent,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::BitTorrent, read).detailed(details).sharing();

/// What messages of the hash table start with; some put a version or an address before the rest.
const QUERY: &[u8] = b"d1:ad2:id20:";
const ANSWER: &[u8] = b"d1:rd2:id20:";
const ERROR: &[u8] = b"d1:eli2";
const ADDRESSED: [&[u8]; 2] = [b"d2:ip6:", b"d2:ip4:"];

/// The number that opens a tracker's conversation.
const TRACKER: u64 = 0x0000_0417_2710_1980;
const TRACKER_REQUEST: usize = 16;

const MICRO_HEADER: usize = 20;

/// What follows the header of a micro transport packet when peers shake hands.
const HANDSHAKE: &[u8] = b"\x13BitTorrent protocol";

fn read(message: Message<'_>) -> Reading {
    if message.bytes.is_empty() {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    }
    if message.bytes.first() == Some(&b'd') {
        return read_table(message);
    }
    let tracker = read_tracker(message);
    if tracker.is_possible() { tracker } else { read_micro(message) }
}

fn read_table(message: Message<'_>) -> Reading {
    let of = |words: &[u8]| starts(message, words);
    let addressed = ADDRESSED.iter().any(|words| of(words) == Start::Yes)
        && message.bytes.windows(5).any(|window| window == b"2:id2");
    let known = [QUERY, ANSWER, ERROR];
    if addressed || known.iter().any(|words| of(words) == Start::Yes) {
        // A dictionary ends as it began.
        let ends = message.is_cut() || message.bytes.last() == Some(&b'e');
        let role = if of(QUERY) == Start::Yes { Role::Client } else { Role::Any };
        return if ends { Reading::strong(12).from(role) } else { Reading::weak(12) };
    }
    let cut = known.iter().chain(&ADDRESSED).any(|words| of(words) == Start::Cut);
    if cut { Reading::OPEN } else { Reading::NO }
}

/// The request is 16 bytes: number, action 0, transaction.
fn read_tracker(message: Message<'_>) -> Reading {
    let request = TRACKER.to_be_bytes().into_iter().chain([0; 4]);
    if message.wire != TRACKER_REQUEST || !message.bytes.iter().copied().zip(request).all(same) {
        return Reading::NO;
    }
    if message.bytes.len() < 12 { Reading::OPEN } else { Reading::strong(12).from(Role::Client) }
}

fn same((found, wanted): (u8, u8)) -> bool {
    found == wanted
}

fn read_micro(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let (Some(first), Some(extension)) = (cursor.u8(), cursor.u8()) else {
        let could = message.bytes.first().is_none_or(|first| first & 0x0F == 1 || *first == 0);
        return if message.is_cut() && could { Reading::OPEN } else { Reading::NO };
    };
    let kind = first >> 4;
    if first & 0x0F != 1 || kind > 4 || extension > 3 || message.wire < MICRO_HEADER {
        return Reading::NO;
    }
    let Some((connection, sequence, acknowledged)) = (|| {
        let connection = cursor.u16_be()?;
        cursor.skip(12)?;
        Some((connection, cursor.u16_be()?, cursor.u16_be()?))
    })() else {
        return Reading::OPEN;
    };
    if message.bytes.get(MICRO_HEADER..).is_some_and(|rest| rest.starts_with(HANDSHAKE)) {
        return Reading::strong(MICRO_HEADER + HANDSHAKE.len());
    }
    let exchange = |number: u16| u64::from(connection) << 16 | u64::from(number);
    match kind {
        // The first packet has nothing to acknowledge; the answer acknowledges its number on its
        // connection.
        SYN if extension == 0 && acknowledged == 0 && message.wire == MICRO_HEADER => {
            Reading::weak(MICRO_HEADER).from(Role::Client).in_exchange(exchange(sequence))
        }
        STATE if message.wire <= 64 => Reading::of(super::reading::Fit::Weak, MICRO_HEADER)
            .from(Role::Server)
            .in_exchange(exchange(acknowledged)),
        SYN => Reading::NO,
        _ => Reading::OPEN,
    }
}

const STATE: u8 = 2;
const SYN: u8 = 4;

fn details(message: Message<'_>, details: &mut Details) {
    match message.bytes.first() {
        Some(b'd') => details.add("part", "dht"),
        Some(0) => details.add("part", "tracker"),
        _ => details.add("part", "utp"),
    }
}
