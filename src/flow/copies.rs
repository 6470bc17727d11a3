//! Copies of one packet: a mirror that shows ingress and egress, several mirror sources, or both
//! sides of a router (D4.2).
//!
//! A packet is a copy when one of the packets shortly before it, in the same flow, has the same
//! fingerprint. What its sender repeats is none: a repetition differs in the IPv4 identification
//! or the TCP timestamp. Where a packet has neither, only what follows within a millisecond
//! counts, because no sender repeats a message so soon; acknowledgements and resets are
//! repeated even then, and count only behind a router. A packet that comes more often than mirrors
//! and routers make copies is one that its sender repeats to hide how much it sends.
//!
//! Whether a packet is a copy depends on nothing but the packets within reach before it. That is
//! what makes the answer the same for any cut of the stream: see
//! [`Partial`](crate::engine::Partial).

use serde::{Deserialize, Serialize};

use crate::base::{Merge, Timestamp};
use crate::decode::{Distinction, Fingerprint};

/// How far apart the copies of a packet lie that carries a distinct field, or that a router
/// passed on, in nanoseconds.
const DISTINCT_REACH: u64 = 50_000_000;

/// How far apart the copies of any other packet lie, in nanoseconds: those of one switch.
const PLAIN_REACH: u64 = 1_000_000;

/// Packets that share a set, and most copies of one packet: a mirror of both directions and a
/// router make three. Whatever comes more often is sent more often.
const WAYS: usize = 4;

/// Sets of a window.
const SETS: usize = 128;

/// Upper ends of the spacing classes, in nanoseconds.
pub const SPACINGS: [u64; 6] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, DISTINCT_REACH];

/// A packet that may turn up again.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Fingerprint and flow in one number; 0 when the place is free.
    mark: u64,
    ordinal: u64,
    time: Timestamp,
    hop_limit: u8,
}

/// How a packet repeats one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketCopy {
    /// When the earlier one was captured.
    pub original: Timestamp,
    /// Nanoseconds between the two.
    pub spacing: u64,
    /// Whether a router stands between them: the hop limits differ.
    pub routed: bool,
}

/// The latest packets of some flows, among which the originals of copies are looked for.
#[derive(Clone, Debug)]
pub struct CopyWindow {
    /// Greatest distance of two copies in the stream, in packets.
    reach: u64,
    sets: Vec<Set>,
}

/// The latest packets of a set, the newest first.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Set([Seen; WAYS]);

impl Set {
    /// Takes in the next packet in place of the oldest.
    #[inline]
    fn push(&mut self, newest: Seen) {
        let Set([first, second, third, _]) = *self;
        *self = Set([newest, first, second, third]);
    }
}

/// Fingerprint and flow of a packet in one number, not 0.
#[inline]
fn mark(flow: u64, fingerprint: Fingerprint) -> u64 {
    (fingerprint.digest ^ flow).max(1)
}

/// The set of a packet.
#[inline]
fn place(mark: u64) -> usize {
    (mark >> 32) as usize % SETS
}

impl CopyWindow {
    /// An empty window. `reach` is the greatest distance of two copies, in packets of the whole
    /// stream; 0 finds no copies.
    pub fn new(reach: u64) -> Self {
        let sets = if reach == 0 { 0 } else { SETS };
        CopyWindow { reach, sets: vec![Default::default(); sets] }
    }

    /// Fetches the memory that [`CopyWindow::note`] will look at.
    #[inline]
    pub fn touch(&self, flow: u64, fingerprint: Fingerprint) {
        if let Some(Set([newest, _, _, oldest])) = self.sets.get(place(mark(flow, fingerprint))) {
            std::hint::black_box((newest.mark, oldest.mark));
        }
    }

    /// Looks for the original of a packet and remembers the packet. `flow` is the hash of its
    /// flow, by a seed that senders do not know: a fingerprint made equal to that of another flow
    /// hides nothing.
    pub fn note(
        &mut self,
        flow: u64,
        fingerprint: Fingerprint,
        ordinal: u64,
        time: Timestamp,
    ) -> Option<PacketCopy> {
        let mark = mark(flow, fingerprint);
        let set = self.sets.get_mut(place(mark))?;
        let mut originals = 0;
        let copy = set
            .0
            .iter()
            .filter(|seen| seen.mark == mark && ordinal.abs_diff(seen.ordinal) <= self.reach)
            .filter_map(|seen| {
                let routed = seen.hop_limit != fingerprint.hop_limit;
                let spacing = time.apart(seen.time);
                let limit = match fingerprint.distinction {
                    _ if routed => DISTINCT_REACH,
                    Distinction::Field => DISTINCT_REACH,
                    Distinction::Time => PLAIN_REACH,
                    Distinction::Nothing => return None,
                };
                originals += usize::from(spacing <= limit);
                (spacing <= limit).then_some(PacketCopy { original: seen.time, spacing, routed })
            })
            .min_by_key(|copy| (copy.spacing, copy.routed, copy.original));
        let copy = copy.filter(|_| originals < WAYS);
        set.push(Seen { mark, ordinal, time, hop_limit: fingerprint.hop_limit });
        copy
    }

