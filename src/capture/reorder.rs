//! Packets in the order of their times, as far back as is worth waiting for.
//!
//! In: batches in arrival order. Out: batches of the same packets, ordered by time, those of equal
//! times by arrival, and numbered in that order. Captures are slightly out of order where a
//! network card has several queues, where interfaces or files were merged and where a set was
//! rotated.
//!
//! The order depends on the sequence of packets alone, not on how it was cut into batches:
//!
//! - A packet is *late* when an earlier one has a greater time. It goes back to its place if that
//!   lies within reach: at most [`REACH`] before the greatest time seen, and over no more than
//!   the last [`WINDOW`] bytes of packets. Otherwise it stays where it arrived, behind the packet
//!   with the greatest time, and is counted.
//! - Where the clock jumps ([`is_jump`]) everything before is done with, and nothing is put back
//!   across.
//!
//! So a packet's place in an epoch between two jumps is given by one time, here called its *place
//! time*: its own if it is in order or goes back, the greatest one seen if it is out of reach.
//! Within the result, place times are the running maximum of the times, and are not stored.
//!
//! Packets in order cost a comparison and are not moved. A late packet is copied into the batch in
//! which it belongs; many at a time are merged in one pass over that batch.

use std::collections::VecDeque;

use super::batch::{FrameBatch, FrameMeta};
use super::clock::{ClockSteps, is_jump, is_orderly};
use super::feed::PIECE;
use crate::base::Timestamp;

/// Nanoseconds before the greatest time seen within which a late packet is put back.
const REACH: i64 = 1_000_000_000;

/// Bytes of packets, as [`weight`] counts them, over which a late packet is put back.
pub(super) const WINDOW: u64 = BLOCK * BLOCKS as u64;

/// The window moves on by as many bytes at a time.
const BLOCK: u64 = 128 << 10;
const BLOCKS: usize = 128;

/// Bytes that a packet counts besides those captured: what it takes to describe it. A window of
/// the smallest packets holds 131,072 of them.
const DESCRIPTION: u64 = 128;

/// A batch of less weight is copied to others like it, so that the packets held and not the
/// pieces in which they were read decide how much memory is taken.
const SPARSE: u64 = PIECE as u64 / 2;

/// Most memory of a batch that is kept for another, in bytes of packets and in packets. A batch
/// that took in many late packets has more.
const KEPT: (usize, usize) = (3 * PIECE, 8192);

const EARLIEST: Timestamp = Timestamp::from_nanos(i64::MIN);

/// Bytes that a packet of `captured` bytes takes of the window.
pub(super) fn weight(captured: u32) -> u64 {
    u64::from(captured) + DESCRIPTION
}

/// What became of late packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatePackets {
    /// Late packets that were put back in the order of their times.
    pub reordered: u64,
    /// Late packets that stayed where they arrived, because their place was out of reach.
    pub out_of_reach: u64,
}

/// How orderly the times of the whole stream are, over all inputs as they were read. The same
/// for the same packets in any number of files, as long as none is later than a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeHealth {
    /// Steps back and jumps between neighbours in arrival order. Packets are numbered in that
    /// order, from 1.
    pub clock: ClockSteps,
    /// What became of late packets.
    pub late: LatePackets,
}

/// Holds packets until none can come that belongs before them.
#[derive(Default)]
pub(super) struct Reorder {
    arrivals: Arrivals,
    /// Batches whose places may still change, each ordered in itself and behind the one before.
    pending: VecDeque<Pending>,
    /// Batches that are done with.
    ready: VecDeque<FrameBatch>,
    /// Memory for batches.
    spare: Vec<FrameBatch>,
    /// Packets that went into `ready`.
    released: u64,
    /// What became of late packets, by input.
    late: Vec<LatePackets>,
    /// Packets of the batch looked at that are not simply in order.
    exceptions: Vec<Exception>,
    /// Place times and indices of the packets of one epoch in that batch.
    places: Vec<Place>,
    /// Frames of a batch that is put together anew.
    scratch: Vec<FrameMeta>,
}

/// Place time of a packet, and its index in the batch.
type Place = (Timestamp, usize);

/// A batch in which packets may still be placed.
struct Pending {
    batch: FrameBatch,
    /// Frames from here on belong to the current epoch.
    begin: usize,
    /// Greatest place time.
    last: Timestamp,
    weight: u64,
    /// Whether the frames are no longer in arrival order, and so need other numbers.
    changed: bool,
    /// Whether it was put together of sparse batches.
    compact: bool,
}

/// A packet that is not simply in order, by its index in the batch.
struct Exception {
    index: usize,
    arrival: Arrival,
}

enum Arrival {
    InOrder,
    /// Late, with its place time.
    Late(Timestamp),
    /// The first after a jump of the clock.
    Jump,
}

