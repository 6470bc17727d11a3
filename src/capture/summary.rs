//! What is known of one input once it has been read: provenance, shape, counts and how it
//! ended. Facts only; whether they make a capture good evidence is judged elsewhere.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::arrivals::LatePackets;
use super::clock::ClockSteps;
use super::interface::{Interface, Resolution};
use crate::base::time::Timestamp;
use crate::base::{LinkType, Name, merge, read_name};

/// One input: a capture file, or a stream such as standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InputSummary {
    /// Last component of the path; `-` for standard input.
    pub name: String,
    /// The path as it was given, or as the directory walk found it.
    ///
    /// Not stored: it means nothing to another run.
    #[serde(skip)]
    pub path: PathBuf,
    /// Bytes read of the input as stored (compressed where it is compressed).
    pub size: u64,
    /// SHA-256 of those bytes in lower-case hexadecimal; `None` when the input was not read to
    /// its end.
    pub sha256: Option<String>,
    /// How the input is compressed.
    pub compression: Compression,
    /// Which container was found; `None` when the input is no capture.
    pub container: Option<Container>,
    /// Byte order of the container, of the first section in pcapng.
    pub byte_order: Option<ByteOrder>,
    /// Time resolution of the first interface.
    pub resolution: Option<Resolution>,
    /// Interfaces of all sections in file order. Classic pcap counts as one interface.
    pub interfaces: Vec<Interface>,
    /// Packets read.
    pub packets: u64,
    /// Bytes captured of those packets.
    pub captured_bytes: u64,
    /// Bytes those packets had on the wire.
    pub original_bytes: u64,
    /// Least time stamp. Packets without a time stamp do not count.
    pub first: Option<Timestamp>,
    /// Greatest time stamp. Packets without a time stamp do not count.
    pub last: Option<Timestamp>,
    /// Packets of which fewer bytes were captured than the wire carried.
    pub cut_packets: u64,
    /// Packets whose record claims more captured bytes than the frame had on the wire; their
    /// wire length is taken to be the captured one.
    pub overlong_packets: u64,
    /// Packets without a time stamp (pcapng Simple Packet Blocks). They bear the time of the
    /// packet before them.
    pub untimed_packets: u64,
    /// Steps of time back and jumps of the clock between neighbouring packets of this input that
    /// have a time stamp.
    pub clock: ClockSteps,
    /// What became of packets that came later than others of this or another input although they
    /// are earlier.
    pub late: LatePackets,
    /// Nanoseconds from the latest packet of all inputs before to the earliest of this one;
    /// negative when they overlap.
    pub gap_to_previous: Option<i64>,
    /// Nanoseconds of the time of this input that the inputs before cover as well; `None` when
    /// they do not overlap.
    pub overlap_with_previous: Option<i64>,
    /// How the input ended.
    pub ending: Ending,
}

impl InputSummary {
    pub(super) fn new(path: PathBuf) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        InputSummary {
            name,
            path,
            size: 0,
            sha256: None,
            compression: Compression::None,
            container: None,
            byte_order: None,
            resolution: None,
            interfaces: Vec::new(),
            packets: 0,
            captured_bytes: 0,
            original_bytes: 0,
            first: None,
            last: None,
            cut_packets: 0,
            overlong_packets: 0,
            untimed_packets: 0,
            clock: ClockSteps::default(),
            late: LatePackets::default(),
            gap_to_previous: None,
            overlap_with_previous: None,
            ending: Ending::NotRead { offset: 0 },
        }
    }

    /// Link types in ascending order with the packets of each. A link type that an interface
    /// declares is listed even without packets.
    pub fn link_types(&self) -> Vec<(LinkType, u64)> {
        let mut counts = std::collections::BTreeMap::new();
        for interface in &self.interfaces {
            *counts.entry(interface.link).or_insert(0) += interface.packets;
        }
        counts.into_iter().collect()
    }

    /// Compares the input with those before it, of whose packets `latest` is the greatest time.
    pub(super) fn follow(&mut self, latest: Timestamp) {
        if let (Some(first), Some(last)) = (self.first, self.last) {
            self.gap_to_previous = Some(first.since(latest));
            self.overlap_with_previous = (latest > first).then(|| latest.min(last).since(first));
        }
    }

    /// Takes `time` into the span of the input.
    pub(super) fn extend_span(&mut self, time: Timestamp) {
        merge::least(&mut self.first, Some(time));
        merge::most(&mut self.last, Some(time));
    }
}

/// How an input is compressed, told by its first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip, one or more members (RFC 1952).
    Gzip,
    /// Zstandard, one or more frames (RFC 8878).
    Zstd,
    /// LZ4 frame format, one or more frames.
    Lz4,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Lz4 => "lz4",
        })
    }
}

/// The file format around the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Container {
    /// Classic pcap, magic a1b2c3d4 or a1b23c4d.
    Pcap,
    /// Classic pcap with the longer records of Kuznetzov's libpcap, magic a1b2cd34.
    ModifiedPcap,
    /// pcapng.
    Pcapng,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Container::Pcap => "pcap",
            Container::ModifiedPcap => "modified pcap",
            Container::Pcapng => "pcapng",
        })
    }
}

/// Byte order of the numbers in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// Two bytes as a number.
    #[inline]
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        }
    }

    /// Four bytes as a number.
    #[inline]
    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        }
    }

    /// Eight bytes as a number.
    #[inline]
    pub(super) fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            ByteOrder::Little => u64::from_le_bytes(bytes),
            ByteOrder::Big => u64::from_be_bytes(bytes),
        }
    }
}

impl fmt::Display for ByteOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ByteOrder::Little => "little-endian",
            ByteOrder::Big => "big-endian",
        })
    }
}

/// How the reading of an input ended. Offsets count bytes of the decompressed stream from 0.
/// Every packet before the offset has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// At the end of a record.
    Complete,
    /// Inside a record, as in a file that is still being written or was cut; or in the zero
    /// bytes of a preallocated file. No error.
    IncompleteTail {
        /// Where the last complete record ends.
        offset: u64,
        /// Bytes after that.
        bytes: u64,
        /// What those bytes are.
        #[serde(deserialize_with = "read_name")]
        what: Name,
    },
    /// At bytes that contradict the format. What follows them was not read as packets.
    Corrupt {
        /// Where the damaged record begins.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The input is no capture this build reads, or the system refused to read on.
    Unreadable {
        /// Where reading stopped.
        offset: u64,
        /// Why.
        reason: String,
    },
    /// With the watch that captured it, which began anew later. Nobody captured what came in between.
    Interrupted,
    /// The reading was stopped before the end was reached.
    NotRead {
        /// Where it stopped.
        offset: u64,
    },
}

impl Ending {
    /// Whether the input could not be used to its end, so that a run over it has failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Ending::Corrupt { .. } | Ending::Unreadable { .. })
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Complete => f.write_str("complete"),
            Ending::IncompleteTail { offset, bytes, what } => {
                write!(f, "ends with {bytes} bytes of {what} at offset {offset}")
            }
            Ending::Corrupt { offset, reason } => write!(f, "corrupt at offset {offset}: {reason}"),
            Ending::Unreadable { offset, reason } => {
                write!(f, "unreadable at offset {offset}: {reason}")
            }
            Ending::Interrupted => f.write_str("interrupted with the watch"),
            Ending::NotRead { offset } => write!(f, "not read from offset {offset}"),
        }
    }
}
