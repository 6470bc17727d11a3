//! The main loop of a watch: packets into the fold, and at intervals a look at it.
//!
//! In: what the source's thread sends, and flags that signals set. Out: what the run amounts to.
//! The loop itself never writes and never judges, so that packets are taken whatever a disk or a
//! reader does.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::clock;
use super::event::Event;
use super::forgetting::Forgetting;
use super::handover::Handover;
use super::judging::send;
use super::losses::Losses;
use super::metrics::{Metrics, resident_bytes};
use super::seen::Seen;
use super::service::Service;
use super::session::{Ended, SessionError, Signals};
use super::source::{Arrival, PATIENCE};
use super::writer::EventWriter;
use crate::capture::{FrameBatch, InputSummary, TimeHealth};

/// The state of the loop.
pub(super) struct MainLoop {
    pub(super) seen: Seen,
    pub(super) forgetting: Forgetting,
    pub(super) losses: Losses,
    pub(super) handover: Handover,
    pub(super) events: Arc<Mutex<EventWriter>>,
    pub(super) metrics: Metrics,
    pub(super) signals: Signals,
    pub(super) service: Service,
    /// Where batches go back to the source.
    pub(super) empty: Sender<FrameBatch>,
}

impl MainLoop {
    /// Runs until the source ends.
    pub(super) fn run(mut self, arrivals: &Receiver<Arrival>) -> Result<Ended, SessionError> {
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
        self.end(ended)
    }

    fn take(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Frames(batch) => self.take_frames(batch),
            Arrival::Interfaces(interfaces) => self.seen.input.describe(interfaces),
            Arrival::Statistics(statistics) => {
                self.seen.input.set_statistics(statistics);
                self.handover.note_change();
            }
            Arrival::Link { up, reason } => {
                self.metrics.update(|counters| counters.interface_up = up);
                send(&self.events, Event::Interface { up, reason });
            }
            Arrival::Gone { reason } => {
                self.metrics.update(|counters| counters.interface_up = false);
                self.seen.input.fail(&reason);
                send(&self.events, Event::Interface { up: false, reason: Some(reason) });
            }
            Arrival::Ended(_) => {}
        }
    }

    fn take_frames(&mut self, mut batch: FrameBatch) {
        let bytes = batch.frames.iter().map(|frame| u64::from(frame.original)).sum::<u64>();
        let packets = batch.frames.len() as u64;
        self.seen.input.push(&mut batch);
        self.fold_ready();
        // When the way back is full, one batch less is in circulation.
        let _ = self.empty.try_send(batch);
        self.metrics.update(|counters| {
            counters.packets += packets;
            counters.frame_bytes += bytes;
        });
        self.handover.note_packets();
    }

    /// Folds the packets that no later one can come before.
    fn fold_ready(&mut self) {
        while self.seen.fold_next() {
            self.forgetting.go_on(&mut self.seen.fold);
        }
    }

    /// Does what the time, or a signal, asks for.
    fn tick(&mut self) {
        self.service.feed();
        if self.signals.reload.swap(false, Ordering::Relaxed) {
            self.handover.reload();
        }
        if self.signals.checkpoint.swap(false, Ordering::Relaxed) {
            self.handover.ask_for_checkpoint();
        }
        let now = clock::now();
        self.metrics.update(|counters| counters.alive = now);
        self.handover.glance_if_due(now, &mut self.seen);
        if self.handover.is_look_due(now) {
            self.losses.tell(&self.seen);
            if let Some(late) = self.handover.take_late_report(now) {
                send(&self.events, late);
            }
            self.count();
            self.handover.look(now, &mut self.seen);
        }
    }

    /// Folds what is left and waits for the last report.
    fn end(
        mut self,
        ended: Option<(Vec<InputSummary>, TimeHealth)>,
    ) -> Result<Ended, SessionError> {
        self.seen.input.end();
        self.fold_ready();
        self.forgetting.finish(&mut self.seen.fold);
        self.losses.tell(&self.seen);
        self.count();
        self.handover.finish(self.seen, ended)
    }

    fn count(&mut self) {
        let last = self.seen.input.last_time();
        let last_packet = last.map(|time| time.nanos() as f64 / 1e9);
        let flows = self.seen.fold.runs();
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
