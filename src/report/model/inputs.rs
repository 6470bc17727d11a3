//! What was read: the files in order, their interfaces, where the packets lie that the report
//! names, and what was captured when. Not here: what the captures lack, which is `capture_health`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One input.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Base name of the file; `-` for standard input.
    pub name: String,
    /// Bytes as stored.
    pub size: u64,
    /// SHA-256 of those bytes in hexadecimal; absent when the input was not read to its end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// `none`, `gzip`, `zstd` or `lz4`.
    pub compression: String,
    /// `pcap`, `modified pcap` or `pcapng`; absent when the input is no capture.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub container: Option<String>,
    /// Byte order of the container.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub byte_order: Option<String>,
    /// Capture interfaces.
    pub interfaces: Vec<Interface>,
    /// Packets read.
    pub packets: u64,
    /// Bytes those packets had on the wire.
    pub frame_bytes: u64,
    /// Bytes captured of them.
    pub captured_bytes: u64,
    /// Time of the earliest packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<String>,
    /// Time of the latest packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<String>,
    /// Nanoseconds from the end of the inputs before to the begin of this one; negative when
    /// they overlap.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gap_to_previous_ns: Option<i64>,
    /// Nanoseconds of the time of this input that the inputs before cover as well; absent when
    /// they do not overlap.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overlap_with_previous_ns: Option<i64>,
    /// Packets of which the capture kept only the begin.
    pub cut_packets: u64,
    /// Packets whose record claims more captured bytes than the frame had.
    pub overlong_packets: u64,
    /// Packets without a time of their own.
    pub untimed_packets: u64,
    /// Packets that are earlier than the one before them in the input.
    pub time_regressions: u64,
    /// Number of the first such packet; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_regression: Option<u64>,
    /// Nanoseconds by which that one is earlier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_regression_ns: Option<i64>,
    /// Most nanoseconds by which one is earlier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub widest_regression_ns: Option<i64>,
    /// Packets more than a minute earlier than the one before them; they count among
    /// `time_regressions` too.
    pub clock_jumps_backward: u64,
    /// Number of the first such packet; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_jump_backward: Option<u64>,
    /// Packets more than an hour later than the one before them.
    pub clock_jumps_forward: u64,
    /// Number of the first such packet; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_jump_forward: Option<u64>,
    /// Packets that arrived after later ones, of this or another input, and were put back in the
    /// order of their times.
    pub reordered_packets: u64,
    /// Packets that arrived after later ones and stayed there, because they were more than a
    /// second late or more than 4 MiB of packets had come in between.
    pub out_of_reach_packets: u64,
    /// How the reading ended: `complete`, `incomplete-tail`, `corrupt`, `unreadable`,
    /// `interrupted` with the watch that captured it, or `not-read`.
    pub ending: String,
    /// Offset in the uncompressed stream at which it ended early.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ending_offset: Option<u64>,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ending_reason: Option<String>,
}

/// One capture interface.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Section of the file, from 0.
    pub section: u32,
    /// Number in its section, from 0.
    pub index: u32,
    /// Its name, where the file tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// LINKTYPE number.
    pub link_type: u16,
    /// Name of the link type, where this version decodes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link_type_name: Option<String>,
    /// Most bytes captured of a packet; 0 for no limit.
    pub snaplen: u32,
    /// Unit of its time stamps.
    pub resolution: String,
    /// The capture filter; with one, absence in this report proves nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filter: Option<String>,
    /// Packets.
    pub packets: u64,
    /// Packets lost, summed over all counters that the file holds; absent when it holds none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dropped: Option<u64>,
}

/// A file of a folder that was not read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkippedInput {
    /// Base name of the file.
    pub name: String,
    /// Why it was not read.
    pub reason: String,
}

/// Where a packet lies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketPlace {
    /// Number in the stream of all inputs, from 1.
    pub packet: u64,
    /// Index into `inputs`.
    pub input: u32,
    /// Number in that input, from 1, as other tools count.
    pub number: u64,
}

/// What was captured when.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Time of the earliest packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<String>,
    /// Time of the latest packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<String>,
    /// Nanoseconds between them.
    pub span_ns: i64,
    /// Packets.
    pub packets: u64,
    /// Longest time without a packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub largest_gap: Option<Gap>,
    /// Packets of each full hour that has any.
    pub hours: Vec<Hour>,
}

/// A time without packets.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Time of the packet before it.
    pub after: String,
    /// Its length in nanoseconds.
    pub length_ns: i64,
}

/// Packets of one hour.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hour {
    /// Begin of the hour.
    pub hour: String,
    /// Packets in it.
    pub packets: u64,
}
