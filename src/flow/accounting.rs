//! Every packet read ends in exactly one class; the sum of the classes is what was read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Merge, merge::least};
use crate::capture::FrameRef;
use crate::decode::{Layer, Stop};

/// Most classes beyond the fixed ones that are told apart; see [`Accounting`].
const DISTINCT_CLASSES: usize = 1024;

/// Where a packet ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// In a flow.
    Flow,
    /// A copy of a packet, left out of every other count.
    Copy,
    /// A later fragment whose first fragment was not captured.
    UnclaimedFragment,
    /// The packet would have begun a flow, but the flow table was full.
    TableFull,
    /// In a flow that ended too long ago to be held. Only a run without an end forgets flows.
    Forgotten,
    /// A protocol other than IP: layer and its number.
    NonIp(Layer, u64),
    /// Decoding stopped before a flow was known.
    Stopped(Stop),
    /// Classes beyond the number that is told apart.
    Remainder,
}

/// Packets and bytes of a class, and one example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames on the wire.
    pub frame_bytes: u64,
    /// The first packet of the class.
    pub sample: Option<FrameRef>,
}

impl Tally {
    /// The tally of one packet.
    pub fn of(frame_bytes: u32, sample: FrameRef) -> Tally {
        Tally { packets: 1, frame_bytes: u64::from(frame_bytes), sample: Some(sample) }
    }

    /// Counts one packet.
    #[inline]
    pub fn add(&mut self, frame_bytes: u32, source: FrameRef) {
        self.packets += 1;
        self.frame_bytes += u64::from(frame_bytes);
        // Packets come in order of their places, but for late fragments.
        if self.sample.is_none_or(|sample| source.ordinal <= sample.ordinal) {
            least(&mut self.sample, Some(source));
        }
    }
}

impl Merge for Tally {
    fn merge(&mut self, other: Self) {
        let Tally { packets, frame_bytes, sample } = other;
        self.packets += packets;
        self.frame_bytes += frame_bytes;
        least(&mut self.sample, sample);
    }
}

/// Packet counts by class.
///
/// The wire decides how many classes there are, so only the least 1024 are told apart; the
/// others are added up as [`Class::Remainder`]. A class that is kept at the end was kept from
/// its first packet on, because the greatest kept class only ever falls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounting {
    classes: BTreeMap<Class, Tally>,
}

impl Accounting {
    /// Counts one packet.
    pub fn count(&mut self, class: Class, frame_bytes: u32, source: FrameRef) {
        self.add(class, Tally::of(frame_bytes, source));
    }

    /// Adds a tally to a class.
    pub fn add(&mut self, class: Class, tally: Tally) {
        if tally == Tally::default() {
            return;
        }
        self.classes.entry(class).or_default().merge(tally);
        loop {
            let remainder = usize::from(self.classes.contains_key(&Class::Remainder));
            if self.classes.len() - remainder <= DISTINCT_CLASSES {
                return;
            }
            let greatest = self.classes.keys().rfind(|class| **class != Class::Remainder).copied();
            let Some(dropped) = greatest.and_then(|class| self.classes.remove(&class)) else {
                return;
            };
            self.classes.entry(Class::Remainder).or_default().merge(dropped);
        }
    }

    /// Moves packets of class [`Class::Flow`] to [`Class::Forgotten`].
    pub fn forget(&mut self, forgotten: Tally) {
        if let Some(held) = self.classes.get_mut(&Class::Flow) {
            held.packets = held.packets.saturating_sub(forgotten.packets);
            held.frame_bytes = held.frame_bytes.saturating_sub(forgotten.frame_bytes);
        }
        self.add(Class::Forgotten, forgotten);
    }

    /// The classes with their tallies, in order.
    pub fn classes(&self) -> impl Iterator<Item = (&Class, &Tally)> {
        self.classes.iter()
    }

    /// The tally of one class.
    pub fn of(&self, class: Class) -> Tally {
        self.classes.get(&class).copied().unwrap_or_default()
    }

    /// The sum of all classes.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.classes.values() {
            total.merge(*tally);
        }
        total
    }
}

impl Merge for Accounting {
    fn merge(&mut self, other: Self) {
        let Accounting { classes } = other;
        for (class, tally) in classes {
            self.add(class, tally);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::StopReason;

    #[test]
    fn ten_thousand_made_up_ethertypes_stay_bounded_and_counted() {
        let stop = |value| {
            Class::Stopped(Stop { layer: Layer::Ethernet, reason: StopReason::Unknown, value })
        };
        let frame = FrameRef { ordinal: 0, input: 0, number: 1 };
        let mut upwards = Accounting::default();
        let mut downwards = Accounting::default();
        for value in 0..10_000 {
            upwards.count(stop(value), 60, frame);
            downwards.count(stop(9_999 - value), 60, frame);
        }
        assert_eq!(upwards, downwards);
        assert_eq!(upwards.total().packets, 10_000);
        assert_eq!(upwards.classes().count(), DISTINCT_CLASSES + 1);
        assert_eq!(upwards.of(Class::Remainder).packets, 10_000 - DISTINCT_CLASSES as u64);
    }
}
