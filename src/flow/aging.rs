//! Values by datagram that are given up when they have aged or when there are too many.
//!
//! Both orders hold exactly the values, so memory is bounded by their number. Not here: how many
//! there may be and how long they stay.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::decode::DatagramId;

/// Values by datagram, each with the time from which it ages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Aging<V> {
    held: BTreeMap<DatagramId, (Timestamp, V)>,
    order: BTreeSet<(Timestamp, DatagramId)>,
}

impl<V> Default for Aging<V> {
    fn default() -> Self {
        Aging { held: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<V> Aging<V> {
    /// How many values are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    pub(super) fn get(&self, datagram: &DatagramId) -> Option<&V> {
        self.held.get(datagram).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, datagram: &DatagramId) -> Option<&mut V> {
        self.held.get_mut(datagram).map(|(_, value)| value)
    }

    /// Holds a value from now on, in place of the one of the same datagram.
    pub(super) fn insert(&mut self, datagram: DatagramId, time: Timestamp, value: V) {
        if let Some((replaced, _)) = self.held.insert(datagram, (time, value)) {
            self.order.remove(&(replaced, datagram));
        }
        self.order.insert((time, datagram));
    }

    pub(super) fn remove(&mut self, datagram: &DatagramId) -> Option<V> {
        let (time, value) = self.held.remove(datagram)?;
        self.order.remove(&(time, *datagram));
        Some(value)
    }

    /// Gives up the oldest value.
    pub(super) fn pop_oldest(&mut self) -> Option<V> {
        let (_, datagram) = self.order.pop_first()?;
        self.held.remove(&datagram).map(|(_, value)| value)
    }

    /// Gives up a value that lies further than `limit` nanoseconds from `now`, to either side: a
    /// clock that jumps leaves values in what is now the future.
    pub(super) fn pop_aged(&mut self, now: Timestamp, limit: u64) -> Option<V> {
        let ends = [self.order.first(), self.order.last()];
        let aged = ends.into_iter().flatten().find(|(time, _)| now.apart(*time) > limit);
        let (_, datagram) = *aged?;
        self.remove(&datagram)
    }

    /// The values in order of their datagrams.
    pub(super) fn into_values(self) -> impl Iterator<Item = (DatagramId, V)> {
        self.held.into_iter().map(|(datagram, (_, value))| (datagram, value))
    }
}
