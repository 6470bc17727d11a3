//! UDP (RFC 768): ports 2 + 2, length 2, checksum 2. The checksum is not verified.

use crate::base::Cursor;
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;
use crate::decode::unit::Transport;

/// The whole header.
const HEADER: usize = 8;

/// Reads ports and length.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(source), Some(destination)) = (header.u16_be(), header.u16_be()) else {
        return packet.incomplete(Layer::Udp);
    };
    let Some(length) = header.u16_be() else {
        return packet.unit((source, destination), 0, Transport::Incomplete);
    };
    packet.advance(HEADER);
    // A fragment holds a part of the length. A length below the header is 0 in a jumbogram
    // (RFC 2675 section 4) or under segmentation offload, and wrong elsewhere: the IP header
    // decides then.
    let payload = usize::from(length).checked_sub(HEADER).unwrap_or(packet.wire_rest());
    packet.unit((source, destination), payload, Transport::Udp)
}
