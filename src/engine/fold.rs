//! Batches of frames folded into a [`Partial`].

use std::collections::HashSet;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::partial::{Partial, SHARDS};
use super::routed::Routed;
use crate::base::Timestamp;
use crate::capture::{FrameBatch, FrameMeta};
use crate::decode::FlowKey;

/// Frames per chunk: enough work to be worth handing to another thread.
const CHUNK: usize = 512;

/// Chunks per thread that are decoded before their packets are added to flows: few enough that
/// the packets are still in the cache of the processor then.
const CHUNKS: usize = 2;

/// Bytes of memory that one run of a flow takes at most, from the flow table to its judgement,
/// without what its payload told.
pub(super) const BYTES_PER_RUN: u64 = 768;

/// How far apart two copies of one packet may lie in the stream, in packets. A mirror of ten
/// gigabits passes about as many in a millisecond.
pub const COPY_REACH: u64 = 2048;

/// Folds batches into a [`Partial`].
#[derive(Clone, Debug)]
pub struct Fold {
    partial: Partial,
    routed: Vec<Routed>,
    most_runs: u64,
}

impl Fold {
    /// Starts with nothing. At `most_runs` runs in the flow table, or as much memory used
    /// for payload instead, no flow begins any more and no payload is kept; its
    /// packets are accounted for as [`Class::TableFull`](crate::flow::Class::TableFull).
    pub fn new(hasher: RandomState, most_runs: u64) -> Self {
        Fold::with_reach(hasher, most_runs, COPY_REACH)
    }

    /// The same, with copies of a packet looked for among the `copy_reach` packets before it; 0
    /// leaves every copy in. Parts that are to be merged have the same reach.
    pub fn with_reach(hasher: RandomState, most_runs: u64, copy_reach: u64) -> Self {
        Fold { partial: Partial::new(hasher, copy_reach), routed: Vec::new(), most_runs }
    }

    /// Goes on behind a stretch that has the begin of its stream. At `most_runs` runs no flow
    /// begins any more, as in [`Fold::new`].
    pub fn resume(partial: Partial, most_runs: u64) -> Self {
        Fold { partial, routed: Vec::new(), most_runs }
    }

    /// The same for a stream that has its begin here: no packet is held back for what may lie
    /// before.
    pub fn from_begin(mut self) -> Self {
        self.partial.mark_first();
        self
    }

    /// The same with what packets change noted, for [`Fold::changed`].
    pub fn noting_changes(mut self) -> Self {
        self.partial.note_changes();
        self
    }

    /// A copy. It takes a moment however many flows there are, because a flow is copied only when
    /// a packet changes it.
    pub fn snapshot(&mut self) -> Fold {
        let (partial, most_runs) = (self.partial.snapshot(), self.most_runs);
        Fold { partial, routed: Vec::new(), most_runs }
    }

    /// The flows that packets changed since this was asked last, with those that the frames of
    /// `ahead` will change, which are not folded yet. Of more than about `most` flows some are left
    /// for the next time, and the newest come first. Frames are told by their numbers, so all are
    /// of one input; those that were ahead the last time are not looked at again.
    pub fn changed(&mut self, ahead: &[FrameBatch], most: usize) -> Changed {
        let most_runs = if self.used() < self.most_runs { self.most_runs } else { 0 };
        let seen = self.partial.seen_ahead();
        let is_new = |frame: &&FrameMeta| frame.source.number > seen;
        let new = |batch: &FrameBatch| batch.frames.iter().filter(is_new).copied().collect();
        let new: Vec<Vec<FrameMeta>> = ahead.iter().map(new).collect();
        let chunks: Vec<_> =
            ahead.iter().zip(&new).flat_map(|(batch, frames)| chunks(batch, frames)).collect();
        let (partial, begun) =
            self.decode(&chunks, |partial, routed, _| partial.changed(routed, most));
        Changed { fold: Fold { partial, routed: Vec::new(), most_runs }, begun }
    }

    /// Adds the frames of some batches, which follow each other and all frames added before.
    pub fn push(&mut self, batches: &[FrameBatch]) {
        let Some(first) = batches.iter().find_map(|batch| batch.frames.first()) else { return };
        self.partial.begin_at(first.source.ordinal);
        let lead_end = self.partial.lead_end();
        let leads = |frame: &FrameMeta| frame.source.ordinal < lead_end;
        let split = |batch: &FrameBatch| batch.frames.partition_point(leads);
        let lead = |batch| chunks(batch, batch.frames.get(..split(batch)).unwrap_or_default());
        let body = |batch| chunks(batch, batch.frames.get(split(batch)..).unwrap_or_default());
        self.decode(&batches.iter().flat_map(lead).collect::<Vec<_>>(), Partial::hold);
        let may_grow = self.used() < self.most_runs;
        let chunks: Vec<_> = batches.iter().flat_map(body).collect();
        let step = CHUNKS * rayon::current_num_threads();
        for chunks in chunks.chunks(step) {
            self.decode(chunks, |partial, routed, arenas| partial.fold(routed, arenas, may_grow));
        }
    }

