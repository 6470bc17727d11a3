//! What is known of the inputs that earlier runs of a watch read, joined with what the present
//! run reads: together they are one stream, as the files of a rotated set are.
//!
//! Not here: the flows of the earlier runs.

use super::arrivals::TimeHealth;
use super::clock::{ClockSteps, TimeSteps, is_orderly};
use super::summary::{Ending, InputSummary};
use crate::base::Timestamp;

/// The inputs of earlier runs.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    inputs: Vec<InputSummary>,
    times: TimeHealth,
}

impl Earlier {
    /// The inputs of earlier runs, and how orderly the times were over all of them. What was still
    /// being captured was broken off with its run.
    pub fn new(mut inputs: Vec<InputSummary>, times: TimeHealth) -> Self {
        // A run that saw nothing has no packet that names its input.
        while inputs.last().is_some_and(|input| input.packets == 0) {
            inputs.pop();
        }
        for input in inputs.iter_mut().filter(|input| input.container.is_none()) {
            input.ending = Ending::Interrupted;
        }
        Earlier { inputs, times }
    }

    /// How many inputs there are.
    pub fn count(&self) -> usize {
        self.inputs.len()
    }

    /// Packets of all of them.
    pub fn packets(&self) -> u64 {
        self.inputs.iter().map(|input| input.packets).fold(0, u64::saturating_add)
    }

    /// All inputs, those of the present run last, and how orderly the times are of them all.
    pub fn followed_by(
        &self,
        inputs: Vec<InputSummary>,
        times: TimeHealth,
    ) -> (Vec<InputSummary>, TimeHealth) {
        let (mut all, mut health) = (self.inputs.clone(), self.times);
        let latest = self.inputs.iter().filter_map(|input| input.last).max();
        let packets = self.packets();
        for (number, mut input) in inputs.into_iter().enumerate() {
            if let (0, Some(latest)) = (number, latest) {
                input.follow(latest);
                health.clock.step_between(packets, latest, input.first);
            }
            all.push(input);
        }
        health.clock.append(packets, times.clock);
        health.late.reordered += times.late.reordered;
        health.late.out_of_reach += times.late.out_of_reach;
        (all, health)
    }
}

impl ClockSteps {
    /// Counts the step from the latest of `packets` packets to the first that follows.
    fn step_between(&mut self, packets: u64, latest: Timestamp, first: Option<Timestamp>) {
        if let Some(nanos) = first.map(|first| first.since(latest))
            && !is_orderly(nanos)
        {
            self.count(packets + 1, nanos);
        }
    }

    /// Takes the steps among packets that follow `packets` others.
    fn append(&mut self, packets: u64, later: ClockSteps) {
        let ClockSteps { regressions, jumps_backward, jumps_forward } = later;
        self.regressions.append(packets, regressions);
        self.jumps_backward.append(packets, jumps_backward);
        self.jumps_forward.append(packets, jumps_forward);
    }
}

impl TimeSteps {
    fn append(&mut self, packets: u64, later: TimeSteps) {
        let TimeSteps { count, first_packet, first, widest } = later;
        if self.count == 0 && count > 0 {
            (self.first_packet, self.first) = (packets + first_packet, first);
        }
        self.count += count;
        self.widest = self.widest.max(widest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Interface, RunningSummary};

    fn input(packets: u64, first: i64, last: i64) -> InputSummary {
        let mut input = RunningSummary::new("eth1", Interface::default()).summary().clone();
        input.packets = packets;
        (input.first, input.last) =
            (Some(Timestamp::from_nanos(first)), Some(Timestamp::from_nanos(last)));
        input
    }

    const HOUR: i64 = 3_600_000_000_000;

    #[test]
    fn the_time_between_two_runs_is_told_and_packets_are_numbered_through() {
        let mut before = TimeHealth::default();
        before.clock.count(4, -5);
        let earlier = Earlier::new(vec![input(10, 0, 100), input(0, 0, 0)], before);
        assert_eq!((earlier.count(), earlier.packets()), (1, 10));
        let mut now = TimeHealth::default();
        now.clock.count(3, -9);
        let begin = 100 + 2 * HOUR;
        let (inputs, times) = earlier.followed_by(vec![input(7, begin, begin + 50)], now);
        assert_eq!(inputs.len(), 2);
        assert_eq!(inputs[0].ending, Ending::Interrupted);
        assert_eq!(inputs[1].gap_to_previous, Some(2 * HOUR));
        let regressions = times.clock.regressions;
        assert_eq!((regressions.count, regressions.first_packet, regressions.widest), (2, 4, 9));
        let jumps = times.clock.jumps_forward;
        assert_eq!((jumps.count, jumps.first_packet, jumps.first), (1, 11, 2 * HOUR));
    }

    #[test]
    fn steps_of_the_present_run_alone_are_numbered_behind_the_earlier_packets() {
        let earlier = Earlier::new(vec![input(10, 0, 100)], TimeHealth::default());
        let mut now = TimeHealth::default();
        now.clock.count(3, -9);
        let (_, times) = earlier.followed_by(vec![input(7, 150, 300)], now);
        assert_eq!(times.clock.regressions.first_packet, 13);
    }
}
