//! What the fuzz targets share: captures in memory, folded and judged as `portolan check` does it,
//! and what must hold of everything that is written.
//!
//! In: bytes of a fuzzer. Out: a panic when something does not hold that must hold of any input.
//! Not here: what holds of good inputs alone, which is for the tests.

pub mod outputs;
pub mod run;
pub mod take;
