//! A policy as judging uses it: roles, services and rows of all packs.

use super::{
    ConditionId, PackId, ParameterId, ReadingId, RelationId, RowId, SectionId, ServiceId, Set64,
};
use crate::base::{IpProto, PortSet};
use crate::identify::Protocol;
use crate::identify::dcerpc::InterfaceClass;

/// Everything that was loaded from the policy packs, in the order of the packs and of their
/// lines.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The packs.
    pub packs: Vec<Pack>,
    /// Roles whose every conversation is governed, with the roles that are one of them.
    pub subject_roles: Set64,
    /// Numbers that a site may set.
    pub parameters: Vec<Parameter>,
    /// Questions that a site may answer.
    pub conditions: Vec<Condition>,
    /// Roles that a host may hold.
    pub roles: Vec<Role>,
    /// Attributes that a host may carry.
    pub attributes: Vec<Attribute>,
    /// Relations between hosts.
    pub relations: Vec<Relation>,
    /// What rows grant.
    pub services: Vec<Service>,
    /// How unclear passages of the document are read.
    pub readings: Vec<Reading>,
    /// The tables of the document.
    pub sections: Vec<Section>,
    /// The rows, in document order.
    pub rows: Vec<Row>,
    /// Rows of the infrastructure packs.
    pub infrastructure: Vec<InfrastructureRow>,
    /// What is doubtful about the packs.
    pub lints: Vec<Lint>,
}

/// One policy file.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Stable identifier.
    pub id: String,
    /// What kind of pack it is.
    pub kind: PackKind,
    /// Title of the pack.
    pub title: String,
    /// Who published the document; empty for packs without one.
    pub publisher: String,
    /// Release of the product that the document is for.
    pub release: String,
    /// Revision date of the document as printed.
    pub revision: String,
    /// Title of the document.
    pub document: String,
    /// SHA-256 of the text from which the pack was made, in hexadecimal; empty when unknown.
    pub source_sha256: String,
    /// SHA-256 of the pack file itself, in hexadecimal.
    pub sha256: String,
}

/// What a pack says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackKind {
    /// A documented port matrix.
    Document,
    /// Traffic that every network carries.
    Infrastructure,
}

/// A number or set of ports that a site may set.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Stable identifier.
    pub id: String,
    /// What it stands for.
    pub meaning: String,
    /// Ports that hold where the site says nothing. `None`: unbound until the site sets it.
    pub default: Option<PortSet>,
    /// Whether each responder may have its own value.
    pub per_responder: bool,
    /// Ports that an unbound parameter could stand for.
    pub candidates: PortSet,
    /// Fewer ports than this are a lint.
    pub minimum_count: Option<u32>,
    /// Ports below this are a lint.
    pub lowest: Option<u16>,
}

/// A question on which rows depend.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Stable identifier.
    pub id: String,
    /// The question.
    pub question: String,
    /// The possible answers.
    pub answers: Vec<String>,
}

/// A role that a host may hold.
#[derive(Clone, Debug)]
pub struct Role {
    /// Stable identifier.
    pub id: String,
    /// What makes a host one.
    pub definition: String,
    /// This role and every role it is one of.
    pub closure: Set64,
    /// Roles that such a host nearly always holds too.
    pub usually: Set64,
}

/// An attribute that a host of some roles may carry.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Stable identifier.
    pub id: String,
    /// What it says of a host.
    pub meaning: String,
    /// Roles whose hosts may carry it.
    pub roles: Set64,
}

/// A relation between hosts: whose DNS server, whose failover peer.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Stable identifier.
    pub id: String,
    /// What it says of two hosts.
    pub meaning: String,
    /// Whether it holds both ways.
    pub symmetric: bool,
    /// Roles of the hosts that have such a relation.
    pub from: Set64,
    /// Roles of the hosts to which they have it.
    pub to: Set64,
}

/// What a row grants.
#[derive(Clone, Debug)]
pub struct Service {
    /// Stable identifier.
    pub id: String,
    /// Standard name.
    pub name: String,
    /// Recognised protocols that confirm it; empty when none does.
    pub protocols: Vec<ServiceProtocol>,
    /// Protocols that may be spoken on its ports, and that neither confirm nor contradict it.
    pub tolerated: Vec<ServiceProtocol>,
    /// Whether each direction of a flow is judged by its own destination port (D1.6 A-03).
    pub per_direction: bool,
}

