//! The flows of one shard.
//!
//! A shard owns every five-tuple whose hash falls to it, so no lock is needed and packets of one
//! flow stay in arrival order.

use hashbrown::{HashTable, hash_table::Entry};

use super::accounting::Tally;
use super::changes::Changes;
use super::copies::PacketCopy;
use super::history::{FlowHistory, Pushed};
use super::joining::Datagram;
use super::segment::Segment;
use super::slab::{Slabs, Slot};
use crate::base::{Merge, Timestamp};
use crate::decode::{FlowKey, Unit};

/// Packets looked up together: their memory is fetched at the same time instead of one after the
/// other.
pub const GROUP: usize = 32;

/// A packet, and the captured bytes of its transport payload.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its headers.
    pub unit: &'a Unit,
    /// Its captured payload.
    pub payload: &'a [u8],
    /// Bytes of payload on the wire; of a first fragment, those of the whole datagram.
    pub wire: u32,
}

/// What there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Whether flows and runs may begin, and more payload may be kept.
    pub grow: bool,
    /// Whether payload is kept unread, since the flow may have begun in a stretch of the stream
    /// that lies before this one.
    pub hold: bool,
}

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
    slabs: Slabs,
    runs: u64,
    /// Bytes in use for what the payload of flows tells.
    kept: u64,
    /// Which flows packets have changed, if that is noted.
    changes: Option<Changes>,
}

