//! The first payload that one end sends, kept until it is known what is spoken.
//!
//! In: segments or datagrams in order of arrival. Out: the [`Piece`]s of [`Evidence`]: of a stream
//! whose begin was seen its in-order head, of another the stretches that lie together, of UDP the
//! datagrams. What is kept is a function of the first arrivals alone.
//!
//! [`Evidence`]: super::Evidence

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::evidence::{Carriage, Piece, Start};
use crate::base::Timestamp;

/// Bytes kept of what one end sends.
const ROOM: usize = 8192;

/// Segments kept of one end, and datagrams.
const SEGMENTS: usize = 32;
const DATAGRAMS: usize = 16;

/// Bytes kept of one segment whose place in the stream is not known, and of one datagram.
const LONE: usize = 1536;

/// Bytes kept of one datagram that came in fragments; some room is left for others.
const JOINED: usize = 6144;

/// A kept segment or datagram.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Kept {
    /// Sequence number of its first byte.
    sequence: u32,
    /// Where its bytes end in the arena; they begin where those before it end.
    end: u32,
    /// Bytes on the wire.
    wire: u32,
    time: Timestamp,
}

/// What is kept of one end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Head {
    bytes: Vec<u8>,
    kept: Vec<Kept>,
}

/// A segment or datagram, as it is kept or as it arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub(super) sequence: u32,
    pub(super) bytes: &'a [u8],
    pub(super) wire: u32,
    pub(super) time: Timestamp,
    /// Whether it is a whole datagram of which the first fragment arrived before.
    pub(super) joined: bool,
}

/// A piece that owns its bytes where it joins several segments.
pub(super) struct Stretch<'a> {
    bytes: Cow<'a, [u8]>,
    wire: usize,
    start: Start,
    segments: Vec<u32>,
    time: Timestamp,
}

impl<'a> Stretch<'a> {
    fn of(arrival: Arrival<'a>, start: Start) -> Self {
        Stretch {
            bytes: Cow::Borrowed(arrival.bytes),
            wire: arrival.wire as usize,
            start,
            segments: Vec::new(),
            time: arrival.time,
        }
    }

    /// Appends what begins `skip` bytes into a segment that follows without a hole.
    fn extend(&mut self, arrival: Arrival<'_>, skip: usize) {
        let fresh = arrival.bytes.get(skip..).unwrap_or_default();
        self.segments.push(self.bytes.len() as u32);
        self.bytes.to_mut().extend_from_slice(fresh);
        self.wire += (arrival.wire as usize).saturating_sub(skip);
    }

    fn is_cut(&self) -> bool {
        self.bytes.len() < self.wire
    }

    /// The piece as recognisers see it.
    pub(super) fn piece(&self) -> Piece<'_> {
        let Stretch { bytes, wire, start, segments, time } = self;
        Piece { bytes, wire: *wire, start: *start, segments, time: *time }
    }
}

impl Head {
    /// Keeps an arrival with payload where there is room; answers whether it did. A segment that
    /// is held already is left out. `in_place` tells that the begin of the stream is known.
    pub(super) fn keep(
        &mut self,
        arrival: Arrival<'_>,
        carriage: Carriage,
        in_place: bool,
    ) -> bool {
        let repeats = |kept: &Kept| kept.sequence == arrival.sequence && kept.wire >= arrival.wire;
        if self.is_full(carriage) || carriage == Carriage::Tcp && self.kept.iter().any(repeats) {
            return false;
        }
        let most = match carriage {
            Carriage::Tcp if in_place => ROOM,
            Carriage::Udp if arrival.joined => JOINED,
            _ => LONE,
        };
        let room = most.min(ROOM - self.bytes.len());
        let bytes = arrival.bytes.get(..room).unwrap_or(arrival.bytes);
        self.bytes.extend_from_slice(bytes);
        let Arrival { sequence, wire, time, .. } = arrival;
        self.kept.push(Kept { sequence, end: self.bytes.len() as u32, wire, time });
        true
    }

