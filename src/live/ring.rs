//! The packets seen last, in a memory of fixed size.
//!
//! In: batches whose order is final. Out: at any time all packets that are still held, in pieces
//! that are shared and not copied. Which of them are evidence of anything is not known here.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::capture::{FrameBatch, FrameMeta};

/// Bytes of a piece, packets and what is known of them together.
const PIECE: usize = 256 << 10;

/// Packets in the order of the stream, of which the oldest give way.
#[derive(Debug)]
pub(super) struct PacketRing {
    /// Bytes of memory that all pieces take at most.
    size: usize,
    /// Bytes of memory that the pieces take, but for the open one.
    held: usize,
    pieces: VecDeque<Arc<FrameBatch>>,
    /// Where packets are appended.
    open: FrameBatch,
}

impl PacketRing {
    /// A ring of `size` bytes of memory; a single packet is held whatever its size.
    pub(super) fn new(size: u64) -> Self {
        PacketRing {
            size: usize::try_from(size).unwrap_or(usize::MAX),
            held: 0,
            pieces: VecDeque::new(),
            open: FrameBatch::default(),
        }
    }

    /// Appends copies of the packets of a batch, which follow all appended before.
    pub(super) fn push(&mut self, batch: &FrameBatch) {
        for frame in &batch.frames {
            let data = batch.data(frame);
            let fits = used(&self.open) + data.len() + size_of::<FrameMeta>() <= PIECE;
            if !fits && !self.open.frames.is_empty() {
                self.close();
            }
            self.open.append_copy(frame, data);
        }
    }

    /// All packets that are held. The pieces stay as they are for whoever has them.
    pub(super) fn packets(&self) -> Vec<Arc<FrameBatch>> {
        let FrameBatch { bytes, frames } = &self.open;
        let open = FrameBatch { bytes: bytes.clone(), frames: frames.clone() };
        self.pieces.iter().map(Arc::clone).chain([Arc::new(open)]).collect()
    }

    /// Closes the open piece, and gives up the oldest ones until there is room for another.
    fn close(&mut self) {
        let mut full = std::mem::take(&mut self.open);
        full.bytes.shrink_to_fit();
        full.frames.shrink_to_fit();
        self.held += used(&full);
        self.pieces.push_back(Arc::new(full));
        while self.held.saturating_add(PIECE) > self.size {
            let Some(oldest) = self.pieces.pop_front() else { break };
            self.held -= used(&oldest);
        }
    }
}

/// Bytes that packets need, and what is known of them.
fn used(batch: &FrameBatch) -> usize {
    batch.bytes.len() + size_of_val(batch.frames.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{LinkType, Timestamp};

    /// Batches of `count` packets of `bytes` bytes each, of which the first four hold the number.
    fn batches(count: u32, bytes: usize) -> impl Iterator<Item = FrameBatch> {
        (0..count).map(move |number| {
            let mut data = vec![0; bytes];
            data[..4].copy_from_slice(&number.to_be_bytes());
            let mut batch = FrameBatch::default();
            batch.append(&data, 0, Timestamp::default(), LinkType::ETHERNET);
            batch.frames[0].source.ordinal = number.into();
            batch
        })
    }

    #[test]
    fn the_last_packets_are_held_whole_and_in_order_and_never_more_than_fit() {
        for (count, bytes) in [(20_000, 60), (3_000, 1514), (40, 200_000)] {
            let mut ring = PacketRing::new(1 << 20);
            let mut before = 0;
            for (number, batch) in (0..).zip(batches(count, bytes)) {
                ring.push(&batch);
                let packets = ring.packets();
                let held: usize = packets.iter().map(|piece| used(piece)).sum();
                assert!(held <= 1 << 20, "{held} bytes of packets of {bytes}");
                let frames = packets.iter().flat_map(|piece| {
                    piece.frames.iter().map(|frame| (frame.source.ordinal, piece.data(frame)))
                });
                let (ordinals, data): (Vec<_>, Vec<_>) = frames.unzip();
                assert_eq!(ordinals.last(), Some(&number));
                assert!(ordinals.windows(2).all(|pair| pair[0] + 1 == pair[1]), "no gap");
                assert!(ordinals[0] >= before, "what was given up stays away");
                before = ordinals[0];
                for (ordinal, data) in ordinals.iter().zip(data) {
                    assert_eq!(data[..4], (*ordinal as u32).to_be_bytes());
                    assert_eq!(data.len(), bytes);
                }
            }
            assert!(before > 0, "more came than fits");
            // A quarter of the ring may be lost to its pieces, not more.
            let each = bytes + size_of::<FrameMeta>();
            let held = (u64::from(count) - before) as usize * each;
            assert!(held > 600 << 10, "{held} bytes of packets of {bytes} are held");
        }
    }

    #[test]
    fn a_packet_larger_than_the_ring_is_held_alone() {
        let mut ring = PacketRing::new(1000);
        for batch in batches(3, 300_000) {
            ring.push(&batch);
        }
        let held: Vec<_> = ring.packets().iter().flat_map(|piece| piece.frames.clone()).collect();
        assert_eq!(held.iter().map(|frame| frame.source.ordinal).collect::<Vec<_>>(), [2]);
    }
}