    /// Decodes chunks of frames side by side and hands them on in their order.
    fn decode<T>(
        &mut self,
        chunks: &[(&FrameBatch, &[FrameMeta])],
        hand_on: impl FnOnce(&mut Partial, &mut [Routed], &[&[u8]]) -> T,
    ) -> T {
        if self.routed.len() < chunks.len() {
            self.routed.resize_with(chunks.len(), Routed::new);
        }
        let routed = self.routed.get_mut(..chunks.len()).unwrap_or_default();
        let hasher = self.partial.hasher();
        chunks
            .par_iter()
            .zip(routed.par_iter_mut())
            .for_each(|((batch, frames), routed)| routed.decode(hasher, batch, frames));
        let arenas: Vec<&[u8]> = chunks.iter().map(|(batch, _)| batch.bytes.as_slice()).collect();
        hand_on(&mut self.partial, routed, &arenas)
    }

    /// Runs held in the flow table.
    pub fn runs(&self) -> u64 {
        self.partial.runs()
    }

    /// Gives up flows that ended more than `keep` nanoseconds of packet time ago, in one part of
    /// the flow table, counted by `turn`; [`Fold::TURNS`] turns go over all of it. Their packets
    /// are accounted for as [`Class::Forgotten`](crate::flow::Class::Forgotten). A connection that
    /// is open stays for a day at least. What the flows that go announced is announced no more.
    /// Answers how many runs went.
    pub fn forget(&mut self, turn: usize, keep: i64) -> u64 {
        let shard = turn % Self::TURNS;
        if shard == 0 {
            self.partial.forget_quotes(keep);
        }
        self.partial.forget(shard, keep)
    }

    /// Parts of the flow table, of which [`Fold::forget`] goes over one at a time.
    pub const TURNS: usize = SHARDS;

    /// Time of the last packet of the stream.
    pub fn end(&self) -> Option<Timestamp> {
        self.partial.end()
    }

    /// How much of the flow table is in use, in runs: those held, and as many as would take the
    /// memory used for payload.
    pub fn used(&self) -> u64 {
        self.partial.runs() + self.partial.kept() / BYTES_PER_RUN
    }

    /// Bytes of memory in use for what the payload of flows tells.
    pub fn kept(&self) -> u64 {
        self.partial.kept()
    }

    /// Ends the fold.
    pub fn finish(self) -> Partial {
        self.partial
    }
}

/// Flows of a fold that packets have changed; see [`Fold::changed`].
#[derive(Debug)]
pub struct Changed {
    fold: Fold,
    /// Flows that begin in the frames ahead.
    begun: HashSet<FlowKey, RandomState>,
}

impl Changed {
    /// Runs of these flows, without those that begin in the frames ahead.
    pub fn runs(&self) -> u64 {
        self.fold.runs()
    }

    /// Adds the frames of these flows among those of `ahead`, which were ahead when the flows were
    /// asked for. What it counts of packets tells nothing, and later fragments are in no flow.
    pub fn with(self, ahead: &[FrameBatch]) -> Partial {
        let Changed { mut fold, begun } = self;
        if let Some(first) = ahead.iter().find_map(|batch| batch.frames.first()) {
            fold.partial.begin_at(first.source.ordinal);
        }
        let may_grow = fold.used() < fold.most_runs;
        let chunks: Vec<_> = ahead.iter().flat_map(|batch| chunks(batch, &batch.frames)).collect();
        fold.decode(&chunks, |partial, routed, arenas| {
            for chunk in routed.iter_mut() {
                chunk.retain(partial.hasher(), |hash, key| {
                    begun.contains(key) || partial.has(hash, key)
                });
            }
            partial.fold(routed, arenas, may_grow);
        });
        fold.finish()
    }
}

fn chunks<'a>(
    batch: &'a FrameBatch,
    frames: &'a [FrameMeta],
) -> impl Iterator<Item = (&'a FrameBatch, &'a [FrameMeta])> {
    frames.chunks(CHUNK).map(move |frames| (batch, frames))
}
