//! The one list of what follows what.
//!
//! In: the hook that a header names for its payload (link type, EtherType, PPP protocol, LLC
//! service access points, IP protocol). Out: the step of the header family that hangs on it. A
//! new encapsulation is a file with a `step` and a line here. What hangs on nothing is named or
//! counted as unknown, never dropped.

use super::packet::{Ending, Packet, Step};
use super::stop::{Layer, Stop, StopReason};
use super::{link, net, non_ip, transport, tunnel};
use crate::base::{IpProto, LinkType};

/// What a header says about the header that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// The link type of the capture.
    Link(LinkType),
    /// An Ethernet frame inside another header.
    Ethernet,
    /// An 802.11 frame; `padded` when its header is padded to a multiple of four bytes.
    Wlan {
        padded: bool,
    },
    /// An 802.11 frame whose first two bytes have changed places.
    SwappedWlan,
    /// An EtherType (IEEE 802 numbers, 0600h and above).
    EtherType(u16),
    /// An 802.2 header, after an 802.3 length field.
    Llc,
    /// LLC service access points, destination in the high byte; the response bit is cleared.
    Sap(u16),
    /// SNAP organisation code and protocol identifier: 24 and 16 bits.
    Snap(u64),
    /// A network-layer protocol identifier (ISO/IEC TR 9577).
    NetworkLayer(u8),
    /// A Linux cooked protocol field that is not an EtherType.
    Cooked(u16),
    /// A BSD address family.
    Family(u32),
    /// A PPP frame, with or without address and control.
    PppFrame,
    /// A PPP protocol number.
    Ppp(u16),
    /// A stack of MPLS labels.
    Labels,
    /// What lies below the last label.
    BelowLabels,
    /// A protocol number of NSH and VXLAN-GPE.
    ServiceProtocol(u8),
    /// IPv4 or IPv6, told apart by the first four bits.
    AnyIp,
    /// An IPv4 protocol or IPv6 next-header number.
    Ip(IpProto),
    /// An IP packet right behind another IP header.
    IpInIp,
    /// MPLS right behind an IP header.
    MplsInIp,
    EtherIp,
    Gre,
    /// Cisco metadata behind GRE.
    GreMetadata,
    /// ERSPAN II or III behind GRE, which held this sequence number.
    Erspan {
        sequence: Option<u32>,
    },
    L2tpOverIp,
    L2tpOverUdp,
    MplsInUdp,
    Vxlan,
    VxlanGpe,
    Geneve,
    GtpU,
    Lisp,
    Teredo,
    Ayiya,
    Tzsp,
    Capwap,
}

impl On {
    /// The layer that gave the number, and the number, as a report shows them.
    pub(super) fn place(self) -> (Layer, u64) {
        match self {
            On::Link(link) => (Layer::LinkType, link.0.into()),
            On::Ethernet => (Layer::Ethernet, 0),
            On::Wlan { .. } | On::SwappedWlan => (Layer::Wlan, 0),
            On::EtherType(kind) => (Layer::Ethernet, kind.into()),
            On::Llc => (Layer::Llc, 0),
            On::Sap(pair) => (Layer::Llc, pair.into()),
            On::Snap(identifier) => (Layer::Llc, identifier),
            On::NetworkLayer(identifier) => (Layer::FrameRelay, identifier.into()),
            On::Cooked(protocol) => (Layer::LinuxCooked, protocol.into()),
            On::Family(family) => (Layer::Loopback, family.into()),
            On::PppFrame => (Layer::Ppp, 0),
            On::Ppp(protocol) => (Layer::Ppp, protocol.into()),
            On::Labels | On::BelowLabels | On::MplsInIp | On::MplsInUdp => (Layer::Mpls, 0),
            On::ServiceProtocol(protocol) => (Layer::Nsh, protocol.into()),
            On::AnyIp | On::IpInIp => (Layer::RawIp, 0),
            On::Ip(protocol) => (Layer::Ipv6, protocol.0.into()),
            On::EtherIp => (Layer::EtherIp, 0),
            On::Gre => (Layer::Gre, 0),
            On::GreMetadata => (Layer::CiscoMetadata, 0),
            On::Erspan { .. } => (Layer::Erspan, 0),
            On::L2tpOverIp | On::L2tpOverUdp => (Layer::L2tp, 0),
            On::Vxlan | On::VxlanGpe => (Layer::Vxlan, 0),
            On::Geneve => (Layer::Geneve, 0),
            On::GtpU => (Layer::GtpU, 0),
            On::Lisp => (Layer::Lisp, 0),
            On::Teredo => (Layer::Teredo, 0),
            On::Ayiya => (Layer::Ayiya, 0),
            On::Tzsp => (Layer::Tzsp, 0),
            On::Capwap => (Layer::Capwap, 0),
        }
    }
}

