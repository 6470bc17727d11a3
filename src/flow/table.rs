//! The flows of one shard.
//!
//! A shard owns every five-tuple whose hash falls to it, so no lock is needed and packets of one
//! flow stay in arrival order.

use hashbrown::{HashTable, hash_table::Entry};

use super::accounting::Tally;
use super::copies::PacketCopy;
use super::history::{FlowHistory, Pushed};
use super::segment::Segment;
use crate::base::{Merge, Timestamp};
use crate::decode::{FlowKey, Unit};

/// Flows per slab: small enough to waste little in a quiet shard.
const SLAB: usize = 256;

/// Packets looked up together: their memory is fetched at the same time instead of one after the
/// other.
pub const GROUP: usize = 32;

/// Where a flow lies, and enough of its hash to tell it from almost all others.
#[derive(Clone, Copy, Debug)]
struct Place {
    tag: u32,
    at: u32,
}

impl Place {
    fn tag_of(hash: u64) -> u32 {
        // The index itself uses the lowest and the highest bits.
        (hash >> 24) as u32
    }
}

/// The flows of one shard.
#[derive(Clone, Debug, Default)]
pub struct FlowTable {
    index: HashTable<Place>,
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
            |place| holds(slabs, *place, hash, &unit.key),
            |place| slot(slabs, place.at).map_or(0, |(hash, ..)| *hash),
        );
        match entry {
            Entry::Occupied(found) => {
                let at = found.get().at;
                self.append(at, unit, may_grow)
            }
            Entry::Vacant(vacant) if may_grow => {
                let history = FlowHistory::new(Segment::of(unit));
                let at = place(slabs, (hash, unit.key, history));
                vacant.insert(Place { tag: Place::tag_of(hash), at });
                self.runs += 1;
                Some(Pushed::Began)
            }
            Entry::Vacant(_) => None,
        }
    }

    /// Counts a copy of a packet. The flow of the packet is known unless the packet itself lies
    /// in the stretch of the stream before this one, or found the table full.
    pub fn push_copy(&mut self, hash: u64, unit: &Unit, original: Timestamp, may_grow: bool) {
        let slabs = &mut self.slabs;
        let entry = self.index.entry(
            hash,
            |place| holds(slabs, *place, hash, &unit.key),
            |place| slot(slabs, place.at).map_or(0, |(hash, ..)| *hash),
        );
        match entry {
            Entry::Occupied(found) => {
                if let Some((_, _, history)) = slot_mut(slabs, found.get().at) {
                    history.push_copy(unit.direction);
                }
            }
            Entry::Vacant(vacant) if may_grow => {
                let history = FlowHistory::new(Segment::of_copy(unit, original));
                let at = place(slabs, (hash, unit.key, history));
                vacant.insert(Place { tag: Place::tag_of(hash), at });
                self.runs += 1;
            }
            Entry::Vacant(_) => {}
        }
    }

    /// Adds a packet to the flow at a place.
    fn append(&mut self, at: u32, unit: &Unit, may_grow: bool) -> Option<Pushed> {
        let (_, key, history) = slot_mut(&mut self.slabs, at)?;
        let pushed = history.push(unit, key.protocol(), may_grow);
        self.runs += u64::from(pushed == Pushed::Began);
        Some(pushed)
    }

    /// Adds up to [`GROUP`] packets in order, with their hashes, and tells what became of each.
    /// For a packet with an entry in `copies`, the copy is counted instead.
    ///
    /// The same as one [`push`](FlowTable::push) after the other. Looking all of them up first
    /// lets the processor wait for many places in memory at once.
    pub fn push_group(
        &mut self,
        group: &[(u64, Unit)],
        copies: &[Option<PacketCopy>; GROUP],
        may_grow: bool,
        mut tell: impl FnMut(&Unit, Option<Pushed>),
    ) {
        let mut places = [None; GROUP];
        for (place, (hash, _)) in places.iter_mut().zip(group) {
            *place = self.index.find(*hash, |place| place.tag == Place::tag_of(*hash)).copied();
        }
        for (place, (hash, unit)) in places.iter_mut().zip(group) {
            *place = place.filter(|place| holds(&self.slabs, *place, *hash, &unit.key));
            if let Some((_, _, history)) = place.and_then(|place| slot(&self.slabs, place.at)) {
                history.touch();
            }
        }
        for ((place, copy), (hash, unit)) in places.iter().zip(copies).zip(group) {
            if let Some(copy) = copy {
                self.push_copy(*hash, unit, copy.original, may_grow);
                continue;
            }
            let pushed = match place {
                Some(place) => self.append(place.at, unit, may_grow),
                None => self.push(*hash, unit, may_grow),
            };
            tell(unit, pushed);
        }
    }

    /// Joins the table of another part of the stream; both sort keys by the same hash.
    pub fn merge(&mut self, mut other: FlowTable) {
        // Runs know their places in the stream, so either way gives the same.
        if other.runs > self.runs {
            std::mem::swap(self, &mut other);
        }
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
            |place| holds(slabs, *place, hash, &key),
            |place| slot(slabs, place.at).map_or(0, |(hash, ..)| *hash),
        );
        match entry {
            Entry::Occupied(found) => {
                if let Some((_, _, held)) = slot_mut(slabs, found.get().at) {
                    let before = held.segments().count() as u64;
                    held.merge(history, key.protocol());
                    self.runs = self.runs - before + held.segments().count() as u64;
                }
            }
            Entry::Vacant(vacant) => {
                let at = place(slabs, (hash, key, history));
                vacant.insert(Place { tag: Place::tag_of(hash), at });
                self.runs += added;
            }
        }
    }

    /// Gives up the runs that ended more than `keep` nanoseconds before `now`, and answers how
    /// many there were and their packets. A run stays while an older one of its five-tuple stays.
    pub fn forget(&mut self, now: Timestamp, keep: i64) -> (u64, Tally) {
        let (mut runs, mut tally) = (0, Tally::default());
        let FlowTable { index: _, slabs, runs: _ } = std::mem::take(self);
        for (hash, key, mut history) in slabs.into_iter().flatten() {
            let is_over = |run: &Segment| run.is_over(now, keep, key.protocol());
            let stays = history.forget(is_over, |run| {
                runs += 1;
                tally.merge(run.tally());
            });
            if stays {
                self.merge_flow(hash, key, history);
            }
        }
        (runs, tally)
    }

    /// The flows, in no particular order. Their memory is given back on the way.
    pub fn into_flows(self) -> impl Iterator<Item = (FlowKey, FlowHistory)> {
        self.slabs.into_iter().flatten().map(|(_, key, history)| (key, history))
    }
}

type Slot = (u64, FlowKey, FlowHistory);

/// Whether the flow at a place is that of `key`.
fn holds(slabs: &[Vec<Slot>], place: Place, hash: u64, key: &FlowKey) -> bool {
    place.tag == Place::tag_of(hash)
        && slot(slabs, place.at).is_some_and(|(_, held, _)| held == key)
}

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
