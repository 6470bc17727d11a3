//! Looks at all that has been folded so far, on a thread of its own: judges it, tells what is new,
//! and reads the rules again when asked.
//!
//! In: copies of the fold, which it may take its time over. Out: events, what `publishing` writes,
//! and in the end all that a run amounts to. What is new in the meantime is told by `glancing`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::clock;
use super::common::Common;
use super::event::Event;
use super::evidence::{EvidenceKeeper, Packets};
use super::flows::FlowsFile;
use super::metrics::Metrics;
use super::priority::give_way;
use super::publishing::{Progress, Publication, PublishingThread};
use super::rules::{Load, Rules};
use super::session::{Ended, SessionError};
use super::storing::{self, Storing};
use super::writer::EventWriter;
use crate::capture::{FrameBatch, InputSummary, TimeHealth};
use crate::engine::{Evaluated, Fold};
use crate::judge::{Assessment, Context, assess};
use crate::report::model::{Limit, Report};
use crate::report::{self, Slice, Source};

/// How long events may take to be written at the end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Addresses kept for the terminal.
const TALKERS: usize = 5;

/// Everything that has been seen so far.
pub(super) struct View {
    pub(super) fold: Fold,
    /// The packets that are still held back.
    pub(super) held: Vec<FrameBatch>,
    /// Number of this look among all looks.
    pub(super) look: u64,
    pub(super) inputs: Vec<InputSummary>,
    pub(super) times: TimeHealth,
    pub(super) packets: Packets,
}

/// What to do.
pub(super) enum Work {
    /// Tell what is new.
    Look(View),
    /// The same, and write the report.
    Checkpoint(View),
    /// Read the rules again.
    Reload,
    /// Note which findings have been told.
    Settle,
    /// Write the last report and end.
    End(View),
}

/// What the thread needs.
pub(super) struct Judging {
    pub(super) common: Arc<Common>,
    /// The options that reports name.
    pub(super) options: Vec<String>,
    pub(super) load: Load,
    pub(super) evidence: Option<EvidenceKeeper>,
    pub(super) flows: Option<Arc<FlowsFile>>,
    pub(super) events: Arc<Mutex<EventWriter>>,
    pub(super) metrics: Metrics,
    pub(super) max_memory: u64,
    /// `live` or `replay`.
    pub(super) mode: &'static str,
}

/// The thread.
pub(super) struct JudgingThread {
    work: Sender<Work>,
    busy: Arc<AtomicBool>,
    unsettled: Arc<AtomicBool>,
    publishing: Progress,
    thread: JoinHandle<Result<Ended, SessionError>>,
}

