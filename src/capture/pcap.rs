//! Classic pcap (draft-ietf-opsawg-pcap): a 24-byte file header, then records.
//!
//! All of it but the magic number is in the byte order of the writing machine. Not here: the
//! zone and accuracy fields, which no writer fills in.

use super::container::{Opening, Record, RecordReader, Step, most_captured};
use super::interface::{Interface, Resolution};
use super::summary::{ByteOrder, Container};
use crate::base::{LinkType, Timestamp};

/// Bytes of the file header.
const FILE_HEADER: usize = 24;
/// Bytes of a record header: seconds, fraction, captured length, original length.
const RECORD_HEADER: usize = 16;
/// Bytes of a record header of the modified format: interface index, protocol, packet type and
/// padding follow.
const MODIFIED_RECORD_HEADER: usize = 24;

/// The link-type field: bits that have no meaning yet.
const RESERVED: u32 = 0x03ff_0000;
/// The link-type field: the upper four bits hold the length of the frame check sequence.
const FCS_PRESENT: u32 = 0x0400_0000;

/// Reads the records of one file.
#[derive(Debug)]
pub(super) struct PcapReader {
    order: ByteOrder,
    nanoseconds: bool,
    header_bytes: usize,
    lengths: LengthOrder,
    link: LinkType,
    fcs_bytes: u8,
    most_captured: u32,
    /// The one interface.
    pub(super) interfaces: Vec<Interface>,
}

/// Which of the two lengths in a record header comes first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LengthOrder {
    /// Captured, original: version 2.4.
    CapturedFirst,
    /// Original, captured: before version 2.3, and 543.0 of DG/UX.
    OriginalFirst,
    /// Version 2.3 knew both; the captured length is the smaller.
    SmallerIsCaptured,
}

impl PcapReader {
    /// Reads the file header. `None` when the magic number is not that of pcap.
    pub(super) fn open(first: &[u8]) -> Option<Opening> {
        let magic = u32::from_be_bytes(*first.first_chunk::<4>()?);
        let (order, nanoseconds, header_bytes) = match magic {
            0xa1b2_c3d4 => (ByteOrder::Big, false, RECORD_HEADER),
            0xd4c3_b2a1 => (ByteOrder::Little, false, RECORD_HEADER),
            0xa1b2_3c4d => (ByteOrder::Big, true, RECORD_HEADER),
            0x4d3c_b2a1 => (ByteOrder::Little, true, RECORD_HEADER),
            0xa1b2_cd34 => (ByteOrder::Big, false, MODIFIED_RECORD_HEADER),
            0x34cd_b2a1 => (ByteOrder::Little, false, MODIFIED_RECORD_HEADER),
            _ => return None,
        };
        let Some(&header) = first.first_chunk::<FILE_HEADER>() else {
            return Some(Opening::Need(FILE_HEADER));
        };
        let [_, _, _, _, a, b, c, d, _, _, _, _, _, _, _, _, e, f, g, h, i, j, k, l] = header;
        let (major, minor) = (order.u16([a, b]), order.u16([c, d]));
        let snaplen = order.u32([e, f, g, h]);
        let network = order.u32([i, j, k, l]);
        let refused = |reason| Some(Opening::Refused { is_capture: true, reason });
        if major < 2 {
            return refused(format!("pcap version {major}.{minor} is not supported (2.0 and up)"));
        }
        if network & RESERVED != 0 {
            return refused(format!(
                "the reserved bits of the link-type field are set ({network:#010x})"
            ));
        }
        // The length is counted in units of 16 bits.
        let fcs_bytes = if network & FCS_PRESENT != 0 { (network >> 28) as u8 * 2 } else { 0 };
        let link = LinkType(network as u16);
        let resolution =
            if nanoseconds { Resolution::NANOSECONDS } else { Resolution::MICROSECONDS };
        let interface = Interface { link, snaplen, resolution, fcs_bytes, ..Interface::default() };
        let reader = PcapReader {
            order,
            nanoseconds,
            header_bytes,
            lengths: LengthOrder::of_version(major, minor),
            link,
            fcs_bytes,
            most_captured: most_captured(link),
            interfaces: vec![interface],
        };
        Some(Opening::Capture(RecordReader::Pcap(reader), FILE_HEADER))
    }

    pub(super) fn container(&self) -> Container {
        match self.header_bytes {
            MODIFIED_RECORD_HEADER => Container::ModifiedPcap,
            _ => Container::Pcap,
        }
    }

    pub(super) fn byte_order(&self) -> ByteOrder {
        self.order
    }

    /// Reads one record.
    #[inline(always)]
    pub(super) fn step(&mut self, unread: &[u8]) -> Step {
        let Some(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]) =
            unread.first_chunk::<RECORD_HEADER>()
        else {
            return self.incomplete(unread);
        };
        let seconds = self.order.u32([a, b, c, d]);
        let fraction = self.order.u32([e, f, g, h]);
        let first = self.order.u32([i, j, k, l]);
        let second = self.order.u32([m, n, o, p]);
        let (captured, original) = match self.lengths {
            LengthOrder::CapturedFirst => (first, second),
            LengthOrder::OriginalFirst => (second, first),
            LengthOrder::SmallerIsCaptured => (first.min(second), first.max(second)),
        };
        if captured > self.most_captured {
            return Step::Corrupt(format!(
                "the record claims {captured} captured bytes, more than the {} allowed",
                self.most_captured
            ));
        }
        let length = self.header_bytes + captured as usize;
        if unread.len() < length {
            return Step::Need { bytes: length, what: "a pcap record" };
        }
        // No writer makes a packet of no length in the first second of 1970.
        if seconds | fraction | captured | original == 0 {
            return Step::Padding;
        }
        let nanos = i64::from(fraction) * if self.nanoseconds { 1 } else { 1000 };
        Step::Packet(Record {
            length,
            data: self.header_bytes,
            captured,
            original,
            time: Some(Timestamp::from_parts(i64::from(seconds), nanos)),
            interface: 0,
            link: self.link,
            fcs_bytes: self.fcs_bytes,
            dropped: 0,
        })
    }

    #[cold]
    fn incomplete(&self, unread: &[u8]) -> Step {
        match unread {
            [] => Step::Need { bytes: self.header_bytes, what: "nothing" },
            _ => Step::Need { bytes: self.header_bytes, what: "a pcap record header" },
        }
    }
}

impl LengthOrder {
    fn of_version(major: u16, minor: u16) -> Self {
        match (major, minor) {
            (2, 0..=2) | (543, _) => LengthOrder::OriginalFirst,
            (2, 3) => LengthOrder::SmallerIsCaptured,
            _ => LengthOrder::CapturedFirst,
        }
    }
}
