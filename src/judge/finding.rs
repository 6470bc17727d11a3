//! What a finding is, and how much it weighs. `grouping` makes them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::announced::Learned;
use super::flow::Judgement;
use super::model::{HostId, RoleId, RowId, Set64};
use super::nearest::Nearest;
use super::spoken::Spoken;
use super::verdict::{Assumption, Basis, Missing, Reason, Severity, Verdict};
use crate::base::{Endpoint, IpProto, PortSet, Timestamp};
use crate::decode::Direction;
use crate::flow::{ConnectionState, FlowRecord};
use crate::identify::{Detail, Protocol};

/// Most sample flows of a finding.
pub const SAMPLES: usize = 5;

/// Most addresses listed on each side of a finding.
pub const ADDRESSES: usize = 50;

/// Most bytes of payload that pass for an attempt.
const ATTEMPT: u64 = 8192;

/// A flow and what is said of it.
#[derive(Clone, Debug)]
pub struct JudgedFlow {
    /// The flow.
    pub record: FlowRecord,
    /// What is said of it.
    pub judgement: Judgement,
}

impl JudgedFlow {
    /// Address and port of the initiator.
    pub fn initiator(&self) -> Endpoint {
        self.record.end(self.judgement.initiator)
    }

    /// Address and port of the responder.
    pub fn responder(&self) -> Endpoint {
        self.record.end(self.judgement.initiator.reverse())
    }

    /// Whether packets of the responder were captured, or proved by the initiator's.
    pub fn answered(&self) -> bool {
        use ConnectionState::{Established, HalfSeen, HandshakeOnly, MidStream};
        let only_the_answer = self.judgement.state == ConnectionState::OneWay
            && self.record.key.protocol() == IpProto::UDP
            && self.record.half(self.judgement.initiator.reverse()).packets > 0;
        only_the_answer
            || matches!(self.judgement.state, Established | HalfSeen | HandshakeOnly | MidStream)
    }

    /// Whether some payload was not looked at for want of room.
    pub fn is_unread(&self) -> bool {
        self.record.content.as_ref().is_some_and(|content| content.unread)
    }

    /// Whether an end sent data. A keep-alive of one byte is none.
    pub fn carried_data(&self) -> bool {
        [Direction::AToB, Direction::BToA]
            .into_iter()
            .any(|direction| self.record.half(direction).payload_bytes > 1)
    }

    /// Whether both ends sent data. A keep-alive of one byte is none.
    pub fn carried_data_both_ways(&self) -> bool {
        let data = |direction: Direction| self.record.half(direction).payload_bytes > 1;
        data(Direction::AToB) && data(Direction::BToA)
    }

    /// Whether an end sent more than an attempt takes: then it was none, whatever came back.
    pub fn sent_bulk(&self) -> bool {
        [Direction::AToB, Direction::BToA]
            .into_iter()
            .any(|direction| self.record.half(direction).payload_bytes > ATTEMPT)
    }

    /// Whether only an ICMP error tells of it, so that no packet of it was captured.
    pub fn is_hearsay(&self) -> bool {
        self.record.origin.is_none()
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Flows with a verdict that needs attention.
    Flows(Verdict, Option<Reason>),
    /// Sources that each tried many doors in a short time, with the verdict on their tries.
    Scan(Verdict),
    /// Documented connections that were tried again and again and never answered.
    Blocked,
    /// What is wrong with a waiver, an index into the list of the file.
    Waiver(WaiverFault, usize),
}

/// What can be wrong with a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaiverFault {
    /// It accepted more flows than it allows.
    Exceeded,
    /// Flows that it would accept came when it was over.
    Expired,
    /// It accepted nothing.
    Unused,
}

impl FindingKind {
    /// The stable code in reports.
    pub fn code(self) -> &'static str {
        match self {
            FindingKind::Flows(_, Some(reason)) => reason.name(),
            FindingKind::Flows(verdict, None) => verdict.name(),
            FindingKind::Scan(_) => "scan",
            FindingKind::Blocked => "documented-but-blocked",
            FindingKind::Waiver(WaiverFault::Exceeded, _) => "waiver-exceeded",
            FindingKind::Waiver(WaiverFault::Expired, _) => "waiver-expired",
            FindingKind::Waiver(WaiverFault::Unused, _) => "waiver-unused",
        }
    }

    /// The verdict on its flows.
    pub fn verdict(self) -> Verdict {
        match self {
            FindingKind::Flows(verdict, _) | FindingKind::Scan(verdict) => verdict,
            FindingKind::Blocked => Verdict::Documented,
            FindingKind::Waiver(WaiverFault::Expired, _) => Verdict::Violation,
            FindingKind::Waiver(..) => Verdict::Waived,
        }
    }

    /// Whether it can fail a run: the others are about facts that are missing or services that
    /// do not answer, or repeat what findings of their own say.
    pub fn can_fail(self) -> bool {
        matches!(
            self,
            FindingKind::Scan(_)
                | FindingKind::Flows(Verdict::Violation | Verdict::UnknownPeer, _)
                | FindingKind::Waiver(WaiverFault::Exceeded, _)
        )
    }
}

/// Where an address outside the site file lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerClass {
    /// A private, link-local or unique-local address.
    Internal,
    /// Any other unicast address.
    External,
    /// A multicast group or the limited broadcast address.
    Group,
}

impl PeerClass {
    /// The class of an address (RFC 1918, RFC 3927, RFC 4193, RFC 4291).
    pub fn of(address: IpAddr) -> PeerClass {
        if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return PeerClass::Group;
        }
        let internal = match address {
            IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
            IpAddr::V6(v6) => {
                v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback()
            }
        };
        if internal { PeerClass::Internal } else { PeerClass::External }
    }

    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            PeerClass::Internal => "internal-unlisted",
            PeerClass::External => "external",
            PeerClass::Group => "group",
        }
    }
}

