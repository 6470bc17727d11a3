//! How much of the traffic in scope the capture shows. In: judged flows, what became of the rows,
//! and what is known of the inputs. Out: counts, from which the grade and the doubts are made.

use std::collections::BTreeSet;

use super::assessment::Evidence;
use super::coverage::{Coverage, RowStatus};
use super::doubt::Doubt;
use super::finding::JudgedFlow;
use super::fit::{Attempt, Holds, Party};
use super::flow::Judge;
use super::model::{HostId, RoleId, RowId, SectionId, Set64};
use super::verdict::Verdict;
use crate::base::{IpProto, Timestamp};
use crate::decode::Direction;
use crate::flow::{Accounting, Class, ConnectionState, FlowRecord};

/// TCP flows in scope, by how they were captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlows {
    /// All.
    pub flows: u64,
    /// One direction was captured, and it is more than an attempt.
    pub one_way: u64,
    /// The handshake was not captured.
    pub mid_stream: u64,
}

/// How much of the traffic in scope the capture shows. In scope is every flow with a verdict other
/// than out-of-scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Packets read.
    pub packets: u64,
    /// Of them, not decoded, or not inside a tunnel.
    pub undecoded: u64,
    /// Later fragments without the first of their datagram.
    pub unclaimed_fragments: u64,
    /// Of them, those of which the first may have been sent before the capture began.
    pub early_fragments: u64,
    /// Packets and messages whose flow is not known for want of room.
    pub detail_lost: u64,
    /// Packets that the capturing system says it lost, and those that mirrors lost on their way.
    pub dropped: u64,
    /// Bytes of TCP payload in scope, of flows captured in both directions.
    pub held_bytes: u64,
    /// Bytes of these flows that were acknowledged and not captured; `None` when not counted.
    pub unseen_bytes: Option<u64>,
    /// Whether an input could not be read to its end.
    pub unreadable: bool,
    /// Whether an interface had a capture filter.
    pub filtered: bool,
    /// Flows in scope.
    pub in_scope: u64,
    /// Of them, not judged.
    pub not_assessable: u64,
    /// Of those, with data from both ends.
    pub unjudged_talks: u64,
    /// TCP flows in scope.
    pub tcp: TcpFlows,
    /// TCP flows that were answered, in scope or not.
    pub answered: u64,
    /// Of them, captured where one direction alone is shown.
    pub one_sided: u64,
    /// Subject roles that hosts of the site hold.
    pub subject_roles: u64,
    /// Of them, those of which no host was seen alive.
    pub absent_roles: Vec<RoleId>,
    /// Tables of the document whose traffic could be expected: hosts of both roles were seen
    /// alive, or it was seen.
    pub tables: u64,
    /// Of them, those without traffic.
    pub idle_tables: Vec<SectionId>,
}

impl Health {
    pub(super) fn of(
        judge: &Judge<'_>,
        flows: &[JudgedFlow],
        coverage: &[Coverage],
        accounting: &Accounting,
        evidence: &Evidence,
    ) -> Self {
        let alive = alive(flows);
        let mut health = Health {
            packets: accounting.total().packets,
            undecoded: undecoded(accounting).saturating_add(evidence.unread_inside),
            unclaimed_fragments: accounting.of(Class::UnclaimedFragment).packets,
            early_fragments: evidence.early_fragments,
            detail_lost: accounting.of(Class::TableFull).packets,
            unseen_bytes: Some(0),
            answered: judge.visibility().all.answered(),
            ..Health::default()
        };
        health.count_reasons(&evidence.reasons);
        let one_sided = judge.visibility().one_sided();
        let answered: u64 = one_sided.iter().map(|(_, seen)| seen.answered()).sum();
        health.one_sided = answered.min(health.answered);
        for flow in flows.iter().filter(|flow| !flow.is_hearsay()) {
            if flow.judgement.verdict != Verdict::OutOfScope {
                health.count(flow);
            }
        }
        health.roles(judge, &alive, flows);
        health.tables(judge, &alive, flows, coverage);
        health
    }

    fn count_reasons(&mut self, reasons: &[Doubt]) {
        for reason in reasons {
            match *reason {
                Doubt::InputsFailed { .. } => self.unreadable = true,
                Doubt::Filtered(_) => self.filtered = true,
                Doubt::Dropped(packets) | Doubt::LostByMirrors(packets) => {
                    self.dropped = self.dropped.saturating_add(packets);
                }
                Doubt::LostFragments(lost)
                | Doubt::BlurredPackets(lost)
                | Doubt::UntoldTunnels(lost)
                | Doubt::LostQuotes(lost) => {
                    self.detail_lost += lost;
                }
                _ => {}
            }
        }
    }

    fn count(&mut self, flow: &JudgedFlow) {
        self.in_scope += 1;
        if flow.judgement.verdict == Verdict::NotAssessable {
            self.not_assessable += 1;
            self.unjudged_talks += u64::from(flow.carried_data_both_ways());
        }
        if flow.record.key.protocol() != IpProto::TCP || flow.record.is_probe() {
            return;
        }
        self.tcp.flows += 1;
        match flow.judgement.state {
            ConnectionState::HalfSeen
            | ConnectionState::OneWay
            | ConnectionState::UnknownAnswer => self.tcp.one_way += 1,
            ConnectionState::MidStream => self.tcp.mid_stream += 1,
            _ => {}
        }
        let halves = [Direction::AToB, Direction::BToA].map(|way| flow.record.half(way));
        if halves.iter().all(|half| half.packets > 0) {
            self.held_bytes += halves.iter().map(|half| half.payload_bytes).sum::<u64>();
            let unseen = self.unseen_bytes.zip(unseen_bytes(&flow.record));
            self.unseen_bytes = unseen.map(|(one, other)| one.saturating_add(other));
        }
    }

