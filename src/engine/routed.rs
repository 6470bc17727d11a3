//! What a chunk of frames decodes to, sorted by where it goes.

use serde::{Deserialize, Serialize};

use super::partial::SHARDS;
use super::timeline::Timeline;
use crate::base::{IpProto, Merge};
use crate::capture::{FrameBatch, FrameMeta};
use crate::decode::{Aside, Carrier, Decoded, FlowKey, Observer, Transport, Unit, dissect};
use crate::flow::{
    Accounting, CaptureFacts, CarrierLog, Class, FirstFragment, FragmentEvent, GROUP, Packet,
};
use std::hash::{BuildHasher, Hasher};

/// Bytes of a UDP header (RFC 768).
const UDP_HEADER: u32 = 8;

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

/// What a stretch of frames decoded to. Reused from batch to batch.
#[derive(Clone, Debug)]
pub(super) struct Routed {
    /// Packets of flows by shard, with the hashes of their keys, in arrival order.
    pub(super) units: Vec<Vec<(u64, Unit)>>,
    /// Fragments in arrival order, those that are packets of flows too.
    pub(super) fragments: Vec<FragmentEvent>,
    /// ICMP errors in arrival order; they are packets of flows too.
    pub(super) quotes: Vec<Unit>,
    /// What depends on no other packet.
    pub(super) counts: Counts,
    /// The payload of packets that are held back. That of others lies in their batch.
    pub(super) held: Vec<u8>,
}

/// Decoded frames, and the arena that holds their bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk<'a> {
    pub(super) routed: &'a Routed,
    pub(super) bytes: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The packets of one shard, in groups to be looked up together.
    pub(super) fn groups(self, shard: usize) -> impl Iterator<Item = (Self, &'a [(u64, Unit)])> {
        let units = self.routed.units.get(shard).into_iter();
        units.flat_map(|units| units.chunks(GROUP)).map(move |group| (self, group))
    }

    /// One of the packets with its payload.
    pub(super) fn packet(self, unit: &'a Unit) -> Packet<'a> {
        let rest = self.bytes.get(unit.payload_offset as usize..).unwrap_or_default();
        let payload = rest.get(..unit.payload_captured as usize).unwrap_or_default();
        let wire = match unit.first_fragment() {
            None => unit.payload_bytes,
            // What follows is the next segment, for all that can be known.
            Some(_) if unit.key.protocol() == IpProto::TCP => unit.payload_bytes,
            Some(_) => self.datagram_bytes(unit).unwrap_or(unit.payload_bytes.saturating_add(1)),
        };
        Packet { unit, payload, wire }
    }

    /// Bytes of payload of a fragmented UDP datagram, from the header before it.
    fn datagram_bytes(self, unit: &Unit) -> Option<u32> {
        let end = (unit.payload_offset as usize).checked_sub(2)?;
        let length = self.bytes.get(end.checked_sub(2)?..end)?.first_chunk()?;
        let length = u32::from(u16::from_be_bytes(*length)).saturating_sub(UDP_HEADER);
        (unit.transport == Transport::Udp && length > unit.payload_bytes).then_some(length)
    }
}

/// What is known of each frame by itself, added up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Frames that are no packets of flows and no fragments.
    pub(super) accounting: Accounting,
    pub(super) timeline: Timeline,
    pub(super) facts: CaptureFacts,
    pub(super) carriers: CarrierLog,
    /// Frames of which a tunnel carried something that could not be read, by what it was.
    pub(super) unread_inside: Accounting,
}

impl Merge for Counts {
    fn merge(&mut self, other: Self) {
        let Counts { accounting, timeline, facts, carriers, unread_inside } = other;
        self.accounting.merge(accounting);
        self.timeline.merge(timeline);
        self.facts.merge(facts);
        self.carriers.merge(carriers);
        self.unread_inside.merge(unread_inside);
    }
}

/// Looks on while one frame is decoded.
struct Watch<'a> {
    frame: &'a FrameMeta,
    counts: &'a mut Counts,
}

impl Observer for Watch<'_> {
    fn carrier(&mut self, carrier: Carrier) {
        self.counts.carriers.note(&carrier, self.frame);
    }

    fn own_flow(&mut self, carrier: Carrier) {
        self.counts.carriers.note_own_flow(&carrier, self.frame);
    }

    fn unread_inside(&mut self, stop: crate::decode::Stop) {
        let class = Class::Stopped(stop);
        self.counts.unread_inside.count(class, self.frame.original, self.frame.source);
    }
}

