//! What became of the waivers, and what is wrong with them. In: judged flows. Out: how each
//! waiver was used, and findings about those that were exceeded, expired or not needed.

use super::assessment::Terms;
use super::finding::{Finding, FindingKind, JudgedFlow, WaiverFault};
use super::flow::Judge;
use super::grouping::about_waiver;
use super::model::{Waiver, Waivers};
use super::verdict::{Severity, Verdict};
use crate::base::Timestamp;

/// What became of a waiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaiverUse {
    /// Flows it accepted.
    pub flows: u64,
    /// Whether that is more than it allows.
    pub exceeded: bool,
    /// Whether it was over before the last packet.
    pub expired: bool,
    /// The flows it accepted, by index.
    accepted: Vec<usize>,
    /// Flows that it would have accepted if it were not over, by index.
    too_late: Vec<usize>,
}

/// How each waiver was used, in the order of the file.
pub(super) fn uses(terms: Terms<'_>, judge: &Judge<'_>, flows: &[JudgedFlow]) -> Vec<WaiverUse> {
    let end: Option<Timestamp> = flows.iter().map(|flow| flow.record.latest).max();
    let mut uses = vec![WaiverUse::default(); terms.waivers.list.len()];
    for (index, flow) in flows.iter().enumerate() {
        if let Some(used) = flow.judgement.waiver.and_then(|waiver| uses.get_mut(waiver)) {
            used.flows += 1;
            used.accepted.push(index);
        }
    }
    for (used, waiver) in uses.iter_mut().zip(&terms.waivers.list) {
        used.exceeded = waiver.maximum_flows.is_some_and(|most| used.flows > most);
        used.expired = end.is_some_and(|end| waiver.expires <= end);
    }
    if uses.iter().any(|used| used.expired) {
        find_too_late(terms, judge, flows, &mut uses);
    }
    uses
}

/// Judges what no waiver accepts once more, as if each waiver began when it was over.
fn find_too_late(
    terms: Terms<'_>,
    judge: &Judge<'_>,
    flows: &[JudgedFlow],
    uses: &mut [WaiverUse],
) {
    let prolonged = |waiver: &Waiver| Waiver {
        created: waiver.expires,
        expires: Timestamp::from_nanos(i64::MAX),
        ..waiver.clone()
    };
    let prolonged = Waivers {
        list: terms.waivers.list.iter().map(prolonged).collect(),
        ..terms.waivers.clone()
    };
    let begin = judge.capture_begin();
    let judge = Judge::new(terms.policy, terms.site, &prolonged, terms.reading, begin)
        .seeing(judge.visibility().clone())
        .told(judge.endpoints().clone());
    for (index, flow) in flows.iter().enumerate() {
        if matches!(flow.judgement.verdict, Verdict::Violation | Verdict::UnknownPeer)
            && let Some(waiver) = judge.judge(&flow.record).waiver
            && let Some(used) = uses.get_mut(waiver)
        {
            used.too_late.push(index);
        }
    }
}

/// The findings about waivers. One that is over and would still be needed is not unused.
pub(super) fn waiver_findings(
    judge: &Judge<'_>,
    flows: &[JudgedFlow],
    uses: &[WaiverUse],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |fault, severity, waiver, members: &[usize]| {
        let kind = FindingKind::Waiver(fault, waiver);
        findings.push(Finding { severity, ..about_waiver(judge, flows, kind, members) });
    };
    for (waiver, used) in uses.iter().enumerate() {
        if used.exceeded {
            find(WaiverFault::Exceeded, Severity::Medium, waiver, &used.accepted);
        }
        if !used.too_late.is_empty() {
            find(WaiverFault::Expired, Severity::Low, waiver, &used.too_late);
        } else if used.flows == 0 {
            find(WaiverFault::Unused, Severity::Info, waiver, &[]);
        }
    }
    findings
}
