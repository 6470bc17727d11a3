//! Real-time transport protocol, and SRTP, which has the same header (RFC 3550 section 5.1,
//! RFC 3711 section 3.1).
//!
//! Layout (big-endian): 0 version 2 bits = 2, padding, extension, 4 bits of count · 1 marker,
//! payload type 7 bits · 2 sequence · 4 timestamp · 8 synchronisation source (SSRC) · 12 as many
//! contributing sources as counted · with the extension bit: profile, length in words, words.
//!
//! One header proves nothing: a fifth of random payloads would pass. What proves is a source that
//! keeps its SSRC while its sequence number counts up, packet by packet. [`Track`] gathers that over
//! any number of packets, and two tracks of neighbouring parts of a conversation merge into the
//! track of the whole. Probable (strong) are 3 good steps, confirmed 5 with at most a tenth bad.
//! Not here: leaving out ports and payloads of other protocols that look alike for a while; who
//! asks all recognisers lets an exact one win.

use serde::{Deserialize, Serialize};

use super::Recogniser;
use super::claim::{Answer, Claim, Grade, Proof};
use super::details::Details;
use super::evidence::{Carriage, End, Evidence};
use super::protocol::Protocol;
use crate::base::{Cursor, Timestamp};

/// The recogniser of RTP.
pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Rtp, carriage: &[Carriage::Tcp, Carriage::Udp], recognise };

/// Bytes of the fixed header.
pub const HEADER: usize = 12;

/// Sources followed per direction: speech, and tones under another SSRC (D2.17), twice. They are the
/// ones of the lowest SSRC, so that parts of a conversation follow whom the whole follows.
const SOURCES: usize = 4;

/// Payload types remembered per source.
const TYPES: usize = 3;

/// Farthest that a sequence number may step forward, or lag behind, and still count.
const REACH: u16 = 64;

/// Longest pause within a good step, in nanoseconds: five steps take at most five seconds.
const PAUSE: u64 = 1_000_000_000;

/// Farthest that the timestamp may move in a good step, in its own ticks: half a minute of an
/// audio clock of 48 kHz. Video frames may be sent out of their order, so it may step back.
const LEAP: i32 = 48_000 * 30;

/// Good steps that make a stream probable, and that confirm it.
const PROBABLE: u64 = 3;
const CONFIRMED: u64 = 5;

/// Slowest and fastest clock, in ticks a second: text runs at 1000, speech at 8000 and more,
/// video at 90000, studio audio at 192000.
const CLOCKS: std::ops::RangeInclusive<u64> = 900..=400_000;

/// Shortest time over which the clock can be measured, in nanoseconds.
const MEASURE: u64 = 100_000_000;

const SECOND: u128 = 1_000_000_000;

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Payload type, 7 bits.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp, in ticks of the media clock.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

impl Header {
    /// Reads the header of a datagram of `wire` bytes of which `bytes` were captured. `None` when
    /// it is none: a wrong version, an unassigned payload type (72 to 76 are RTCP), or parts that
    /// do not fit. A header that the capture cut is `None` too.
    pub fn parse(bytes: &[u8], wire: usize) -> Option<Header> {
        let mut cursor = Cursor::new(bytes);
        let (first, second) = (cursor.u8()?, cursor.u8()?);
        let header = Header {
            payload_type: second & 0x7F,
            sequence: cursor.u16_be()?,
            timestamp: cursor.u32_be()?,
            ssrc: cursor.u32_be()?,
        };
        let fits = first >> 6 == 2
            && is_assigned(header.payload_type)
            && parts_fit(first, cursor, bytes, wire);
        fits.then_some(header)
    }
}

/// Static types up to 34, and types that signalling assigns from 96 (RFC 3551 section 6). 35 is
/// the first of the range kept free for RTCP's first byte.
fn is_assigned(payload_type: u8) -> bool {
    matches!(payload_type, 0..=34 | 96..=127)
}

/// Whether contributing sources, extension and padding fit into the datagram.
fn parts_fit(first: u8, mut cursor: Cursor<'_>, bytes: &[u8], wire: usize) -> bool {
    let sources = usize::from(first & 0x0F) * 4;
    let mut length = HEADER + sources;
    if first & 0x10 != 0 {
        length += 4;
        let extension = cursor.skip(sources + 2).and_then(|()| cursor.u16_be());
        length += usize::from(extension.unwrap_or(0)) * 4;
    }
    if length > wire {
        return false;
    }
    match bytes.last() {
        // The last byte counts the padding, itself included. SRTP encrypts it.
        Some(0) if first & 0x20 != 0 && bytes.len() == wire => false,
        _ => true,
    }
}

