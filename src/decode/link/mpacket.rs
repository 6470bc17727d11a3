//! An IEEE 802.3br frame with its preamble (tcpdump.org, LINKTYPE_ETHERNET_MPACKET): bytes 55,
//! a start delimiter, in later fragments a count, then an Ethernet frame or a part of one, and a
//! check sequence of 4 bytes, which lies behind what the IP header declares.
//!
//! Express frames are whole. A preemptable one may go on in later mPackets; its beginning is read
//! as far as it goes. Later parts have no header.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "mpacket", fields };

const PREAMBLE: u8 = 0x55;
/// Delimiters of an express frame and of the start of a preemptable one.
const START: [u8; 5] = [0xd5, 0xe6, 0x4c, 0x7f, 0xb3];
/// The longest preamble, delimiter included.
const LONGEST: usize = 8;

/// Walks over preamble and delimiter.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let mut delimiter = PREAMBLE;
    while delimiter == PREAMBLE && header.position() < LONGEST {
        let Some(byte) = header.u8() else {
            return packet.missing(Layer::Mpacket);
        };
        delimiter = byte;
    }
    if !START.contains(&delimiter) {
        return packet.stop(Layer::Mpacket, StopReason::Unknown, delimiter);
    }
    packet.advance(&FORMAT, header.position());
    Step::Next(On::Ethernet)
}

fn fields(header: &mut FieldReader<'_>) {
    header.skip(header.left().saturating_sub(1));
    header.code("delimiter", 1);
}
