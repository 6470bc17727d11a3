//! IPv4 with options (RFC 791 section 3.1). The header checksum is not verified.

use super::source_route::last_of_route;
use crate::base::{Endpoint, IpProto};
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{IpFacts, Packet, Step};
use crate::decode::stop::{Layer, StopReason};
use etherparse::Ipv4HeaderSlice;
use etherparse::err::ipv4::{HeaderError, HeaderSliceError};

pub(in crate::decode) static FORMAT: HeaderFormat = HeaderFormat { name: "ipv4", fields };

/// Reads the header. A total length of 0 means that segmentation offload left it to the network
/// card: the packet then fills the frame.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let header = match Ipv4HeaderSlice::from_slice(packet.rest()) {
        Ok(header) => header,
        Err(HeaderSliceError::Len(_)) => return packet.missing(Layer::Ipv4),
        Err(HeaderSliceError::Content(error)) => {
            let value = match error {
                HeaderError::UnexpectedVersion { version_number } => version_number,
                HeaderError::HeaderLengthSmallerThanHeader { ihl } => ihl,
            };
            return packet.stop(Layer::Ipv4, StopReason::BadField, value);
        }
    };
    let header_bytes = header.slice().len();
    let bytes = match usize::from(header.total_len()) {
        0 => packet.wire_rest(),
        total => total,
    };
    if bytes < header_bytes {
        return packet.stop(Layer::Ipv4, StopReason::BadField, bytes);
    }
    let protocol = IpProto(header.protocol().0);
    let source = Endpoint::v4(header.source(), 0);
    let destination = last_of_route(header.options()).unwrap_or(header.destination());
    let destination = Endpoint::v4(destination, 0);
    packet.ip = IpFacts {
        source,
        destination,
        protocol,
        version_6: false,
        bytes,
        start: packet.offset(),
        first_fragment: None,
    };
    packet.declare(bytes);
    packet.advance(&FORMAT, header_bytes);

    let offset = header.fragments_offset().byte_offset().into();
    packet.fragment(protocol, header.identification().into(), offset, header.more_fragments())
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("version", 1, 0xf0);
    header.bits("header length in words", 1, 0x0f);
    header.skip(1);
    header.code("traffic class", 1);
    header.number("total length", 2);
    header.code("identification", 2);
    header.bits("do not fragment", 2, 0x4000);
    header.bits("more fragments", 2, 0x2000);
    header.bits("fragment offset", 2, 0x1fff);
    header.skip(2);
    header.number("time to live", 1);
    header.number("protocol", 1);
    header.code("checksum", 2);
    header.ipv4("source");
    header.ipv4("destination");
}
