//! Bytes of a stored fold, as a watch leaves them: read back, or refused. What is read back is
//! stored as it was read, and evaluates.
//!
//! The first byte says how often bytes are changed of the fold of the capture that follows, three
//! bytes for each change; with 255 the rest are those bytes themselves.

#![no_main]

use foldhash::fast::RandomState;
use libfuzzer_sys::fuzz_target;
use portolan::engine::{COPY_REACH, Partial};
use portolan_fuzz::run;
use portolan_fuzz::take::Take;

fn read_back(mut bytes: &[u8]) -> Option<Partial> {
    Partial::restore(RandomState::default(), COPY_REACH, &mut bytes).ok()
}

fn bytes_of(partial: &Partial) -> Vec<u8> {
    let mut bytes = Vec::new();
    partial.store(&mut bytes).expect("what was read back begins its stream");
    bytes
}

/// The bytes to be read back.
fn stored(input: &[u8]) -> Option<Vec<u8>> {
    let mut take = Take(input);
    let changes = take.byte();
    if changes == 255 {
        return Some(take.0.to_vec());
    }
    let changes: Vec<_> = (0..changes % 8).map(|_| (take.word(), take.byte())).collect();
    let read = run::read(take.0)?;
    let mut bytes = bytes_of(&run::fold(&read.batches, 4).finish());
    for (place, value) in changes {
        let place = usize::from(place) % bytes.len();
        bytes[place] ^= value;
    }
    Some(bytes)
}

fuzz_target!(|input: &[u8]| {
    let Some(partial) = stored(input).and_then(|bytes| read_back(&bytes)) else { return };
    let stored = bytes_of(&partial);
    let again = read_back(&stored).expect("what was stored is read back");
    assert!(bytes_of(&again) == stored, "the same stretch gives the same bytes");
    let _ = partial.evaluate();
});
