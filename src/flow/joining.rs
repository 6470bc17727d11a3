//! Joins the payload of fragmented datagrams for those who read what flows speak.
//!
//! In: the captured bytes of fragments, the first of a datagram with its flow, the others before or
//! after it. Out: the payload of the whole datagram, once, at the place of the packet that
//! completed it. What overlaps other than by repetition is refused altogether (RFC 5722
//! section 3, RFC 8200 section 4.5), in IPv4 too: hosts differ in which of the bytes count.
//! Not here: to which flow a fragment belongs, and what it adds to the flow's counts.

use serde::{Deserialize, Serialize};

use super::aging::Aging;
use super::fragment::FirstFragment;
use super::fragments::{HELD, PATIENCE};
use crate::base::{Cursor, IpProto, Timestamp};
use crate::capture::FrameRef;
use crate::decode::{DatagramId, Direction, FlowKey};

/// Most bytes of datagrams that wait to be completed.
const BYTES: usize = 1 << 22;

/// Most datagrams that wait to be completed.
const DATAGRAMS: usize = 4096;

/// Most fragments of one datagram: what 64 KiB take at the least length that a link of the
/// Internet must carry (RFC 791 section 3.2: 576 bytes), and some.
pub(super) const PIECES: usize = 128;

/// Longest datagram without jumbo payload option, in bytes (RFC 791 section 3.1, RFC 8200
/// section 3).
const LONGEST: u32 = u16::MAX as u32;

/// Bytes of a UDP header, and offset of the length in it (RFC 768).
const UDP_HEADER: u32 = 8;
const UDP_LENGTH: usize = 4;

/// The payload of a datagram that was sent in fragments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Datagram {
    /// The flow.
    pub key: FlowKey,
    /// Which way it travelled.
    pub direction: Direction,
    /// Place of the packet that completed it.
    pub source: FrameRef,
    /// When that was captured.
    pub time: Timestamp,
    /// TCP sequence number of the first byte of `payload`; 0 for UDP.
    pub sequence: u32,
    /// The transport payload: of UDP all of it, of TCP what follows the first fragment.
    pub payload: Vec<u8>,
    /// Bytes that the transport header declares; more than there are when it declares too much.
    pub wire: u32,
}

/// The bytes of one fragment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Piece {
    /// The datagram.
    pub(super) of: DatagramId,
    /// Bytes of the datagram before it.
    pub(super) offset: u32,
    pub(super) is_last: bool,
    pub(super) bytes: Box<[u8]>,
    pub(super) source: FrameRef,
    pub(super) time: Timestamp,
}

impl Piece {
    fn end(&self) -> u32 {
        self.offset.saturating_add(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX))
    }
}

/// A datagram that waits to be completed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Unfinished {
    /// `None` when other fragments came before the first.
    pub(super) first: Option<FirstFragment>,
    pub(super) pieces: Vec<Piece>,
}

/// What the fragments of a datagram amount to.
enum Joined {
    Incomplete,
    /// They overlap, or one lies behind the end.
    Contradictory,
    Whole(Vec<u8>),
}

impl Unfinished {
    fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes.len()).sum()
    }

    fn join(&mut self) -> Joined {
        let ends = || self.pieces.iter().filter(|piece| piece.is_last).map(Piece::end);
        let Some(end) = ends().max() else { return Joined::Incomplete };
        if end > LONGEST || ends().any(|other| other != end) {
            return Joined::Contradictory;
        }
        if self.bytes() < end as usize {
            return Joined::Incomplete;
        }
        self.pieces.sort_by_key(|piece| (piece.offset, piece.source));
        self.pieces.dedup_by(|next, one| next.offset == one.offset && next.bytes == one.bytes);
        let mut whole = Vec::with_capacity(end as usize);
        for piece in &self.pieces {
            match (piece.offset as usize).cmp(&whole.len()) {
                std::cmp::Ordering::Less => return Joined::Contradictory,
                std::cmp::Ordering::Equal => whole.extend_from_slice(&piece.bytes),
                std::cmp::Ordering::Greater => return Joined::Incomplete,
            }
        }
        if whole.len() > end as usize { Joined::Contradictory } else { Joined::Whole(whole) }
    }
}

