//! A reading thread and the fold, joined by two batches that go back and forth.

use std::thread;

use crossbeam_channel::bounded;

use super::fold::{BYTES_PER_RUN, Fold};
use super::partial::Partial;
use crate::capture::FrameBatch;

/// Batches folded at once: enough work between two points where the workers wait for each other.
const FOLDED: usize = 4;

/// Batches in circulation: as many being filled as being folded, and one on its way.
const BATCHES: usize = 2 * FOLDED + 1;

/// How much of the machine a run may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads that decode and update; 0 means one per processor.
    pub threads: usize,
    /// Bytes of memory for the flow table.
    pub max_memory: u64,
    /// Whether copies of a packet count like the packet itself.
    pub keep_copies: bool,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Packets folded.
    pub packets: u64,
    /// Flow runs held.
    pub flows: u64,
}

/// The worker threads could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the worker threads: {0}")]
pub struct PoolError(#[from] rayon::ThreadPoolBuildError);

/// Folds everything that `fill` delivers until it answers `false`.
///
/// `fill` runs on a thread of its own; `progress` is called on the calling thread after every
/// batch.
///
/// # Errors
///
/// When the worker threads cannot be started.
pub fn fold_stream(
    mut fill: impl FnMut(&mut FrameBatch) -> bool + Send,
    limits: Limits,
    mut progress: impl FnMut(Progress),
) -> Result<Partial, PoolError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(limits.threads)
        .thread_name(|index| format!("fold-{index}"))
        .build()?;
    let hasher = foldhash::fast::RandomState::default();
    let most_runs = limits.max_memory / BYTES_PER_RUN;
    let mut fold = if limits.keep_copies {
        Fold::with_reach(hasher, most_runs, 0)
    } else {
        Fold::new(hasher, most_runs)
    };
    let (to_fold, filled) = bounded::<FrameBatch>(BATCHES);
    let (to_reader, empty) = bounded::<FrameBatch>(BATCHES);
    for _ in 0..BATCHES {
        // The channel holds that many, so sending cannot fail or block.
        let _ = to_reader.send(FrameBatch::default());
    }
    thread::scope(|scope| {
        scope.spawn(move || {
            for mut batch in empty {
                let more = fill(&mut batch);
                if to_fold.send(batch).is_err() || !more {
                    return;
                }
            }
        });
        let mut packets = 0;
        let mut batches: Vec<FrameBatch> = Vec::with_capacity(FOLDED);
        loop {
            // Waiting for all of them keeps the place where a full table refuses new flows the
            // same from run to run.
            batches.extend(filled.iter().take(FOLDED));
            if batches.is_empty() {
                break;
            }
            pool.install(|| fold.push(&batches));
            packets += batches.iter().map(|batch| batch.frames.len() as u64).sum::<u64>();
            progress(Progress { packets, flows: fold.runs() });
            for batch in batches.drain(..) {
                // The reader has gone when it met the end; then nobody wants the batch back.
                let _ = to_reader.send(batch);
            }
        }
    });
    Ok(fold.finish())
}
