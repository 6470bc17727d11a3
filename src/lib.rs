//! portolan proves from packet captures whether a network's traffic stays inside its
//! documented port matrix.
//!
//! Data flows one way, and a layer names only the layers to its left (`tests/layers.rs`):
//!
//! ```text
//! base < capture < decode < identify < flow < judge < engine < report < live < cli
//! ```
//!
//! [`capture`] turns files into batches of frames, [`decode`] turns frames into transport
//! units, [`identify`] names what their payload speaks, [`flow`] folds them into mergeable per-flow
//! state, [`judge`] compares finished flows with a policy and a site, [`engine`] runs the layers,
//! [`report`] writes what was found, [`live`] does so without an end, and [`cli`] talks to the
//! person. `ARCHITECTURE.md` tells the whole way.

pub mod base;
pub mod capture;
pub mod cli;
pub mod decode;
pub mod engine;
pub mod flow;
pub mod identify;
pub mod judge;
#[cfg(unix)]
pub mod live;
pub mod report;
