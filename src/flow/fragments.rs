//! Later IP fragments have no ports: they take those of the first fragment of their datagram.
//!
//! The pool remembers first fragments and keeps later ones that came before their first, both
//! for thirty seconds of packet time and in bounded number. What lies within that time of the
//! begin of the stream is kept to the end, apart from the rest, because the other half of the
//! datagram may lie in the part before: [`FragmentPool::merge`] then brings them together.
//!
//! A later fragment that waited takes time and place of its first, which are the same however
//! the stream is cut. One whose first is already known keeps its own.

use super::accounting::{Accounting, Class, Tally};
use super::aging::Aging;
use crate::base::{Timestamp, merge::least};
use crate::capture::FrameRef;
use crate::decode::{Aside, DatagramId, Direction, FlowKey, FragmentUnit, Transport, Unit};

/// How long a datagram's fragments wait for each other, in nanoseconds (D3.7, RFC 8200
/// section 4.5 allows 60 s).
const PATIENCE: u64 = 30_000_000_000;

/// How long fragments are held, in nanoseconds: packets may be two seconds late in the stream,
/// and none that still belongs to a fragment may find it gone.
const HELD: u64 = PATIENCE + 2_000_000_000;

/// Most datagrams of which the first fragment is remembered, near the begin and since then each.
const FIRSTS: usize = 65_536;

/// Most later fragments that wait for their first, near the begin and since then each.
const WAITING: usize = 65_536;

/// Most later fragments of one datagram that wait: what 64 KiB take at the least length that a
/// link of the Internet must carry (RFC 791 section 3.2: 576 bytes), and some.
const WAITING_OF_ONE: usize = 128;

/// A first fragment, already a packet of its flow.
#[derive(Clone, Copy, Debug)]
pub struct FirstFragment {
    /// The flow.
    pub key: FlowKey,
    /// Which way it travels.
    pub direction: Direction,
    /// When it was captured.
    pub time: Timestamp,
    /// Place in the stream, input and packet number.
    pub source: FrameRef,
}

/// A fragment on its way to its flow.
#[derive(Clone, Copy, Debug)]
pub enum FragmentEvent {
    /// The first fragment of a datagram.
    First(DatagramId, FirstFragment),
    /// A later fragment.
    Later(FragmentUnit),
}

/// First fragments, and later fragments that wait for them.
#[derive(Clone, Debug, Default)]
struct Window {
    firsts: Aging<FirstFragment>,
    waiting: Aging<Vec<FragmentUnit>>,
    waiting_count: usize,
}

impl Window {
    fn first_of(&self, fragment: &FragmentUnit) -> Option<FirstFragment> {
        let first = self.firsts.get(&fragment.datagram)?;
        (fragment.time.apart(first.time) <= PATIENCE).then_some(*first)
    }

    fn has_room_for_first(&self, datagram: &DatagramId) -> bool {
        self.firsts.len() < FIRSTS || self.firsts.get(datagram).is_some()
    }

    /// Remembers a first fragment. Answers whether another was forgotten for it.
    fn remember(&mut self, datagram: DatagramId, first: FirstFragment) -> bool {
        self.firsts.insert(datagram, first.time, first);
        self.firsts.len() > FIRSTS && self.firsts.pop_oldest().is_some()
    }

    /// Lets a fragment wait. Answers what was given up: itself, or the longest waiting.
    fn wait(&mut self, fragment: FragmentUnit) -> Vec<FragmentUnit> {
        match self.waiting.get_mut(&fragment.datagram) {
            Some(held) if held.len() >= WAITING_OF_ONE => return vec![fragment],
            Some(held) => held.push(fragment),
            None => self.waiting.insert(fragment.datagram, fragment.time, vec![fragment]),
        }
        self.waiting_count += 1;
        if self.waiting_count <= WAITING {
            return Vec::new();
        }
        let given_up = self.waiting.pop_oldest().unwrap_or_default();
        self.waiting_count -= given_up.len();
        given_up
    }

    /// Removes the fragments of a datagram that belong to a first captured at `time`.
    fn claim(&mut self, datagram: &DatagramId, time: Timestamp) -> Vec<FragmentUnit> {
        let Some(mut held) = self.waiting.remove(datagram) else { return Vec::new() };
        self.waiting_count -= held.len();
        let claimed = held.extract_if(.., |held| time.apart(held.time) <= PATIENCE).collect();
        self.keep_waiting(held);
        claimed
    }

    /// Takes back what is left of the fragments of a datagram.
    fn keep_waiting(&mut self, held: Vec<FragmentUnit>) {
        self.waiting_count += held.len();
        if let Some(first) = held.first() {
            self.waiting.insert(first.datagram, first.time, held);
        }
    }

