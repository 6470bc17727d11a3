//! The judging of a whole stream: every flow, the findings, the rows, the outcome.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::announced::Endpoints;
use super::coverage::{Coverage, coverage};
use super::doubt::{Doubt, doubts};
use super::finding::{Finding, JudgedFlow};
use super::flow::Judge;
use super::grade::{Grade, Measure, measures};
use super::grouping::{findings, sort};
use super::health::Health;
use super::hosts::{HostSummary, UnknownPeer, hosts, unknown_peers};
use super::inventory::{Identity, Inventory};
use super::model::{HostId, InfrastructureMatch, Policy, Set64, Site, Waivers};
use super::tunnels::{self, Plumbing, Tunnel};
use super::verdict::{Assumption, ReadingMode, Severity, Strength, Verdict};
use super::visibility::Visibility;
use super::waived::{WaiverUse, uses, waiver_findings};
use crate::base::{IpProto, Merge, Timestamp};
use crate::decode::non_ip_name;
use crate::flow::{Accounting, CarrierLog, Class, ConnectionState, FlowRecord, Tally};

/// Most findings of a report.
const FINDINGS: usize = 5000;

/// Flows, packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Flow instances.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames on the wire.
    pub frame_bytes: u64,
}

impl Volume {
    pub(super) fn count(&mut self, record: &FlowRecord) {
        self.flows += 1;
        self.packets += record.packets();
        self.frame_bytes += record.frame_bytes();
    }
}

/// The result of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No finding at or above the limit, and the evidence suffices to say so.
    Pass,
    /// At least one finding at or above the limit.
    Fail,
    /// Nothing found, and too little seen to call it a pass.
    Inconclusive,
}

impl Outcome {
    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Inconclusive => "inconclusive",
        }
    }
}

/// Everything that judging says of a stream.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Flows in order of their first packet.
    pub flows: Vec<JudgedFlow>,
    /// Tunnels through which packets of flows came, in order of their keys.
    pub tunnels: Vec<Tunnel>,
    /// Those of them that are no mirrors, as flows between their ends. They are judged, but what
    /// they carry is counted with the flows inside.
    pub tunnel_flows: Vec<JudgedFlow>,
    /// What connections announced.
    pub endpoints: Arc<Endpoints>,
    /// Volume by verdict.
    pub verdicts: BTreeMap<Verdict, Volume>,
    /// Documented volume by strength.
    pub strengths: BTreeMap<Strength, Volume>,
    /// Flows that rest on each assumption.
    pub assumed: BTreeMap<Assumption, u64>,
    /// TCP flow instances by state.
    pub tcp_states: BTreeMap<ConnectionState, u64>,
    /// Attempts that only an ICMP error tells of.
    pub hearsay: u64,
    /// Governed flows by declared roles of both ends and verdict.
    pub matrix: BTreeMap<(Set64, Set64), BTreeMap<Verdict, u64>>,
    /// Findings, heaviest first; at most five thousand.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub findings_cut: u64,
    /// Rows in document order.
    pub coverage: Vec<Coverage>,
    /// Hosts of the site in the order of its file.
    pub hosts: Vec<HostSummary>,
    /// Unlisted peers of governed hosts, busiest first; at most [`UNKNOWN_PEERS`](super::UNKNOWN_PEERS).
    pub unknown_peers: Vec<UnknownPeer>,
    /// How many there are in all.
    pub unknown_peer_count: u64,
    /// Waivers in the order of their file.
    pub waivers: Vec<WaiverUse>,
    /// Packets by infrastructure row, as an index into the policy's rows.
    pub infrastructure: BTreeMap<usize, Tally>,
    /// The outcome.
    pub outcome: Outcome,
    /// Findings at or above the limit.
    pub failing_findings: u64,
    /// How much of the traffic in scope the capture shows.
    pub health: Health,
    /// What the capture lets one say of that which is not in it.
    pub visibility: Visibility,
    /// Every measure of the evidence, with its limits.
    pub measures: Vec<Measure>,
    /// The worst grade of the measures.
    pub grade: Grade,
    /// What weakens the evidence, whatever the outcome.
    pub reasons: Vec<Doubt>,
}

impl Assessment {
    /// A flow or the flow of a tunnel, as the samples of findings number them.
    pub fn sample(&self, index: usize) -> Option<&JudgedFlow> {
        let tunnel = || self.tunnel_flows.get(index.checked_sub(self.flows.len())?);
        self.flows.get(index).or_else(tunnel)
    }
}

