//! How well a row fits a flow: which of its predicates hold, which fail, which are assumed.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::fit::{Attempt, Fit, Holds, PortFit};
use super::model::{AttributeId, RelationId};
use super::model::{Host, Policy, Requirement, Row, RowId, RowPorts, Set64, Site, Terms};
use super::verdict::{Assumption, ReadingMode};
use crate::base::PortSet;

/// Fits attempts to the rows of a policy at a site.
#[derive(Debug)]
pub struct Matcher<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The site.
    pub site: &'a Site,
    /// How unclear passages are read.
    pub mode: ReadingMode,
    /// For each row: the roles of its terms, and the roles that those refine.
    near: Vec<(Set64, Set64)>,
    /// For the roles of each two hosts of the site: the rows that come near both.
    between: HashMap<(Set64, Set64), Box<[RowId]>, RandomState>,
}

/// Most sets of roles of which every pair is looked up instead of found row by row.
const ROLE_SETS: usize = 128;

impl<'a> Matcher<'a> {
    /// Prepares the rows of `policy` for matching under a reading.
    pub fn new(policy: &'a Policy, site: &'a Site, mode: ReadingMode) -> Self {
        let refined = |roles: Set64| {
            let mut refined = roles;
            for role in roles.members() {
                if let Some(role) = policy.roles.get(usize::from(role)) {
                    refined.insert_all(role.closure);
                }
            }
            refined
        };
        let (near, between) = (Vec::new(), HashMap::default());
        let mut matcher = Matcher { policy, site, mode, near, between };
        let near = policy.rows.iter().map(|row| {
            let terms = matcher.terms(row);
            (refined(terms.initiator), refined(terms.responder))
        });
        matcher.near = near.collect();
        let roles: BTreeSet<Set64> = site.hosts.iter().map(|host| host.roles).collect();
        if roles.len() <= ROLE_SETS {
            let pairs = roles.iter().flat_map(|one| roles.iter().map(move |other| (*one, *other)));
            matcher.between = pairs.map(|pair| (pair, matcher.rows_near(pair))).collect();
        }
        matcher
    }

    /// The rows that come near hosts of such roles, initiator first.
    fn rows_near(&self, (initiator, responder): (Set64, Set64)) -> Box<[RowId]> {
        let comes_near = |(id, row): &(RowId, &Row)| {
            self.roles(*id, row, self.terms(row), initiator, responder).near == (true, true)
        };
        self.rows().filter(comes_near).map(|(id, _)| id).collect()
    }

    /// The rows that come near both hosts of an attempt, in document order: all that could cover it
    /// on whatever ports.
    pub fn rows_between(&self, attempt: &Attempt<'_>) -> impl Iterator<Item = (RowId, &'a Row)> {
        let pair = (attempt.initiator.host.roles, attempt.responder.host.roles);
        let known = self.between.get(&pair).map(|rows| Cow::Borrowed(&**rows));
        let rows = known.unwrap_or_else(|| Cow::Owned(self.rows_near(pair).into_vec()));
        (0..rows.len()).filter_map(move |place| {
            let id = *rows.get(place)?;
            Some((id, self.policy.rows.get(id.0)?))
        })
    }

    /// The rows in document order.
    pub fn rows(&self) -> impl Iterator<Item = (RowId, &'a Row)> {
        (0..).map(RowId).zip(&self.policy.rows)
    }

