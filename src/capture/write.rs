//! Writes a pcapng file of one section: what a slice of evidence is stored in.
//!
//! In: interfaces as their files described them, packets, and a comment for each. Out: bytes that
//! every reader of pcapng takes (draft-ietf-opsawg-pcapng), little-endian, times in nanoseconds.
//! Names, decryption secrets and statistics of the original are not carried over.

use super::interface::Interface;
use crate::base::Timestamp;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// Tells the byte order of a section.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

// Options (sections 3.5, 4.1, 4.2 and 4.3 of the draft).
const COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_TSRESOL: u16 = 9;
const IF_FILTER: u16 = 11;
const IF_FCSLEN: u16 = 13;

/// `if_filter` begins with this octet when a string in the syntax of libpcap follows.
const FILTER_IS_TEXT: u8 = 0;

/// A packet to be written.
#[derive(Clone, Copy, Debug)]
pub struct WrittenPacket<'a> {
    /// Number of its interface, as [`PcapngWriter::interface`] answered it.
    pub interface: u32,
    /// When it was captured. A time before 1970 is written as 1970.
    pub time: Timestamp,
    /// The captured bytes.
    pub data: &'a [u8],
    /// Bytes it had on the wire.
    pub original: u32,
    /// Comment on it.
    pub comment: &'a str,
}

/// A pcapng section in memory.
#[derive(Clone, Debug)]
pub struct PcapngWriter {
    bytes: Vec<u8>,
    interfaces: u32,
    packets: u64,
}

impl PcapngWriter {
    /// Begins a section written by `program`, with a comment on the whole.
    pub fn new(program: &str, comment: &str) -> Self {
        let mut writer = PcapngWriter { bytes: Vec::new(), interfaces: 0, packets: 0 };
        let mut body = Vec::new();
        body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        // Version 1.0, length of the section not told.
        body.extend(1_u16.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        body.extend((-1_i64).to_le_bytes());
        option(&mut body, COMMENT, comment.as_bytes());
        option(&mut body, SHB_USERAPPL, program.as_bytes());
        end_of_options(&mut body);
        writer.block(SECTION_HEADER, &body);
        writer
    }

    /// Describes an interface as its file did, and answers its number here.
    pub fn interface(&mut self, interface: &Interface, comment: &str) -> u32 {
        let mut body = Vec::new();
        body.extend(interface.link.0.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        body.extend(interface.snaplen.to_le_bytes());
        option(&mut body, COMMENT, comment.as_bytes());
        let texts = [(IF_NAME, &interface.name), (IF_DESCRIPTION, &interface.description)];
        for (code, text) in texts {
            if let Some(text) = text {
                option(&mut body, code, text.as_bytes());
            }
        }
        if let Some(filter) = &interface.filter {
            let text: Vec<u8> = [FILTER_IS_TEXT].into_iter().chain(filter.bytes()).collect();
            option(&mut body, IF_FILTER, &text);
        }
        option(&mut body, IF_TSRESOL, &[9]);
        if interface.fcs_bytes > 0 {
            option(&mut body, IF_FCSLEN, &[interface.fcs_bytes]);
        }
        end_of_options(&mut body);
        self.block(INTERFACE_DESCRIPTION, &body);
        self.interfaces += 1;
        self.interfaces - 1
    }

    /// Appends a packet.
    pub fn packet(&mut self, packet: &WrittenPacket<'_>) {
        let nanos = u64::try_from(packet.time.nanos()).unwrap_or(0);
        let captured = u32::try_from(packet.data.len()).unwrap_or(u32::MAX);
        let mut body = Vec::with_capacity(packet.data.len() + packet.comment.len() + 40);
        body.extend(packet.interface.to_le_bytes());
        body.extend(((nanos >> 32) as u32).to_le_bytes());
        body.extend((nanos as u32).to_le_bytes());
        body.extend(captured.to_le_bytes());
        body.extend(packet.original.to_le_bytes());
        body.extend(packet.data);
        pad(&mut body);
        option(&mut body, COMMENT, packet.comment.as_bytes());
        end_of_options(&mut body);
        self.block(ENHANCED_PACKET, &body);
        self.packets += 1;
    }

    /// Packets written so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// The file so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.extend(length);
    }
}

/// An option; a text beyond 65,535 bytes is cut.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    body.extend(code.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(value.iter().take(length.into()));
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Fills up to a multiple of four bytes.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
