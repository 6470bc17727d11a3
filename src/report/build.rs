//! Fills the report from an assessment.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::model::{self, Report, SCHEMA_VERSION};
use super::names::Names;
use super::words;
use crate::base::{PortRange, PortSet};
use crate::capture::{Ending, FrameRef, InputSummary, Interface};
use crate::decode::non_ip_name;
use crate::engine::Evaluated;
use crate::flow::{Class, ConnectionState, Tally};
use crate::judge::model::PackKind;
use crate::judge::{
    Assessment, Assumption, Coverage, Finding, FindingKind, Side, Strength, Terms, UNKNOWN_PEERS,
    Verdict, Volume,
};

/// What the report is made from, besides the assessment.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The inputs.
    pub inputs: &'a [InputSummary],
    /// The counts of the stream. Its records have gone into the assessment.
    pub stream: &'a Evaluated,
    /// What was judged against.
    pub terms: Terms<'a>,
    /// Bytes of memory granted to the flow table.
    pub max_memory: u64,
}

/// Fills the report.
pub fn build(source: Source<'_>, assessment: &Assessment) -> Report {
    let names = Names { policy: source.terms.policy, site: source.terms.site };
    let builder = Builder { source, names, assessment };
    let mut places = BTreeSet::new();
    let findings: Vec<_> =
        assessment.findings.iter().map(|found| builder.finding(found, &mut places)).collect();
    let (classes, undecoded) = builder.classes(&mut places);
    let infrastructure = builder.infrastructure(&mut places);
    Report {
        schema_version: SCHEMA_VERSION.to_owned(),
        tool: model::Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        run: model::Run {
            mode: "offline".to_owned(),
            reading: source.terms.reading.name().to_owned(),
            fail_on: source.terms.fail_on.name().to_owned(),
            max_memory: source.max_memory,
        },
        inputs: source.inputs.iter().map(input).collect(),
        packet_index: places.into_iter().map(place).collect(),
        window: builder.window(),
        capture_health: builder.health(undecoded),
        accounting: builder.accounting(classes),
        policy: builder.policy(),
        site: builder.site(),
        outcome: builder.outcome(),
        summary: builder.summary(),
        findings,
        rules: assessment.coverage.iter().map(|seen| builder.rule(seen)).collect(),
        hosts: builder.hosts(),
        unknown_peers: builder.unknown_peers(),
        waivers: builder.waivers(),
        infrastructure,
        limits: builder.limits(),
    }
}

/// The number of a packet in the stream, from 1.
pub(super) fn packet_number(source: FrameRef) -> u64 {
    source.ordinal + 1
}

fn place(source: FrameRef) -> model::PacketPlace {
    model::PacketPlace { packet: packet_number(source), input: source.input, number: source.number }
}

fn sample(tally: &Tally, places: &mut BTreeSet<FrameRef>) -> Option<u64> {
    places.extend(tally.sample);
    tally.sample.map(packet_number)
}

fn volume(volume: &Volume) -> model::Volume {
    let Volume { flows, packets, frame_bytes } = *volume;
    model::Volume { flows, packets, frame_bytes }
}

