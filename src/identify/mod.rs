//! What a conversation speaks, by content, on any port.
//!
//! In: [`Evidence`], the first bytes that each end of a conversation sent. Out: an [`Answer`] of
//! each recogniser. A recogniser is a pure function over that evidence: it never sees a port, an
//! address of the policy or a clock. Not here: keeping the bytes while packets go by, and what a
//! protocol means for the policy (`judge`).
//!
//! A protocol is one file with one [`Recogniser`] and a line in [`RECOGNISERS`].

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

mod announcement;
mod ber;
mod bittorrent_dht;
mod capwap;
mod claim;
mod content;
mod details;
mod dhcp;
mod dhcpv6;
mod dns;
mod dns_message;
mod dtls;
mod evidence;
mod follow;
mod framing;
mod gtp;
mod head;
mod header_lines;
mod hsrp;
mod iax2;
mod ike;
mod l2tp;
mod llmnr;
mod mdns;
mod megaco;
mod messages;
mod mgcp;
mod nat_pmp;
mod nbdgm;
mod nbns;
mod netflow;
mod ntp;
mod openvpn;
mod protocol;
mod quic;
mod radius;
mod reading;
mod recognition;
mod rip;
mod rtcp;
mod sdp;
mod sflow;
mod slammer;
mod snmp;
mod ssdp;
mod stun;
mod survey;
mod syslog;
mod text;
mod tftp;
mod tpkt;
mod wireguard;
mod ws_discovery;

pub mod bittorrent;
pub mod dcerpc;
pub mod ftp;
pub mod h323;
pub mod http;
pub mod imap;
pub mod irc;
pub mod kerberos;
pub mod kpasswd;
pub mod ldap;
pub mod link_state;
pub mod mapi_notification;
pub mod mysql;
pub mod nbss;
pub mod oracle;
pub mod pop3;
pub mod postgres;
pub mod rdp;
pub mod rfb;
pub mod rtp;
pub mod rtsp;
pub mod sccp;
pub mod sip;
pub mod smb;
pub mod smtp;
pub mod socks;
pub mod ssh;
pub mod ssrp;
pub mod sunrpc;
pub mod t38;
pub mod tds;
pub mod telnet;
pub mod tip;
pub mod tls;
pub mod xmpp;

pub use announcement::{Announcement, Follower, Source, Trust};
pub use claim::{Answer, Claim, Detail, Grade, Proof};
pub use content::{Content, Identity};
pub use evidence::{Carriage, End, Evidence, Piece, Start};
pub use follow::Announced;
pub use protocol::Protocol;
pub use recognition::{Payload, Recognition};

/// Recognises one protocol.
#[derive(Clone, Copy, Debug)]
pub struct Recogniser {
    /// The protocol that it claims.
    pub protocol: Protocol,
    /// Whether the protocol runs over TCP, over UDP, or over both.
    pub carriage: &'static [Carriage],
    /// Judges the kept payloads of both ends together.
    pub recognise: fn(&Evidence<'_>) -> Answer,
}

/// Every recogniser, in the order of trial: exact magic before structure before statistics
/// (D2.1 rule 7).
pub static RECOGNISERS: &[&Recogniser] = &[
    // Exact magic.
    &tls::RECOGNISER,
    &smb::RECOGNISER,
    &ssh::RECOGNISER,
    &rfb::RECOGNISER,
    &http::RECOGNISER,
    &rtsp::RECOGNISER,
    &bittorrent::RECOGNISER,
    &xmpp::RECOGNISER,
    &rdp::RECOGNISER,
    &h323::RECOGNISER,
    &sip::RECOGNISER,
    &ssdp::RECOGNISER,
    &slammer::RECOGNISER,
    &stun::RECOGNISER,
    &dtls::RECOGNISER,
    &quic::RECOGNISER,
    &dhcp::RECOGNISER,
    &bittorrent_dht::RECOGNISER,
    &mgcp::RECOGNISER,
    &megaco::RECOGNISER,
    &ws_discovery::RECOGNISER,
    // Structure.
    &dcerpc::RECOGNISER,
    &tds::RECOGNISER,
    &kerberos::RECOGNISER,
    &kpasswd::RECOGNISER,
    &ldap::RECOGNISER,
    &sccp::RECOGNISER,
    &mysql::RECOGNISER,
    &postgres::RECOGNISER,
    &oracle::RECOGNISER,
    &sunrpc::RECOGNISER,
    &nbss::RECOGNISER,
    &socks::RECOGNISER,
    &smtp::RECOGNISER,
    &ftp::RECOGNISER,
    &pop3::RECOGNISER,
    &imap::RECOGNISER,
    &irc::RECOGNISER,
    &tip::RECOGNISER,
    &telnet::RECOGNISER,
    &link_state::RECOGNISER,
    &nbns::RECOGNISER,
    &nbdgm::RECOGNISER,
    &mdns::RECOGNISER,
    &llmnr::RECOGNISER,
    &dns::RECOGNISER,
    &snmp::RECOGNISER,
    &ssrp::RECOGNISER,
    &tftp::RECOGNISER,
    &dhcpv6::RECOGNISER,
    &radius::RECOGNISER,
    &ike::RECOGNISER,
    &l2tp::RECOGNISER,
    &netflow::RECOGNISER,
    &sflow::RECOGNISER,
    &rip::RECOGNISER,
    &hsrp::RECOGNISER,
    &capwap::RECOGNISER,
    &gtp::RECOGNISER,
    &iax2::RECOGNISER,
    &syslog::RECOGNISER,
    &ntp::RECOGNISER,
    &rtcp::RECOGNISER,
    &wireguard::RECOGNISER,
    &openvpn::RECOGNISER,
    &nat_pmp::RECOGNISER,
    // Statistics.
    &t38::RECOGNISER,
    &rtp::RECOGNISER,
];
