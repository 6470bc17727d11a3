//! The main loop of a watch: packets into the fold, and at intervals a look at it.
//!
//! In: a [`Source`], and flags that signals set. Out: what the run amounts to once it was told to
//! stop. The loop itself never writes and never judges, so that packets are taken whatever a disk
//! or a reader does.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use foldhash::fast::RandomState;

use super::clock;
use super::event::Event;
use super::evidence::{EvidenceKeeper, EvidencePlan, Packets};
use super::flows::{FlowsFile, Restored, Watched};
use super::glancing::{Glance, GlancingThread};
use super::judging::{Common, Judging, JudgingThread, Load, Publish, Rules, View, Work, send};
use super::known::KnownFindings;
use super::metrics::{Metrics, resident_bytes};
use super::ring::PacketRing;
use super::service::Service;
use super::source::{self, Arrival, PATIENCE, Source};
use super::state::StateFile;
use super::telling::Telling;
use super::writer::EventWriter;
use crate::capture::{Earlier, FrameBatch, InputSummary, LiveInput};
use crate::engine::{COPY_REACH, Evaluated, Fold, Limits};
use crate::judge::Assessment;
use crate::report::model::Report;

/// Bytes of memory that one run of a flow takes at most: in the flow table, in the copy that is
/// judged, and in its judgement.
const BYTES_PER_RUN: u64 = 1280;

/// Shortest time between two looks, and between two glances.
const LOOK: Duration = Duration::from_millis(250);

/// Shortest time for which flows are kept when there are too many, in nanoseconds.
const KEEP_LEAST: i64 = 60_000_000_000;

/// Shortest packet time between two such times, in nanoseconds.
const PRESS_AGAIN: u64 = 10_000_000_000;