fn input(summary: &InputSummary) -> model::Input {
    let (ending, offset, reason) = match &summary.ending {
        Ending::Complete => ("complete", None, None),
        Ending::IncompleteTail { offset, bytes, what } => {
            ("incomplete-tail", Some(*offset), Some(format!("{bytes} bytes of {what}")))
        }
        Ending::Corrupt { offset, reason } => ("corrupt", Some(*offset), Some(reason.clone())),
        Ending::Unreadable { offset, reason } => {
            ("unreadable", Some(*offset), Some(reason.clone()))
        }
        Ending::NotRead { offset } => ("not-read", Some(*offset), None),
    };
    model::Input {
        name: summary.name.clone(),
        size: summary.size,
        sha256: summary.sha256.clone(),
        compression: summary.compression.to_string(),
        container: summary.container.map(|container| container.to_string()),
        byte_order: summary.byte_order.map(|order| order.to_string()),
        interfaces: summary.interfaces.iter().map(interface).collect(),
        packets: summary.packets,
        frame_bytes: summary.original_bytes,
        captured_bytes: summary.captured_bytes,
        first: summary.first.map(|time| time.to_string()),
        last: summary.last.map(|time| time.to_string()),
        gap_to_previous_ns: summary.gap_to_previous,
        cut_packets: summary.cut_packets,
        overlong_packets: summary.overlong_packets,
        untimed_packets: summary.untimed_packets,
        time_regressions: summary.regressions.count,
        first_regression: (summary.regressions.count > 0)
            .then_some(summary.regressions.first_packet),
        ending: ending.to_owned(),
        ending_offset: offset,
        ending_reason: reason,
    }
}

fn interface(interface: &Interface) -> model::Interface {
    model::Interface {
        section: interface.section,
        index: interface.index,
        name: interface.name.clone(),
        link_type: interface.link.0,
        link_type_name: interface.link.name().map(str::to_owned),
        snaplen: interface.snaplen,
        resolution: interface.resolution.to_string(),
        filter: interface.filter.clone(),
        packets: interface.packets,
        dropped: interface.lost(),
    }
}

struct Builder<'a> {
    source: Source<'a>,
    names: Names<'a>,
    assessment: &'a Assessment,
}

