//! The findings as a SARIF 2.1.0 log (OASIS), for viewers of code scanning.
//!
//! In: a report. Out: one run; each code is a rule, each finding a result. Its physical location is
//! the input that holds the first packet it shows, its logical locations are the rows of the
//! document it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::{Value, json};

use super::consistency::{can_fail, weight};
use super::json::write_pretty;
use super::model::{Finding, Report};
use super::text::printable;

/// Where the schema is published.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/\
                      sarif-schema-2.1.0.json";

/// Writes the log.
///
/// # Errors
///
/// The writer's.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_pretty(out, &log(report))?;
    out.write_all(b"\n")
}

fn log(report: &Report) -> Value {
    let codes: BTreeSet<&str> = report.findings.iter().map(|found| found.code.as_str()).collect();
    let index: BTreeMap<&str, usize> = codes.iter().copied().zip(0..).collect();
    let results: Vec<_> =
        report.findings.iter().map(|found| result(report, found, &index)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "artifacts": report.inputs.iter().map(artifact).collect::<Vec<_>>(),
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {
                "result": report.outcome.result,
                "grade": report.outcome.grade,
                "cannotSay": report.outcome.reasons,
                "reportSha256": report.attestation.sha256,
            },
        }],
    })
}

fn rule(code: &str) -> Value {
    json!({
        "id": code,
        "shortDescription": { "text": code.replace('-', " ") },
    })
}

fn artifact(input: &super::model::Input) -> Value {
    let mut artifact = json!({
        "location": { "uri": uri(&input.name) },
        "length": input.size,
        "roles": ["analysisTarget"],
    });
    if let (Some(hash), Some(object)) = (&input.sha256, artifact.as_object_mut()) {
        object.insert("hashes".to_owned(), json!({ "sha-256": hash }));
    }
    artifact
}

fn result(report: &Report, finding: &Finding, index: &BTreeMap<&str, usize>) -> Value {
    let text = format!(
        "{}. Expected: {} {} flows, {} packets. {}",
        finding.title,
        finding.expected,
        finding.volume.flows,
        finding.volume.packets,
        finding.remediation
    );
    let logical = |id: &str| {
        let section = report.rules.iter().find(|rule| rule.id == id).map(|rule| &rule.section);
        let full = section.map_or(id.to_owned(), |section| format!("{section}/{id}"));
        json!({ "name": id, "fullyQualifiedName": full })
    };
    let near = finding.rules.iter().chain(finding.nearest.iter().map(|near| &near.rule));
    let rows: BTreeSet<&str> = near.map(String::as_str).collect();
    let places: Vec<_> = rows.into_iter().map(logical).collect();
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": index.get(finding.code.as_str()),
        "level": level(report, finding),
        "kind": "fail",
        "message": { "text": message(&text) },
        "partialFingerprints": { "portolanFinding/v1": finding.id },
        "properties": {
            "severity": finding.severity,
            "verdict": finding.verdict,
            "transport": finding.service.transport,
            "ports": finding.service.ports,
            "displayFilter": finding.display_filter,
            "firstSeen": finding.first_seen,
            "lastSeen": finding.last_seen,
        },
    });
    if let Some(object) = result.as_object_mut() {
        let mut place = serde_json::Map::new();
        if let Some(physical) = physical(report, finding) {
            place.insert("physicalLocation".to_owned(), physical);
        }
        if !places.is_empty() {
            place.insert("logicalLocations".to_owned(), Value::Array(places));
        }
        object.insert("locations".to_owned(), json!([place]));
    }
    result
}

/// Text of a message. A link in it (SARIF section 3.11.6) comes from a name in a packet or a file:
/// it is taken apart.
fn message(text: &str) -> String {
    printable(text).replace("](", "] (")
}

/// The input that holds the first packet shown.
fn physical(report: &Report, finding: &Finding) -> Option<Value> {
    let packet = finding.samples.iter().find_map(|sample| sample.packet)?;
    let index = report.packet_index.binary_search_by_key(&packet, |place| place.packet).ok()?;
    let place = report.packet_index.get(index)?;
    let input = report.inputs.get(place.input as usize)?;
    Some(json!({
        "artifactLocation": { "uri": uri(&input.name), "index": place.input },
        "properties": { "packet": place.number },
    }))
}

fn level(report: &Report, finding: &Finding) -> &'static str {
    let heavy = weight(&finding.severity) >= weight(&report.run.fail_on);
    match (can_fail(finding), heavy) {
        (true, true) => "error",
        (false, true) => "warning",
        (_, false) => "note",
    }
}

/// A file name as a relative reference (RFC 3986): all but unreserved characters are escaped.
fn uri(name: &str) -> String {
    let mut uri = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(byte.into());
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
