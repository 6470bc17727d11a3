//! Which findings have been told, and what the newest report says about them.
//!
//! In: one report after the other, and findings of glances in between. Out: what is new or
//! different. Bounded: of findings that are gone, the ones longest gone are given up first.
//!
//! Each comes with the number of its look. A look at the whole takes longer than a glance, so it may
//! be compared after a glance that saw more: what that glance saw stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::{Change, Event, FindingNote};
use crate::judge::Severity;
use crate::report::model::{Finding, Report};

/// Most findings remembered. A report has at most five thousand.
const KNOWN: usize = 20_000;

/// Findings about what has not happened yet: no end of the watch comes at which that is known.
const NEVER_TOLD: [&str; 1] = ["waiver-unused"];

/// A finding as it was seen last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Whether the newest report has it.
    pub(super) present: bool,
    /// Whether its last change has been given to the writer of events.
    pub(super) told: bool,
    /// What was said of it.
    pub(super) finding: FindingNote,
    /// Number of the look that saw it last; 0 if an earlier run did.
    #[serde(skip)]
    seen: u64,
}

/// The findings that have been seen, by their identifiers.
#[derive(Debug, Default)]
pub(super) struct KnownFindings {
    by_id: BTreeMap<String, Known>,
    /// Whether the changes remembered as not told have been asked for.
    restored_told: bool,
}

impl KnownFindings {
    /// Those remembered from an earlier run. None of them is present until a packet shows it.
    pub(super) fn restore(remembered: Vec<Known>) -> Self {
        let by_id = remembered
            .into_iter()
            .map(|known| (known.finding.id.clone(), Known { present: false, ..known }))
            .collect();
        KnownFindings { by_id, restored_told: false }
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Known> {
        self.by_id.values()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Known> {
        self.by_id.get(id)
    }

    /// Notes that a change has been given to the writer of events.
    pub(super) fn mark_told(&mut self, id: &str) {
        if let Some(known) = self.by_id.get_mut(id) {
            known.told = true;
        }
    }

    /// Whether a glance has something to tell of a finding: it is new, is back or weighs more.
    pub(super) fn wants(&mut self, id: &str, severity: Severity, look: u64) -> bool {
        let Some(known) = self.by_id.get_mut(id) else { return true };
        let restored = known.seen == 0;
        let heavier = rank(severity.name()) > rank(&known.finding.severity);
        if heavier || !known.present && !restored {
            return true;
        }
        (known.present, known.seen) = (true, look);
        false
    }

    /// Takes over a finding that a glance made, and answers what is different.
    pub(super) fn glimpse(&mut self, finding: &Finding, look: u64) -> Option<Event> {
        let mut note = FindingNote::from(finding);
        if let Some(known) = self.by_id.get(&note.id).filter(|known| known.present) {
            // Counts and addresses of the glance are of the flows that changed.
            let FindingNote { severity, verdict, title, remediation, last_seen, .. } = note;
            let known = known.finding.clone();
            note = FindingNote { severity, verdict, title, remediation, last_seen, ..known };
        }
        let change = self.take(&note, look)?;
        Some(Event::Finding { change, finding: Box::new(note) })
    }

    /// Takes over what `report` says and answers what is different, gone ones last.
    pub(super) fn compare(&mut self, report: &Report, look: u64) -> Vec<Event> {
        let mut events = self.untold();
        let mut present = BTreeSet::new();
        for finding in &report.findings {
            if NEVER_TOLD.contains(&finding.code.as_str()) {
                continue;
            }
            present.insert(finding.id.as_str());
            let note = FindingNote::from(finding);
            let change = self.take(&note, look);
            events.extend(change.map(|change| Event::Finding { change, finding: Box::new(note) }));
        }
        for (id, known) in &mut self.by_id {
            if known.present && known.seen <= look && !present.contains(id.as_str()) {
                (known.present, known.told) = (false, false);
                let finding = Box::new(known.finding.clone());
                events.push(Event::Finding { change: Change::Gone, finding });
            }
        }
        self.give_up_oldest();
        events
    }

    /// What an earlier run found and could not tell before it ended.
    fn untold(&mut self) -> Vec<Event> {
        if std::mem::replace(&mut self.restored_told, true) {
            return Vec::new();
        }
        let untold = self.by_id.values().filter(|known| !known.told);
        let event = |known: &Known| Event::Finding {
            change: Change::New,
            finding: Box::new(known.finding.clone()),
        };
        untold.map(event).collect()
    }

    /// Takes over one finding. A restored one that shows itself again is no change.
    fn take(&mut self, note: &FindingNote, look: u64) -> Option<Change> {
        let Some(known) = self.by_id.get_mut(&note.id) else {
            let known = Known { present: true, told: false, finding: note.clone(), seen: look };
            self.by_id.insert(note.id.clone(), known);
            return Some(Change::New);
        };
        if known.seen > look {
            return None;
        }
        let restored = known.seen == 0;
        let change = if !known.present && !restored {
            Some(Change::Back)
        } else if known.finding.severity != note.severity || known.finding.verdict != note.verdict {
            Some(Change::Changed)
        } else {
            None
        };
        // The first packet that ever showed it may have been seen by an earlier run.
        let first_seen = match (&known.finding.first_seen, &note.first_seen) {
            (Some(before), Some(now)) => Some(before.min(now).clone()),
            (before, now) => now.clone().or(before.clone()),
        };
        known.finding = FindingNote { first_seen, ..note.clone() };
        (known.present, known.seen) = (true, look);
        known.told &= change.is_none();
        change
    }

    fn give_up_oldest(&mut self) {
        let Some(excess) = self.by_id.len().checked_sub(KNOWN + 1) else { return };
        let gone = self.by_id.iter().filter(|(_, known)| !known.present);
        let mut by_age: Vec<(u64, String)> = gone.map(|(id, k)| (k.seen, id.clone())).collect();
        by_age.sort();
        for (_, id) in by_age.into_iter().take(excess + 1) {
            self.by_id.remove(&id);
        }
    }
}

/// The weight of a severity by its name.
fn rank(severity: &str) -> usize {
    Severity::ALL.iter().position(|one| one.name() == severity).unwrap_or(0)
}
