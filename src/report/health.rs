//! What the report says of the evidence: the health of the capture, the measures with their
//! grades, what cannot be said.

use super::build::{Builder, by_name};
use super::cannot_say::cannot_say;
use super::model;
use crate::capture::{Interface, TimeHealth, TimeSteps};
use crate::flow::{CaptureFacts, Class, ConnectionState, CopyCounts, SPACINGS};
use crate::judge::{Directions, Health, Measure, MeasureKind, Tunnel, per_million};

/// Share of half-seen flows above which a capture counts as one-sided, in parts per million; see
/// [`Directions::one_sided`].
const ONE_SIDED_ABOVE: u64 = 500_000;

impl Builder<'_> {
    pub(super) fn health(
        &self,
        undecoded: Vec<model::Undecoded>,
        undecoded_inside: Vec<model::Undecoded>,
    ) -> model::CaptureHealth {
        let states = &self.assessment.tcp_states;
        let in_state = |wanted: &[ConnectionState]| -> u64 {
            wanted.iter().filter_map(|state| states.get(state)).sum()
        };
        let accounting = &self.source.stream.accounting;
        let visibility = &self.assessment.visibility;
        model::CaptureHealth {
            dropped_packets: self.sum_of(Interface::lost),
            drops: model::Drops {
                by_interface: self.sum_of(|interface| interface.statistics.dropped_by_interface),
                by_system: self.sum_of(|interface| interface.statistics.dropped_by_system),
                between_packets: self
                    .sum_of(|interface| Some(interface.dropped_between).filter(|lost| *lost > 0)),
            },
            filters: self.filters(),
            cut_packets: self.source.inputs.iter().map(|input| input.cut_packets).sum(),
            undecoded,
            one_way_tcp_flows: in_state(&[
                ConnectionState::HalfSeen,
                ConnectionState::OneWay,
                ConnectionState::UnknownAnswer,
            ]),
            mid_stream_flows: in_state(&[ConnectionState::MidStream]),
            tcp_flows: states.values().sum(),
            tcp_states: by_name(states, |state| state.name()),
            directions: directions(visibility.all),
            vlans: visibility
                .vlans
                .iter()
                .map(|(vlan, seen)| model::VlanDirections {
                    vlan: *vlan,
                    directions: directions(*seen),
                })
                .collect(),
            in_scope: in_scope(&self.assessment.health),
            unclaimed_fragments: accounting.of(Class::UnclaimedFragment).packets,
            misdirected_icmp_errors: self.source.stream.quotes_misdirected,
            copies: copies(self.source.stream.facts.copies),
            ip_packets: ip_packets(&self.source.stream.facts),
            tunnels: self.assessment.tunnels.iter().map(tunnel).collect(),
            unlisted_tunnel_packets: self.source.stream.carriers.untold(),
            unread_inside: self.source.stream.unread_inside.total().packets,
            undecoded_inside,
            times: times(self.source.times),
        }
    }

    fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.source.inputs.iter().flat_map(|input| &input.interfaces)
    }

    fn sum_of(&self, count: impl Fn(&Interface) -> Option<u64>) -> Option<u64> {
        self.interfaces().filter_map(count).reduce(u64::saturating_add)
    }

    fn filters(&self) -> Vec<String> {
        let mut filters: Vec<_> = self.interfaces().filter_map(|one| one.filter.clone()).collect();
        filters.sort_unstable();
        filters.dedup();
        filters
    }

    pub(super) fn outcome(&self) -> model::OutcomeBlock {
        let said = self.assessment.reasons.iter().map(|doubt| cannot_say(&self.names, doubt));
        let said: Vec<_> = said.collect();
        model::OutcomeBlock {
            result: self.assessment.outcome.name().to_owned(),
            grade: self.assessment.grade.name().to_owned(),
            measures: self.assessment.measures.iter().map(measure).collect(),
            failing_findings: self.assessment.failing_findings,
            reasons: said.iter().map(|limitation| limitation.text.clone()).collect(),
            cannot_say: said,
        }
    }
}

fn copies(counts: CopyCounts) -> model::Copies {
    let spacing = SPACINGS.iter().zip(counts.spacing);
    model::Copies {
        exact: counts.exact,
        routed: counts.routed,
        spacing: spacing
            .map(|(up_to_ns, packets)| model::Spacing { up_to_ns: *up_to_ns, packets })
            .collect(),
    }
}

