//! Gives up flows that ended long ago, by packet time, so that a watch of months needs the memory
//! of some hours.

use super::metrics::Metrics;
use crate::engine::Fold;

/// Shortest time for which flows are kept when there are too many, in nanoseconds.
const KEEP_LEAST: i64 = 60_000_000_000;

/// Shortest packet time between two times at which flows are given up for want of room, in
/// nanoseconds.
const PRESS_AGAIN: u64 = 10_000_000_000;

/// Where the forgetting has come to.
pub(super) struct Forgetting {
    /// Nanoseconds of packet time for which flows are kept after they ended.
    keep: i64,
    /// Runs of flows for which there is room.
    most_runs: u64,
    metrics: Metrics,
    turn: usize,
    /// Packet time of the last turn, in nanoseconds.
    forgotten_at: Option<i64>,
    /// Packet time at which flows were last given up for want of room.
    pressed_at: Option<i64>,
}

impl Forgetting {
    /// Before anything was forgotten.
    pub(super) fn new(keep: i64, most_runs: u64, metrics: Metrics) -> Self {
        Forgetting { keep, most_runs, metrics, turn: 0, forgotten_at: None, pressed_at: None }
    }

    /// Gives up flows that ended long ago: a part of the table at a time, all of it in the time
    /// for which flows are kept. More of them when the table fills.
    pub(super) fn go_on(&mut self, fold: &mut Fold) {
        let Some(now) = fold.end().map(|time| time.nanos()) else { return };
        let step = (self.keep / Fold::TURNS as i64).max(1);
        let since = self.forgotten_at.map_or(step, |at| now.saturating_sub(at).saturating_abs());
        let turns = (since / step).min(Fold::TURNS as i64);
        for _ in 0..turns {
            self.turn(fold, self.keep);
        }
        if turns > 0 {
            self.forgotten_at = Some(now);
        }
        if self.pressed_at.is_none_or(|at| now.abs_diff(at) >= PRESS_AGAIN) {
            self.make_room(fold, now);
        }
    }

    /// Gives up all flows that ended long ago.
    pub(super) fn finish(&mut self, fold: &mut Fold) {
        for _ in 0..Fold::TURNS {
            self.turn(fold, self.keep);
        }
    }

    /// Gives up flows that ended less long ago, so that a table that is nearly full has room.
    fn make_room(&mut self, fold: &mut Fold, now: i64) {
        let mut keep = self.keep / 2;
        while fold.used() > self.most_runs / 8 * 7 && keep >= KEEP_LEAST {
            self.pressed_at = Some(now);
            for _ in 0..Fold::TURNS {
                self.turn(fold, keep);
            }
            keep /= 2;
        }
    }

    fn turn(&mut self, fold: &mut Fold, keep: i64) {
        let forgotten = fold.forget(self.turn, keep);
        self.turn = (self.turn + 1) % Fold::TURNS;
        if forgotten > 0 {
            self.metrics.update(|counters| counters.flows_forgotten += forgotten);
        }
    }
}
