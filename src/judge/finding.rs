//! Flows grouped into findings: one for each reason, role pair and service.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::flow::{Judge, Judgement};
use super::model::{HostId, RowId, Set64};
use super::nearest::{Nearest, nearest};
use super::rows::{Attempt, Party};
use super::scan;
use super::verdict::{Assumption, Basis, Missing, Reason, Severity, Verdict};
use crate::base::{IpProto, PortRange, PortSet, Timestamp};
use crate::decode::Direction;
use crate::flow::{ConnectionState, FlowRecord};

/// More distinct ports than this between two roles become one finding.
const DISTINCT_PORTS: usize = 20;

/// Most sample flows of a finding.
pub const SAMPLES: usize = 5;

/// Most addresses listed on each side of a finding.
pub const ADDRESSES: usize = 50;

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
    pub fn initiator(&self) -> crate::base::Endpoint {
        self.record.end(self.judgement.initiator)
    }

    /// Address and port of the responder.
    pub fn responder(&self) -> crate::base::Endpoint {
        self.record.end(self.judgement.initiator.reverse())
    }

    /// Whether packets of the responder were captured, or proved by the initiator's.
    pub fn answered(&self) -> bool {
        use ConnectionState::{Established, HalfSeen, HandshakeOnly, MidStream};
        matches!(self.judgement.state, Established | HalfSeen | HandshakeOnly | MidStream)
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Flows with a verdict that needs attention.
    Flows(Verdict, Option<Reason>),
    /// One source that tried many doors in a short time.
    Scan,
    /// Documented connections that were tried again and again and never answered.
    Blocked,
}

impl FindingKind {
    /// The stable code in reports.
    pub fn code(self) -> &'static str {
        match self {
            FindingKind::Flows(_, Some(reason)) => reason.name(),
            FindingKind::Flows(verdict, None) => verdict.name(),
            FindingKind::Scan => "scan",
            FindingKind::Blocked => "documented-but-blocked",
        }
    }
}

/// Where an address outside the site file lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerClass {
    /// A private, link-local or unique-local address.
    Internal,
    /// Any other unicast address.
    External,
}

impl PeerClass {
    /// The class of an address (RFC 1918, RFC 3927, RFC 4193, RFC 4291).
    pub fn of(address: IpAddr) -> PeerClass {
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
    /// IP protocol.
    pub transport: IpProto,
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
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// Flows by state.
    pub states: BTreeMap<ConnectionState, u64>,
    /// Flows by how their initiator is known.
    pub bases: BTreeMap<Basis, u64>,
    /// First packet.
    pub first: Timestamp,
    /// Last packet.
    pub last: Timestamp,
    /// Indices of sample flows: the first, the largest, the last.
    pub samples: Vec<usize>,
    /// Rows that the reason names.
    pub rows: Vec<RowId>,
    /// Rows that come nearest.
    pub nearest: Vec<Nearest>,
    /// Facts that are missing.
    pub missing: Vec<Missing>,
    /// Assumptions made.
    pub assumptions: Vec<Assumption>,
    /// Roles that would make the unlisted side documented.
    pub would_document: Vec<super::model::RoleId>,
}

/// Flows that belong together. Rows are part of it where they are the reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    kind: FindingKind,
    from: Side,
    to: Side,
    transport: IpProto,
    port: Option<u16>,
    scanner: Option<IpAddr>,
    rows: Vec<RowId>,
    missing: Vec<Missing>,
}

/// Groups judged flows into findings, heaviest first.
pub fn findings(judge: &Judge<'_>, flows: &[JudgedFlow]) -> Vec<Finding> {
    let scans = scan::scans(flows);
    let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
    for (index, flow) in flows.iter().enumerate() {
        if let Some(group) = group(judge, flow, scans.contains(&index)) {
            groups.entry(group).or_default().push(index);
        }
    }
    fold_ports(&mut groups);
    blocked(judge, flows, &mut groups);
    let mut findings: Vec<Finding> = groups
        .into_iter()
        .map(|(group, members)| finding(judge, flows, &group, &members))
        .collect();
    findings.sort_by(|a, b| {
        (b.severity, b.flows).cmp(&(a.severity, a.flows)).then_with(|| order(a).cmp(&order(b)))
    });
    findings
}

fn order(finding: &Finding) -> (FindingKind, Side, Side, IpProto, &PortSet, &[RowId]) {
    let Finding { kind, from, to, transport, ports, rows, .. } = finding;
    (*kind, *from, *to, *transport, ports, rows)
}

fn side(judge: &Judge<'_>, id: Option<HostId>, address: IpAddr) -> Side {
    match id.and_then(|id| judge.inventory.host(id)) {
        Some(host) => Side::Roles(host.declared_roles),
        None => Side::Unlisted(PeerClass::of(address)),
    }
}

