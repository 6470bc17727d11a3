//! The protocols that can be recognised, by their stable names.

use super::evidence::Carriage;

/// A protocol above TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Transport Layer Security over TCP.
    Tls,
    /// Server Message Block, versions 1 to 3.
    Smb,
    /// Secure Shell.
    Ssh,
    /// Remote framebuffer (VNC).
    Rfb,
    /// Hypertext Transfer Protocol, WebSocket and RPC over HTTP included.
    Http,
    /// Real Time Streaming Protocol.
    Rtsp,
    /// BitTorrent: peers, hash table, tracker.
    BitTorrent,
    /// Extensible Messaging and Presence Protocol.
    Xmpp,
    /// Remote Desktop Protocol.
    Rdp,
    /// H.323: call signalling, control and registration.
    H323,
    /// Distributed Computing Environment remote procedure calls, connection-oriented or not.
    DceRpc,
    /// Tabular Data Stream (SQL Server).
    Tds,
    /// Kerberos version 5.
    Kerberos,
    /// Kerberos password change and set.
    Kpasswd,
    /// Lightweight Directory Access Protocol, over UDP and global catalog included.
    Ldap,
    /// Skinny client control protocol (SCCP).
    Skinny,
    /// MySQL client and server.
    MySql,
    /// PostgreSQL frontend and backend.
    Postgres,
    /// Oracle's transparent network substrate.
    Oracle,
    /// Open Network Computing remote procedure calls, network file system included.
    SunRpc,
    /// NetBIOS session without SMB.
    Nbss,
    /// SOCKS, versions 4 and 5.
    Socks,
    /// Simple Mail Transfer Protocol.
    Smtp,
    /// File Transfer Protocol, control connection.
    Ftp,
    /// Post Office Protocol, version 3.
    Pop3,
    /// Internet Message Access Protocol.
    Imap,
    /// Internet Relay Chat.
    Irc,
    /// Transaction Internet Protocol.
    Tip,
    /// Telnet.
    Telnet,
    /// Link state between Exchange servers.
    LinkState,
    /// The UDP datagram with which an Exchange server wakes a client (MS-OXCNOTIF).
    MapiNotification,
    /// Data connection of FTP, known by announcement alone.
    FtpData,
    /// Real-time Transport Protocol.
    Rtp,
    /// Control protocol of RTP.
    Rtcp,
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
    /// Trivial file transfer protocol.
    Tftp,
    /// WireGuard.
    WireGuard,
    /// Web services dynamic discovery.
    WsDiscovery,
}

impl Protocol {
    /// What is usually spoken at one of two ports, where that is one protocol: the assignments of
    /// the IANA registry, of the lower port first.
    pub fn usual(carriage: Carriage, mut ports: [u16; 2]) -> Option<Protocol> {
        ports.sort_unstable();
        ports.into_iter().find_map(|port| usual(carriage, port))
    }

    /// The stable name in reports, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tls => "tls",
            Protocol::Smb => "smb",
            Protocol::Ssh => "ssh",
            Protocol::Rfb => "rfb",
            Protocol::Http => "http",
            Protocol::Rtsp => "rtsp",
            Protocol::BitTorrent => "bittorrent",
            Protocol::Xmpp => "xmpp",
            Protocol::Rdp => "rdp",
            Protocol::H323 => "h323",
            Protocol::DceRpc => "dcerpc",
            Protocol::Tds => "tds",
            Protocol::Kerberos => "kerberos",
            Protocol::Kpasswd => "kpasswd",
            Protocol::Ldap => "ldap",
            Protocol::Skinny => "skinny",
            Protocol::MySql => "mysql",
            Protocol::Postgres => "postgres",
            Protocol::Oracle => "oracle",
            Protocol::SunRpc => "sunrpc",
            Protocol::Nbss => "nbss",
            Protocol::Socks => "socks",
            Protocol::Smtp => "smtp",
            Protocol::Ftp => "ftp",
            Protocol::Pop3 => "pop3",
            Protocol::Imap => "imap",
            Protocol::Irc => "irc",
            Protocol::Tip => "tip",
            Protocol::Telnet => "telnet",
            Protocol::LinkState => "link-state",
            Protocol::MapiNotification => "mapi-notification",
            Protocol::FtpData => "ftp-data",
            Protocol::Rtp => "rtp",
            Protocol::Rtcp => "rtcp",
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
            Protocol::Sflow => "sflow",
            Protocol::Sip => "sip",
            Protocol::Slammer => "slammer",
            Protocol::Snmp => "snmp",
            Protocol::Ssdp => "ssdp",
            Protocol::Ssrp => "ssrp",
            Protocol::Stun => "stun",
            Protocol::Syslog => "syslog",
            Protocol::T38 => "t38",
            Protocol::Tftp => "tftp",
            Protocol::WireGuard => "wireguard",
            Protocol::WsDiscovery => "ws-discovery",
        }
    }
}

fn usual(carriage: Carriage, port: u16) -> Option<Protocol> {
    let protocol = match (carriage, port) {
        (_, 53) => Protocol::Dns,
        (_, 88) => Protocol::Kerberos,
        (_, 389 | 3268) => Protocol::Ldap,
        (_, 464) => Protocol::Kpasswd,
        (_, 5060) => Protocol::Sip,
        (Carriage::Tcp, 21) => Protocol::Ftp,
        (Carriage::Tcp, 22) => Protocol::Ssh,
        (Carriage::Tcp, 25 | 587) => Protocol::Smtp,
        (Carriage::Tcp, 80 | 8080) => Protocol::Http,
        (Carriage::Tcp, 135) => Protocol::DceRpc,
        (Carriage::Tcp, 139 | 445) => Protocol::Smb,
        (Carriage::Tcp, 443 | 636 | 2443 | 3269 | 5061 | 8443) => Protocol::Tls,
        (Carriage::Tcp, 1433) => Protocol::Tds,
        (Carriage::Tcp, 2000) => Protocol::Skinny,
        (Carriage::Tcp, 3389) => Protocol::Rdp,
        (Carriage::Tcp, 5900) => Protocol::Rfb,
        (Carriage::Udp, 67 | 68) => Protocol::Dhcp,
        (Carriage::Udp, 123) => Protocol::Ntp,
        (Carriage::Udp, 137) => Protocol::Nbns,
        (Carriage::Udp, 138) => Protocol::Nbdgm,
        (Carriage::Udp, 161 | 162) => Protocol::Snmp,
        (Carriage::Udp, 443) => Protocol::Quic,
        (Carriage::Udp, 1434) => Protocol::Ssrp,
        (Carriage::Udp, 1900) => Protocol::Ssdp,
        (Carriage::Udp, 5353) => Protocol::Mdns,
        (Carriage::Udp, 5355) => Protocol::Llmnr,
        _ => return None,
    };
    Some(protocol)
}
