//! All runs of one five-tuple.

use serde::{Deserialize, Serialize};

use super::joining::Datagram;
use super::segment::Segment;
use super::table::{Packet, Room};
use crate::base::IpProto;
use crate::decode::Direction;

/// The runs of one five-tuple in arrival order.
///
/// Almost every five-tuple has one run, so the first is held in place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlowHistory {
    first: Segment,
    #[expect(clippy::box_collection, reason = "one word instead of three in every flow")]
    more: Option<Box<Vec<Segment>>>,
}

impl FlowHistory {
    /// The history of one run.
    pub fn new(segment: Segment) -> Self {
        FlowHistory { first: segment, more: None }
    }

    /// The history of runs that are to be [merged](FlowHistory::merge) into another. `None` of
    /// nothing.
    pub(super) fn of_pieces(mut pieces: impl Iterator<Item = Segment>) -> Option<Self> {
        let first = pieces.next()?;
        let more: Vec<_> = pieces.collect();
        Some(FlowHistory { first, more: (!more.is_empty()).then(|| Box::new(more)) })
    }

    /// Fetches the memory that the next packet will change.
    pub(super) fn touch(&self, direction: Direction) {
        self.first.touch(direction);
        std::hint::black_box(self.more.is_some());
    }

    /// The runs in arrival order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        std::iter::once(&self.first).chain(self.more.iter().flat_map(|more| more.iter()))
    }

    /// Bytes of memory in use for what the payload of the runs tells.
    pub(super) fn weight(&self) -> u64 {
        self.segments().map(|run| run.recognition.weight() as u64).sum()
    }

    fn last_mut(&mut self) -> &mut Segment {
        match self.more.as_mut().and_then(|more| more.last_mut()) {
            Some(last) => last,
            None => &mut self.first,
        }
    }

    /// The runs in arrival order, for whoever needs nothing else of the history.
    pub fn into_segments(self) -> impl Iterator<Item = Segment> {
        let FlowHistory { first, more } = self;
        std::iter::once(first).chain(more.into_iter().flat_map(|more| *more))
    }

    /// Reads the payload that runs hold: nothing lies before them any more.
    pub(super) fn settle(&mut self) {
        self.first.recognition.settle();
        for run in self.more.iter_mut().flat_map(|more| more.iter_mut()) {
            run.recognition.settle();
        }
    }

    /// Adds a packet that arrived after all packets before it. Answers what became of it, and by
    /// how many bytes more memory is in use for payload.
    ///
    /// With `room.grow` unset the packet joins the newest run whatever the rule says; the
    /// caller counts that as lost detail.
    pub fn push(&mut self, packet: Packet<'_>, protocol: IpProto, room: Room) -> (Pushed, isize) {
        let unit = packet.unit;
        let last = self.last_mut();
        let continues = last.accepts(unit, protocol);
        if continues || !room.grow {
            last.absorb(unit);
            let weight = last.read(packet, room);
            return (if continues { Pushed::Joined } else { Pushed::JoinedForWantOfRoom }, weight);
        }
        let mut run = Segment::of(unit);
        let weight = run.read(packet, room);
        self.begin(run);
        (Pushed::Began, weight)
    }

    /// Reads a datagram whose last packet was added just now. Answers by how many bytes more
    /// memory is in use.
    pub(super) fn read_datagram(&mut self, datagram: &Datagram, room: Room) -> isize {
        self.last_mut().read_datagram(datagram, room)
    }

    /// Counts a copy of a packet that is held, or that lies in the stretch of the stream before
    /// this one: then the newest run is as good as any, for it will be appended to that one.
    pub(super) fn push_copy(&mut self, direction: Direction) {
        self.last_mut().count_copy(direction);
    }

    fn begin(&mut self, next: Segment) {
        self.more.get_or_insert_default().push(next);
    }

    /// Gives up the oldest runs, so far as they are over, and tells of each. False when no run is
    /// left.
    pub(super) fn forget(
        &mut self,
        is_over: impl Fn(&Segment) -> bool,
        mut tell: impl FnMut(&Segment),
    ) -> bool {
        if !is_over(&self.first) {
            return true;
        }
        let ended = self.segments().take_while(|run| is_over(run)).inspect(|run| tell(run)).count();
        let mut rest = self.more.take().into_iter().flat_map(|more| *more).skip(ended - 1);
        let Some(first) = rest.next() else { return false };
        let more: Vec<Segment> = rest.collect();
        *self = FlowHistory { first, more: (!more.is_empty()).then(|| Box::new(more)) };
        true
    }

    /// Joins the history of the same five-tuple from another part of the stream.
    pub fn merge(&mut self, other: FlowHistory, protocol: IpProto) {
        let mut runs: Vec<Segment> = other.into_segments().collect();
        let recognition = std::mem::take(&mut self.first.recognition);
        let mut first = self.first.clone();
        first.recognition = recognition;
        runs.push(first);
        runs.extend(self.more.take().into_iter().flat_map(|more| *more));
        // What holds no packet, a datagram say, belongs behind the packet in the same place.
        runs.sort_by_key(|run| (run.origin, run.packets() == 0));
        let mut runs = runs.into_iter();
        let Some(first) = runs.next() else { return };
        *self = FlowHistory::new(first);
        for next in runs {
            let last = self.last_mut();
            if last.continues(&next, protocol) {
                last.append(next);
            } else {
                self.begin(next);
            }
        }
    }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It joined the newest run.
    Joined,
    /// It began a run.
    Began,
    /// It should have begun a run but there was no room for one.
    JoinedForWantOfRoom,
}
