//! Batches of frames folded into a [`Partial`].

use std::hash::{BuildHasher, Hasher};

use rayon::prelude::*;

use super::partial::{Partial, SHARDS};
use super::timeline::Timeline;
use crate::base::Merge;
use crate::capture::{FrameBatch, FrameMeta};
use crate::decode::{Aside, Decoded, FlowKey, Unit, dissect};
use crate::flow::{
    Accounting, Class, FirstFragment, FlowTable, FragmentEvent, GROUP, Pushed, Tally,
};

/// Frames per chunk: enough work to be worth handing to another thread.
const CHUNK: usize = 512;

/// Bytes that the processor fetches at once; a guess that costs nothing when wrong.
const CACHE_LINE: usize = 64;

/// The hash of a key: chooses the shard by its upper bits and the slot by its lower ones.
pub(super) fn hash(hasher: &foldhash::fast::RandomState, key: &FlowKey) -> u64 {
    let mut state = hasher.build_hasher();
    for word in key.words() {
        state.write_u64(word);
    }
    state.finish()
}

pub(super) fn shard_of(hash: u64) -> usize {
    (hash >> 48) as usize % SHARDS
}

/// What one chunk of frames decoded to, sorted by shard. Reused from batch to batch.
#[derive(Debug)]
struct Routed {
    units: Vec<Vec<(u64, Unit)>>,
    fragments: Vec<FragmentEvent>,
    quotes: Vec<Unit>,
    accounting: Accounting,
    timeline: Timeline,
}

impl Routed {
    fn new() -> Self {
        Routed {
            units: (0..SHARDS).map(|_| Vec::new()).collect(),
            fragments: Vec::new(),
            quotes: Vec::new(),
            accounting: Accounting::default(),
            timeline: Timeline::default(),
        }
    }

    fn clear(&mut self) {
        self.units.iter_mut().for_each(Vec::clear);
        self.fragments.clear();
        self.quotes.clear();
        self.accounting = Accounting::default();
        self.timeline = Timeline::default();
    }

    fn decode(
        &mut self,
        hasher: &foldhash::fast::RandomState,
        batch: &FrameBatch,
        frames: &[FrameMeta],
    ) {
        self.clear();
        self.timeline.note(frames);
        for group in frames.chunks(GROUP) {
            // Another processor read these bytes: ask for all headers before waiting for one.
            for frame in group {
                let data = batch.data(frame);
                std::hint::black_box((data.first(), data.get(CACHE_LINE)));
            }
            for frame in group {
                self.dissect(hasher, frame, batch.data(frame));
            }
        }
    }

    fn dissect(&mut self, hasher: &foldhash::fast::RandomState, frame: &FrameMeta, data: &[u8]) {
        match dissect(frame, data, &mut ()) {
            Decoded::Unit(unit) => self.route(hasher, unit),
            Decoded::Fragment(fragment) => self.fragments.push(FragmentEvent::Later(fragment)),
            Decoded::NonIp(layer, value) => {
                let class = Class::NonIp(layer, value);
                self.accounting.count(class, frame.original, frame.source);
            }
            Decoded::Stopped(stop) => {
                self.accounting.count(Class::Stopped(stop), frame.original, frame.source);
            }
        }
    }

    fn route(&mut self, hasher: &foldhash::fast::RandomState, unit: Unit) {
        let hash = hash(hasher, &unit.key);
        if let Some(shard) = self.units.get_mut(shard_of(hash)) {
            shard.push((hash, unit));
        }
        match unit.aside {
            Aside::None => {}
            Aside::FirstFragment(datagram) => {
                let Unit { key, direction, time, source, .. } = unit;
                let first = FirstFragment { key, direction, time, source };
                self.fragments.push(FragmentEvent::First(datagram, first));
            }
            Aside::Quotes(..) => self.quotes.push(unit),
        }
    }
}

/// What updating one shard with one batch counted.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    in_flows: Tally,
    no_room: Tally,
    blurred: Tally,
}

/// Folds batches into a [`Partial`].
#[derive(Debug)]
pub struct Fold {
    partial: Partial,
    routed: Vec<Routed>,
    outcomes: Vec<Outcome>,
    most_runs: u64,
}

impl Fold {
    /// Starts with nothing. At `most_runs` runs in the flow table no flow begins any more; its
    /// packets are accounted for as [`Class::TableFull`].
    pub fn new(hasher: foldhash::fast::RandomState, most_runs: u64) -> Self {
        Fold {
            partial: Partial::new(hasher),
            routed: Vec::new(),
            outcomes: vec![Outcome::default(); SHARDS],
            most_runs,
        }
    }