impl Reorder {
    /// Takes the frames of `batch`, whose ordinals count arrivals, and leaves it without any and
    /// with other memory.
    pub(super) fn push(&mut self, batch: &mut FrameBatch) {
        let before = self.arrivals.latest;
        let mut total = 0;
        self.exceptions.clear();
        for (index, frame) in batch.frames.iter().enumerate() {
            total += weight(frame.captured);
            match self.arrivals.next(frame, &mut self.late) {
                Arrival::InOrder => {}
                arrival => self.exceptions.push(Exception { index, arrival }),
            }
        }
        let changed = !self.exceptions.is_empty();
        let begin = if changed { self.arrange(batch, before) } else { 0 };
        if !batch.frames.is_empty() {
            self.hold(batch, begin, total, changed);
        }
        let horizon = self.arrivals.horizon();
        while self.pending.front().is_some_and(|pending| pending.last <= horizon) {
            self.release();
        }
    }

    /// No more packets will come.
    pub(super) fn end(&mut self) {
        while self.release() {}
    }

    /// Replaces `batch` by the next one that is done with; false when there is none.
    pub(super) fn pop(&mut self, batch: &mut FrameBatch) -> bool {
        let Some(next) = self.ready.pop_front() else {
            return false;
        };
        let mut used = std::mem::replace(batch, next);
        if used.bytes.capacity() > 0 {
            recycle(&mut used);
            self.spare.push(used);
        }
        true
    }

    /// How orderly the stream was so far.
    pub(super) fn health(&self) -> TimeHealth {
        let mut late = LatePackets::default();
        for of_input in &self.late {
            late.reordered += of_input.reordered;
            late.out_of_reach += of_input.out_of_reach;
        }
        TimeHealth { clock: self.arrivals.clock, late }
    }

    /// What became of the late packets of an input.
    pub(super) fn late(&self, input: usize) -> LatePackets {
        self.late.get(input).copied().unwrap_or_default()
    }

    /// Puts a batch with exceptions in order: packets that belong into earlier batches are copied
    /// there, the rest is sorted. `before` is the greatest time before this batch. Answers where
    /// the current epoch begins in the batch.
    fn arrange(&mut self, batch: &mut FrameBatch, before: Timestamp) -> usize {
        let mut begin = 0;
        let mut before = if self.pending.is_empty() { EARLIEST } else { before };
        let mut places = std::mem::take(&mut self.places);
        let mut arranged = std::mem::take(&mut self.scratch);
        let exceptions = std::mem::take(&mut self.exceptions);
        let mut following = exceptions.iter().peekable();
        for (index, frame) in batch.frames.iter().enumerate() {
            let mut place = frame.time;
            if let Some(exception) = following.next_if(|next| next.index == index) {
                match exception.arrival {
                    Arrival::InOrder => {}
                    Arrival::Late(late) => place = late,
                    Arrival::Jump => {
                        self.settle(batch, &mut places, before, &mut arranged);
                        self.end();
                        (begin, before) = (arranged.len(), EARLIEST);
                    }
                }
            }
            places.push((place, index));
        }
        self.settle(batch, &mut places, before, &mut arranged);
        self.scratch = std::mem::replace(&mut batch.frames, arranged);
        self.scratch.clear();
        (self.places, self.exceptions) = (places, exceptions);
        begin
    }

    /// Orders the packets of `places`: those with a place time below `before` go into earlier
    /// batches, the rest behind `arranged`.
    fn settle(
        &mut self,
        batch: &FrameBatch,
        places: &mut Vec<Place>,
        before: Timestamp,
        arranged: &mut Vec<FrameMeta>,
    ) {
        // Stable: equal times stay in arrival order.
        places.sort_by_key(|(time, _)| *time);
        let (mut back, here) = places.split_at(places.partition_point(|(time, _)| *time < before));
        arranged.extend(here.iter().filter_map(|(_, index)| batch.frames.get(*index)));
        for index in (0..self.pending.len()).rev() {
            if back.is_empty() {
                break;
            }
            let previous = index.checked_sub(1).and_then(|index| self.pending.get(index));
            let floor = previous.map_or(EARLIEST, |pending| pending.last);
            let (earlier, late) = back.split_at(back.partition_point(|(time, _)| *time < floor));
            if let Some(pending) = self.pending.get_mut(index)
                && !late.is_empty()
            {
                pending.insert(late, batch, floor, &mut self.scratch);
            }
            back = earlier;
        }
        places.clear();
    }

    /// Appends a batch to those pending, without copying unless it is sparse.
    fn hold(&mut self, batch: &mut FrameBatch, begin: usize, weight: u64, changed: bool) {
        let last = self.arrivals.latest;
        if weight >= SPARSE {
            let next = self.spare.pop().unwrap_or_default();
            let batch = std::mem::replace(batch, next);
            let pending = Pending { batch, begin, last, weight, changed, compact: false };
            return self.pending.push_back(pending);
        }
        let room = PIECE as u64 - weight;
        if self.pending.back().is_none_or(|tail| !tail.compact || tail.weight > room) {
            let mut batch = self.spare.pop().unwrap_or_default();
            batch.bytes.clear();
            let empty = Pending { batch, begin, last, weight: 0, changed: false, compact: true };
            self.pending.push_back(empty);
        }
        if let Some(tail) = self.pending.back_mut() {
            let FrameBatch { bytes, frames } = &mut tail.batch;
            frames.extend(batch.frames.iter().map(|frame| copy(batch, frame, bytes)));
            batch.frames.clear();
            tail.last = last;
            tail.weight += weight;
            tail.changed |= changed;
        }
    }

