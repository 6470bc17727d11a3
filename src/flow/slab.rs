//! Memory for the flows of a table, in slabs that two tables can share until one of them writes.

use std::sync::Arc;

use super::history::FlowHistory;
use crate::decode::FlowKey;

/// Flows per slab, as a power of two: small enough to waste little in a quiet shard.
const COARSE: u32 = 8;

/// The same in a table that is shared again and again: so few that a packet that changes one flow
/// does not wait for many to be copied, and that what is given up later does not come in lumps too
/// large for the allocator. It takes longer to find a flow then.
const FINE: u32 = 4;

/// A flow, and the hash of its key.
pub(super) type Slot = (u64, FlowKey, FlowHistory);

/// Flows in order of their places, which are counted from 0.
#[derive(Clone, Debug)]
pub(super) struct Slabs {
    slabs: Vec<Slab>,
    /// Flows per slab, as a power of two.
    size: u32,
}

#[derive(Clone, Debug)]
enum Slab {
    Own(Vec<Slot>),
    Shared(Arc<Vec<Slot>>),
}

impl Slab {
    fn flows(&self) -> &[Slot] {
        match self {
            Slab::Own(flows) => flows,
            Slab::Shared(flows) => flows,
        }
    }

    /// The flows to be written; what is shared is copied first.
    fn flows_mut(&mut self) -> &mut Vec<Slot> {
        if let Slab::Shared(flows) = self {
            *self = Slab::Own(Arc::unwrap_or_clone(std::mem::take(flows)));
        }
        match self {
            Slab::Own(flows) => flows,
            Slab::Shared(flows) => Arc::make_mut(flows),
        }
    }

    fn into_flows(self) -> Vec<Slot> {
        match self {
            Slab::Own(flows) => flows,
            Slab::Shared(flows) => Arc::unwrap_or_clone(flows),
        }
    }

    fn share(&mut self) -> Slab {
        let shared = match self {
            Slab::Own(flows) => Arc::new(std::mem::take(flows)),
            Slab::Shared(flows) => Arc::clone(flows),
        };
        *self = Slab::Shared(Arc::clone(&shared));
        Slab::Shared(shared)
    }
}

impl Default for Slabs {
    fn default() -> Self {
        Slabs { slabs: Vec::new(), size: COARSE }
    }
}

impl Slabs {
    /// The same flows at the same places, for a table that is shared again and again.
    pub(super) fn into_fine(self) -> Slabs {
        if self.size == FINE {
            return self;
        }
        let mut fine = Slabs { slabs: Vec::new(), size: FINE };
        for flow in self.into_flows() {
            fine.push(flow);
        }
        fine
    }

    /// Memory of the same kind without flows.
    pub(super) fn emptied(&self) -> Slabs {
        Slabs { slabs: Vec::new(), size: self.size }
    }

    /// Which slab holds a place, and where in it.
    #[inline]
    fn split(&self, at: u32) -> (usize, usize) {
        ((at >> self.size) as usize, (at & ((1 << self.size) - 1)) as usize)
    }

    pub(super) fn get(&self, at: u32) -> Option<&Slot> {
        let (slab, at) = self.split(at);
        self.slabs.get(slab)?.flows().get(at)
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Slot> {
        let (slab, at) = self.split(at);
        self.slabs.get_mut(slab)?.flows_mut().get_mut(at)
    }

    /// Puts a flow into the newest slab and answers its place.
    pub(super) fn push(&mut self, flow: Slot) -> u32 {
        let size = 1 << self.size;
        match self.slabs.last_mut() {
            Some(slab) if slab.flows().len() < size => slab.flows_mut().push(flow),
            _ => {
                let mut flows = Vec::with_capacity(size);
                flows.push(flow);
                self.slabs.push(Slab::Own(flows));
            }
        }
        let in_last = self.slabs.last().map_or(0, |slab| slab.flows().len());
        ((self.slabs.len() - 1) * size + in_last - 1) as u32
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slabs.iter().flat_map(Slab::flows)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.slabs.iter_mut().flat_map(Slab::flows_mut)
    }

    /// The flows in order. Their memory is given back on the way.
    pub(super) fn into_flows(self) -> impl Iterator<Item = Slot> {
        self.slabs.into_iter().flat_map(Slab::into_flows)
    }

    /// A copy that shares all flows.
    pub(super) fn share(&mut self) -> Slabs {
        Slabs { slabs: self.slabs.iter_mut().map(Slab::share).collect(), size: self.size }
    }
}