/// What one sender's packets show, in any number of them.
///
/// Everything in it can be joined: `merge` of two neighbouring parts gives the track of the
/// whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// In order of SSRC.
    sources: Vec<Source>,
}

impl Track {
    /// Takes the next datagram of the sender: its first bytes, its length on the wire and when it
    /// was captured. Anything that is not RTP is passed over.
    pub fn feed(&mut self, head: &[u8], wire: usize, time: Timestamp) {
        if let Some(header) = Header::parse(head, wire) {
            self.join(Source::new(header, time));
        }
    }

    /// Takes the track of what the same sender sent next.
    pub fn merge(&mut self, later: Track) {
        let Track { sources } = later;
        sources.into_iter().for_each(|source| self.join(source));
    }

    fn join(&mut self, later: Source) {
        match self.sources.binary_search_by_key(&later.ssrc, |source| source.ssrc) {
            Ok(at) => {
                if let Some(source) = self.sources.get_mut(at) {
                    source.merge(later);
                }
            }
            Err(at) if at < SOURCES => {
                self.sources.insert(at, later);
                self.sources.truncate(SOURCES);
            }
            Err(_) => {}
        }
    }

    /// The sources that are followed, in order of SSRC: at most four.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// How sure it is that this is RTP: steps of all sources that look like streams together.
    pub fn grade(&self) -> Option<Grade> {
        let streams = || self.sources.iter().filter(|source| source.is_stream());
        let sum = |of: fn(&Source) -> u32| streams().map(|source| u64::from(of(source))).sum();
        let good: u64 = sum(|source| source.good);
        let bad: u64 = sum(|source| source.bad);
        match good {
            _ if bad * 10 > good => None,
            0..PROBABLE => None,
            PROBABLE..CONFIRMED => Some(Grade::Strong),
            CONFIRMED.. => Some(Grade::Confirmed),
        }
    }

    /// Whether the sender's packets pass as RTP and are of the port that signalling announced:
    /// there two packets of one source are enough.
    pub fn confirms_announcement(&self) -> bool {
        self.sources.iter().any(|source| source.good > 0 && source.bad <= source.good)
    }
}

/// What is known of one synchronisation source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    ssrc: u32,
    packets: u32,
    first: Point,
    last: Point,
    good: u32,
    bad: u32,
    /// Ticks and nanoseconds that passed over the good steps that went forward.
    ticks: u64,
    elapsed: u64,
    types: Vec<u8>,
}

/// Where a source stood at one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    sequence: u16,
    timestamp: u32,
    time: Timestamp,
}

/// What lies between two packets that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The next packets of a stream.
    Good { ticks: u32 },
    /// A copy, a late packet or a pause: says nothing.
    Neutral,
    /// Not of one stream.
    Bad,
}

impl Point {
    fn step_to(self, next: Point) -> Step {
        let forward = next.sequence.wrapping_sub(self.sequence);
        let ticks = next.timestamp.wrapping_sub(self.timestamp);
        match forward {
            0 if ticks == 0 => Step::Neutral,
            1..=REACH if (ticks as i32).unsigned_abs() > LEAP.unsigned_abs() => Step::Bad,
            1..=REACH if self.time.apart(next.time) > PAUSE => Step::Neutral,
            1..=REACH => Step::Good { ticks },
            _ if forward.wrapping_neg() <= REACH => Step::Neutral,
            _ => Step::Bad,
        }
    }
}

impl Source {
    fn new(header: Header, time: Timestamp) -> Self {
        let Header { payload_type, sequence, timestamp, ssrc } = header;
        let point = Point { sequence, timestamp, time };
        Source {
            ssrc,
            packets: 1,
            first: point,
            last: point,
            good: 0,
            bad: 0,
            ticks: 0,
            elapsed: 0,
            types: vec![payload_type],
        }
    }

    /// Takes what the same source sent next.
    fn merge(&mut self, later: Source) {
        let Source { ssrc: _, packets, first, last, good, bad, ticks, elapsed, types } = later;
        match self.last.step_to(first) {
            Step::Good { ticks } => {
                self.good = self.good.saturating_add(1);
                // Only what goes forward measures the clock.
                if ticks <= LEAP.unsigned_abs() {
                    self.ticks = self.ticks.saturating_add(ticks.into());
                    self.elapsed = self.elapsed.saturating_add(self.last.time.apart(first.time));
                }
            }
            Step::Bad => self.bad = self.bad.saturating_add(1),
            Step::Neutral => {}
        }
        self.packets = self.packets.saturating_add(packets);
        self.good = self.good.saturating_add(good);
        self.bad = self.bad.saturating_add(bad);
        self.ticks = self.ticks.saturating_add(ticks);
        self.elapsed = self.elapsed.saturating_add(elapsed);
        self.last = last;
        for kind in types {
            // One more than is plausible is kept, to know that there are too many.
            if self.types.len() <= TYPES && !self.types.contains(&kind) {
                self.types.push(kind);
            }
        }
    }