impl Datagram {
    /// The payload of a datagram whose pieces are `whole`.
    fn of(first: &FirstFragment, pieces: &[Piece], whole: &[u8]) -> Option<Datagram> {
        let FirstFragment { key, direction, header, sequence, payload_bytes, .. } = *first;
        let (source, time) = pieces.iter().map(|piece| (piece.source, piece.time)).max()?;
        let (skip, sequence, wire) = match key.protocol() {
            IpProto::UDP => {
                let length = header.checked_sub(UDP_HEADER)? as usize + UDP_LENGTH;
                let declared = Cursor::new(whole.get(length..)?).u16_be()?;
                (header, 0, u32::from(declared).saturating_sub(UDP_HEADER))
            }
            _ => {
                let payload = payload_bytes.saturating_sub(header);
                let rest = u32::try_from(whole.len()).ok()?.checked_sub(payload_bytes)?;
                (payload_bytes, sequence.wrapping_add(payload), rest)
            }
        };
        let payload = whole.get(skip as usize..)?;
        let payload = payload.get(..wire as usize).unwrap_or(payload).to_vec();
        Some(Datagram { key, direction, source, time, sequence, payload, wire })
    }
}

/// The datagrams that wait to be completed, within bounds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Joiner {
    unfinished: Aging<Unfinished>,
    bytes: usize,
    /// Datagrams given up for want of room.
    pub(super) given_up: u64,
    /// Datagrams refused because their fragments contradict each other.
    pub(super) refused: u64,
}

impl Joiner {
    /// Whether another datagram may begin to wait without any being given up.
    pub(super) fn has_room(&self) -> bool {
        self.unfinished.len() < DATAGRAMS && self.bytes < BYTES
    }

    /// Keeps a fragment whose first is not known.
    pub(super) fn wait(&mut self, piece: Piece) {
        let datagram = piece.of;
        let mut unfinished = self.take(&datagram).unwrap_or_default();
        if unfinished.first.is_some() {
            // That first is too old for this fragment.
            unfinished = Unfinished::default();
        }
        if unfinished.pieces.len() < PIECES {
            unfinished.pieces.push(piece);
        }
        self.keep(datagram, unfinished);
    }

    /// Takes the fragments that came before a first captured at `time`.
    pub(super) fn claim(&mut self, datagram: &DatagramId, time: Timestamp) -> Vec<Piece> {
        let Some(Unfinished { first, mut pieces }) = self.take(datagram) else { return Vec::new() };
        let rest = pieces.extract_if(.., |piece| time.apart(piece.time) > PATIENCE).collect();
        if first.is_none() {
            self.keep(*datagram, Unfinished { first, pieces: rest });
            return pieces;
        }
        Vec::new()
    }

    /// Begins a datagram with its first fragment and others; answers it if that is all of it.
    pub(super) fn begin(
        &mut self,
        datagram: DatagramId,
        first: FirstFragment,
        pieces: Vec<Piece>,
    ) -> Option<Datagram> {
        drop(self.take(&datagram));
        self.settle(datagram, Unfinished { first: Some(first), pieces })
    }

    /// Whether a fragment belongs to a datagram whose first is held.
    pub(super) fn awaits(&self, piece: &Piece) -> bool {
        let first = self.unfinished.get(&piece.of).and_then(|held| held.first);
        first.is_some_and(|first| first.time.apart(piece.time) <= PATIENCE)
    }

    /// Adds a fragment to its first; answers the datagram that it completes.
    pub(super) fn add(&mut self, piece: Piece) -> Option<Datagram> {
        if !self.awaits(&piece) {
            return None;
        }
        let datagram = piece.of;
        let mut unfinished = self.take(&datagram)?;
        unfinished.pieces.push(piece);
        self.settle(datagram, unfinished)
    }

