//! One flow, one verdict.

use std::sync::Arc;

use super::announced::Endpoints;
use super::direction;
use super::fit::{Attempt, Party, PortFit};
use super::inventory::{Identity, Inventory};
use super::model::{
    Destination, Host, HostId, InfrastructureMatch, Policy, RoleId, RowId, Set64, Site, Waivers,
};
use super::opinion::Opinion;
use super::rows::Matcher;
use super::spoken::Spoken;
use super::verdict::{Assumption, Basis, Missing, ReadingMode, Reason, Strength, Verdict};
use super::visibility::Visibility;
use crate::base::{IpProto, Timestamp};
use crate::decode::Direction;
use crate::flow::{ConnectionState, FlowRecord};

/// What is said of one flow.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is a violation, or what a waiver accepts.
    pub reason: Option<Reason>,
    /// How firmly a documented flow rests on its row.
    pub strength: Option<Strength>,
    /// Rows that cover it, best first; for condition-off and qualifier-mismatch the rows that
    /// would.
    pub rows: Vec<RowId>,
    /// What was assumed.
    pub assumptions: Vec<Assumption>,
    /// What is missing.
    pub missing: Vec<Missing>,
    /// The infrastructure row that matched.
    pub infrastructure: Option<usize>,
    /// The waiver that accepts it, as an index.
    pub waiver: Option<usize>,
    /// Which way the initiator's packets travel.
    pub initiator: Direction,
    /// How that is known.
    pub basis: Basis,
    /// Host of the initiator.
    pub initiator_host: Option<HostId>,
    /// Host of the responder.
    pub responder_host: Option<HostId>,
    /// How far the flow came.
    pub state: ConnectionState,
    /// What it speaks.
    pub spoken: Option<Spoken>,
}

/// Judges flows by a policy at a site.
#[derive(Debug)]
pub struct Judge<'a> {
    /// Fits flows to rows.
    pub matcher: Matcher<'a>,
    /// Finds hosts.
    pub inventory: Inventory<'a>,
    /// Under the literal reading: fits flows to rows as the pack recommends.
    pub(super) recommended: Option<Matcher<'a>>,
    pub(super) waivers: &'a Waivers,
    named_pairs: Vec<(Set64, Set64)>,
    capture_begin: Timestamp,
    visibility: Visibility,
    endpoints: Arc<Endpoints>,
    pub(super) unknown: Host,
}

impl<'a> Judge<'a> {
    /// Prepares judging. `capture_begin` is the time of the first packet: flows that begin in
    /// the minute after it may have begun before.
    pub fn new(
        policy: &'a Policy,
        site: &'a Site,
        waivers: &'a Waivers,
        mode: ReadingMode,
        capture_begin: Timestamp,
    ) -> Self {
        let mut named_pairs: Vec<(Set64, Set64)> = Vec::new();
        for row in &policy.rows {
            let pair = (row.terms.initiator, row.terms.responder);
            if !named_pairs.contains(&pair) {
                named_pairs.push(pair);
            }
        }
        Judge {
            matcher: Matcher::new(policy, site, mode),
            recommended: (mode == ReadingMode::Literal)
                .then(|| Matcher::new(policy, site, ReadingMode::Inferred)),
            inventory: Inventory::new(site),
            waivers,
            named_pairs,
            capture_begin,
            visibility: Visibility::default(),
            endpoints: Arc::default(),
            unknown: Host::default(),
        }
    }

    /// The same for a capture of which it is known what it can show.
    pub fn seeing(self, visibility: Visibility) -> Self {
        Judge { visibility, ..self }
    }

    /// The same for a stream that announced endpoints.
    pub fn told(self, endpoints: Arc<Endpoints>) -> Self {
        Judge { endpoints, ..self }
    }

    /// What the stream announced.
    pub fn endpoints(&self) -> &Arc<Endpoints> {
        &self.endpoints
    }

    /// What the capture can show.
    pub fn visibility(&self) -> &Visibility {
        &self.visibility
    }

