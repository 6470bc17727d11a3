//! The one list of what follows what.
//!
//! In: the hook that a header names for its payload (link type, EtherType, PPP protocol, LLC
//! service access points, IP protocol). Out: the step of the header family that hangs on it. A
//! new encapsulation is a file with a `step` and a line here. What hangs on nothing is named or
//! counted as unknown, never dropped.

use super::packet::{Packet, Step};
use super::stop::{Layer, Stop, StopReason};
use super::unit::Decoded;
use super::{link, net, non_ip, transport};
use crate::base::{IpProto, LinkType};

/// What a header says about the header that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// The link type of the capture.
    Link(LinkType),
    /// An EtherType (IEEE 802 numbers, 0600h and above).
    EtherType(u16),
    /// An 802.2 header, after an 802.3 length field.
    Llc,
    /// LLC service access points, destination in the high byte; the response bit is cleared.
    Sap(u16),
    /// SNAP organisation code and protocol identifier: 24 and 16 bits.
    Snap(u64),
    /// A Linux cooked protocol field that is not an EtherType.
    Cooked(u16),
    /// A BSD address family.
    Family(u32),
    /// A PPP protocol number.
    Ppp(u16),
    /// IPv4 or IPv6, told apart by the first four bits.
    AnyIp,
    /// An IPv4 protocol or IPv6 next-header number.
    Ip(IpProto),
}

impl On {
    /// The layer that gave the number, and the number, as a report shows them.
    pub(super) fn place(self) -> (Layer, u64) {
        match self {
            On::Link(link) => (Layer::LinkType, link.0.into()),
            On::EtherType(kind) => (Layer::Ethernet, kind.into()),
            On::Llc => (Layer::Llc, 0),
            On::Sap(pair) => (Layer::Llc, pair.into()),
            On::Snap(identifier) => (Layer::Llc, identifier),
            On::Cooked(protocol) => (Layer::LinuxCooked, protocol.into()),
            On::Family(family) => (Layer::Loopback, family.into()),
            On::Ppp(protocol) => (Layer::Ppp, protocol.into()),
            On::AnyIp => (Layer::RawIp, 0),
            On::Ip(protocol) => (Layer::Ipv6, protocol.0.into()),
        }
    }
}

/// Reads the header that hangs on `hook`.
pub(super) fn step(hook: On, packet: &mut Packet<'_>) -> Step {
    match hook {
        On::Link(LinkType::ETHERNET) => link::ethernet::step(packet),
        On::Link(LinkType::LINUX_SLL) => link::linux_cooked::version_1(packet),
        On::Link(LinkType::LINUX_SLL2) => link::linux_cooked::version_2(packet),
        On::Link(LinkType::NULL | LinkType::LOOP) => link::loopback::step(packet),
        On::Link(LinkType::PPP | LinkType::PPP_HDLC) => link::ppp::step(packet),
        On::Link(LinkType::RAW | LinkType::RAW_DLT12 | LinkType::RAW_DLT14) => net::any_ip(packet),
        On::Link(LinkType::IPV4) => net::ipv4::step(packet),
        On::Link(LinkType::IPV6) => net::ipv6::step(packet),

        On::EtherType(0x0800) => net::ipv4::step(packet),
        On::EtherType(0x86dd) => net::ipv6::step(packet),
        // IEEE 802.1Q and 802.1ad, and what switches used for stacked tags before it.
        On::EtherType(0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300) => link::vlan::step(packet),

        On::Llc => link::llc::step(packet),
        // IP by its own access point, without SNAP (RFC 948).
        On::Sap(0x0606) => net::ipv4::step(packet),

        // AF_INET everywhere; AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
        On::Family(2) => net::ipv4::step(packet),
        On::Family(10 | 23 | 24 | 28 | 30) => net::ipv6::step(packet),

        On::Ppp(0x0021) => net::ipv4::step(packet),
        On::Ppp(0x0057) => net::ipv6::step(packet),

        On::AnyIp => net::any_ip(packet),
        // Hop-by-hop, routing, destination options, mobility, host identity, shim6.
        On::Ip(IpProto(0 | 43 | 60 | 135 | 139 | 140)) => net::extension::step(packet),
        On::Ip(IpProto(44)) => net::extension::fragment(packet),
        On::Ip(IpProto(51)) => net::authentication::step(packet),
        On::Ip(IpProto::TCP) => transport::tcp::step(packet),
        On::Ip(IpProto::UDP) => transport::udp::step(packet),
        On::Ip(IpProto::SCTP) => transport::sctp::step(packet),
        On::Ip(IpProto::ICMP | IpProto::ICMPV6) => transport::icmp::step(packet),

        On::Ip(_) => transport::other(packet),
        unclaimed => undecoded(unclaimed),
    }
}

/// The class of a frame on which nothing here hangs: a known protocol that carries no IP, or
/// something that may hide traffic.
pub(super) fn undecoded(hook: On) -> Step {
    let (layer, value) = hook.place();
    if non_ip::non_ip_name(layer, value).is_some() && !non_ip::hides_ip(layer, value) {
        Step::Done(Decoded::NonIp(layer, value))
    } else {
        Step::Done(Decoded::Stopped(Stop { layer, reason: StopReason::Unknown, value }))
    }
}
