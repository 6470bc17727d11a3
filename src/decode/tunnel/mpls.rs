//! MPLS labels right behind IP (RFC 4023 section 3) or UDP (RFC 7510 section 3).

use crate::decode::dispatch::On;
use crate::decode::link::mpls::{is_plausible, stack};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;

/// A stack behind an IP header.
pub(in crate::decode) fn in_ip(packet: &mut Packet<'_>) -> Step {
    carried(packet, Outer::MplsInIp)
}

/// A stack behind a UDP header, if what lies below it makes sense.
pub(in crate::decode) fn in_udp(packet: &mut Packet<'_>) -> Step {
    if is_plausible(packet) { carried(packet, Outer::MplsInUdp) } else { Step::NoTunnel }
}

fn carried(packet: &mut Packet<'_>, outer: Outer) -> Step {
    let Some((bottom, _)) = stack(packet.rest()) else {
        return packet.missing(Layer::Mpls);
    };
    packet.carried(outer, bottom, None);
    Step::Next(On::Labels)
}
