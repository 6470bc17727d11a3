//! What is carried from packets to evaluation, and how two stretches of the stream join.

mod stored;

use std::collections::{BTreeSet, HashSet};

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::routed::{Chunk, Counts, Routed, hash, shard_of};
use super::shard::{Outcome, Shard};
use super::timeline::Timeline;
use crate::base::{Merge, Timestamp};
use crate::decode::{FlowKey, FragmentUnit, Unit};
use crate::flow::{
    Accounting, CaptureFacts, CarrierLog, Class, CopyCounts, CopyWindow, FlowRecord, Found,
    FragmentEvent, FragmentPool, QuoteLog, Room, Tally, records,
};

pub use stored::StoreError;

/// Number of shards of the flow table; the same for any number of threads.
pub(super) const SHARDS: usize = 32;

/// Most quoted five-tuples that are noted as changed.
const QUOTED: usize = 4096;

/// Everything known of a stretch of the stream. Free of policy and site.
///
/// Whether a packet is a copy depends on the packets within reach before it. Those of the first
/// packets may lie in the stretch before this one, so twice as many as the reach are held back
/// as they were decoded until that stretch is known, or the stream has ended.
#[derive(Clone, Debug)]
pub struct Partial {
    hasher: RandomState,
    copy_reach: u64,
    first_ordinal: Option<u64>,
    /// Whether no stretch lies before, so that nothing need be held back.
    is_first: bool,
    /// The first packets, not yet folded. Their counts are in `counts` already.
    lead: Routed,
    shards: Vec<Shard>,
    fragments: FragmentPool,
    /// Copies of later fragments, and of ICMP errors, are looked for apart.
    fragment_window: CopyWindow,
    quotes: QuoteLog,
    quote_window: CopyWindow,
    counts: Counts,
    /// Packets that joined an older run of their five-tuple for want of room.
    blurred: Tally,
    /// Five-tuples that ICMP errors quoted, if changes are noted; see [`Partial::changed`].
    quoted: Option<BTreeSet<FlowKey>>,
    /// Packets that arrived up to this number were seen before they were folded.
    seen_ahead: u64,
}

/// What evaluation gets: the flows and the counts of one whole stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// Flow instances, the latest first packet first.
    pub records: Vec<FlowRecord>,
    /// Packets by class.
    pub accounting: Accounting,
    /// When packets were captured.
    pub timeline: Timeline,
    /// What the packets say of the capture itself.
    pub facts: CaptureFacts,
    /// The tunnels through which packets came.
    pub carriers: CarrierLog,
    /// Packets that count for a tunnel because what it carried could not be read, by what it was.
    pub unread_inside: Accounting,
    /// Packets that joined an older use of their five-tuple for want of room.
    pub blurred: Tally,
    /// Fragments that could not wait for their first for want of room.
    pub fragments_lost: u64,
    /// Fragments without a first that came so soon after the begin of the stream that it may lie
    /// before.
    pub early_fragments: u64,
    /// Fragmented datagrams whose payload was not joined for want of room.
    pub datagrams_unjoined: u64,
    /// Fragmented datagrams whose payload was not joined because their fragments overlap.
    pub datagrams_contradictory: u64,
    /// ICMP errors whose quoted flow was not kept for want of room.
    pub quotes_lost: u64,
    /// ICMP errors that were not sent to the host whose packet they quote; they say nothing of
    /// the quoted flow.
    pub quotes_misdirected: u64,
}

impl Partial {
    /// An empty stretch. Parts that are to be merged share the hasher and the greatest distance
    /// of two copies, in packets.
    pub fn new(hasher: RandomState, copy_reach: u64) -> Self {
        Partial {
            hasher,
            copy_reach,
            first_ordinal: None,
            is_first: false,
            lead: Routed::new(),
            shards: (0..SHARDS).map(|_| Shard::new(copy_reach)).collect(),
            fragments: FragmentPool::default(),
            fragment_window: CopyWindow::new(copy_reach),
            quotes: QuoteLog::default(),
            quote_window: CopyWindow::new(copy_reach),
            counts: Counts::default(),
            blurred: Tally::default(),
            quoted: None,
            seen_ahead: 0,
        }
    }

    /// Notes from now on what packets change.
    pub(super) fn note_changes(&mut self) {
        self.quoted.get_or_insert_default();
        self.shards.iter_mut().for_each(|shard| shard.table.note_changes());
    }

    /// A copy that shares the flows: each is copied when a packet changes it.
    pub(super) fn snapshot(&mut self) -> Partial {
        let shards = self.shards.iter_mut().map(Shard::snapshot).collect();
        Partial {
            hasher: self.hasher.clone(),
            lead: self.lead.clone(),
            shards,
            fragments: self.fragments.clone(),
            fragment_window: self.fragment_window.clone(),
            quotes: self.quotes.clone(),
            quote_window: self.quote_window.clone(),
            counts: self.counts.clone(),
            quoted: None,
            ..*self
        }
    }

