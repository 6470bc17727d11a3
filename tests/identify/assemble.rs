//! Conversations of a capture as the recognisers will see them: in-order heads of TCP streams and
//! the first datagrams, over the capture and decode layers of the product.

use std::collections::BTreeMap;
use std::path::Path;

use portolan::base::{IpProto, Timestamp};
use portolan::capture::{FrameBatch, Hashing, Inputs};
use portolan::decode::{Decoded, Direction, FlowKey, Transport, Unit, dissect};
use portolan::identify::{Carriage, End, Evidence, Piece, Start};

/// Bytes kept of a TCP stream whose start was seen.
pub const STREAM_ROOM: usize = 4096;
/// Segments kept of a TCP stream whose start was not seen.
pub const SEGMENTS_KEPT: usize = 16;
/// Bytes kept of each of those.
pub const SEGMENT_ROOM: usize = 256;
/// Datagrams kept of each end.
pub const DATAGRAMS_KEPT: usize = 8;
/// Bytes kept of each datagram.
pub const DATAGRAM_ROOM: usize = 512;

/// A segment or datagram with payload.
#[derive(Clone, Debug)]
pub struct Segment {
    pub sequence: u32,
    pub bytes: Vec<u8>,
    pub wire: usize,
    pub time: Timestamp,
}

/// A piece that owns its bytes.
#[derive(Clone, Debug)]
pub struct OwnedPiece {
    pub bytes: Vec<u8>,
    pub wire: usize,
    pub start: Start,
    pub segments: Vec<u32>,
    pub time: Timestamp,
}

impl OwnedPiece {
    pub fn view(&self) -> Piece<'_> {
        let OwnedPiece { bytes, wire, start, segments, time } = self;
        Piece { bytes, wire: *wire, start: *start, segments, time: *time }
    }
}

/// What one end sent.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Sequence number of the first byte of the stream, where a SYN told it.
    pub start: Option<u32>,
    /// Segments or datagrams in order of arrival.
    pub segments: Vec<Segment>,
}

/// One connection, or the datagrams of one five-tuple.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub key: FlowKey,
    pub carriage: Carriage,
    /// What A and B sent.
    pub sent: [Sent; 2],
}

impl Conversation {
    fn new(key: FlowKey, carriage: Carriage) -> Self {
        Conversation { key, carriage, sent: Default::default() }
    }

    fn end(&mut self, end: End) -> &mut Sent {
        match end {
            End::A => &mut self.sent[0],
            End::B => &mut self.sent[1],
        }
    }

    /// The kept pieces of both ends.
    pub fn pieces(&self) -> [Vec<OwnedPiece>; 2] {
        [0, 1].map(|end| match self.carriage {
            Carriage::Udp => datagrams(&self.sent[end].segments),
            Carriage::Tcp => stream(&self.sent[end]),
        })
    }

    /// Runs something over the evidence.
    pub fn with_evidence<T>(&self, what: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let [a, b] = self.pieces();
        let a: Vec<Piece<'_>> = a.iter().map(OwnedPiece::view).collect();
        let b: Vec<Piece<'_>> = b.iter().map(OwnedPiece::view).collect();
        what(&Evidence { carriage: self.carriage, a: &a, b: &b })
    }

    /// Every byte of both ends in order of sequence numbers, for parsers that follow a whole
    /// connection: the end, the bytes, and whether a hole lies before them.
    pub fn in_order(&self) -> Vec<(End, Vec<u8>, bool)> {
        let mut all = Vec::new();
        for (end, sent) in [End::A, End::B].into_iter().zip(&self.sent) {
            let mut next = sent.start;
            for segment in ordered(sent) {
                let at = next.unwrap_or(segment.sequence);
                let behind = at.wrapping_sub(segment.sequence) as i32;
                if self.carriage == Carriage::Udp || behind < 0 || next.is_none() {
                    all.push((segment.time, end, segment.bytes.clone(), true));
                } else if (behind as usize) < segment.bytes.len() {
                    let fresh = segment.bytes[behind as usize..].to_vec();
                    let first = sent.start == Some(segment.sequence);
                    all.push((segment.time, end, fresh, first));
                } else {
                    continue;
                }
                next = Some(segment.sequence.wrapping_add(segment.bytes.len() as u32));
            }
        }
        all.sort_by_key(|(time, ..)| *time);
        all.into_iter().map(|(_, end, bytes, hole)| (end, bytes, hole)).collect()
    }
}

/// The segments by sequence number, from the start of the stream or the lowest number on.
fn ordered(sent: &Sent) -> Vec<&Segment> {
    let base = sent.start.or(sent.segments.first().map(|s| s.sequence)).unwrap_or(0);
    let mut segments: Vec<&Segment> = sent.segments.iter().collect();
    segments.sort_by_key(|segment| segment.sequence.wrapping_sub(base) as i32);
    segments
}

fn datagrams(datagrams: &[Segment]) -> Vec<OwnedPiece> {
    let kept = datagrams.iter().take(DATAGRAMS_KEPT);
    kept.map(|datagram| piece(datagram, DATAGRAM_ROOM, Start::Message)).collect()
}

fn piece(segment: &Segment, room: usize, start: Start) -> OwnedPiece {
    let Segment { bytes, wire, time, .. } = segment;
    let bytes = bytes[..bytes.len().min(room)].to_vec();
    OwnedPiece { bytes, wire: *wire, start, segments: Vec::new(), time: *time }
}

