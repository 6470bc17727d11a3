//! Text of a stored report, which may come from anybody: read, or refused, and written in all its
//! forms.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portolan::report::{StoredReport, diff, in_words, mismatches};
use portolan_fuzz::outputs;

fuzz_target!(|input: &[u8]| {
    let Ok(stored) = StoredReport::read(input) else { return };
    let _ = mismatches(&stored.report);
    outputs::all_forms(&stored.report);
    let same = diff(&stored.report, &stored.sha256, &stored.report);
    let _ = in_words(&same);
});