    /// Takes over what a window of the following stretch saw from place `from` of the stream on.
    pub fn follow(&mut self, later: &CopyWindow, from: u64) {
        for (set, Set(newer)) in self.sets.iter_mut().zip(&later.sets) {
            let fresh = newer.iter().rev().filter(|seen| seen.mark != 0 && seen.ordinal >= from);
            fresh.for_each(|seen| set.push(*seen));
        }
    }
}

/// How many copies were left out, and how they lay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyCounts {
    /// Copies with the same hop limit.
    pub exact: u64,
    /// Copies behind or before a router.
    pub routed: u64,
    /// Copies by their distance to the packet before, in the classes of [`SPACINGS`].
    pub spacing: [u64; SPACINGS.len()],
}

impl CopyCounts {
    /// Counts one copy.
    pub fn count(&mut self, copy: PacketCopy) {
        if copy.routed {
            self.routed += 1;
        } else {
            self.exact += 1;
        }
        let class = SPACINGS.iter().position(|end| copy.spacing <= *end);
        if let Some(count) = class.and_then(|class| self.spacing.get_mut(class)) {
            *count += 1;
        }
    }
}

impl Merge for CopyCounts {
    fn merge(&mut self, other: Self) {
        let CopyCounts { exact, routed, spacing } = other;
        self.exact += exact;
        self.routed += routed;
        for (count, more) in self.spacing.iter_mut().zip(spacing) {
            *count += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Distinction::{Field, Nothing, Time};

    fn print(digest: u64, hop_limit: u8, distinction: Distinction) -> Fingerprint {
        Fingerprint { digest, hop_limit, distinction }
    }

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    /// Whether the second of two equal packets is taken for a copy.
    fn found(spacing: i64, hops: (u8, u8), distinction: Distinction, packets: u64) -> bool {
        let mut window = CopyWindow::new(64);
        assert_eq!(window.note(9, print(5, hops.0, distinction), 0, at(0)), None);
        window.note(9, print(5, hops.1, distinction), packets, at(spacing)).is_some()
    }

    #[test]
    fn a_distinct_packet_is_a_copy_for_fifty_milliseconds() {
        assert!(found(50_000_000, (64, 64), Field, 1));
        assert!(!found(50_000_001, (64, 64), Field, 1));
        assert!(found(-50_000_000, (64, 64), Field, 1));
    }

    #[test]
    fn a_plain_packet_is_a_copy_for_a_millisecond_or_behind_a_router() {
        assert!(found(1_000_000, (64, 64), Time, 1));
        assert!(!found(1_000_001, (64, 64), Time, 1));
        assert!(found(20_000_000, (64, 63), Time, 1));
        assert!(found(20_000_000, (64, 63), Nothing, 1));
        assert!(!found(0, (64, 64), Nothing, 1));
    }

    #[test]
    fn reach_is_counted_in_packets_too() {
        assert!(found(10, (64, 64), Field, 64));
        assert!(!found(10, (64, 64), Field, 65));
    }

    #[test]
    fn whoever_repeats_itself_is_counted() {
        let mut window = CopyWindow::new(64);
        let copies = (0..30).filter(|number| {
            let time = at(*number * 100_000);
            window.note(9, print(5, 64, Field), number.unsigned_abs(), time).is_some()
        });
        // All that mirrors and routers can make of the first.
        assert_eq!(copies.collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn another_flow_with_the_same_fingerprint_is_no_copy() {
        let mut window = CopyWindow::new(64);
        window.note(9, print(5, 64, Field), 0, at(0));
        assert_eq!(window.note(8, print(5, 64, Field), 1, at(0)), None);
    }

    #[test]
    fn every_packet_of_a_burst_finds_its_original() {
        let mut window = CopyWindow::new(2048);
        let mix = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut ordinal = 0;
        let mut found = 0;
        for burst in 0..1000 {
            for number in 0..2 * 32_u64 {
                let digest = mix(burst * 32 + number % 32);
                found +=
                    u64::from(window.note(1, print(digest, 64, Field), ordinal, at(0)).is_some());
                ordinal += 1;
            }
        }
        assert!(found > 31_500, "{found} of 32000");
    }
}
