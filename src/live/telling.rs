//! Tells what is new: compares what a look found with what is known, keeps the state of it, and
//! hands the events over.
//!
//! In: reports, and findings of glances, each with the number of the look that they are of. Out:
//! events, state and counters. Whoever looks holds this for as long as one look is told.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::event::{Change, Event};
use super::known::{Known, KnownFindings};
use super::metrics::{Counters, Metrics, Newest};
use super::state::{Rewriting, StateError, StateFile};
use super::writer::EventWriter;
use crate::judge::Severity;
use crate::report::model::{Finding, Report};

/// Findings kept for the terminal.
const NEWEST: usize = 40;

/// What has been told.
pub(super) struct Telling {
    known: KnownFindings,
    state: Option<StateFile>,
    events: Arc<Mutex<EventWriter>>,
    metrics: Metrics,
    /// Grade of the last report.
    grade: Option<String>,
    /// Findings given to the writer of events, each with the place of its line.
    on_their_way: Vec<(String, u64)>,
    /// Whether there are any.
    unsettled: Arc<AtomicBool>,
}

impl Telling {
    pub(super) fn new(
        known: KnownFindings,
        state: Option<StateFile>,
        events: Arc<Mutex<EventWriter>>,
        metrics: Metrics,
    ) -> Self {
        Telling {
            known,
            state,
            events,
            metrics,
            grade: None,
            on_their_way: Vec::new(),
            unsettled: Arc::default(),
        }
    }

    /// Whether findings are on their way that are not yet known to be told. Kept up to date.
    pub(super) fn unsettled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.unsettled)
    }

    /// Tells what the report of a look says that the one before did not.
    pub(super) fn report(&mut self, report: &Report, look: u64) {
        let changes = self.known.compare(report, look);
        self.tell(changes);
        let outcome = &report.outcome;
        let before = self.grade.replace(outcome.grade.clone());
        if let Some(from) = before.filter(|before| *before != outcome.grade) {
            let (to, reasons) = (outcome.grade.clone(), outcome.reasons.clone());
            self.send(Event::Grade { from, to, reasons });
        }
    }

    /// Whether there is something to tell of a finding that a glance made.
    pub(super) fn wants(&mut self, id: &str, severity: Severity, look: u64) -> bool {
        self.known.wants(id, severity, look)
    }

    /// Tells of findings that a glance made.
    pub(super) fn findings(&mut self, findings: &[Finding], look: u64) {
        let changes = findings.iter().filter_map(|finding| self.known.glimpse(finding, look));
        let changes = changes.collect();
        self.tell(changes);
    }

    /// Tells of changes.
    ///
    /// What is new goes into the state before it is told, and is marked as told when its line has
    /// been written: whenever the run is killed, nothing that was told is forgotten, and what was
    /// not is told by the next run.
    fn tell(&mut self, changes: Vec<Event>) {
        self.remember(changes.iter().filter_map(finding_of).collect());
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        for event in changes {
            self.metrics.update(|counters| note(counters, &event));
            let id = finding_of(&event).map(str::to_owned);
            let line = events.send(event);
            self.on_their_way.extend(id.zip(line));
        }
        events.tell_folded();
        drop(events);
        self.settle();
        let known = self.known.len() as u64;
        self.metrics.update(|counters| counters.findings_known = known);
    }

    /// Sends an event.
    pub(super) fn send(&self, event: Event) {
        self.events().send(event);
    }

    fn events(&self) -> MutexGuard<'_, EventWriter> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the findings of which the events have been written.
    pub(super) fn settle(&mut self) {
        let written = self.events().written();
        let on_their_way = std::mem::take(&mut self.on_their_way);
        let is_told = |(_, line): &(String, u64)| *line <= written;
        let (told, rest): (Vec<_>, Vec<_>) = on_their_way.into_iter().partition(is_told);
        self.on_their_way = rest;
        self.unsettled.store(!self.on_their_way.is_empty(), Ordering::Release);
        for (id, _) in &told {
            self.known.mark_told(id);
        }
        self.remember(told.iter().map(|(id, _)| id.as_str()).collect());
    }

    /// Appends findings to the state, and those that it lacks because the disk did not answer.
    fn remember(&mut self, ids: Vec<&str>) {
        let Some(state) = &mut self.state else { return };
        let appended = if state.take_behind() {
            state.append(self.known.all())
        } else {
            state.append(ids.into_iter().filter_map(|id| self.known.get(id)))
        };
        self.note_state(appended);
    }

    /// Begins to write the state anew, without what is out of date: answers what is to be written.
    pub(super) fn begin_rewrite(&mut self) -> Option<(Rewriting, Vec<Known>)> {
        let state = self.state.as_mut()?;
        Some((state.begin_rewrite(), self.known.all().cloned().collect()))
    }

    /// Puts the new state in the place of the old one.
    pub(super) fn end_rewrite(&mut self, written: io::Result<File>) {
        let Some(state) = &mut self.state else { return };
        let placed = state.end_rewrite(written, |id| self.known.get(id));
        self.note_state(placed);
    }

    /// Waits until the state is written, in the end.
    pub(super) fn finish_state(&mut self) {
        let Some(state) = &mut self.state else { return };
        let mut finished = state.finish();
        if state.take_behind() {
            finished = match state.append(self.known.all()) {
                Err(StateError::Late { .. }) => state.finish(),
                appended => appended,
            };
        }
        self.note_state(finished);
    }

    fn note_state(&self, written: Result<(), StateError>) {
        if let Err(error) = written {
            self.send(Event::StateFailed { reason: error.to_string() });
        }
    }
}

/// Which finding an event is about.
fn finding_of(event: &Event) -> Option<&str> {
    match event {
        Event::Finding { finding, .. } => Some(&finding.id),
        _ => None,
    }
}

/// Keeps the newest findings for whoever looks at the terminal.
fn note(counters: &mut Counters, event: &Event) {
    if let Event::Finding { change: Change::New | Change::Back | Change::Changed, finding } = event
    {
        counters.newest.push_back(Newest {
            when: finding.last_seen.clone().unwrap_or_default(),
            severity: finding.severity.clone(),
            title: finding.title.clone(),
        });
        if counters.newest.len() > NEWEST {
            counters.newest.pop_front();
        }
    }
}