/// The tunnel that packets from or to a UDP port may be.
pub(super) fn over_udp(port: u16) -> Option<On> {
    Some(match port {
        1701 => On::L2tpOverUdp,
        2152 => On::GtpU,
        3544 => On::Teredo,
        4341 => On::Lisp,
        // The assigned port, and the one that Linux used before.
        4789 | 8472 => On::Vxlan,
        4790 => On::VxlanGpe,
        5072 => On::Ayiya,
        5247 => On::Capwap,
        6081 => On::Geneve,
        6635 => On::MplsInUdp,
        37008 => On::Tzsp,
        _ => return None,
    })
}

/// Reads the header that hangs on `hook`.
pub(super) fn step(hook: On, packet: &mut Packet<'_>) -> Step {
    match hook {
        On::Link(link) => link_type(link, packet),
        On::EtherType(kind) => ether_type(kind, packet),
        On::Ip(protocol) => ip_protocol(protocol, packet),
        On::Ethernet => link::ethernet::step(packet),
        On::Wlan { padded } => link::wlan::step(packet, padded, false),
        On::SwappedWlan => link::wlan::step(packet, false, true),
        On::Llc => link::llc::step(packet),
        // IP by its own access point, without SNAP (RFC 948).
        On::Sap(0x0606) => net::ipv4::step(packet),
        On::NetworkLayer(0xcc) => net::ipv4::step(packet),
        On::NetworkLayer(0x8e) => net::ipv6::step(packet),
        On::NetworkLayer(0xcf) => link::ppp::step(packet),
        // AF_INET everywhere; AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
        On::Family(2) => net::ipv4::step(packet),
        On::Family(10 | 23 | 24 | 28 | 30) => net::ipv6::step(packet),
        On::PppFrame => link::ppp::step(packet),
        On::Ppp(0x0021) => net::ipv4::step(packet),
        On::Ppp(0x0057) => net::ipv6::step(packet),
        On::Ppp(0x0281 | 0x0283) => link::mpls::step(packet),
        On::Labels => link::mpls::step(packet),
        On::BelowLabels => link::mpls::below(packet),
        On::ServiceProtocol(1) => net::ipv4::step(packet),
        On::ServiceProtocol(2) => net::ipv6::step(packet),
        On::ServiceProtocol(3) => link::ethernet::step(packet),
        On::ServiceProtocol(4) => tunnel::nsh::step(packet),
        On::ServiceProtocol(5) => link::mpls::step(packet),
        On::AnyIp => net::any_ip(packet),
        On::IpInIp => tunnel::ip_in_ip::step(packet),
        On::MplsInIp => tunnel::mpls::in_ip(packet),
        On::EtherIp => tunnel::ether_ip::step(packet),
        On::Gre => tunnel::gre::step(packet),
        On::GreMetadata => link::cisco_metadata::in_gre(packet),
        On::Erspan { sequence } => tunnel::erspan::step(packet, sequence),
        On::L2tpOverIp => tunnel::l2tp::over_ip(packet),
        On::L2tpOverUdp => tunnel::l2tp::over_udp(packet),
        On::MplsInUdp => tunnel::mpls::in_udp(packet),
        On::Vxlan => tunnel::vxlan::step(packet),
        On::VxlanGpe => tunnel::vxlan::generic(packet),
        On::Geneve => tunnel::geneve::step(packet),
        On::GtpU => tunnel::gtp_u::step(packet),
        On::Lisp => tunnel::lisp::step(packet),
        On::Teredo => tunnel::teredo::step(packet),
        On::Ayiya => tunnel::ayiya::step(packet),
        On::Tzsp => tunnel::tzsp::step(packet),
        On::Capwap => tunnel::capwap::step(packet),
        unclaimed => undecoded(unclaimed),
    }
}

