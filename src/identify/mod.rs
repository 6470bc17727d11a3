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
mod claim;
mod details;
mod dns_message;
mod evidence;
mod header_lines;
mod protocol;
mod reading;

mod bittorrent_dht;
mod capwap;
mod dhcp;
mod dhcpv6;
mod dns;
mod dtls;
mod gtp;
mod hsrp;
mod iax2;
mod ike;
mod l2tp;
mod llmnr;
pub mod mapi_notification;
mod mdns;
mod megaco;
mod mgcp;
mod nat_pmp;
mod nbdgm;
mod nbns;
mod netflow;
mod ntp;
mod openvpn;
mod quic;
mod radius;
mod rip;
mod rtcp;
pub mod rtp;
mod sdp;
mod sflow;
pub mod sip;
mod slammer;
mod snmp;
mod ssdp;
pub mod ssrp;
mod stun;
mod syslog;
pub mod t38;
mod tftp;
mod wireguard;
mod ws_discovery;

pub use announcement::{Announcement, Follower, Source, Trust};
pub use claim::{Answer, Claim, Detail, Grade, Proof};
pub use evidence::{Carriage, End, Evidence, Piece, Start};
pub use protocol::Protocol;

/// Recognises one protocol.
#[derive(Clone, Copy, Debug)]
pub struct Recogniser {
    /// The protocol that it claims.
    pub protocol: Protocol,
    /// Whether the protocol runs over TCP, over UDP, or over both.
    pub carriage: &'static [Carriage],
    /// Whether one payload by itself could be of this protocol: cheap, run on each packet to
    /// decide which payloads are worth keeping. True also when the capture cut the payload
    /// before anything speaks against it.
    pub candidate: fn(&Piece<'_>) -> bool,
    /// Judges the kept payloads of both ends together.
    pub recognise: fn(&Evidence<'_>) -> Answer,
}

/// Every recogniser, in the order of trial: exact magic before structure before statistics
/// (D2.1 rule 7).
pub static RECOGNISERS: &[&Recogniser] = &[
    // Exact magic.
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
