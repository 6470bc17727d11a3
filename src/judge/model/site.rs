//! A site as judging uses it: who the hosts are, and what was answered.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{ConditionId, HostId, Lint, ParameterId, RelationId, Set64};
use crate::base::{PortSet, Timestamp};

/// The inventory of a site and its answers.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Name of the site; empty when none was given.
    pub name: String,
    /// SHA-256 of the site file in hexadecimal; empty when none was given.
    pub sha256: String,
    /// Hosts and blocks of hosts, in the order of the file.
    pub hosts: Vec<Host>,
    /// Site-wide values of parameters.
    pub parameters: BTreeMap<ParameterId, PortSet>,
    /// Answers, as indices into [`Condition::answers`](super::Condition::answers).
    pub answers: BTreeMap<ConditionId, usize>,
    /// Relations between hosts.
    pub relations: Vec<RelationFact>,
    /// Subnets, for directed broadcasts.
    pub subnets: Vec<IpNet>,
    /// Addresses of mirror collectors.
    pub collectors: Vec<IpAddr>,
    /// Addresses behind which other hosts hide.
    pub nat: Vec<NatNote>,
    /// What is doubtful about the site.
    pub lints: Vec<Lint>,
}

/// A host, or a block of hosts that share roles.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Name as written in the site file.
    pub name: String,
    /// Addresses of the host.
    pub addresses: Vec<IpAddr>,
    /// Prefixes of a block of hosts.
    pub prefixes: Vec<IpNet>,
    /// Roles as declared, closed under "is a".
    pub roles: Set64,
    /// Roles as declared.
    pub declared_roles: Set64,
    /// Attributes.
    pub attributes: Set64,
    /// Values of parameters for this host as a responder.
    pub parameters: BTreeMap<ParameterId, PortSet>,
    /// From when on the entry holds.
    pub valid_from: Option<Timestamp>,
    /// Until when the entry holds, exclusive.
    pub valid_until: Option<Timestamp>,
}

/// One relation between hosts as the site states it.
#[derive(Clone, Debug)]
pub struct RelationFact {
    /// Which relation.
    pub relation: RelationId,
    /// Hosts that have it.
    pub of: Vec<HostId>,
    /// Hosts to which they have it. Equal to `of` for a symmetric relation.
    pub is: Vec<HostId>,
}

/// Addresses behind which other hosts hide.
#[derive(Clone, Debug)]
pub struct NatNote {
    /// The translated addresses.
    pub addresses: Vec<IpAddr>,
    /// What the reader of the report should know.
    pub note: String,
}