    /// Packets that arrived up to this number were asked for before they were folded.
    pub(super) fn seen_ahead(&self) -> u64 {
        self.seen_ahead
    }

    /// Whether a flow of this key and hash is held.
    pub(super) fn has(&self, hash: u64, key: &FlowKey) -> bool {
        self.shards.get(shard_of(hash)).is_some_and(|shard| shard.table.has(hash, key))
    }

    /// A stretch of which flows alone are known: those that packets changed since this was asked
    /// last, about `most` of them, and those that packets in `new` will change, which arrived since
    /// then and are not folded yet. No packets are counted in it. Answers the flows too that begin
    /// in `new`.
    pub(super) fn changed(
        &mut self,
        new: &[Routed],
        most: usize,
    ) -> (Partial, HashSet<FlowKey, RandomState>) {
        let mut quoted = self.quoted.as_mut().map(std::mem::take).unwrap_or_default();
        let quotes = new.iter().flat_map(|chunk| &chunk.quotes);
        quoted.extend(quotes.filter_map(|unit| Some(unit.quoted()?.0)));
        for key in &quoted {
            let hash = hash(&self.hasher, key);
            if let Some(shard) = self.shards.get_mut(shard_of(hash)) {
                shard.table.note_flow(hash, key);
            }
        }
        let changed = |(number, shard): (usize, &mut Shard)| {
            let units = new.iter().filter_map(|chunk| chunk.units.get(number)).flatten();
            shard.changed(units, most.div_ceil(SHARDS))
        };
        let (shards, begun): (Vec<Shard>, Vec<Vec<FlowKey>>) =
            self.shards.par_iter_mut().enumerate().map(changed).unzip();
        let quotes = self.quotes.only(|key| {
            let hash = hash(&self.hasher, key);
            let has = |shard: &Shard| shard.table.has(hash, key);
            quoted.contains(key) || shards.get(shard_of(hash)).is_some_and(has)
        });
        let units = new.iter().flat_map(|chunk| chunk.units.iter().flatten());
        let last = units.map(|(_, unit)| unit.source.number).max().unwrap_or(0);
        self.seen_ahead = self.seen_ahead.max(last);
        self.shards.iter_mut().for_each(|shard| shard.table.see(self.seen_ahead));
        let Counts { timeline, carriers, .. } = &self.counts;
        let (timeline, carriers) = (timeline.clone(), carriers.clone());
        let changed = Partial {
            is_first: true,
            shards,
            fragment_window: self.fragment_window.clone(),
            quotes,
            quote_window: self.quote_window.clone(),
            counts: Counts { timeline, carriers, ..Counts::default() },
            ..Partial::new(self.hasher.clone(), self.copy_reach)
        };
        (changed, begun.into_iter().flatten().collect())
    }

    pub(super) fn hasher(&self) -> &RandomState {
        &self.hasher
    }

    /// Runs held in all shards, the measure of memory.
    pub fn runs(&self) -> u64 {
        self.shards.iter().map(|shard| shard.table.runs()).sum()
    }

    /// Bytes of memory in use for what payload tells.
    pub fn kept(&self) -> u64 {
        self.shards.iter().map(|shard| shard.table.kept()).sum()
    }

    /// Notes the place of a packet, to tell which of two stretches is the earlier.
    pub(super) fn begin_at(&mut self, ordinal: u64) {
        self.first_ordinal.get_or_insert(ordinal);
    }

    /// Notes that no stretch lies before this one, wherever it begins.
    pub(super) fn mark_first(&mut self) {
        self.is_first = true;
    }

    /// Whether nothing can lie before this stretch.
    fn begins_stream(&self) -> bool {
        self.is_first || self.first_ordinal == Some(0)
    }

    /// The place in the stream behind the packets that are held back.
    pub(super) fn lead_end(&self) -> u64 {
        match self.first_ordinal {
            Some(first) if !self.begins_stream() => first.saturating_add(2 * self.copy_reach),
            _ => 0,
        }
    }

    /// Holds decoded frames back that follow those held.
    pub(super) fn hold(&mut self, routed: &mut [Routed], arenas: &[&[u8]]) {
        for (chunk, arena) in routed.iter_mut().zip(arenas) {
            self.counts.merge(std::mem::take(&mut chunk.counts));
            for (shard, units) in self.shards.iter_mut().zip(&chunk.units) {
                shard.prime(units);
            }
            for event in &chunk.fragments {
                self.is_copied_fragment(event);
            }
            for unit in &chunk.quotes {
                self.is_copied_quote(unit);
            }
            self.lead.append(chunk, arena);
        }
    }

