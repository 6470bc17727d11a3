//! Later IP fragments have no ports: they take those of the first fragment of their datagram.
//!
//! The pool remembers first fragments and keeps later ones that came before their first, both
//! for thirty seconds of packet time and in bounded number. What lies within that time of the
//! begin of the stream is kept to the end, apart from the rest, because the other half of the
//! datagram may lie in the part before: [`FragmentPool::merge`] then brings them together.
//!
//! A later fragment that waited takes time and place of its first, which are the same however
//! the stream is cut. One whose first is already known keeps its own.
//!
//! Not here: joining their payload, which is [`joining`](super::joining).

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Class, Tally};
use super::aging::Aging;
use super::fragment::{FirstFragment, Found, FragmentEvent};
use super::joining::{Datagram, Joiner, PIECES, Piece, Unfinished};
use crate::base::{IpProto, Timestamp, merge::least};
use crate::capture::FrameRef;
use crate::decode::{Aside, DatagramId, FragmentUnit, Oddities, Transport, Unit};

/// How long a datagram's fragments wait for each other, in nanoseconds (D3.7, RFC 8200
/// section 4.5 allows 60 s).
pub(super) const PATIENCE: u64 = 30_000_000_000;

/// How long fragments are held, in nanoseconds: packets may be two seconds late in the stream,
/// and none that still belongs to a fragment may find it gone.
pub(super) const HELD: u64 = PATIENCE + 2_000_000_000;

/// Most datagrams of which the first fragment is remembered, near the begin and since then each.
const FIRSTS: usize = 65_536;

/// Most later fragments that wait for their first, near the begin and since then each.
const WAITING: usize = 65_536;

/// Most later fragments of one datagram that wait.
const WAITING_OF_ONE: usize = PIECES;

/// First fragments, and later fragments that wait for them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Window {
    firsts: Aging<FirstFragment>,
    waiting: Aging<Vec<FragmentUnit>>,
    waiting_count: usize,
    joiner: Joiner,
}

impl Window {
    fn first_of(&self, datagram: &DatagramId, time: Timestamp) -> Option<FirstFragment> {
        let first = self.firsts.get(datagram)?;
        (time.apart(first.time) <= PATIENCE).then_some(*first)
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
        self.joiner.expire(now);
        while self.firsts.pop_aged(now, HELD).is_some() {}
        while let Some(mut held) = self.waiting.pop_aged(now, HELD) {
            self.waiting_count -= held.len();
            held.extract_if(.., |held| now.apart(held.time) > HELD).for_each(|held| in_vain(&held));
            self.keep_waiting(held);
        }
    }
}