    /// Judges one flow.
    pub fn judge(&self, record: &FlowRecord) -> Judgement {
        let identify = |direction: Direction| {
            let address = record.end(direction).address();
            self.inventory.identify(address, record.earliest, record.latest)
        };
        let (a, b) = (identify(Direction::AToB), identify(Direction::BToA));
        let decided = direction::decide(self, record, a, b);
        let (from, to) = match decided.initiator {
            Direction::AToB => (a, b),
            Direction::BToA => (b, a),
        };
        let mut judgement = Judgement {
            verdict: decided.opinion.verdict,
            reason: decided.opinion.reason,
            strength: decided.opinion.strength,
            rows: decided.opinion.rows,
            assumptions: decided.opinion.assumptions,
            missing: decided.opinion.missing,
            infrastructure: None,
            waiver: None,
            initiator: decided.initiator,
            basis: decided.basis,
            initiator_host: host_id(from),
            responder_host: host_id(to),
            state: self.state(record, decided.initiator),
            spoken: self.spoken(record, decided.initiator),
        };
        if judgement.verdict != Verdict::OutOfScope {
            judgement.infrastructure = self.infrastructure(record, decided.initiator);
            if judgement.infrastructure.is_some() && judgement.verdict != Verdict::Documented {
                judgement.verdict = Verdict::Infrastructure;
                judgement.reason = None;
                judgement.rows.clear();
                judgement.missing.clear();
            } else {
                judgement.infrastructure = None;
            }
        }
        self.waive(record, &mut judgement);
        judgement
    }

    /// How far a flow came, as far as the capture can show it.
    fn state(&self, record: &FlowRecord, initiator: Direction) -> ConnectionState {
        let state = record.state(initiator);
        let without_answer = matches!(state, ConnectionState::Unanswered | ConnectionState::OneWay)
            && record.half(initiator).packets > 0
            && record.key.protocol().has_ports()
            && !self.goes_to_group(record, initiator);
        if without_answer && self.visibility.hides_answer(record) {
            return ConnectionState::UnknownAnswer;
        }
        state
    }

    /// What a flow speaks if the sender in `initiator` direction opened it: its payload tells, then
    /// an announcement of the endpoint that it goes to, then a guess by its payload.
    pub(super) fn spoken(&self, record: &FlowRecord, initiator: Direction) -> Option<Spoken> {
        let content = Spoken::by_content(record);
        if content.is_some_and(Spoken::is_proved) {
            return content;
        }
        let learned = self.endpoints.find(initiator.reverse(), record, &self.inventory);
        learned.map(Spoken::by_announcement).or(content)
    }

    /// What is said of the flow if the sender in `initiator` direction opened it.
    pub(super) fn opinion(
        &self,
        record: &FlowRecord,
        initiator: Direction,
        from: Identity,
        to: Identity,
    ) -> Opinion {
        let receiver = record.end(initiator.reverse());
        // A group of hosts is nobody whom a row could name.
        let to = if self.goes_to_group(record, initiator) { Identity::Unknown } else { to };
        match (host_id(from), host_id(to)) {
            _ if from == Identity::Contested || to == Identity::Contested => {
                Opinion::not_assessable(Missing::HostIdentity)
            }
            (Some(from), Some(to)) if self.governed(from, to) => {
                match (self.party(from), self.party(to)) {
                    _ if record.ports_missing() => Opinion::not_assessable(Missing::Ports),
                    (Some(from), Some(to)) => self.attempt(
                        &Attempt {
                            initiator: from,
                            responder: to,
                            transport: record.key.protocol(),
                            port: receiver.port(),
                        },
                        self.spoken(record, initiator),
                    ),
                    _ => Opinion::plain(Verdict::OutOfScope),
                }
            }
            (Some(known), None) | (None, Some(known)) if self.is_subject(known) => {
                Opinion::plain(Verdict::UnknownPeer)
            }
            _ => Opinion::plain(Verdict::OutOfScope),
        }
    }

    /// Whether the packets that travel in `direction` go to a group of hosts. TCP never does.
    pub(super) fn goes_to_group(&self, record: &FlowRecord, direction: Direction) -> bool {
        let receiver = record.end(direction.reverse()).address();
        record.key.protocol() != IpProto::TCP
            && self.inventory.is_group(receiver, record.link_group())
    }

    /// Whether the opinion rests on a row whose service is judged in each direction by its own
    /// destination port (D1.6 A-03).
    pub(super) fn rests_on_media(&self, opinion: &Opinion) -> bool {
        opinion.rows.first().is_some_and(|row| self.is_media(*row))
    }

    fn is_media(&self, row: RowId) -> bool {
        let policy = self.matcher.policy;
        let row = policy.rows.get(row.0);
        row.and_then(|row| policy.services.get(row.service.0)).is_some_and(|s| s.per_direction)
    }