    /// Folds decoded frames, which follow all frames before and whose bytes lie in `arenas`. With
    /// `may_grow` unset no flow begins, and no more payload is kept.
    pub(super) fn fold(&mut self, routed: &mut [Routed], arenas: &[&[u8]], may_grow: bool) {
        let mut outcome = Outcome::default();
        let found = self.collect_serial(routed, arenas, &mut outcome);
        let chunk = |(routed, bytes)| Chunk { routed, bytes };
        let chunks: Vec<Chunk<'_>> = routed.iter().zip(arenas.iter().copied()).map(chunk).collect();
        let room = Room { grow: may_grow, hold: !self.begins_stream() };
        let outcomes: Vec<Outcome> = self
            .shards
            .par_iter_mut()
            .enumerate()
            .map(|(number, shard)| shard.update(&chunks, number, &found, room))
            .collect();
        outcomes.into_iter().for_each(|more| outcome.merge(more));
        let Outcome { in_flows, no_room, blurred, copied, copies } = outcome;
        self.counts.accounting.add(Class::Flow, in_flows);
        self.counts.accounting.add(Class::TableFull, no_room);
        self.counts.accounting.add(Class::Copy, copied);
        self.counts.facts.copies.merge(copies);
        self.blurred.merge(blurred);
    }

    /// Takes from decoded chunks, in arrival order, what is rare and not sharded: fragments,
    /// ICMP quotes and counts. Answers the later fragments that found their flow, and the
    /// datagrams that are whole, in order of their place in the stream.
    fn collect_serial(
        &mut self,
        routed: &mut [Routed],
        arenas: &[&[u8]],
        outcome: &mut Outcome,
    ) -> Vec<(u64, Found)> {
        let mut all = Vec::new();
        for (chunk, arena) in routed.iter_mut().zip(arenas) {
            for event in chunk.fragments.drain(..) {
                if let Some((fragment, copies)) = self.is_copied_fragment(&event) {
                    outcome.copied.merge(Tally::of(fragment.frame_bytes, fragment.source));
                    outcome.copies.merge(copies);
                    continue;
                }
                let hasher = &self.hasher;
                self.fragments.push(event, arena, &mut self.counts.accounting, |found| {
                    all.push((hash(hasher, found.key()), found));
                });
            }
            for unit in chunk.quotes.drain(..) {
                if !self.is_copied_quote(&unit) {
                    self.quotes.note(&unit);
                    self.note_quoted(&unit);
                }
            }
            self.counts.merge(std::mem::take(&mut chunk.counts));
        }
        all
    }

    /// Notes which flow an ICMP error says something new of.
    fn note_quoted(&mut self, unit: &Unit) {
        let room = |quoted: &&mut BTreeSet<FlowKey>| quoted.len() < QUOTED;
        if let (Some(quoted), Some((key, _))) = (self.quoted.as_mut().filter(room), unit.quoted()) {
            quoted.insert(key);
        }
    }

    /// Whether a later fragment is a copy of one before it.
    fn is_copied_fragment(&mut self, event: &FragmentEvent) -> Option<(FragmentUnit, CopyCounts)> {
        let FragmentEvent::Later(fragment) = event else { return None };
        let FragmentUnit { fingerprint, source, time, .. } = *fragment;
        let copy = self.fragment_window.note(0, fingerprint, source.ordinal, time)?;
        let mut copies = CopyCounts::default();
        copies.count(copy);
        Some((*fragment, copies))
    }

    /// Whether an ICMP error is a copy of one before it.
    fn is_copied_quote(&mut self, unit: &Unit) -> bool {
        let Unit { fingerprint, source, time, .. } = *unit;
        self.quote_window.note(0, fingerprint, source.ordinal, time).is_some()
    }

    /// Gives up the runs of one shard that ended more than `keep` nanoseconds ago; their packets
    /// go to [`Class::Forgotten`]. Answers how many.
    pub(super) fn forget(&mut self, shard: usize, keep: i64) -> u64 {
        let Some(now) = self.counts.timeline.end() else { return 0 };
        let Some(shard) = self.shards.get_mut(shard) else { return 0 };
        let (runs, tally) = shard.table.forget(now, keep);
        self.counts.accounting.forget(tally);
        runs
    }

    /// Gives up what ICMP errors said more than `keep` nanoseconds ago.
    pub(super) fn forget_quotes(&mut self, keep: i64) {
        if let Some(now) = self.counts.timeline.end() {
            self.quotes.forget(now, keep);
        }
    }

    /// Time of the last packet of the stream.
    pub(super) fn end(&self) -> Option<Timestamp> {
        self.counts.timeline.end()
    }

