//! A watch from its start to its end: what it works with, how it starts, and what it amounts to.
//!
//! In: a [`Source`], rules, ways out, and flags that signals set. Out: what the run amounts to once
//! it was told to stop. What goes on in between is told by `main_loop`.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foldhash::fast::RandomState;

use super::common::Common;
use super::event::Event;
use super::evidence::{EvidenceKeeper, EvidencePlan};
use super::flows::{FlowsFile, Restored, Watched};
use super::forgetting::Forgetting;
use super::glancing::GlancingThread;
use super::handover::Handover;
use super::judging::{Judging, JudgingThread, send};
use super::known::KnownFindings;
use super::losses::Losses;
use super::main_loop::MainLoop;
use super::metrics::Metrics;
use super::publishing::{Publish, Publisher, PublishingThread};
use super::ring::PacketRing;
use super::rules::{Load, Rules};
use super::seen::Seen;
use super::service::Service;
use super::source::{self, Source};
use super::state::StateFile;
use super::telling::Telling;
use super::writer::EventWriter;
use crate::capture::{Earlier, FrameBatch, InputSummary, LiveInput};
use crate::engine::{COPY_REACH, Evaluated, Fold, Limits};
use crate::judge::{Assessment, Context};
use crate::report::model::Report;

/// Bytes of memory that one run of a flow takes at most: in the flow table, in the copy that is
/// judged, and in its judgement.
const BYTES_PER_RUN: u64 = 1280;

/// What the run shall do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How much of the machine it may use.
    pub limits: Limits,
    /// Nanoseconds of packet time for which flows are kept after they ended.
    pub keep: i64,
    /// How often a report is written.
    pub checkpoint_every: Duration,
    /// What the report calls the run: `live` or `replay`.
    pub mode: &'static str,
}

impl Plan {
    /// Runs of flows for which there is room.
    pub(super) fn most_runs(&self) -> u64 {
        self.limits.max_memory / BYTES_PER_RUN
    }
}

/// What others want the run to do. Set from signal handlers.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// End, with a report.
    pub stop: Arc<AtomicBool>,
    /// Read the rules again.
    pub reload: Arc<AtomicBool>,
    /// Write a report now.
    pub checkpoint: Arc<AtomicBool>,
}

/// What the run works with.
pub struct Parts {
    /// Where packets come from.
    pub source: Box<dyn Source>,
    /// What is judged against.
    pub rules: Rules,
    /// The options that reports name.
    pub options: Vec<String>,
    /// Reads the rules again.
    pub load: Load,
    /// Writes a report in place of the one before.
    pub publish: Option<Publish>,
    /// What is kept as evidence.
    pub evidence: Option<EvidencePlan>,
    /// Where events go.
    pub events: EventWriter,
    /// What earlier runs found.
    pub state: Option<StateFile>,
    /// Counters.
    pub metrics: Metrics,
    /// Flags.
    pub signals: Signals,
    /// Who is told that the run is alive.
    pub service: Service,
}

/// What a run amounts to.
#[derive(Debug)]
pub struct Ended {
    /// Everything judged.
    pub assessment: Assessment,
    /// The last report.
    pub report: Report,
    /// The counts of the stream.
    pub stream: Evaluated,
    /// The inputs.
    pub inputs: Vec<InputSummary>,
    /// What was judged against in the end.
    pub rules: Arc<Rules>,
    /// Why the last report could not be written.
    pub failed: Option<String>,
    /// Events that their reader did not take.
    pub unwritten: u64,
}

/// The run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The worker threads could not be started.
    #[error("cannot start the worker threads: {0}")]
    Threads(rayon::ThreadPoolBuildError),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The main loop ended without saying so.
    #[error("internal error: the watch ended before its last report")]
    Abandoned,
}

