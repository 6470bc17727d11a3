//! Whether the blocks of a report agree with each other. Sums of packets and flows are the
//! `ledger`'s. In: a report. Out: a sentence for each contradiction.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Finding, Report};
use crate::judge::Outcome;

/// What contradicts itself.
pub(super) fn faults(report: &Report) -> Vec<String> {
    let mut faults = Vec::new();
    identifiers(report, &mut faults);
    packets(report, &mut faults);
    window(report, &mut faults);
    outcome(report, &mut faults);
    faults
}

/// What is named must be there, and once.
fn identifiers(report: &Report, faults: &mut Vec<String>) {
    let mut findings = BTreeSet::new();
    let rules: BTreeSet<_> = report.rules.iter().map(|rule| rule.id.as_str()).collect();
    for finding in &report.findings {
        if !findings.insert(finding.id.as_str()) {
            faults.push(format!("finding {} stands twice", finding.id));
        }
        let near = finding.nearest.iter().map(|near| &near.rule);
        for rule in finding.rules.iter().chain(near).filter(|id| !rules.contains(id.as_str())) {
            faults.push(format!("finding {} names the row {rule}, which is not there", finding.id));
        }
    }
    let mut sliced = BTreeSet::new();
    for slice in &report.evidence {
        let finding = slice.finding.as_str();
        if !findings.contains(finding) || !sliced.insert(finding) {
            faults.push(format!("evidence {} belongs to no finding of its own", slice.file));
        }
    }
}

/// Every packet named must have a place in an input.
fn packets(report: &Report, faults: &mut Vec<String>) {
    let mut places = BTreeMap::new();
    for place in &report.packet_index {
        let input = report.inputs.get(place.input as usize);
        let held = input.is_some_and(|input| (1..=input.packets).contains(&place.number));
        if !held || places.insert(place.packet, place).is_some() {
            faults.push(format!("packet {} has no place in an input", place.packet));
        }
    }
    let samples = report.findings.iter().flat_map(|finding| &finding.samples);
    let named = samples
        .filter_map(|sample| sample.packet)
        .chain(report.accounting.classes.iter().filter_map(|class| class.sample))
        .chain(report.capture_health.undecoded.iter().filter_map(|stop| stop.sample))
        .chain(report.infrastructure.iter().filter_map(|row| row.sample));
    for packet in named.filter(|packet| !places.contains_key(packet)) {
        faults.push(format!("packet {packet} is named and not listed"));
    }
}

fn window(report: &Report, faults: &mut Vec<String>) {
    let hours: u64 = report.window.hours.iter().map(|hour| hour.packets).sum();
    let (window, read) = (report.window.packets, report.accounting.packets_read);
    if window != read || hours != window {
        faults.push(format!("{read} packets were read, {window} timed, {hours} in hours"));
    }
}

/// The result must follow from findings and grade.
fn outcome(report: &Report, faults: &mut Vec<String>) {
    let outcome = &report.outcome;
    let worst = outcome.measures.iter().map(|measure| measure.grade.as_str()).max();
    if worst.is_some_and(|worst| worst != outcome.grade) {
        faults.push(format!("grade {} is not the worst of the measures", outcome.grade));
    }
    let cut = report.limits.iter().any(|limit| limit.code == "findings-cut");
    let limit = weight(&report.run.fail_on);
    let fails = |finding: &&Finding| can_fail(finding) && weight(&finding.severity) >= limit;
    let failing = report.findings.iter().filter(fails).count() as u64;
    if !cut && failing != outcome.failing_findings {
        let told = outcome.failing_findings;
        faults.push(format!("{failing} findings can fail the run, and it counts {told}"));
    }
    let sound = report.accounting.mismatches.is_empty();
    let follows = match (outcome.failing_findings, outcome.grade <= report.run.min_grade) {
        (0, true) if sound => Outcome::Pass,
        (0, _) => Outcome::Inconclusive,
        _ => Outcome::Fail,
    };
    if follows.name() != outcome.result {
        faults.push(format!("the result is {}, and {} follows", outcome.result, follows.name()));
    }
}

/// Whether a finding can fail a run, told by its code (`docs/verdicts.md`).
pub(super) fn can_fail(finding: &Finding) -> bool {
    let own_code = matches!(finding.code.as_str(), "scan" | "waiver-exceeded");
    let waiver = finding.code.starts_with("waiver-");
    own_code || (!waiver && matches!(finding.verdict.as_str(), "violation" | "unknown-peer"))
}

/// The order of severities.
pub(super) fn weight(severity: &str) -> usize {
    ["info", "low", "medium", "high"].iter().position(|name| *name == severity).unwrap_or(0)
}