/// One end of a group of flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Hosts with these declared roles.
    Roles(Set64),
    /// Addresses outside the site file.
    Unlisted(PeerClass),
    /// Hosts of any kind: the finding is about a waiver.
    Any,
}

/// What the flows of a finding speak, and what shows it.
#[derive(Clone, Debug)]
pub struct Evident {
    /// The protocol, and the best way in which it is known of one of the flows.
    pub spoken: Spoken,
    /// Finer facts of all flows, sorted; at most sixteen.
    pub details: Vec<Detail>,
    /// The bytes that show it in one flow, and who sent them.
    pub shown: Option<(Direction, Box<[u8]>)>,
    /// The flow that shows it, as an index like those of samples.
    pub flow: usize,
    /// What announced it.
    pub announced: Option<Learned>,
}

/// Flows that differ in nothing that matters.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// How much it weighs: the heaviest of its flows.
    pub severity: Severity,
    /// Roles of the initiators.
    pub from: Side,
    /// Roles of the responders.
    pub to: Side,
    /// IP protocol; `None` where there are several, as under a waiver.
    pub transport: Option<IpProto>,
    /// Responder ports.
    pub ports: PortSet,
    /// Whether the finding stands for every port of the pair rather than for one.
    pub many_ports: bool,
    /// Initiator addresses with their flows, most first; at most [`ADDRESSES`].
    pub initiators: Vec<(IpAddr, Option<HostId>, u64)>,
    /// How many initiator addresses there are in all.
    pub initiator_count: u64,
    /// Responder addresses with their flows, most first; at most [`ADDRESSES`].
    pub responders: Vec<(IpAddr, Option<HostId>, u64)>,
    /// How many responder addresses there are in all.
    pub responder_count: u64,
    /// Flows.
    pub flows: u64,
    /// Attempts that only an ICMP error tells of, which are no flows.
    pub hearsay: u64,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// Flows and attempts by state.
    pub states: BTreeMap<ConnectionState, u64>,
    /// Flows and attempts by how their initiator is known.
    pub bases: BTreeMap<Basis, u64>,
    /// First packet; `None` when the finding has no flows.
    pub first: Option<Timestamp>,
    /// Last packet; `None` when the finding has no flows.
    pub last: Option<Timestamp>,
    /// Indices of sample flows, for [`Assessment::sample`](super::Assessment::sample): the first,
    /// the largest, the last.
    pub samples: Vec<usize>,
    /// What its flows speak, where that is part of the finding.
    pub speaks: Option<Evident>,
    /// Rows that the reason names.
    pub rows: Vec<RowId>,
    /// Rows that come nearest.
    pub nearest: Vec<Nearest>,
    /// Facts that are missing.
    pub missing: Vec<Missing>,
    /// Assumptions made.
    pub assumptions: Vec<Assumption>,
    /// Roles that would make the unlisted side documented.
    pub would_document: Vec<RoleId>,
}

fn is_fax(flow: &JudgedFlow) -> bool {
    flow.judgement.spoken.is_some_and(|spoken| spoken.protocol == Protocol::T38)
}

/// What one flow of a finding weighs.
pub(super) fn severity(kind: FindingKind, flow: &JudgedFlow) -> Severity {
    let ends = [
        (flow.judgement.initiator_host, flow.initiator()),
        (flow.judgement.responder_host, flow.responder()),
    ];
    let outside = ends
        .iter()
        .any(|(host, end)| host.is_none() && PeerClass::of(end.address()) == PeerClass::External);
    let base = match kind {
        FindingKind::Scan(_) | FindingKind::Waiver(WaiverFault::Exceeded, _) => {
            return Severity::Medium;
        }
        FindingKind::Blocked | FindingKind::Waiver(WaiverFault::Expired, _) => {
            return Severity::Low;
        }
        FindingKind::Flows(Verdict::NotAssessable, _)
        | FindingKind::Waiver(WaiverFault::Unused, _) => return Severity::Info,
        FindingKind::Flows(_, Some(Reason::ConditionOff)) => Severity::Low,
        // Fax between ports of speech: the port is documented, the service is not.
        FindingKind::Flows(_, Some(Reason::ProtocolMismatch)) if is_fax(flow) => {
            return Severity::Low;
        }
        FindingKind::Flows(Verdict::UnknownPeer, _)
            if PeerClass::of(flow.responder().address()) == PeerClass::Group =>
        {
            return Severity::Low;
        }
        FindingKind::Flows(Verdict::UnknownPeer, _) if outside => Severity::High,
        FindingKind::Flows(..) => Severity::Medium,
    };
    let literal_only = flow.judgement.reason == Some(Reason::QualifierMismatch)
        && !flow.judgement.assumptions.is_empty();
    if literal_only {
        return Severity::Info;
    }
    let tcp = flow.record.key.protocol() == IpProto::TCP;
    match flow.judgement.state {
        // Anyone can make an error message, and leave out an acknowledgement.
        ConnectionState::Unanswered | ConnectionState::Refused | ConnectionState::HandshakeOnly
            if !flow.sent_bulk() =>
        {
            base.lowered()
        }
        // Of what one direction shows without data, the other may be a refusal or nothing; and
        // segments without data, of which no SYN is known, may be a SYN and its refusal.
        ConnectionState::HalfSeen
        | ConnectionState::OneWay
        | ConnectionState::UnknownAnswer
        | ConnectionState::MidStream
            if tcp && !flow.carried_data() =>
        {
            base.lowered()
        }
        _ if base >= Severity::Medium && flow.carried_data_both_ways() => base.raised(),
        _ => base,
    }
}