    /// Forgets what can meet no other fragment any more; hands out what waited in vain.
    fn expire(&mut self, now: Timestamp, mut in_vain: impl FnMut(&FragmentUnit)) {
        while self.firsts.pop_aged(now, HELD).is_some() {}
        while let Some(mut held) = self.waiting.pop_aged(now, HELD) {
            self.waiting_count -= held.len();
            held.extract_if(.., |held| now.apart(held.time) > HELD).for_each(|held| in_vain(&held));
            self.keep_waiting(held);
        }
    }
}

/// The fragments of a stretch of the stream whose other half may still come.
#[derive(Clone, Debug, Default)]
pub struct FragmentPool {
    begin: Option<Timestamp>,
    /// What lies near the begin. Nothing in it ages, so it has its own bounds: whatever the
    /// stream begins with, the moving window keeps all of its room.
    lead: Window,
    recent: Window,
    lost: u64,
}

impl FragmentPool {
    /// Fragments that could not wait, or firsts that were forgotten early, for want of room.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Takes a fragment in arrival order; hands out, in order of their place in the stream, the
    /// packets that have found their flow and accounts for those that never will.
    pub fn push(
        &mut self,
        event: FragmentEvent,
        accounting: &mut Accounting,
        found: impl FnMut(Unit),
    ) {
        let time = match &event {
            FragmentEvent::First(_, first) => first.time,
            FragmentEvent::Later(fragment) => fragment.time,
        };
        least(&mut self.begin, Some(time));
        self.recent.expire(time, |fragment| unclaimed(fragment, accounting));
        match event {
            FragmentEvent::First(datagram, first) => self.first(datagram, first, found),
            FragmentEvent::Later(fragment) => self.later(fragment, accounting, found),
        }
    }

    fn first(&mut self, datagram: DatagramId, first: FirstFragment, mut found: impl FnMut(Unit)) {
        for window in [&mut self.lead, &mut self.recent] {
            for fragment in window.claim(&datagram, first.time) {
                found(joined(&fragment, &first, first.time, first.source));
            }
        }
        let lead = self.near_begin(first.time) && self.lead.has_room_for_first(&datagram);
        let window = if lead { &mut self.lead } else { &mut self.recent };
        self.lost += u64::from(window.remember(datagram, first));
    }

    fn later(
        &mut self,
        fragment: FragmentUnit,
        accounting: &mut Accounting,
        mut found: impl FnMut(Unit),
    ) {
        let known = self.recent.first_of(&fragment).or_else(|| self.lead.first_of(&fragment));
        if let Some(first) = known {
            found(joined(&fragment, &first, fragment.time, fragment.source));
            return;
        }
        let lead = self.near_begin(fragment.time) && self.lead.waiting_count < WAITING;
        let window = if lead { &mut self.lead } else { &mut self.recent };
        for given_up in window.wait(fragment) {
            self.lost += 1;
            unclaimed(&given_up, accounting);
        }
    }

    fn near_begin(&self, time: Timestamp) -> bool {
        self.begin.is_some_and(|begin| time.apart(begin) <= HELD)
    }

    /// Joins the pool of the part that follows; hands out the packets that find their flow by it.
    pub fn merge(
        &mut self,
        later: FragmentPool,
        accounting: &mut Accounting,
        mut found: impl FnMut(Unit),
    ) {
        let FragmentPool { begin, lead, recent, lost } = later;
        least(&mut self.begin, begin);
        self.lost += lost;
        // Fragments go before firsts: within its own part each has found its first already.
        let (firsts, waiting): (Vec<_>, Vec<_>) =
            [lead, recent].into_iter().map(|window| (window.firsts, window.waiting)).unzip();
        for (_, fragments) in waiting.into_iter().flat_map(Aging::into_values) {
            for fragment in fragments {
                self.later(fragment, accounting, &mut found);
            }
        }
        for (datagram, first) in firsts.into_iter().flat_map(Aging::into_values) {
            self.first(datagram, first, &mut found);
        }
    }

    /// The end of the stream: whatever still waits has no first fragment.
    pub fn finish(&mut self, accounting: &mut Accounting) {
        for window in [&mut self.lead, &mut self.recent] {
            let window = std::mem::take(window);
            for (_, fragments) in window.waiting.into_values() {
                fragments.iter().for_each(|fragment| unclaimed(fragment, accounting));
            }
        }
    }
}

fn unclaimed(fragment: &FragmentUnit, accounting: &mut Accounting) {
    accounting.add(Class::UnclaimedFragment, Tally::of(fragment.frame_bytes, fragment.source));
}

/// A later fragment as a packet of the flow of its first.
fn joined(
    fragment: &FragmentUnit,
    first: &FirstFragment,
    time: Timestamp,
    source: FrameRef,
) -> Unit {
    Unit {
        key: first.key,
        direction: first.direction,
        time,
        source,
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
