//! Looks at what has been folded so far, on a thread of its own: judges it, tells what is new,
//! writes reports, and reads the rules again when asked.
//!
//! In: copies of the fold, which it may take its time over. Out: events, reports, and in the end
//! all that a run amounts to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::clock;
use super::event::{Change, Event};
use super::evidence::{EvidenceKeeper, Packets};
use super::flows::FlowsFile;
use super::known::KnownFindings;
use super::metrics::{Counters, Metrics};
use super::session::{Ended, SessionError};
use super::state::StateFile;
use super::writer::EventWriter;
use crate::capture::{InputSummary, TimeHealth};
use crate::engine::{Evaluated, Partial};
use crate::judge::model::{Policy, Site, Waivers};
use crate::judge::{Assessment, Grade, ReadingMode, Severity, Terms, assess};
use crate::report::{self, Source, model::Report};

/// How long events may take to be written at the end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Findings kept for the terminal, and addresses.
const NEWEST: usize = 8;
const TALKERS: usize = 5;

/// What is judged against.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The policy.
    pub policy: Policy,
    /// The site.
    pub site: Site,
    /// The waivers.
    pub waivers: Waivers,
    /// How unclear passages are read.
    pub reading: ReadingMode,
    /// Findings below this do not fail a run.
    pub fail_on: Severity,
    /// Evidence below this grade is too poor for a pass.
    pub min_grade: Grade,
}

impl Rules {
    /// The same, borrowed.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            policy: &self.policy,
            site: &self.site,
            waivers: &self.waivers,
            reading: self.reading,
            fail_on: self.fail_on,
            min_grade: self.min_grade,
        }
    }
}

/// Reads the rules again.
pub type Load = Box<dyn Fn() -> Result<Rules, String> + Send>;

/// Writes a report in place of the one before.
pub type Publish = Box<dyn Fn(&Report) -> Result<(), String> + Send>;

/// Everything that has been seen so far.
pub(super) struct View {
    pub(super) partial: Partial,
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
    pub(super) rules: Rules,
    /// The options that reports name.
    pub(super) options: Vec<String>,
    pub(super) load: Load,
    pub(super) publish: Option<Publish>,
    pub(super) evidence: Option<EvidenceKeeper>,
    pub(super) known: KnownFindings,
    pub(super) state: Option<StateFile>,
    pub(super) flows: Option<FlowsFile>,
    pub(super) events: Arc<Mutex<EventWriter>>,
    pub(super) metrics: Metrics,
    pub(super) max_memory: u64,
    /// `live` or `replay`.
    pub(super) mode: &'static str,
    /// Grade of the last report.
    pub(super) grade: Option<String>,
    /// Findings given to the writer of events, each with the place of its line.
    pub(super) on_their_way: Vec<(String, u64)>,
}

/// What the thread tells of itself.
#[derive(Debug, Default)]
struct Progress {
    busy: AtomicBool,
    /// Whether findings are on their way that are not yet known to be told.
    unsettled: AtomicBool,
}

/// The thread.
pub(super) struct JudgingThread {
    work: Sender<Work>,
    progress: Arc<Progress>,
    thread: JoinHandle<Result<Ended, SessionError>>,
}