impl Builder<'_> {
    fn window(&self) -> model::Window {
        let timeline = &self.source.stream.timeline;
        let (first, last) = (timeline.earliest(), timeline.latest());
        model::Window {
            first: first.map(|time| time.to_string()),
            last: last.map(|time| time.to_string()),
            span_ns: first.zip(last).map_or(0, |(first, last)| last.since(first)),
            packets: self.source.stream.accounting.total().packets,
            largest_gap: timeline
                .largest_gap()
                .map(|(length_ns, after)| model::Gap { after: after.to_string(), length_ns }),
            hours: timeline
                .hours()
                .map(|(hour, packets)| model::Hour { hour: hour.to_string(), packets })
                .collect(),
        }
    }

    fn classes(
        &self,
        places: &mut BTreeSet<FrameRef>,
    ) -> (Vec<model::ClassCount>, Vec<model::Undecoded>) {
        let mut classes = Vec::new();
        let mut undecoded = Vec::new();
        let mut stopped = Tally::default();
        for (class, tally) in self.source.stream.accounting.classes() {
            let (name, protocol) = match class {
                Class::Flow => ("flow", None),
                Class::UnclaimedFragment => ("unclaimed-fragment", None),
                Class::TableFull => ("table-full", None),
                Class::Remainder => ("remainder", None),
                Class::NonIp(layer, value) => {
                    let name = non_ip_name(*layer, *value).map(str::to_owned);
                    ("non-ip", Some(name.unwrap_or_else(|| format!("{layer} {value:#06x}"))))
                }
                Class::Stopped(stop) => {
                    undecoded.push(model::Undecoded {
                        layer: stop.layer.name().to_owned(),
                        reason: stop.reason.name().to_owned(),
                        value: stop.value,
                        text: stop.to_string(),
                        packets: tally.packets,
                        frame_bytes: tally.frame_bytes,
                        sample: sample(tally, places),
                    });
                    crate::base::Merge::merge(&mut stopped, *tally);
                    continue;
                }
            };
            classes.push(class_count(name, protocol, tally, places));
        }
        if stopped.packets > 0 {
            classes.push(class_count("undecoded", None, &stopped, places));
        }
        undecoded.sort_by_key(|stop| std::cmp::Reverse(stop.packets));
        (classes, undecoded)
    }

    fn accounting(&self, classes: Vec<model::ClassCount>) -> model::AccountingBlock {
        let hearsay = self.assessment.hearsay;
        model::AccountingBlock {
            packets_read: self.source.inputs.iter().map(|input| input.packets).sum(),
            frame_bytes_read: self.source.inputs.iter().map(|input| input.original_bytes).sum(),
            classes,
            flows: self.assessment.flows.len() as u64 - hearsay,
            icmp_only_attempts: hearsay,
        }
    }

    fn health(&self, undecoded: Vec<model::Undecoded>) -> model::CaptureHealth {
        let states = &self.assessment.tcp_states;
        let in_state = |wanted: &[ConnectionState]| -> u64 {
            wanted.iter().filter_map(|state| states.get(state)).sum()
        };
        let interfaces = self.source.inputs.iter().flat_map(|input| &input.interfaces);
        let accounting = &self.source.stream.accounting;
        model::CaptureHealth {
            dropped_packets: interfaces.filter_map(Interface::lost).reduce(u64::saturating_add),
            cut_packets: self.source.inputs.iter().map(|input| input.cut_packets).sum(),
            undecoded,
            one_way_tcp_flows: in_state(&[ConnectionState::HalfSeen, ConnectionState::OneWay]),
            mid_stream_flows: in_state(&[ConnectionState::MidStream]),
            tcp_flows: states.values().sum(),
            unclaimed_fragments: accounting.of(Class::UnclaimedFragment).packets,
        }
    }

    fn policy(&self) -> model::PolicyBlock {
        let policy = self.names.policy;
        let site = self.names.site;
        let contradicting = |condition: usize| -> u64 {
            let depends = |seen: &&Coverage| {
                let row = self.names.row(seen.row);
                row.is_some_and(|row| row.terms.when.iter().any(|r| r.condition.0 == condition))
            };
            let rows = self.assessment.coverage.iter().filter(depends);
            rows.map(|seen| seen.contradicting).sum()
        };
        let resting = |reading: usize| {
            let reading = Assumption::Reading(crate::judge::model::ReadingId(reading));
            self.assessment.assumed.get(&reading).copied().unwrap_or(0)
        };
        let rows_of = |pack: usize| {
            let in_pack = |row: &&crate::judge::model::Row| {
                policy.sections.get(row.section.0).is_some_and(|section| section.pack.0 == pack)
            };
            let documented = policy.rows.iter().filter(in_pack).count();
            let infrastructure = policy.infrastructure.iter().filter(|row| row.pack.0 == pack);
            (documented + infrastructure.count()) as u64
        };
        model::PolicyBlock {
            packs: policy
                .packs
                .iter()
                .enumerate()
                .map(|(index, pack)| model::Pack {
                    id: pack.id.clone(),
                    kind: match pack.kind {
                        PackKind::Document => "document".to_owned(),
                        PackKind::Infrastructure => "infrastructure".to_owned(),
                    },
                    title: pack.title.clone(),
                    document: pack.document.clone(),
                    revision: pack.revision.clone(),
                    source_sha256: pack.source_sha256.clone(),
                    sha256: pack.sha256.clone(),
                    rows: rows_of(index),
                })
                .collect(),
            conditions: policy
                .conditions
                .iter()
                .enumerate()
                .map(|(index, condition)| {
                    let id = crate::judge::model::ConditionId(index);
                    let answer = site.answers.get(&id).and_then(|at| condition.answers.get(*at));
                    model::Condition {
                        id: condition.id.clone(),
                        question: condition.question.clone(),
                        answer: answer.cloned(),
                        contradicting_flows: contradicting(index),
                    }
                })
                .collect(),
            parameters: self.parameters(),
            readings: policy
                .readings
                .iter()
                .enumerate()
                .filter(|(_, reading)| reading.changes_verdict)
                .map(|(index, reading)| model::Reading {
                    id: reading.id.clone(),
                    question: reading.question.clone(),
                    literal: reading.literal.clone(),
                    inferred: reading.inferred.clone(),
                    flows: resting(index),
                })
                .collect(),
            lints: policy.lints.iter().map(lint).collect(),
        }
    }

    fn parameters(&self) -> Vec<model::Parameter> {
        let site = self.names.site;
        let parameters = self.names.policy.parameters.iter().enumerate();
        parameters
            .map(|(index, parameter)| {
                let id = crate::judge::model::ParameterId(index);
                let (value, from) = match (site.parameters.get(&id), &parameter.default) {
                    (Some(ports), _) => (Some(ports.to_string()), "site"),
                    (None, Some(ports)) => (Some(ports.to_string()), "document"),
                    (None, None) => (None, "unbound"),
                };
                let own = site.hosts.iter().filter_map(|host| {
                    let ports = host.parameters.get(&id)?;
                    Some((host.name.clone(), ports.to_string()))
                });
                model::Parameter {
                    id: parameter.id.clone(),
                    meaning: parameter.meaning.clone(),
                    value,
                    from: from.to_owned(),
                    hosts: own.collect(),
                }
            })
            .collect()
    }

    fn site(&self) -> model::SiteBlock {
        let given = |hash: &String| Some(hash.clone()).filter(|hash| !hash.is_empty());
        let silent = self.assessment.hosts.iter().filter(|host| host.address_count == 0);
        model::SiteBlock {
            name: self.names.site.name.clone(),
            sha256: given(&self.names.site.sha256),
            waivers_sha256: given(&self.source.terms.waivers.sha256),
            hosts: self.names.site.hosts.len() as u64,
            silent_hosts: silent
                .filter_map(|host| self.names.host(host.host))
                .map(str::to_owned)
                .collect(),
            lints: self.names.site.lints.iter().map(lint).collect(),
        }
    }

    fn outcome(&self) -> model::OutcomeBlock {
        model::OutcomeBlock {
            result: self.assessment.outcome.name().to_owned(),
            failing_findings: self.assessment.failing_findings,
            reasons: self.assessment.reasons.clone(),
        }
    }

    fn summary(&self) -> model::Summary {
        let verdicts = Verdict::ALL.iter().map(|verdict| {
            let counted = self.assessment.verdicts.get(verdict).copied().unwrap_or_default();
            (verdict.name().to_owned(), volume(&counted))
        });
        let strengths = Strength::ALL.iter().map(|strength| {
            let counted = self.assessment.strengths.get(strength).copied().unwrap_or_default();
            (strength.name().to_owned(), volume(&counted))
        });
        let mut matrix: Vec<model::MatrixCell> = self
            .assessment
            .matrix
            .iter()
            .map(|((initiator, responder), verdicts)| model::MatrixCell {
                initiator: self.names.roles(*initiator),
                responder: self.names.roles(*responder),
                verdicts: by_name(verdicts, |verdict| verdict.name()),
            })
            .collect();
        matrix.sort_by(|a, b| (&a.initiator, &a.responder).cmp(&(&b.initiator, &b.responder)));
        model::Summary { verdicts: verdicts.collect(), strengths: strengths.collect(), matrix }
    }

    fn finding(&self, finding: &Finding, places: &mut BTreeSet<FrameRef>) -> model::Finding {
        let names = &self.names;
        let verdict = match finding.kind {
            FindingKind::Flows(verdict, _) => verdict,
            FindingKind::Scan => Verdict::Violation,
            FindingKind::Blocked => Verdict::Documented,
        };
        let port = finding.ports.ranges().first().map(|range| range.low);
        let known = port
            .filter(|_| finding.ports.count() == 1)
            .and_then(|port| names.service_on(finding.transport, port));
        model::Finding {
            id: self.id(finding),
            severity: finding.severity.name().to_owned(),
            verdict: verdict.name().to_owned(),
            code: finding.kind.code().to_owned(),
            title: words::title(names, finding),
            expected: words::expected(names, finding),
            remediation: words::remediation(names, finding),
            initiators: self.side(
                finding.from,
                &finding.initiators,
                finding.initiator_count,
                finding,
            ),
            responders: self.side(
                finding.to,
                &finding.responders,
                finding.responder_count,
                finding,
            ),
            service: model::Service {
                transport: finding.transport.to_string(),
                ports: finding.ports.to_string(),
                name: known.map(str::to_owned),
                basis: known.map(|_| "port".to_owned()),
            },
            rules: finding.rows.iter().map(|row| names.row_id(*row).to_owned()).collect(),
            nearest: self.nearest(finding),
            missing: finding.missing.iter().map(|m| words::missing(names, finding, *m)).collect(),
            assumptions: finding
                .assumptions
                .iter()
                .map(|assumption| words::assumption(names, *assumption))
                .collect(),
            direction_basis: by_name(&finding.bases, |basis| basis.name()),
            states: by_name(&finding.states, |state| state.name()),
            volume: model::Volume {
                flows: finding.flows,
                packets: finding.packets,
                frame_bytes: finding.frame_bytes,
            },
            first_seen: finding.first.to_string(),
            last_seen: finding.last.to_string(),
            samples: self.samples(finding, places),
        }
    }

    /// Identifies a finding by what makes it one, so that it is the same on another night.
    fn id(&self, finding: &Finding) -> String {
        let scanner = finding.initiators.first().filter(|_| finding.kind == FindingKind::Scan);
        let ports = if finding.many_ports { String::new() } else { finding.ports.to_string() };
        let rows: Vec<_> = finding.rows.iter().map(|row| self.names.row_id(*row)).collect();
        let missing: Vec<_> = finding
            .missing
            .iter()
            .map(|missing| words::missing(&self.names, finding, *missing))
            .collect();
        let parts = [
            finding.kind.code().to_owned(),
            self.names.side(finding.from),
            self.names.side(finding.to),
            finding.transport.to_string(),
            ports,
            rows.join(","),
            missing.join(","),
            scanner.map(|(address, ..)| address.to_string()).unwrap_or_default(),
        ];
        let digest = Sha256::digest(parts.join("\n").as_bytes());
        let hex: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("F-{hex}")
    }

    fn side(
        &self,
        side: Side,
        ends: &[(std::net::IpAddr, Option<crate::judge::model::HostId>, u64)],
        address_count: u64,
        finding: &Finding,
    ) -> model::Side {
        let (roles, class) = match side {
            Side::Roles(roles) => (self.names.roles(roles), "listed"),
            Side::Unlisted(class) => (Vec::new(), class.name()),
        };
        let unlisted = matches!(side, Side::Unlisted(_));
        let would = finding.would_document.iter().filter(|_| unlisted);
        model::Side {
            roles,
            class: class.to_owned(),
            hosts: ends
                .iter()
                .map(|(address, host, flows)| model::SideHost {
                    name: host.and_then(|id| self.names.host(id)).map(str::to_owned),
                    address: address.to_string(),
                    flows: *flows,
                })
                .collect(),
            address_count,
            would_document: would.map(|role| self.names.role(*role).to_owned()).collect(),
        }
    }

    fn nearest(&self, finding: &Finding) -> Vec<model::Nearest> {
        let near = finding.nearest.iter().filter_map(|near| {
            let row = self.names.row(near.row)?;
            Some(model::Nearest {
                rule: row.id.clone(),
                citation: self.names.citation(row),
                failed: words::failed(&self.names, finding, near)
                    .into_iter()
                    .map(|(field, wanted, got)| model::FailedPredicate {
                        field: field.to_owned(),
                        wanted,
                        got,
                    })
                    .collect(),
                change: words::change(&self.names, finding, near),
            })
        });
        near.collect()
    }

    fn samples(&self, finding: &Finding, places: &mut BTreeSet<FrameRef>) -> Vec<model::Sample> {
        let flows = finding.samples.iter().filter_map(|index| self.assessment.flows.get(*index));
        flows
            .map(|flow| {
                let source = flow.record.origin.map(|origin| origin.source);
                places.extend(source);
                model::Sample {
                    initiator: flow.initiator().to_string(),
                    responder: flow.responder().to_string(),
                    instance: flow.record.instance,
                    state: flow.judgement.state.name().to_owned(),
                    first_seen: flow.record.earliest.to_string(),
                    packet: source.map(packet_number),
                    packets: flow.record.packets(),
                    frame_bytes: flow.record.frame_bytes(),
                }
            })
            .collect()
    }

    fn rule(&self, seen: &Coverage) -> model::Rule {
        let names = &self.names;
        let (id, section, citation, printed, row) = match names.row(seen.row) {
            Some(row) => {
                let section = names.policy.sections.get(row.section.0);
                let (section, citation) = section
                    .map(|section| (section.id.clone(), section.citation.clone()))
                    .unwrap_or_default();
                (row.id.clone(), section, citation, row.printed.clone(), Some(row))
            }
            None => Default::default(),
        };
        let ports: PortSet =
            seen.ports.iter().map(|port| PortRange { low: *port, high: *port }).collect();
        model::Rule {
            id,
            section,
            citation,
            printed,
            initiator: row.map(|row| names.roles(row.terms.initiator)).unwrap_or_default(),
            responder: row.map(|row| names.roles(row.terms.responder)).unwrap_or_default(),
            transport: row.map(|row| row.transport.to_string()).unwrap_or_default(),
            ports: row.map(|row| names.row_ports(row)).unwrap_or_default(),
            symmetric: row.is_some_and(|row| row.symmetric),
            weak: row.is_some_and(|row| row.weak),
            status: seen.status.name().to_owned(),
            flows: seen.flows,
            answered_flows: seen.answered,
            also_covers: seen.also,
            contradicting_flows: seen.contradicting,
            packets: seen.packets,
            frame_bytes: seen.frame_bytes,
            initiators_seen: seen.initiators.len() as u64,
            responders_seen: seen.responders.len() as u64,
            ports_seen: ports.to_string(),
            first_seen: seen.first.map(|time| time.to_string()),
            last_seen: seen.last.map(|time| time.to_string()),
        }
    }

    fn hosts(&self) -> Vec<model::Host> {
        let known = self.assessment.hosts.iter().filter_map(|seen| {
            let host = self.names.site.hosts.get(seen.host.0)?;
            Some(model::Host {
                name: host.name.clone(),
                roles: self.names.roles(host.declared_roles),
                attributes: self.names.attributes(host.attributes),
                addresses_seen: seen.addresses.iter().map(ToString::to_string).collect(),
                address_count: seen.address_count,
                initiated: by_name(&seen.initiated, |verdict| verdict.name()),
                responded: by_name(&seen.answered, |verdict| verdict.name()),
                offers: seen
                    .offers
                    .iter()
                    .map(|((transport, port), flows)| (format!("{transport}/{port}"), *flows))
                    .collect(),
            })
        });
        known.collect()
    }

    fn unknown_peers(&self) -> Vec<model::UnknownPeer> {
        let peers = self.assessment.unknown_peers.iter().map(|peer| {
            let class = peer.class.name().to_owned();
            let roles: BTreeMap<String, u64> =
                peer.roles.iter().map(|(id, n)| (self.names.role(*id).to_owned(), *n)).collect();
            let mut likely: Vec<_> = roles.iter().collect();
            likely.sort_by_key(|(role, count)| (std::cmp::Reverse(**count), (*role).clone()));
            let likely = likely.first().map_or("ROLE", |(role, _)| role.as_str());
            model::UnknownPeer {
                address: peer.address.to_string(),
                class,
                volume: volume(&peer.volume),
                hosts: peer
                    .hosts
                    .iter()
                    .filter_map(|id| self.names.host(*id))
                    .map(str::to_owned)
                    .collect(),
                ports: peer
                    .ports
                    .iter()
                    .map(|(transport, port, serves)| {
                        let verb = if *serves { "served" } else { "initiated" };
                        format!("{verb} {transport}/{port}")
                    })
                    .collect(),
                site_lines: format!(
                    "[[host]]\nname = \"{}\"\naddresses = [\"{0}\"]\nroles = [\"{likely}\"]\n",
                    peer.address
                ),
                candidate_roles: roles,
            }
        });
        peers.collect()
    }

    fn waivers(&self) -> Vec<model::Waiver> {
        let list = self.source.terms.waivers.list.iter().zip(&self.assessment.waivers);
        list.map(|(waiver, used)| model::Waiver {
            id: waiver.id.clone(),
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            ticket: waiver.ticket.clone(),
            created: waiver.created.to_string(),
            expires: waiver.expires.to_string(),
            flows: used.flows,
            status: match (used.flows, used.exceeded) {
                (_, true) => "exceeded",
                (0, _) => "unused",
                _ => "used",
            }
            .to_owned(),
            expired: used.expired,
        })
        .collect()
    }

    fn infrastructure(&self, places: &mut BTreeSet<FrameRef>) -> Vec<model::Infrastructure> {
        let counted = self.assessment.infrastructure.iter().filter_map(|(index, tally)| {
            let row = self.names.policy.infrastructure.get(*index)?;
            Some(model::Infrastructure {
                id: row.id.clone(),
                title: row.title.clone(),
                packets: tally.packets,
                frame_bytes: tally.frame_bytes,
                sample: sample(tally, places),
            })
        });
        counted.collect()
    }

    fn limits(&self) -> Vec<model::Limit> {
        let stream = self.source.stream;
        let full = stream.accounting.of(Class::TableFull).packets;
        let peers = self.assessment.unknown_peer_count;
        let all = [
            ("flow-table-full", full, "packets of flows for which there was no room"),
            (
                "flow-detail-lost",
                stream.blurred.packets,
                "packets that joined an older use of their five-tuple for want of room",
            ),
            (
                "fragments-lost",
                stream.fragments_lost,
                "IP fragments that could not wait for their datagram for want of room",
            ),
            (
                "icmp-quotes-lost",
                stream.quotes_lost,
                "ICMP errors whose quoted flow was not kept for want of room",
            ),
            (
                "classes-joined",
                stream.accounting.of(Class::Remainder).packets,
                "packets of accounting classes beyond those told apart",
            ),
            (
                "unknown-peers-cut",
                peers.saturating_sub(UNKNOWN_PEERS as u64),
                "unlisted addresses beyond those described one by one",
            ),
        ];
        let hit = all.into_iter().filter(|(_, count, _)| *count > 0);
        hit.map(|(code, count, text)| model::Limit {
            code: code.to_owned(),
            count,
            text: text.to_owned(),
        })
        .collect()
    }
}

fn class_count(
    class: &str,
    protocol: Option<String>,
    tally: &Tally,
    places: &mut BTreeSet<FrameRef>,
) -> model::ClassCount {
    model::ClassCount {
        class: class.to_owned(),
        protocol,
        packets: tally.packets,
        frame_bytes: tally.frame_bytes,
        sample: sample(tally, places),
    }
}

fn lint(lint: &crate::judge::model::Lint) -> model::Lint {
    model::Lint {
        code: lint.code.clone(),
        subject: lint.subject.clone(),
        message: lint.message.clone(),
    }
}

fn by_name<K: Copy>(
    counts: &BTreeMap<K, u64>,
    name: impl Fn(K) -> &'static str,
) -> BTreeMap<String, u64> {
    counts.iter().map(|(key, count)| (name(*key).to_owned(), *count)).collect()
}