    /// Adds the frames of some batches, which follow each other and all frames added before.
    pub fn push(&mut self, batches: &[FrameBatch]) {
        let chunks: Vec<(&FrameBatch, &[FrameMeta])> = batches
            .iter()
            .flat_map(|batch| batch.frames.chunks(CHUNK).map(move |frames| (batch, frames)))
            .collect();
        let Some(first) = chunks.first().and_then(|(_, frames)| frames.first()) else { return };
        self.partial.begin_at(first.source.ordinal);
        if self.routed.len() < chunks.len() {
            self.routed.resize_with(chunks.len(), Routed::new);
        }
        let Some(routed) = self.routed.get_mut(..chunks.len()) else { return };
        let hasher = &self.partial.hasher;
        chunks
            .par_iter()
            .zip(routed.par_iter_mut())
            .for_each(|((batch, frames), routed)| routed.decode(hasher, batch, frames));
        let joined = collect_serial(&mut self.partial, routed);
        let may_grow = self.partial.runs() < self.most_runs;
        let routed = &*routed;
        self.partial.shards.par_iter_mut().zip(self.outcomes.par_iter_mut()).enumerate().for_each(
            |(shard, (table, outcome))| {
                *outcome = update(table, routed, shard, &joined, may_grow);
            },
        );
        for outcome in &self.outcomes {
            let Outcome { in_flows, no_room, blurred } = *outcome;
            self.partial.accounting.add(Class::Flow, in_flows);
            self.partial.accounting.add(Class::TableFull, no_room);
            self.partial.blurred.merge(blurred);
        }
    }

    /// Runs held in the flow table.
    pub fn runs(&self) -> u64 {
        self.partial.runs()
    }

    /// Ends the fold.
    pub fn finish(self) -> Partial {
        self.partial
    }
}

/// Takes from the decoded chunks, in arrival order, what is rare and not sharded: fragments,
/// ICMP quotes and counts. Answers the later fragments that found their flow, in order of their
/// place in the stream.
fn collect_serial(partial: &mut Partial, routed: &mut [Routed]) -> Vec<(u64, Unit)> {
    let mut joined = Vec::new();
    for chunk in routed {
        for event in chunk.fragments.drain(..) {
            let hasher = &partial.hasher;
            partial.fragments.push(event, &mut partial.accounting, |unit| {
                joined.push((hash(hasher, &unit.key), unit));
            });
        }
        for unit in chunk.quotes.drain(..) {
            partial.quotes.note(&unit);
        }
        partial.accounting.merge(std::mem::take(&mut chunk.accounting));
        partial.timeline.merge(std::mem::take(&mut chunk.timeline));
    }
    joined
}

impl Outcome {
    fn count(&mut self, unit: &Unit, pushed: Option<Pushed>) {
        let tally = Tally::of(unit.frame_bytes, unit.source);
        match pushed {
            Some(Pushed::JoinedForWantOfRoom) => {
                self.in_flows.merge(tally);
                self.blurred.merge(tally);
            }
            Some(_) => self.in_flows.merge(tally),
            None => self.no_room.merge(tally),
        }
    }
}

/// Updates a shard with its packets in arrival order; `late` are fragments that take their
/// place among them. None has its place in an earlier batch.
fn update(
    table: &mut FlowTable,
    chunks: &[Routed],
    shard: usize,
    late: &[(u64, Unit)],
    may_grow: bool,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut late = late.iter().filter(|(hash, _)| shard_of(*hash) == shard).peekable();
    for units in chunks.iter().filter_map(|chunk| chunk.units.get(shard)) {
        if late.peek().is_none() {
            for group in units.chunks(GROUP) {
                table.push_group(group, may_grow, |unit, pushed| outcome.count(unit, pushed));
            }
            continue;
        }
        for (hash, unit) in units {
            // One in the place of its first fragment comes right behind it.
            while let Some((hash, fragment)) = late.next_if(|(_, late)| late.source < unit.source) {
                outcome.count(fragment, table.push(*hash, fragment, may_grow));
            }
            outcome.count(unit, table.push(*hash, unit, may_grow));
        }
    }
    for (hash, fragment) in late {
        outcome.count(fragment, table.push(*hash, fragment, may_grow));
    }
    outcome
}