    /// Joins the neighbouring stretch of the same stream. Either may be the earlier one, but
    /// nothing may lie between them: what is missing there cannot be put in later.
    ///
    /// The law: for any cut of the packets, the merged parts evaluate to what the whole
    /// evaluates to. It holds as long as no cap was hit, no datagram identification was used
    /// twice within the thirty seconds around the cut, and no packet is more than two seconds
    /// older than one before it.
    pub fn merge(&mut self, other: Partial) {
        let other_is_earlier = match (self.first_ordinal, other.first_ordinal) {
            (Some(ours), Some(theirs)) => theirs < ours,
            (None, Some(_)) => true,
            _ => false,
        };
        let mut later = if other_is_earlier { std::mem::replace(self, other) } else { other };
        let mut lead = std::mem::replace(&mut later.lead, Routed::new());
        let mut known = lead.split_off(self.lead_end());
        let arena = std::mem::take(&mut lead.held);
        self.hold(std::slice::from_mut(&mut lead), &[&arena]);
        let arena = std::mem::take(&mut known.held);
        self.fold(std::slice::from_mut(&mut known), &[&arena], true);
        self.join(later);
    }

    /// Joins a later neighbour that holds nothing back any more.
    fn join(&mut self, mut later: Partial) {
        self.join_fragments(&mut later);
        let end = later.lead_end();
        let settles = self.begins_stream() && !later.begins_stream();
        let Partial {
            hasher: _,
            copy_reach: _,
            first_ordinal: _,
            is_first: _,
            lead: _,
            shards,
            fragments: _,
            fragment_window,
            quotes,
            quote_window,
            counts,
            blurred,
            quoted: _,
            seen_ahead: _,
        } = later;
        for (shard, Shard { table, window }) in self.shards.iter_mut().zip(shards) {
            shard.table.merge(table);
            if settles {
                shard.table.settle();
            }
            shard.window.follow(&window, end);
        }
        self.fragment_window.follow(&fragment_window, end);
        self.quote_window.follow(&quote_window, end);
        self.quotes.merge(quotes);
        self.counts.merge(counts);
        self.blurred.merge(blurred);
    }

    /// Brings fragments of both stretches together. What is found lies in the later one, and goes
    /// there while the payload of its flows is still held unread.
    fn join_fragments(&mut self, later: &mut Partial) {
        let mut units: Vec<Vec<(u64, Unit)>> = (0..SHARDS).map(|_| Vec::new()).collect();
        let mut datagrams = Vec::new();
        let mut in_flows = Tally::default();
        let fragments = std::mem::take(&mut later.fragments);
        self.fragments.merge(fragments, &mut self.counts.accounting, |found| {
            let hash = hash(&self.hasher, found.key());
            match found {
                Found::Packet(unit) => {
                    in_flows.merge(Tally::of(unit.frame_bytes, unit.source));
                    if let Some(units) = units.get_mut(shard_of(hash)) {
                        units.push((hash, unit));
                    }
                }
                Found::Datagram(datagram) => datagrams.push((hash, datagram)),
            }
        });
        self.counts.accounting.add(Class::Flow, in_flows);
        for (shard, units) in later.shards.iter_mut().zip(units) {
            shard.table.merge_units(units);
        }
        for (hash, datagram) in datagrams {
            if let Some(shard) = later.shards.get_mut(shard_of(hash)) {
                shard.table.merge_datagram(hash, &datagram);
            }
        }
    }

    /// The end of the stream: nothing lies before it, so the first packets are folded, what
    /// waited is settled, and the flows are listed.
    pub fn evaluate(mut self) -> Evaluated {
        let mut whole = Partial::new(self.hasher.clone(), self.copy_reach);
        let mut lead = std::mem::replace(&mut self.lead, Routed::new());
        let arena = std::mem::take(&mut lead.held);
        whole.fold(std::slice::from_mut(&mut lead), &[&arena], true);
        whole.join(self);
        let Partial { shards, mut fragments, quotes, mut counts, blurred, .. } = whole;
        let early_fragments = fragments.finish(&mut counts.accounting, counts.timeline.begin());
        let (quotes_lost, quotes_misdirected) = (quotes.lost(), quotes.misdirected());
        let tables = shards.into_iter().map(|shard| shard.table).collect();
        let Counts { accounting, timeline, facts, carriers, unread_inside } = counts;
        Evaluated {
            records: records(tables, quotes),
            accounting,
            timeline,
            facts,
            carriers,
            unread_inside,
            blurred,
            fragments_lost: fragments.lost(),
            early_fragments,
            datagrams_unjoined: fragments.unjoined(),
            datagrams_contradictory: fragments.contradictory(),
            quotes_lost,
            quotes_misdirected,
        }
    }
}
