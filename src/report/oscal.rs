//! The outcome as OSCAL assessment results (NIST, model version 1.1.2), for tools of governance.
//!
//! In: a report. Out: one result with an observation for each finding, a finding for each of them
//! that can fail the run, and one for the port matrix as a whole. OSCAL knows `satisfied` and
//! `not-satisfied` alone, so an inconclusive run is `not-satisfied`, with a remark. Identifiers are
//! made of the hash of the report, and times are those of the packets: the same report gives the
//! same bytes.

use std::io::{self, Write};

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::consistency::can_fail;
use super::json::write_pretty;
use super::model::{Finding, Report};
use super::stored::hex;
use super::text::printable;

/// Version of the model.
const OSCAL: &str = "1.1.2";

/// The time of a report over no packets.
const NO_TIME: &str = "1970-01-01T00:00:00.000000000Z";

/// Namespace of the identifiers, a random UUID (RFC 9562 section 5.5).
const NAMESPACE: [u8; 16] = [
    0x5c, 0x1e, 0x2d, 0x8a, 0x93, 0x40, 0x4b, 0x6f, 0xa7, 0x11, 0x0d, 0xe6, 0x58, 0xc2, 0x37, 0x94,
];

/// Writes the document.
///
/// # Errors
///
/// The writer's.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_pretty(out, &document(report))?;
    out.write_all(b"\n")
}

fn document(report: &Report) -> Value {
    let first = report.window.first.as_deref().unwrap_or(NO_TIME);
    let last = report.window.last.as_deref().unwrap_or(first);
    let packs: Vec<_> = report.policy.packs.iter().map(|pack| pack.title.as_str()).collect();
    let title = format!("Port matrix: {}", packs.join(", "));
    json!({ "assessment-results": {
        "uuid": uuid(report, "document"),
        "metadata": {
            "title": filled(&title),
            "last-modified": last,
            "version": report.attestation.sha256,
            "oscal-version": OSCAL,
        },
        "import-ap": { "href": format!("#{}", uuid(report, "plan")) },
        "results": [{
            "uuid": uuid(report, "result"),
            "title": filled(&title),
            "description": filled(&description(report)),
            "start": first,
            "end": last,
            "reviewed-controls": { "control-selections": [{
                "description": "Every row of the documents in the policy.",
                "include-all": {},
            }]},
            "observations": observations(report),
            "findings": findings(report),
        }],
        "back-matter": { "resources": resources(report) },
    }})
}

fn description(report: &Report) -> String {
    let outcome = &report.outcome;
    format!(
        "{} {}: {} packets of {} inputs, {} flows, {} findings. Result {}, evidence grade {}.",
        report.tool.name,
        report.tool.version,
        report.accounting.packets_read,
        report.inputs.len(),
        report.accounting.flows,
        report.findings.len(),
        outcome.result,
        outcome.grade
    )
}

/// What was observed: the flows of each finding, and the run as a whole.
fn observations(report: &Report) -> Vec<Value> {
    let whole = json!({
        "uuid": uuid(report, "whole"),
        "title": "The capture",
        "description": filled(&description(report)),
        "methods": ["TEST"],
        "collected": report.window.last.as_deref().unwrap_or(NO_TIME),
    });
    let all = report.findings.iter().map(|finding| {
        let mut observation = json!({
            "uuid": uuid(report, &format!("observation {}", finding.id)),
            "title": filled(&finding.title),
            "description": filled(&format!(
                "{} flows and {} packets, {} to {}. {}",
                finding.volume.flows,
                finding.volume.packets,
                finding.first_seen.as_deref().unwrap_or("unknown"),
                finding.last_seen.as_deref().unwrap_or("unknown"),
                finding.expected
            )),
            "methods": ["TEST"],
            "types": ["finding"],
            "collected": finding.last_seen.as_deref().unwrap_or(NO_TIME),
        });
        let slice = report.evidence.iter().find(|slice| slice.finding == finding.id);
        if let (Some(slice), Some(object)) = (slice, observation.as_object_mut()) {
            let evidence = json!([{
                "href": format!("#{}", uuid(report, &slice.file)),
                "description": filled(&format!("{} packets of it", slice.packets)),
            }]);
            object.insert("relevant-evidence".to_owned(), evidence);
        }
        observation
    });
    [whole].into_iter().chain(all).collect()
}