/// What judging needs besides the flows.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The site.
    pub site: &'a Site,
    /// The waivers.
    pub waivers: &'a Waivers,
    /// How unclear passages are read.
    pub reading: ReadingMode,
    /// Findings below this do not fail a run.
    pub fail_on: Severity,
    /// Evidence below this grade is too poor for a pass.
    pub min_grade: Grade,
}

/// What is known of the evidence before judging begins.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Time of the first packet of the capture, in a flow or not.
    pub begin: Option<Timestamp>,
    /// Packets that count for a tunnel because what it carried could not be read.
    pub unread_inside: u64,
    /// Fragments without the first of their datagram that came so early that it may have been sent
    /// before the capture began.
    pub early_fragments: u64,
    /// What is wrong with it.
    pub reasons: Vec<Doubt>,
}

/// Flows judged at once, before the memory of their records is given back.
const JUDGED_AT_ONCE: usize = 1 << 16;

/// Judges flows that come latest first; answers them in order.
fn judged(judge: &Judge<'_>, plumbing: &Plumbing, mut records: Vec<FlowRecord>) -> Vec<JudgedFlow> {
    let mut flows = Vec::with_capacity(records.len());
    while !records.is_empty() {
        let mut next = records.split_off(records.len().saturating_sub(JUDGED_AT_ONCE));
        records.shrink_to_fit();
        next.reverse();
        flows.par_extend(next.into_par_iter().map(|record| {
            let mut judgement = judge.judge(&record);
            if plumbing.holds(&record) {
                tunnels::leave_out(&mut judgement);
            }
            JudgedFlow { record, judgement }
        }));
    }
    flows
}

/// Judges the flows of a stream. `records` come latest first.
pub fn assess(
    records: Vec<FlowRecord>,
    accounting: &Accounting,
    carriers: &CarrierLog,
    terms: Terms<'_>,
    evidence: Evidence,
) -> Assessment {
    assess_among(None, records, accounting, carriers, terms, evidence)
}

/// What flows tell of each other: what the capture can show, and what was announced.
pub(super) type Surroundings = (Visibility, Arc<Endpoints>);

/// What the flows of a whole stream tell of each other. `hidden`: packets are known to be missing.
pub(super) fn surroundings(
    records: &[FlowRecord],
    inventory: &Inventory<'_>,
    hidden: bool,
) -> Surroundings {
    let endpoints = Endpoints::of(records, inventory);
    let is_listed = |record: &FlowRecord| {
        [record.key.a(), record.key.b()].into_iter().any(|end| {
            let identity = inventory.identify(end.address(), record.earliest, record.latest);
            identity != Identity::Unknown
        })
    };
    (Visibility::of(records, is_listed, hidden), Arc::new(endpoints))
}

/// The same for flows of which the surroundings are known from more than themselves.
pub(super) fn assess_among(
    known: Option<Surroundings>,
    records: Vec<FlowRecord>,
    accounting: &Accounting,
    carriers: &CarrierLog,
    terms: Terms<'_>,
    mut evidence: Evidence,
) -> Assessment {
    let begin = evidence.begin.unwrap_or_default();
    let judge = Judge::new(terms.policy, terms.site, terms.waivers, terms.reading, begin);
    let tunnels = tunnels::tunnels(&judge, terms.site, carriers);
    evidence.reasons.extend(tunnels::doubts(terms.site, &tunnels, carriers));
    let hidden = accounting.of(Class::TableFull).packets > 0
        || evidence.reasons.iter().any(Doubt::hides_packets);
    let (visibility, endpoints) =
        known.unwrap_or_else(|| surroundings(&records, &judge.inventory, hidden));
    let judge = judge.seeing(visibility).told(endpoints);
    let mut flows = judged(&judge, &Plumbing::of(&tunnels), records);
    let flow_count = flows.len();
    flows.extend(tunnels::judged(&judge, &tunnels));
    let waivers = uses(terms, &judge, &flows);
    let mut found = findings(&judge, &flows);
    found.extend(waiver_findings(&judge, &flows, &waivers));
    sort(&mut found);
    let (unknown_peers, unknown_peer_count) = unknown_peers(&judge, &flows);
    let tunnel_flows = flows.split_off(flow_count);
    let coverage = coverage(&judge, &flows);
    let health = Health::of(&judge, &flows, &coverage, accounting, &evidence);
    let measures = measures(&health);
    let mut reasons = evidence.reasons;
    let no_host = terms.site.hosts.is_empty();
    let seen = judge.visibility();
    reasons.extend(doubts(&health, &measures, seen, accounting, no_host));
    let mut assessment = Assessment {
        endpoints: judge.endpoints().clone(),
        tunnels,
        tunnel_flows,
        verdicts: BTreeMap::new(),
        strengths: BTreeMap::new(),
        assumed: BTreeMap::new(),
        tcp_states: BTreeMap::new(),
        hearsay: 0,
        matrix: BTreeMap::new(),
        findings: found,
        findings_cut: 0,
        coverage,
        hosts: hosts(&judge, terms.site, &flows),
        unknown_peers,
        unknown_peer_count,
        waivers,
        infrastructure: infrastructure(terms.policy, &flows, accounting),
        outcome: Outcome::Pass,
        failing_findings: 0,
        health,
        visibility: judge.visibility().clone(),
        measures,
        grade: Grade::A,
        reasons,
        flows,
    };
    count(&judge, &mut assessment);
    decide(&mut assessment, terms);
    let cut = assessment.findings.len().saturating_sub(FINDINGS);
    assessment.findings_cut = cut as u64;
    assessment.findings.truncate(FINDINGS);
    assessment
}

