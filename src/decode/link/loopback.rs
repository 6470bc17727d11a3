//! BSD loopback: an address family of 4 bytes, big-endian in LINKTYPE_LOOP, in the byte order of
//! the capturing host in LINKTYPE_NULL (tcpdump.org).

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "loopback", fields };

/// Families fit in 16 bits; a larger value was read in the wrong byte order.
const LARGEST_FAMILY: u32 = 0xffff;
/// EtherTypes that some drivers put into the last two bytes instead of a family.
const IP_ETHERTYPES: [u16; 2] = [0x0800, 0x86dd];

/// Reads the address family.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(bytes) = header.array::<4>() else {
        return packet.missing(Layer::Loopback);
    };
    packet.advance(&FORMAT, header.position());
    let [_, _, high, low] = bytes;
    let ethertype = u16::from_be_bytes([high, low]);
    if IP_ETHERTYPES.contains(&ethertype) {
        return Step::Next(On::EtherType(ethertype));
    }
    let little_endian = u32::from_le_bytes(bytes);
    let is_family = little_endian <= LARGEST_FAMILY;
    Step::Next(On::Family(if is_family { little_endian } else { u32::from_be_bytes(bytes) }))
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("address family", 4);
}
