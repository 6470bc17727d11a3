//! Transport headers. In: what IP carries. Out: the packet of a flow.

pub(super) mod icmp;
pub(super) mod sctp;
pub(super) mod tcp;
pub(super) mod udp;

use super::packet::{Packet, Step};
use super::unit::Transport;

/// A protocol whose header is not read: a flow of its number between two hosts, without ports.
pub(super) fn other(packet: &Packet<'_>) -> Step {
    packet.unit((0, 0), packet.wire_rest(), Transport::Other)
}
