//! T.38 fax over UDPTL (ITU-T T.38 annex A and section 9.1).
//!
//! Layout of a datagram (aligned PER, big-endian): 0 sequence · 2 length of the primary packet,
//! one byte up to 127, else two with the top bit set · the packet · one byte: 00 secondary packets
//! follow, counted and each behind its length; 80 parity (FEC) follows: two counts and packets
//! behind their lengths. A packet is one byte for an indicator, or a byte of data type with its
//! fields. Sequence numbers start at 0 and count up.
//!
//! That signalling promised fax proves nothing (D2.17): what proves it is datagrams that parse to
//! the last byte and count up. [`Track`] gathers that over any number of datagrams, since fax
//! mostly follows speech between the same ports; tracks of neighbouring parts merge.

use serde::{Deserialize, Serialize};

use super::Recogniser;
use super::announcement::{Announcement, Follower};
use super::claim::{Answer, Claim, Grade, Proof};
use super::content::SHOWN;
use super::evidence::{Carriage, End, Evidence, Piece};
use super::protocol::Protocol;
use crate::base::Cursor;

/// The recogniser of T.38.
pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::T38, carriage: &[Carriage::Udp], recognise };

/// The largest sequence number at which a sender is believed to be early in a fax: below it the
/// first bit is 0, which RTP never has.
const SEQUENCE_LIMIT: u16 = 0x7FFF;

/// Secondary or parity packets of one datagram.
const REDUNDANCY: u32 = 16;

/// Steps that make a fax probable, and that confirm it.
const PROBABLE: u32 = 3;
const CONFIRMED: u32 = 5;

/// Farthest that a sequence number may step forward and still count.
const REACH: u16 = 16;

/// What one sender's datagrams show, in any number of them.
///
/// `merge` of two neighbouring parts gives the track of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Sequence numbers of the first and the last datagram.
    ends: Option<(u16, u16)>,
    good: u32,
    bad: u32,
    /// Good steps between datagrams that repeat what the one before said, or say something else
    /// that a fax would: more than an empty packet.
    spoken: u32,
}

impl Track {
    /// Takes the next datagram of the sender: its first bytes and its length on the wire. What does
    /// not parse as T.38 is passed over.
    pub fn feed(&mut self, head: &[u8], wire: usize) {
        if let Some(Parsed { sequence, content }) = parse(head, wire) {
            let spoken = u32::from(content);
            self.merge(Track { ends: Some((sequence, sequence)), good: 0, bad: 0, spoken });
        }
    }

    /// Takes the track of what the same sender sent next.
    pub fn merge(&mut self, later: Track) {
        let Track { ends, good, bad, spoken } = later;
        if let (Some((_, last)), Some((next, _))) = (self.ends, ends) {
            match next.wrapping_sub(last) {
                0 => {}
                1..=REACH => self.good = self.good.saturating_add(1),
                late if late.wrapping_neg() <= REACH => {}
                _ => self.bad = self.bad.saturating_add(1),
            }
        }
        let first = self.ends.or(ends).map(|(first, _)| first);
        let last = ends.or(self.ends).map(|(_, last)| last);
        self.ends = first.zip(last);
        self.good = self.good.saturating_add(good);
        self.bad = self.bad.saturating_add(bad);
        self.spoken = self.spoken.saturating_add(spoken);
    }

    /// How sure it is that this is T.38.
    pub fn grade(&self) -> Option<Grade> {
        let steady = u64::from(self.bad) * 10 <= u64::from(self.good);
        if self.good < PROBABLE || self.spoken <= PROBABLE || !steady {
            None
        } else if self.good < CONFIRMED {
            Some(Grade::Strong)
        } else {
            Some(Grade::Confirmed)
        }
    }
}

/// Watches the packets of a call that began with speech for fax between the same ports.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct FaxWatch {
    tracks: [Track; 2],
    /// Who sent the first datagram of fax, and its first bytes.
    shown: Option<(End, Vec<u8>)>,
}

impl FaxWatch {
    /// How sure it is that the call turned to fax, who sent its first datagram, and the first
    /// bytes of that. `None` while it is less than strong.
    pub(super) fn found(&self) -> Option<(Grade, End, &[u8])> {
        let grade = self.tracks.iter().filter_map(Track::grade).max()?;
        let (end, bytes) = self.shown.as_ref()?;
        (grade >= Grade::Strong).then_some((grade, *end, bytes))
    }
}

