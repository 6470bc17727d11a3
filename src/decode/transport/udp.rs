//! UDP (RFC 768): ports 2 + 2, length 2, checksum 2. The checksum is not verified.

use crate::base::Cursor;
use crate::decode::dispatch::over_udp;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{FlowPacket, Packet, Step};
use crate::decode::stop::Layer;
use crate::decode::unit::Transport;

pub(in crate::decode) static FORMAT: HeaderFormat = HeaderFormat { name: "udp", fields };

/// The whole header.
pub(in crate::decode) const HEADER: usize = 8;

/// Reads ports and length.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(source), Some(destination)) = (header.u16_be(), header.u16_be()) else {
        return packet.incomplete(Layer::Udp);
    };
    let Some(length) = header.u16_be() else {
        return packet.unit((source, destination), 0, Transport::Incomplete);
    };
    packet.advance(&FORMAT, HEADER);
    // A fragment holds a part of the length. A length below the header is 0 in a jumbogram
    // (RFC 2675 section 4) or under segmentation offload, and wrong elsewhere: the IP header
    // decides then.
    let payload = usize::from(length).checked_sub(HEADER).unwrap_or(packet.wire_rest());
    let ports = (source, destination);
    match over_udp(destination).or_else(|| over_udp(source)) {
        Some(hook) => packet.tunnel(hook, FlowPacket { ports, payload, transport: Transport::Udp }),
        None => packet.unit(ports, payload, Transport::Udp),
    }
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("source port", 2);
    header.number("destination port", 2);
    header.number("length", 2);
    header.code("checksum", 2);
}