    /// The terms of a row under the reading in force.
    pub fn terms(&self, row: &'a Row) -> &'a Terms {
        match (self.mode, &row.literal) {
            (ReadingMode::Literal, Some(literal)) => literal,
            _ => &row.terms,
        }
    }

    /// Rows whose roles, transport and port are those of the attempt, with their fit.
    pub fn candidates(&self, attempt: &Attempt<'_>) -> Vec<Fit> {
        self.rows_between(attempt)
            .filter(|(_, row)| {
                row.transport == attempt.transport && self.port(row, attempt) != PortFit::Outside
            })
            .map(|(id, row)| self.fit(id, row, attempt))
            .collect()
    }

    /// How a row fits an attempt.
    pub fn fit(&self, id: RowId, row: &'a Row, attempt: &Attempt<'_>) -> Fit {
        let terms = self.terms(row);
        let Held { near: (initiator_role, responder_role), exact } =
            self.held(id, row, terms, attempt);
        let mut assumptions = Vec::new();
        let conditions = self.conditions(&terms.when, &mut assumptions);
        let qualifiers =
            if exact { self.qualifiers(row, terms, attempt, &mut assumptions) } else { Holds::No };
        if self.mode == ReadingMode::Inferred
            && let Some(literal) = &row.literal
            && !self.holds_literally(id, row, literal, attempt)
        {
            let reading = row.readings.iter().filter(|reading| {
                self.policy.readings.get(reading.0).is_some_and(|reading| reading.changes_verdict)
            });
            assumptions.extend(reading.map(|reading| Assumption::Reading(*reading)));
        }
        Fit {
            row: id,
            initiator_role,
            responder_role,
            exact_roles: exact,
            transport: row.transport == attempt.transport,
            port: self.port(row, attempt),
            conditions,
            qualifiers,
            assumptions,
        }
    }

    /// Whether a row names the roles of both hosts and does not cover the port.
    pub fn grants_other_ports(&self, id: RowId, row: &'a Row, attempt: &Attempt<'_>) -> bool {
        self.held(id, row, self.terms(row), attempt).exact
            && self.port(row, attempt) != PortFit::Inside
    }

    fn holds_literally(
        &self,
        id: RowId,
        row: &Row,
        literal: &Terms,
        attempt: &Attempt<'_>,
    ) -> bool {
        let mut unused = Vec::new();
        self.held(id, row, literal, attempt).exact
            && self.conditions(&literal.when, &mut unused) == Holds::Yes
            && carries(attempt.initiator.host, literal.initiator_has)
            && carries(attempt.responder.host, literal.responder_has)
    }

    /// Which roles of a row the two hosts hold.
    fn held(&self, id: RowId, row: &Row, terms: &Terms, attempt: &Attempt<'_>) -> Held {
        let (initiator, responder) = (attempt.initiator.host, attempt.responder.host);
        self.roles(id, row, terms, initiator.roles, responder.roles)
    }

    /// Which roles of a row are among those of two hosts.
    ///
    /// A row for the partner Exchange comes near every Exchange: there it is for another host of
    /// the role, which is a different thing from a row that has nothing to do with the host.
    fn roles(
        &self,
        id: RowId,
        row: &Row,
        terms: &Terms,
        initiator: Set64,
        responder: Set64,
    ) -> Held {
        let held = |exact: (Set64, Set64), near: (Set64, Set64)| Held {
            near: (initiator.meets(near.0), responder.meets(near.1)),
            exact: initiator.meets(exact.0) && responder.meets(exact.1),
        };
        let near = self.near.get(id.0).copied().unwrap_or_default();
        let forward = held((terms.initiator, terms.responder), near);
        if !row.symmetric || forward.exact {
            return forward;
        }
        let backward = held((terms.responder, terms.initiator), (near.1, near.0));
        if backward.exact || (backward.near == (true, true) && forward.near != (true, true)) {
            backward
        } else {
            forward
        }
    }

    /// The ports of a row for a responder; `None` when its parameter has no value.
    pub fn ports<'b>(&'b self, row: &'b Row, responder: &'b Host) -> Option<&'b PortSet> {
        match &row.ports {
            RowPorts::Fixed(ports) => Some(ports),
            RowPorts::Parameter(id) => {
                let parameter = self.policy.parameters.get(id.0)?;
                let own = responder.parameters.get(id).filter(|_| parameter.per_responder);
                own.or_else(|| self.site.parameters.get(id)).or(parameter.default.as_ref())
            }
        }
    }

    fn port(&self, row: &Row, attempt: &Attempt<'_>) -> PortFit {
        match (self.ports(row, attempt.responder.host), &row.ports) {
            (Some(ports), _) if ports.contains(attempt.port) => PortFit::Inside,
            (None, RowPorts::Parameter(id)) => {
                let parameter = self.policy.parameters.get(id.0);
                let could = parameter.is_some_and(|p| p.candidates.contains(attempt.port));
                if could { PortFit::Unbound(*id) } else { PortFit::Outside }
            }
            _ => PortFit::Outside,
        }
    }

    fn conditions(&self, when: &[Requirement], assumptions: &mut Vec<Assumption>) -> Holds {
        let mut holds = Holds::Yes;
        for requirement in when {
            match self.site.answers.get(&requirement.condition) {
                Some(answer) if requirement.accepted.contains(answer) => {}
                Some(_) => return Holds::No,
                None => {
                    holds = Holds::Assumed;
                    assumptions.push(Assumption::Condition(requirement.condition));
                }
            }
        }
        holds
    }

    fn qualifiers(
        &self,
        row: &Row,
        terms: &Terms,
        attempt: &Attempt<'_>,
        assumptions: &mut Vec<Assumption>,
    ) -> Holds {
        let sides = [
            (attempt.initiator.host, terms.initiator, terms.initiator_has),
            (attempt.responder.host, terms.responder, terms.responder_has),
        ];
        let mut holds = Holds::Yes;
        for (host, roles, wanted) in sides {
            match self.attributes(host, roles, wanted) {
                Holds::Yes => {}
                Holds::No => return Holds::No,
                Holds::Assumed => {
                    holds = Holds::Assumed;
                    let wanted = wanted.members().map(AttributeId);
                    assumptions.extend(wanted.map(Assumption::Attribute));
                }
            }
        }
        match row.relation.map(|relation| (relation, self.relation(relation, attempt))) {
            Some((_, Holds::No)) => Holds::No,
            Some((relation, Holds::Assumed)) => {
                assumptions.push(Assumption::Relation(relation));
                Holds::Assumed
            }
            _ => holds,
        }
    }

    /// An attribute counts as declared as soon as one host of the role carries it.
    fn attributes(&self, host: &Host, roles: Set64, wanted: Set64) -> Holds {
        if carries(host, wanted) {
            return Holds::Yes;
        }
        let declared = self
            .site
            .hosts
            .iter()
            .any(|other| other.roles.meets(roles) && other.attributes.meets(wanted));
        if declared { Holds::No } else { Holds::Assumed }
    }

    /// A relation counts as declared as soon as it is stated for the initiator; a symmetric
    /// one as soon as it is stated at all.
    fn relation(&self, relation: RelationId, attempt: &Attempt<'_>) -> Holds {
        let symmetric = self.policy.relations.get(relation.0).is_some_and(|r| r.symmetric);
        let (Some(initiator), Some(responder)) = (attempt.initiator.id, attempt.responder.id)
        else {
            return Holds::Assumed;
        };
        let mut declared = false;
        for fact in self.site.relations.iter().filter(|fact| fact.relation == relation) {
            let concerns = fact.of.contains(&initiator);
            declared |= symmetric || concerns;
            if concerns && fact.is.contains(&responder) && (!symmetric || initiator != responder) {
                return Holds::Yes;
            }
        }
        if declared { Holds::No } else { Holds::Assumed }
    }
}

/// Which roles of a row two hosts hold.
struct Held {
    /// A role of the row or one that it refines: initiator, responder.
    near: (bool, bool),
    /// Roles of the row itself, both.
    exact: bool,
}

fn carries(host: &Host, wanted: Set64) -> bool {
    wanted.is_empty() || host.attributes.meets(wanted)
}