fn count(judge: &Judge<'_>, assessment: &mut Assessment) {
    let roles = |id: Option<HostId>| {
        id.and_then(|id| judge.inventory.host(id)).map(|host| host.declared_roles)
    };
    for flow in &assessment.flows {
        let judgement = &flow.judgement;
        for assumption in &judgement.assumptions {
            *assessment.assumed.entry(*assumption).or_default() += 1;
        }
        if flow.is_hearsay() {
            assessment.hearsay += 1;
            continue;
        }
        if flow.record.key.protocol() == IpProto::TCP {
            *assessment.tcp_states.entry(judgement.state).or_default() += 1;
        }
        assessment.verdicts.entry(judgement.verdict).or_default().count(&flow.record);
        if let Some(strength) = judgement.strength {
            assessment.strengths.entry(strength).or_default().count(&flow.record);
        }
        let (from, to) = (roles(judgement.initiator_host), roles(judgement.responder_host));
        if judgement.verdict != Verdict::OutOfScope && (from.is_some() || to.is_some()) {
            let pair = (from.unwrap_or_default(), to.unwrap_or_default());
            let cell = assessment.matrix.entry(pair).or_default();
            *cell.entry(judgement.verdict).or_default() += 1;
        }
    }
}

/// Infrastructure is counted by its rows, flows and non-IP frames alike.
fn infrastructure(
    policy: &Policy,
    flows: &[JudgedFlow],
    accounting: &Accounting,
) -> BTreeMap<usize, Tally> {
    let mut counts: BTreeMap<usize, Tally> = BTreeMap::new();
    for flow in flows {
        let Some(row) = flow.judgement.infrastructure else { continue };
        counts.entry(row).or_default().merge(Tally {
            packets: flow.record.packets(),
            frame_bytes: flow.record.frame_bytes(),
            sample: flow.record.origin.map(|origin| origin.source),
        });
    }
    for (class, tally) in accounting.classes() {
        let Class::NonIp(layer, value) = class else { continue };
        let Some(name) = non_ip_name(*layer, *value) else { continue };
        let row = policy.infrastructure.iter().position(
            |row| matches!(&row.matches, InfrastructureMatch::NonIp(wanted) if wanted == name),
        );
        if let Some(row) = row {
            counts.entry(row).or_default().merge(*tally);
        }
    }
    counts
}

fn decide(assessment: &mut Assessment, terms: Terms<'_>) {
    let fails = |finding: &&Finding| finding.kind.can_fail() && finding.severity >= terms.fail_on;
    let failing = assessment.findings.iter().filter(fails).count();
    assessment.failing_findings = failing as u64;
    assessment.grade =
        assessment.measures.iter().map(|measure| measure.grade).max().unwrap_or(Grade::A);
    assessment.outcome = match failing {
        0 if assessment.grade <= terms.min_grade => Outcome::Pass,
        0 => Outcome::Inconclusive,
        _ => Outcome::Fail,
    };
}