impl Routed {
    pub(super) fn new() -> Self {
        Routed {
            units: (0..SHARDS).map(|_| Vec::new()).collect(),
            fragments: Vec::new(),
            quotes: Vec::new(),
            counts: Counts::default(),
            held: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.units.iter_mut().for_each(Vec::clear);
        self.fragments.clear();
        self.quotes.clear();
        self.counts = Counts::default();
    }

    /// Decodes frames, in place of what was held.
    pub(super) fn decode(
        &mut self,
        hasher: &foldhash::fast::RandomState,
        batch: &FrameBatch,
        frames: &[FrameMeta],
    ) {
        self.clear();
        self.counts.timeline.note(frames);
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
        let counts = &mut self.counts;
        match dissect(frame, data, &mut Watch { frame, counts }) {
            Decoded::Unit(mut unit) => {
                // From here on the offset is that in the arena.
                unit.payload_offset = unit.payload_offset.saturating_add(frame.offset as u32);
                self.route(hasher, unit);
            }
            Decoded::Fragment(mut fragment) => {
                let offset = fragment.payload_offset;
                fragment.payload_offset = offset.saturating_add(frame.offset as u32);
                self.counts.facts.note_fragment(&fragment);
                self.fragments.push(FragmentEvent::Later(fragment));
            }
            Decoded::NonIp(layer, value) => {
                let class = Class::NonIp(layer, value);
                self.counts.accounting.count(class, frame.original, frame.source);
            }
            Decoded::Stopped(stop) => {
                self.counts.accounting.count(Class::Stopped(stop), frame.original, frame.source);
            }
        }
    }

    fn route(&mut self, hasher: &foldhash::fast::RandomState, unit: Unit) {
        self.counts.facts.note(&unit);
        let hash = hash(hasher, &unit.key);
        if let Some(shard) = self.units.get_mut(shard_of(hash)) {
            shard.push((hash, unit));
        }
        match unit.aside {
            Aside::None => {}
            Aside::FirstFragment(datagram, header) => {
                let first = FirstFragment::of(&unit, header.into());
                self.fragments.push(FragmentEvent::First(datagram, first));
            }
            Aside::Quotes(..) => self.quotes.push(unit),
        }
    }

    /// Leaves out the packets of flows that are not `wanted`, and later fragments.
    pub(super) fn retain(
        &mut self,
        hasher: &foldhash::fast::RandomState,
        wanted: impl Fn(u64, &FlowKey) -> bool,
    ) {
        let rare = |key: &FlowKey| wanted(hash(hasher, key), key);
        for units in &mut self.units {
            units.retain(|(hash, unit)| wanted(*hash, &unit.key));
        }
        self.fragments.retain(|event| match event {
            FragmentEvent::First(_, first) => rare(&first.key),
            FragmentEvent::Later(_) => false,
        });
        self.quotes.retain(|unit| rare(&unit.key));
    }

    /// Appends what was decoded of the frames that follow, whose bytes lie in `arena`; nothing is
    /// left there.
    pub(super) fn append(&mut self, later: &mut Routed, arena: &[u8]) {
        let Routed { units, fragments, quotes, counts, held: _ } = later;
        for (held, more) in self.units.iter_mut().zip(units) {
            for (hash, mut unit) in more.drain(..) {
                let header = (unit.payload_offset as usize).min(UDP_HEADER as usize);
                let begin = unit.payload_offset as usize - header;
                let payload = arena.get(begin..).unwrap_or_default();
                let length = header + unit.payload_captured as usize;
                let payload = payload.get(..length).unwrap_or(payload);
                unit.payload_offset = (self.held.len() + header) as u32;
                self.held.extend_from_slice(payload);
                held.push((hash, unit));
            }
        }
        for mut fragment in fragments.drain(..) {
            let (begin, length) = fragment.payload();
            let payload = arena.get(begin as usize..).unwrap_or_default();
            fragment.move_payload(self.held.len() as u32);
            self.held.extend_from_slice(payload.get(..length as usize).unwrap_or(payload));
            self.fragments.push(fragment);
        }
        self.quotes.append(quotes);
        self.counts.merge(std::mem::take(counts));
    }

    /// Takes out what lies at or behind place `end` of the stream.
    pub(super) fn split_off(&mut self, end: u64) -> Routed {
        let before = |ordinal: u64| ordinal < end;
        let mut rest = Routed { held: self.held.clone(), ..Routed::new() };
        for (held, rest) in self.units.iter_mut().zip(&mut rest.units) {
            *rest = held.split_off(held.partition_point(|(_, unit)| before(unit.source.ordinal)));
        }
        let place = self.fragments.partition_point(|event| before(event.source().ordinal));
        rest.fragments = self.fragments.split_off(place);
        let place = self.quotes.partition_point(|unit| before(unit.source.ordinal));
        rest.quotes = self.quotes.split_off(place);
        rest
    }
}
