//! pcapng (draft-ietf-opsawg-pcapng): blocks, each with its length at both ends.
//!
//! Used are section headers, interface descriptions and statistics, and the three blocks that
//! hold packets. Every other block (names, decryption secrets, journal, custom, unknown) is
//! passed over by its length, its contents unread.

use super::container::{MOST_RECORD_BYTES, Record, Step, most_captured};
use super::interface::{Interface, Resolution};
use super::summary::ByteOrder;

/// The type of a Section Header Block; reads the same in both byte orders.
pub(super) const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// Most interfaces of a file, over all its sections, so that a file of nothing but descriptions
/// cannot use up the memory.
const MOST_INTERFACES: usize = 16 << 10;
/// Bytes kept of a name, description or filter, for the same reason.
const MOST_TEXT: usize = 4 << 10;

/// Bytes of block type and block length.
const BLOCK_HEADER: usize = 8;
/// Bytes of the least block: header and repeated length.
const LEAST_BLOCK: u32 = 12;

/// Reads the blocks of one file.
#[derive(Debug, Default)]
pub(super) struct PcapngReader {
    /// Byte order of the current section; `None` before the first.
    order: Option<ByteOrder>,
    first_order: Option<ByteOrder>,
    /// Sections begun so far.
    sections: u32,
    /// Index in `interfaces` of the first interface of the current section.
    section_start: usize,
    /// Interfaces of all sections.
    pub(super) interfaces: Vec<Interface>,
}

/// Why a block cannot be used.
type Malformed = String;

impl PcapngReader {
    pub(super) fn first_byte_order(&self) -> ByteOrder {
        self.first_order.unwrap_or(ByteOrder::Little)
    }

    /// Reads one block.
    #[inline]
    pub(super) fn step(&mut self, unread: &[u8]) -> Step {
        let Some(&[a, b, c, d, e, f, g, h]) = unread.first_chunk::<BLOCK_HEADER>() else {
            return incomplete(unread);
        };
        let order = if [a, b, c, d] == SECTION_HEADER {
            match section_order(unread) {
                Ok(order) => order,
                Err(step) => return step,
            }
        } else {
            // Before the first section header nothing else can come.
            self.order.unwrap_or(ByteOrder::Little)
        };
        let kind = order.u32([a, b, c, d]);
        let total = order.u32([e, f, g, h]);
        if total < LEAST_BLOCK {
            return short_block(kind, total);
        }
        // Some writers state a length that is no multiple of four and pad all the same.
        let length = (total as usize).next_multiple_of(4);
        if length > MOST_RECORD_BYTES {
            return Step::Corrupt(format!("the block claims a length of {total} bytes"));
        }
        let Some(block) = unread.get(..length) else {
            return Step::Need { bytes: length, what: "a pcapng block" };
        };
        let Some((block, &trailer)) = block.split_last_chunk::<4>() else {
            return short_block(kind, total);
        };
        if order.u32(trailer) != total {
            return Step::Corrupt(format!(
                "the block length is {total} at its start and {} at its end",
                order.u32(trailer)
            ));
        }
        let body = block.get(BLOCK_HEADER..).unwrap_or_default();
        let packet = match kind {
            ENHANCED_PACKET => self.enhanced_packet(order, body).map(Some),
            SIMPLE_PACKET => self.simple_packet(order, body).map(Some),
            OBSOLETE_PACKET => self.obsolete_packet(order, body).map(Some),
            other => self.description(other, order, body).map(|()| None),
        };
        match packet {
            Ok(Some(packet)) => {
                Step::Packet(Record { length, data: BLOCK_HEADER + packet.data, ..packet })
            }
            Ok(None) => Step::Skip(length),
            Err(reason) => Step::Corrupt(reason),
        }
    }

