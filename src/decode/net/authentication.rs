//! The IPsec Authentication Header (RFC 4302 section 2): it hides nothing, so what it protects
//! is read through it.

use crate::base::IpProto;
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;
use crate::decode::transport;
use etherparse::IpAuthHeaderSlice;

/// Encapsulating Security Payload (RFC 4303): nothing behind it can be read.
const ESP: u8 = 50;

/// Walks over the header. In front of ESP it is the outermost readable protocol: the packet
/// counts as AH.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let Ok(header) = IpAuthHeaderSlice::from_slice(packet.rest()) else {
        return packet.incomplete(Layer::Authentication);
    };
    if header.next_header().0 == ESP {
        return transport::other(packet);
    }
    packet.advance(header.slice().len());
    packet.next_protocol(IpProto(header.next_header().0))
}
