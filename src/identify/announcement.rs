//! What a control connection announces: an endpoint, and what will be spoken there (D2.21).

use std::net::IpAddr;

use super::protocol::Protocol;

/// What carries the announced protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// How far an announcement is trusted (D2.21).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Guessed from what was said.
    Weak,
    /// Said in passing.
    Medium,
    /// Said by who must know.
    Strong,
}

/// An endpoint announced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Announcement {
    /// What will be spoken there.
    pub protocol: Protocol,
    /// Where; `None` is the host that announces.
    pub address: Option<IpAddr>,
    /// Over what.
    pub transport: Transport,
    /// Its port.
    pub port: u16,
    /// A finer fact, such as an interface.
    pub detail: Option<String>,
    /// How far to trust it.
    pub trust: Trust,
}
