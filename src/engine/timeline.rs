//! When packets were captured: span, packets per hour, the largest silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Merge, Timestamp};
use crate::capture::FrameMeta;

const HOUR: i64 = 3_600_000_000_000;

/// Most hours that are told apart: two years. Later ones are added to the last kept.
const HOURS: usize = 17_568;

/// Place and time of a packet.
type Stop = (u64, Timestamp);

/// The packet times of a stretch of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    first: Option<Stop>,
    last: Option<Stop>,
    earliest: Option<Timestamp>,
    latest: Option<Timestamp>,
    largest_gap: Option<(i64, Timestamp)>,
    hours: BTreeMap<i64, u64>,
}

impl Timeline {
    /// Notes the packets of a chunk in arrival order.
    pub fn note(&mut self, frames: &[FrameMeta]) {
        // A division for each packet would cost more than all the rest.
        let (mut hour, mut span, mut packets) = (0, 0..0, 0);
        for frame in frames {
            self.step((frame.source.ordinal, frame.time));
            let nanos = frame.time.nanos();
            if !span.contains(&nanos) {
                self.add_hour(hour, packets);
                (hour, packets) = (nanos.div_euclid(HOUR), 0);
                let begin = hour.saturating_mul(HOUR);
                span = begin..begin.saturating_add(HOUR);
            }
            packets += 1;
        }
        self.add_hour(hour, packets);
    }

    #[inline]
    fn step(&mut self, stop: Stop) {
        if let Some((_, before)) = self.last {
            self.gap(before, stop.1);
        }
        self.first = self.first.or(Some(stop));
        self.last = Some(stop);
        self.earliest = Some(self.earliest.map_or(stop.1, |time| time.min(stop.1)));
        self.latest = self.latest.max(Some(stop.1));
    }

    fn gap(&mut self, before: Timestamp, after: Timestamp) {
        let gap = after.since(before);
        let larger = |(kept, at)| gap > kept || (gap == kept && before < at);
        if gap > 0 && self.largest_gap.is_none_or(larger) {
            self.largest_gap = Some((gap, before));
        }
    }

    fn add_hour(&mut self, hour: i64, packets: u64) {
        if packets == 0 {
            return;
        }
        *self.hours.entry(hour).or_default() += packets;
        if self.hours.len() > HOURS
            && let Some((_, dropped)) = self.hours.pop_last()
            && let Some(mut kept) = self.hours.last_entry()
        {
            *kept.get_mut() += dropped;
        }
    }

    /// Time of the first packet of the stream. A packet without a sound clock may claim to be
    /// earlier.
    pub fn begin(&self) -> Option<Timestamp> {
        self.first.map(|(_, time)| time)
    }

    /// Time of the last packet of the stream.
    pub fn end(&self) -> Option<Timestamp> {
        self.last.map(|(_, time)| time)
    }

    /// Time of the earliest packet.
    pub fn earliest(&self) -> Option<Timestamp> {
        self.earliest
    }

    /// Time of the latest packet.
    pub fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// The longest time without a packet, in nanoseconds, and the time of the packet before it.
    pub fn largest_gap(&self) -> Option<(i64, Timestamp)> {
        self.largest_gap
    }

    /// Packets per full hour, by the begin of the hour.
    pub fn hours(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        self.hours
            .iter()
            .map(|(hour, packets)| (Timestamp::from_nanos(hour.saturating_mul(HOUR)), *packets))
    }
}

impl Merge for Timeline {
    fn merge(&mut self, other: Self) {
        if self.first.is_none() {
            *self = other;
            return;
        }
        let other_is_earlier = other.first.is_some() && other.first < self.first;
        let later = if other_is_earlier { std::mem::replace(self, other) } else { other };
        let Timeline { first, last, earliest, latest, largest_gap, hours } = later;
        if let (Some((_, before)), Some((_, after))) = (self.last, first) {
            self.gap(before, after);
        }
        if let Some((gap, before)) = largest_gap {
            self.gap(before, Timestamp::from_nanos(before.nanos().saturating_add(gap)));
        }
        self.last = last.or(self.last);
        self.earliest = [self.earliest, earliest].into_iter().flatten().min();
        self.latest = self.latest.max(latest);
        for (hour, packets) in hours {
            self.add_hour(hour, packets);
        }
    }
}
