//! Every flow of the shipped fixtures against what an independent reading of the document says
//! of it (`expected*.tsv`, derived by `scripts/fixtures/oracle.py`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use portolan::report::FlowLine;

use crate::runs::{Rules, check, repository, text};

type End = (IpAddr, u16);
/// Protocol, ordered ends, instance.
type Key = (String, End, End, u32);

/// A line of an expectation, by column.
type Expected = BTreeMap<String, String>;

/// Protocols that IANA names otherwise than portolan does.
fn protocol(keyword: &str) -> String {
    match keyword {
        "ipv6-icmp" => "icmpv6".to_owned(),
        other => other.to_owned(),
    }
}

fn key(protocol: String, one: End, other: End, instance: u32) -> Key {
    (protocol, one.min(other), one.max(other), instance)
}

fn expectations(path: &str) -> Vec<Expected> {
    let text = text(path);
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let cells = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    lines
        .map(|line| names.iter().map(|name| (*name).to_owned()).zip(cells(line)).collect())
        .collect()
}

fn end(row: &Expected, side: &str) -> End {
    (row[&format!("{side}_ip")].parse().unwrap(), row[&format!("{side}_port")].parse().unwrap())
}

/// Where the flow differs from its expectation.
fn differences(row: &Expected, flow: &FlowLine) -> Vec<String> {
    let mut pairs = vec![
        ("packets", row["packets"].clone(), flow.packets.to_string()),
        ("frame_bytes", row["frame_bytes"].clone(), flow.bytes.to_string()),
    ];
    let (verdict, reason, strength) = recognised(row);
    if verdict != "-" {
        let initiator: End = (flow.src_ip.parse().unwrap(), flow.src_port);
        let wanted = end(row, "initiator");
        pairs.push(("initiator", format!("{wanted:?}"), format!("{initiator:?}")));
        pairs.push(("verdict", verdict, flow.verdict.clone()));
        pairs.push(("reason", reason, flow.reason.clone()));
        pairs.push(("strength", strength, flow.strength.clone()));
        pairs.push(("rules", rules(row), flow.rules.join(",")));
        if !row["state"].is_empty() {
            pairs.push(("state", row["state"].clone(), flow.state.clone()));
        }
    }
    pairs
        .into_iter()
        .filter(|(_, wanted, found)| wanted != found)
        .map(|(what, wanted, found)| {
            format!("{}: {what}: expected `{wanted}`, found `{found}` ({})", row["id"], row["note"])
        })
        .collect()
}

/// Verdict, reason and strength when payloads are recognised.
fn recognised(row: &Expected) -> (String, String, String) {
    let cell = &row["expected_with_recognition"];
    let mut words = cell.split('/').map(str::to_owned);
    let verdict = words.next().unwrap();
    let (reason, strength) = match words.next() {
        Some(reason) if verdict == "violation" => (reason, String::new()),
        Some(strength) => (String::new(), strength),
        None => (String::new(), String::new()),
    };
    assert!(words.next().is_none(), "{cell}");
    (verdict, reason, strength)
}

/// The rows that cover the flow. For a condition or a qualifier that fails the expectation names
/// the rows that would, at the end of its note.
fn rules(row: &Expected) -> String {
    if !matches!(recognised(row).1.as_str(), "condition-off" | "qualifier-mismatch") {
        return row["rules_with_recognition"].clone();
    }
    let (_, nearest) = row["note"].rsplit_once("nearest ").unwrap_or_default();
    nearest.replace(", ", ",")
}

