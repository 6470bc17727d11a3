//! Tunnels over IP. In: what IP or UDP carries. Out: the hook of what is inside, and a
//! [`Carrier`](super::Carrier) that tells of the tunnel.
//!
//! An IP protocol number says what a tunnel is. A UDP port only hints at it: a step that hangs on
//! a port first makes sure that flags, reserved bits and lengths are those of the tunnel, and
//! else answers [`Step::NoTunnel`]; the packet then stays one of a UDP flow.

pub(super) mod ayiya;
pub(super) mod capwap;
pub(super) mod erspan;
pub(super) mod ether_ip;
pub(super) mod geneve;
pub(super) mod gre;
pub(super) mod gtp_u;
pub(super) mod ip_in_ip;
pub(super) mod l2tp;
pub(super) mod lisp;
pub(super) mod mpls;
pub(super) mod nsh;
pub(super) mod teredo;
pub(super) mod tzsp;
pub(super) mod vxlan;

use super::dispatch::On;
use super::packet::{FlowPacket, Packet, Step};
use super::unit::Transport;

/// Hands over to a tunnel that hangs on an IP protocol number.
pub(super) fn over_ip(packet: &Packet<'_>, hook: On) -> Step {
    let payload = packet.wire_rest();
    packet.tunnel(hook, FlowPacket { ports: (0, 0), payload, transport: Transport::Other })
}
