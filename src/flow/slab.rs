//! Memory for the flows of a table, in slabs that two tables can share until one of them writes.

use std::sync::Arc;

use super::history::FlowHistory;
use crate::decode::FlowKey;

/// Flows per slab: so few that a packet that changes one of them does not wait for the others to be
/// copied, and that what is given up later does not come in lumps too large for the allocator.
const SLAB: usize = 16;

/// A flow, and the hash of its key.
pub(super) type Slot = (u64, FlowKey, FlowHistory);

/// Flows in order of their places, which are counted from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Slabs(Vec<Slab>);

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

impl Slabs {
    pub(super) fn get(&self, at: u32) -> Option<&Slot> {
        self.0.get(at as usize / SLAB)?.flows().get(at as usize % SLAB)
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Slot> {
        self.0.get_mut(at as usize / SLAB)?.flows_mut().get_mut(at as usize % SLAB)
    }

    /// Puts a flow into the newest slab and answers its place.
    pub(super) fn push(&mut self, flow: Slot) -> u32 {
        match self.0.last_mut() {
            Some(slab) if slab.flows().len() < SLAB => slab.flows_mut().push(flow),
            _ => {
                let mut flows = Vec::with_capacity(SLAB);
                flows.push(flow);
                self.0.push(Slab::Own(flows));
            }
        }
        let in_last = self.0.last().map_or(0, |slab| slab.flows().len());
        ((self.0.len() - 1) * SLAB + in_last - 1) as u32
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().flat_map(Slab::flows)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.0.iter_mut().flat_map(Slab::flows_mut)
    }

    /// The flows in order. Their memory is given back on the way.
    pub(super) fn into_flows(self) -> impl Iterator<Item = Slot> {
        self.0.into_iter().flat_map(Slab::into_flows)
    }

    /// A copy that shares all flows.
    pub(super) fn share(&mut self) -> Slabs {
        Slabs(self.0.iter_mut().map(Slab::share).collect())
    }
}
