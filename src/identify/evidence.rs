//! What a recogniser gets to see of a conversation.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// What carries the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Carriage {
    /// A TCP stream: pieces are stretches of it.
    Tcp,
    /// UDP: each piece is one datagram.
    Udp,
}

/// One of the two ends of a conversation. Which of them opened it is not known here; a
/// recogniser may find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum End {
    /// The lower end of the five-tuple.
    A,
    /// The higher end.
    B,
}

impl End {
    /// The other end.
    pub fn other(self) -> Self {
        match self {
            End::A => End::B,
            End::B => End::A,
        }
    }
}

/// Where a piece begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first byte of the stream, or with a datagram.
    Message,
    /// With a TCP segment somewhere in the stream: what came before was not captured, or was not
    /// kept. A message may or may not begin here.
    Midstream,
}

/// A TCP stretch without holes, or one datagram.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// Bytes on the wire from the first one on. More than `bytes` where the capture, or the
    /// room to keep them, cut the piece: what is missing then means nothing.
    pub wire: usize,
    /// Where it begins.
    pub start: Start,
    /// Offsets in `bytes` at which further TCP segments of the stretch begin.
    pub segments: &'a [u32],
    /// When its first packet was captured.
    pub time: Timestamp,
}

impl Piece<'_> {
    /// Whether bytes are missing at the end.
    pub fn is_cut(&self) -> bool {
        self.bytes.len() < self.wire
    }
}

/// The kept payload of a conversation, each end's pieces in order.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What carries it.
    pub carriage: Carriage,
    /// What end A sent.
    pub a: &'a [Piece<'a>],
    /// What end B sent.
    pub b: &'a [Piece<'a>],
}

impl<'a> Evidence<'a> {
    /// What one end sent.
    pub fn sent_by(&self, end: End) -> &'a [Piece<'a>] {
        match end {
            End::A => self.a,
            End::B => self.b,
        }
    }
}