/// Compares every flow of a fixture, in both directions.
fn compare(folder: &str, site: &str, expected: &str) {
    let rules = Rules::at(&text(&format!("fixtures/{folder}/{site}")));
    let capture = repository(&format!("fixtures/{folder}/capture.pcap"));
    let run = check(&[capture], &rules, 2);
    let mut found = BTreeMap::new();
    for flow in &run.lines {
        let one = (flow.src_ip.parse().unwrap(), flow.src_port);
        let other = (flow.dst_ip.parse().unwrap(), flow.dst_port);
        let key = key(flow.proto.clone(), one, other, flow.instance);
        assert!(found.insert(key, flow).is_none(), "one line per instance: {flow:?}");
    }
    let mut problems = Vec::new();
    let expected = expectations(&format!("fixtures/{folder}/{expected}"));
    for row in &expected {
        let (initiator, responder) = (end(row, "initiator"), end(row, "responder"));
        let instance = row["instance"].parse().unwrap();
        match found.remove(&key(protocol(&row["proto"]), initiator, responder, instance)) {
            Some(flow) => problems.extend(differences(row, flow)),
            None => problems.push(format!("{}: not found", row["id"])),
        }
    }
    problems.extend(found.keys().map(|key| format!("beyond the expectations: {key:?}")));
    assert!(problems.is_empty(), "{} differences\n{}", problems.len(), problems.join("\n"));
    let totals: serde_json::Value =
        serde_json::from_str(&text(&format!("fixtures/{folder}/totals.json"))).unwrap();
    assert_eq!(totals["flows"], expected.len());
    assert_eq!(totals["packets"], run.report.accounting.packets_read);
    assert_eq!(totals["frame_bytes"], run.report.accounting.frame_bytes_read);
    let outside: u64 = run.lines.iter().map(|flow| flow.packets).sum();
    assert_eq!(totals["packets_outside_flows"], run.report.accounting.packets_read - outside);
}

#[test]
fn voicemail_is_judged_as_the_document_says() {
    compare("voicemail", "site.toml", "expected.tsv");
}

#[test]
fn voicemail_with_roles_alone_is_judged_as_the_document_says() {
    compare("voicemail", "site-roles-only.toml", "expected-roles-only.tsv");
}

#[test]
fn the_quick_start_is_judged_as_the_document_says() {
    compare("quickstart", "site.toml", "expected.tsv");
}

/// Rows of the document that a site can switch off, and that the fixture switches off.
const OFF: [&str; 2] = ["ADM-U.http.tcp", "PCA-U.https.tcp"];

#[test]
fn each_of_the_138_rows_has_its_conversation_and_its_twins() {
    let policy = Rules::at("").policy;
    assert_eq!(policy.rows.len(), 138);
    // A row that names several roles has a conversation for each: `row@initiator-responder/twin`.
    let lines = expectations("fixtures/voicemail/expected.tsv");
    let mut conversations: BTreeMap<&str, BTreeMap<&str, &Expected>> = BTreeMap::new();
    for line in &lines {
        let (conversation, twin) = line["id"].rsplit_once('/').unwrap();
        conversations.entry(conversation).or_default().insert(twin, line);
    }
    for row in &policy.rows {
        let mut of_row = conversations.iter().filter(|(conversation, twins)| {
            let id = conversation.split('@').next();
            id == Some(row.id.as_str()) && twins.contains_key("documented")
        });
        let first = of_row.next();
        assert!(first.is_some(), "{} has no conversation", row.id);
        for (_, twins) in first.into_iter().chain(of_row) {
            check_twins(&row.id, &row.transport.to_string(), twins);
        }
    }
}

fn check_twins(row: &str, transport: &str, twins: &BTreeMap<&str, &Expected>) {
    let hosts = |line: &Expected| (end(line, "initiator").0, end(line, "responder").0);
    let port = |line: &Expected| end(line, "responder").1;
    let documented = twins["documented"];
    let (from, to) = hosts(documented);
    let last = twins.get("last-port").map_or(port(documented), |line| port(line));
    let verdict = if OFF.contains(&row) { "violation" } else { "documented" };
    assert_eq!(documented["verdict"], verdict, "{row}");
    assert_eq!(documented["proto"], transport, "{row}");
    let other = if transport == "tcp" { "udp" } else { "tcp" };
    let wanted = [
        ("reversed", transport, (to, from), Some(port(documented))),
        ("other-transport", other, (from, to), Some(port(documented))),
        ("port-below", transport, (from, to), port(documented).checked_sub(1)),
        // The last port there is has none above it.
        ("port-above", transport, (from, to), last.checked_add(1)),
    ];
    for (twin, transport, ends, wanted_port) in wanted {
        let line = twins.get(twin);
        let found = line.map(|line| (line["proto"].as_str(), hosts(line), port(line)));
        assert_eq!(found, wanted_port.map(|port| (transport, ends, port)), "{row}: {twin}");
    }
}
