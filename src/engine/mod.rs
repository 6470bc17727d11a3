//! Runs the layers: frames in, one mergeable [`Partial`] out, and from that an assessment.
//!
//! One thread reads; decoding is parallel over chunks of a batch and updating is parallel over
//! shards of the flow table. Each shard takes the chunks in arrival order, so the result does
//! not depend on the number of threads. No lock, no atomic and no channel lies inside the pool.

mod evidence;
mod fold;
mod partial;
mod routed;
mod run;
mod shard;
mod timeline;

pub use fold::{COPY_REACH, Changed, Fold};
pub use partial::{Evaluated, Partial, StoreError};
pub use run::{Limits, PoolError, Progress, fold_stream};
pub use timeline::Timeline;
