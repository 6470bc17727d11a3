//! Whether a host keeps a service inside its documented range of ports: the verdict on the host
//! that follows from its flows. In: judged flows.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::JudgedFlow;
use super::flow::Judge;
use super::model::{HostId, RowId, ServiceId};
use super::verdict::{Reason, Strength, Verdict};
use crate::base::{PortRange, PortSet};

/// Most ports listed for one host and service.
const PORTS: usize = 100;

/// What was seen of a service that the document grants on a range of ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// The service.
    pub service: ServiceId,
    /// A row that grants it.
    pub row: RowId,
    /// Ports that rows grant for this host.
    pub documented: PortSet,
    /// Ports inside on which it was recognised; at most a hundred.
    pub inside: PortSet,
    /// Ports outside on which it was recognised or announced; at most a hundred.
    pub outside: PortSet,
    /// Flows to ports outside.
    pub flows_outside: u64,
}

impl Hardening {
    /// Whether the host keeps to the range, as far as was seen.
    pub fn is_applied(&self) -> bool {
        self.flows_outside == 0
    }
}

#[derive(Default)]
struct Seen {
    row: Option<RowId>,
    documented: PortSet,
    inside: BTreeSet<u16>,
    outside: BTreeSet<u16>,
    flows_outside: u64,
}

/// What the flows tell of each host, by service.
pub(super) fn hardening(
    judge: &Judge<'_>,
    flows: &[JudgedFlow],
) -> BTreeMap<HostId, Vec<Hardening>> {
    let mut seen: BTreeMap<(HostId, ServiceId), Seen> = BTreeMap::new();
    for flow in flows {
        let Some(host) = flow.judgement.responder_host else { continue };
        let outside = flow.judgement.reason == Some(Reason::PortOutsideRange)
            && matches!(flow.judgement.verdict, Verdict::Violation | Verdict::Waived);
        let confirmed = flow.judgement.strength == Some(Strength::Confirmed);
        if !outside && !confirmed {
            continue;
        }
        for row in &flow.judgement.rows {
            let Some((service, ports)) = range(judge, *row, host) else { continue };
            let seen = seen.entry((host, service)).or_default();
            seen.row.get_or_insert(*row);
            seen.documented =
                seen.documented.ranges().iter().chain(ports.ranges()).copied().collect();
            let port = flow.responder().port();
            let listed = if outside { &mut seen.outside } else { &mut seen.inside };
            if listed.len() < PORTS {
                listed.insert(port);
            }
        }
        let services: BTreeSet<ServiceId> = flow
            .judgement
            .rows
            .iter()
            .filter_map(|row| range(judge, *row, host).map(|(service, _)| service))
            .collect();
        for service in services.into_iter().filter(|_| outside) {
            if let Some(seen) = seen.get_mut(&(host, service)) {
                seen.flows_outside += 1;
            }
        }
    }
    let mut hosts: BTreeMap<HostId, Vec<Hardening>> = BTreeMap::new();
    for ((host, service), seen) in seen {
        let Seen { row, documented, inside, outside, flows_outside } = seen;
        let Some(row) = row else { continue };
        let (inside, outside) = (ports(inside), ports(outside));
        let hardening = Hardening { service, row, documented, inside, outside, flows_outside };
        hosts.entry(host).or_default().push(hardening);
    }
    hosts
}

/// The service of a row that grants a narrow range of ports of a host.
fn range<'a>(judge: &'a Judge<'_>, row: RowId, host: HostId) -> Option<(ServiceId, &'a PortSet)> {
    let terms = judge.matcher.policy.rows.get(row.0).filter(|row| !row.weak)?;
    let ports = judge.matcher.ports(terms, judge.inventory.host(host)?)?;
    (ports.count() > 1).then_some((terms.service, ports))
}

fn ports(ports: BTreeSet<u16>) -> PortSet {
    ports.into_iter().map(|port| PortRange { low: port, high: port }).collect()
}