fn findings(report: &Report) -> Vec<Value> {
    let outcome = &report.outcome;
    let (state, reason) = match outcome.result.as_str() {
        "pass" => ("satisfied", "pass"),
        "fail" => ("not-satisfied", "fail"),
        _ => ("not-satisfied", "other"),
    };
    let mut status = json!({ "state": state, "reason": reason });
    let doubts = outcome.reasons.join(" ");
    if let Some(object) = status.as_object_mut().filter(|_| reason == "other") {
        let remark = format!("Inconclusive: the evidence is too poor to call it a pass. {doubts}");
        object.insert("remarks".to_owned(), filled(&remark).into());
    }
    let whole = json!({
        "uuid": uuid(report, "matrix"),
        "title": "The traffic stays inside the documented port matrix",
        "description": filled(&description(report)),
        "target": {
            "type": "objective-id",
            "target-id": "documented-port-matrix",
            "status": status,
        },
        "related-observations": [{ "observation-uuid": uuid(report, "whole") }],
    });
    let failing = report.findings.iter().filter(|finding| can_fail(finding));
    [whole].into_iter().chain(failing.map(|finding| of(report, finding))).collect()
}

fn of(report: &Report, finding: &Finding) -> Value {
    json!({
        "uuid": uuid(report, &format!("finding {}", finding.id)),
        "title": filled(&format!("{}: {}", finding.id, finding.title)),
        "description": filled(&format!("{} {}", finding.expected, finding.remediation)),
        "target": {
            "type": "objective-id",
            "target-id": token(finding),
            "status": { "state": "not-satisfied", "reason": "fail" },
        },
        "related-observations": [{
            "observation-uuid": uuid(report, &format!("observation {}", finding.id)),
        }],
    })
}

/// The row that a finding is about, or else its code.
fn token(finding: &Finding) -> &str {
    let near = finding.nearest.first().map(|near| &near.rule);
    finding.rules.first().or(near).unwrap_or(&finding.code)
}

/// Inputs, packs and slices with their hashes, and the plan.
fn resources(report: &Report) -> Vec<Value> {
    let file = |name: &str, kind: &str, hash: Option<&String>| {
        let mut link = json!({ "href": filled(name) });
        if let (Some(hash), Some(object)) = (hash, link.as_object_mut()) {
            let hashes = json!([{ "algorithm": "SHA-256", "value": hash }]);
            object.insert("hashes".to_owned(), hashes);
        }
        json!({
            "uuid": uuid(report, name),
            "title": filled(&format!("{kind} {name}")),
            "rlinks": [link],
        })
    };
    let plan = json!({
        "uuid": uuid(report, "plan"),
        "title": "Plan: judge every flow of the inputs against the policy packs",
        "description": filled(&report.run.options.join(" ")),
    });
    let inputs = report.inputs.iter().enumerate();
    let inputs = inputs.map(|(index, input)| {
        // Inputs of different folders may bear one name.
        let mut resource = file(&input.name, "Input", input.sha256.as_ref());
        if let Some(object) = resource.as_object_mut() {
            object.insert("uuid".to_owned(), uuid(report, &format!("input {index}")).into());
        }
        resource
    });
    let packs = report.policy.packs.iter();
    let packs = packs.map(|pack| file(&pack.id, "Policy pack", Some(&pack.sha256)));
    let slices = report.evidence.iter();
    let slices = slices.map(|slice| file(&slice.file, "Evidence", Some(&slice.sha256)));
    [plan].into_iter().chain(inputs).chain(packs).chain(slices).collect()
}

/// Text as OSCAL takes it: not empty, without controls, and not blank at its ends.
fn filled(text: &str) -> String {
    let text = printable(text.trim());
    if text.is_empty() { "-".to_owned() } else { text }
}

/// A name-based UUID of version 5 (RFC 9562 section 5.5).
fn uuid(report: &Report, name: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(NAMESPACE);
    hash.update(report.attestation.sha256.as_bytes());
    hash.update(name.as_bytes());
    let mut bytes: Vec<u8> = hash.finalize().iter().take(16).copied().collect();
    for (at, kept, set) in [(6, 0x0f, 0x50), (8, 0x3f, 0x80)] {
        if let Some(byte) = bytes.get_mut(at) {
            *byte = (*byte & kept) | set;
        }
    }
    let text = hex(&bytes);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
