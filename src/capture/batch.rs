//! A batch of captured frames in one arena, cleared and reused.

use serde::{Deserialize, Serialize};

use crate::base::{LinkType, Timestamp};

/// Where a frame comes from: its place in the stream, which input, which packet of it.
///
/// Ordered by the place in the stream. Inputs are numbered in the order in which they are read,
/// packets from 1 as tshark and capinfos count them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct FrameRef {
    /// Place in the whole stream once late packets were put back, counted from 0 over all inputs.
    pub ordinal: u64,
    /// Index of the input in the order in which inputs are read.
    pub input: u32,
    /// Number of the packet in its input, from 1.
    pub number: u64,
}

/// What is known of one captured frame apart from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct FrameMeta {
    /// Offset of the first captured byte in [`FrameBatch::bytes`].
    pub offset: usize,
    /// Bytes captured.
    pub captured: u32,
    /// Bytes the frame had on the wire. Never below `captured`.
    pub original: u32,
    /// When the frame was captured.
    pub time: Timestamp,
    /// Place in the stream, input and packet number.
    pub source: FrameRef,
    /// Offset of the first captured byte in the uncompressed stream of its input, from 0.
    pub stored_at: u64,
    /// Index of its interface among those of its input, in the order of the file.
    pub interface: u32,
    /// How to read the first bytes.
    pub link: LinkType,
    /// Bytes of frame check sequence at the end of the frame (pcapng `if_fcslen`, upper bits of
    /// the pcap link-type field); 0 when absent or not declared.
    pub fcs_bytes: u8,
}

/// Frames in the order of the stream and the arena that holds their bytes.
#[derive(Debug, Default)]
pub struct FrameBatch {
    /// The arena.
    pub bytes: Vec<u8>,
    /// The frames, in the order of the stream.
    pub frames: Vec<FrameMeta>,
}

impl FrameBatch {
    /// The captured bytes of `frame`.
    pub fn data(&self, frame: &FrameMeta) -> &[u8] {
        self.bytes.get(frame.offset..).and_then(|b| b.get(..frame.captured as usize)).unwrap_or(&[])
    }

    /// Appends a frame: its bytes, how many it had on the wire, its time and its link type. Its
    /// place in the stream is set by whoever knows it; no file holds it.
    pub fn append(&mut self, data: &[u8], original: u32, time: Timestamp, link: LinkType) {
        let captured = data.len() as u32;
        self.frames.push(FrameMeta {
            offset: self.bytes.len(),
            captured,
            original: original.max(captured),
            time,
            source: FrameRef::default(),
            stored_at: 0,
            interface: 0,
            link,
            fcs_bytes: 0,
        });
        self.bytes.extend_from_slice(data);
    }

    /// Appends a copy of a frame of another batch: its bytes, and all that is known of it.
    pub fn append_copy(&mut self, frame: &FrameMeta, data: &[u8]) {
        self.frames.push(FrameMeta { offset: self.bytes.len(), ..*frame });
        self.bytes.extend_from_slice(data);
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.frames.clear();
    }
}
