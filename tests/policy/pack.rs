//! The Cisco Unity pack against the counts of the document and against a transcription of its
//! lines that was made apart from the pack.

use std::collections::{BTreeMap, BTreeSet};

use portolan::base::IpProto;
use portolan::judge::model::{
    InfrastructureMatch, PackKind, Policy, Requirement, Row, RowPorts, Set64, Terms,
};
use portolan::judge::policy::{EMBEDDED, PolicySource, embedded, load_policy};

use super::{EXAMPLE_POLICY, shipped, sound};

/// The lines of the document: id, section, initiator, responder, direction, transport, port and
/// condition codes.
const TRANSCRIPT: &str = include_str!("../data/unity-rows.tsv");

fn transcript() -> Vec<Vec<&'static str>> {
    let lines = TRANSCRIPT.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect()).collect()
}

/// The ports of a row as the pack writes them: text, or `$` and the parameter.
fn ports_as_written(policy: &Policy, row: &Row) -> String {
    match &row.ports {
        RowPorts::Fixed(ports) => ports.to_string(),
        RowPorts::Parameter(id) => format!("${}", policy.parameters[id.0].id),
    }
}

fn count(policy: &Policy, keep: impl Fn(&Row) -> bool) -> usize {
    policy.rows.iter().filter(|row| keep(row)).count()
}

fn roles(policy: &Policy, names: &str) -> Set64 {
    let number = |name: &str| policy.roles.iter().position(|role| role.id == name);
    names.split(' ').map(|name| u8::try_from(number(name).expect(name)).unwrap()).collect()
}

fn attributes(policy: &Policy, names: &[&str]) -> Set64 {
    let number = |name: &str| policy.attributes.iter().position(|it| it.id == name);
    names.iter().map(|name| u8::try_from(number(name).expect(name)).unwrap()).collect()
}

fn requirement(policy: &Policy, condition: &str, answers: &[&str]) -> Requirement {
    let number = policy.conditions.iter().position(|it| it.id == condition).expect(condition);
    let offered = &policy.conditions[number].answers;
    let mut accepted: Vec<usize> =
        answers.iter().map(|it| offered.iter().position(|answer| answer == it).unwrap()).collect();
    accepted.sort_unstable();
    Requirement { condition: portolan::judge::model::ConditionId(number), accepted }
}

#[test]
fn the_pack_has_the_counts_of_the_document() {
    let policy = shipped();
    assert_eq!(policy.rows.len(), 138);
    assert_eq!(count(&policy, |row| row.transport == IpProto::TCP), 82);
    assert_eq!(count(&policy, |row| row.transport == IpProto::UDP), 56);
    let symmetric = count(&policy, |row| row.symmetric);
    assert_eq!(symmetric, 15);
    assert_eq!(policy.rows.len() + symmetric, 153, "directed rules");

    let with_ports = |wanted: &[(IpProto, &str)]| {
        count(&policy, |row| wanted.contains(&(row.transport, &ports_as_written(&policy, row))))
    };
    let (tcp, udp) = (IpProto::TCP, IpProto::UDP);
    assert_eq!(with_ports(&[(tcp, "$dcom-range")]), 11);
    assert_eq!(with_ports(&[(udp, "$dcom-range")]), 11);
    assert_eq!(with_ports(&[(tcp, "135")]), 11);
    assert_eq!(with_ports(&[(udp, "137"), (udp, "138"), (tcp, "139"), (tcp, "445")]), 32);
    assert_eq!(with_ports(&[(tcp, "$exchange-static-tcp"), (udp, "$exchange-static-udp")]), 6);
    assert_eq!(with_ports(&[(udp, "$rtp-range")]), 4);
    assert_eq!(with_ports(&[(tcp, "53"), (udp, "53")]), 6);

    let pairs: BTreeSet<_> =
        policy.rows.iter().map(|row| (row.transport, ports_as_written(&policy, row))).collect();
    assert_eq!(pairs.len(), 39);
}

