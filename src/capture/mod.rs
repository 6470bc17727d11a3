//! Where frames come from: capture files of every kind as one stream of batches.
//!
//! In: paths given by the user. Out: [`FrameBatch`]es in time order and, at the end, one
//! [`InputSummary`] per input. Nothing here knows what a frame means.

mod batch;

pub use batch::{FrameBatch, FrameMeta, FrameRef};
