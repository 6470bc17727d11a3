//! What the capture lets one say of that which is not in it. In: the flow records of a whole
//! stream, and whether packets are known to be missing. Out: whether the capture shows both
//! directions, as a whole and of each VLAN, and whether a missing answer was missing on the wire.
//!
//! The verdict on a flow does not depend on it. How far the flow came does, and who opened it
//! where only one direction could be captured.

use std::collections::BTreeMap;

use crate::base::IpProto;
use crate::decode::Direction;
use crate::flow::{ConnectionState, FlowRecord, Half};

/// Identifier of a VLAN; `None` for frames without a tag.
pub type Vlan = Option<u16>;

/// TCP flows by the directions that were captured of them (D3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directions {
    /// Both directions.
    pub both: u64,
    /// One direction, whose acknowledgements prove the other.
    pub half_seen: u64,
    /// One direction, and nothing proves that there was another: attempts and fragments of
    /// connections.
    pub alone: u64,
}

impl Directions {
    /// All flows.
    pub fn flows(&self) -> u64 {
        self.both + self.half_seen + self.alone
    }

    /// Flows that were answered, whether the answer was captured or not.
    pub fn answered(&self) -> u64 {
        self.both + self.half_seen
    }

    /// Whether more of the answered connections show one direction than show both.
    ///
    /// One answered connection without its answers proves that answers can be missing. From one
    /// half on, a missing answer is more likely one that was not captured than one that was not
    /// sent, so that nothing may be concluded from it.
    pub fn one_sided(&self) -> bool {
        self.half_seen > self.both
    }

    fn count(&mut self, seen: Seen) {
        match seen {
            Seen::Both => self.both += 1,
            Seen::Half => self.half_seen += 1,
            Seen::Alone => self.alone += 1,
        }
    }
}

#[derive(Clone, Copy)]
enum Seen {
    Both,
    Half,
    Alone,
}

/// What the capture lets one say of that which is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visibility {
    /// Whether packets are known to be missing: lost, filtered out, or never read.
    pub incomplete: bool,
    /// The directions of TCP flows: of those with an end at a listed host where one of them was
    /// answered, else of all.
    pub all: Directions,
    /// The same by the VLAN in which a direction was captured. A flow between two VLANs counts in
    /// both.
    pub vlans: BTreeMap<Vlan, Directions>,
    /// Whether nothing is known to be missing.
    whole: bool,
}

impl Visibility {
    /// Counts the directions of the TCP flows. Probes are no connections, and an attempt that only
    /// an ICMP error tells of was not captured at all. What strangers send each other, forged or
    /// not, says nothing of the flows of listed hosts where these say it themselves.
    pub fn of(
        records: &[FlowRecord],
        is_listed: impl Fn(&FlowRecord) -> bool,
        incomplete: bool,
    ) -> Self {
        let (mut listed, mut all) = (Visibility::default(), Visibility::default());
        for record in records {
            if let Some(seen) = seen(record) {
                let vlans = [Direction::AToB, Direction::BToA]
                    .map(|direction| record.half(direction))
                    .map(|half| (half.packets > 0).then(|| vlan(half)));
                all.count(seen, vlans);
                if is_listed(record) {
                    listed.count(seen, vlans);
                }
            }
        }
        let told = if listed.all.answered() > 0 { listed } else { all };
        told.settled(incomplete)
    }

    fn settled(mut self, incomplete: bool) -> Self {
        self.incomplete = incomplete;
        self.whole = !incomplete && self.one_sided().is_empty();
        self
    }

    fn count(&mut self, seen: Seen, vlans: [Option<Vlan>; 2]) {
        self.all.count(seen);
        let [one, other] = vlans;
        for vlan in [one, other.filter(|_| one != other)].into_iter().flatten() {
            self.vlans.entry(vlan).or_default().count(seen);
        }
    }

