//! What a report cannot say, and why. In: what the inputs and the fold say against the evidence,
//! and the health of the capture. The sentences, and what to do about each, are the report's.

use super::grade::{Grade, Measure, MeasureKind};
use super::health::Health;
use super::model::{RoleId, SectionId};
use super::visibility::{Directions, Visibility, Vlan};
use crate::capture::TimeSteps;
use crate::flow::{Accounting, Class};

/// A share of the packets above which copies are worth a word, as one in this many: a mirror of
/// both directions of two ports copies one half of all, and a stray copy is none.
const COPIES_WORTH_A_WORD: u64 = 10;

/// A share of the packets above which the mirror shows nearly every packet twice (D4.2), in per
/// cent.
const COPIES_OF_NEARLY_ALL: u64 = 40;

/// A reason to doubt that nothing found means nothing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Inputs could not be read to their end.
    InputsFailed {
        /// How many.
        failed: u64,
        /// Of how many.
        inputs: u64,
    },
    /// Interfaces with a capture filter.
    Filtered(u64),
    /// Packets that the capturing system lost.
    Dropped(u64),
    /// Packets that mirrors lost on their way, by the sequence numbers of the tunnels.
    LostByMirrors(u64),
    /// The clock of the capture was set back, or captures were put together in the wrong order.
    ClockSetBack(TimeSteps),
    /// The capture paused, or its clock was set forward.
    Paused(TimeSteps),
    /// The watch was started again.
    Interrupted {
        /// How often.
        times: u64,
        /// Nanoseconds without a packet in all, from the last checkpoint before to the first packet
        /// after.
        nanos: u64,
    },
    /// Packets that came too late to be put back in the order of their times.
    OutOfOrder(u64),
    /// No packet was read.
    NoPacket,
    /// The site names no host.
    NoHost,
    /// No conversation touches a governed host.
    NothingGoverned,
    /// The capture shows one direction only.
    OneSided {
        /// In this VLAN; `None` for all that was captured.
        vlan: Option<Vlan>,
        /// How its TCP flows were captured.
        seen: Directions,
    },
    /// Of TCP flows in scope one direction was captured.
    OneWay {
        /// Those flows.
        flows: u64,
        /// All TCP flows in scope.
        of: u64,
    },
    /// TCP flows in scope began before the capture.
    MidStream {
        /// Those flows.
        flows: u64,
        /// All TCP flows in scope.
        of: u64,
    },
    /// Bytes were acknowledged and not captured.
    Unseen {
        /// Those bytes.
        bytes: u64,
        /// Bytes captured of the same flows.
        held: u64,
    },
    /// Packets of which only the begin was captured.
    Cut(u64),
    /// Packets that were left out as copies of others.
    Copies {
        /// Those packets.
        copies: u64,
        /// All packets.
        packets: u64,
        /// Whether the mirror shows nearly every packet twice.
        nearly_all: bool,
    },
    /// Mirror tunnels to addresses that the site file does not name as collectors.
    UnnamedCollectors(u64),
    /// Packets of tunnels whose ends were not kept for want of room.
    UntoldTunnels(u64),
    /// Packets longer than any link carries: a network card had joined them.
    SuperFrames(u64),
    /// No host of these roles was seen alive.
    AbsentRoles(Vec<RoleId>),
    /// No traffic of these tables was seen, though hosts of both roles were.
    IdleTables(Vec<SectionId>),
    /// Too many packets could not be decoded.
    Undecoded {
        /// Those packets.
        packets: u64,
        /// All packets.
        total: u64,
    },
    /// Governed flows could not be judged.
    NotAssessable {
        /// Those flows.
        flows: u64,
        /// Of them, with data from both ends.
        with_data: u64,
        /// All governed flows.
        governed: u64,
    },
    /// Packets of new flows for which the flow table had no room.
    TableFull(u64),
    /// Later fragments whose first fragment was not captured.
    UnclaimedFragments(u64),
    /// Fragments that could not wait for their first for want of room.
    LostFragments(u64),
    /// Packets that joined an older use of their five-tuple for want of room.
    BlurredPackets(u64),
    /// ICMP errors whose quoted flow was not kept for want of room.
    LostQuotes(u64),
}

