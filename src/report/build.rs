//! Fills the report from an assessment.

use std::collections::{BTreeMap, BTreeSet};

use super::accounting::undecoded;
use super::inputs::{input, skipped};
use super::ledger::mismatches;
use super::model::{self, Report, SCHEMA_VERSION};
use super::names::Names;
use super::stored;
use super::uses::Uses;
use super::words;
use crate::base::{PortRange, PortSet};
use crate::capture::{FrameRef, InputSummary, Skipped, TimeHealth};
use crate::engine::Evaluated;
use crate::judge::{Assessment, Coverage, Outcome, Severity, Strength, Terms, Verdict, Volume};

/// What the report is made from, besides the assessment.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The inputs.
    pub inputs: &'a [InputSummary],
    /// How orderly their times are, as one stream.
    pub times: TimeHealth,
    /// Files of folders that were not read.
    pub skipped: &'a [Skipped],
    /// The counts of the stream. Its records have gone into the assessment.
    pub stream: &'a Evaluated,
    /// What was judged against.
    pub terms: Terms<'a>,
    /// Bytes of memory granted to the flow table.
    pub max_memory: u64,
    /// The options on which the report depends, as `portolan check` takes them.
    pub options: &'a [String],
}

/// Fills the report.
pub fn build(source: Source<'_>, assessment: &Assessment) -> Report {
    let names = Names::of(source.terms);
    let builder = Builder { source, names, assessment, uses: Uses::of(assessment) };
    let mut places = BTreeSet::new();
    let findings: Vec<_> =
        assessment.findings.iter().map(|found| builder.finding(found, &mut places)).collect();
    let classes = builder.classes(&mut places);
    let undecoded_inside = undecoded(&source.stream.unread_inside, &mut places);
    let undecoded = undecoded(&source.stream.accounting, &mut places);
    let infrastructure = builder.infrastructure(&mut places);
    let mut report = Report {
        schema_version: SCHEMA_VERSION.to_owned(),
        tool: model::Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        run: model::Run {
            mode: "offline".to_owned(),
            reading: source.terms.reading.name().to_owned(),
            fail_on: source.terms.fail_on.name().to_owned(),
            min_grade: source.terms.min_grade.name().to_owned(),
            max_memory: source.max_memory,
            options: source.options.to_vec(),
        },
        inputs: source.inputs.iter().map(input).collect(),
        inputs_skipped: skipped(source.skipped).0,
        packet_index: places.into_iter().map(place).collect(),
        window: builder.window(),
        capture_health: builder.health(undecoded, undecoded_inside),
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
        evidence: Vec::new(),
        flow_list: None,
        diff: None,
        limits: builder.limits(),
        attestation: model::Attestation { sha256: stored::UNSEALED.to_owned() },
    };
    report.accounting.mismatches = mismatches(&report);
    if !report.accounting.mismatches.is_empty() && report.outcome.result == Outcome::Pass.name() {
        report.outcome.result = Outcome::Inconclusive.name().to_owned();
    }
    report
}

/// The findings alone, so far as they are `wanted` by identifier and severity.
pub fn findings(
    source: Source<'_>,
    assessment: &Assessment,
    mut wanted: impl FnMut(&str, Severity) -> bool,
) -> Vec<model::Finding> {
    let names = Names::of(source.terms);
    let builder = Builder { source, names, assessment, uses: Uses::of(assessment) };
    let wanted =
        assessment.findings.iter().filter(|finding| wanted(&builder.id(finding), finding.severity));
    wanted.map(|finding| builder.finding(finding, &mut BTreeSet::new())).collect()
}

/// The number of a packet in the stream, from 1.
pub(super) fn packet_number(source: FrameRef) -> u64 {
    source.ordinal + 1
}

fn place(source: FrameRef) -> model::PacketPlace {
    model::PacketPlace { packet: packet_number(source), input: source.input, number: source.number }
}

pub(super) fn volume(volume: &Volume) -> model::Volume {
    let Volume { flows, packets, frame_bytes } = *volume;
    model::Volume { flows, packets, frame_bytes }
}

/// Fills the blocks of the report; some of them stand in files of their own.
pub(super) struct Builder<'a> {
    pub(super) source: Source<'a>,
    pub(super) names: Names<'a>,
    pub(super) assessment: &'a Assessment,
    pub(super) uses: Uses,
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
            initiator: row.map(|row| names.roles(names.terms(row).initiator)).unwrap_or_default(),
            responder: row.map(|row| names.roles(names.terms(row).responder)).unwrap_or_default(),
            transport: row.map(|row| row.transport.to_string()).unwrap_or_default(),
            ports: row.map(|row| names.row_ports(row)).unwrap_or_default(),
            symmetric: row.is_some_and(|row| row.symmetric),
            weak: row.is_some_and(|row| row.weak),
            demands: row
                .map(|row| words::demands(names, row, names.terms(row)))
                .unwrap_or_default(),
            readings: row.map(|row| names.readings(row)).unwrap_or_default(),
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
}

/// Counts under the stable names of what they count.
pub(super) fn by_name<K: Copy>(
    counts: &BTreeMap<K, u64>,
    name: impl Fn(K) -> &'static str,
) -> BTreeMap<String, u64> {
    counts.iter().map(|(key, count)| (name(*key).to_owned(), *count)).collect()
}