impl JudgingThread {
    /// Starts the thread.
    pub(super) fn start(
        judging: Judging,
        publishing: PublishingThread,
        threads: usize,
    ) -> Result<Self, SessionError> {
        let (work, todo) = unbounded();
        let busy = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&busy);
        let unsettled = judging.common.telling().unsettled();
        let progress = publishing.progress();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("judge-{index}"))
            .start_handler(|_| give_way())
            .build()
            .map_err(SessionError::Threads)?;
        let run = move || pool.install(|| judging.run(publishing, &todo, &done));
        let thread = thread::Builder::new().name("judging".to_owned()).spawn(run);
        let thread = thread.map_err(SessionError::Thread)?;
        Ok(JudgingThread { work, busy, unsettled, publishing: progress, thread })
    }

    /// Whether the last look is still going on. One at a time, so that no more than one copy of
    /// the fold is held.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// Whether findings are on their way that are not yet known to be told.
    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Acquire)
    }

    /// Whether the report of the last checkpoint is being written.
    pub(super) fn publishing(&self) -> &Progress {
        &self.publishing
    }

    /// Hands over something to do.
    pub(super) fn give(&self, work: Work) {
        if matches!(work, Work::Look(_) | Work::Checkpoint(_) | Work::Settle) {
            self.busy.store(true, Ordering::Release);
        }
        // The thread ends only after the end was given.
        let _ = self.work.send(work);
    }

    /// Gives the end and waits for it.
    pub(super) fn finish(self, view: View) -> Result<Ended, SessionError> {
        self.give(Work::End(view));
        match self.thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Judging {
    fn run(
        mut self,
        publishing: PublishingThread,
        todo: &Receiver<Work>,
        done: &AtomicBool,
    ) -> Result<Ended, SessionError> {
        for work in todo {
            match work {
                Work::Look(view) => self.look_on(view, None),
                Work::Checkpoint(view) => self.look_on(view, Some(&publishing)),
                Work::Reload => self.reload(),
                Work::Settle => self.common.telling().settle(),
                Work::End(view) => return Ok(self.end(view, publishing)),
            }
            done.store(false, Ordering::Release);
        }
        Err(SessionError::Abandoned)
    }

    /// Looks, leaves to glances what they need to know, and has the report written if somebody is to
    /// do so.
    fn look_on(&mut self, view: View, publishing: Option<&PublishingThread>) {
        let (look, inputs, packets) = (view.look, view.inputs.clone(), view.packets.clone());
        let rules = self.common.rules();
        let (assessment, report, _, storing) = self.look(view, &rules, publishing.is_some());
        self.common.set_context(Context::of(&assessment, &rules.site, look), look);
        if let Some(publishing) = publishing {
            let slices = self.slices(&assessment, &inputs, &report, &packets);
            let publication = Publication { assessment, report, inputs, rules, slices, storing };
            publishing.give(publication);
        }
    }

    /// Judges what has been seen and tells what is new. With `keep` set the flows are stored for
    /// the next run, which the last of the answers goes on to do.
    fn look(
        &mut self,
        view: View,
        rules: &Rules,
        keep: bool,
    ) -> (Assessment, Report, Evaluated, Option<Storing>) {
        let begun = clock::now();
        let View { mut fold, held, look, inputs, times, packets } = view;
        fold.push(&held);
        drop(held);
        let storing = self.flows.as_ref().filter(|_| keep).and_then(|flows| {
            let partial = fold.snapshot().finish();
            storing::start(flows, partial, (inputs.clone(), times), &self.events)
        });
        let mut stream = fold.finish().evaluate();
        let records = std::mem::take(&mut stream.records);
        if !self.common.has_context() {
            self.common.set_context(Context::ahead_of(&records, &rules.site), look);
        }
        let evidence = stream.evidence(&inputs, times);
        let terms = rules.terms();
        let assessment = assess(records, &stream.accounting, &stream.carriers, terms, evidence);
        let source = Source {
            inputs: &inputs,
            times,
            skipped: &[],
            stream: &stream,
            terms,
            max_memory: self.max_memory,
            options: &self.options,
        };
        let mut report = report::build(source, &assessment);
        report.run.mode = self.mode.to_owned();
        self.common.telling().report(&report, look);
        if let Some(evidence) = &mut self.evidence {
            evidence.look(&assessment, &inputs, &report, &packets);
        }
        let (findings, outside) = (by_reason(&report), outside(&report));
        self.metrics.update(|counters| {
            counters.look_seconds = clock::now().duration_since(begun).as_secs_f64();
            counters.grade.clone_from(&report.outcome.grade);
            (counters.findings, counters.outside) = (findings, outside);
        });
        (assessment, report, stream, storing)
    }

    /// The slices of evidence for a report, if they are wanted.
    fn slices(
        &mut self,
        assessment: &Assessment,
        inputs: &[InputSummary],
        report: &Report,
        packets: &Packets,
    ) -> Option<(Vec<Slice>, Vec<Limit>)> {
        let evidence = self.evidence.as_mut()?;
        Some(evidence.slices(assessment, inputs, report, packets))
    }

    fn reload(&self) {
        let reason = match (self.load)() {
            Ok(rules) => {
                self.common.set_rules(rules);
                None
            }
            Err(reason) => Some(reason),
        };
        let accepted = reason.is_none();
        self.metrics.update(|counters| {
            counters.reloads += u64::from(accepted);
            counters.reloads_refused += u64::from(!accepted);
        });
        send(&self.events, Event::Reload { accepted, reason });
    }

    fn end(mut self, view: View, publishing: PublishingThread) -> Ended {
        let publisher = publishing.finish();
        let (inputs, packets) = (view.inputs.clone(), view.packets.clone());
        let rules = self.common.rules();
        let (assessment, report, stream, storing) = self.look(view, &rules, true);
        let slices = self.slices(&assessment, &inputs, &report, &packets);
        let mut last = Publication { assessment, report, inputs, rules, slices, storing };
        let failed = publisher.write(&mut last);
        let Publication { assessment, report, inputs, rules, .. } = last;
        let stopped = Event::Stopped {
            packets: report.accounting.packets_read,
            dropped: report.capture_health.dropped_packets.unwrap_or(0),
            result: report.outcome.result.clone(),
            grade: report.outcome.grade.clone(),
        };
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.send(stopped);
        let unwritten = events.finish(LAST_WORDS);
        drop(events);
        self.common.telling().settle();
        self.common.rewrite_state();
        self.common.telling().finish_state();
        Ended { assessment, report, stream, inputs, rules, failed, unwritten }
    }
}

/// Sends an event.
pub(super) fn send(events: &Mutex<EventWriter>, event: Event) {
    events.lock().unwrap_or_else(PoisonError::into_inner).send(event);
}

/// The addresses that began most flows that are violations or go to or come from peers that the
/// site does not list.
fn outside(report: &Report) -> Vec<(String, u64)> {
    let mut flows = std::collections::BTreeMap::new();
    let governed = |verdict: &str| verdict == "violation" || verdict == "unknown-peer";
    for finding in report.findings.iter().filter(|finding| governed(&finding.verdict)) {
        for host in &finding.initiators.hosts {
            *flows.entry(&host.address).or_insert(0) += host.flows;
        }
    }
    let mut most: Vec<_> = flows.into_iter().map(|(of, flows)| (of.clone(), flows)).collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    most.truncate(TALKERS);
    most
}

/// Findings by code and severity.
fn by_reason(report: &Report) -> Vec<(String, String, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    for finding in &report.findings {
        *counts.entry((finding.code.clone(), finding.severity.clone())).or_insert(0) += 1;
    }
    counts.into_iter().map(|((code, severity), count)| (code, severity, count)).collect()
}
