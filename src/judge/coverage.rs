//! What became of every row: used, tried in vain, never seen, off, impossible here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::finding::JudgedFlow;
use super::flow::Judge;
use super::model::{ParameterId, RowId, RowPorts};
use super::verdict::{Reason, Verdict};
use crate::base::{IpProto, Timestamp};
use crate::flow::ConnectionState;

/// Most addresses told apart on each side of a row.
const ADDRESSES: usize = 65_536;

/// Services whose datagrams ask for no answer, by their identifiers in the packs: media streams
/// may flow one way only (RFC 3550), a notification of Exchange is a single datagram, and a
/// NetBIOS datagram is not acknowledged (RFC 1001 section 17). A request of any other service
/// that gets no answer was tried, not used.
const WITHOUT_ANSWER: [&str; 3] = ["rtp", "mapi-notification", "netbios-datagram"];

/// Status of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowStatus {
    /// A flow that was answered rests on it.
    Exercised,
    /// The same, and the row is over-broad.
    WeakOnly,
    /// Tried, never answered.
    Blocked,
    /// Tried, and the capture would not show every answer.
    UnknownAnswer,
    /// Switched off by an answer, and traffic of it was seen all the same.
    Contradicted,
    /// Switched off by an answer.
    Off,
    /// Its parameter has no value.
    Unbound,
    /// No host of the site holds a role of it.
    NoHost,
    /// Not used.
    Unexercised,
    /// Not seen, and packets are missing from the capture.
    NotSeen,
}

impl RowStatus {
    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            RowStatus::Exercised => "exercised",
            RowStatus::WeakOnly => "weak-only",
            RowStatus::Blocked => "blocked?",
            RowStatus::UnknownAnswer => "unknown-answer",
            RowStatus::Contradicted => "contradicted",
            RowStatus::Off => "off",
            RowStatus::Unbound => "unbound",
            RowStatus::NoHost => "no-host",
            RowStatus::Unexercised => "unexercised",
            RowStatus::NotSeen => "not-seen",
        }
    }
}

/// What was seen of a row.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// The row.
    pub row: RowId,
    /// Its status.
    pub status: RowStatus,
    /// Flows that rest on it first of all.
    pub flows: u64,
    /// Of them, answered.
    pub answered: u64,
    /// Of them, known to be without answer, or refused.
    pub in_vain: u64,
    /// Flows that rest on another row first and would rest on this one too.
    pub also: u64,
    /// Flows that only an answer of the site keeps from resting on it.
    pub contradicting: u64,
    /// Packets of the flows that rest on it.
    pub packets: u64,
    /// Bytes of whole frames of the flows that rest on it.
    pub frame_bytes: u64,
    /// Distinct initiators, up to 65,536.
    pub initiators: BTreeSet<IpAddr>,
    /// Distinct responders, up to 65,536.
    pub responders: BTreeSet<IpAddr>,
    /// Whether there were more initiators or responders than that.
    pub addresses_cut: bool,
    /// Distinct responder ports.
    pub ports: BTreeSet<u16>,
    /// First packet of a flow that rests on it.
    pub first: Option<Timestamp>,
    /// Last packet of a flow that rests on it.
    pub last: Option<Timestamp>,
}

/// The coverage of every row, in document order.
pub fn coverage(judge: &Judge<'_>, flows: &[JudgedFlow]) -> Vec<Coverage> {
    let mut all: BTreeMap<RowId, Coverage> =
        judge.matcher.rows().map(|(row, _)| (row, Coverage::of(row))).collect();
    for flow in flows {
        let mut rows = flow.judgement.rows.iter();
        match (flow.judgement.verdict, flow.judgement.reason) {
            (Verdict::Documented, _) => {
                if let Some(seen) = rows.next().and_then(|row| all.get_mut(row)) {
                    let answered = flow.answered() || is_one_way_by_nature(judge, seen.row, flow);
                    seen.count(flow, answered);
                    seen.in_vain += u64::from(!answered && is_in_vain(judge, flow));
                }
                for row in rows {
                    if let Some(seen) = all.get_mut(row) {
                        seen.also += 1;
                    }
                }
            }
            (Verdict::Violation | Verdict::Waived, Some(Reason::ConditionOff)) => {
                for row in rows {
                    if let Some(seen) = all.get_mut(row) {
                        seen.contradicting += 1;
                    }
                }
            }
            _ => {}
        }
    }
    for seen in all.values_mut() {
        seen.status = status(judge, seen);
    }
    all.into_values().collect()
}

