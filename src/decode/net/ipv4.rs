//! IPv4 with options (RFC 791 section 3.1). The header checksum is not verified.

use crate::base::{Endpoint, IpProto};
use crate::decode::packet::{IpFacts, Packet, Step};
use crate::decode::stop::{Layer, StopReason};
use crate::decode::unit::DatagramId;
use etherparse::Ipv4HeaderSlice;
use etherparse::err::ipv4::{HeaderError, HeaderSliceError};

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
    let destination = Endpoint::v4(header.destination(), 0);
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
    packet.advance(header_bytes);

    let identification = header.identification().into();
    let datagram = DatagramId { source, destination, protocol, identification };
    if header.fragments_offset().value() != 0 {
        return packet.later_fragment(datagram);
    }
    if header.more_fragments() {
        packet.ip.first_fragment = Some(datagram);
    }
    packet.next_protocol(protocol)
}
