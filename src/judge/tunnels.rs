//! Tunnels: which are the plumbing of a mirror, and which are conversations of their own.
//!
//! What a tunnel carries is judged by the flows inside. The tunnel itself is judged too, between
//! its two ends, because whoever runs one decides what the packets inside look like. Only a
//! mirror is left out: one that sends to a collector of the site, or a mirror transport between
//! two ends of which neither is a host of the site.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::doubt::Doubt;
use super::finding::JudgedFlow;
use super::flow::{Judge, Judgement};
use super::inventory::Identity;
use super::model::Site;
use super::verdict::Verdict;
use crate::base::{Endpoint, IpProto};
use crate::decode::Direction;
use crate::flow::{CarrierKey, CarrierLog, CarrierUse, FlowRecord};

/// One direction of a tunnel.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// Kind, ends and identifier.
    pub key: CarrierKey,
    /// What went through it.
    pub passed: CarrierUse,
    /// Whether it is the plumbing of a mirror and so no conversation of its own.
    pub mirror: bool,
}

/// Tells mirrors from conversations.
pub(super) fn tunnels(judge: &Judge<'_>, site: &Site, carriers: &CarrierLog) -> Vec<Tunnel> {
    let is_listed = |key: &CarrierKey, passed: &CarrierUse| {
        [key.source, key.destination].into_iter().any(|end| {
            let (first, last) = (passed.first.1, passed.last.1);
            judge.inventory.identify(end.address(), first, last) != Identity::Unknown
        })
    };
    let mirror = |key: &CarrierKey, passed: &CarrierUse| {
        site.collectors.contains(&key.destination.address())
            || (key.outer.is_mirror() && !is_listed(key, passed))
    };
    carriers
        .iter()
        .map(|(key, passed)| Tunnel { key: *key, passed: *passed, mirror: mirror(key, passed) })
        .collect()
}

/// Who sends mirrored packets to whom. What cannot be read of them counts for the tunnel as a
/// flow, which is no more a conversation than the tunnel.
#[derive(Debug)]
pub(super) struct Plumbing(BTreeSet<(IpProto, IpAddr, Endpoint)>);

impl Plumbing {
    pub(super) fn of(tunnels: &[Tunnel]) -> Self {
        let mirrors = tunnels.iter().filter(|tunnel| tunnel.mirror).map(|tunnel| tunnel.key);
        Plumbing(mirrors.map(|key| (key.protocol, key.source.address(), key.destination)).collect())
    }

    /// Whether a flow is made of mirrored packets.
    pub(super) fn holds(&self, record: &FlowRecord) -> bool {
        let held = |way: Direction| {
            let (from, to) = (record.end(way), record.end(way.reverse()));
            record.half(way).packets > 0
                && self.0.contains(&(record.key.protocol(), from.address(), to))
        };
        !self.0.is_empty() && [Direction::AToB, Direction::BToA].into_iter().any(held)
    }
}

/// Says nothing of a flow: it is out of scope.
pub(super) fn leave_out(judgement: &mut Judgement) {
    judgement.verdict = Verdict::OutOfScope;
    (judgement.reason, judgement.strength) = (None, None);
    (judgement.infrastructure, judgement.waiver) = (None, None);
    judgement.rows.clear();
    judgement.assumptions.clear();
    judgement.missing.clear();
}

/// What the tunnels say against the evidence.
pub(super) fn doubts(site: &Site, tunnels: &[Tunnel], carriers: &CarrierLog) -> Vec<Doubt> {
    let mirrors =
        || tunnels.iter().filter(|Tunnel { key, mirror, .. }| *mirror || key.outer.is_mirror());
    let named = |tunnel: &Tunnel| site.collectors.contains(&tunnel.key.destination.address());
    let lost = mirrors().map(|tunnel| tunnel.passed.lost()).fold(0, u64::saturating_add);
    let unnamed = mirrors().filter(|tunnel| !named(tunnel)).count() as u64;
    let untold = carriers.untold();
    let all = [
        (lost, Doubt::LostByMirrors(lost)),
        (unnamed, Doubt::UnnamedCollectors(unnamed)),
        (untold, Doubt::UntoldTunnels(untold)),
    ];
    all.into_iter().filter(|(count, _)| *count > 0).map(|(_, doubt)| doubt).collect()
}

/// Judges the tunnels that are no mirrors, as one flow for each pair of ends. Packets that count
/// for flows of their own are judged there.
pub(super) fn judged(judge: &Judge<'_>, tunnels: &[Tunnel]) -> Vec<JudgedFlow> {
    let mut records: BTreeMap<_, FlowRecord> = BTreeMap::new();
    let judged = |tunnel: &&Tunnel| !tunnel.mirror && tunnel.passed.read().packets > 0;
    for Tunnel { key, passed, .. } in tunnels.iter().filter(judged) {
        let record = FlowRecord::of_tunnel(key, passed);
        records.entry(record.key).and_modify(|kept| kept.append_tunnel(&record)).or_insert(record);
    }
    records
        .into_values()
        .map(|record| JudgedFlow { judgement: judge.judge(&record), record })
        .collect()
}
