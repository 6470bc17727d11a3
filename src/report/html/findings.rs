//! Findings by what they have in common: a group for each code, the heaviest first.

use super::terms;
use crate::report::model::{Finding, Side, SideHost};

/// Findings with one code.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) code: &'a str,
    pub(super) heading: &'a str,
    pub(super) explanation: &'static str,
    /// Shown in full, heaviest first.
    pub(super) full: Vec<&'a Finding>,
    /// Shown by a line each, heaviest first.
    pub(super) brief: Vec<&'a Finding>,
    /// Flows of all.
    pub(super) flows: u64,
}

impl Group<'_> {
    pub(super) fn count(&self) -> usize {
        self.full.len() + self.brief.len()
    }
}

/// Groups findings, in the order of the heaviest of each. The first `in_full` of all are shown in
/// full.
pub(super) fn groups(findings: &[Finding], in_full: usize) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        let at = groups.iter().position(|group| group.code == finding.code);
        let at = at.unwrap_or_else(|| {
            let (heading, explanation) = terms::code(&finding.code);
            let (full, brief) = (Vec::new(), Vec::new());
            groups.push(Group { code: &finding.code, heading, explanation, full, brief, flows: 0 });
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(at) else { continue };
        group.flows = group.flows.saturating_add(finding.volume.flows);
        if index < in_full { &mut group.full } else { &mut group.brief }.push(finding);
    }
    groups
}

/// How many hosts of a side are shown at first sight.
const AT_FIRST_SIGHT: usize = 3;

/// The busiest hosts of a side.
pub(super) fn busiest(side: &Side) -> &[SideHost] {
    side.hosts.get(..AT_FIRST_SIGHT).unwrap_or(&side.hosts)
}

/// How many addresses a side has beyond its busiest.
pub(super) fn others(side: &Side) -> u64 {
    side.address_count.saturating_sub(busiest(side).len() as u64)
}

/// How many addresses a side has beyond those that the report lists.
pub(super) fn unlisted(side: &Side) -> u64 {
    side.address_count.saturating_sub(side.hosts.len() as u64)
}
