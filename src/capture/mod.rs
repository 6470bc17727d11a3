//! Where frames come from: capture files of every kind as one stream of batches.
//!
//! In: paths given by the user, or frames of an interface. Out: [`FrameBatch`]es in time order and, at the end, one
//! [`InputSummary`] per input. Nothing here knows what a frame means.
//!
//! A path goes through `paths` (folders, doubles, names), `inputs` (order, overlap) and `input`
//! (one file from first to last byte); what they deliver goes through `arrivals` (which packets
//! are late) and `reorder` (their places). Bytes go through `compression` (hash, decompress) and
//! `feed` (a thread that reads ahead), and are cut into records by `pcap` or `pcapng`. The way back,
//! packets into a file, is `write`.

mod arrivals;
mod batch;
mod clock;
mod compression;
mod container;
mod earlier;
mod error;
mod feed;
mod input;
mod inputs;
mod interface;
mod live_input;
mod paths;
mod pcap;
mod pcapng;
mod reorder;
mod summary;
mod write;

pub use arrivals::{LatePackets, TimeHealth};
pub use batch::{FrameBatch, FrameMeta, FrameRef};
pub use clock::{ClockSteps, TimeSteps};
pub use compression::Hashing;
pub use earlier::Earlier;
pub use error::OpenError;
pub use inputs::Inputs;
pub use interface::{Interface, InterfaceStatistics, Resolution};
pub use live_input::{LiveInput, RunningSummary};
pub use paths::Skipped;
pub use summary::{ByteOrder, Compression, Container, Ending, InputSummary};
pub use write::{PcapngWriter, WrittenPacket};