/// Reads the first header of a frame, by the link type of the capture.
fn link_type(link: LinkType, packet: &mut Packet<'_>) -> Step {
    match link {
        LinkType::ETHERNET => link::ethernet::step(packet),
        LinkType::LINUX_SLL => link::linux_cooked::version_1(packet),
        LinkType::LINUX_SLL2 => link::linux_cooked::version_2(packet),
        LinkType::NULL | LinkType::LOOP => link::loopback::step(packet),
        // Cisco HDLC shares its form with PPP.
        LinkType::PPP | LinkType::PPP_HDLC | LinkType(104) => link::ppp::step(packet),
        LinkType::RAW | LinkType::RAW_DLT12 | LinkType::RAW_DLT14 => net::any_ip(packet),
        LinkType::IPV4 => net::ipv4::step(packet),
        LinkType::IPV6 => net::ipv6::step(packet),
        LinkType(6) => link::token_ring::step(packet),
        LinkType(10) => link::fddi::step(packet),
        LinkType(51) => link::pppoe::step(packet),
        // RFC 1483, and the two kinds of classical IP over ATM.
        LinkType(100 | 106) => link::llc::step(packet),
        LinkType(105) => link::wlan::step(packet, false, false),
        LinkType(107) => link::frame_relay::step(packet),
        LinkType(109) => link::capture_header::enc(packet),
        LinkType(117) => link::pflog::step(packet),
        LinkType(119 | 163) => link::radiotap::prism_or_avs(packet),
        LinkType(127) => link::radiotap::step(packet),
        LinkType(192) => link::ppi::step(packet),
        LinkType(204) => link::capture_header::direction(packet, LinkType::PPP),
        LinkType(205) => link::capture_header::direction(packet, LinkType(104)),
        LinkType(206) => link::capture_header::direction(packet, LinkType(107)),
        LinkType(239) => link::nflog::step(packet),
        LinkType(242) => link::capture_header::ipoib(packet),
        LinkType(258) => link::capture_header::pktap(packet),
        LinkType(274) => link::mpacket::step(packet),
        unclaimed => undecoded(On::Link(unclaimed)),
    }
}

/// Reads the header that an EtherType names.
fn ether_type(kind: u16, packet: &mut Packet<'_>) -> Step {
    match kind {
        0x0800 => net::ipv4::step(packet),
        0x86dd => net::ipv6::step(packet),
        // IEEE 802.1Q and 802.1ad, and what switches used for stacked tags before it.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => link::vlan::step(packet),
        0x22f3 => link::trill::step(packet),
        0x6558 => link::ethernet::step(packet),
        0x880b => link::ppp::step(packet),
        0x8847 | 0x8848 => link::mpls::step(packet),
        0x8864 => link::pppoe::step(packet),
        0x8870 => link::llc::step(packet),
        0x88e5 => link::macsec::step(packet),
        0x88e7 => link::provider_backbone::step(packet),
        0x8903 => link::fabric_path::step(packet),
        0x8909 => link::cisco_metadata::step(packet),
        0x8926 => link::vn_tag::step(packet),
        0x892f | 0xf1c1 => link::redundancy_tag::step(packet),
        0x893f => link::e_tag::step(packet),
        0x894f => tunnel::nsh::step(packet),
        0x8988 => link::timestamp_tag::step(packet),
        unclaimed => undecoded(On::EtherType(unclaimed)),
    }
}

/// Whether a header hangs on `hook` that may stand any number of times between an IP header and
/// the transport header (RFC 8200 section 4.1). Each takes at least eight bytes of the frame.
pub(super) fn is_extension(hook: On) -> bool {
    matches!(hook, On::Ip(IpProto(0 | 43 | 44 | 51 | 60 | 135 | 139 | 140)))
}

/// Reads the header that an IP protocol number names. In IPv4 the numbers of IPv6 extension
/// headers are protocols like any other.
fn ip_protocol(protocol: IpProto, packet: &mut Packet<'_>) -> Step {
    match protocol {
        // Hop-by-hop, routing, destination options, mobility, host identity, shim6.
        IpProto(0 | 43 | 60 | 135 | 139 | 140) => net::extension::step(packet),
        IpProto(44) => net::extension::fragment(packet),
        IpProto(51) => net::authentication::step(packet),
        IpProto::TCP => transport::tcp::step(packet),
        IpProto::UDP => transport::udp::step(packet),
        IpProto::SCTP => transport::sctp::step(packet),
        IpProto::ICMP | IpProto::ICMPV6 => transport::icmp::step(packet),
        IpProto(4 | 41) => tunnel::over_ip(packet, On::IpInIp),
        IpProto(47) => tunnel::over_ip(packet, On::Gre),
        IpProto(97) => tunnel::over_ip(packet, On::EtherIp),
        IpProto(115) => tunnel::over_ip(packet, On::L2tpOverIp),
        IpProto(137) => tunnel::over_ip(packet, On::MplsInIp),
        _ => transport::other(packet),
    }
}

/// The class of a frame on which nothing here hangs: a known protocol that carries no IP, or
/// something that may hide traffic.
pub(super) fn undecoded(hook: On) -> Step {
    let (layer, value) = hook.place();
    if non_ip::non_ip_name(layer, value).is_some() && !non_ip::hides_ip(layer, value) {
        Step::Done(Ending::NonIp(layer, value))
    } else {
        Step::Done(Ending::Stopped(Stop { layer, reason: StopReason::Unknown, value }))
    }
}
