//! Which packets arrive late, and how far back they are put.
//!
//! In: frames in arrival order. Out: of each, whether it is in order, and the counts of those that
//! are not. The frames are moved by `reorder`.
//!
//! Captures are slightly out of order where a network card has several queues, where interfaces or
//! files were merged and where a set was rotated. A packet is *late* when one that arrived before
//! has a greater time. It goes back to its place if that lies within reach: at most [`REACH`]
//! before the greatest time, and over no more than about the last [`WINDOW`] bytes of packets.
//! Otherwise it stays where it arrived, behind the packet with the greatest time. So its place is
//! given by one time, its *place time*: its own, or the greatest one.
//!
//! Where the clock jumps ([`is_jump`]) an epoch ends: everything before is done with.
//!
//! All this depends on the sequence of packets alone, not on how it was cut into batches.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::batch::FrameMeta;
use super::clock::{ClockSteps, is_jump, is_orderly};
use crate::base::Timestamp;

/// Nanoseconds before the greatest time seen within which a late packet is put back.
const REACH: i64 = 1_000_000_000;

/// Bytes of packets, as [`weight`] counts them, over which a late packet is put back: 4 MiB, which
/// full-size frames take 30 ms to fill at 1 Gbit/s and 3 ms at 10 Gbit/s. Of a larger window the
/// packets leave the caches of the processor before they are decoded.
pub(super) const WINDOW: u64 = BLOCK * BLOCKS as u64;

/// Bytes by which the window moves on at a time.
const BLOCK: u64 = 128 << 10;
/// Blocks in the window.
const BLOCKS: usize = 32;

/// Bytes that a packet counts besides those captured: what it takes to describe it. A window of
/// the smallest packets holds 32,768 of them.
const DESCRIPTION: u64 = 128;

/// Before all times.
pub(super) const EARLIEST: Timestamp = Timestamp::from_nanos(i64::MIN);

/// Bytes that a packet of `captured` bytes takes of the window.
pub(super) fn weight(captured: u32) -> u64 {
    u64::from(captured) + DESCRIPTION
}

/// What became of late packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatePackets {
    /// Late packets that were put back in the order of their times.
    pub reordered: u64,
    /// Late packets that stayed where they arrived, because their place was out of reach.
    pub out_of_reach: u64,
}

/// How orderly the times of the whole stream are, over all inputs as they were read. The same
/// for the same packets in any number of files, as long as none is later than a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeHealth {
    /// Steps back and jumps between neighbours in arrival order. Packets are numbered in that
    /// order, from 1.
    pub clock: ClockSteps,
    /// What became of late packets.
    pub late: LatePackets,
}

/// How a packet arrives.
pub(super) enum Arrival {
    /// Not earlier than any before; its place time is its time.
    InOrder,
    /// Late, with its place time.
    Late(Timestamp),
    /// The first after a jump of the clock; its place time is its time.
    Jump,
}

/// What can be told of a packet when it arrives.
pub(super) struct Arrivals {
    /// Packets that have arrived.
    packets: u64,
    /// Time of the packet before.
    previous: Timestamp,
    /// Greatest time of the epoch.
    pub(super) latest: Timestamp,
    /// The greatest time at the end of each of the last blocks of the epoch.
    blocks: VecDeque<Timestamp>,
    /// Bytes in the block that is being filled.
    filled: u64,
    /// The greatest time at the end of the block before the window.
    passed: Timestamp,
    clock: ClockSteps,
    /// What became of late packets, by input.
    late: Vec<LatePackets>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Arrivals {
            packets: 0,
            previous: EARLIEST,
            latest: EARLIEST,
            blocks: VecDeque::with_capacity(BLOCKS + 1),
            filled: 0,
            passed: EARLIEST,
            clock: ClockSteps::default(),
            late: Vec::new(),
        }
    }
}

impl Arrivals {
    /// Nothing that is still to come is placed before a packet of this time or an earlier one.
    pub(super) fn horizon(&self) -> Timestamp {
        let reach = Timestamp::from_nanos(self.latest.nanos().saturating_sub(REACH));
        reach.max(self.passed)
    }

    /// Takes note of the next packet.
    #[inline]
    pub(super) fn next(&mut self, frame: &FrameMeta) -> Arrival {
        let step = frame.time.since(self.previous);
        self.packets += 1;
        self.previous = frame.time;
        let arrival = if is_orderly(step) && frame.time >= self.latest {
            self.latest = frame.time;
            Arrival::InOrder
        } else {
            self.exception(frame, step)
        };
        self.filled += weight(frame.captured);
        while self.filled >= BLOCK {
            self.filled -= BLOCK;
            self.blocks.push_back(self.latest);
            if self.blocks.len() > BLOCKS
                && let Some(passed) = self.blocks.pop_front()
            {
                self.passed = passed;
            }
        }
        arrival
    }

    /// Takes note of a packet that is late, `step` nanoseconds after a jump, or the very first.
    #[inline(never)]
    fn exception(&mut self, frame: &FrameMeta, step: i64) -> Arrival {
        if self.packets == 1 {
            self.latest = frame.time;
            return Arrival::InOrder;
        }
        if !is_orderly(step) {
            self.clock.count(self.packets, step);
        }
        if is_jump(step) {
            self.latest = frame.time;
            self.blocks.clear();
            (self.filled, self.passed) = (0, EARLIEST);
            return Arrival::Jump;
        }
        let within = frame.time >= self.horizon();
        let input = frame.source.input as usize;
        if self.late.len() <= input {
            self.late.resize(input + 1, LatePackets::default());
        }
        if let Some(late) = self.late.get_mut(input) {
            let count = if within { &mut late.reordered } else { &mut late.out_of_reach };
            *count += 1;
        }
        Arrival::Late(if within { frame.time } else { self.latest })
    }

    /// How orderly the stream was so far.
    pub(super) fn health(&self) -> TimeHealth {
        let mut late = LatePackets::default();
        for LatePackets { reordered, out_of_reach } in &self.late {
            late.reordered += reordered;
            late.out_of_reach += out_of_reach;
        }
        TimeHealth { clock: self.clock, late }
    }

    /// What became of the late packets of an input.
    pub(super) fn late(&self, input: usize) -> LatePackets {
        self.late.get(input).copied().unwrap_or_default()
    }
}