    /// Answers what is whole, refuses what contradicts itself and keeps the rest.
    fn settle(&mut self, datagram: DatagramId, mut unfinished: Unfinished) -> Option<Datagram> {
        match (unfinished.join(), unfinished.first) {
            (Joined::Whole(whole), Some(first)) => Datagram::of(&first, &unfinished.pieces, &whole),
            (Joined::Contradictory, _) => {
                self.refused += 1;
                None
            }
            _ if unfinished.pieces.len() >= PIECES => {
                self.given_up += 1;
                None
            }
            _ => {
                self.keep(datagram, unfinished);
                None
            }
        }
    }

    /// Forgets what can no longer be completed.
    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some(mut aged) = self.unfinished.pop_aged(now, HELD) {
            self.bytes -= aged.bytes();
            aged.pieces.retain(|piece| now.apart(piece.time) <= HELD);
            if aged.first.is_none()
                && let Some(datagram) = aged.pieces.first().map(|one| one.of)
            {
                self.keep(datagram, aged);
            }
        }
    }

    /// What waits, in order of the datagrams, and the counts.
    pub(super) fn into_parts(self) -> (impl Iterator<Item = (DatagramId, Unfinished)>, u64, u64) {
        (self.unfinished.into_values(), self.given_up, self.refused)
    }

    fn take(&mut self, datagram: &DatagramId) -> Option<Unfinished> {
        let unfinished = self.unfinished.remove(datagram)?;
        self.bytes -= unfinished.bytes();
        Some(unfinished)
    }

    /// Lets a datagram wait; the oldest are given up for it.
    fn keep(&mut self, datagram: DatagramId, unfinished: Unfinished) {
        let begun = unfinished.pieces.first().map(|piece| piece.time);
        let Some(begun) = unfinished.first.map(|first| first.time).or(begun) else { return };
        self.bytes += unfinished.bytes();
        self.unfinished.insert(datagram, begun, unfinished);
        while (self.bytes > BYTES || self.unfinished.len() > DATAGRAMS)
            && let Some(oldest) = self.unfinished.pop_oldest()
        {
            self.bytes -= oldest.bytes();
            self.given_up += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Endpoint;

    const SECOND: i64 = 1_000_000_000;

    fn of(identification: u32) -> DatagramId {
        let source = Endpoint::v4([10, 0, 0, 1], 0);
        let destination = Endpoint::v4([10, 0, 0, 2], 0);
        DatagramId { source, destination, protocol: IpProto::UDP, identification }
    }

    fn piece(identification: u32, offset: u32, bytes: &[u8], is_last: bool, nanos: i64) -> Piece {
        Piece {
            of: of(identification),
            offset,
            is_last,
            bytes: bytes.into(),
            source: FrameRef { ordinal: nanos.unsigned_abs(), ..FrameRef::default() },
            time: Timestamp::from_nanos(nanos),
        }
    }

    fn first(nanos: i64) -> FirstFragment {
        let (source, destination) =
            (of(0).source.with_port(40_000), of(0).destination.with_port(9));
        let (key, direction) = FlowKey::new(source, destination, IpProto::UDP);
        FirstFragment {
            key,
            direction,
            time: Timestamp::from_nanos(nanos),
            source: FrameRef { ordinal: nanos.unsigned_abs(), ..FrameRef::default() },
            sequence: 0,
            header: 8,
            payload_bytes: 16,
            payload_offset: 0,
            payload_captured: 16,
            digest: 0,
        }
    }

    /// Ports 40000 and 9, length 24, and the first 8 of 16 bytes of payload (RFC 768).
    const BEGIN: [u8; 16] =
        [0x9c, 0x40, 0, 9, 0, 24, 0, 0, b'a', b'b', b'c', b'd', b'e', b'f', b'g', b'h'];

    fn begin(joiner: &mut Joiner, identification: u32, nanos: i64) -> Option<Datagram> {
        let pieces = vec![piece(identification, 0, &BEGIN, false, nanos)];
        joiner.begin(of(identification), first(nanos), pieces)
    }

    #[test]
    fn a_flood_of_firsts_takes_bounded_room_and_silences_no_datagram() {
        let mut joiner = Joiner::default();
        for flood in 0..100_000 {
            assert!(begin(&mut joiner, 1_000_000 + flood, SECOND + i64::from(flood)).is_none());
            if flood % 1_000 == 0 {
                assert!(begin(&mut joiner, flood, SECOND + i64::from(flood)).is_none());
                let last = piece(flood, 16, b"ijklmnop", true, SECOND + i64::from(flood) + 1);
                let joined = joiner.add(last).expect("it is whole");
                assert_eq!(
                    (joined.payload.as_slice(), joined.wire),
                    (&b"abcdefghijklmnop"[..], 16)
                );
            }
        }
        assert!(joiner.unfinished.len() <= DATAGRAMS && joiner.bytes <= BYTES);
        assert_eq!(joiner.given_up + joiner.unfinished.len() as u64, 100_000);
        joiner.expire(Timestamp::from_nanos(100 * SECOND));
        assert_eq!((joiner.unfinished.len(), joiner.bytes), (0, 0));
    }

    #[test]
    fn a_flood_of_fragments_of_one_datagram_is_bounded() {
        let mut joiner = Joiner::default();
        for nanos in 0..10_000 {
            joiner.wait(piece(1, 8, &[0; 1400], false, nanos));
        }
        assert_eq!(joiner.bytes, PIECES * 1400);
        assert!(begin(&mut joiner, 2, 0).is_none());
        for nanos in 1..10_000 {
            assert!(joiner.add(piece(2, 16, &[0; 8], false, nanos)).is_none());
        }
        assert_eq!((joiner.given_up, joiner.unfinished.len()), (1, 1));
    }

    /// What the fragments say of each other, by RFC 791 section 3.2 and RFC 5722 section 3.
    #[test]
    fn contradictions_are_refused_and_repetitions_are_not() {
        let joined = |pieces: &[(u32, &[u8], bool)]| {
            let mut joiner = Joiner::default();
            let mut joined = begin(&mut joiner, 1, 0);
            for ((offset, bytes, is_last), nanos) in pieces.iter().zip(1..) {
                joined = joiner.add(piece(1, *offset, bytes, *is_last, nanos)).or(joined);
            }
            (joined.map(|joined| joined.payload), joiner.refused)
        };
        let whole = Some(b"abcdefghijklmnop".to_vec());
        assert_eq!(joined(&[(16, b"ijklmnop", true)]), (whole.clone(), 0));
        assert_eq!(joined(&[(0, &BEGIN, false), (16, b"ijklmnop", true)]), (whole, 0));
        assert_eq!(joined(&[(16, b"ijklmnop", false)]), (None, 0));
        assert_eq!(joined(&[(24, b"ijklmnop", true)]), (None, 0), "a hole");
        assert_eq!(joined(&[(8, b"xxxxxxxx", false), (16, b"ijklmnop", true)]), (None, 1));
        assert_eq!(joined(&[(16, b"ijkl", true), (16, b"ijklmnop", true)]).1, 0, "whole before");
        assert_eq!(joined(&[(24, b"qrst", true), (16, b"ijklmnop", true)]), (None, 1), "two ends");
        assert_eq!(joined(&[(65_528, &[0; 16], true)]), (None, 1), "longer than a packet can be");
    }

    /// A fragment that is more than thirty seconds older than the first is of another datagram.
    #[test]
    fn what_came_long_before_the_first_is_not_taken() {
        for (seconds, pieces) in [(30, 1), (31, 0)] {
            let mut joiner = Joiner::default();
            joiner.wait(piece(1, 16, b"ijklmnop", true, 0));
            let claimed = joiner.claim(&of(1), Timestamp::from_nanos(seconds * SECOND));
            assert_eq!(claimed.len(), pieces, "after {seconds} s");
            assert_eq!(joiner.unfinished.len(), 1 - pieces);
        }
    }
}
