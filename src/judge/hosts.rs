//! What was seen of each host of the site, and of the addresses outside it. In: judged flows.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::assessment::Volume;
use super::finding::{JudgedFlow, PeerClass};
use super::flow::Judge;
use super::hardening::{Hardening, hardening};
use super::model::{HostId, RoleId, Site};
use super::verdict::Verdict;
use crate::base::IpProto;

/// Most unlisted addresses that are described one by one.
pub const UNKNOWN_PEERS: usize = 1000;

/// A host of the site, and what was seen of it.
#[derive(Clone, Debug)]
pub struct HostSummary {
    /// The host.
    pub host: HostId,
    /// Addresses of it that were seen, at most a hundred.
    pub addresses: Vec<IpAddr>,
    /// How many addresses of it were seen.
    pub address_count: u64,
    /// Its flows by verdict, as initiator.
    pub initiated: BTreeMap<Verdict, u64>,
    /// Its flows by verdict, as responder.
    pub answered: BTreeMap<Verdict, u64>,
    /// Responder ports of it that were answered, with flows; at most a hundred.
    pub offers: BTreeMap<(IpProto, u16), u64>,
    /// Whether it keeps services inside their documented ranges of ports.
    pub hardening: Vec<Hardening>,
}

/// Transport and port of a responder, and whether the responder is the peer.
pub type Door = (IpProto, u16, bool);

/// An address outside the site file that talked to a governed host.
#[derive(Clone, Debug)]
pub struct UnknownPeer {
    /// The address.
    pub address: IpAddr,
    /// Where it lies.
    pub class: PeerClass,
    /// Flows.
    pub volume: Volume,
    /// Governed hosts it talked to.
    pub hosts: Vec<HostId>,
    /// Responder ports, with who owns them: `true` for the peer.
    pub ports: Vec<Door>,
    /// Roles each of which would document some of its flows, with how many.
    pub roles: BTreeMap<RoleId, u64>,
}

/// Most addresses and ports listed for one host.
const PER_HOST: usize = 100;

/// Every host of the site, in the order of its file.
pub(super) fn hosts(judge: &Judge<'_>, site: &Site, flows: &[JudgedFlow]) -> Vec<HostSummary> {
    let mut hardening = hardening(judge, flows);
    let mut seen: Vec<(HostSummary, std::collections::BTreeSet<IpAddr>)> = (0..site.hosts.len())
        .map(|index| {
            let summary = HostSummary {
                host: HostId(index),
                addresses: Vec::new(),
                address_count: 0,
                initiated: BTreeMap::new(),
                answered: BTreeMap::new(),
                offers: BTreeMap::new(),
                hardening: hardening.remove(&HostId(index)).unwrap_or_default(),
            };
            (summary, Default::default())
        })
        .collect();
    for flow in flows.iter().filter(|flow| !flow.is_hearsay()) {
        let verdict = flow.judgement.verdict;
        let initiator = flow.judgement.initiator_host.and_then(|id| seen.get_mut(id.0));
        if let Some((host, addresses)) = initiator {
            *host.initiated.entry(verdict).or_default() += 1;
            addresses.insert(flow.initiator().address());
        }
        let responder = flow.judgement.responder_host.and_then(|id| seen.get_mut(id.0));
        if let Some((host, addresses)) = responder {
            *host.answered.entry(verdict).or_default() += 1;
            addresses.insert(flow.responder().address());
            let door = (flow.record.key.protocol(), flow.responder().port());
            let known = host.offers.contains_key(&door) || host.offers.len() < PER_HOST;
            if flow.answered() && door.0.has_ports() && known {
                *host.offers.entry(door).or_default() += 1;
            }
        }
    }
    seen.into_iter()
        .map(|(mut host, addresses)| {
            host.address_count = addresses.len() as u64;
            host.addresses = addresses.into_iter().take(PER_HOST).collect();
            host
        })
        .collect()
}

/// The unlisted peers of governed hosts, busiest first, and how many there are in all.
pub(super) fn unknown_peers(judge: &Judge<'_>, flows: &[JudgedFlow]) -> (Vec<UnknownPeer>, u64) {
    let mut peers: BTreeMap<IpAddr, UnknownPeer> = BTreeMap::new();
    // Many strangers knock at the same door.
    let mut known: BTreeMap<(Option<HostId>, Door), Vec<RoleId>> = BTreeMap::new();
    for flow in flows.iter().filter(|flow| flow.judgement.verdict == Verdict::UnknownPeer) {
        let (end, host, serves) = match flow.judgement.initiator_host {
            Some(host) => (flow.responder(), Some(host), true),
            None => (flow.initiator(), flow.judgement.responder_host, false),
        };
        let peer = peers.entry(end.address()).or_insert_with(|| UnknownPeer {
            address: end.address(),
            class: PeerClass::of(end.address()),
            volume: Volume::default(),
            hosts: Vec::new(),
            ports: Vec::new(),
            roles: BTreeMap::new(),
        });
        if !flow.is_hearsay() {
            peer.volume.count(&flow.record);
        }
        if let Some(host) = host
            && !peer.hosts.contains(&host)
            && peer.hosts.len() < PER_HOST
        {
            peer.hosts.push(host);
        }
        let door = (flow.record.key.protocol(), flow.responder().port(), serves);
        if !peer.ports.contains(&door) && peer.ports.len() < PER_HOST {
            peer.ports.push(door);
            let roles = known
                .entry((host, door))
                .or_insert_with(|| judge.roles_that_document(&flow.record, &flow.judgement));
            for role in roles {
                *peer.roles.entry(*role).or_default() += 1;
            }
        }
    }
    let count = peers.len() as u64;
    let mut peers: Vec<UnknownPeer> = peers.into_values().collect();
    peers.sort_by_key(|peer| (std::cmp::Reverse(peer.volume.flows), peer.address));
    peers.truncate(UNKNOWN_PEERS);
    (peers, count)
}
