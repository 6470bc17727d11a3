//! Writes what a checkpoint says, on a thread of its own: a disk that is slow, or that does not
//! answer, holds up the next checkpoint and no look.
//!
//! In: what a look found, one at a time. Out: slices of evidence, the report with what belongs to
//! it, and the state of findings, once flows are stored.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::clock;
use super::common::Common;
use super::event::Event;
use super::evidence::StoreSlices;
use super::judging::send;
use super::metrics::Metrics;
use super::priority::give_way;
use super::rules::Rules;
use super::session::SessionError;
use super::storing::{self, Storing};
use super::writer::EventWriter;
use crate::capture::InputSummary;
use crate::judge::{Assessment, Terms};
use crate::report::Slice;
use crate::report::model::{Limit, Report};

/// Time after which a report that is being written is told to be late.
const LATE: Duration = Duration::from_secs(30);

/// What is written again and again.
pub struct Checkpoint<'a> {
    /// The report, not sealed yet.
    pub report: &'a mut Report,
    /// What it is made from.
    pub assessment: &'a Assessment,
    /// The inputs.
    pub inputs: &'a [InputSummary],
    /// What was judged against.
    pub terms: Terms<'a>,
}

/// Seals a report and writes it, and what belongs to it, in place of the one before.
pub type Publish = Box<dyn Fn(Checkpoint<'_>) -> Result<(), String> + Send>;

/// What a look found, to be written.
pub(super) struct Publication {
    pub(super) assessment: Assessment,
    pub(super) report: Report,
    pub(super) inputs: Vec<InputSummary>,
    pub(super) rules: Arc<Rules>,
    /// The slices of evidence and what limits them, when they are wanted.
    pub(super) slices: Option<(Vec<Slice>, Vec<Limit>)>,
    /// The flows that are being stored.
    pub(super) storing: Option<Storing>,
}

/// Who writes it.
pub(super) struct Publisher {
    pub(super) common: Arc<Common>,
    pub(super) publish: Option<Publish>,
    pub(super) store: Option<StoreSlices>,
    pub(super) events: Arc<Mutex<EventWriter>>,
    pub(super) metrics: Metrics,
}

impl Publisher {
    /// Writes all of it. Answers why the report, or the evidence, could not be written.
    pub(super) fn write(&self, publication: &mut Publication) -> Option<String> {
        // What a report says, the next run knows.
        storing::wait(publication.storing.take());
        let unkept = self.write_evidence(publication);
        self.write_report(publication).or(unkept)
    }

    /// Writes the slices of evidence and enters them into the report.
    fn write_evidence(&self, publication: &mut Publication) -> Option<String> {
        let (store, (slices, limits)) = self.store.as_ref().zip(publication.slices.take())?;
        match store(&slices) {
            Ok(()) => {
                slices.into_iter().for_each(|slice| slice.enter(&mut publication.report));
                publication.report.limits.extend(limits);
                None
            }
            Err(reason) => {
                send(&self.events, Event::CheckpointFailed { reason: reason.clone() });
                Some(reason)
            }
        }
    }

    fn write_report(&self, publication: &mut Publication) -> Option<String> {
        let publish = self.publish.as_ref()?;
        let Publication { assessment, report, inputs, rules, .. } = publication;
        let failed = publish(Checkpoint { report, assessment, inputs, terms: rules.terms() }).err();
        self.metrics.update(|counters| match &failed {
            None => counters.checkpoints += 1,
            Some(_) => counters.checkpoints_failed += 1,
        });
        if let Some(reason) = failed.clone() {
            send(&self.events, Event::CheckpointFailed { reason });
        }
        failed
    }
}

/// Since when something is being written, and whether it was told to be late.
type Since = Arc<Mutex<Option<(Instant, bool)>>>;

/// Whether something is being written.
#[derive(Clone, Default)]
pub(super) struct Progress(Since);

impl Progress {
    fn set(&self, since: Option<(Instant, bool)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    pub(super) fn is_busy(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Answers once, when something has been written for long, that it is late.
    pub(super) fn take_late(&self, now: Instant) -> Option<Event> {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, told) = since.as_mut()?;
        let is_late = now.duration_since(*begun) >= LATE;
        (is_late && !std::mem::replace(told, is_late)).then(|| Event::CheckpointFailed {
            reason: format!(
                "the report has not been written in {} s: the disk is slow, or does not answer; \
                 nothing else waits for it",
                LATE.as_secs()
            ),
        })
    }
}

/// The thread.
pub(super) struct PublishingThread {
    work: Sender<Publication>,
    progress: Progress,
    thread: JoinHandle<Publisher>,
}

impl PublishingThread {
    /// Starts the thread.
    pub(super) fn start(publisher: Publisher) -> Result<Self, SessionError> {
        let (work, todo) = bounded(1);
        let progress = Progress::default();
        let done = progress.clone();
        let run = move || publish_all(publisher, &todo, &done);
        let thread = thread::Builder::new().name("publishing".to_owned()).spawn(run);
        Ok(PublishingThread { work, progress, thread: thread.map_err(SessionError::Thread)? })
    }

    /// Whether something is being written.
    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Hands over something to write; what came before is written.
    pub(super) fn give(&self, publication: Publication) {
        self.progress.set(Some((clock::now(), false)));
        // The thread ends only when nothing more can come.
        let _ = self.work.send(publication);
    }

    /// Waits until all is written.
    pub(super) fn finish(self) -> Publisher {
        drop(self.work);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn publish_all(publisher: Publisher, todo: &Receiver<Publication>, done: &Progress) -> Publisher {
    give_way();
    for mut publication in todo {
        publisher.write(&mut publication);
        drop(publication);
        publisher.common.rewrite_state();
        done.set(None);
    }
    publisher
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_is_late_is_told_once() {
        let progress = Progress::default();
        let begun = clock::now();
        assert!(!progress.is_busy() && progress.take_late(begun + 2 * LATE).is_none());
        for _ in 0..2 {
            progress.set(Some((begun, false)));
            assert!(progress.is_busy() && progress.take_late(begun + LATE / 2).is_none());
            assert!(progress.take_late(begun + LATE).is_some());
            assert!(progress.take_late(begun + 2 * LATE).is_none());
        }
    }
}