fn ip_packets(facts: &CaptureFacts) -> model::IpPackets {
    model::IpPackets {
        packets: facts.ip_packets,
        over_1500: facts.over_1500,
        over_9216: facts.over_9216,
        longest: facts.longest.into(),
        without_length: facts.without_length,
        cut: facts.cut,
        header_checksum_wrong: facts.header_checksum_wrong,
        checksum_left_to_card: facts.checksum_left_to_card,
    }
}

fn tunnel(tunnel: &Tunnel) -> model::Tunnel {
    let Tunnel { key, passed, mirror } = tunnel;
    model::Tunnel {
        kind: key.outer.name().to_owned(),
        source: key.source.address().to_string(),
        destination: key.destination.address().to_string(),
        port: key.destination.port(),
        identifier: key.identifier,
        mirror: *mirror,
        packets: passed.packets,
        frame_bytes: passed.frame_bytes,
        lost_packets: passed.lost(),
    }
}

fn times(times: TimeHealth) -> model::Times {
    let TimeHealth { clock, late } = times;
    model::Times {
        regressions: steps(clock.regressions),
        jumps_backward: steps(clock.jumps_backward),
        jumps_forward: steps(clock.jumps_forward),
        reordered_packets: late.reordered,
        out_of_reach_packets: late.out_of_reach,
    }
}

fn steps(steps: TimeSteps) -> model::TimeSteps {
    let TimeSteps { count, first_packet, first, widest } = steps;
    let found = count > 0;
    model::TimeSteps {
        count,
        first_packet: found.then_some(first_packet),
        first_ns: found.then_some(first),
        widest_ns: found.then_some(widest),
    }
}

fn directions(seen: Directions) -> model::Directions {
    model::Directions {
        both: seen.both,
        half_seen: seen.half_seen,
        alone: seen.alone,
        half_seen_ppm: per_million(seen.half_seen, seen.answered()),
        limit_ppm: ONE_SIDED_ABOVE,
        one_sided: seen.one_sided(),
    }
}

fn in_scope(health: &Health) -> model::InScope {
    model::InScope {
        flows: health.in_scope,
        tcp_flows: health.tcp.flows,
        one_way_tcp_flows: health.tcp.one_way,
        mid_stream_tcp_flows: health.tcp.mid_stream,
        not_assessable_flows: health.not_assessable,
        held_bytes: health.held_bytes,
        unseen_bytes: health.unseen_bytes,
    }
}

fn measure(measure: &Measure) -> model::Measure {
    let [limit_a_ppm, limit_b_ppm, limit_c_ppm] = measure.limits;
    model::Measure {
        measure: measure.kind.name().to_owned(),
        text: measured(measure.kind).to_owned(),
        part: measure.part,
        whole: measure.whole,
        share_ppm: measure.share,
        limit_a_ppm,
        limit_b_ppm,
        limit_c_ppm,
        grade: measure.grade.name().to_owned(),
    }
}

/// What is measured, in words.
fn measured(kind: MeasureKind) -> &'static str {
    match kind {
        MeasureKind::Loss => {
            "packets lost, by mirrors too, and bytes acknowledged and not captured"
        }
        MeasureKind::OneWay => "TCP flows in scope captured in one direction",
        MeasureKind::Undecoded => "packets not decoded",
        MeasureKind::MidStream => "TCP flows in scope older than the capture",
        MeasureKind::NotAssessable => "flows in scope not judged",
        MeasureKind::IdleTables => "tables of the document without traffic between live hosts",
        MeasureKind::Unreadable => "an input not read to its end",
        MeasureKind::AbsentRoles => "subject roles of the site never seen alive",
        MeasureKind::NothingJudged => "no flow in scope",
        MeasureKind::OneSided => "answered TCP flows where one direction alone is shown",
        MeasureKind::Filtered => "a capture filter",
        MeasureKind::DetailLost => "packets whose flow is unknown for want of room",
        MeasureKind::UnclaimedFragments => "fragments without the first of their datagram",
        MeasureKind::UnjudgedTalks => "talks in scope not judged",
    }
}
