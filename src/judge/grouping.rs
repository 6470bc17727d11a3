//! Flows grouped into findings: one for each reason, role pair and service. In: judged flows.
//! Out: findings, heaviest first. What one finding weighs is not decided here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::blocked::blocked_doors;
use super::finding::{
    ADDRESSES, Evident, Finding, FindingKind, JudgedFlow, PeerClass, SAMPLES, Side, severity,
};
use super::fit::{Attempt, Party};
use super::flow::{Judge, Judgement};
use super::inventory::Inventory;
use super::model::{HostId, RowId};
use super::nearest::{Nearest, nearest};
use super::scan;
use super::spoken::{Spoken, Told, identity};
use super::verdict::{Missing, Reason, Severity, Verdict};
use crate::base::{IpProto, PortRange, PortSet};
use crate::decode::Direction;
use crate::identify::{Detail, End, Grade, Protocol};

/// More distinct ports than this between two roles become one finding.
pub(super) const DISTINCT_PORTS: usize = 20;

/// Flows whose facts are gathered for a finding, and facts of it.
const EVIDENT_FLOWS: usize = 1000;
const EVIDENT_FACTS: usize = 16;

/// Flows that belong together. Rows are part of it where they are the reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    kind: FindingKind,
    from: Side,
    to: Side,
    transport: Option<IpProto>,
    pub(super) port: Option<u16>,
    scanner: Option<IpAddr>,
    rows: Vec<RowId>,
    missing: Vec<Missing>,
    protocol: Option<Protocol>,
}

impl Group {
    /// The group for whatever port.
    pub(super) fn of_any_port(&self) -> Group {
        Group { port: None, ..self.clone() }
    }
}

/// Groups judged flows into findings, heaviest first.
pub fn findings(judge: &Judge<'_>, flows: &[JudgedFlow]) -> Vec<Finding> {
    let scans = scan::scans(flows);
    let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
    for (index, flow) in flows.iter().enumerate() {
        if let Some(group) = group(&judge.inventory, flow, scans.contains(&index)) {
            groups.entry(group).or_default().push(index);
        }
    }
    fold_ports(&mut groups);
    for members in blocked_doors(judge, flows) {
        let Some(flow) = members.first().and_then(|index| flows.get(*index)) else { continue };
        groups.entry(blocked_group(judge, flow)).or_default().extend(members);
    }
    let mut findings: Vec<Finding> = groups
        .into_iter()
        .map(|(group, members)| finding(judge, flows, &group, &members))
        .collect();
    sort(&mut findings);
    findings
}

/// Heaviest first. Among equals scans come last: anybody can make any number of them.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let weight = |finding: &Finding| {
            let scan = matches!(finding.kind, FindingKind::Scan(_));
            (finding.severity, !scan, finding.flows)
        };
        weight(b).cmp(&weight(a)).then_with(|| order(a).cmp(&order(b)))
    });
}

fn order(finding: &Finding) -> (FindingKind, Side, Side, Option<IpProto>, &PortSet, &[RowId]) {
    let Finding { kind, from, to, transport, ports, rows, .. } = finding;
    (*kind, *from, *to, *transport, ports, rows)
}

fn side(inventory: &Inventory<'_>, id: Option<HostId>, address: IpAddr) -> Side {
    match id.and_then(|id| inventory.host(id)) {
        Some(host) => Side::Roles(host.declared_roles),
        None => Side::Unlisted(PeerClass::of(address)),
    }
}

/// To which flows a flow that needs attention belongs.
pub(super) fn group(inventory: &Inventory<'_>, flow: &JudgedFlow, in_scan: bool) -> Option<Group> {
    let Judgement { verdict, reason, rows, missing, .. } = &flow.judgement;
    let attention =
        matches!(verdict, Verdict::Violation | Verdict::UnknownPeer | Verdict::NotAssessable);
    if !attention {
        return None;
    }
    let (from, to) = sides(inventory, flow);
    // Nobody knows how many hosts stand behind the source addresses of a stranger.
    let listed = !matches!(from, Side::Unlisted(_));
    let scanner = (in_scan && listed).then(|| flow.initiator().address());
    let kind =
        if in_scan { FindingKind::Scan(*verdict) } else { FindingKind::Flows(*verdict, *reason) };
    // What is spoken is the finding then, not the port on which it is.
    let elsewhere = *reason == Some(Reason::PortOutsideRange);
    let by_protocol = elsewhere || *reason == Some(Reason::ProtocolMismatch);
    let protocol = flow.judgement.spoken.filter(|_| by_protocol && !in_scan);
    let one_port = !in_scan && missing.is_empty() && !elsewhere;
    let port = Some(flow.responder().port()).filter(|_| one_port);
    Some(Group {
        kind,
        from,
        to,
        transport: Some(flow.record.key.protocol()),
        port,
        scanner,
        rows: if in_scan { Vec::new() } else { rows.clone() },
        missing: missing.clone(),
        protocol: protocol.map(|spoken| spoken.protocol),
    })
}

fn sides(inventory: &Inventory<'_>, flow: &JudgedFlow) -> (Side, Side) {
    let Judgement { initiator_host, responder_host, .. } = flow.judgement;
    (
        side(inventory, initiator_host, flow.initiator().address()),
        side(inventory, responder_host, flow.responder().address()),
    )
}