/// The fragments of a stretch of the stream whose other half may still come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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

    /// Datagrams whose payload was not joined for want of room.
    pub fn unjoined(&self) -> u64 {
        self.lead.joiner.given_up + self.recent.joiner.given_up
    }

    /// Datagrams whose payload was not joined because their fragments overlap.
    pub fn contradictory(&self) -> u64 {
        self.lead.joiner.refused + self.recent.joiner.refused
    }

    /// Takes a fragment in arrival order, with the bytes in which its payload lies; hands out, in
    /// order of their place in the stream, what has found its flow and accounts for those that
    /// never will.
    pub fn push(
        &mut self,
        event: FragmentEvent,
        arena: &[u8],
        accounting: &mut Accounting,
        mut found: impl FnMut(Found),
    ) {
        let piece = event.piece(arena);
        let time = match &event {
            FragmentEvent::First(_, first) => first.time,
            FragmentEvent::Later(fragment) => fragment.time,
        };
        least(&mut self.begin, Some(time));
        self.recent.expire(time, |fragment| unclaimed(fragment, accounting));
        let joined = match event {
            FragmentEvent::First(datagram, first) => {
                let is_copy = self.is_copy(&datagram, &first);
                self.first(datagram, first, &mut found);
                let piece = piece.filter(|_| !is_copy);
                piece.and_then(|piece| self.begin(datagram, first, vec![piece]))
            }
            FragmentEvent::Later(fragment) => {
                let is_known = self.later(fragment, accounting, &mut found);
                piece.and_then(|piece| self.join(piece, is_known))
            }
        };
        joined.into_iter().for_each(|joined| found(Found::Datagram(joined)));
    }

    /// Whether a first fragment was taken already.
    fn is_copy(&self, datagram: &DatagramId, first: &FirstFragment) -> bool {
        let copies = |window: &Window| {
            window.firsts.get(datagram).is_some_and(|known| {
                known.digest == first.digest && known.time.apart(first.time) <= PATIENCE
            })
        };
        copies(&self.lead) || copies(&self.recent)
    }

    fn first(&mut self, datagram: DatagramId, first: FirstFragment, mut found: impl FnMut(Found)) {
        for window in [&mut self.lead, &mut self.recent] {
            for fragment in window.claim(&datagram, first.time) {
                found(Found::Packet(packet(&fragment, &first, first.time, first.source)));
            }
        }
        let lead = self.near_begin(first.time) && self.lead.has_room_for_first(&datagram);
        let window = if lead { &mut self.lead } else { &mut self.recent };
        self.lost += u64::from(window.remember(datagram, first));
    }

    /// Joins to a first fragment the payload of those that came before it.
    fn begin(
        &mut self,
        datagram: DatagramId,
        first: FirstFragment,
        mut pieces: Vec<Piece>,
    ) -> Option<Datagram> {
        if !matches!(first.key.protocol(), IpProto::UDP | IpProto::TCP) {
            return None;
        }
        for window in [&mut self.lead, &mut self.recent] {
            pieces.extend(window.joiner.claim(&datagram, first.time));
        }
        let lead = self.near_begin(first.time) && self.lead.joiner.has_room();
        let window = if lead { &mut self.lead } else { &mut self.recent };
        window.joiner.begin(datagram, first, pieces)
    }

    /// Answers whether the first is known.
    fn later(
        &mut self,
        fragment: FragmentUnit,
        accounting: &mut Accounting,
        mut found: impl FnMut(Found),
    ) -> bool {
        if let Some(first) = self.first_of(&fragment.datagram, fragment.time) {
            found(Found::Packet(packet(&fragment, &first, fragment.time, fragment.source)));
            return true;
        }
        let lead = self.near_begin(fragment.time) && self.lead.waiting_count < WAITING;
        let window = if lead { &mut self.lead } else { &mut self.recent };
        for given_up in window.wait(fragment) {
            self.lost += 1;
            unclaimed(&given_up, accounting);
        }
        false
    }

    fn first_of(&self, datagram: &DatagramId, time: Timestamp) -> Option<FirstFragment> {
        let first_in = |window: &Window| window.first_of(datagram, time);
        first_in(&self.recent).or_else(|| first_in(&self.lead))
    }

    /// Joins the payload of a later fragment to its first, or lets it wait for that.
    fn join(&mut self, piece: Piece, is_known: bool) -> Option<Datagram> {
        let lead = self.near_begin(piece.time) && self.lead.joiner.has_room();
        let lead = if is_known { !self.recent.joiner.awaits(&piece) } else { lead };
        let Window { joiner, .. } = if lead { &mut self.lead } else { &mut self.recent };
        if is_known {
            return joiner.add(piece);
        }
        joiner.wait(piece);
        None
    }

    fn near_begin(&self, time: Timestamp) -> bool {
        self.begin.is_some_and(|begin| time.apart(begin) <= HELD)
    }

    /// Joins the pool of the part that follows; hands out what finds its flow by it, all of which
    /// lies in that part.
    pub fn merge(
        &mut self,
        later: FragmentPool,
        accounting: &mut Accounting,
        mut found: impl FnMut(Found),
    ) {
        let FragmentPool { begin, lead, recent, lost } = later;
        least(&mut self.begin, begin);
        self.lost += lost;
        // Fragments go before firsts: within its own part each has found its first already.
        let mut firsts = Vec::new();
        for Window { firsts: others, waiting, waiting_count: _, joiner } in [lead, recent] {
            for fragment in waiting.into_values().flat_map(|(_, fragments)| fragments) {
                self.later(fragment, accounting, &mut found);
            }
            let joined = self.merge_joiner(joiner);
            joined.into_iter().for_each(|joined| found(Found::Datagram(joined)));
            firsts.push(others);
        }
        for (datagram, first) in firsts.into_iter().flat_map(Aging::into_values) {
            self.first(datagram, first, &mut found);
        }
    }

    /// Answers the datagrams of which both parts hold fragments, as far as they are whole now.
    fn merge_joiner(&mut self, later: Joiner) -> Vec<Datagram> {
        let (unfinished, given_up, refused) = later.into_parts();
        self.recent.joiner.given_up += given_up;
        self.recent.joiner.refused += refused;
        let mut joined = Vec::new();
        for (datagram, Unfinished { first, pieces }) in unfinished {
            if let Some(first) = first {
                joined.extend(self.begin(datagram, first, pieces));
                continue;
            }
            for piece in pieces {
                let is_known = self.first_of(&datagram, piece.time).is_some();
                joined.extend(self.join(piece, is_known));
            }
        }
        joined
    }

    /// The end of the stream: whatever still waits has no first fragment. Answers how many of them
    /// came so soon after the begin of the stream that it may lie before.
    pub fn finish(&mut self, accounting: &mut Accounting, begin: Option<Timestamp>) -> u64 {
        let mut early = 0;
        for window in [&mut self.lead, &mut self.recent] {
            let waiting = std::mem::take(&mut window.waiting);
            for fragment in waiting.into_values().flat_map(|(_, fragments)| fragments) {
                let is_early = begin.is_some_and(|begin| fragment.time.apart(begin) <= PATIENCE);
                early += u64::from(is_early);
                unclaimed(&fragment, accounting);
            }
        }
        early
    }
}

