//! Cisco FabricPath (D4.1): an Ethernet header of switch addresses, then forwarding tag 10 bits
//! and hop limit 6 bits, then the whole frame of the station.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "fabricpath", fields };

/// Walks over the forwarding tag.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    if header.skip(2).is_none() {
        return packet.missing(Layer::FabricPath);
    }
    packet.path.push(Outer::FabricPath);
    packet.advance(&FORMAT, header.position());
    Step::Next(On::Ethernet)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("forwarding tag", 2, 0xffc0);
    header.bits("hop limit", 2, 0x003f);
}
