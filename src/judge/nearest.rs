//! Which rows come nearest to covering a flow, and what keeps each from it.

use super::fit::{Attempt, Fit, Holds, PortFit};
use super::model::{Requirement, Row, RowId, Set64};
use super::rows::Matcher;
use crate::base::{PortRange, PortSet, SYSTEM_PORTS};

/// Most rows named.
const NEAREST: usize = 3;

/// Rows that miss by more than this are no help.
const FARTHEST: u32 = 3;

/// A predicate of a row that fails for a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The row grants the connection the other way round.
    Direction,
    /// The initiator holds none of these roles.
    InitiatorRole(Set64),
    /// The responder holds none of these roles.
    ResponderRole(Set64),
    /// The row is for the other transport.
    Transport,
    /// The port is not among these.
    Port(PortSet),
    /// The row's parameter has no value.
    Unbound,
    /// The site answers a condition so that the row is off.
    Condition(Vec<Requirement>),
    /// An attribute or relation that the row demands is missing.
    Qualifier,
}

/// A row that comes near, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// The row.
    pub row: RowId,
    /// Ports that it grants on the responder; `None` when its parameter has no value there.
    pub ports: Option<PortSet>,
    /// What fails, most telling first.
    pub failed: Vec<Failed>,
}

/// The rows that come nearest to covering an attempt, nearest first.
pub fn nearest(matcher: &Matcher<'_>, attempt: &Attempt<'_>) -> Vec<Nearest> {
    let mut ranked: Vec<(u32, u32, Nearest)> = matcher
        .rows()
        .filter_map(|(id, row)| {
            let (fit, turned) = best_fit(matcher, id, row, attempt)?;
            let responder = if turned { attempt.initiator } else { attempt.responder };
            let ports = matcher.ports(row, responder.host);
            let failed = failures(matcher, row, &fit, turned, ports);
            let cost = failed.iter().map(cost).sum();
            let distance = ports.map_or(0, |ports| distance(ports, attempt.port));
            let nearest = Nearest { row: id, ports: ports.cloned(), failed };
            (cost <= FARTHEST).then_some((cost, distance, nearest))
        })
        .collect();
    ranked.sort_by_key(|(cost, distance, nearest)| (*cost, *distance, nearest.row));
    ranked.into_iter().take(NEAREST).map(|(_, _, nearest)| nearest).collect()
}

/// The fit of a row as the flow went, or turned round when only that meets its roles.
fn best_fit<'a>(
    matcher: &Matcher<'a>,
    id: RowId,
    row: &'a Row,
    attempt: &Attempt<'_>,
) -> Option<(Fit, bool)> {
    let forward = matcher.fit(id, row, attempt);
    if forward.roles() {
        return Some((forward, false));
    }
    let backward = matcher.fit(id, row, &attempt.reversed());
    if backward.roles() {
        return Some((backward, true));
    }
    (forward.initiator_role || forward.responder_role).then_some((forward, false))
}

fn failures<'a>(
    matcher: &Matcher<'a>,
    row: &'a Row,
    fit: &Fit,
    turned: bool,
    ports: Option<&PortSet>,
) -> Vec<Failed> {
    let terms = matcher.terms(row);
    let mut failed = Vec::new();
    if turned {
        failed.push(Failed::Direction);
    }
    if !fit.initiator_role {
        failed.push(Failed::InitiatorRole(terms.initiator));
    }
    if !fit.responder_role {
        failed.push(Failed::ResponderRole(terms.responder));
    }
    if !fit.transport {
        failed.push(Failed::Transport);
    }
    match (fit.port, ports) {
        (PortFit::Inside, _) => {}
        (PortFit::Unbound(_), _) | (_, None) => failed.push(Failed::Unbound),
        (PortFit::Outside, Some(ports)) => failed.push(Failed::Port(ports.clone())),
    }
    if fit.conditions == Holds::No {
        failed.push(Failed::Condition(terms.when.clone()));
    }
    if fit.qualifiers == Holds::No {
        failed.push(Failed::Qualifier);
    }
    failed
}

fn cost(failed: &Failed) -> u32 {
    match failed {
        Failed::InitiatorRole(_) | Failed::ResponderRole(_) => 2,
        _ => 1,
    }
}

/// How far a port is from the ports of a row. A system port and a port above are farther apart
/// than any two of a kind: a service on 1026 is rather a strayed dynamic port than one of 445.
fn distance(ports: &PortSet, port: u16) -> u32 {
    let gap = |range: &PortRange| {
        if range.contains(port) {
            return 0;
        }
        let edge = if port < range.low { range.low } else { range.high };
        let alike = (edge < SYSTEM_PORTS) == (port < SYSTEM_PORTS);
        u32::from(edge.abs_diff(port)) + if alike { 0 } else { u32::from(u16::MAX) }
    };
    ports.ranges().iter().map(gap).min().unwrap_or(u32::MAX)
}
