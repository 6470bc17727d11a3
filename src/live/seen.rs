//! What a watch has seen so far: the fold, the packets that are still held back to be put in order,
//! those kept as evidence, and what is known of the inputs.
//!
//! In: packets, as they arrive. Out: copies of all of it for a look, or of what changed for a
//! glance.

use std::sync::Arc;

use super::evidence::Packets;
use super::glancing::Glance;
use super::judging::View;
use super::ring::PacketRing;
use crate::capture::{Earlier, FrameBatch, InputSummary, LiveInput, TimeHealth};
use crate::engine::Fold;

/// Everything seen.
pub(super) struct Seen {
    pub(super) fold: Fold,
    /// The packets seen last, when they may become evidence.
    pub(super) ring: Option<PacketRing>,
    /// The inputs of earlier runs.
    pub(super) earlier: Earlier,
    pub(super) input: LiveInput,
    /// The packets folded last, of which the memory is used again.
    pub(super) batch: FrameBatch,
}

impl Seen {
    /// Folds the next packets that no later one can come before; false when there are none.
    pub(super) fn fold_next(&mut self) -> bool {
        if !self.input.pop(&mut self.batch) {
            return false;
        }
        self.fold.push(std::slice::from_ref(&self.batch));
        if let Some(ring) = &mut self.ring {
            ring.push(&self.batch);
        }
        true
    }

    /// A copy of everything for the look of number `look`.
    pub(super) fn view(&mut self, look: u64) -> View {
        let own = vec![self.input.summary()];
        let (inputs, times) = self.earlier.followed_by(own, self.input.health());
        let packets = self.packets(|| self.input.held());
        let (fold, held) = (self.fold.snapshot(), self.input.held());
        View { fold, held, look, inputs, times, packets }
    }

    /// Copies of about `most` flows that changed since the last glance, for the look of number
    /// `look`.
    pub(super) fn changed(&mut self, look: u64, most: usize) -> Glance {
        let held = self.input.held();
        let changed = self.fold.changed(&held, most);
        Glance { changed, held, look }
    }

    /// Everything, in the end. What the source knows of its inputs goes before what the watch
    /// counted.
    pub(super) fn last_view(
        self,
        look: u64,
        inputs: Option<(Vec<InputSummary>, TimeHealth)>,
    ) -> View {
        let counted = || (vec![self.input.summary()], self.input.health());
        let (inputs, times) = inputs.unwrap_or_else(counted);
        let (inputs, times) = self.earlier.followed_by(inputs, times);
        let packets = self.packets(Vec::new);
        View { fold: self.fold, held: Vec::new(), look, inputs, times, packets }
    }

    /// The packets that may become evidence, those with them that are `held` back.
    fn packets(&self, held: impl FnOnce() -> Vec<FrameBatch>) -> Packets {
        let Some(ring) = &self.ring else { return Packets::default() };
        Packets { settled: ring.packets(), held: held().into_iter().map(Arc::new).collect() }
    }
}
