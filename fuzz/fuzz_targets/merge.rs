//! The law of the merge: a stream that is cut anywhere, folded in parts and joined, evaluates to
//! what the whole evaluates to. Two bytes say where it is cut, one how many packets apart copies
//! are looked for; then the capture follows.

#![no_main]

use std::collections::BTreeSet;

use foldhash::fast::RandomState;
use libfuzzer_sys::fuzz_target;
use portolan::base::Timestamp;
use portolan::capture::{FrameBatch, FrameMeta, FrameRef};
use portolan::decode::{Decoded, dissect};
use portolan::engine::{Fold, Partial};
use portolan_fuzz::run;
use portolan_fuzz::take::Take;

/// Packets of a stream, and their bytes: so few that no part meets a cap.
const MOST_PACKETS: usize = 240;
const MOST_BYTES: usize = 1 << 17;

/// Nanoseconds by which a packet may be older than one before it.
const LATE: i64 = 2_000_000_000;

const REACHES: [u64; 5] = [0, 1, 2, 5, 2048];

/// The first packets of a capture, none of them older by more than the law allows.
fn stream(bytes: &[u8]) -> FrameBatch {
    let mut stream = FrameBatch::default();
    let Some(read) = run::read(bytes) else { return stream };
    let mut latest = i64::MIN;
    for batch in &read.batches {
        for frame in &batch.frames {
            let data = batch.data(frame);
            let count = stream.frames.len();
            if count == MOST_PACKETS || stream.bytes.len() + data.len() > MOST_BYTES {
                return stream;
            }
            latest = latest.max(frame.time.nanos());
            let time = frame.time.nanos().max(latest.saturating_sub(LATE));
            let ordinal = count as u64;
            let source = FrameRef { ordinal, input: 0, number: ordinal + 1 };
            let frame = FrameMeta { time: Timestamp::from_nanos(time), source, ..*frame };
            stream.append_copy(&frame, data);
        }
    }
    stream
}

/// Whether a datagram identification is used for two datagrams, of which the law says nothing.
fn reuses_identifications(stream: &FrameBatch) -> bool {
    let (mut firsts, mut lasts) = (BTreeSet::new(), BTreeSet::new());
    stream.frames.iter().any(|frame| match dissect(frame, stream.data(frame), &mut ()) {
        Decoded::Unit(unit) => {
            unit.first_fragment().is_some_and(|datagram| !firsts.insert(datagram))
        }
        Decoded::Fragment(part) => part.is_last && !lasts.insert(part.datagram),
        _ => false,
    })
}

fn fold(hasher: &RandomState, stream: &FrameBatch, frames: &[FrameMeta], reach: u64) -> Partial {
    let mut batch = FrameBatch::default();
    for frame in frames {
        batch.append_copy(frame, stream.data(frame));
    }
    let mut fold = Fold::with_reach(hasher.clone(), u64::MAX, reach);
    fold.push(&[batch]);
    fold.finish()
}

fuzz_target!(|input: &[u8]| {
    let mut take = Take(input);
    let (cuts, reach) = ([take.byte(), take.byte()], take.byte());
    let reach = REACHES[usize::from(reach) % REACHES.len()];
    let stream = stream(take.0);
    if stream.frames.is_empty() || reuses_identifications(&stream) {
        return;
    }
    let hasher = RandomState::default();
    let whole = fold(&hasher, &stream, &stream.frames, reach).evaluate();
    let mut cuts = cuts.map(|cut| stream.frames.len() * usize::from(cut) / 256);
    cuts.sort_unstable();
    let [one, two] = cuts;
    let part = |frames: &[FrameMeta]| fold(&hasher, &stream, frames, reach);
    let mut first = part(&stream.frames[..one]);
    let mut rest = part(&stream.frames[one..two]);
    rest.merge(part(&stream.frames[two..]));
    first.merge(rest);
    let joined = first.evaluate();
    for (one, other) in whole.records.iter().zip(&joined.records) {
        assert_eq!(one, other, "cut before {cuts:?}, reach {reach}");
    }
    assert!(joined == whole, "cut before {cuts:?}, reach {reach}: {joined:?} is not {whole:?}");
});