fn unclaimed(fragment: &FragmentUnit, accounting: &mut Accounting) {
    accounting.add(Class::UnclaimedFragment, Tally::of(fragment.frame_bytes, fragment.source));
}

/// A later fragment as a packet of the flow of its first.
fn packet(
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
        path: fragment.path,
        vlan: fragment.vlan,
        fingerprint: fragment.fingerprint,
        oddities: Oddities::default(),
        aside: Aside::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Endpoint, IpProto};
    use crate::decode::FlowKey;
    use crate::decode::{Fingerprint, Path};

    const SECOND: i64 = 1_000_000_000;

    /// A pool and what it handed out.
    #[derive(Default)]
    struct Run {
        pool: FragmentPool,
        accounting: Accounting,
        found: u64,
        ordinal: u64,
    }

    impl Run {
        fn next(&mut self) -> FrameRef {
            self.ordinal += 1;
            FrameRef { ordinal: self.ordinal, input: 0, number: self.ordinal }
        }

        fn push(&mut self, event: FragmentEvent) {
            let found = &mut self.found;
            self.pool.push(event, &[], &mut self.accounting, |_| *found += 1);
        }

        fn first(&mut self, identification: u32, nanos: i64) {
            let datagram = datagram(identification);
            let (source, destination) = (datagram.source, datagram.destination);
            let (key, direction) = FlowKey::new(source, destination, IpProto::UDP);
            let time = Timestamp::from_nanos(nanos);
            let first = FirstFragment {
                key,
                direction,
                time,
                source: self.next(),
                sequence: 0,
                header: 8,
                payload_bytes: 24,
                payload_offset: 0,
                payload_captured: 0,
                digest: 0,
            };
            self.push(FragmentEvent::First(datagram, first));
        }

        fn later(&mut self, identification: u32, nanos: i64) {
            let fragment = FragmentUnit {
                datagram: datagram(identification),
                time: Timestamp::from_nanos(nanos),
                source: self.next(),
                frame_bytes: 60,
                ip_bytes: 46,
                datagram_offset: 24,
                is_last: true,
                payload_bytes: 26,
                payload_offset: 0,
                payload_captured: 0,
                link_group: false,
                cut: false,
                path: Path::default(),
                vlan: None,
                fingerprint: Fingerprint::default(),
            };
            self.push(FragmentEvent::Later(fragment));
        }

        fn unclaimed(&self) -> u64 {
            self.accounting.of(Class::UnclaimedFragment).packets
        }
    }

    fn datagram(identification: u32) -> DatagramId {
        DatagramId {
            source: Endpoint::v4([10, 0, 0, 1], 0),
            destination: Endpoint::v4([10, 0, 0, 2], 0),
            protocol: IpProto::UDP,
            identification,
        }
    }

    #[test]
    fn many_firsts_at_the_begin_leave_room_for_those_that_follow() {
        let mut run = Run::default();
        for identification in 0..FIRSTS as u32 + 500 {
            run.first(identification, i64::from(identification));
        }
        for identification in (0..2_000).step_by(2).map(|step| 1_000_000 + step) {
            let time = 600 * SECOND + i64::from(identification);
            run.first(identification, time);
            run.first(identification + 1, time);
            run.later(identification, time);
            run.later(identification + 1, time);
        }
        assert_eq!((run.found, run.unclaimed(), run.pool.lost()), (2_000, 0, 0));
    }

    #[test]
    fn many_orphans_at_the_begin_leave_room_to_wait() {
        let mut run = Run::default();
        for identification in 0..WAITING as u32 + 500 {
            run.later(identification, i64::from(identification));
        }
        for identification in 1_000_000..1_001_000 {
            let time = 600 * SECOND + i64::from(identification);
            run.later(identification, time);
            run.first(identification, time);
        }
        assert_eq!(run.found, 1_000);
        run.pool.finish(&mut run.accounting, None);
        assert_eq!(run.unclaimed(), WAITING as u64 + 500);
    }

    #[test]
    fn orphans_of_one_datagram_are_bounded_and_counted() {
        let mut run = Run::default();
        run.later(1, 0);
        for step in 0..10_000 {
            run.later(9, 100 * SECOND + step);
        }
        assert_eq!(run.pool.lost(), 10_000 - WAITING_OF_ONE as u64);
        assert_eq!(run.unclaimed(), run.pool.lost());
        run.first(9, 101 * SECOND);
        assert_eq!(run.found, WAITING_OF_ONE as u64);
        run.pool.finish(&mut run.accounting, None);
        assert_eq!(run.unclaimed() + run.found, 10_001);
    }

    #[test]
    fn copies_of_a_fragment_take_no_room() {
        let mut run = Run::default();
        run.first(1, 0);
        for step in 0..10_000 {
            run.first(7, 100 * SECOND + step);
            run.later(7, 100 * SECOND + step);
        }
        assert_eq!((run.pool.lead.firsts.len(), run.pool.recent.firsts.len()), (1, 1));
        assert_eq!((run.found, run.pool.recent.waiting_count), (10_000, 0));
    }

    #[test]
    fn a_late_packet_finds_a_first_that_is_thirty_seconds_old() {
        for (later, found) in [(130 * SECOND, 1), (130 * SECOND + 1, 0)] {
            let mut run = Run::default();
            run.later(1, 0);
            run.first(7, 100 * SECOND);
            run.later(8, 132 * SECOND);
            run.later(7, later);
            assert_eq!(run.found, found);
        }
    }

    #[test]
    fn one_time_far_in_the_future_does_not_end_the_waiting() {
        let mut run = Run::default();
        run.later(1, 0);
        run.later(2, i64::MAX);
        run.later(7, 100 * SECOND);
        run.first(8, 101 * SECOND);
        run.first(7, 102 * SECOND);
        assert_eq!((run.found, run.unclaimed()), (1, 1));
    }
}
