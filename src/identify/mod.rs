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
mod evidence;
mod framing;
mod messages;
mod protocol;
mod text;
mod tpkt;

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
pub mod mysql;
pub mod nbss;
pub mod oracle;
pub mod pop3;
pub mod postgres;
pub mod rdp;
pub mod rfb;
pub mod rtsp;
pub mod sccp;
pub mod smb;
pub mod smtp;
pub mod socks;
pub mod ssh;
pub mod sunrpc;
pub mod tds;
pub mod telnet;
pub mod tip;
pub mod tls;
pub mod xmpp;

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
];
