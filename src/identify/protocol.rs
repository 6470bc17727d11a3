//! The protocols that can be recognised, by their stable names.

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
}

impl Protocol {
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
        }
    }
}
