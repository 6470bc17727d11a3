//! What the two containers have in common: they cut the decompressed stream into records.
//!
//! In: the unread bytes of the stream. Out: one [`Step`] at a time. Nothing here reads files or
//! keeps bytes; a reader that lacks bytes says how many it needs and is asked again.

use super::interface::Interface;
use super::pcap::PcapReader;
use super::pcapng::PcapngReader;
use super::summary::{ByteOrder, Container};
use crate::base::{LinkType, Timestamp};

/// Most bytes of one record, its header included: the largest packet of any link type
/// ([`most_captured`]) and as much again as headers and options may take.
pub(super) const MOST_RECORD_BYTES: usize = (128 << 20) + (1 << 20);

/// Most captured bytes of a packet: 256 KiB, except for the few link types that carry whole
/// transfers. Wireshark's file readers apply these bounds (`wtap_max_snaplen_for_encap`), so what
/// they accept is accepted, and a length from damaged bytes is noticed at once.
pub(super) fn most_captured(link: LinkType) -> u32 {
    const DBUS: LinkType = LinkType(231);
    const USBPCAP: LinkType = LinkType(249);
    const EBHSCR: LinkType = LinkType(279);
    match link {
        DBUS | USBPCAP => 128 << 20,
        EBHSCR => 32 << 20,
        _ => 256 << 10,
    }
}

/// What stands at the read position.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// A packet.
    Packet(Record),
    /// Bytes without a packet: how many.
    Skip(usize),
    /// The record is longer than what is there.
    Need {
        /// Bytes needed from the read position.
        bytes: usize,
        /// What is incomplete.
        what: &'static str,
    },
    /// Zero bytes where a record should begin: a preallocated file not yet written.
    Padding,
    /// Bytes that contradict the format.
    Corrupt(String),
}

/// A packet in its record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Record {
    /// Bytes of the record, headers and padding included.
    pub(super) length: usize,
    /// Offset of the first captured byte in the record.
    pub(super) data: usize,
    /// Bytes captured.
    pub(super) captured: u32,
    /// Bytes on the wire, as the record says.
    pub(super) original: u32,
    /// When; `None` when the record does not say.
    pub(super) time: Option<Timestamp>,
    /// Index in [`RecordReader::interfaces`].
    pub(super) interface: usize,
    /// Link type.
    pub(super) link: LinkType,
    /// Bytes of frame check sequence.
    pub(super) fcs_bytes: u8,
    /// Packets lost before this one, as the record says.
    pub(super) dropped: u32,
}

/// A reader of one container.
#[derive(Debug)]
pub(super) enum RecordReader {
    Pcap(PcapReader),
    Pcapng(PcapngReader),
}

impl RecordReader {
    /// Reads what stands at the start of `unread`. The same bytes give the same packet again;
    /// blocks that describe interfaces must be passed over once they are answered with
    /// [`Step::Skip`].
    #[inline(always)]
    pub(super) fn step(&mut self, unread: &[u8]) -> Step {
        match self {
            RecordReader::Pcap(reader) => reader.step(unread),
            RecordReader::Pcapng(reader) => reader.step(unread),
        }
    }

    /// Interfaces declared so far.
    pub(super) fn interfaces(&mut self) -> &mut Vec<Interface> {
        match self {
            RecordReader::Pcap(reader) => &mut reader.interfaces,
            RecordReader::Pcapng(reader) => &mut reader.interfaces,
        }
    }

    /// The same, to be read.
    pub(super) fn described(&self) -> &[Interface] {
        match self {
            RecordReader::Pcap(reader) => &reader.interfaces,
            RecordReader::Pcapng(reader) => &reader.interfaces,
        }
    }

    /// Which container it is.
    pub(super) fn container(&self) -> Container {
        match self {
            RecordReader::Pcap(reader) => reader.container(),
            RecordReader::Pcapng(_) => Container::Pcapng,
        }
    }

    /// Byte order, of the first section in pcapng.
    pub(super) fn byte_order(&self) -> ByteOrder {
        match self {
            RecordReader::Pcap(reader) => reader.byte_order(),
            RecordReader::Pcapng(reader) => reader.first_byte_order(),
        }
    }
}

/// The answer to the first bytes of a decompressed stream.
#[derive(Debug)]
pub(super) enum Opening {
    /// A capture; its records begin after this many bytes.
    Capture(RecordReader, usize),
    /// This many bytes are needed to tell.
    Need(usize),
    /// A capture that this build refuses, or something else.
    Refused {
        /// Whether the magic number is that of a capture file.
        is_capture: bool,
        /// Why it is refused.
        reason: String,
    },
}

/// Looks at the first bytes of a decompressed stream. When they are the `whole` of it, no more
/// are asked for.
pub(super) fn open_container(first: &[u8], whole: bool) -> Opening {
    let reason = match recognise(first) {
        Opening::Need(LONGEST_MAGIC) if whole => foreign(first),
        Opening::Need(_) if whole => {
            format!("the input ends after {} bytes, inside the file header", first.len())
        }
        other => return other,
    };
    Opening::Refused { is_capture: false, reason }
}

fn recognise(first: &[u8]) -> Opening {
    let Some(&magic) = first.first_chunk::<4>() else {
        return Opening::Need(4);
    };
    if magic == super::pcapng::SECTION_HEADER {
        return Opening::Capture(RecordReader::Pcapng(PcapngReader::default()), 0);
    }
    if let Some(answer) = PcapReader::open(first) {
        return answer;
    }
    if first.len() < LONGEST_MAGIC {
        return Opening::Need(LONGEST_MAGIC);
    }
    Opening::Refused { is_capture: false, reason: foreign(first) }
}

/// What a stream is that begins neither like pcap nor like pcapng.
fn foreign(first: &[u8]) -> String {
    match FOREIGN.iter().find(|(magic, ..)| first.starts_with(magic)) {
        Some((_, name, remedy)) => format!("this is {name}, which is not read; {remedy}"),
        None => "neither pcap nor pcapng: no known magic number".to_owned(),
    }
}

/// Bytes of the longest of the magic numbers below.
const LONGEST_MAGIC: usize = 16;

const CONVERT: &str = "convert it with `editcap -F pcapng`";
const DECOMPRESS: &str = "decompress it first";

/// Other formats that are told by their first bytes, and what to do about them (snoop: RFC
/// 1761; the rest from the formats' own documentation).
const FOREIGN: [(&[u8], &str, &str); 14] = [
    (b"snoop\0\0\0", "a Solaris snoop capture (RFC 1761)", CONVERT),
    (b"btsnoop\0", "a Bluetooth btsnoop log", CONVERT),
    (b"GMBU", "a Microsoft Network Monitor 2 capture", CONVERT),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", CONVERT),
    (b"TRSNIFF data", "a Sniffer capture", CONVERT),
    (b"XCP\0", "a NetXRay or Windows Sniffer capture", CONVERT),
    (b"iptrace ", "an AIX iptrace capture", CONVERT),
    (b"ObserverPktBuffe", "a Network Instruments Observer capture", CONVERT),
    (b"LOGG", "a Vector BLF log", CONVERT),
    (b"\x1c\x00\x01\xac", "an Ixia lcap capture", CONVERT),
    (b"\xac\x01\x00\x1c", "an Ixia lcap capture", CONVERT),
    (b"\xfd7zXZ\0", "an xz stream", DECOMPRESS),
    (b"BZh", "a bzip2 stream", DECOMPRESS),
    (b"PK\x03\x04", "a zip archive", DECOMPRESS),
];
