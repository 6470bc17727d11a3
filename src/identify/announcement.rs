//! What a conversation announces of others: "this port of that host will speak such a protocol".
//!
//! Some control connections hand out ports: the endpoint mapper, the resolver of object exporters,
//! call control, file transfer. A [`Follower`] reads such a connection over its whole life, in
//! order, and tells each [`Announcement`] as it is complete. Not here: which announcements are to
//! be believed, which depends on whose address is announced (D2.21).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::claim::Detail;
use super::evidence::{Carriage, End};
use super::protocol::Protocol;

/// By which message something was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// An answer of the endpoint mapper.
    EndpointMapper,
    /// The secondary address of a bind acknowledgement: the port of the server itself.
    BindAcknowledgement,
    /// An answer of the resolver of object exporters.
    ObjectExporter,
    /// An answer to the activation of an object.
    Activation,
    /// A client of an Exchange server that wants to be notified.
    PushRegistration,
    /// An answer of the SQL Server browser.
    SqlBrowser,
    /// Skinny call control.
    Sccp,
    /// A session description.
    Sdp,
    /// A command or reply of FTP.
    Ftp,
    /// Another signalling protocol.
    Signalling,
}

impl Source {
    /// The stable name in reports, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Source::EndpointMapper => "endpoint-mapper",
            Source::BindAcknowledgement => "bind-acknowledgement",
            Source::ObjectExporter => "object-exporter",
            Source::Activation => "activation",
            Source::PushRegistration => "push-registration",
            Source::SqlBrowser => "sql-browser",
            Source::Sccp => "sccp",
            Source::Sdp => "sdp",
            Source::Ftp => "ftp",
            Source::Signalling => "signalling",
        }
    }
}

/// How far an announcement may be trusted by its kind (D2.21).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trust {
    /// A guess, such as an address that a translator may have rewritten.
    Weak,
    /// The port is meant, but for one of several uses.
    Medium,
    /// The announcing host says plainly what is on the port.
    Strong,
}

/// An endpoint and what it will speak.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Announcement {
    /// What will be spoken there.
    pub protocol: Protocol,
    /// Which end announced it.
    pub by: End,
    /// The address announced; `None` when it is that of the announcing host.
    pub address: Option<IpAddr>,
    /// What will carry it.
    pub carriage: Carriage,
    /// The port announced, never 0.
    pub port: u16,
    /// A finer fact, such as the interface behind the port.
    pub detail: Option<Detail>,
    /// By which message.
    pub source: Source,
    /// How far it may be trusted.
    pub trust: Trust,
}

/// Reads a control connection over its whole life.
///
/// Both ends are fed in the order of capture, each end's bytes in the order of its stream. Memory
/// is bounded, whatever is sent.
pub trait Follower {
    /// Reads the next bytes of one end. `at_message_start` says that a message may begin with
    /// them as with the first byte of the stream: what is kept of an earlier message of that end
    /// is dropped. Otherwise they follow the bytes fed before.
    fn feed(
        &mut self,
        end: End,
        bytes: &[u8],
        at_message_start: bool,
        out: &mut dyn FnMut(Announcement),
    );

    /// Tells that `missing` bytes of one end were not captured. Where they lie within one
    /// message, only that message is lost.
    fn gap(&mut self, end: End, missing: usize);

    /// Bytes of memory in use beside the struct itself.
    fn weight(&self) -> usize;
}
