//! The payload of one conversation, both directions, in any pieces: what is recognised takes
//! little memory, and is the same when the capture was cut anywhere between two pieces.
//!
//! The first byte says the transport, whether the begin of the streams is known, and which of some
//! ports are used, the second where the capture was cut; then each piece is a byte that says who
//! sends it and how its sequence number lies, its length in two bytes, and its bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portolan::base::Timestamp;
use portolan::identify::{Carriage, End, Payload, Recognition};
use portolan_fuzz::take::Take;

/// Ports at which some recogniser is asked first, and others.
const PORTS: [u16; 16] =
    [53, 88, 135, 389, 445, 1433, 1434, 2000, 3268, 5060, 80, 443, 25, 21, 40_000, 16_384];

/// Bytes that one flow may hold.
const MOST: usize = 128 << 10;

/// Pieces of one conversation that are read: fewer than a part of a capture holds unread.
const PIECES: usize = 200;

struct Conversation<'a> {
    begins: bool,
    sequences: [u32; 2],
    payloads: Vec<Payload<'a>>,
}

fn conversation<'a>(take: &mut Take<'a>) -> Conversation<'a> {
    let kind = take.byte();
    let carriage = if kind & 1 == 0 { Carriage::Tcp } else { Carriage::Udp };
    let ports = [50_000, PORTS[usize::from(kind >> 4)]];
    let begins = kind & 2 == 0;
    let sequences = [u32::from(take.byte()) << 24, 1000];
    let (mut next, mut payloads) = (sequences, Vec::new());
    while !take.0.is_empty() && payloads.len() < PIECES {
        let how = take.byte();
        let Some(bytes) = take.piece() else { break };
        let by = usize::from(how & 1);
        let sequence = match how >> 1 & 7 {
            // Sent once more, lost in part, or out of order.
            1 => next[by].wrapping_sub(bytes.len() as u32),
            2 => next[by].wrapping_add(7),
            3 => next[by].wrapping_sub(3),
            _ => next[by],
        };
        let beyond = if how & 16 == 0 { 0 } else { u32::from(how) };
        let wire = bytes.len() as u32 + beyond;
        next[by] = sequence.wrapping_add(wire);
        let place = payloads.len() as u64;
        payloads.push(Payload {
            end: if by == 0 { End::A } else { End::B },
            carriage,
            sequence: if carriage == Carriage::Tcp { sequence } else { 0 },
            bytes,
            wire,
            time: Timestamp::from_nanos(place as i64 * 20_000_000),
            place,
            joined: false,
            ports,
        });
    }
    Conversation { begins, sequences, payloads }
}

impl Conversation<'_> {
    fn begun(&self) -> Recognition {
        let mut recognition = Recognition::default();
        if self.begins {
            recognition.begin(End::A, self.sequences[0]);
            recognition.begin(End::B, self.sequences[1]);
        }
        recognition
    }
}

fn take_all(recognition: &mut Recognition, payloads: &[Payload<'_>], hold: bool) {
    for payload in payloads {
        recognition.take(payload, hold, true);
        let limit = if hold { 2 * MOST } else { MOST };
        assert!(recognition.weight() <= limit, "{} bytes are kept", recognition.weight());
    }
}

fuzz_target!(|input: &[u8]| {
    let mut take = Take(input);
    let cut = take.byte();
    let conversation = conversation(&mut take);
    let mut whole = conversation.begun();
    take_all(&mut whole, &conversation.payloads, false);

    let bytes: usize = conversation.payloads.iter().map(|payload| payload.bytes.len()).sum();
    let expected = whole.content();
    if bytes < MOST {
        let at = conversation.payloads.len() * usize::from(cut) / 256;
        let (before, after) = conversation.payloads.split_at(at);
        let mut first = conversation.begun();
        take_all(&mut first, before, false);
        let mut second = Recognition::default();
        take_all(&mut second, after, true);
        first.append(second);
        first.settle();
        assert_eq!(first.content(), expected, "cut before payload {at}");
    }
});