/// Joins groups that differ in their port alone where there are too many of them to read.
fn fold_ports(groups: &mut BTreeMap<Group, Vec<usize>>) {
    let mut ports: BTreeMap<Group, usize> = BTreeMap::new();
    for group in groups.keys().filter(|group| group.port.is_some()) {
        *ports.entry(group.of_any_port()).or_default() += 1;
    }
    ports.retain(|_, count| *count > DISTINCT_PORTS);
    for (group, members) in std::mem::take(groups) {
        let wide = group.of_any_port();
        let group = if ports.contains_key(&wide) { wide } else { group };
        groups.entry(group).or_default().extend(members);
    }
}

fn blocked_group(judge: &Judge<'_>, flow: &JudgedFlow) -> Group {
    let (from, to) = sides(&judge.inventory, flow);
    Group {
        kind: FindingKind::Blocked,
        from,
        to,
        transport: Some(IpProto::TCP),
        port: Some(flow.responder().port()),
        scanner: None,
        rows: flow.judgement.rows.clone(),
        missing: Vec::new(),
        protocol: None,
    }
}

/// The finding about a waiver and the flows that make it one.
pub(super) fn about_waiver(
    judge: &Judge<'_>,
    flows: &[JudgedFlow],
    kind: FindingKind,
    members: &[usize],
) -> Finding {
    let group = Group {
        kind,
        from: Side::Any,
        to: Side::Any,
        transport: None,
        port: None,
        scanner: None,
        rows: Vec::new(),
        missing: Vec::new(),
        protocol: None,
    };
    finding(judge, flows, &group, members)
}

/// Addresses with their flows, most first; at most [`ADDRESSES`], and how many there are.
fn busiest(
    ends: impl Iterator<Item = (IpAddr, Option<HostId>)>,
) -> (Vec<(IpAddr, Option<HostId>, u64)>, u64) {
    let mut counts: BTreeMap<(IpAddr, Option<HostId>), u64> = BTreeMap::new();
    for end in ends {
        *counts.entry(end).or_default() += 1;
    }
    let total = counts.len() as u64;
    let mut counts: Vec<_> =
        counts.into_iter().map(|((address, host), flows)| (address, host, flows)).collect();
    counts.sort_by_key(|(address, _, flows)| (std::cmp::Reverse(*flows), *address));
    counts.truncate(ADDRESSES);
    (counts, total)
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
    let (initiators, initiator_count) =
        busiest(judged().map(|flow| (flow.initiator().address(), flow.judgement.initiator_host)));
    let (responders, responder_count) =
        busiest(judged().map(|flow| (flow.responder().address(), flow.judgement.responder_host)));
    let first = judged().next();
    let explained = matches!(group.kind, FindingKind::Flows(Verdict::Violation, _));
    let has_ports = group.transport.is_none_or(IpProto::has_ports);
    let hearsay = judged().filter(|flow| flow.is_hearsay()).count() as u64;
    let heaviest = judged().map(|flow| severity(group.kind, flow)).max();
    // Where packets are missing, the answers may be among them.
    let claimed = group.kind != FindingKind::Blocked || judge.visibility().proves_absence();
    Finding {
        kind: group.kind,
        severity: heaviest.filter(|_| claimed).unwrap_or(Severity::Info),
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
        flows: members.len() as u64 - hearsay,
        hearsay,
        packets: judged().map(|flow| flow.record.packets()).sum(),
        frame_bytes: judged().map(|flow| flow.record.frame_bytes()).sum(),
        states,
        bases,
        first: judged().map(|flow| flow.record.earliest).min(),
        last: judged().map(|flow| flow.record.latest).max(),
        samples: samples(flows, members),
        speaks: evident(judge, flows, members),
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

/// What most surely shows what the flows speak: of the best known flow, with the facts of all that
/// speak the same.
fn evident(judge: &Judge<'_>, flows: &[JudgedFlow], members: &[usize]) -> Option<Evident> {
    let spoken = |index: &usize| flows.get(*index).and_then(|flow| flow.judgement.spoken);
    let known = members.iter().filter_map(|index| Some((*index, spoken(index)?)));
    let surest = |(index, spoken): &(usize, Spoken)| (sureness(spoken.told), Reverse(*index));
    let (index, spoken) = known.clone().max_by_key(surest)?;
    let same = known.filter(|(_, other)| other.protocol == spoken.protocol);
    let records = same.filter_map(|(index, _)| flows.get(index).map(|flow| &flow.record));
    let identities = records.filter_map(identity).take(EVIDENT_FLOWS);
    let details: BTreeSet<&Detail> = identities.flat_map(|one| one.details.iter()).collect();
    let flow = flows.get(index)?;
    let shown = identity(&flow.record).filter(|_| matches!(spoken.told, Told::Content(_)));
    let receiver = flow.judgement.initiator.reverse();
    let announced = judge.endpoints().find(receiver, &flow.record, &judge.inventory);
    Some(Evident {
        spoken,
        details: details.into_iter().take(EVIDENT_FACTS).cloned().collect(),
        shown: shown.map(|one| (direction_of(one.shown.0), one.shown.1.clone())),
        flow: index,
        announced: announced.cloned(),
    })
}

/// Payload before announcements before guesses.
fn sureness(told: Told) -> u8 {
    match told {
        Told::Content(Grade::Confirmed) => 3,
        Told::Content(Grade::Strong) => 2,
        Told::Signalling(_) => 1,
        Told::Content(Grade::Weak) => 0,
    }
}

fn direction_of(end: End) -> Direction {
    match end {
        End::A => Direction::AToB,
        End::B => Direction::BToA,
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
