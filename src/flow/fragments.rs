//! Later IP fragments have no ports: they take those of the first fragment of their datagram.
//!
//! The pool remembers first fragments and keeps later ones that came before their first, both
//! for thirty seconds of packet time and in bounded number. What lies within thirty seconds of
//! the begin of the stream is kept to the end, because the other half of the datagram may lie
//! in the part before: [`FragmentPool::merge`] then brings them together.

use std::collections::{BTreeMap, VecDeque};

use super::accounting::{Accounting, Class, Tally};
use crate::base::{Timestamp, merge::least};
use crate::decode::{Aside, DatagramId, Direction, FlowKey, FragmentUnit, Transport, Unit};

/// How long a datagram's fragments wait for each other, in nanoseconds (D3.7, RFC 8200
/// section 4.5 allows 60 s).
const PATIENCE: i64 = 30_000_000_000;

/// Most datagrams of which the first fragment is remembered.
const FIRSTS: usize = 65_536;

/// Most later fragments that wait for their first.
const WAITING: usize = 65_536;

/// A fragment on its way to its flow.
#[derive(Clone, Copy, Debug)]
pub enum FragmentEvent {
    /// A first fragment, already a packet of its flow.
    First {
        /// The datagram.
        datagram: DatagramId,
        /// The flow.
        key: FlowKey,
        /// Which way it travels.
        direction: Direction,
        /// When it was captured.
        time: Timestamp,
    },
    /// A later fragment.
    Later(FragmentUnit),
}

#[derive(Clone, Copy, Debug)]
struct First {
    key: FlowKey,
    direction: Direction,
    time: Timestamp,
}

/// First fragments, and later fragments that wait for them.
#[derive(Clone, Debug, Default)]
pub struct FragmentPool {
    begin: Option<Timestamp>,
    now: Option<Timestamp>,
    firsts: BTreeMap<DatagramId, First>,
    first_order: VecDeque<(Timestamp, DatagramId)>,
    waiting: BTreeMap<DatagramId, Vec<FragmentUnit>>,
    waiting_order: VecDeque<(Timestamp, DatagramId)>,
    waiting_count: usize,
    lost: u64,
}

impl FragmentPool {
    /// Fragments that could not wait, or firsts that were forgotten early, for want of room.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Takes a fragment in arrival order; hands out the packets that have found their flow and
    /// accounts for those that never will.
    pub fn push(
        &mut self,
        event: FragmentEvent,
        accounting: &mut Accounting,
        mut found: impl FnMut(Unit),
    ) {
        let time = match &event {
            FragmentEvent::First { time, .. } => *time,
            FragmentEvent::Later(fragment) => fragment.time,
        };
        least(&mut self.begin, Some(time));
        self.now = self.now.max(Some(time));
        self.expire(accounting);
        match event {
            FragmentEvent::First { datagram, key, direction, time } => {
                let first = First { key, direction, time };
                for fragment in self.take_waiting(&datagram, time) {
                    found(joined(&fragment, &first));
                }
                self.remember(datagram, first);
            }
            FragmentEvent::Later(fragment) => match self.first_of(&fragment) {
                Some(first) => found(joined(&fragment, &first)),
                None => self.wait(fragment, accounting),
            },
        }
    }

    fn first_of(&self, fragment: &FragmentUnit) -> Option<First> {
        let first = self.firsts.get(&fragment.datagram)?;
        (fragment.time.since(first.time).abs() <= PATIENCE).then_some(*first)
    }

    fn remember(&mut self, datagram: DatagramId, first: First) {
        if self.firsts.len() >= FIRSTS && !self.firsts.contains_key(&datagram) {
            while let Some((_, oldest)) = self.first_order.pop_front() {
                if self.firsts.remove(&oldest).is_some() {
                    break;
                }
            }
            self.lost += 1;
        }
        self.firsts.insert(datagram, first);
        self.first_order.push_back((first.time, datagram));
    }

    fn wait(&mut self, fragment: FragmentUnit, accounting: &mut Accounting) {
        if self.waiting_count >= WAITING {
            self.lost += 1;
            unclaimed(&fragment, accounting);
            return;
        }
        self.waiting_count += 1;
        self.waiting_order.push_back((fragment.time, fragment.datagram));
        self.waiting.entry(fragment.datagram).or_default().push(fragment);
    }

