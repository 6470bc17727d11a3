//! A fragment on its way to its flow, and what fragments come to.
//!
//! In: packets that are the first fragment of a datagram, and later fragments. Not here: which
//! belong together, which is [`fragments`](super::fragments).

use serde::{Deserialize, Serialize};

use super::joining::{Datagram, Piece};
use crate::base::Timestamp;
use crate::capture::FrameRef;
use crate::decode::{DatagramId, Direction, FlowKey, FragmentUnit, Transport, Unit};

/// A first fragment, already a packet of its flow.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FirstFragment {
    /// The flow.
    pub key: FlowKey,
    /// Which way it travels.
    pub direction: Direction,
    /// When it was captured.
    pub time: Timestamp,
    /// Place in the stream, input and packet number.
    pub source: FrameRef,
    /// TCP sequence number of its first byte of transport payload; 0 for all else.
    pub sequence: u32,
    /// Bytes of the datagram that lie before its transport payload.
    pub header: u32,
    /// Bytes of fragment payload, transport header included.
    pub payload_bytes: u32,
    /// Offset of its first captured byte of payload, in the bytes that come with the fragment.
    pub payload_offset: u32,
    /// Bytes of payload captured.
    pub payload_captured: u32,
    /// By what a copy of it is known.
    pub digest: u64,
}

impl FirstFragment {
    /// A packet that is the first fragment of a datagram and holds `header` bytes of it before its
    /// transport payload.
    pub fn of(unit: &Unit, header: u32) -> Self {
        let Unit { key, direction, time, source, transport, fingerprint, .. } = *unit;
        FirstFragment {
            key,
            direction,
            time,
            source,
            sequence: match transport {
                Transport::Tcp { sequence, .. } => sequence,
                _ => 0,
            },
            header,
            payload_bytes: unit.payload_bytes.saturating_add(header),
            payload_offset: unit.payload_offset.saturating_sub(header),
            payload_captured: unit.payload_captured.saturating_add(header),
            digest: fingerprint.digest,
        }
    }
}

/// A fragment on its way to its flow.
#[derive(Clone, Copy, Debug)]
pub enum FragmentEvent {
    /// The first fragment of a datagram.
    First(DatagramId, FirstFragment),
    /// A later fragment.
    Later(FragmentUnit),
}

impl FragmentEvent {
    /// Place in the stream.
    pub fn source(&self) -> FrameRef {
        match self {
            FragmentEvent::First(_, first) => first.source,
            FragmentEvent::Later(fragment) => fragment.source,
        }
    }

    /// Where the captured payload lies: offset and bytes.
    pub fn payload(&self) -> (u32, u32) {
        match self {
            FragmentEvent::First(_, first) => (first.payload_offset, first.payload_captured),
            FragmentEvent::Later(later) => (later.payload_offset, later.payload_captured),
        }
    }

    /// Says that the payload lies elsewhere.
    pub fn move_payload(&mut self, offset: u32) {
        match self {
            FragmentEvent::First(_, first) => first.payload_offset = offset,
            FragmentEvent::Later(later) => later.payload_offset = offset,
        }
    }

    /// The payload, if all of it was captured.
    pub(super) fn piece(&self, arena: &[u8]) -> Option<Piece> {
        let (of, offset, is_last, time, wire) = match *self {
            FragmentEvent::First(of, FirstFragment { time, payload_bytes, .. }) => {
                (of, 0, false, time, payload_bytes)
            }
            FragmentEvent::Later(FragmentUnit {
                datagram,
                datagram_offset,
                is_last,
                time,
                payload_bytes,
                ..
            }) => (datagram, datagram_offset, is_last, time, payload_bytes),
        };
        let (begin, captured) = self.payload();
        let bytes = arena.get(begin as usize..)?.get(..captured as usize)?;
        let source = self.source();
        (captured == wire && wire > 0).then(|| Piece {
            of,
            offset,
            is_last,
            bytes: bytes.into(),
            source,
            time,
        })
    }
}

/// What fragments come to.
#[derive(Clone, Debug)]
pub enum Found {
    /// A later fragment is a packet of this flow.
    Packet(Unit),
    /// A datagram is whole. The packet that completed it comes before.
    Datagram(Datagram),
}

impl Found {
    /// The flow.
    pub fn key(&self) -> &FlowKey {
        match self {
            Found::Packet(unit) => &unit.key,
            Found::Datagram(datagram) => &datagram.key,
        }
    }

    /// Place in the stream.
    pub fn source(&self) -> FrameRef {
        match self {
            Found::Packet(unit) => unit.source,
            Found::Datagram(datagram) => datagram.source,
        }
    }
}