impl Follower for FaxWatch {
    /// Reads one datagram. One that the capture cut does not parse.
    fn feed(&mut self, end: End, bytes: &[u8], _: bool, _: &mut dyn FnMut(Announcement)) {
        if !may_be(bytes) || parse(bytes, bytes.len()).is_none() {
            return;
        }
        self.shown.get_or_insert_with(|| (end, bytes.get(..SHOWN).unwrap_or(bytes).to_vec()));
        let [a, b] = &mut self.tracks;
        let track = if end == End::A { a } else { b };
        track.feed(bytes, bytes.len());
    }

    fn gap(&mut self, _: End, _: usize) {}

    fn weight(&self) -> usize {
        self.shown.as_ref().map_or(0, |(_, bytes)| bytes.capacity())
    }
}

/// Whether a datagram may be fax, by its first byte alone: one of RTP begins with its version.
pub(super) fn may_be(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| *first < 0x80)
}

/// A datagram that parses to its last byte.
struct Parsed {
    sequence: u16,
    /// Whether its primary packet is one that T.38 defines, and not empty.
    content: bool,
}

/// A length in packed encoding rules, up to 16383.
fn length(cursor: &mut Cursor<'_>) -> Option<usize> {
    let first = cursor.u8()?;
    match first {
        0..=0x7F => Some(first.into()),
        0x80..=0xBF => Some(usize::from(first & 0x3F) << 8 | usize::from(cursor.u8()?)),
        _ => None,
    }
}

/// Reads a whole datagram; a cut one shows nothing.
fn parse(bytes: &[u8], wire: usize) -> Option<Parsed> {
    let mut cursor = Cursor::new(bytes);
    let sequence = cursor.u16_be()?;
    let primary = length(&mut cursor)?;
    let packet = cursor.take(primary)?;
    if bytes.len() < wire || sequence > SEQUENCE_LIMIT {
        return None;
    }
    match cursor.u8()? {
        0x00 => {
            let count = cursor.u8()?;
            packets(&mut cursor, count.into())?;
        }
        0x80 => {
            // How many packets the parity spans, an integer in a byte behind its length.
            let span = cursor.u8()?;
            cursor.skip(span.into())?;
            let count = cursor.u8()?;
            packets(&mut cursor, count.into())?;
        }
        _ => return None,
    }
    let content = is_packet(packet)?;
    cursor.rest().is_empty().then_some(Parsed { sequence, content })
}

/// Passes over so many packets behind their lengths.
fn packets(cursor: &mut Cursor<'_>, count: u32) -> Option<()> {
    if count > REDUNDANCY {
        return None;
    }
    for _ in 0..count {
        let packet = length(cursor)?;
        cursor.skip(packet)?;
    }
    Some(())
}

/// Whether a packet says something; `None` when T.38 has no such packet (section 9.1: the first
/// bit tells of a data field, the second an indicator from data, then follow an extension bit and
/// the value: up to 15 indicators and 8 data types before extension).
fn is_packet(packet: &[u8]) -> Option<bool> {
    let Some(first) = packet.first() else { return Some(false) };
    let (field, data, extended) = (first & 0x80 != 0, first & 0x40 != 0, first & 0x20 != 0);
    match (data, extended) {
        (false, false) if !field && packet.len() == 1 => Some(true),
        (false, true) if !field && packet.len() <= 2 => Some(true),
        (true, _) if packet.len() > 1 || !field => Some(true),
        _ => None,
    }
}

fn candidate(piece: &Piece<'_>) -> bool {
    let could = piece.bytes.first().is_none_or(|first| *first < 0x80);
    could && (piece.is_cut() || parse(piece.bytes, piece.wire).is_some())
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut best: Option<(Grade, End)> = None;
    for end in [End::A, End::B] {
        let mut track = Track::default();
        evidence.sent_by(end).iter().for_each(|piece| track.feed(piece.bytes, piece.wire));
        best = best.max(track.grade().map(|grade| (grade, end)));
    }
    let Some((grade, end)) = best else {
        let mut pieces = evidence.a.iter().chain(evidence.b).peekable();
        let none = pieces.peek().is_some() && pieces.all(|piece| !candidate(piece));
        return if none { Answer::No } else { Answer::Undecided };
    };
    let shows = |piece: &Piece<'_>| parse(piece.bytes, piece.wire).is_some();
    let proofs = evidence.sent_by(end).iter().enumerate().filter(|(_, piece)| shows(piece));
    let proofs = proofs
        .map(|(piece, of)| Proof { end, piece, offset: 0, length: of.bytes.len() })
        .take(4)
        .collect();
    let details = Vec::new();
    Answer::Match(Claim { protocol: Protocol::T38, grade, client: None, proofs, details })
}
