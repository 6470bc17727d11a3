//! The service tag of a provider backbone (IEEE 802.1Q clause 9.7, once 802.1ah): priority and
//! flags 1, service identifier 3, then the customer's Ethernet frame.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "pbb", fields };

/// Walks over the tag.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    if header.skip(4).is_none() {
        return packet.missing(Layer::ProviderBackbone);
    }
    packet.path.push(Outer::ProviderBackbone);
    packet.advance(&FORMAT, header.position());
    Step::Next(On::Ethernet)
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("flags", 1);
    header.number("service", 3);
}
