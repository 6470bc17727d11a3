//! How the clock of a capture ran: steps back, and jumps that no traffic explains.
//!
//! In: the time from each packet to the next in arrival order. Out: counts with the first packet
//! of each kind. Putting packets in order is the task of `arrivals` and `reorder`.

use serde::{Deserialize, Serialize};

/// A step back by more nanoseconds than this is no disorder but a clock that was set: a minute.
const JUMP_BACKWARD: i64 = 60_000_000_000;

/// A step forward by more nanoseconds than this is a clock that was set, or a capture that
/// paused: an hour.
const JUMP_FORWARD: i64 = 3_600_000_000_000;

/// Whether time went on by `nanos` as it does in an orderly capture: not back, and no jump.
#[inline]
pub(super) fn is_orderly(nanos: i64) -> bool {
    (0..=JUMP_FORWARD).contains(&nanos)
}

/// Whether `nanos` from one packet to the next are a jump of the clock.
pub(super) fn is_jump(nanos: i64) -> bool {
    !(-JUMP_BACKWARD..=JUMP_FORWARD).contains(&nanos)
}

/// Steps of time of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSteps {
    /// How many.
    pub count: u64,
    /// Number of the packet after the first such step, from 1; 0 when there is none.
    pub first_packet: u64,
    /// Width of the first such step, in nanoseconds.
    pub first: i64,
    /// Width of the widest, in nanoseconds.
    pub widest: i64,
}

impl TimeSteps {
    fn count(&mut self, packet: u64, width: i64) {
        if self.count == 0 {
            (self.first_packet, self.first) = (packet, width);
        }
        self.count += 1;
        self.widest = self.widest.max(width);
    }
}

/// Steps of time between neighbours that an orderly capture does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSteps {
    /// Packets that are earlier than the one before them, those behind a jump included.
    pub regressions: TimeSteps,
    /// Steps back of more than a minute: a clock that was set, or captures put together in the
    /// wrong order.
    pub jumps_backward: TimeSteps,
    /// Steps forward of more than an hour: a clock that was set, or a pause.
    pub jumps_forward: TimeSteps,
}

impl ClockSteps {
    /// Counts the `nanos` that lie between `packet` and the one before it.
    #[cold]
    pub(super) fn count(&mut self, packet: u64, nanos: i64) {
        let width = nanos.saturating_abs();
        if nanos < 0 {
            self.regressions.count(packet, width);
        }
        if is_jump(nanos) {
            let jumps = if nanos < 0 { &mut self.jumps_backward } else { &mut self.jumps_forward };
            jumps.count(packet, width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_wider_than_a_minute_back_or_an_hour_forward() {
        let mut clock = ClockSteps::default();
        let second = 1_000_000_000;
        let steps = [1, -60 * second, 3600 * second, -60 * second - 1, 3600 * second + 1, i64::MIN];
        for (packet, nanos) in (2..).zip(steps) {
            assert_eq!(is_orderly(nanos), matches!(packet, 2 | 4), "{nanos}");
            clock.count(packet, nanos);
        }
        let of = |steps: TimeSteps| (steps.count, steps.first_packet, steps.first, steps.widest);
        assert_eq!(of(clock.regressions), (3, 3, 60 * second, i64::MAX));
        assert_eq!(of(clock.jumps_backward), (2, 5, 60 * second + 1, i64::MAX));
        assert_eq!(of(clock.jumps_forward), (1, 6, 3600 * second + 1, 3600 * second + 1));
    }
}