fn group(judge: &Judge<'_>, flow: &JudgedFlow, in_scan: bool) -> Option<Group> {
    let Judgement { verdict, reason, rows, missing, .. } = &flow.judgement;
    let attention =
        matches!(verdict, Verdict::Violation | Verdict::UnknownPeer | Verdict::NotAssessable);
    if !attention {
        return None;
    }
    let (from, to) = sides(judge, flow);
    let scanner = in_scan.then(|| flow.initiator().address());
    let kind = if in_scan { FindingKind::Scan } else { FindingKind::Flows(*verdict, *reason) };
    let port = Some(flow.responder().port()).filter(|_| !in_scan && missing.is_empty());
    Some(Group {
        kind,
        from,
        to,
        transport: flow.record.key.protocol(),
        port,
        scanner,
        rows: if in_scan { Vec::new() } else { rows.clone() },
        missing: missing.clone(),
    })
}

fn sides(judge: &Judge<'_>, flow: &JudgedFlow) -> (Side, Side) {
    let Judgement { initiator_host, responder_host, .. } = flow.judgement;
    (
        side(judge, initiator_host, flow.initiator().address()),
        side(judge, responder_host, flow.responder().address()),
    )
}

/// Joins groups that differ in their port alone where there are too many of them to read.
fn fold_ports(groups: &mut BTreeMap<Group, Vec<usize>>) {
    let mut ports: BTreeMap<Group, usize> = BTreeMap::new();
    for group in groups.keys().filter(|group| group.port.is_some()) {
        *ports.entry(Group { port: None, ..group.clone() }).or_default() += 1;
    }
    ports.retain(|_, count| *count > DISTINCT_PORTS);
    for (group, members) in std::mem::take(groups) {
        let wide = Group { port: None, ..group.clone() };
        let group = if ports.contains_key(&wide) { wide } else { group };
        groups.entry(group).or_default().extend(members);
    }
}

/// Least number of tries, SYN retransmissions counted, that make an unanswered documented
/// connection a finding.
const TRIES: u64 = 3;

/// Documented TCP connections that one host tried to another, always in vain.
fn blocked(judge: &Judge<'_>, flows: &[JudgedFlow], groups: &mut BTreeMap<Group, Vec<usize>>) {
    let mut doors: BTreeMap<(IpAddr, crate::base::Endpoint), (bool, u64, Vec<usize>)> =
        BTreeMap::new();
    for (index, flow) in flows.iter().enumerate() {
        let documented = flow.judgement.verdict == Verdict::Documented;
        if !documented || flow.record.key.protocol() != IpProto::TCP {
            continue;
        }
        let prohibited =
            flow.record.icmp.as_ref().is_some_and(|notice| notice.quote.prohibited > 0);
        let in_vain = flow.judgement.state == ConnectionState::Unanswered || prohibited;
        let door = doors.entry((flow.initiator().address(), flow.responder())).or_default();
        door.0 |= !in_vain;
        door.1 += flow.record.packets();
        door.2.push(index);
    }
    for (opened, tries, members) in doors.into_values() {
        let Some(flow) = members.first().and_then(|index| flows.get(*index)) else { continue };
        if opened || tries < TRIES {
            continue;
        }
        let (from, to) = sides(judge, flow);
        let group = Group {
            kind: FindingKind::Blocked,
            from,
            to,
            transport: IpProto::TCP,
            port: Some(flow.responder().port()),
            scanner: None,
            rows: flow.judgement.rows.clone(),
            missing: Vec::new(),
        };
        groups.entry(group).or_default().extend(members);
    }
}

fn severity(kind: FindingKind, flow: &JudgedFlow) -> Severity {
    let peer = flow.judgement.initiator_host.is_none() || flow.judgement.responder_host.is_none();
    let outside = [flow.initiator(), flow.responder()]
        .iter()
        .any(|end| PeerClass::of(end.address()) == PeerClass::External);
    let base = match kind {
        FindingKind::Scan => return Severity::Medium,
        FindingKind::Blocked => return Severity::Low,
        FindingKind::Flows(Verdict::NotAssessable, _) => return Severity::Info,
        FindingKind::Flows(_, Some(Reason::ConditionOff)) => Severity::Low,
        FindingKind::Flows(Verdict::UnknownPeer, _) if peer && outside => Severity::High,
        FindingKind::Flows(..) => Severity::Medium,
    };
    let literal_only = flow.judgement.reason == Some(Reason::QualifierMismatch)
        && !flow.judgement.assumptions.is_empty();
    if literal_only {
        return Severity::Info;
    }
    let data = |direction: Direction| flow.record.half(direction).payload_bytes > 1;
    match flow.judgement.state {
        ConnectionState::Unanswered | ConnectionState::Refused => base.lowered(),
        ConnectionState::HandshakeOnly => base.lowered(),
        _ if data(Direction::AToB) && data(Direction::BToA) && base >= Severity::Medium => {
            base.raised()
        }
        _ => base,
    }
}