#[test]
fn the_sections_have_the_counts_of_the_document() {
    let policy = shipped();
    let counts: Vec<(&str, usize)> =
        policy.sections.iter().map(|section| (section.id.as_str(), section.rows.len())).collect();
    let expected = [
        ("S01", 15),
        ("S02", 17),
        ("S03", 2),
        ("S04", 9),
        ("S05", 8),
        ("S06", 4),
        ("S07", 2),
        ("S08", 3),
        ("S09", 1),
        ("S10", 2),
        ("S11", 1),
        ("S12", 1),
        ("S13", 10),
        ("S14a", 3),
        ("S14b", 5),
        ("S15", 1),
        ("S16", 2),
        ("S17", 15),
        ("S18", 17),
        ("S19", 7),
        ("S20", 1),
        ("S21", 1),
        ("S22", 2),
        ("S23", 9),
    ];
    assert_eq!(counts, expected);
    let numbers: BTreeSet<&str> = policy.sections.iter().map(|it| it.number.as_str()).collect();
    assert_eq!(numbers.len(), 23);

    let warned = ["S01", "S02", "S04", "S15", "S17", "S18"];
    let revised = ["S01", "S02", "S04", "S05", "S15", "S17", "S18"];
    for section in &policy.sections {
        let id = section.id.as_str();
        assert_eq!(!section.caution.is_empty(), warned.contains(&id), "{id}");
        let date = if revised.contains(&id) { "2008-04-17" } else { "" };
        assert_eq!(section.revised, date, "{id}");
        assert!(section.citation.starts_with("Network Traffic "), "{id}");
    }
}

/// What a condition code of the transcription demands of a row.
fn terms_of(policy: &Policy, row: &[&str]) -> (Terms, Option<&'static str>) {
    let mut terms = Terms {
        initiator: roles(policy, row[2]),
        responder: roles(policy, row[3]),
        initiator_has: Set64::default(),
        responder_has: Set64::default(),
        when: Vec::new(),
    };
    let mut relation = None;
    let uses = attributes(policy, &["uses-pca", "uses-viewmail"]);
    for code in row[7].split("; ") {
        match code {
            "ALL-DC" | "ALL-GC" | "DIRECT" | "PARTNER" | "STATIC" | "NOTIFY" | "FO" => {}
            "MON-DC" | "GC-MON" => {
                terms.responder_has = attributes(policy, &["monitored-by-unity"]);
            }
            "GC-MAPI" => terms.responder_has = attributes(policy, &["mapi-gc"]),
            "GC-EITHER" => {
                terms.responder_has = attributes(policy, &["monitored-by-unity", "mapi-gc"]);
            }
            "OWN-DNS" => relation = Some("dns-server"),
            "HOME-SERVER" => relation = Some("mailbox-home"),
            "PCA-OR-VMO" => terms.responder_has = uses,
            "PAIR" => {
                relation = Some("failover-pair");
                terms.when.push(requirement(policy, "failover", &["yes"]));
            }
            "PCA" => {
                terms.initiator_has = attributes(policy, &["uses-pca"]);
                terms.when.push(requirement(policy, "pca", &["yes"]));
            }
            "VMO" => {
                terms.initiator_has = attributes(policy, &["uses-viewmail"]);
                terms.when.push(requirement(policy, "viewmail", &["yes"]));
            }
            "HTTPS-ON" | "HTTPS-OFF" => {
                let condition = if row[1] == "S13" { "https-admin" } else { "https-pca" };
                let answer = if code == "HTTPS-ON" { "on" } else { "off" };
                terms.when.push(requirement(policy, condition, &[answer]));
            }
            code => {
                let (condition, answers): (&str, &[&str]) = match code {
                    "SCCP-CLEAR" => ("sccp-security", &["clear", "mixed"]),
                    "SCCP-TLS" => ("sccp-security", &["tls", "mixed"]),
                    "SCCP-USED" => ("sccp", &["yes"]),
                    "CUCM5" => ("cucm-5", &["yes"]),
                    "SIP" => ("sip", &["yes"]),
                    "WEB-ADMIN" => ("web-admin", &["yes"]),
                    "SHARE" => ("report-share", &["yes"]),
                    "RDP" => ("rdp", &["yes"]),
                    "VNC" => ("vnc", &["yes"]),
                    "SNMP" => ("snmp", &["yes"]),
                    "HOMED-ELSEWHERE" => ("mailboxes-elsewhere", &["yes"]),
                    "BRIDGE-OR-VPIM" => ("voice-networking", &["bridge", "vpim", "both"]),
                    other => panic!("condition code {other}"),
                };
                terms.when.push(requirement(policy, condition, answers));
            }
        }
    }
    terms.when.sort_by_key(|it| it.condition);
    (terms, relation)
}