/// Shortest time between two events about a full table.
const TABLE_FULL_AGAIN: Duration = Duration::from_secs(60);

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
    fn most_runs(&self) -> u64 {
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
    let glancing =
        GlancingThread::start(Arc::clone(&common), metrics.clone(), plan.limits.threads)?;
    let judging = Judging {
        common,
        options,
        load,
        publish,
        evidence: evidence.map(EvidenceKeeper::new),
        flows,
        events: Arc::clone(&events),
        metrics: metrics.clone(),
        max_memory: plan.limits.max_memory,
        mode: plan.mode,
    };
    let judging = JudgingThread::start(judging, plan.limits.threads)?;
    let (arrivals, empty) =
        source::start(source, Arc::clone(&signals.stop)).map_err(SessionError::Thread)?;
    let session = Session {
        plan,
        most_runs: plan.most_runs(),
        fold: fold.noting_changes(),
        ring,
        earlier,
        input,
        judging,
        glancing,
        looks: 0,
        events,
        metrics,
        signals,
        service,
        empty,
        due: Due::new(plan.checkpoint_every),
        changed: true,
        unglanced: false,
        looked: false,
        forgotten_at: None,
        turn: 0,
        pressed_at: None,
        table_full_told: None,
        told_lost: (0, 0),
        told_jumps: (0, 0),
    };
    pool.install(|| session.run(&arrivals))
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

/// When to do what.
struct Due {
    glance: Instant,
    look: Instant,
    checkpoint: Instant,
    checkpoint_every: Duration,
}

impl Due {
    fn new(checkpoint_every: Duration) -> Self {
        let now = clock::now();
        let soon = now + LOOK;
        Due { glance: soon, look: soon, checkpoint: now + checkpoint_every, checkpoint_every }
    }
}

/// The state of the main loop.
struct Session {
    plan: Plan,
    most_runs: u64,
    fold: Fold,
    /// The packets seen last, when they may become evidence.
    ring: Option<PacketRing>,
    /// The inputs of earlier runs.
    earlier: Earlier,
    input: LiveInput,
    judging: JudgingThread,
    glancing: GlancingThread,
    /// Looks and glances so far.
    looks: u64,
    events: Arc<Mutex<EventWriter>>,
    metrics: Metrics,
    signals: Signals,
    service: Service,
    empty: Sender<FrameBatch>,
    due: Due,
    /// Whether anything has arrived since the last look.
    changed: bool,
    /// Whether any packet has arrived since the last glance.
    unglanced: bool,
    /// Whether a look is over, so that glances know what surrounds the flows that change.
    looked: bool,
    /// Packet time of the last turn of forgetting, in nanoseconds.
    forgotten_at: Option<i64>,
    turn: usize,
    /// Packet time at which flows were last given up for want of room.
    pressed_at: Option<i64>,
    table_full_told: Option<Instant>,
    told_lost: (u64, u64),
    told_jumps: (u64, u64),
}

impl Session {
    fn run(mut self, arrivals: &Receiver<Arrival>) -> Result<Ended, SessionError> {
        self.service.tell("READY=1");
        let ended = loop {
            match arrivals.recv_timeout(PATIENCE) {
                Ok(Arrival::Ended(inputs)) => break inputs,
                Ok(arrival) => self.take(arrival),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(SessionError::Abandoned),
            }
            self.tick();
        };
        self.service.tell("STOPPING=1");
        self.input.end();
        self.fold_ready();
        for _ in 0..Fold::TURNS {
            self.forget_turn(self.plan.keep);
        }
        let (inputs, times) =
            ended.unwrap_or_else(|| (vec![self.input.summary()], self.input.health()));
        let (inputs, times) = self.earlier.followed_by(inputs, times);
        self.tell_losses();
        self.count();
        let packets = self.packets(Vec::new);
        self.glancing.finish();
        let (fold, look) = (self.fold, self.looks + 1);
        self.judging.finish(View { fold, held: Vec::new(), look, inputs, times, packets })
    }

    fn take(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Frames(mut batch) => {
                let bytes = batch.frames.iter().map(|frame| u64::from(frame.original)).sum::<u64>();
                let packets = batch.frames.len() as u64;
                self.input.push(&mut batch);
                self.fold_ready();
                // When the way back is full, one batch less is in circulation.
                let _ = self.empty.try_send(batch);
                self.metrics.update(|counters| {
                    counters.packets += packets;
                    counters.frame_bytes += bytes;
                });
                (self.changed, self.unglanced) = (true, true);
            }
            Arrival::Statistics(statistics) => {
                self.input.set_statistics(statistics);
                self.changed = true;
            }
            Arrival::Link { up, reason } => {
                self.metrics.update(|counters| counters.interface_up = up);
                send(&self.events, Event::Interface { up, reason });
            }
            Arrival::Gone { reason } => {
                self.metrics.update(|counters| counters.interface_up = false);
                self.input.fail(&reason);
                send(&self.events, Event::Interface { up: false, reason: Some(reason) });
            }
            Arrival::Ended(_) => {}
        }
    }

    /// Folds the packets that no later one can come before.
    fn fold_ready(&mut self) {
        let mut batch = FrameBatch::default();
        while self.input.pop(&mut batch) {
            self.fold.push(std::slice::from_ref(&batch));
            if let Some(ring) = &mut self.ring {
                ring.push(&batch);
            }
            self.forget();
        }
    }

    /// Gives up flows that ended long ago: a part of the table at a time, all of it in the time
    /// for which flows are kept. More of them when the table fills.
    fn forget(&mut self) {
        let Some(now) = self.fold.end().map(|time| time.nanos()) else { return };
        let step = (self.plan.keep / Fold::TURNS as i64).max(1);
        let since = self.forgotten_at.map_or(step, |at| now.saturating_sub(at).saturating_abs());
        let turns = (since / step).min(Fold::TURNS as i64);
        for _ in 0..turns {
            self.forget_turn(self.plan.keep);
        }
        if turns > 0 {
            self.forgotten_at = Some(now);
        }
        if self.pressed_at.is_none_or(|at| now.abs_diff(at) >= PRESS_AGAIN) {
            self.forget_more(now);
        }
    }

    /// Gives up flows that ended less long ago, so that a table that is nearly full has room.
    fn forget_more(&mut self, now: i64) {
        let mut keep = self.plan.keep / 2;
        while self.fold.used() > self.most_runs / 8 * 7 && keep >= KEEP_LEAST {
            self.pressed_at = Some(now);
            for _ in 0..Fold::TURNS {
                self.forget_turn(keep);
            }
            keep /= 2;
        }
    }

    fn forget_turn(&mut self, keep: i64) {
        let forgotten = self.fold.forget(self.turn, keep);
        self.turn = (self.turn + 1) % Fold::TURNS;
        if forgotten > 0 {
            self.metrics.update(|counters| counters.flows_forgotten += forgotten);
        }
    }

    /// Does what the time, or a signal, asks for.
    fn tick(&mut self) {
        self.service.feed();
        if self.signals.reload.swap(false, Ordering::Relaxed) {
            self.judging.give(Work::Reload);
            self.changed = true;
        }
        if self.signals.checkpoint.swap(false, Ordering::Relaxed) {
            self.due.checkpoint = clock::now();
        }
        let now = clock::now();
        self.metrics.update(|counters| counters.alive = now);
        self.looked |= self.looks > 0 && !self.judging.is_busy();
        if now >= self.due.glance && self.looked && self.unglanced && !self.glancing.is_busy() {
            self.glance(now);
        }
        if now < self.due.look {
            return;
        }
        self.tell_losses();
        self.count();
        if self.judging.is_busy() {
            return;
        }
        self.due.look = now + rest(self.metrics.read().look_seconds);
        if now >= self.due.checkpoint {
            self.due.checkpoint = now + self.due.checkpoint_every;
            let view = self.view();
            self.judging.give(Work::Checkpoint(view));
        } else if std::mem::take(&mut self.changed) {
            let view = self.view();
            self.judging.give(Work::Look(view));
        } else if self.judging.is_unsettled() {
            self.judging.give(Work::Settle);
        }
    }

    /// Hands over what has changed since the last glance.
    fn glance(&mut self, now: Instant) {
        self.unglanced = false;
        self.due.glance = now + rest(self.metrics.read().glance_seconds);
        self.looks += 1;
        let mut held = self.input.held();
        let fold = self.fold.changed(&mut held);
        self.glancing.give(Glance { fold, held, look: self.looks });
        self.note_copy(now);
    }

    /// A copy of what has been seen, with the packets that are still held back.
    fn view(&mut self) -> View {
        let begun = clock::now();
        self.looks += 1;
        let own = vec![self.input.summary()];
        let (inputs, times) = self.earlier.followed_by(own, self.input.health());
        let packets = self.packets(|| self.input.held());
        let (fold, held, look) = (self.fold.snapshot(), self.input.held(), self.looks);
        let view = View { fold, held, look, inputs, times, packets };
        self.note_copy(begun);
        view
    }

    /// The packets that may become evidence, those with them that are `held` back.
    fn packets(&self, held: impl FnOnce() -> Vec<FrameBatch>) -> Packets {
        let Some(ring) = &self.ring else { return Packets::default() };
        Packets { settled: ring.packets(), held: held().into_iter().map(Arc::new).collect() }
    }

    fn note_copy(&self, begun: Instant) {
        let took = clock::now().duration_since(begun).as_secs_f64();
        self.metrics.update(|counters| counters.copy_seconds = took);
    }

    /// Tells of packets that were lost, of clocks that jumped and of a full table.
    fn tell_losses(&mut self) {
        let summary = self.input.summary();
        let statistics = summary.interfaces.first().map(|interface| interface.statistics);
        let statistics = statistics.unwrap_or_default();
        let by_system = statistics.dropped_by_system.unwrap_or(0);
        let by_interface = statistics.dropped_by_interface.unwrap_or(0);
        if (by_system, by_interface) != self.told_lost {
            let (system, interface) = self.told_lost;
            send(
                &self.events,
                Event::Loss {
                    dropped_by_system: by_system.saturating_sub(system),
                    dropped_by_interface: by_interface.saturating_sub(interface),
                    total: by_system.saturating_add(by_interface),
                },
            );
            self.told_lost = (by_system, by_interface);
            self.metrics.update(|counters| {
                (counters.dropped_by_system, counters.dropped_by_interface) = self.told_lost;
            });
        }
        let clock = self.input.health().clock;
        let jumps = (clock.jumps_backward.count, clock.jumps_forward.count);
        if jumps != self.told_jumps {
            self.told_jumps = jumps;
            let (jumps_backward, jumps_forward) = jumps;
            send(&self.events, Event::Clock { jumps_backward, jumps_forward });
        }
        self.tell_table_full();
    }

    fn tell_table_full(&mut self) {
        let flows = self.fold.runs();
        let now = clock::now();
        let again = |told: Instant| now.duration_since(told) >= TABLE_FULL_AGAIN;
        if self.fold.used() >= self.most_runs && self.table_full_told.is_none_or(again) {
            self.table_full_told = Some(now);
            send(&self.events, Event::TableFull { flows });
        }
    }

    fn count(&mut self) {
        let last = self.input.last_time();
        let last_packet = last.map(|time| time.nanos() as f64 / 1e9);
        let flows = self.fold.runs();
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, waiting) = (events.sequence(), events.waiting() as u64);
        drop(events);
        self.metrics.update(|counters| {
            (counters.flows, counters.last_packet) = (flows, last_packet);
            (counters.events, counters.events_waiting) = (made, waiting);
            counters.resident_bytes = resident_bytes();
        });
    }
}

/// How long from one look to the next if the last took so many seconds. Judging many flows takes
/// long; a third of the time is left to whoever else needs it.
fn rest(took: f64) -> Duration {
    LOOK.max(Duration::from_secs_f64(took).mul_f32(1.5))
}
