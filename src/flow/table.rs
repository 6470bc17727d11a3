//! The flows of one shard.
//!
//! A shard owns every five-tuple whose hash falls to it, so no lock is needed and packets of one
//! flow stay in arrival order.

use hashbrown::{HashTable, hash_table::Entry};

use super::history::{FlowHistory, Pushed};
use super::segment::Segment;
use crate::decode::{FlowKey, Unit};

/// Flows per slab: small enough to waste little in a quiet shard.
const SLAB: usize = 256;

/// The flows of one shard.
#[derive(Debug, Default)]
pub struct FlowTable {
    index: HashTable<u32>,
    slabs: Vec<Vec<(u64, FlowKey, FlowHistory)>>,
    runs: u64,
}

impl FlowTable {
    /// Runs held, the measure of the memory used.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Adds a packet to its flow.
    ///
    /// `hash` is that of the key. With `may_grow` unset no flow and no run begins: the answer
    /// is then `None` for a packet of an unknown flow, which the caller accounts for.
    pub fn push(&mut self, hash: u64, unit: &Unit, may_grow: bool) -> Option<Pushed> {
        let slabs = &mut self.slabs;
        let entry = self.index.entry(
            hash,
            |at| slot(slabs, *at).is_some_and(|(_, key, _)| *key == unit.key),
            |at| slot(slabs, *at).map_or(0, |(hash, ..)| *hash),
        );
        match entry {
            Entry::Occupied(found) => {
                let (_, key, history) = slot_mut(slabs, *found.get())?;
                let pushed = history.push(unit, key.protocol(), may_grow);
                self.runs += u64::from(pushed == Pushed::Began);
                Some(pushed)
            }
            Entry::Vacant(vacant) if may_grow => {
                let history = FlowHistory::new(Segment::of(unit));
                vacant.insert(place(slabs, (hash, unit.key, history)));
                self.runs += 1;
                Some(Pushed::Began)
            }
            Entry::Vacant(_) => None,
        }
    }

    /// Joins the table of another part of the stream; both sort keys by the same hash.
    pub fn merge(&mut self, other: FlowTable) {
        let FlowTable { index: _, slabs, runs: _ } = other;
        for (hash, key, history) in slabs.into_iter().flatten() {
            self.merge_flow(hash, key, history);
        }
    }

    /// Adds a packet that takes its place among packets already held.
    pub fn merge_unit(&mut self, hash: u64, unit: &Unit) {
        self.merge_flow(hash, unit.key, FlowHistory::new(Segment::of(unit)));
    }

    fn merge_flow(&mut self, hash: u64, key: FlowKey, history: FlowHistory) {
        let slabs = &mut self.slabs;
        let added = history.segments().count() as u64;
        let entry = self.index.entry(
            hash,
            |at| slot(slabs, *at).is_some_and(|(_, held, _)| *held == key),
            |at| slot(slabs, *at).map_or(0, |(hash, ..)| *hash),
        );
        match entry {
            Entry::Occupied(found) => {
                let at = *found.get();
                if let Some((_, _, held)) = slot_mut(slabs, at) {
                    let before = held.segments().count() as u64;
                    held.merge(history, key.protocol());
                    self.runs = self.runs - before + held.segments().count() as u64;
                }
            }
            Entry::Vacant(vacant) => {
                vacant.insert(place(slabs, (hash, key, history)));
                self.runs += added;
            }
        }
    }

    /// The flows, in no particular order.
    pub fn flows(&self) -> impl Iterator<Item = (&FlowKey, &FlowHistory)> {
        self.slabs.iter().flatten().map(|(_, key, history)| (key, history))
    }
}

type Slot = (u64, FlowKey, FlowHistory);

fn slot(slabs: &[Vec<Slot>], at: u32) -> Option<&Slot> {
    slabs.get(at as usize / SLAB)?.get(at as usize % SLAB)
}

fn slot_mut(slabs: &mut [Vec<Slot>], at: u32) -> Option<&mut Slot> {
    slabs.get_mut(at as usize / SLAB)?.get_mut(at as usize % SLAB)
}

/// Puts a flow into the newest slab and answers its place.
fn place(slabs: &mut Vec<Vec<Slot>>, flow: Slot) -> u32 {
    match slabs.last_mut() {
        Some(slab) if slab.len() < SLAB => slab.push(flow),
        _ => {
            let mut slab = Vec::with_capacity(SLAB);
            slab.push(flow);
            slabs.push(slab);
        }
    }
    let in_last = slabs.last().map_or(0, Vec::len);
    ((slabs.len() - 1) * SLAB + in_last - 1) as u32
}