impl Doubt {
    /// The stable code in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Doubt::InputsFailed { .. } => "inputs-failed",
            Doubt::Filtered(_) => "filtered",
            Doubt::Dropped(_) => "dropped",
            Doubt::LostByMirrors(_) => "lost-by-mirrors",
            Doubt::ClockSetBack(_) => "clock-set-back",
            Doubt::Paused(_) => "paused",
            Doubt::Interrupted { .. } => "interrupted",
            Doubt::OutOfOrder(_) => "out-of-order",
            Doubt::NoPacket => "no-packet",
            Doubt::NoHost => "no-host",
            Doubt::NothingGoverned => "nothing-governed",
            Doubt::OneSided { .. } => "one-sided",
            Doubt::OneWay { .. } => "one-way",
            Doubt::MidStream { .. } => "mid-stream",
            Doubt::Unseen { .. } => "unseen-bytes",
            Doubt::Cut(_) => "cut",
            Doubt::Copies { .. } => "copies",
            Doubt::UnnamedCollectors(_) => "unnamed-collectors",
            Doubt::UntoldTunnels(_) => "tunnels-untold",
            Doubt::SuperFrames(_) => "super-frames",
            Doubt::AbsentRoles(_) => "absent-roles",
            Doubt::IdleTables(_) => "idle-tables",
            Doubt::Undecoded { .. } => "undecoded",
            Doubt::NotAssessable { .. } => "not-assessable",
            Doubt::TableFull(_) => "table-full",
            Doubt::BlurredPackets(_) => "detail-lost",
            Doubt::UnclaimedFragments(_) => "unclaimed-fragments",
            Doubt::LostFragments(_) => "fragments-lost",
            Doubt::LostQuotes(_) => "icmp-quotes-lost",
        }
    }

    /// Whether the mirror copies packets rather than that a stray copy was met.
    pub fn of_copies(copies: u64, packets: u64) -> Option<Doubt> {
        let many = copies.saturating_mul(COPIES_WORTH_A_WORD) > packets;
        let nearly_all =
            u128::from(copies) * 100 > u128::from(packets) * u128::from(COPIES_OF_NEARLY_ALL);
        many.then_some(Doubt::Copies { copies, packets, nearly_all })
    }

    /// Whether packets are missing, so that what is not in the capture may have been there.
    pub fn hides_packets(&self) -> bool {
        matches!(
            self,
            Doubt::InputsFailed { .. }
                | Doubt::Filtered(_)
                | Doubt::Dropped(_)
                | Doubt::LostByMirrors(_)
        )
    }
}

/// What the judged flows say against the evidence, besides what was known before.
pub(super) fn doubts(
    health: &Health,
    measures: &[Measure],
    visibility: &Visibility,
    accounting: &Accounting,
    no_host: bool,
) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    if health.packets == 0 {
        doubts.push(Doubt::NoPacket);
    } else if no_host {
        doubts.push(Doubt::NoHost);
    } else if health.in_scope == 0 {
        doubts.push(Doubt::NothingGoverned);
    }
    let one_sided = visibility.one_sided();
    let worth =
        |kind| measures.iter().any(|measure| measure.kind == kind && measure.grade > Grade::A);
    let tcp = health.tcp;
    let absent = health.absent_roles.clone();
    let idle = health.idle_tables.clone();
    let unseen = health.unseen_bytes.unwrap_or_default();
    let table_full = accounting.of(Class::TableFull).packets;
    let all = [
        (
            worth(MeasureKind::OneWay) && one_sided.is_empty(),
            Doubt::OneWay { flows: tcp.one_way, of: tcp.flows },
        ),
        (worth(MeasureKind::MidStream), Doubt::MidStream { flows: tcp.mid_stream, of: tcp.flows }),
        (
            worth(MeasureKind::Loss) && unseen > 0,
            Doubt::Unseen { bytes: unseen, held: health.held_bytes },
        ),
        (
            worth(MeasureKind::Undecoded),
            Doubt::Undecoded { packets: health.undecoded, total: health.packets },
        ),
        (
            health.not_assessable > 0,
            Doubt::NotAssessable {
                flows: health.not_assessable,
                with_data: health.unjudged_talks,
                governed: health.in_scope,
            },
        ),
        (health.in_scope > 0 && !absent.is_empty(), Doubt::AbsentRoles(absent)),
        (health.in_scope > 0 && !idle.is_empty(), Doubt::IdleTables(idle)),
        (table_full > 0, Doubt::TableFull(table_full)),
        (health.unclaimed_fragments > 0, Doubt::UnclaimedFragments(health.unclaimed_fragments)),
    ];
    doubts.extend(one_sided.into_iter().map(|(vlan, seen)| Doubt::OneSided { vlan, seen }));
    doubts.extend(all.into_iter().filter_map(|(holds, doubt)| holds.then_some(doubt)));
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_copy_is_not_worth_a_word() {
        assert_eq!(Doubt::of_copies(0, 0), None);
        assert_eq!(Doubt::of_copies(10, 100), None);
        let many = |copies, nearly_all| Some(Doubt::Copies { copies, packets: 100, nearly_all });
        for (copies, nearly_all) in [(11, false), (40, false), (41, true), (50, true)] {
            assert_eq!(Doubt::of_copies(copies, 100), many(copies, nearly_all));
        }
    }

    #[test]
    fn only_what_hides_packets_forbids_claims_of_absence() {
        let seen = Directions::default();
        for (doubt, hides) in [
            (Doubt::InputsFailed { failed: 1, inputs: 2 }, true),
            (Doubt::Filtered(1), true),
            (Doubt::Dropped(1), true),
            (Doubt::LostByMirrors(1), true),
            (Doubt::OutOfOrder(1), false),
            (Doubt::Cut(1), false),
            (Doubt::OneSided { vlan: None, seen }, false),
            (Doubt::NoHost, false),
        ] {
            assert_eq!(doubt.hides_packets(), hides, "{doubt:?}");
        }
    }
}
