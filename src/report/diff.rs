//! What differs between two reports: findings that are new, gone or changed, and what may be the
//! cause of each.
//!
//! In: an earlier and a later report. Out: [`model::Diff`], and its words. Findings are the same
//! when their identifiers are. A cause is named when it changed between the reports and could bear
//! on the finding; where several remain, all are named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::model::{self, Finding, FindingChange, Report};
use super::text::printable;

/// Compares two reports; `sha256` is the hash of the earlier one as a file.
pub fn diff(earlier: &Report, sha256: &str, later: &Report) -> model::Diff {
    let causes = Causes::between(earlier, later);
    let by_id = |report: &'_ Report| -> BTreeMap<String, Finding> {
        report.findings.iter().map(|found| (found.id.clone(), found.clone())).collect()
    };
    let (before, after) = (by_id(earlier), by_id(later));
    let mut findings = Vec::new();
    for found in &later.findings {
        let change = match before.get(&found.id) {
            None => ("new", vec![]),
            Some(old) => ("changed", differences(old, found)),
        };
        match change {
            ("changed", fields) if fields.is_empty() => {}
            (status, fields) => findings.push(causes.change(status, fields, found)),
        }
    }
    let gone = earlier.findings.iter().filter(|found| !after.contains_key(&found.id));
    findings.extend(gone.map(|found| causes.change("gone", Vec::new(), found)));
    let count = |status: &str| findings.iter().filter(|f| f.status == status).count() as u64;
    model::Diff {
        baseline_sha256: sha256.to_owned(),
        baseline_result: earlier.outcome.result.clone(),
        changed_between: causes.all.iter().map(|cause| (*cause).to_owned()).collect(),
        new: count("new"),
        gone: count("gone"),
        changed: count("changed"),
        same: after.keys().filter(|id| before.contains_key(*id)).count() as u64 - count("changed"),
        findings,
    }
}

/// What is another of a finding, as `field: earlier -> later`. Packets and times differ from night
/// to night and do not count.
fn differences(old: &Finding, new: &Finding) -> Vec<String> {
    let hosts = |side: &model::Side| side.address_count.to_string();
    let states =
        |found: &Finding| found.states.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let fields = [
        ("severity", old.severity.clone(), new.severity.clone()),
        ("initiators", hosts(&old.initiators), hosts(&new.initiators)),
        ("responders", hosts(&old.responders), hosts(&new.responders)),
        ("flows", old.volume.flows.to_string(), new.volume.flows.to_string()),
        ("states", states(old), states(new)),
    ];
    let other = fields.into_iter().filter(|(_, old, new)| old != new);
    other.map(|(field, old, new)| format!("{field}: {old} -> {new}")).collect()
}

/// What changed between two reports.
struct Causes {
    all: Vec<&'static str>,
    /// Hosts of which roles or attributes are others, or which only one site file has.
    hosts: BTreeSet<String>,
    /// Whether answers, parameters or relations may be others, which bears on every finding.
    answers: bool,
}

impl Causes {
    fn between(earlier: &Report, later: &Report) -> Causes {
        let inputs = |report: &Report| -> BTreeSet<(Option<String>, String, u64)> {
            let all = report.inputs.iter();
            all.map(|input| (input.sha256.clone(), input.name.clone(), input.size))
                .map(|(hash, name, size)| match hash {
                    // The same bytes under another name are the same traffic.
                    Some(hash) => (Some(hash), String::new(), size),
                    None => (None, name, size),
                })
                .collect()
        };
        let changed = [
            ("program", earlier.tool.version != later.tool.version),
            (
                "policy",
                granted(earlier) != granted(later) || earlier.run.reading != later.run.reading,
            ),
            ("site", earlier.site.sha256 != later.site.sha256),
            ("waivers", earlier.site.waivers_sha256 != later.site.waivers_sha256),
            ("traffic", inputs(earlier) != inputs(later)),
        ];
        let (one, other) = (hosts(earlier), hosts(later));
        let names = one.keys().chain(other.keys());
        Causes {
            all: changed.into_iter().filter(|(_, is)| *is).map(|(cause, _)| cause).collect(),
            hosts: names.filter(|name| one.get(*name) != other.get(*name)).cloned().collect(),
            answers: answers(earlier) != answers(later),
        }
    }

    fn change(&self, status: &str, fields: Vec<String>, finding: &Finding) -> FindingChange {
        let sides = [&finding.initiators, &finding.responders];
        let named = || sides.into_iter().flat_map(|side| &side.hosts);
        let unlisted = sides.iter().any(|side| side.class != "listed");
        let other_host =
            named().any(|host| host.name.as_ref().is_some_and(|name| self.hosts.contains(name)));
        // An address that nobody listed may have been listed before.
        let site = self.answers || other_host || (unlisted && !self.hosts.is_empty());
        let causes: Vec<_> =
            self.all.iter().filter(|cause| **cause != "site" || site).copied().collect();
        // A site file may differ in what the report does not show.
        let causes = if causes.is_empty() { &self.all } else { &causes };
        FindingChange {
            id: finding.id.clone(),
            status: status.to_owned(),
            severity: finding.severity.clone(),
            code: finding.code.clone(),
            title: finding.title.clone(),
            fields,
            causes: causes.iter().map(|cause| (*cause).to_owned()).collect(),
        }
    }
}

/// What the rows grant, and the packs when the report does not show their rows.
fn granted(report: &Report) -> Vec<String> {
    let rows = report.rules.iter().map(|rule| {
        let (from, to) = (rule.initiator.join("+"), rule.responder.join("+"));
        format!("{} {from} {to} {} {}", rule.id, rule.transport, rule.symmetric)
    });
    rows.chain(report.policy.packs.iter().map(|pack| pack.sha256.clone())).collect()
}

type HostFacts = BTreeMap<String, (Vec<String>, Vec<String>)>;

fn hosts(report: &Report) -> HostFacts {
    let all = report.hosts.iter();
    all.map(|host| (host.name.clone(), (host.roles.clone(), host.attributes.clone()))).collect()
}

fn answers(report: &Report) -> Vec<String> {
    let conditions = report.policy.conditions.iter();
    let conditions = conditions.map(|one| format!("{} {:?}", one.id, one.answer));
    let parameters = report.policy.parameters.iter();
    let parameters = parameters.map(|one| format!("{} {:?} {:?}", one.id, one.value, one.hosts));
    conditions.chain(parameters).collect()
}

/// The difference in words, new findings first.
pub fn in_words(diff: &model::Diff) -> String {
    let mut text = String::new();
    let model::Diff { new, gone, changed, same, .. } = diff;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{new} new, {gone} gone, {changed} changed, {same} the same");
    let between = match diff.changed_between.is_empty() {
        true => "nothing".to_owned(),
        false => diff.changed_between.join(", "),
    };
    let _ = writeln!(text, "changed between the reports: {between}");
    for status in ["new", "changed", "gone"] {
        for change in diff.findings.iter().filter(|change| change.status == status) {
            let FindingChange { id, severity, title, causes, fields, .. } = change;
            let (title, causes) = (printable(title), causes.join(" or "));
            let _ = writeln!(text, "\n{status:<8} {severity:<7} {id}  {title}");
            let _ = writeln!(text, "         cause: {causes}");
            for field in fields {
                let _ = writeln!(text, "         {field}");
            }
        }
    }
    text
}
