//! Network-layer headers. In: the start of an IP header. Out: addresses, lengths, the place in a
//! fragmented datagram and the protocol that follows.

pub(super) mod authentication;
pub(super) mod extension;
pub(super) mod ipv4;
pub(super) mod ipv6;
mod source_route;

use super::packet::{Packet, Step};
use super::stop::{Layer, StopReason};

/// IPv4 or IPv6, by the version in the first four bits.
pub(super) fn any_ip(packet: &mut Packet<'_>) -> Step {
    match packet.rest().first().map(|first| first >> 4) {
        Some(4) => ipv4::step(packet),
        Some(6) => ipv6::step(packet),
        Some(version) => packet.stop(Layer::RawIp, StopReason::BadField, version),
        None => packet.missing(Layer::RawIp),
    }
}
