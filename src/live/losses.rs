//! Tells of what a watch could not see: packets that were lost, clocks that jumped, and a table
//! that is full.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::clock;
use super::event::Event;
use super::judging::send;
use super::metrics::Metrics;
use super::seen::Seen;
use super::writer::EventWriter;

/// Shortest time between two events about a full table.
const TABLE_FULL_AGAIN: Duration = Duration::from_secs(60);

/// What has been told of it.
pub(super) struct Losses {
    /// Runs of flows for which there is room.
    most_runs: u64,
    events: Arc<Mutex<EventWriter>>,
    metrics: Metrics,
    /// Packets dropped by the system, and by the interface.
    lost: (u64, u64),
    /// Jumps of the clock, back and forth.
    jumps: (u64, u64),
    table_full: Option<Instant>,
}

impl Losses {
    /// Before anything was lost.
    pub(super) fn new(most_runs: u64, events: Arc<Mutex<EventWriter>>, metrics: Metrics) -> Self {
        Losses { most_runs, events, metrics, lost: (0, 0), jumps: (0, 0), table_full: None }
    }

    /// Tells what is new.
    pub(super) fn tell(&mut self, seen: &Seen) {
        let summary = seen.input.summary();
        let statistics = summary.interfaces.first().map(|interface| interface.statistics);
        let statistics = statistics.unwrap_or_default();
        let by_system = statistics.dropped_by_system.unwrap_or(0);
        let by_interface = statistics.dropped_by_interface.unwrap_or(0);
        if (by_system, by_interface) != self.lost {
            self.tell_lost(by_system, by_interface);
        }
        let clock = seen.input.health().clock;
        let jumps = (clock.jumps_backward.count, clock.jumps_forward.count);
        if jumps != self.jumps {
            self.jumps = jumps;
            let (jumps_backward, jumps_forward) = jumps;
            send(&self.events, Event::Clock { jumps_backward, jumps_forward });
        }
        if seen.fold.used() >= self.most_runs {
            self.tell_table_full(seen.fold.runs());
        }
    }

    fn tell_lost(&mut self, by_system: u64, by_interface: u64) {
        let (system, interface) = std::mem::replace(&mut self.lost, (by_system, by_interface));
        send(
            &self.events,
            Event::Loss {
                dropped_by_system: by_system.saturating_sub(system),
                dropped_by_interface: by_interface.saturating_sub(interface),
                total: by_system.saturating_add(by_interface),
            },
        );
        self.metrics.update(|counters| {
            (counters.dropped_by_system, counters.dropped_by_interface) = self.lost;
        });
    }

    fn tell_table_full(&mut self, flows: u64) {
        let now = clock::now();
        let again = |told: Instant| now.duration_since(told) >= TABLE_FULL_AGAIN;
        if self.table_full.is_none_or(again) {
            self.table_full = Some(now);
            send(&self.events, Event::TableFull { flows });
        }
    }
}
