//! Waivers as judging uses them.

use ipnet::IpNet;

use super::{HostId, ServiceId, Set64};
use crate::base::{IpProto, PortSet, Timestamp};

/// An accepted exception.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Stable identifier.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is accepted.
    pub reason: String,
    /// Ticket or change number.
    pub ticket: String,
    /// From when on it holds.
    pub created: Timestamp,
    /// Until when it holds, exclusive.
    pub expires: Timestamp,
    /// More flows than this are a finding of their own.
    pub maximum_flows: Option<u64>,
    /// Roles of which the initiator must hold one; empty means any.
    pub initiator_roles: Set64,
    /// Roles of which the responder must hold one; empty means any.
    pub responder_roles: Set64,
    /// Whom the initiator must be; empty means anyone.
    pub initiators: Vec<WaivedEnd>,
    /// Whom the responder must be; empty means anyone.
    pub responders: Vec<WaivedEnd>,
    /// Transport; `None` means any.
    pub transport: Option<IpProto>,
    /// Responder ports; `None` means any.
    pub ports: Option<PortSet>,
    /// Service; `None` means any.
    pub service: Option<ServiceId>,
}

/// One end that a waiver names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaivedEnd {
    /// A host or block of the site file. An address that belongs to another entry is not meant,
    /// even if the block holds it.
    Host(HostId),
    /// Every address of a network.
    Network(IpNet),
}

/// The waivers of a site.
#[derive(Clone, Debug, Default)]
pub struct Waivers {
    /// SHA-256 of the waiver file in hexadecimal; empty when none was given.
    pub sha256: String,
    /// The waivers, in the order of the file.
    pub list: Vec<Waiver>,
}