    /// Roles of the policy's subjects without a host that was seen alive. An entry of the site
    /// that was not valid at the time is not expected.
    fn roles(&mut self, judge: &Judge<'_>, alive: &BTreeSet<HostId>, flows: &[JudgedFlow]) {
        let last = flows.iter().map(|flow| flow.record.latest).max();
        let (mut held, mut seen) = (Set64::default(), Set64::default());
        for (index, host) in judge.matcher.site.hosts.iter().enumerate() {
            if !is_valid(host.valid_from, host.valid_until, judge.capture_begin(), last) {
                continue;
            }
            held.insert_all(host.declared_roles);
            if alive.contains(&HostId(index)) {
                seen.insert_all(host.roles);
            }
        }
        let expected = held.intersection(judge.matcher.policy.subject_roles);
        self.subject_roles = expected.members().count() as u64;
        self.absent_roles =
            expected.members().filter(|role| !seen.contains(*role)).map(RoleId).collect();
    }

    /// Tables whose traffic could be expected. The document demands no single row: it lists UDP
    /// beside TCP, and NetBIOS beside SMB. But a table says what two roles need of each other.
    fn tables(
        &mut self,
        judge: &Judge<'_>,
        alive: &BTreeSet<HostId>,
        flows: &[JudgedFlow],
        coverage: &[Coverage],
    ) {
        let (policy, site) = (judge.matcher.policy, judge.matcher.site);
        for (id, section) in (0..).map(SectionId).zip(&policy.sections) {
            let rows = || {
                let seen = section.rows.iter().filter_map(|row| coverage.get(row.0));
                seen.filter(|seen| is_possible(seen.status)).map(|seen| seen.row)
            };
            let used = coverage
                .iter()
                .any(|seen| section.rows.contains(&seen.row) && seen.flows + seen.also > 0);
            let expected = used || rows().any(|row| has_hosts(judge, alive, row));
            let waived = || {
                let waived = flows.iter().filter(|flow| flow.judgement.verdict == Verdict::Waived);
                let roles = |id: Option<HostId>| {
                    id.and_then(|id| site.hosts.get(id.0))
                        .map(|host| host.roles)
                        .unwrap_or_default()
                };
                waived.into_iter().any(|flow| {
                    let from = roles(flow.judgement.initiator_host);
                    let to = roles(flow.judgement.responder_host);
                    rows().filter_map(|row| policy.rows.get(row.0)).any(|row| {
                        let terms = judge.matcher.terms(row);
                        from.meets(terms.initiator) && to.meets(terms.responder)
                    })
                })
            };
            self.tables += u64::from(expected);
            if expected && !used && !waived() {
                self.idle_tables.push(id);
            }
        }
    }
}

/// Hosts that sent a packet, or whose answers the packets of others prove.
fn alive(flows: &[JudgedFlow]) -> BTreeSet<HostId> {
    let mut alive = BTreeSet::new();
    for flow in flows {
        let sent = |direction| flow.record.half(direction).packets > 0;
        let initiator = flow.judgement.initiator;
        if sent(initiator) {
            alive.extend(flow.judgement.initiator_host);
        }
        if sent(initiator.reverse()) || flow.answered() {
            alive.extend(flow.judgement.responder_host);
        }
    }
    alive
}

/// Whether traffic of a row could be expected as far as site and policy go.
fn is_possible(status: RowStatus) -> bool {
    !matches!(
        status,
        RowStatus::Contradicted | RowStatus::Off | RowStatus::Unbound | RowStatus::NoHost
    )
}

/// Whether two hosts that were seen alive hold the roles of a row and satisfy what it demands.
fn has_hosts(judge: &Judge<'_>, alive: &BTreeSet<HostId>, id: RowId) -> bool {
    let Some(row) = judge.matcher.policy.rows.get(id.0) else { return false };
    let terms = judge.matcher.terms(row);
    let holding = |roles: Set64| {
        let parties = alive.iter().filter_map(|id| {
            let host = judge.matcher.site.hosts.get(id.0)?;
            host.roles.meets(roles).then_some(Party { id: Some(*id), host })
        });
        parties.collect::<Vec<_>>()
    };
    let responders = holding(terms.responder);
    holding(terms.initiator).into_iter().any(|initiator| {
        responders.iter().filter(|responder| responder.id != initiator.id).any(|responder| {
            let attempt =
                Attempt { initiator, responder: *responder, transport: row.transport, port: 0 };
            let fit = judge.matcher.fit(id, row, &attempt);
            fit.exact_roles && fit.conditions != Holds::No && fit.qualifiers != Holds::No
        })
    })
}

fn is_valid(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    begin: Timestamp,
    last: Option<Timestamp>,
) -> bool {
    from.is_none_or(|from| last.is_none_or(|last| from <= last))
        && until.is_none_or(|until| begin < until)
}

/// Packets that could not be decoded, by whatever cause.
pub(super) fn undecoded(accounting: &Accounting) -> u64 {
    let classes = accounting.classes();
    let stopped =
        classes.filter(|(class, _)| matches!(class, Class::Stopped(_) | Class::Remainder));
    stopped.map(|(_, tally)| tally.packets).sum()
}

/// Bytes of a flow that were acknowledged and not captured.
fn unseen_bytes(record: &FlowRecord) -> Option<u64> {
    let unseen = |direction| u64::from(record.unseen_bytes(direction));
    Some(unseen(Direction::AToB) + unseen(Direction::BToA))
}
