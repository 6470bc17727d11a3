//! The IPsec Authentication Header (RFC 4302 section 2): it hides nothing, so what it protects
//! is read through it.

use crate::base::IpProto;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;
use crate::decode::transport;
use etherparse::IpAuthHeaderSlice;

static FORMAT: HeaderFormat = HeaderFormat { name: "ah", fields };

/// Encapsulating Security Payload (RFC 4303): nothing behind it can be read.
const ESP: u8 = 50;
/// A whole IPv4 or IPv6 packet follows: tunnel mode.
const IP_IN_IP: [u8; 2] = [4, 41];

/// Walks over the header. In front of ESP it is the outermost readable protocol: the packet
/// counts as AH.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let Ok(header) = IpAuthHeaderSlice::from_slice(packet.rest()) else {
        return packet.incomplete(Layer::Authentication);
    };
    if header.next_header().0 == ESP {
        return transport::other(packet);
    }
    if IP_IN_IP.contains(&header.next_header().0) {
        packet.path.push(Outer::Authentication);
    }
    packet.advance(&FORMAT, header.slice().len());
    packet.next_protocol(IpProto(header.next_header().0))
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("next header", 1);
    header.number("length", 1);
    header.skip(2);
    header.code("security parameter index", 4);
    header.number("sequence", 4);
}