/// The ports that a row prints, with parameters at their defaults.
fn printed_ports(policy: &Policy, row: &Row) -> String {
    match &row.ports {
        RowPorts::Fixed(ports) => ports.to_string(),
        RowPorts::Parameter(id) => {
            let parameter = &policy.parameters[id.0];
            match (&parameter.default, parameter.id.as_str()) {
                (_, "dcom-range") => "{dcom}".to_owned(),
                (Some(ports), _) => ports.to_string(),
                (None, id) => format!("{{{}}}", id.replace("exchange", "exch").replace('-', "_")),
            }
        }
    }
}

#[test]
fn every_row_is_the_line_of_the_document() {
    let policy = shipped();
    let transcript = transcript();
    assert_eq!(transcript.len(), 138);
    for (row, line) in policy.rows.iter().zip(&transcript) {
        let id = row.id.as_str();
        assert_eq!(id, line[0], "document order");
        assert_eq!(policy.sections[row.section.0].id, line[1], "{id}");
        assert_eq!(row.symmetric, line[4] == "<->", "{id}");
        assert_eq!(row.transport.to_string(), line[5], "{id}");
        assert_eq!(printed_ports(&policy, row), line[6], "{id}");
        let (terms, relation) = terms_of(&policy, line);
        assert_eq!(row.terms, terms, "{id}");
        let named = row.relation.map(|it| policy.relations[it.0].id.as_str());
        assert_eq!(named, relation, "{id}");
        assert_eq!(row.weak, line[7] == "NOTIFY", "{id}");
    }
}

#[test]
fn literal_alternatives_are_those_of_the_readings() {
    let policy = shipped();
    let mut by_reading: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &policy.rows {
        let Some(literal) = &row.literal else { continue };
        assert_ne!(*literal, row.terms, "{}", row.id);
        let changing = row.readings.iter().map(|it| &policy.readings[it.0]);
        for reading in changing.filter(|reading| reading.changes_verdict) {
            *by_reading.entry(&reading.id).or_default() += 1;
        }
    }
    // A-27 stands on every row of S13, but only RDP is read differently to the letter.
    let expected = [("A-01", 15 + 17 + 9), ("A-04", 3), ("A-20", 1), ("A-27", 1)];
    assert_eq!(by_reading, expected.into());

    let secondary = attributes(&policy, &["secondary"]);
    for line in transcript().iter().filter(|line| line[7].contains("FO")) {
        let row = policy.rows.iter().find(|row| row.id == line[0]).unwrap();
        let literal = row.literal.as_ref().unwrap();
        assert_eq!(*literal, Terms { initiator_has: secondary, ..row.terms.clone() });
    }
    let notify = policy.rows.iter().find(|row| row.id == "X-U.notify.udp").unwrap();
    let unaware = requirement(&policy, "exchange-aware-firewall", &["no"]);
    assert_eq!(notify.literal.as_ref().unwrap().when, [unaware]);
    let sccp = policy.rows.iter().find(|row| row.id == "U-CM.sccp.tcp").unwrap();
    assert_eq!(sccp.literal.as_ref().unwrap().responder, roles(&policy, "cucm phone"));
}