    /// Whether a row grants media, on whatever ports, to packets in `direction`.
    pub(super) fn grants_media(
        &self,
        record: &FlowRecord,
        direction: Direction,
        from: Identity,
        to: Identity,
    ) -> bool {
        let party = |identity| host_id(identity).and_then(|id| self.party(id));
        let (Some(initiator), Some(responder)) = (party(from), party(to)) else { return false };
        let port = record.end(direction.reverse()).port();
        let attempt = Attempt { initiator, responder, transport: record.key.protocol(), port };
        self.matcher
            .rows_between(&attempt)
            .any(|(id, row)| self.is_media(id) && self.matcher.fit(id, row, &attempt).exact_roles)
    }

    fn party(&self, id: HostId) -> Option<Party<'_>> {
        self.inventory.host(id).map(|host| Party { id: Some(id), host })
    }

    pub(super) fn roles(&self, id: HostId) -> Set64 {
        self.inventory.host(id).map(|host| host.roles).unwrap_or_default()
    }

    fn is_subject(&self, id: HostId) -> bool {
        self.roles(id).meets(self.matcher.policy.subject_roles)
    }

    /// Whether a pair of hosts can yield a finding: an end holds a subject role, or a row names
    /// a role of each, in either order (D1.6 ).
    fn governed(&self, one: HostId, other: HostId) -> bool {
        let (one_roles, other_roles) = (self.roles(one), self.roles(other));
        self.is_subject(one)
            || self.is_subject(other)
            || self.named_pairs.iter().any(|(initiator, responder)| {
                (one_roles.meets(*initiator) && other_roles.meets(*responder))
                    || (one_roles.meets(*responder) && other_roles.meets(*initiator))
            })
    }

    /// Roles that an address outside the site would need to make the flow documented.
    pub fn roles_that_document(&self, record: &FlowRecord, judgement: &Judgement) -> Vec<RoleId> {
        let responder = record.end(judgement.initiator.reverse());
        let known = judgement.initiator_host.or(judgement.responder_host);
        let Some(known) = known.and_then(|id| self.party(id)) else { return Vec::new() };
        let roles = (0..).map(RoleId).zip(&self.matcher.policy.roles);
        roles
            .filter(|(_, role)| {
                let supposed = Host { roles: role.closure, ..Host::default() };
                let stranger = Party { id: None, host: &supposed };
                let (initiator, responder_party) = if judgement.initiator_host.is_some() {
                    (known, stranger)
                } else {
                    (stranger, known)
                };
                let attempt = Attempt {
                    initiator,
                    responder: responder_party,
                    transport: record.key.protocol(),
                    port: responder.port(),
                };
                let fits = self.matcher.candidates(&attempt);
                fits.iter().any(|fit| {
                    let inside = fit.exact_roles && fit.port == PortFit::Inside;
                    let other = self.contradicts(judgement.spoken, fit.row);
                    inside && !other && !self.row_is_weak(fit.row)
                })
            })
            .map(|(id, _)| id)
            .collect()
    }

    /// The infrastructure row that matches a flow.
    fn infrastructure(&self, record: &FlowRecord, initiator: Direction) -> Option<usize> {
        let (sender, responder) = (record.end(initiator), record.end(initiator.reverse()));
        let multicast = responder.address().is_multicast();
        let group = self.goes_to_group(record, initiator);
        let protocol = record.key.protocol();
        self.matcher.policy.infrastructure.iter().position(|row| {
            let matched = match &row.matches {
                InfrastructureMatch::NonIp(_) => false,
                InfrastructureMatch::IpProtocol(wanted) => *wanted == protocol,
                InfrastructureMatch::Ports { transport, from, ports } => {
                    *transport == protocol
                        && ports.contains(responder.port())
                        && from.as_ref().is_none_or(|from| from.contains(sender.port()))
                }
            };
            matched
                && match row.to {
                    Destination::Any => true,
                    Destination::Broadcast => group && !multicast,
                    Destination::Multicast => multicast,
                    Destination::Group => group,
                }
        })
    }

    /// Time of the first packet of the capture.
    pub(super) fn capture_begin(&self) -> Timestamp {
        self.capture_begin
    }
}

fn host_id(identity: Identity) -> Option<HostId> {
    match identity {
        Identity::Host(id) => Some(id),
        Identity::Unknown | Identity::Contested => None,
    }
}