impl FlowTable {
    /// Runs held, the measure of the memory used.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Bytes of memory in use for what the payload of flows tells.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// Adds a packet to its flow.
    ///
    /// `hash` is that of the key. With `room.grow` unset no flow and no run begins: the answer
    /// is then `None` for a packet of an unknown flow, which the caller accounts for.
    pub fn push(&mut self, hash: u64, packet: Packet<'_>, room: Room) -> Option<Pushed> {
        let unit = packet.unit;
        let slabs = &mut self.slabs;
        let entry = self.index.entry(
            hash,
            |place| holds(slabs, *place, hash, &unit.key),
            |place| slabs.get(place.at).map_or(0, |(hash, ..)| *hash),
        );
        match entry {
            Entry::Occupied(found) => {
                let at = found.get().at;
                self.append(at, packet, room)
            }
            Entry::Vacant(vacant) if room.grow => {
                let mut run = Segment::of(unit);
                self.kept = self.kept.saturating_add_signed(run.read(packet, room) as i64);
                let history = FlowHistory::new(run);
                let at = slabs.push((hash, unit.key, history));
                vacant.insert(Place { tag: Place::tag_of(hash), at });
                self.runs += 1;
                self.note_change(at, unit);
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
            |place| slabs.get(place.at).map_or(0, |(hash, ..)| *hash),
        );
        match entry {
            Entry::Occupied(found) => {
                if let Some((_, _, history)) = slabs.get_mut(found.get().at) {
                    history.push_copy(unit.direction);
                }
            }
            Entry::Vacant(vacant) if may_grow => {
                let history = FlowHistory::new(Segment::of_copy(unit, original));
                let at = slabs.push((hash, unit.key, history));
                vacant.insert(Place { tag: Place::tag_of(hash), at });
                self.runs += 1;
                self.note_change(at, unit);
            }
            Entry::Vacant(_) => {}
        }
    }

    /// Reads a datagram whose packets are in its flow, unless that found no room.
    pub fn read_datagram(&mut self, hash: u64, datagram: &Datagram, room: Room) {
        let slabs = &self.slabs;
        let place = self.index.find(hash, |place| holds(slabs, *place, hash, &datagram.key));
        let Some(Place { at, .. }) = place.copied() else { return };
        if let Some((_, _, history)) = self.slabs.get_mut(at) {
            let weight = history.read_datagram(datagram, room);
            self.kept = self.kept.saturating_add_signed(weight as i64);
        }
    }

    /// Holds a datagram that takes its place among payload held unread.
    pub fn merge_datagram(&mut self, hash: u64, datagram: &Datagram) {
        let slabs = &self.slabs;
        if self.index.find(hash, |place| holds(slabs, *place, hash, &datagram.key)).is_some() {
            let run = Segment::of_datagram(datagram);
            self.merge_flow(hash, datagram.key, FlowHistory::new(run));
        }
    }

    /// Adds a packet to the flow at a place.
    fn append(&mut self, at: u32, packet: Packet<'_>, room: Room) -> Option<Pushed> {
        self.note_change(at, packet.unit);
        let (_, key, history) = self.slabs.get_mut(at)?;
        let (pushed, weight) = history.push(packet, key.protocol(), room);
        self.kept = self.kept.saturating_add_signed(weight as i64);
        self.runs += u64::from(pushed == Pushed::Began);
        Some(pushed)
    }

    /// Adds up to [`GROUP`] packets in order, with their hashes, and tells what became of each.
    /// `packet` gives each with its payload.
    /// For a packet with an entry in `copies`, the copy is counted instead.
    ///
    /// The same as one [`push`](FlowTable::push) after the other. Looking all of them up first
    /// lets the processor wait for many places in memory at once.
    pub fn push_group<'a>(
        &mut self,
        group: &'a [(u64, Unit)],
        copies: &[Option<PacketCopy>; GROUP],
        packet: impl Fn(&'a Unit) -> Packet<'a>,
        room: Room,
        mut tell: impl FnMut(&Unit, Option<Pushed>),
    ) {
        let mut places = [None; GROUP];
        for (place, (hash, _)) in places.iter_mut().zip(group) {
            *place = self.index.find(*hash, |place| place.tag == Place::tag_of(*hash)).copied();
        }
        for (place, (hash, unit)) in places.iter_mut().zip(group) {
            *place = place.filter(|place| holds(&self.slabs, *place, *hash, &unit.key));
            if let Some((_, _, history)) = place.and_then(|place| self.slabs.get(place.at)) {
                history.touch(unit.direction);
            }
        }
        for ((place, copy), (hash, unit)) in places.iter().zip(copies).zip(group) {
            if let Some(copy) = copy {
                self.push_copy(*hash, unit, copy.original, room.grow);
                continue;
            }
            let packet = packet(unit);
            let pushed = match place {
                Some(place) => self.append(place.at, packet, room),
                None => self.push(*hash, packet, room),
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
        let FlowTable { index: _, slabs, runs: _, kept, changes: _ } = other;
        self.kept += kept;
        for (hash, key, history) in slabs.into_flows() {
            self.merge_flow(hash, key, history);
        }
    }

    /// Reads the payload that flows hold: no stretch of the stream lies before this one.
    pub fn settle(&mut self) {
        self.kept = 0;
        for (_, _, history) in self.slabs.iter_mut() {
            history.settle();
            self.kept += history.weight();
        }
    }

    /// Adds packets that take their places among packets already held. Those of one flow are put
    /// in together, because each time costs as much as the flow has runs.
    pub fn merge_units(&mut self, mut units: Vec<(u64, Unit)>) {
        units.sort_by_key(|(_, unit)| (unit.key, unit.source));
        for flow in units.chunk_by(|(_, one), (_, other)| one.key == other.key) {
            let Some(((hash, first), rest)) = flow.split_first() else { continue };
            self.merge_flow(*hash, first.key, FlowHistory::new(Segment::of(first)));
            let rest = rest.iter().map(|(_, unit)| Segment::of(unit));
            if let Some(history) = FlowHistory::of_pieces(rest) {
                self.merge_flow(*hash, first.key, history);
            }
        }
    }

    /// Puts a flow in and answers its place.
    fn merge_flow(&mut self, hash: u64, key: FlowKey, history: FlowHistory) -> u32 {
        let slabs = &mut self.slabs;
        let added = history.segments().count() as u64;
        let entry = self.index.entry(
            hash,
            |place| holds(slabs, *place, hash, &key),
            |place| slabs.get(place.at).map_or(0, |(hash, ..)| *hash),
        );
        match entry {
            Entry::Occupied(found) => {
                let at = found.get().at;
                if let Some((_, _, held)) = slabs.get_mut(at) {
                    let before = held.segments().count() as u64;
                    held.merge(history, key.protocol());
                    self.runs = self.runs - before + held.segments().count() as u64;
                }
                at
            }
            Entry::Vacant(vacant) => {
                let at = slabs.push((hash, key, history));
                vacant.insert(Place { tag: Place::tag_of(hash), at });
                self.runs += added;
                at
            }
        }
    }

    /// Gives up the runs that ended more than `keep` nanoseconds before `now`, and answers how
    /// many there were and their packets. A run stays while an older one of its five-tuple stays.
    pub fn forget(&mut self, now: Timestamp, keep: i64) -> (u64, Tally) {
        let (mut runs, mut tally) = (0, Tally::default());
        let FlowTable { index: _, slabs, runs: _, kept: _, changes } = std::mem::take(self);
        self.changes = changes.as_ref().map(|changes| Changes::after(changes.seen()));
        self.slabs = slabs.emptied();
        for ((hash, key, mut history), at) in slabs.into_flows().zip(0..) {
            let is_over = |run: &Segment| run.is_over(now, keep, key.protocol());
            let stays = history.forget(is_over, |run| {
                runs += 1;
                tally.merge(run.tally());
            });
            if stays {
                self.kept += history.weight();
                let place = self.merge_flow(hash, key, history);
                if changes.as_ref().is_some_and(|changes| changes.has(at)) {
                    self.changes.iter_mut().for_each(|changes| changes.add(place));
                }
            }
        }
        (runs, tally)
    }

    /// The flows, in no particular order.
    pub fn flows(&self) -> impl Iterator<Item = (&FlowKey, &FlowHistory)> {
        self.slabs.iter().map(|(_, key, history)| (key, history))
    }

    /// Takes a flow that another table held. `hash` is that of the key.
    pub fn insert(&mut self, hash: u64, key: FlowKey, history: FlowHistory) {
        self.kept += history.weight();
        self.merge_flow(hash, key, history);
    }

    /// Notes from now on which flows packets change, for [`FlowTable::changed`], and makes ready
    /// for snapshots.
    pub fn note_changes(&mut self) {
        self.changes.get_or_insert_default();
        self.slabs = std::mem::take(&mut self.slabs).into_fine();
    }

    #[inline]
    fn note_change(&mut self, at: u32, unit: &Unit) {
        if let Some(changes) = &mut self.changes {
            changes.note(at, unit.source.number);
        }
    }

    /// Takes a flow for one that was changed. Answers whether there is one of this key and hash.
    pub fn note_flow(&mut self, hash: u64, key: &FlowKey) -> bool {
        let slabs = &self.slabs;
        let found = self.index.find(hash, |place| holds(slabs, *place, hash, key));
        if let (Some(place), Some(changes)) = (found, &mut self.changes) {
            changes.add(place.at);
        }
        found.is_some()
    }

    /// Packets that arrived up to number `seen` change nothing from now on.
    pub fn see(&mut self, seen: u64) {
        self.changes.iter_mut().for_each(|changes| changes.see(seen));
    }

    /// Copies of flows that were changed and not asked for since, about `most` of them.
    pub fn changed(&mut self, most: usize) -> FlowTable {
        let mut changed = FlowTable::default();
        let places = self.changes.as_mut().map(|changes| changes.take(most)).unwrap_or_default();
        for (hash, key, history) in places.into_iter().filter_map(|at| self.slabs.get(at)) {
            changed.kept += history.weight();
            changed.merge_flow(*hash, *key, history.clone());
        }
        changed
    }

    /// A copy of the whole table. Both share the flows until a packet changes one.
    pub fn snapshot(&mut self) -> FlowTable {
        let FlowTable { index, slabs, runs, kept, changes: _ } = self;
        let slabs = slabs.share();
        FlowTable { index: index.clone(), slabs, runs: *runs, kept: *kept, changes: None }
    }

    /// Whether a flow of this key and hash is held.
    pub fn has(&self, hash: u64, key: &FlowKey) -> bool {
        self.index.find(hash, |place| holds(&self.slabs, *place, hash, key)).is_some()
    }

    /// The flows, in no particular order. Their memory is given back on the way.
    pub fn into_flows(self) -> impl Iterator<Item = (FlowKey, FlowHistory)> {
        self.slabs.into_flows().map(|(_, key, history)| (key, history))
    }
}

/// Whether the flow at a place is that of `key`.
fn holds(slabs: &Slabs, place: Place, hash: u64, key: &FlowKey) -> bool {
    place.tag == Place::tag_of(hash)
        && slabs.get(place.at).is_some_and(|(_, held, _): &Slot| held == key)
}