impl Coverage {
    fn of(row: RowId) -> Self {
        Coverage {
            row,
            status: RowStatus::Unexercised,
            flows: 0,
            answered: 0,
            in_vain: 0,
            also: 0,
            contradicting: 0,
            packets: 0,
            frame_bytes: 0,
            initiators: BTreeSet::new(),
            responders: BTreeSet::new(),
            addresses_cut: false,
            ports: BTreeSet::new(),
            first: None,
            last: None,
        }
    }

    fn count(&mut self, flow: &JudgedFlow, answered: bool) {
        self.flows += 1;
        self.answered += u64::from(answered);
        self.packets += flow.record.packets();
        self.frame_bytes += flow.record.frame_bytes();
        let (initiator, responder) = (flow.initiator().address(), flow.responder().address());
        for (seen, address) in
            [(&mut self.initiators, initiator), (&mut self.responders, responder)]
        {
            if seen.len() < ADDRESSES || seen.contains(&address) {
                seen.insert(address);
            } else {
                self.addresses_cut = true;
            }
        }
        self.ports.insert(flow.responder().port());
        let (first, last) = (flow.record.earliest, flow.record.latest);
        self.first = Some(self.first.map_or(first, |held| held.min(first)));
        self.last = self.last.max(Some(last));
    }
}

/// Whether it is known of a flow without answer that there was none.
fn is_in_vain(judge: &Judge<'_>, flow: &JudgedFlow) -> bool {
    let visibility = judge.visibility();
    !visibility.hides_answer(&flow.record)
        && (flow.judgement.state == ConnectionState::Refused || visibility.proves_absence())
}

/// Whether a flow that nobody answered is all that its service asks for.
fn is_one_way_by_nature(judge: &Judge<'_>, row: RowId, flow: &JudgedFlow) -> bool {
    let policy = judge.matcher.policy;
    let service = policy.rows.get(row.0).and_then(|row| policy.services.get(row.service.0));
    flow.record.key.protocol() == IpProto::UDP
        && matches!(flow.judgement.state, ConnectionState::OneWay | ConnectionState::UnknownAnswer)
        && service.is_some_and(|service| WITHOUT_ANSWER.contains(&service.id.as_str()))
}

fn status(judge: &Judge<'_>, seen: &Coverage) -> RowStatus {
    let Some(row) = judge.matcher.policy.rows.get(seen.row.0) else {
        return RowStatus::Unexercised;
    };
    let terms = judge.matcher.terms(row);
    let site = judge.matcher.site;
    let off = terms.when.iter().any(|requirement| {
        let answer = site.answers.get(&requirement.condition);
        answer.is_some_and(|answer| !requirement.accepted.contains(answer))
    });
    let held = |roles| site.hosts.iter().any(|host| host.roles.meets(roles));
    match () {
        () if seen.answered > 0 && row.weak => RowStatus::WeakOnly,
        () if seen.answered > 0 => RowStatus::Exercised,
        () if seen.in_vain > 0 => RowStatus::Blocked,
        () if seen.flows > 0 => RowStatus::UnknownAnswer,
        () if off && seen.contradicting > 0 => RowStatus::Contradicted,
        () if off => RowStatus::Off,
        () if !held(terms.initiator) || !held(terms.responder) => RowStatus::NoHost,
        () if matches!(&row.ports, RowPorts::Parameter(id) if unbound(judge, *id)) => {
            RowStatus::Unbound
        }
        () if judge.visibility().proves_absence() => RowStatus::Unexercised,
        () => RowStatus::NotSeen,
    }
}

/// Whether a parameter has no value anywhere, or only an empty one.
fn unbound(judge: &Judge<'_>, id: ParameterId) -> bool {
    let default = judge.matcher.policy.parameters.get(id.0).and_then(|p| p.default.as_ref());
    let site = judge.matcher.site;
    let hosts = site.hosts.iter().filter_map(|host| host.parameters.get(&id));
    let mut values = hosts.chain(site.parameters.get(&id)).chain(default);
    values.all(crate::base::PortSet::is_empty)
}
