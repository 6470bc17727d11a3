//! The fixed IPv6 header (RFC 8200 section 3). What follows it is in `extension`.

use crate::base::{Endpoint, IpProto};
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{IpFacts, Packet, Step};
use crate::decode::stop::{Layer, StopReason};
use etherparse::Ipv6HeaderSlice;
use etherparse::err::ipv6::{HeaderError, HeaderSliceError};

static FORMAT: HeaderFormat = HeaderFormat { name: "ipv6", fields };

/// "No next header" (RFC 8200 section 4.7): a packet of nothing but headers.
const NO_NEXT_HEADER: u8 = 59;

/// Reads the header. A payload length of 0 in a packet that has a payload means a jumbogram
/// (RFC 2675) or segmentation offload: the packet then fills the frame.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let header = match Ipv6HeaderSlice::from_slice(packet.rest()) {
        Ok(header) => header,
        Err(HeaderSliceError::Len(_)) => return packet.missing(Layer::Ipv6),
        Err(HeaderSliceError::Content(HeaderError::UnexpectedVersion { version_number })) => {
            return packet.stop(Layer::Ipv6, StopReason::BadField, version_number);
        }
    };
    let header_bytes = header.slice().len();
    let protocol = IpProto(header.next_header().0);
    let bytes = match usize::from(header.payload_length()) {
        0 if protocol.0 != NO_NEXT_HEADER => packet.wire_rest(),
        payload => header_bytes + payload,
    };
    let source = Endpoint::v6(header.source(), 0);
    let destination = Endpoint::v6(header.destination(), 0);
    packet.ip = IpFacts {
        source,
        destination,
        protocol,
        version_6: true,
        bytes,
        start: packet.offset(),
        first_fragment: None,
    };
    packet.declare(bytes);
    packet.advance(&FORMAT, header_bytes);
    packet.next_protocol(protocol)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("version", 4, 0xf000_0000);
    header.bits("traffic class", 4, 0x0ff0_0000);
    header.bits("flow label", 4, 0x000f_ffff);
    header.skip(4);
    header.number("payload length", 2);
    header.number("next header", 1);
    header.number("hop limit", 1);
    header.ipv6("source");
    header.ipv6("destination");
}