impl JudgingThread {
    /// Starts the thread.
    pub(super) fn start(judging: Judging, threads: usize) -> Result<Self, SessionError> {
        let (work, todo) = unbounded();
        let progress = Arc::new(Progress::default());
        let done = Arc::clone(&progress);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("judge-{index}"))
            .build()
            .map_err(SessionError::Threads)?;
        let run = move || pool.install(|| judging.run(&todo, &done));
        let thread = thread::Builder::new().name("judging".to_owned()).spawn(run);
        Ok(JudgingThread { work, progress, thread: thread.map_err(SessionError::Thread)? })
    }

    /// Whether the last look is still going on. One at a time, so that no more than one copy of
    /// the fold is held.
    pub(super) fn is_busy(&self) -> bool {
        self.progress.busy.load(Ordering::Acquire)
    }

    /// Whether findings are on their way that are not yet known to be told.
    pub(super) fn is_unsettled(&self) -> bool {
        self.progress.unsettled.load(Ordering::Acquire)
    }

    /// Hands over something to do.
    pub(super) fn give(&self, work: Work) {
        if matches!(work, Work::Look(_) | Work::Checkpoint(_) | Work::Settle) {
            self.progress.busy.store(true, Ordering::Release);
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
    fn run(mut self, todo: &Receiver<Work>, done: &Progress) -> Result<Ended, SessionError> {
        for work in todo {
            match work {
                Work::Look(view) => drop(self.look(view)),
                Work::Checkpoint(view) => {
                    let (inputs, packets) = (view.inputs.clone(), view.packets.clone());
                    self.store_flows(&view);
                    let (assessment, mut report, _) = self.look(view);
                    self.write_evidence(&assessment, &inputs, &packets, &mut report);
                    self.write_report(&mut report);
                    self.rewrite_state();
                }
                Work::Reload => self.reload(),
                Work::Settle => self.settle(),
                Work::End(view) => return Ok(self.end(view)),
            }
            done.unsettled.store(!self.on_their_way.is_empty(), Ordering::Release);
            done.busy.store(false, Ordering::Release);
        }
        Err(SessionError::Abandoned)
    }

    /// Judges what has been seen and tells what is new.
    fn look(&mut self, view: View) -> (Assessment, Report, Evaluated) {
        let begun = clock::now();
        let View { partial, inputs, times, packets } = view;
        let mut stream = partial.evaluate();
        let records = std::mem::take(&mut stream.records);
        let evidence = stream.evidence(&inputs, times);
        let terms = self.rules.terms();
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
        self.tell(&report);
        if let Some(evidence) = &mut self.evidence {
            evidence.look(&assessment, &inputs, &report, &packets);
        }
        self.metrics.update(|counters| {
            counters.look_seconds = clock::now().duration_since(begun).as_secs_f64();
            counters.grade = report.outcome.grade.clone();
            counters.findings = by_reason(&report);
            counters.outside = outside(&report);
        });
        (assessment, report, stream)
    }

    /// Tells what the report says that the one before did not.
    ///
    /// What is new goes into the state before it is told, and is marked as told when its line has
    /// been written: whenever the run is killed, nothing that was told is forgotten, and what was
    /// not is told by the next run.
    fn tell(&mut self, report: &Report) {
        let changes = self.known.compare(report);
        self.remember(changes.iter().filter_map(finding_of).collect());
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        for event in changes {
            self.metrics.update(|counters| note(counters, &event));
            let id = finding_of(&event).map(str::to_owned);
            let line = events.send(event);
            self.on_their_way.extend(id.zip(line));
        }
        let outcome = &report.outcome;
        let before = self.grade.replace(outcome.grade.clone());
        if let Some(from) = before.filter(|before| *before != outcome.grade) {
            let (to, reasons) = (outcome.grade.clone(), outcome.reasons.clone());
            events.send(Event::Grade { from, to, reasons });
        }
        events.tell_folded();
        drop(events);
        self.settle();
        let known = self.known.len() as u64;
        self.metrics.update(|counters| counters.findings_known = known);
    }

    /// Marks the findings of which the events have been written.
    fn settle(&mut self) {
        let written = self.events.lock().unwrap_or_else(PoisonError::into_inner).written();
        let on_their_way = std::mem::take(&mut self.on_their_way);
        let is_told = |(_, line): &(String, u64)| *line <= written;
        let (told, rest): (Vec<_>, Vec<_>) = on_their_way.into_iter().partition(is_told);
        self.on_their_way = rest;
        for (id, _) in &told {
            self.known.mark_told(id);
        }
        self.remember(told.iter().map(|(id, _)| id.as_str()).collect());
    }

    /// Appends findings to the state.
    fn remember(&mut self, ids: Vec<&str>) {
        let Some(state) = &mut self.state else { return };
        let changed = ids.into_iter().filter_map(|id| self.known.get(id));
        if let Err(error) = state.append(changed) {
            send(&self.events, Event::StateFailed { reason: error.to_string() });
        }
    }

    fn rewrite_state(&mut self) {
        let Some(state) = &mut self.state else { return };
        if let Err(error) = state.rewrite(self.known.all()) {
            send(&self.events, Event::StateFailed { reason: error.to_string() });
        }
    }

    /// Writes the slices of evidence and enters them into the report. Answers why it could not.
    fn write_evidence(
        &mut self,
        assessment: &Assessment,
        inputs: &[InputSummary],
        packets: &Packets,
        report: &mut Report,
    ) -> Option<String> {
        let evidence = self.evidence.as_mut()?;
        let reason = evidence.write(assessment, inputs, report, packets).err()?;
        send(&self.events, Event::CheckpointFailed { reason: reason.clone() });
        Some(reason)
    }

    /// Writes what the next run needs to go on.
    fn store_flows(&self, view: &View) {
        let Some(flows) = &self.flows else { return };
        if let Err(error) = flows.write(&view.partial, &view.inputs, view.times) {
            let reason = format!("cannot write `{}`: {error}", flows.path().display());
            send(&self.events, Event::StateFailed { reason });
        }
    }

    /// Seals the report and writes it. Answers why it could not.
    fn write_report(&mut self, report: &mut Report) -> Option<String> {
        let publish = self.publish.as_ref()?;
        let sealed = report::seal(report).map_err(|error| error.to_string());
        let failed = sealed.and_then(|()| publish(report)).err();
        self.metrics.update(|counters| match &failed {
            None => counters.checkpoints += 1,
            Some(_) => counters.checkpoints_failed += 1,
        });
        if let Some(reason) = failed.clone() {
            send(&self.events, Event::CheckpointFailed { reason });
        }
        failed
    }

    fn reload(&mut self) {
        let reason = match (self.load)() {
            Ok(rules) => {
                self.rules = rules;
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

    fn end(mut self, view: View) -> Ended {
        let (inputs, packets) = (view.inputs.clone(), view.packets.clone());
        self.store_flows(&view);
        let (assessment, mut report, stream) = self.look(view);
        let unkept = self.write_evidence(&assessment, &inputs, &packets, &mut report);
        let failed = self.write_report(&mut report).or(unkept);
        let dropped = report.capture_health.dropped_packets.unwrap_or(0);
        let stopped = Event::Stopped {
            packets: report.accounting.packets_read,
            dropped,
            result: report.outcome.result.clone(),
            grade: report.outcome.grade.clone(),
        };
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.send(stopped);
        let unwritten = events.finish(LAST_WORDS);
        drop(events);
        self.settle();
        self.rewrite_state();
        let rules = self.rules;
        Ended { assessment, report, stream, inputs, rules, failed, unwritten }
    }
}

/// Sends an event.
pub(super) fn send(events: &Mutex<EventWriter>, event: Event) {
    events.lock().unwrap_or_else(PoisonError::into_inner).send(event);
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
        counters.newest.push_back((finding.severity.clone(), finding.title.clone()));
        if counters.newest.len() > NEWEST {
            counters.newest.pop_front();
        }
    }
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
