//! Packets in the order of their times.
//!
//! In: batches in arrival order. Out: batches of the same packets, ordered by place time, those of
//! equal place times by arrival, and numbered in that order. Which place time a packet has, and
//! so how far late packets are put back, is told by `arrivals`. Nothing is put back across a
//! jump of the clock, where a new epoch begins.
//!
//! Packets in order cost a comparison and are not moved. A late packet is copied into the batch in
//! which it belongs; many at a time are merged in one pass over that batch. Within the result,
//! place times are the running maximum of the times, so they are not stored.

use std::collections::VecDeque;

use super::arrivals::{Arrival, Arrivals, EARLIEST, LatePackets, TimeHealth, weight};
use super::batch::{FrameBatch, FrameMeta};
use super::feed::PIECE;
use crate::base::Timestamp;

/// A batch of less weight is copied to others like it, so that the packets held and not the
/// pieces in which they were read decide how much memory is taken.
const SPARSE: u64 = PIECE as u64 / 2;

/// Most memory of a batch that is kept for another, in bytes of packets and in packets. A batch
/// that took in many late packets has more.
const KEPT: (usize, usize) = (3 * PIECE, 8192);

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
    /// Packets of the batch looked at that are not simply in order.
    exceptions: Vec<Exception>,
    /// Place times and indices of the packets of one epoch in that batch.
    places: Vec<Place>,
    /// Frames of that batch, put together anew.
    arranged: Vec<FrameMeta>,
    /// Frames of an earlier batch, put together anew.
    merged: Vec<FrameMeta>,
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

impl Reorder {
    /// Holds nothing yet, of a stream of which `packets` packets went before.
    pub(super) fn behind(packets: u64) -> Self {
        Reorder { released: packets, ..Reorder::default() }
    }

    /// Takes the frames of `batch`, whose ordinals count arrivals, and leaves it without any and
    /// with other memory.
    pub(super) fn push(&mut self, batch: &mut FrameBatch) {
        let before = self.arrivals.latest;
        let mut total = 0;
        self.exceptions.clear();
        for (index, frame) in batch.frames.iter().enumerate() {
            total += weight(frame.captured);
            match self.arrivals.next(frame) {
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

    /// Copies of the batches whose places may still change, as if no more packets came.
    pub(super) fn held(&self) -> Vec<FrameBatch> {
        let mut ordinals = self.released..;
        let numbered = |(frame, ordinal): (&FrameMeta, u64)| {
            let mut frame = *frame;
            frame.source.ordinal = ordinal;
            frame
        };
        let copy = |pending: &Pending| FrameBatch {
            bytes: pending.batch.bytes.clone(),
            frames: pending.batch.frames.iter().zip(&mut ordinals).map(numbered).collect(),
        };
        self.pending.iter().map(copy).collect()
    }

    /// How orderly the stream was so far.
    pub(super) fn health(&self) -> TimeHealth {
        self.arrivals.health()
    }

    /// What became of the late packets of an input.
    pub(super) fn late(&self, input: usize) -> LatePackets {
        self.arrivals.late(input)
    }

    /// Puts a batch with exceptions in order: packets that belong into earlier batches are copied
    /// there, the rest is sorted. `before` is the greatest time before this batch. Answers where
    /// the current epoch begins in the batch.
    fn arrange(&mut self, batch: &mut FrameBatch, before: Timestamp) -> usize {
        let mut begin = 0;
        let mut before = if self.pending.is_empty() { EARLIEST } else { before };
        let mut places = std::mem::take(&mut self.places);
        let mut arranged = std::mem::take(&mut self.arranged);
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
        self.arranged = std::mem::replace(&mut batch.frames, arranged);
        self.arranged.clear();
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
                pending.insert(late, batch, floor, &mut self.merged);
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
        merged: &mut Vec<FrameMeta>,
    ) {
        let late =
            late.iter().filter_map(|(time, index)| Some((*time, *source.frames.get(*index)?)));
        let FrameBatch { bytes, frames } = &mut self.batch;
        let more: u64 = late.clone().map(|(_, frame)| weight(frame.captured)).sum();
        // No more than needed, because the memory is used again for other batches.
        bytes.reserve_exact(more as usize);
        let mut late = late.peekable();
        let mut place = floor;
        merged.clear();
        for (index, frame) in frames.iter().enumerate() {
            if index >= self.begin {
                place = place.max(frame.time);
                while let Some((_, moved)) = late.next_if(|(time, _)| *time < place) {
                    merged.push(copy(source, &moved, bytes));
                }
            }
            merged.push(*frame);
        }
        merged.extend(late.map(|(_, moved)| copy(source, &moved, bytes)));
        std::mem::swap(frames, merged);
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