fn finding(judge: &Judge<'_>, flows: &[JudgedFlow], group: &Group, members: &[usize]) -> Finding {
    let of = |index: &usize| flows.get(*index);
    let judged = || members.iter().filter_map(of);
    let ports: BTreeSet<u16> = judged().map(|flow| flow.responder().port()).collect();
    let mut states = BTreeMap::new();
    let mut bases = BTreeMap::new();
    for flow in judged() {
        *states.entry(flow.judgement.state).or_default() += 1;
        *bases.entry(flow.judgement.basis).or_default() += 1;
    }
    let ends = |end: fn(&JudgedFlow) -> (IpAddr, Option<HostId>)| {
        let mut counts: BTreeMap<(IpAddr, Option<HostId>), u64> = BTreeMap::new();
        for flow in judged() {
            *counts.entry(end(flow)).or_default() += 1;
        }
        let total = counts.len() as u64;
        let mut counts: Vec<_> =
            counts.into_iter().map(|((address, host), flows)| (address, host, flows)).collect();
        counts.sort_by_key(|(address, _, flows)| (std::cmp::Reverse(*flows), *address));
        counts.truncate(ADDRESSES);
        (counts, total)
    };
    let (initiators, initiator_count) =
        ends(|flow| (flow.initiator().address(), flow.judgement.initiator_host));
    let (responders, responder_count) =
        ends(|flow| (flow.responder().address(), flow.judgement.responder_host));
    let first = judged().next();
    let explained = matches!(group.kind, FindingKind::Flows(Verdict::Violation, _));
    let has_ports = group.transport.has_ports();
    Finding {
        kind: group.kind,
        severity: judged().map(|flow| severity(group.kind, flow)).max().unwrap_or(Severity::Info),
        from: group.from,
        to: group.to,
        transport: group.transport,
        ports: ports
            .into_iter()
            .filter(|_| has_ports)
            .map(|port| PortRange { low: port, high: port })
            .collect(),
        many_ports: group.port.is_none(),
        initiators,
        initiator_count,
        responders,
        responder_count,
        flows: members.len() as u64,
        packets: judged().map(|flow| flow.record.packets()).sum(),
        frame_bytes: judged().map(|flow| flow.record.frame_bytes()).sum(),
        states,
        bases,
        first: judged().map(|flow| flow.record.earliest).min().unwrap_or_default(),
        last: judged().map(|flow| flow.record.latest).max().unwrap_or_default(),
        samples: samples(flows, members),
        rows: group.rows.clone(),
        nearest: first.filter(|_| explained).map(|f| explain(judge, f)).unwrap_or_default(),
        missing: group.missing.clone(),
        assumptions: first.map(|flow| flow.judgement.assumptions.clone()).unwrap_or_default(),
        would_document: first
            .filter(|flow| flow.judgement.verdict == Verdict::UnknownPeer)
            .map(|flow| judge.roles_that_document(&flow.record, &flow.judgement))
            .unwrap_or_default(),
    }
}

/// The first, the largest and the last flow, then the earliest others.
fn samples(flows: &[JudgedFlow], members: &[usize]) -> Vec<usize> {
    let largest = members.iter().copied().max_by_key(|index| {
        (flows.get(*index).map(|flow| flow.record.frame_bytes()), std::cmp::Reverse(*index))
    });
    let mut chosen = BTreeSet::new();
    chosen.extend(members.first());
    chosen.extend(largest);
    chosen.extend(members.last());
    for index in members {
        if chosen.len() >= SAMPLES {
            break;
        }
        chosen.insert(*index);
    }
    chosen.into_iter().collect()
}

fn explain(judge: &Judge<'_>, flow: &JudgedFlow) -> Vec<Nearest> {
    let party = |id: Option<HostId>| {
        let host = id.and_then(|found| judge.inventory.host(found))?;
        Some(Party { id, host })
    };
    let hosts = (party(flow.judgement.initiator_host), party(flow.judgement.responder_host));
    let (Some(initiator), Some(responder)) = hosts else { return Vec::new() };
    let transport = flow.record.key.protocol();
    let attempt = Attempt { initiator, responder, transport, port: flow.responder().port() };
    nearest(&judge.matcher, &attempt)
}
