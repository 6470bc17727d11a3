//! IEEE 802.1Q tags, customer and service: priority and VLAN identifier 2, EtherType or
//! length 2.
//!
//! Any number of tags may follow each other. The identifier of the innermost is kept as an
//! attribute and never as a part of the flow: a mirror port shows the two directions of one flow
//! under different ones.

use super::ethernet::type_or_length;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;
use etherparse::SingleVlanHeaderSlice;

pub(in crate::decode) static FORMAT: HeaderFormat = HeaderFormat { name: "vlan", fields };

/// Reads one tag, its tag protocol identifier already taken as EtherType.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let Ok(tag) = SingleVlanHeaderSlice::from_slice(packet.rest()) else {
        return packet.missing(Layer::Vlan);
    };
    packet.path.push(Outer::Vlan);
    // Identifier 0 is no VLAN: the tag holds a priority alone (IEEE 802.1Q clause 9.6).
    let identifier = tag.vlan_identifier().value();
    if identifier != 0 {
        packet.vlan = Some(identifier);
    }
    packet.advance(&FORMAT, tag.slice().len());
    type_or_length(packet, tag.ether_type().0, Layer::Vlan)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("priority", 2, 0xe000);
    header.bits("identifier", 2, 0x0fff);
    header.skip(2);
    header.code("type", 2);
}
