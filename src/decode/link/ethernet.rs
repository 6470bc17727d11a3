//! Ethernet II and IEEE 802.3: destination 6, source 6, EtherType or length 2.

use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::{Layer, StopReason};
use etherparse::Ethernet2HeaderSlice;

pub(in crate::decode) static FORMAT: HeaderFormat = HeaderFormat { name: "ethernet", fields };

/// The smallest value that is an EtherType (IEEE 802.3 clause 3.2.6).
const FIRST_ETHERTYPE: u16 = 0x0600;
/// The largest value that is a length.
const LONGEST_PAYLOAD: u16 = 1500;
/// The bit of the first address byte that marks a group (IEEE 802 clause 8.2).
pub(in crate::decode) const GROUP: u8 = 0x01;

/// Reads destination, source and EtherType.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let Ok(header) = Ethernet2HeaderSlice::from_slice(packet.rest()) else {
        return packet.missing(Layer::Ethernet);
    };
    let [first, ..] = header.destination();
    packet.link_group = first & GROUP != 0;
    packet.advance(&FORMAT, header.slice().len());
    type_or_length(packet, header.ether_type().0, Layer::Ethernet)
}

/// What follows a field that is an EtherType or the length of an LLC frame. `layer` is the
/// header that the field belongs to.
pub(super) fn type_or_length(packet: &mut Packet<'_>, value: u16, layer: Layer) -> Step {
    match value {
        FIRST_ETHERTYPE.. => Step::Next(On::EtherType(value)),
        ..=LONGEST_PAYLOAD => {
            packet.declare(packet.wire_rest().min(value.into()));
            Step::Next(On::Llc)
        }
        _ => packet.stop(layer, StopReason::BadField, value),
    }
}

fn fields(header: &mut FieldReader<'_>) {
    header.station("destination");
    header.station("source");
    header.code("type", 2);
}