/// A protocol that a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceProtocol {
    /// The protocol.
    pub protocol: Protocol,
    /// Of DCE/RPC: the class of the interface, where only one is meant.
    pub class: Option<InterfaceClass>,
}

/// How an unclear passage is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Stable identifier, `A-01` and so on.
    pub id: String,
    /// What is unclear.
    pub question: String,
    /// What the words grant.
    pub literal: String,
    /// How the pack reads them.
    pub inferred: String,
    /// Whether the two differ in a verdict.
    pub changes_verdict: bool,
}

/// A table of the document.
#[derive(Clone, Debug)]
pub struct Section {
    /// Stable identifier of the table, `S14a`.
    pub id: String,
    /// Number of the section, `S14`.
    pub number: String,
    /// Which pack it belongs to.
    pub pack: PackId,
    /// Title in our words.
    pub title: String,
    /// Title of the section in the document.
    pub citation: String,
    /// Revision date printed at the section; empty when none is.
    pub revised: String,
    /// What the document warns of here; empty when it does not.
    pub caution: String,
    /// Rows of the section, in document order.
    pub rows: Vec<RowId>,
}

/// One documented line.
#[derive(Clone, Debug)]
pub struct Row {
    /// Stable identifier, `U-DC.kerberos.tcp`.
    pub id: String,
    /// Which table it stands in.
    pub section: SectionId,
    /// Line of the pack file on which it stands, from 1.
    pub line: usize,
    /// Transport: TCP or UDP.
    pub transport: IpProto,
    /// Ports of the responder.
    pub ports: RowPorts,
    /// What it grants.
    pub service: ServiceId,
    /// Service as the document prints it.
    pub printed: String,
    /// Whether either host may initiate.
    pub symmetric: bool,
    /// So wide that it is tried last and only grants weakly.
    pub weak: bool,
    /// Readings on which the row rests.
    pub readings: Vec<ReadingId>,
    /// Relation in which the initiator must stand to the responder.
    pub relation: Option<RelationId>,
    /// What must hold under the reading `inferred`.
    pub terms: Terms,
    /// What must hold under the reading `literal`, where that differs.
    pub literal: Option<Terms>,
}

/// Who may use a row, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Roles that may initiate.
    pub initiator: Set64,
    /// Roles that may respond.
    pub responder: Set64,
    /// Attributes of which the initiator must carry one; empty means no such demand.
    pub initiator_has: Set64,
    /// Attributes of which the responder must carry one; empty means no such demand.
    pub responder_has: Set64,
    /// Conditions that must all hold.
    pub when: Vec<Requirement>,
}

/// A condition and the answers that satisfy a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The condition.
    pub condition: ConditionId,
    /// Indices into [`Condition::answers`], ascending.
    pub accepted: Vec<usize>,
}

/// Where the ports of a row come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowPorts {
    /// Printed in the document.
    Fixed(PortSet),
    /// A parameter of the site.
    Parameter(ParameterId),
}

/// A row of an infrastructure pack.
#[derive(Clone, Debug)]
pub struct InfrastructureRow {
    /// Stable identifier.
    pub id: String,
    /// Which pack it belongs to.
    pub pack: PackId,
    /// What the traffic is.
    pub title: String,
    /// What it matches.
    pub matches: InfrastructureMatch,
    /// To which kind of destination it applies.
    pub to: Destination,
    /// Whether it is worth a remark when a governed host takes part.
    pub informational: bool,
}

/// What an infrastructure row matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InfrastructureMatch {
    /// A non-IP protocol by the name that decoding gives it: `arp`, `stp`, `lldp`.
    NonIp(String),
    /// An IP protocol.
    IpProtocol(IpProto),
    /// A transport and responder ports.
    Ports {
        /// TCP or UDP.
        transport: IpProto,
        /// Initiator ports; `None` means any.
        from: Option<PortSet>,
        /// Responder ports.
        ports: PortSet,
    },
}

/// Kind of destination address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Any address.
    Any,
    /// Limited or directed broadcast.
    Broadcast,
    /// Multicast group.
    Multicast,
    /// Broadcast or multicast.
    Group,
}

/// Something doubtful that does not stop a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lint {
    /// Stable code in kebab-case.
    pub code: String,
    /// What it is about: a row, a host, a parameter.
    pub subject: String,
    /// What is doubtful and what to do.
    pub message: String,
}
