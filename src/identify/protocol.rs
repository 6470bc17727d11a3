//! The protocols that can be recognised, by their stable names.

use serde::{Deserialize, Serialize};

use super::evidence::Carriage;

macro_rules! protocols {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A protocol above TCP or UDP.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Protocol { $($(#[$doc])* $variant,)* }

        impl Protocol {
            /// Every protocol.
            pub const ALL: &'static [Protocol] = &[$(Protocol::$variant,)*];

            /// The stable name in reports and policies, in kebab case.
            pub fn name(self) -> &'static str {
                match self { $(Protocol::$variant => $name,)* }
            }
        }
    };
}

protocols! {
    /// Transport Layer Security over TCP.
    Tls = "tls",
    /// Server Message Block, versions 1 to 3.
    Smb = "smb",
    /// Secure Shell.
    Ssh = "ssh",
    /// Remote framebuffer (VNC).
    Rfb = "rfb",
    /// Hypertext Transfer Protocol, WebSocket and RPC over HTTP included.
    Http = "http",
    /// Real Time Streaming Protocol.
    Rtsp = "rtsp",
    /// BitTorrent: peers, hash table, tracker.
    BitTorrent = "bittorrent",
    /// Extensible Messaging and Presence Protocol.
    Xmpp = "xmpp",
    /// Remote Desktop Protocol.
    Rdp = "rdp",
    /// H.323: call signalling, control and registration.
    H323 = "h323",
    /// Distributed Computing Environment remote procedure calls, connection-oriented or not.
    DceRpc = "dcerpc",
    /// Tabular Data Stream (SQL Server).
    Tds = "tds",
    /// Kerberos version 5.
    Kerberos = "kerberos",
    /// Kerberos password change and set.
    Kpasswd = "kpasswd",
    /// Lightweight Directory Access Protocol, over UDP and global catalog included.
    Ldap = "ldap",
    /// Skinny client control protocol (SCCP).
    Skinny = "skinny",
    /// MySQL client and server.
    MySql = "mysql",
    /// PostgreSQL frontend and backend.
    Postgres = "postgres",
    /// Oracle's transparent network substrate.
    Oracle = "oracle",
    /// Open Network Computing remote procedure calls, network file system included.
    SunRpc = "sunrpc",
    /// NetBIOS session without SMB.
    Nbss = "nbss",
    /// SOCKS, versions 4 and 5.
    Socks = "socks",
    /// Simple Mail Transfer Protocol.
    Smtp = "smtp",
    /// File Transfer Protocol, control connection.
    Ftp = "ftp",
    /// Post Office Protocol, version 3.
    Pop3 = "pop3",
    /// Internet Message Access Protocol.
    Imap = "imap",
    /// Internet Relay Chat.
    Irc = "irc",
    /// Transaction Internet Protocol.
    Tip = "tip",
    /// Telnet.
    Telnet = "telnet",
    /// Link state between Exchange servers.
    LinkState = "link-state",
    /// The UDP datagram with which an Exchange server wakes a client (MS-OXCNOTIF).
    MapiNotification = "mapi-notification",
    /// Data connection of FTP, known by announcement alone.
    FtpData = "ftp-data",
    /// Real-time Transport Protocol.
    Rtp = "rtp",
    /// Control protocol of RTP.
    Rtcp = "rtcp",
    /// Control and provisioning of wireless access points.
    Capwap = "capwap",
    /// Dynamic host configuration protocol for IPv4, and BOOTP.
    Dhcp = "dhcp",
    /// Dynamic host configuration protocol for IPv6.
    Dhcpv6 = "dhcpv6",
    /// Domain name system.
    Dns = "dns",
    /// Datagram transport layer security.
    Dtls = "dtls",
    /// GPRS tunnelling protocol, control and user plane.
    Gtp = "gtp",
    /// Cisco hot standby router protocol.
    Hsrp = "hsrp",
    /// Inter-Asterisk exchange, version 2.
    Iax2 = "iax2",
    /// Internet key exchange, versions 1 and 2.
    Ike = "ike",
    /// Layer two tunnelling protocol, version 2.
    L2tp = "l2tp",
    /// Link-local multicast name resolution.
    Llmnr = "llmnr",
    /// Multicast DNS.
    Mdns = "mdns",
    /// Media gateway control, H.248 in text.
    Megaco = "megaco",
    /// Media gateway control protocol.
    Mgcp = "mgcp",
    /// NAT port mapping protocol, and its successor PCP.
    NatPmp = "nat-pmp",
    /// NetBIOS datagram service.
    Nbdgm = "nbdgm",
    /// NetBIOS name service.
    Nbns = "nbns",
    /// Flow export: NetFlow 5 and 9, and IPFIX.
    Netflow = "netflow",
    /// Network time protocol.
    Ntp = "ntp",
    /// OpenVPN.
    OpenVpn = "openvpn",
    /// QUIC.
    Quic = "quic",
    /// Remote authentication dial-in user service.
    Radius = "radius",
    /// Routing information protocol.
    Rip = "rip",
    /// sFlow, version 5.
    Sflow = "sflow",
    /// Session initiation protocol.
    Sip = "sip",
    /// The SQL Slammer worm.
    Slammer = "slammer",
    /// Simple network management protocol.
    Snmp = "snmp",
    /// Simple service discovery protocol.
    Ssdp = "ssdp",
    /// SQL Server resolution protocol: the SQL Server browser.
    Ssrp = "ssrp",
    /// Session traversal utilities for NAT, and TURN.
    Stun = "stun",
    /// Syslog.
    Syslog = "syslog",
    /// T.38 fax over UDPTL.
    T38 = "t38",
    /// Trivial file transfer protocol.
    Tftp = "tftp",
    /// WireGuard.
    WireGuard = "wireguard",
    /// Web services dynamic discovery.
    WsDiscovery = "ws-discovery",
}

impl Protocol {
    /// What is usually spoken at one of two ports, where that is one protocol: the assignments of
    /// the IANA registry, of the lower port first.
    pub fn usual(carriage: Carriage, mut ports: [u16; 2]) -> Option<Protocol> {
        ports.sort_unstable();
        ports.into_iter().find_map(|port| usual(carriage, port))
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
