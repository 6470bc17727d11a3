//! The protocols that can be recognised, by their stable names.

/// A protocol above TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Distributed Computing Environment remote procedure calls, connection-oriented or not.
    DceRpc,
    /// BitTorrent: peers, distributed hash table, micro transport protocol, trackers.
    BitTorrent,
    /// Control and provisioning of wireless access points.
    Capwap,
    /// Dynamic host configuration protocol for IPv4, and BOOTP.
    Dhcp,
    /// Dynamic host configuration protocol for IPv6.
    Dhcpv6,
    /// Domain name system.
    Dns,
    /// Datagram transport layer security.
    Dtls,
    /// GPRS tunnelling protocol, control and user plane.
    Gtp,
    /// Cisco hot standby router protocol.
    Hsrp,
    /// Inter-Asterisk exchange, version 2.
    Iax2,
    /// Internet key exchange, versions 1 and 2.
    Ike,
    /// Layer two tunnelling protocol, version 2.
    L2tp,
    /// Link-local multicast name resolution.
    Llmnr,
    /// The datagram by which an Exchange server wakes a mail client.
    MapiNotification,
    /// Multicast DNS.
    Mdns,
    /// Media gateway control, H.248 in text.
    Megaco,
    /// Media gateway control protocol.
    Mgcp,
    /// NAT port mapping protocol, and its successor PCP.
    NatPmp,
    /// NetBIOS datagram service.
    Nbdgm,
    /// NetBIOS name service.
    Nbns,
    /// Flow export: NetFlow 5 and 9, and IPFIX.
    Netflow,
    /// Network time protocol.
    Ntp,
    /// OpenVPN.
    OpenVpn,
    /// QUIC.
    Quic,
    /// Remote authentication dial-in user service.
    Radius,
    /// Routing information protocol.
    Rip,
    /// RTP control protocol.
    Rtcp,
    /// Real-time transport protocol, secured or not.
    Rtp,
    /// sFlow, version 5.
    Sflow,
    /// Session initiation protocol.
    Sip,
    /// The SQL Slammer worm.
    Slammer,
    /// Simple network management protocol.
    Snmp,
    /// Simple service discovery protocol.
    Ssdp,
    /// SQL Server resolution protocol: the SQL Server browser.
    Ssrp,
    /// Session traversal utilities for NAT, and TURN.
    Stun,
    /// Syslog.
    Syslog,
    /// T.38 fax over UDPTL.
    T38,
    /// Tabular data stream: SQL Server.
    Tds,
    /// Trivial file transfer protocol.
    Tftp,
    /// WireGuard.
    WireGuard,
    /// Web services dynamic discovery.
    WsDiscovery,
}

impl Protocol {
    /// The stable name in reports, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::DceRpc => "dcerpc",
            Protocol::BitTorrent => "bittorrent",
            Protocol::Capwap => "capwap",
            Protocol::Dhcp => "dhcp",
            Protocol::Dhcpv6 => "dhcpv6",
            Protocol::Dns => "dns",
            Protocol::Dtls => "dtls",
            Protocol::Gtp => "gtp",
            Protocol::Hsrp => "hsrp",
            Protocol::Iax2 => "iax2",
            Protocol::Ike => "ike",
            Protocol::L2tp => "l2tp",
            Protocol::Llmnr => "llmnr",
            Protocol::MapiNotification => "mapi-notification",
            Protocol::Mdns => "mdns",
            Protocol::Megaco => "megaco",
            Protocol::Mgcp => "mgcp",
            Protocol::NatPmp => "nat-pmp",
            Protocol::Nbdgm => "nbdgm",
            Protocol::Nbns => "nbns",
            Protocol::Netflow => "netflow",
            Protocol::Ntp => "ntp",
            Protocol::OpenVpn => "openvpn",
            Protocol::Quic => "quic",
            Protocol::Radius => "radius",
            Protocol::Rip => "rip",
            Protocol::Rtcp => "rtcp",
            Protocol::Rtp => "rtp",
            Protocol::Sflow => "sflow",
            Protocol::Sip => "sip",
            Protocol::Slammer => "slammer",
            Protocol::Snmp => "snmp",
            Protocol::Ssdp => "ssdp",
            Protocol::Ssrp => "ssrp",
            Protocol::Stun => "stun",
            Protocol::Syslog => "syslog",
            Protocol::T38 => "t38",
            Protocol::Tds => "tds",
            Protocol::Tftp => "tftp",
            Protocol::WireGuard => "wireguard",
            Protocol::WsDiscovery => "ws-discovery",
        }
    }
}