    /// Enhanced Packet Block (section 4.3). `data` counts from the start of the body.
    #[inline]
    fn enhanced_packet(&self, order: ByteOrder, body: &[u8]) -> Result<Record, Malformed> {
        let Some(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t]) =
            body.first_chunk::<20>()
        else {
            return Err(too_short("Enhanced Packet Block"));
        };
        let index = order.u32([a, b, c, d]);
        let units = u64::from(order.u32([e, f, g, h])) << 32 | u64::from(order.u32([i, j, k, l]));
        let (captured, original) = (order.u32([m, n, o, p]), order.u32([q, r, s, t]));
        let mut record = self.packet(index, body, 20, captured, original)?;
        self.set_time(&mut record, units);
        let options = body.get(20 + padded(captured)..).unwrap_or_default();
        if !options.is_empty() {
            packet_options(&mut record, order, options)?;
        }
        Ok(record)
    }

    /// Packet Block, obsolete (appendix A).
    fn obsolete_packet(&self, order: ByteOrder, body: &[u8]) -> Result<Record, Malformed> {
        let Some(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t]) =
            body.first_chunk::<20>()
        else {
            return Err(too_short("Packet Block"));
        };
        let (index, dropped) = (order.u16([a, b]), order.u16([c, d]));
        let units = u64::from(order.u32([e, f, g, h])) << 32 | u64::from(order.u32([i, j, k, l]));
        let (captured, original) = (order.u32([m, n, o, p]), order.u32([q, r, s, t]));
        let mut record = self.packet(u32::from(index), body, 20, captured, original)?;
        self.set_time(&mut record, units);
        // All ones means that the count is not known.
        record.dropped = if dropped == u16::MAX { 0 } else { u32::from(dropped) };
        let options = body.get(20 + padded(captured)..).unwrap_or_default();
        packet_options(&mut record, order, options)?;
        Ok(record)
    }

    /// Simple Packet Block (section 4.4): a packet of the section's first interface, without a
    /// time stamp. Its captured length follows from the snapshot length of the interface.
    fn simple_packet(&self, order: ByteOrder, body: &[u8]) -> Result<Record, Malformed> {
        let Some(&original) = body.first_chunk::<4>() else {
            return Err(too_short("Simple Packet Block"));
        };
        let original = order.u32(original);
        let snaplen = self.interfaces.get(self.section_start).map_or(0, |first| first.snaplen);
        let captured = if snaplen == 0 { original } else { original.min(snaplen) };
        self.packet(0, body, 4, captured, original)
    }

    /// A packet whose data begins at `data` in the body; still without time.
    #[inline]
    fn packet(
        &self,
        index: u32,
        body: &[u8],
        data: usize,
        captured: u32,
        original: u32,
    ) -> Result<Record, Malformed> {
        let interface = self.section_start.saturating_add(index as usize);
        let Some(Interface { link, fcs_bytes, .. }) = self.interfaces.get(interface) else {
            return Err(format!(
                "a packet of interface {index}, but the section has declared {}",
                self.interfaces.len() - self.section_start
            ));
        };
        if captured > most_captured(*link) {
            return Err(format!(
                "the packet claims {captured} captured bytes, more than the {} allowed",
                most_captured(*link)
            ));
        }
        if body.len() < data + captured as usize {
            return Err(format!("the block is too short for its {captured} captured bytes"));
        }
        Ok(Record {
            length: 0,
            data,
            captured,
            original,
            time: None,
            interface,
            link: *link,
            fcs_bytes: *fcs_bytes,
            dropped: 0,
        })
    }

    #[inline]
    fn set_time(&self, record: &mut Record, units: u64) {
        record.time = self
            .interfaces
            .get(record.interface)
            .map(|interface| interface.resolution.time(units, interface.time_offset));
    }

    /// Takes in a block that holds no packet.
    #[cold]
    fn description(&mut self, kind: u32, order: ByteOrder, body: &[u8]) -> Result<(), Malformed> {
        match kind {
            INTERFACE_DESCRIPTION => self.interface_description(order, body),
            INTERFACE_STATISTICS => self.interface_statistics(order, body),
            _ if kind.to_be_bytes() == SECTION_HEADER => self.section_header(order, body),
            _ => Ok(()),
        }
    }

    /// Section Header Block (section 4.1). Interface numbers begin anew.
    fn section_header(&mut self, order: ByteOrder, body: &[u8]) -> Result<(), Malformed> {
        let Some((&[_, _, _, _, a, b, c, d, _, _, _, _, _, _, _, _], options)) =
            body.split_first_chunk::<16>()
        else {
            return Err(too_short("Section Header Block"));
        };
        let (major, minor) = (order.u16([a, b]), order.u16([c, d]));
        // Version 1.2 is what some writers call the only format there is.
        if !matches!((major, minor), (1, 0 | 2)) {
            return Err(format!("pcapng version {major}.{minor} is not supported (1.0)"));
        }
        Options::new(order, options).try_for_each(|option| option.map(|_| ()))?;
        self.order = Some(order);
        self.first_order.get_or_insert(order);
        self.sections = self.sections.saturating_add(1);
        self.section_start = self.interfaces.len();
        Ok(())
    }

    /// Interface Description Block (section 4.2).
    fn interface_description(&mut self, order: ByteOrder, body: &[u8]) -> Result<(), Malformed> {
        let Some((&[a, b, _, _, c, d, e, f], options)) = body.split_first_chunk::<8>() else {
            return Err(too_short("Interface Description Block"));
        };
        if self.interfaces.len() >= MOST_INTERFACES {
            return Err(format!("more than {MOST_INTERFACES} interfaces"));
        }
        let mut interface = Interface {
            section: self.sections.saturating_sub(1),
            index: (self.interfaces.len() - self.section_start) as u32,
            link: crate::base::LinkType(order.u16([a, b])),
            snaplen: order.u32([c, d, e, f]),
            ..Interface::default()
        };
        for option in Options::new(order, options) {
            let (code, value) = option?;
            match (code, value) {
                (2, name) => interface.name = Some(text(name)),
                (3, description) => interface.description = Some(text(description)),
                (9, [octet, ..]) => interface.resolution = Resolution::from_option(*octet),
                (11, [0, expression @ ..]) => interface.filter = Some(text(expression)),
                (11, [1, code @ ..]) => {
                    interface.filter = Some(format!("{} bytes of BPF bytecode", code.len()));
                }
                (13, [length, ..]) => interface.fcs_bytes = *length,
                (14, offset) => {
                    if let Some(&offset) = offset.first_chunk::<8>() {
                        interface.time_offset = order.u64(offset).cast_signed();
                    }
                }
                _ => {}
            }
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// Interface Statistics Block (section 4.6). One for an interface that was never declared
    /// says nothing that could be used.
    fn interface_statistics(&mut self, order: ByteOrder, body: &[u8]) -> Result<(), Malformed> {
        let Some((&[a, b, c, d, ..], options)) = body.split_first_chunk::<12>() else {
            return Err(too_short("Interface Statistics Block"));
        };
        let index = self.section_start.saturating_add(order.u32([a, b, c, d]) as usize);
        let Some(interface) = self.interfaces.get_mut(index) else {
            return Ok(());
        };
        let statistics = &mut interface.statistics;
        for option in Options::new(order, options) {
            let (code, value) = option?;
            let Some(&value) = value.first_chunk::<8>() else {
                continue;
            };
            let counter = match code {
                4 => &mut statistics.received,
                5 => &mut statistics.dropped_by_interface,
                6 => &mut statistics.accepted_by_filter,
                7 => &mut statistics.dropped_by_system,
                8 => &mut statistics.delivered,
                _ => continue,
            };
            *counter = Some(order.u64(value));
        }
        Ok(())
    }
}

/// Byte order of the section that begins here, from its byte-order magic.
fn section_order(unread: &[u8]) -> Result<ByteOrder, Step> {
    let Some(&[_, _, _, _, _, _, _, _, a, b, c, d]) = unread.first_chunk::<12>() else {
        return Err(Step::Need { bytes: 12, what: "a pcapng block header" });
    };
    match [a, b, c, d] {
        [0x1a, 0x2b, 0x3c, 0x4d] => Ok(ByteOrder::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Ok(ByteOrder::Little),
        other => Err(Step::Corrupt(format!(
            "a section header with the unknown byte-order magic {:08x}",
            u32::from_be_bytes(other)
        ))),
    }
}

#[cold]
fn incomplete(unread: &[u8]) -> Step {
    match unread {
        [] => Step::Need { bytes: BLOCK_HEADER, what: "nothing" },
        _ => Step::Need { bytes: BLOCK_HEADER, what: "a pcapng block header" },
    }
}

#[cold]
fn short_block(kind: u32, total: u32) -> Step {
    if kind == 0 && total == 0 {
        return Step::Padding;
    }
    Step::Corrupt(format!("the block of type {kind:#x} claims a length of {total} bytes"))
}

#[cold]
fn too_short(block: &str) -> Malformed {
    format!("the {block} is shorter than its fixed fields")
}

/// Length of packet data with its padding to 32 bits.
fn padded(captured: u32) -> usize {
    (captured as usize).next_multiple_of(4)
}

/// Options of a packet block: `epb_flags` (2) and `epb_dropcount` (4).
fn packet_options(record: &mut Record, order: ByteOrder, options: &[u8]) -> Result<(), Malformed> {
    for option in Options::new(order, options) {
        match option? {
            (2, &[a, b, c, d, ..]) => {
                // Bits 5 to 8; zero means that the length is not stated.
                let length = order.u32([a, b, c, d]) >> 5 & 0xf;
                if length != 0 {
                    record.fcs_bytes = length as u8;
                }
            }
            (4, count) => {
                if let Some(&count) = count.first_chunk::<8>() {
                    record.dropped = u32::try_from(order.u64(count)).unwrap_or(u32::MAX);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// An option that is text: UTF-8 without a terminating zero, which some writers add.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..MOST_TEXT).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

/// The options at the end of a block (section 3.5): code, length, value padded to 32 bits.
struct Options<'a> {
    order: ByteOrder,
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    fn new(order: ByteOrder, rest: &'a [u8]) -> Self {
        Options { order, rest }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((&[a, b, c, d], after)) = self.rest.split_first_chunk::<4>() else {
            self.rest = &[];
            return Some(Err("the options end inside an option header".to_owned()));
        };
        let (code, length) = (self.order.u16([a, b]), usize::from(self.order.u16([c, d])));
        if code == 0 {
            self.rest = &[];
            return None;
        }
        let Some(value) = after.get(..length) else {
            self.rest = &[];
            return Some(Err(format!("option {code} of {length} bytes exceeds its block")));
        };
        self.rest = after.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok((code, value)))
    }
}