    /// Gives up the first fragment of a datagram that is whole now. Answers whether it was held.
    pub(super) fn supersede(&mut self, whole: Arrival<'_>) -> bool {
        let begins = |held: Arrival<'_>| {
            held.wire == whole.wire
                && held.bytes.len() < whole.bytes.len()
                && whole.bytes.starts_with(held.bytes)
        };
        let Some(at) = self.arrivals().position(begins) else { return false };
        let begin = at.checked_sub(1).and_then(|before| self.kept.get(before));
        let begin = begin.map_or(0, |before| before.end);
        let end = self.kept.remove(at).end;
        self.bytes.drain(begin as usize..end as usize);
        self.kept.iter_mut().skip(at).for_each(|kept| kept.end -= end - begin);
        true
    }

    /// Whether nothing more is kept.
    pub(super) fn is_full(&self, carriage: Carriage) -> bool {
        let most = if carriage == Carriage::Tcp { SEGMENTS } else { DATAGRAMS };
        self.bytes.len() >= ROOM || self.kept.len() >= most
    }

    /// Number of segments or datagrams kept.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Bytes of memory in use beside the head itself.
    pub(super) fn weight(&self) -> usize {
        self.bytes.capacity() + self.kept.capacity() * size_of::<Kept>()
    }

    /// What is kept, in order of arrival.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = Arrival<'_>> {
        let begins = std::iter::once(0).chain(self.kept.iter().map(|kept| kept.end));
        begins.zip(&self.kept).map(|(begin, kept)| Arrival {
            sequence: kept.sequence,
            bytes: self.bytes.get(begin as usize..kept.end as usize).unwrap_or_default(),
            wire: kept.wire,
            time: kept.time,
            joined: false,
        })
    }

    /// What recognisers see of it. `start` is the sequence number of the first byte of the stream,
    /// where it is known.
    pub(super) fn stretches(&self, carriage: Carriage, start: Option<u32>) -> Vec<Stretch<'_>> {
        match carriage {
            Carriage::Udp => {
                self.arrivals().map(|arrival| Stretch::of(arrival, Start::Message)).collect()
            }
            Carriage::Tcp => match start.and_then(|start| self.in_order(start)) {
                Some(head) => vec![head],
                None => self.midstream(),
            },
        }
    }

    /// The bytes from the start of the stream to the first hole.
    fn in_order(&self, start: u32) -> Option<Stretch<'_>> {
        let mut arrivals: Vec<Arrival<'_>> = self.arrivals().collect();
        arrivals.sort_by_key(|arrival| arrival.sequence.wrapping_sub(start) as i32);
        let mut head: Option<Stretch<'_>> = None;
        for arrival in arrivals {
            let have = head.as_ref().map_or(0, |head| head.bytes.len());
            let offset = arrival.sequence.wrapping_sub(start) as i32;
            // A byte before the start is a keep-alive.
            let Ok(offset) = usize::try_from(offset) else { continue };
            if offset > have || head.as_ref().is_some_and(Stretch::is_cut) {
                break;
            }
            match &mut head {
                None => head = Some(Stretch::of(arrival, Start::Message)),
                Some(_) if arrival.bytes.len() <= have - offset => {}
                Some(head) => head.extend(arrival, have - offset),
            }
        }
        head
    }

    /// The stretches of a stream whose start was not seen, in order of arrival.
    fn midstream(&self) -> Vec<Stretch<'_>> {
        let mut next = None;
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        for arrival in self.arrivals() {
            let ahead = next.map_or(1, |next: u32| arrival.sequence.wrapping_sub(next) as i32);
            let end = arrival.sequence.wrapping_add(arrival.wire);
            match stretches.last_mut() {
                // What is sent again was looked at; a keep-alive is a byte of that kind.
                _ if ahead < 0 => continue,
                Some(last) if ahead == 0 && !last.is_cut() => last.extend(arrival, 0),
                _ => stretches.push(Stretch::of(arrival, Start::Midstream)),
            }
            next = Some(end);
        }
        stretches
    }
}