    /// Removes the fragments of a datagram that still may belong to a first seen at `time`.
    fn take_waiting(&mut self, datagram: &DatagramId, time: Timestamp) -> Vec<FragmentUnit> {
        let Some(mut held) = self.waiting.remove(datagram) else { return Vec::new() };
        let claimed = held.extract_if(.., |held| time.since(held.time).abs() <= PATIENCE);
        let claimed: Vec<_> = claimed.collect();
        self.waiting_count -= claimed.len();
        if !held.is_empty() {
            self.waiting.insert(*datagram, held);
        }
        claimed
    }

    /// Forgets what is older than the patience, except near the begin of the stream.
    fn expire(&mut self, accounting: &mut Accounting) {
        let (Some(begin), Some(now)) = (self.begin, self.now) else { return };
        let settled = |time: Timestamp| now.since(time) > PATIENCE && time.since(begin) > PATIENCE;
        while let Some((time, datagram)) = self.first_order.front().copied() {
            if now.since(time) <= PATIENCE {
                break;
            }
            self.first_order.pop_front();
            let stale = self.firsts.get(&datagram).is_some_and(|first| settled(first.time));
            if stale {
                self.firsts.remove(&datagram);
            }
        }
        while let Some((time, datagram)) = self.waiting_order.front().copied() {
            if now.since(time) <= PATIENCE {
                break;
            }
            self.waiting_order.pop_front();
            let Some(mut held) = self.waiting.remove(&datagram) else { continue };
            for fragment in held.extract_if(.., |held| settled(held.time)) {
                self.waiting_count -= 1;
                unclaimed(&fragment, accounting);
            }
            if !held.is_empty() {
                self.waiting.insert(datagram, held);
            }
        }
    }

    /// Joins the pool of another part; hands out the packets that find their flow by it.
    pub fn merge(&mut self, other: FragmentPool, mut found: impl FnMut(Unit)) {
        let FragmentPool { begin, now, firsts, first_order, waiting, waiting_order, .. } = other;
        least(&mut self.begin, begin);
        self.now = self.now.max(now);
        self.lost += other.lost;
        self.first_order.extend(first_order);
        self.waiting_order.extend(waiting_order);
        for fragments in waiting.into_values() {
            for fragment in fragments {
                match self.first_of(&fragment) {
                    Some(first) => found(joined(&fragment, &first)),
                    None => {
                        self.waiting_count += 1;
                        self.waiting.entry(fragment.datagram).or_default().push(fragment);
                    }
                }
            }
        }
        for (datagram, first) in firsts {
            for fragment in self.take_waiting(&datagram, first.time) {
                found(joined(&fragment, &first));
            }
            self.firsts
                .entry(datagram)
                .and_modify(|held| {
                    if first.time > held.time {
                        *held = first;
                    }
                })
                .or_insert(first);
        }
    }

    /// The end of the stream: whatever still waits has no first fragment.
    pub fn finish(&mut self, accounting: &mut Accounting) {
        for fragment in std::mem::take(&mut self.waiting).into_values().flatten() {
            unclaimed(&fragment, accounting);
        }
        self.waiting_count = 0;
    }
}

fn unclaimed(fragment: &FragmentUnit, accounting: &mut Accounting) {
    accounting.add(Class::UnclaimedFragment, Tally::of(fragment.frame_bytes, fragment.source));
}

/// A later fragment as a packet of the flow of its first.
fn joined(fragment: &FragmentUnit, first: &First) -> Unit {
    Unit {
        key: first.key,
        direction: first.direction,
        time: fragment.time,
        source: fragment.source,
        frame_bytes: fragment.frame_bytes,
        ip_bytes: fragment.ip_bytes,
        payload_bytes: fragment.payload_bytes,
        payload_offset: 0,
        payload_captured: 0,
        transport: Transport::Other,
        link_group: fragment.link_group,
        cut: fragment.cut,
        aside: Aside::None,
    }
}