/// Watches until the source ends or the run is told to stop.
///
/// # Errors
/// When threads cannot be started.
pub fn watch(plan: Plan, parts: Parts) -> Result<Ended, SessionError> {
    let Parts { source, rules, options, load, publish, evidence, .. } = parts;
    let Parts { events, mut state, metrics, signals, service, .. } = parts;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.limits.threads)
        .thread_name(|index| format!("fold-{index}"))
        .build()
        .map_err(SessionError::Threads)?;
    let remembered = state.as_mut().map(StateFile::take_remembered).unwrap_or_default();
    let known = KnownFindings::restore(remembered);
    let events = Arc::new(Mutex::new(events));
    let ring = evidence.as_ref().map(|plan| PacketRing::new(plan.memory));
    let flows = state
        .as_ref()
        .map(|state| FlowsFile::beside(state.path(), watched(&plan, source.as_ref())));
    let (fold, earlier, refused) = begin(&plan, flows.as_ref());
    let remembered = known.len() as u64;
    send(&events, Event::Started { input: source.name(), remembered, flows: fold.runs() });
    if let Some(reason) = refused {
        send(&events, Event::StateRefused { reason });
    }
    let input = LiveInput::behind(&earlier, &source.name(), source.interface());
    let telling = Telling::new(known, state, Arc::clone(&events), metrics.clone());
    let common = Arc::new(Common::new(rules, telling));
    if fold.runs() == 0 {
        common.set_context(Context::default(), 0);
    }
    let glancing =
        GlancingThread::start(Arc::clone(&common), metrics.clone(), plan.limits.threads)?;
    let keeper = evidence.as_ref().map(EvidenceKeeper::new);
    let publishing = PublishingThread::start(Publisher {
        common: Arc::clone(&common),
        publish,
        store: evidence.map(|plan| plan.store),
        events: Arc::clone(&events),
        metrics: metrics.clone(),
    })?;
    let judging = Judging {
        common: Arc::clone(&common),
        options,
        load,
        evidence: keeper,
        flows: flows.map(Arc::new),
        events: Arc::clone(&events),
        metrics: metrics.clone(),
        max_memory: plan.limits.max_memory,
        mode: plan.mode,
    };
    let judging = JudgingThread::start(judging, publishing, plan.limits.threads)?;
    let (arrivals, empty) =
        source::start(source, Arc::clone(&signals.stop)).map_err(SessionError::Thread)?;
    let most_runs = plan.most_runs();
    let handover = Handover::new(judging, glancing, common, metrics.clone(), &plan);
    let main_loop = MainLoop {
        seen: Seen {
            fold: fold.noting_changes(),
            ring,
            earlier,
            input,
            batch: FrameBatch::default(),
        },
        forgetting: Forgetting::new(plan.keep, most_runs, metrics.clone()),
        losses: Losses::new(most_runs, Arc::clone(&events), metrics.clone()),
        handover,
        events,
        metrics,
        signals,
        service,
        empty,
    };
    pool.install(|| main_loop.run(&arrivals))
}

/// What is watched, for whoever finds its flows later.
fn watched(plan: &Plan, source: &dyn Source) -> Watched {
    Watched {
        input: source.name(),
        mode: plan.mode.to_owned(),
        filter: source.interface().filter,
        keep_copies: plan.limits.keep_copies,
    }
}

/// What an earlier run left, or nothing. Answers why it cannot be used, if it cannot.
fn begin(plan: &Plan, flows: Option<&FlowsFile>) -> (Fold, Earlier, Option<String>) {
    let most_runs = plan.most_runs();
    let reach = if plan.limits.keep_copies { 0 } else { COPY_REACH };
    let read =
        |flows: &FlowsFile| flows.read(RandomState::default(), reach, plan.limits.max_memory);
    let refused = match flows.map(read) {
        Some(Ok(Some(Restored { partial, earlier }))) => {
            return (Fold::resume(partial, most_runs), earlier, None);
        }
        Some(Err(refusal)) => Some(refusal),
        Some(Ok(None)) | None => None,
    };
    let refused = refused.zip(flows).map(|(refusal, flows)| flows.refused(&refusal));
    let fold = Fold::with_reach(RandomState::default(), most_runs, reach).from_begin();
    (fold, Earlier::default(), refused)
}
