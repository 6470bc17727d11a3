//! A fold that was stored goes on as if it had never been: what is read back is a part of the
//! stream like any other.

use foldhash::fast::RandomState;
use portolan::engine::COPY_REACH;

use super::*;
use crate::runs::repository;

/// Time for which a packet may still be taken for a copy, in nanoseconds. The packets among which
/// copies are looked for are not stored.
const COPIED_WITHIN: i64 = 50_000_000;

/// The same frames as a batch that begins with number `first` of the stream.
fn batch_of(packets: &[(FrameMeta, Vec<u8>)], first: usize) -> FrameBatch {
    let mut batch = FrameBatch::default();
    for ((meta, bytes), index) in packets.iter().zip(first..) {
        let source = FrameRef { ordinal: index as u64, ..meta.source };
        batch.frames.push(FrameMeta { offset: batch.bytes.len(), source, ..*meta });
        batch.bytes.extend_from_slice(bytes);
    }
    batch
}

fn begun(batch: FrameBatch, reach: u64) -> Fold {
    let mut fold = Fold::with_reach(RandomState::default(), u64::MAX, reach).from_begin();
    fold.push(&[batch]);
    fold
}

fn bytes_of(partial: &Partial) -> Vec<u8> {
    let mut bytes = Vec::new();
    partial.store(&mut bytes).expect("it begins the stream");
    bytes
}

fn read_back(bytes: &[u8], reach: u64) -> Partial {
    let mut rest = bytes;
    let partial = Partial::restore(RandomState::default(), reach, &mut rest).expect("stored");
    assert!(rest.is_empty(), "bytes are left over");
    partial
}

/// Stored after the first part and read back before the second.
fn resumed(first: FrameBatch, second: FrameBatch, reach: u64) -> Evaluated {
    let stored = bytes_of(&begun(first, reach).finish());
    let partial = read_back(&stored, reach);
    assert!(bytes_of(&partial) == stored, "the same stretch gives the same bytes");
    let mut fold = Fold::resume(partial, u64::MAX);
    fold.push(&[second]);
    fold.finish().evaluate()
}

proptest! {
    #[test]
    fn a_stored_fold_goes_on_at_any_cut(packets in packets(), cut in 0.0_f64..=1.0) {
        let at = (cut * packets.len() as f64) as usize;
        let (first, second) = packets.split_at(at);
        let expected = begun(batch(&packets, 0), 0).finish().evaluate();
        prop_assert_eq!(resumed(batch(first, 0), batch(second, at), 0), expected);
    }
}

/// With copies left in, any cut will do; else one at which no copy can reach back.
fn compare_at_cuts(packets: &[(FrameMeta, Vec<u8>)], numbers: &mut Numbers, cuts: usize) -> usize {
    let mut compared = 0;
    for reach in [0, COPY_REACH] {
        let whole = begun(batch_of(packets, 0), reach).finish().evaluate();
        for _ in 0..cuts {
            let mut at = numbers.below(packets.len() + 1);
            let reaches_back = |at: usize| {
                let latest = packets[..at].iter().map(|(meta, _)| meta.time).max();
                let next = packets[at..].iter().map(|(meta, _)| meta.time).min();
                let silence = latest.zip(next).map(|(latest, next)| next.since(latest));
                silence.is_some_and(|silence| silence <= COPIED_WITHIN)
            };
            while reach > 0 && reaches_back(at) {
                at += 1;
            }
            let (first, second) = packets.split_at(at);
            let resumed = resumed(batch_of(first, 0), batch_of(second, at), reach);
            for (one, other) in whole.records.iter().zip(&resumed.records) {
                assert_eq!(one, other, "cut at {at}, reach {reach}");
            }
            assert!(whole == resumed, "cut at {at}, reach {reach}");
            compared += usize::from(0 < at && at < packets.len());
        }
    }
    compared
}

#[test]
fn a_fold_over_each_fixture_is_stored_at_many_cuts() {
    for fixture in ["quickstart", "voicemail"] {
        let packets = captured(&repository(&format!("fixtures/{fixture}/capture.pcap")));
        let compared = compare_at_cuts(&packets, &mut Numbers::seeded(1), 12);
        assert!(compared > 12, "{fixture}: {compared}");
    }
}

#[test]
fn real_captures_go_on_from_a_stored_fold() {
    const MOST: usize = 3000;
    let Some(folder) = corpus_folder() else { return };
    let mut files = Vec::new();
    for folder in ["protocols", "encaps", "malformed"].map(|name| folder.join(name)) {
        let entries = std::fs::read_dir(&folder).into_iter().flatten();
        files.extend(entries.map(|entry| entry.expect("a file").path()));
    }
    files.sort();
    let mut compared = 0;
    for (number, file) in (0..).zip(&files) {
        if Inputs::open(std::slice::from_ref(file), Hashing::Off).is_err() {
            continue;
        }
        let mut packets = captured(file);
        packets.truncate(MOST);
        compared += compare_at_cuts(&packets, &mut Numbers::seeded(number), 2);
    }
    println!("{compared} cuts of {} captures", files.len());
    assert!(compared > 500);
}

/// Without any checksum: whatever the bytes are, reading them ends in a fold or in an error.
#[test]
fn bytes_that_were_changed_or_cut_off_never_panic() {
    let mut packets = captured(&repository("fixtures/voicemail/capture.pcap"));
    packets.truncate(400);
    let stored = bytes_of(&begun(batch_of(&packets, 0), 0).finish());
    let read = |mut bytes: &[u8]| Partial::restore(RandomState::default(), 0, &mut bytes).is_ok();
    let mut refused = 0;
    for place in (0..stored.len()).step_by(97) {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = stored.clone();
            changed[place] ^= change;
            refused += u32::from(!read(&changed));
        }
        assert!(!read(&stored[..place]), "cut at {place}");
    }
    assert!(refused > 100, "{refused} refused");
    assert!(read(&stored));
}