#[test]
fn fifty_readings_are_recorded() {
    let policy = shipped();
    let ids: Vec<String> = policy.readings.iter().map(|reading| reading.id.clone()).collect();
    let expected: Vec<String> = (1..=50).map(|number| format!("A-{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn the_pack_names_its_document() {
    let policy = shipped();
    let pack = &policy.packs[0];
    assert_eq!((pack.id.as_str(), pack.kind), ("cisco-unity-5x-exchange", PackKind::Document));
    assert_eq!(pack.revision, "2008-04-17");
    assert_eq!(
        pack.source_sha256,
        "1269cf3c9910e7d7c68fca8b47f2ffb24deba3bb98aa0825e9471be63301426b"
    );
    assert_eq!(embedded("cisco-unity-5x-exchange"), Some(EMBEDDED[0].text));
    assert_eq!(embedded("cisco"), None);
}

#[test]
fn the_hash_of_a_pack_is_sha_256() {
    let policy = super::example();
    assert_eq!(policy.packs[0].sha256, EXAMPLE_SHA256);
}

/// `sha256sum docs/examples/policy.toml`.
const EXAMPLE_SHA256: &str = "1065c96b2dd21799472c67dbecaa9ee9dd01d5eb1713eac9f394fb0de4c59baa";

#[test]
fn subject_roles_include_the_roles_that_are_one() {
    let policy = shipped();
    let expected = "unity exchange exchange-partner exchange-home exchange-voice-connector";
    assert_eq!(policy.subject_roles, roles(&policy, expected));
}

#[test]
fn rows_know_their_line() {
    let policy = super::example();
    for row in &policy.rows {
        let line = EXAMPLE_POLICY.lines().nth(row.line - 1).unwrap();
        assert!(line.contains(&format!("id = \"{}\"", row.id)), "{line}");
    }
}

#[test]
fn directed_tcp_and_udp_are_infrastructure_only_for_address_assignment() {
    let policy = shipped();
    let directed: Vec<&str> = policy
        .infrastructure
        .iter()
        .filter(|row| row.to == portolan::judge::model::Destination::Any)
        .filter(|row| matches!(row.matches, InfrastructureMatch::Ports { .. }))
        .map(|row| row.id.as_str())
        .collect();
    assert_eq!(directed, ["dhcp", "dhcpv6"]);
    let ospf = policy.infrastructure.iter().find(|row| row.id == "ospf").unwrap();
    assert_eq!(ospf.matches, InfrastructureMatch::IpProtocol(IpProto(89)));
}

#[test]
fn a_pack_may_use_the_names_of_another_in_any_order() {
    let addition = r#"
schema = 1
[pack]
id = "addition"
kind = "document"
title = "Backup of the nodes"
[[role]]
id = "backup"
definition = "A backup server"
[[service]]
id = "nfs"
name = "NFS"
protocols = ["sunrpc"]
[[section]]
id = "B1"
number = "1"
title = "Nodes to the backup"
citation = "Backups"
initiator = ["pbx"]
responder = ["backup"]
direction = "->"
row = [{ id = "PBX-BAK.nfs.tcp", transport = "tcp", port = "2049", service = "nfs", printed = "NFS" }]
"#;
    let addition = PolicySource { name: "addition.toml", text: addition };
    let base = PolicySource { name: "policy.toml", text: EXAMPLE_POLICY };
    for sources in [[addition, base], [base, addition]] {
        let policy = sound(load_policy(&sources));
        let row = policy.rows.iter().find(|row| row.id == "PBX-BAK.nfs.tcp").unwrap();
        assert_eq!(row.terms.initiator, roles(&policy, "pbx"));
        assert_eq!(row.terms.responder, roles(&policy, "backup"));
        let pack = &policy.packs[policy.sections[row.section.0].pack.0];
        assert_eq!(pack.id, "addition");
    }
}
