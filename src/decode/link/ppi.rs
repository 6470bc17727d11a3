//! Per-Packet Information (tcpdump.org, LINKTYPE_PPI), little-endian: version 1, flags 1, length
//! of the whole header 2, link type of what follows 4.

use crate::base::{Cursor, LinkType};
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "ppi", fields };

/// Walks over the header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(()), Some(length), Some(link)) = (header.skip(2), header.u16_le(), header.u32_le())
    else {
        return packet.missing(Layer::PerPacketInformation);
    };
    let length = usize::from(length).max(header.position());
    if packet.rest().len() < length {
        return packet.missing(Layer::PerPacketInformation);
    }
    packet.advance(&FORMAT, length);
    // A number beyond 16 bits is no link type; 65535 is not assigned.
    Step::Next(On::Link(LinkType(u16::try_from(link).unwrap_or(u16::MAX))))
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("version", 1);
    header.code("flags", 1);
}