/// The head of a stream whose start was seen, else the heads of its first segments.
fn stream(sent: &Sent) -> Vec<OwnedPiece> {
    if let Some(head) = sent.start.and_then(|start| head(sent, start)) {
        return vec![head];
    }
    let mut next = None;
    let mut pieces = Vec::new();
    for segment in &sent.segments {
        let repeated =
            next.is_some_and(|next: u32| (segment.sequence.wrapping_sub(next) as i32) < 0);
        // A keep-alive probe carries one byte that was sent before.
        if repeated || segment.bytes.is_empty() {
            continue;
        }
        next = Some(segment.sequence.wrapping_add(segment.wire as u32));
        if pieces.len() < SEGMENTS_KEPT {
            pieces.push(piece(segment, SEGMENT_ROOM, Start::Midstream));
        }
    }
    pieces
}

/// The bytes from the start of the stream to the first hole or to the end of the room.
fn head(sent: &Sent, start: u32) -> Option<OwnedPiece> {
    let mut head: Option<OwnedPiece> = None;
    for segment in ordered(sent) {
        let offset = segment.sequence.wrapping_sub(start) as i32;
        let have = head.as_ref().map_or(0, |head| head.bytes.len());
        let cut = head.as_ref().is_some_and(|head| head.bytes.len() < head.wire);
        let Ok(offset) = usize::try_from(offset) else { continue };
        if offset > have || cut {
            break;
        }
        let Some(fresh) = segment.bytes.get(have - offset..).filter(|f| !f.is_empty()) else {
            continue;
        };
        let head = head.get_or_insert_with(|| OwnedPiece {
            bytes: Vec::new(),
            wire: 0,
            start: Start::Message,
            segments: Vec::new(),
            time: segment.time,
        });
        if have > 0 && have < STREAM_ROOM {
            head.segments.push(have as u32);
        }
        head.bytes.extend_from_slice(fresh);
        head.wire = offset + segment.wire;
    }
    let mut head = head?;
    head.bytes.truncate(STREAM_ROOM);
    Some(head)
}

/// The conversations of a capture, in order of their first packet.
pub fn conversations(path: &Path) -> Vec<Conversation> {
    let mut assembler = Assembler::default();
    let Ok(mut inputs) = Inputs::open(&[path.to_owned()], Hashing::Off) else { return Vec::new() };
    let mut batch = FrameBatch::default();
    while inputs.fill(&mut batch) {
        for frame in &batch.frames {
            let bytes = batch.data(frame);
            if let Decoded::Unit(unit) = dissect(frame, bytes, &mut ()) {
                assembler.add(&unit, bytes);
            }
        }
    }
    assembler.conversations
}

#[derive(Default)]
struct Assembler {
    conversations: Vec<Conversation>,
    /// Index of the latest conversation of a five-tuple.
    latest: BTreeMap<FlowKey, usize>,
}

impl Assembler {
    fn add(&mut self, unit: &Unit, frame: &[u8]) {
        let payload = frame.get(unit.payload_offset as usize..).unwrap_or_default();
        let payload = payload.get(..unit.payload_captured as usize).unwrap_or(payload);
        let from = match unit.direction {
            Direction::AToB => End::A,
            Direction::BToA => End::B,
        };
        let segment = |sequence| Segment {
            sequence,
            bytes: payload.to_vec(),
            wire: unit.payload_bytes as usize,
            time: unit.time,
        };
        match unit.transport {
            Transport::Udp => {
                let conversation = self.conversation(unit.key, Carriage::Udp, None);
                if unit.payload_bytes > 0 {
                    conversation.end(from).segments.push(segment(0));
                }
            }
            Transport::Tcp { sequence, acknowledgement, flags } => {
                let [syn, ack] = [flags & 0x02 != 0, flags & 0x10 != 0];
                let opening = (syn && !ack).then(|| (from, sequence.wrapping_add(1)));
                let conversation = self.conversation(unit.key, Carriage::Tcp, opening);
                if syn {
                    conversation.end(from).start = Some(sequence.wrapping_add(1));
                    if ack {
                        conversation.end(from.other()).start.get_or_insert(acknowledgement);
                    }
                }
                if unit.payload_bytes > 0 {
                    let first = sequence.wrapping_add(u32::from(syn));
                    conversation.end(from).segments.push(segment(first));
                }
            }
            _ => {}
        }
    }

    /// The conversation that a packet belongs to; a SYN with another first sequence number opens
    /// a new one.
    fn conversation(
        &mut self,
        key: FlowKey,
        carriage: Carriage,
        opening: Option<(End, u32)>,
    ) -> &mut Conversation {
        debug_assert!(matches!(key.protocol(), IpProto::TCP | IpProto::UDP));
        let known = self.latest.get(&key).copied().filter(|index| {
            opening.is_none_or(|(from, start)| {
                let conversation = &mut self.conversations[*index];
                let fresh = conversation.sent.iter().all(|sent| sent.segments.is_empty());
                fresh || conversation.end(from).start == Some(start)
            })
        });
        let index = known.unwrap_or_else(|| {
            self.conversations.push(Conversation::new(key, carriage));
            self.conversations.len() - 1
        });
        self.latest.insert(key, index);
        &mut self.conversations[index]
    }
}
