//! Decides when all that has been seen is looked at and when a glance is taken at what changed, and
//! hands it over to the threads that do so.
//!
//! One look and one glance at a time, so that no more than one copy of each is held.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::clock;
use super::common::Common;
use super::event::Event;
use super::glancing::GlancingThread;
use super::judging::{JudgingThread, Work};
use super::metrics::Metrics;
use super::seen::Seen;
use super::session::{Ended, Plan, SessionError};
use crate::capture::{InputSummary, TimeHealth};

/// Shortest time between two looks, and between two glances.
const LOOK: Duration = Duration::from_millis(250);

/// Fewest and most changed flows that a glance takes.
const PORTION: (usize, usize) = (1024, 32_768);

/// When to look, and who does.
pub(super) struct Handover {
    judging: JudgingThread,
    glancing: GlancingThread,
    common: Arc<Common>,
    metrics: Metrics,
    glance_due: Instant,
    look_due: Instant,
    checkpoint_due: Instant,
    checkpoint_every: Duration,
    /// Runs of flows for which there is room.
    most_runs: u64,
    /// Looks and glances so far.
    looks: u64,
    /// Whether anything has arrived since the last look.
    changed: bool,
    /// Whether any packet has arrived since the last glance, or was left over by it.
    unglanced: bool,
    portion: Portion,
}

impl Handover {
    pub(super) fn new(
        judging: JudgingThread,
        glancing: GlancingThread,
        common: Arc<Common>,
        metrics: Metrics,
        plan: &Plan,
    ) -> Self {
        let checkpoint_every = plan.checkpoint_every;
        let now = clock::now();
        Handover {
            judging,
            glancing,
            common,
            metrics,
            glance_due: now + LOOK,
            look_due: now + LOOK,
            checkpoint_due: now + checkpoint_every,
            checkpoint_every,
            most_runs: plan.most_runs(),
            looks: 0,
            changed: true,
            unglanced: false,
            portion: Portion::default(),
        }
    }

    /// Notes that packets have arrived.
    pub(super) fn note_packets(&mut self) {
        (self.changed, self.unglanced) = (true, true);
    }

    /// Notes that something else has arrived that reports tell.
    pub(super) fn note_change(&mut self) {
        self.changed = true;
    }

    /// Has the rules read again.
    pub(super) fn reload(&mut self) {
        self.judging.give(Work::Reload);
        self.changed = true;
    }

    /// Has a report written with the next look.
    pub(super) fn ask_for_checkpoint(&mut self) {
        self.checkpoint_due = clock::now();
    }

    /// Hands over what has changed since the last glance, if it is time to.
    pub(super) fn glance_if_due(&mut self, now: Instant, seen: &mut Seen) {
        let due = now >= self.glance_due && self.unglanced && !self.glancing.is_busy();
        if !due || !self.common.has_context() {
            return;
        }
        let took = Duration::from_secs_f64(self.metrics.read().glance_seconds);
        self.portion.adapt(took);
        self.glance_due = now + LOOK.max(took);
        self.looks += 1;
        let glance = seen.changed(self.looks, self.portion.most);
        self.portion.taken = glance.changed.runs() as usize;
        self.unglanced = self.portion.is_full();
        self.glancing.give(glance);
        self.note_copy(now);
    }

    /// Whether it is time to look, unless the last look still goes on.
    pub(super) fn is_look_due(&self, now: Instant) -> bool {
        now >= self.look_due
    }

    /// What is to be told, once, of a report that is late.
    pub(super) fn take_late_report(&self, now: Instant) -> Option<Event> {
        self.judging.publishing().take_late(now)
    }

    /// Hands over all that has been seen, if anything has changed and the last look is over.
    pub(super) fn look(&mut self, now: Instant, seen: &mut Seen) {
        if self.judging.is_busy() {
            return;
        }
        // Asked for after the other: a look that is over has handed its report over.
        let is_publishing = self.judging.publishing().is_busy();
        // A report that is being written holds its flows, and a look holds them once more.
        if is_publishing && seen.fold.used() > self.most_runs / 2 {
            return;
        }
        let took = Duration::from_secs_f64(self.metrics.read().look_seconds);
        // Judging many flows takes long; a third of the time is left to whoever else needs it.
        self.look_due = now + LOOK.max(took.mul_f32(1.5));
        let is_checkpoint = now >= self.checkpoint_due && !is_publishing;
        if is_checkpoint {
            self.checkpoint_due = now + self.checkpoint_every;
        } else if !std::mem::take(&mut self.changed) {
            if self.judging.is_unsettled() {
                self.judging.give(Work::Settle);
            }
            return;
        }
        let begun = clock::now();
        self.looks += 1;
        let view = seen.view(self.looks);
        self.note_copy(begun);
        let work = if is_checkpoint { Work::Checkpoint } else { Work::Look };
        self.judging.give(work(view));
    }

    /// Waits for the last glance, hands everything over for the last look, and waits for that.
    pub(super) fn finish(
        self,
        seen: Seen,
        inputs: Option<(Vec<InputSummary>, TimeHealth)>,
    ) -> Result<Ended, SessionError> {
        self.glancing.finish();
        self.judging.finish(seen.last_view(self.looks + 1, inputs))
    }

    fn note_copy(&self, begun: Instant) {
        let took = clock::now().duration_since(begun).as_secs_f64();
        self.metrics.update(|counters| counters.copy_seconds = took);
    }
}

/// How many changed flows a glance takes: so few that it does not take longer than the time between
/// two glances. The others are left for the next.
struct Portion {
    most: usize,
    /// How many the last glance took.
    taken: usize,
}

impl Default for Portion {
    fn default() -> Self {
        Portion { most: PORTION.1 / 4, taken: 0 }
    }
}

impl Portion {
    /// Whether the last glance may have left flows over: each part of the table has its share of
    /// the portion, and not all are used alike.
    fn is_full(&self) -> bool {
        self.taken >= self.most / 2
    }

    /// Takes fewer if the last glance took too long, more if it was quick and left flows over.
    fn adapt(&mut self, took: Duration) {
        let (least, most) = PORTION;
        if took > LOOK {
            self.most = (self.most / 2).max(least);
        } else if took < LOOK / 2 && self.is_full() {
            self.most = (self.most * 2).min(most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_that_takes_too_long_makes_the_next_smaller_and_no_glance_takes_too_few() {
        let mut portion = Portion::default();
        let mut before = portion.most;
        for _ in 0..20 {
            portion.adapt(Duration::from_secs(1));
            assert!(portion.most < before || portion.most == PORTION.0);
            before = portion.most;
        }
        assert_eq!(portion.most, PORTION.0);
    }

    #[test]
    fn a_quick_glance_makes_the_next_larger_if_flows_were_left_over() {
        let mut portion = Portion { most: 2000, taken: 10 };
        portion.adapt(Duration::from_millis(1));
        assert_eq!(portion.most, 2000);
        portion.taken = 2001;
        portion.adapt(Duration::from_millis(200));
        assert_eq!(portion.most, 2000, "not quick");
        for _ in 0..20 {
            portion.taken = portion.most;
            portion.adapt(Duration::from_millis(1));
        }
        assert_eq!(portion.most, PORTION.1);
    }
}
