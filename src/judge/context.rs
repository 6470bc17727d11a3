//! Judging the flows that changed, while the rest of the stream is known from the last time that
//! all of it was judged.
//!
//! In: an assessment of the whole, then again and again the flows that packets changed since. Out:
//! an assessment of these. Its findings are those that the whole would have of the flows that
//! changed: their counts are of these flows, and what rests on all flows of a
//! pair of hosts, such as a blocked door or a used-up waiver, is not found here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::announced::Endpoints;
use super::assessment::{Assessment, Evidence, Terms, assess_among, surroundings};
use super::finding::{FindingKind, JudgedFlow};
use super::grouping::{DISTINCT_PORTS, Group, group};
use super::inventory::Inventory;
use super::model::Site;
use super::scan;
use super::visibility::Visibility;
use crate::base::Endpoint;
use crate::decode::FlowKey;
use crate::flow::{Accounting, CarrierLog, FlowRecord};

/// Most flows that are kept because the findings of others depend on them, of each kind.
const PRECEDENTS: usize = 2048;

/// What is known of a stream besides the flows that change.
#[derive(Debug)]
pub struct Context {
    visibility: Visibility,
    endpoints: Arc<Endpoints>,
    precedents: Vec<Precedent>,
}

/// A flow on which depends what is said of others.
#[derive(Debug)]
struct Precedent {
    record: FlowRecord,
    /// Number of the look that saw it change last.
    look: u64,
}

impl Default for Context {
    /// What is known at the begin of a stream.
    fn default() -> Self {
        Context {
            visibility: Visibility::of(&[], |_| false, false),
            endpoints: Arc::default(),
            precedents: Vec::new(),
        }
    }
}

impl Context {
    /// What flows tell that are not judged yet: what the capture can show and what was announced,
    /// but not of which findings they are.
    pub fn ahead_of(records: &[FlowRecord], site: &Site) -> Context {
        let (visibility, endpoints) = surroundings(records, &Inventory::new(site), false);
        Context { visibility, endpoints, precedents: Vec::new() }
    }

    /// What an assessment of the whole tells, made by the look of number `look`.
    pub fn of(assessment: &Assessment, site: &Site, look: u64) -> Context {
        let flows = &assessment.flows;
        let chosen = precedents(&Inventory::new(site), flows);
        let record = |index: &usize| flows.get(*index).map(|flow| flow.record.clone());
        let precedents = chosen.iter().filter_map(record);
        Context {
            visibility: assessment.visibility.clone(),
            endpoints: Arc::clone(&assessment.endpoints),
            precedents: precedents.map(|record| Precedent { record, look }).collect(),
        }
    }

    /// Takes over what a newer assessment of the whole tells, made of what the look of number
    /// `look` saw. What changed after that stays known.
    pub fn renew(&mut self, whole: Context, look: u64) {
        let before = std::mem::replace(self, whole);
        let since: Vec<_> = before.precedents.into_iter().filter(|one| one.look > look).collect();
        let keys: BTreeSet<FlowKey> = since.iter().map(|one| one.record.key).collect();
        self.precedents.retain(|one| !keys.contains(&one.record.key));
        self.precedents.extend(since);
    }

    /// Judges the flows that changed since the look before that of number `look`, all uses of
    /// their five-tuples, and such others as their findings depend on.
    pub fn assess(
        &mut self,
        changed: Vec<FlowRecord>,
        carriers: &CarrierLog,
        terms: Terms<'_>,
        evidence: Evidence,
        look: u64,
    ) -> Assessment {
        let keys: BTreeSet<FlowKey> = changed.iter().map(|record| record.key).collect();
        let looks: BTreeMap<FlowKey, u64> =
            self.precedents.iter().map(|one| (one.record.key, one.look)).collect();
        let others = self.precedents.drain(..).map(|one| one.record);
        let others = others.filter(|record| !keys.contains(&record.key));
        let mut records: Vec<FlowRecord> = changed.into_iter().chain(others).collect();
        records.sort_unstable_by_key(|record| std::cmp::Reverse(record.order()));
        let inventory = Inventory::new(terms.site);
        let endpoints = Endpoints::of(&records, &inventory).besides(Arc::clone(&self.endpoints));
        let surroundings = (self.visibility.clone(), Arc::new(endpoints));
        let accounting = Accounting::default();
        let mut assessment =
            assess_among(Some(surroundings), records, &accounting, carriers, terms, evidence);
        let mut findings = std::mem::take(&mut assessment.findings);
        findings.retain(|finding| {
            let of_flows = matches!(finding.kind, FindingKind::Flows(..) | FindingKind::Scan(_));
            // What has no place among the flows is the flow of a tunnel.
            let mut shown = finding.samples.iter().map(|index| assessment.flows.get(*index));
            of_flows && shown.any(|flow| flow.is_none_or(|flow| keys.contains(&flow.record.key)))
        });
        assessment.findings = findings;
        let mut chosen = precedents(&inventory, &assessment.flows);
        chosen.extend(announcing(&assessment.flows));
        let precedent = |index: usize| {
            let record = assessment.flows.get(index)?.record.clone();
            let before = looks.get(&record.key).filter(|_| !keys.contains(&record.key));
            Some(Precedent { look: before.copied().unwrap_or(look), record })
        };
        self.precedents = chosen.into_iter().filter_map(precedent).collect();
        assessment
    }
}

/// The latest flows that announced something.
fn announcing(flows: &[JudgedFlow]) -> impl Iterator<Item = usize> {
    let announces = |flow: &JudgedFlow| {
        flow.record.content.as_ref().is_some_and(|content| !content.announced.is_empty())
    };
    let places = flows.iter().enumerate().rev().filter(move |(_, flow)| announces(flow));
    places.take(PRECEDENTS).map(|(index, _)| index)
}

/// The flows that decide whether others are part of a scan, or of a finding for many ports: the
/// latest tries of each source at different doors, and one flow of each other group.
fn precedents(inventory: &Inventory<'_>, flows: &[JudgedFlow]) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    let Some(end) = flows.iter().map(|flow| flow.record.earliest).max() else { return chosen };
    let mut doors: BTreeMap<IpAddr, BTreeSet<Endpoint>> = BTreeMap::new();
    for (index, flow) in flows.iter().enumerate().rev() {
        if end.since(flow.record.earliest) > scan::WINDOW || chosen.len() >= PRECEDENTS {
            break;
        }
        if scan::is_try(flow) {
            let doors = doors.entry(flow.initiator().address()).or_default();
            if doors.len() < scan::DOORS && doors.insert(flow.responder()) {
                chosen.insert(index);
            }
        }
    }
    let scans = scan::scans(flows);
    let mut ports: BTreeMap<Group, BTreeSet<Option<u16>>> = BTreeMap::new();
    let mut others = 0;
    for (index, flow) in flows.iter().enumerate().filter(|(index, _)| !scans.contains(index)) {
        let Some(group) = group(inventory, flow, false) else { continue };
        let ports = ports.entry(group.of_any_port()).or_default();
        let counts = ports.len() <= DISTINCT_PORTS && others < PRECEDENTS;
        if counts && ports.insert(group.port) {
            others += 1;
            chosen.insert(index);
        }
    }
    chosen
}
