//! What is carried from packets to evaluation, and how two stretches of the stream join.

use super::timeline::Timeline;
use crate::base::Merge;
use crate::decode::Unit;
use crate::flow::{
    Accounting, Class, FlowRecord, FlowTable, FragmentPool, QuoteLog, Tally, records,
};

/// Number of shards of the flow table; the same for any number of threads.
pub(super) const SHARDS: usize = 32;

/// Everything known of a stretch of the stream. Free of policy and site.
#[derive(Debug)]
pub struct Partial {
    pub(super) hasher: foldhash::fast::RandomState,
    pub(super) shards: Vec<FlowTable>,
    pub(super) fragments: FragmentPool,
    pub(super) quotes: QuoteLog,
    pub(super) accounting: Accounting,
    pub(super) timeline: Timeline,
    /// Packets that joined an older run of their five-tuple for want of room.
    pub(super) blurred: Tally,
    first_ordinal: Option<u64>,
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
    /// Packets that joined an older use of their five-tuple for want of room.
    pub blurred: Tally,
    /// Fragments that could not wait for their first for want of room.
    pub fragments_lost: u64,
    /// ICMP errors whose quoted flow was not kept for want of room.
    pub quotes_lost: u64,
    /// ICMP errors that were not sent to the host whose packet they quote; they say nothing of
    /// the quoted flow.
    pub quotes_misdirected: u64,
}

impl Partial {
    /// An empty stretch. Parts that are to be merged share the hasher.
    pub fn new(hasher: foldhash::fast::RandomState) -> Self {
        Partial {
            hasher,
            shards: (0..SHARDS).map(|_| FlowTable::default()).collect(),
            fragments: FragmentPool::default(),
            quotes: QuoteLog::default(),
            accounting: Accounting::default(),
            timeline: Timeline::default(),
            blurred: Tally::default(),
            first_ordinal: None,
        }
    }

    /// Runs held in all shards, the measure of memory.
    pub fn runs(&self) -> u64 {
        self.shards.iter().map(FlowTable::runs).sum()
    }

    /// Notes the place of a packet, to tell which of two stretches is the earlier.
    pub(super) fn begin_at(&mut self, ordinal: u64) {
        self.first_ordinal.get_or_insert(ordinal);
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
        let later = if other_is_earlier { std::mem::replace(self, other) } else { other };
        let Partial {
            hasher: _,
            shards,
            fragments,
            quotes,
            accounting,
            timeline,
            blurred,
            first_ordinal: _,
        } = later;
        for (shard, table) in self.shards.iter_mut().zip(shards) {
            shard.merge(table);
        }
        let mut found: Vec<Unit> = Vec::new();
        self.fragments.merge(fragments, &mut self.accounting, |unit| found.push(unit));
        self.quotes.merge(quotes);
        self.accounting.merge(accounting);
        self.timeline.merge(timeline);
        self.blurred.merge(blurred);
        for unit in found {
            let hash = super::fold::hash(&self.hasher, &unit.key);
            if let Some(shard) = self.shards.get_mut(super::fold::shard_of(hash)) {
                shard.merge_unit(hash, &unit);
            }
            self.accounting.add(Class::Flow, Tally::of(unit.frame_bytes, unit.source));
        }
    }

    /// The end of the stream: settles what waited and lists the flows.
    pub fn evaluate(self) -> Evaluated {
        let Partial { shards, mut fragments, quotes, mut accounting, timeline, blurred, .. } = self;
        fragments.finish(&mut accounting);
        let (quotes_lost, quotes_misdirected) = (quotes.lost(), quotes.misdirected());
        Evaluated {
            records: records(shards, quotes),
            accounting,
            timeline,
            blurred,
            fragments_lost: fragments.lost(),
            quotes_lost,
            quotes_misdirected,
        }
    }
}