    /// Whether it is unknown if a flow was answered, because the capture would not show an answer.
    /// The VLAN decides where it holds an answered connection, else the whole capture.
    pub fn hides_answer(&self, record: &FlowRecord) -> bool {
        let (one, other) = (record.half(Direction::AToB), record.half(Direction::BToA));
        let captured = match (one.packets > 0, other.packets > 0) {
            (true, false) => one,
            (false, true) => other,
            _ => return false,
        };
        let vlan = self.vlans.get(&vlan(captured)).filter(|seen| seen.answered() > 0);
        vlan.unwrap_or(&self.all).one_sided()
    }

    /// Whether nothing is known to be missing, so that what is not in the capture was not there.
    pub fn proves_absence(&self) -> bool {
        self.whole
    }

    /// Where one direction alone was captured: the VLANs, or `None` for all that was captured.
    pub fn one_sided(&self) -> Vec<(Option<Vlan>, Directions)> {
        let telling = || self.vlans.iter().filter(|(_, seen)| seen.answered() > 0);
        if self.all.one_sided() && telling().all(|(_, seen)| seen.one_sided()) {
            return vec![(None, self.all)];
        }
        let one_sided = telling().filter(|(_, seen)| seen.one_sided());
        one_sided.map(|(vlan, seen)| (Some(*vlan), *seen)).collect()
    }
}

/// The VLAN in which one direction of a flow was captured.
fn vlan(half: &Half) -> Vlan {
    half.vlan
}

fn seen(record: &FlowRecord) -> Option<Seen> {
    let captured = record.key.protocol() == IpProto::TCP && record.origin.is_some();
    if !captured || record.is_probe() {
        return None;
    }
    let has = |direction| record.half(direction).packets > 0;
    Some(match record.state(record.initiator) {
        _ if has(Direction::AToB) && has(Direction::BToA) => Seen::Both,
        ConnectionState::HalfSeen => Seen::Half,
        _ => Seen::Alone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visibility(seen: &[(Seen, [Option<Vlan>; 2])]) -> Visibility {
        let mut visibility = Visibility::default();
        for (seen, vlans) in seen {
            visibility.count(*seen, *vlans);
        }
        visibility.settled(false)
    }

    const V10: Option<Vlan> = Some(Some(10));
    const V20: Option<Vlan> = Some(Some(20));

    #[test]
    fn one_half_of_the_answered_connections_is_the_limit() {
        for (both, half_seen, alone, one_sided) in [
            (0, 0, 0, false),
            // Attempts alone prove nothing (D3.4).
            (0, 0, 9, false),
            (0, 1, 0, true),
            (1, 1, 0, false),
            (1, 1, 9, false),
            (4, 5, 0, true),
            (5, 4, 9, false),
        ] {
            let seen = Directions { both, half_seen, alone };
            assert_eq!(seen.one_sided(), one_sided, "{seen:?}");
        }
    }

    #[test]
    fn a_vlan_is_declared_by_its_own_flows() {
        let whole = visibility(&[(Seen::Half, [V10, None]), (Seen::Alone, [None, V20])]);
        let all = Directions { both: 0, half_seen: 1, alone: 1 };
        assert_eq!(whole.one_sided(), [(None, all)], "no other VLAN says otherwise");
        let part = visibility(&[
            (Seen::Half, [V10, None]),
            (Seen::Both, [V20, V20]),
            (Seen::Both, [V20, V20]),
        ]);
        let ten = Directions { both: 0, half_seen: 1, alone: 0 };
        assert_eq!(part.one_sided(), [(V10, ten)]);
        assert_eq!(part.vlans[&Some(20)].both, 2, "both directions in one VLAN count once");
        assert!(!part.proves_absence());
    }

    /// Routed traffic bears another tag on the way back (pitfall 35).
    #[test]
    fn a_flow_between_two_vlans_counts_in_both() {
        let seen = visibility(&[(Seen::Both, [V10, V20])]);
        assert_eq!(seen.vlans.values().map(|seen| seen.both).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(seen.all.both, 1);
        assert!(seen.one_sided().is_empty() && seen.proves_absence());
    }

    #[test]
    fn what_was_lost_may_have_been_there() {
        let seen = visibility(&[(Seen::Both, [V10, V10])]).settled(true);
        assert!(seen.one_sided().is_empty());
        assert!(!seen.proves_absence());
    }
}