    /// Numbers the packets of the oldest batch and is done with it; false when there is none.
    fn release(&mut self) -> bool {
        let Some(Pending { mut batch, changed, .. }) = self.pending.pop_front() else {
            return false;
        };
        let first = batch.frames.first().map(|frame| frame.source.ordinal);
        if changed || first != Some(self.released) {
            for (frame, ordinal) in batch.frames.iter_mut().zip(self.released..) {
                frame.source.ordinal = ordinal;
            }
        }
        self.released += batch.frames.len() as u64;
        self.ready.push_back(batch);
        true
    }
}

impl Pending {
    /// Copies packets of `source` into this batch, at their places. They are in order, and so is
    /// the batch, whose place times begin at `floor`.
    fn insert(
        &mut self,
        late: &[Place],
        source: &FrameBatch,
        floor: Timestamp,
        scratch: &mut Vec<FrameMeta>,
    ) {
        let late =
            late.iter().filter_map(|(time, index)| Some((*time, *source.frames.get(*index)?)));
        let FrameBatch { bytes, frames } = &mut self.batch;
        let more: u64 = late.clone().map(|(_, frame)| weight(frame.captured)).sum();
        // No more than needed, because the memory is used again for other batches.
        bytes.reserve_exact(more as usize);
        let mut late = late.peekable();
        let mut place = floor;
        scratch.clear();
        for (index, frame) in frames.iter().enumerate() {
            if index >= self.begin {
                place = place.max(frame.time);
                while let Some((_, moved)) = late.next_if(|(time, _)| *time < place) {
                    scratch.push(copy(source, &moved, bytes));
                }
            }
            scratch.push(*frame);
        }
        scratch.extend(late.map(|(_, moved)| copy(source, &moved, bytes)));
        std::mem::swap(frames, scratch);
        self.weight += more;
        self.changed = true;
    }
}

/// Copies the bytes of a frame of `source` to the end of `bytes`; answers the frame there.
fn copy(source: &FrameBatch, frame: &FrameMeta, bytes: &mut Vec<u8>) -> FrameMeta {
    let offset = bytes.len();
    bytes.extend_from_slice(source.data(frame));
    FrameMeta { offset, ..*frame }
}

/// Empties a batch so that its memory can be used again, unless it has far more than others.
pub(super) fn recycle(batch: &mut FrameBatch) {
    let (bytes, frames) = KEPT;
    if batch.bytes.capacity() > bytes || batch.frames.capacity() > frames {
        *batch = FrameBatch::default();
    }
    batch.frames.clear();
}

/// What can be told of a packet when it arrives.
struct Arrivals {
    /// Packets that have arrived.
    packets: u64,
    /// Time of the packet before.
    previous: Timestamp,
    /// Greatest time of the epoch.
    latest: Timestamp,
    /// The greatest time at the end of each of the last blocks of the epoch.
    blocks: VecDeque<Timestamp>,
    /// Bytes in the block that is being filled.
    filled: u64,
    /// The greatest time at the end of the block before the window.
    passed: Timestamp,
    clock: ClockSteps,
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
        }
    }
}

impl Arrivals {
    /// Nothing that is still to come is placed before a packet of this time or an earlier one.
    fn horizon(&self) -> Timestamp {
        let reach = Timestamp::from_nanos(self.latest.nanos().saturating_sub(REACH));
        reach.max(self.passed)
    }

    /// Takes note of the next packet.
    #[inline]
    fn next(&mut self, frame: &FrameMeta, late: &mut Vec<LatePackets>) -> Arrival {
        let step = frame.time.since(self.previous);
        self.packets += 1;
        self.previous = frame.time;
        let arrival = if is_orderly(step) && frame.time >= self.latest {
            self.latest = frame.time;
            Arrival::InOrder
        } else {
            self.exception(frame, step, late)
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
    fn exception(&mut self, frame: &FrameMeta, step: i64, late: &mut Vec<LatePackets>) -> Arrival {
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
        let input = frame.source.input as usize;
        if late.len() <= input {
            late.resize(input + 1, LatePackets::default());
        }
        let counts = late.get_mut(input);
        let within = frame.time >= self.horizon();
        if let Some(counts) = counts {
            let count = if within { &mut counts.reordered } else { &mut counts.out_of_reach };
            *count += 1;
        }
        Arrival::Late(if within { frame.time } else { self.latest })
    }
}