    /// Its identifier.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Its packets, copies included.
    pub fn packets(&self) -> u32 {
        self.packets
    }

    /// Its payload types in order of appearance, at most four.
    pub fn payload_types(&self) -> &[u8] {
        &self.types
    }

    /// Whether this source looks like a stream: at least two good steps, few payload types, and a
    /// clock.
    pub fn is_stream(&self) -> bool {
        self.good >= 2 && self.types.len() <= TYPES && self.has_clock()
    }

    /// Whether the timestamp runs like a media clock, where it can be measured. It stands still
    /// while a tone lasts (RFC 4733 section 2.5.1.2), so tones alone prove no stream.
    fn has_clock(&self) -> bool {
        if self.elapsed < MEASURE {
            return true;
        }
        let rate = u128::from(self.ticks) * SECOND / u128::from(self.elapsed);
        u64::try_from(rate).is_ok_and(|rate| CLOCKS.contains(&rate))
    }
}

fn could_be(bytes: &[u8], wire: usize) -> bool {
    match bytes {
        _ if bytes.len() >= HEADER => Header::parse(bytes, wire).is_some(),
        _ if wire < HEADER => false,
        [] => true,
        [first, ..] => first >> 6 == 2,
    }
}

/// Packets of one stretch of a stream that are looked at.
const FRAMES: usize = 64;

/// A packet of RTP, and where it stands.
struct Packet<'a> {
    piece: usize,
    offset: usize,
    bytes: &'a [u8],
    wire: usize,
    time: Timestamp,
}

/// The packets that an end sent. A stream is read from where it or a segment begins.
fn packets<'a>(evidence: &Evidence<'a>, end: End) -> Vec<Packet<'a>> {
    let mut packets = Vec::new();
    for (index, piece) in evidence.sent_by(end).iter().enumerate() {
        let (bytes, wire, time) = (piece.bytes, piece.wire, piece.time);
        if evidence.carriage == Carriage::Udp {
            packets.push(Packet { piece: index, offset: 0, bytes, wire, time });
            continue;
        }
        let mut at = 0;
        for _ in 0..FRAMES {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some((length, rest)) = rest.split_first_chunk() else { break };
            let wire = usize::from(u16::from_be_bytes(*length));
            let bytes = rest.get(..wire).unwrap_or(rest);
            packets.push(Packet { piece: index, offset: at + 2, bytes, wire, time });
            if !could_be(bytes, wire) {
                break;
            }
            at += 2 + wire;
        }
    }
    packets
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = [End::A, End::B].map(|end| {
        let packets = packets(evidence, end);
        let mut track = Track::default();
        for packet in &packets {
            track.feed(packet.bytes, packet.wire, packet.time);
        }
        (end, packets, track)
    });
    let Some(grade) = sides.iter().filter_map(|(_, _, track)| track.grade()).max() else {
        let mut pieces = sides.iter().flat_map(|(_, packets, _)| packets).peekable();
        let other = |packet: &Packet<'_>| !could_be(packet.bytes, packet.wire);
        let none = pieces.peek().is_some() && pieces.all(other);
        return if none { Answer::No } else { Answer::Undecided };
    };
    let mut details = Details::default();
    let mut proofs = Vec::new();
    for (end, packets, track) in &sides {
        for source in track.sources.iter().filter(|source| source.is_stream()) {
            details.add("ssrc", format!("{:08x}", source.ssrc));
            for kind in &source.types {
                details.add("payload-type", kind.to_string());
            }
            proofs.extend(proof(*end, packets, source.ssrc));
        }
    }
    proofs.truncate(4);
    let details = details.into_sorted();
    Answer::Match(Claim { protocol: Protocol::Rtp, grade, client: None, proofs, details })
}

/// The first header of a source.
fn proof(end: End, packets: &[Packet<'_>], ssrc: u32) -> Option<Proof> {
    let packet = packets.iter().find(|packet| {
        Header::parse(packet.bytes, packet.wire).is_some_and(|header| header.ssrc == ssrc)
    })?;
    Some(Proof { end, piece: packet.piece, offset: packet.offset, length: HEADER })
}
