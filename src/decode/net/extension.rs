//! IPv6 extension headers that are walked over (RFC 8200 section 4: hop-by-hop, routing,
//! destination options; RFC 6275 mobility; RFC 7401 host identity; RFC 5533 shim6) and the
//! fragment header (RFC 8200 section 4.5).
//!
//! In IPv4 the same numbers are protocols like any other.

use crate::base::IpProto;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;
use crate::decode::transport;
use etherparse::{Ipv6FragmentHeaderSlice, Ipv6RawExtHeaderSlice};

static FORMAT: HeaderFormat = HeaderFormat { name: "ipv6-extension", fields };
static FRAGMENT: HeaderFormat = HeaderFormat { name: "ipv6-fragment", fields: fragment_fields };

/// Walks over a header that begins with next header and length in units of 8 bytes.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    if !packet.ip.version_6 {
        return transport::other(packet);
    }
    let Ok(header) = Ipv6RawExtHeaderSlice::from_slice(packet.rest()) else {
        return packet.incomplete(Layer::Ipv6);
    };
    packet.advance(&FORMAT, header.slice().len());
    packet.next_protocol(IpProto(header.next_header().0))
}

/// Reads a fragment header. One that says "offset 0, nothing follows" belongs to a packet that
/// is whole (RFC 6946).
pub(in crate::decode) fn fragment(packet: &mut Packet<'_>) -> Step {
    if !packet.ip.version_6 {
        return transport::other(packet);
    }
    let Ok(header) = Ipv6FragmentHeaderSlice::from_slice(packet.rest()) else {
        return packet.incomplete(Layer::Ipv6);
    };
    packet.advance(&FRAGMENT, header.slice().len());
    // RFC 8200 lets later fragments differ in the next header; no stack makes use of it.
    let protocol = IpProto(header.next_header().0);
    let offset = header.fragment_offset().byte_offset().into();
    packet.fragment(protocol, header.identification(), offset, header.more_fragments())
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("next header", 1);
    header.number("length", 1);
}

fn fragment_fields(header: &mut FieldReader<'_>) {
    header.number("next header", 1);
    header.skip(1);
    header.bits("fragment offset", 2, 0xfff8);
    header.bits("more fragments", 2, 0x0001);
    header.skip(2);
    header.code("identification", 4);
}
