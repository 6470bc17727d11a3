//! The JSON report: its shape, its sums, and what must not change its identifiers.

mod coverage;
mod evidence;
mod findings;
mod ledger;
mod mirrors;
mod times;

use std::collections::{BTreeMap, BTreeSet};

use portolan::report::{FlowLine, model::Report};

use crate::runs::{Rules, Run, check, check_frames, repository, text};

/// Fixture, site.
const FIXTURES: [(&str, &str); 3] = [
    ("quickstart", "site.toml"),
    ("voicemail", "site.toml"),
    ("voicemail", "site-roles-only.toml"),
];

fn fixture_rules(fixture: &str, site: &str) -> Rules {
    Rules::at(&text(&format!("fixtures/{fixture}/{site}")))
}

fn fixture(fixture: &str, site: &str) -> Run {
    let capture = repository(&format!("fixtures/{fixture}/capture.pcap"));
    check(&[capture], &fixture_rules(fixture, site), 1)
}

#[test]
fn reports_and_flow_lines_read_back_into_the_model() {
    for (name, site) in FIXTURES {
        let run = fixture(name, site);
        let written = serde_json::to_string(&run.report).unwrap();
        let read: Report = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
        for line in &run.lines {
            let written = serde_json::to_string(line).unwrap();
            let read: FlowLine = serde_json::from_str(&written).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), written);
        }
    }
    let run = fixture("quickstart", "site.toml");
    let mut report = serde_json::to_value(&run.report).unwrap();
    report["outcome"]["mood"] = "good".into();
    assert!(serde_json::from_value::<Report>(report).is_err(), "unknown fields are refused");
}

/// Validation by an independent implementation is `scripts/validate-schemas.py`.
#[test]
fn the_published_schemas_are_those_that_the_program_prints() {
    for name in ["report", "flow", "event", "site", "policy", "waivers"] {
        let mut program = assert_cmd::Command::cargo_bin("portolan").unwrap();
        let output = program.args(["schema", name]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let printed = String::from_utf8(output.stdout).unwrap();
        let path = repository(&format!("docs/schema/{name}.json"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        let hint = format!("{name}.json is not up to date: run `UPDATE=1 cargo test schemas`");
        assert!(published == printed, "{hint}");
    }
}

/// Every sum that a reader of the report can check.
#[test]
fn the_numbers_of_a_report_agree_with_each_other() {
    for (name, site) in FIXTURES {
        let run = fixture(name, site);
        let Report { accounting, window, summary, inputs, findings, rules, .. } = &run.report;
        let sum = |numbers: &mut dyn Iterator<Item = u64>| numbers.sum::<u64>();
        let classes = || accounting.classes.iter();
        assert_eq!(accounting.packets_read, sum(&mut classes().map(|class| class.packets)));
        assert_eq!(accounting.frame_bytes_read, sum(&mut classes().map(|class| class.frame_bytes)));
        assert_eq!(accounting.packets_read, window.packets);
        assert_eq!(accounting.packets_read, sum(&mut window.hours.iter().map(|hour| hour.packets)));
        assert_eq!(accounting.packets_read, sum(&mut inputs.iter().map(|input| input.packets)));
        let verdicts = || summary.verdicts.values();
        assert_eq!(accounting.flows, sum(&mut verdicts().map(|volume| volume.flows)));
        let in_flows = classes().find(|class| class.class == "flow").unwrap();
        assert_eq!(in_flows.packets, sum(&mut verdicts().map(|volume| volume.packets)));
        assert_eq!(in_flows.frame_bytes, sum(&mut verdicts().map(|volume| volume.frame_bytes)));
        let documented = summary.verdicts["documented"].flows;
        assert_eq!(documented, sum(&mut summary.strengths.values().map(|volume| volume.flows)));
        assert_eq!(documented, sum(&mut rules.iter().map(|rule| rule.flows)), "each by one row");
        // Each flow that needs attention is in one finding; a blocked service is one on top.
        let attention = ["violation", "unknown-peer", "not-assessable"];
        let attention = sum(&mut attention.iter().map(|name| summary.verdicts[*name].flows));
        let grouped = findings.iter().filter(|found| found.code != "documented-but-blocked");
        assert_eq!(attention, sum(&mut grouped.clone().map(|found| found.volume.flows)));
        let attempts = sum(&mut grouped.map(|found| found.icmp_only_attempts));
        assert_eq!(accounting.icmp_only_attempts, attempts);
        for finding in findings {
            let flows = finding.volume.flows + finding.icmp_only_attempts;
            assert_eq!(flows, finding.states.values().sum::<u64>(), "{}", finding.id);
            assert_eq!(flows, finding.direction_basis.values().sum::<u64>(), "{}", finding.id);
        }
        let counted = findings.iter().filter(|found| {
            matches!(found.verdict.as_str(), "violation" | "unknown-peer") || found.code == "scan"
        });
        let failing = counted.filter(|found| found.severity != "info").count() as u64;
        assert_eq!(run.report.outcome.failing_findings, failing);
    }
}

/// Every number of a packet, every row and every host that a report names can be looked up.
#[test]
fn the_references_of_a_report_resolve() {
    for (name, site) in FIXTURES {
        let run = fixture(name, site);
        let report = &run.report;
        let places: BTreeMap<u64, (u32, u64)> =
            report.packet_index.iter().map(|p| (p.packet, (p.input, p.number))).collect();
        assert_eq!(places.len(), report.packet_index.len());
        let samples = report.findings.iter().flat_map(|finding| &finding.samples);
        let named = samples
            .filter_map(|sample| sample.packet)
            .chain(report.accounting.classes.iter().filter_map(|class| class.sample))
            .chain(report.capture_health.undecoded.iter().filter_map(|stop| stop.sample))
            .chain(report.infrastructure.iter().filter_map(|row| row.sample));
        let named: BTreeSet<u64> = named.collect();
        assert_eq!(named, places.keys().copied().collect(), "all, and no others");
        for (input, number) in places.values() {
            let packets = report.inputs[*input as usize].packets;
            assert!((1..=packets).contains(number));
        }
        // The first packet of a flow is at its place in the file.
        let first_packets: BTreeMap<u64, u64> =
            run.lines.iter().map(|line| (line.packet, line.file_packet)).collect();
        for sample in report.findings.iter().flat_map(|finding| &finding.samples) {
            let Some(packet) = sample.packet else { continue };
            assert_eq!(first_packets.get(&packet), Some(&places[&packet].1));
        }
        let rows: BTreeSet<&str> = report.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(rows.len(), 138);
        let mut ids = BTreeSet::new();
        for finding in &report.findings {
            assert!(ids.insert(&finding.id), "{} is used twice", finding.id);
            let nearest = finding.nearest.iter().map(|nearest| &nearest.rule);
            for row in finding.rules.iter().chain(nearest) {
                assert!(rows.contains(row.as_str()), "{}: {row}", finding.id);
            }
        }
        let hosts: BTreeSet<&str> = report.hosts.iter().map(|host| host.name.as_str()).collect();
        let peers = report.unknown_peers.iter().flat_map(|peer| &peer.hosts);
        assert!(peers.chain(&report.site.silent_hosts).all(|host| hosts.contains(host.as_str())));
    }
}

/// The packets of a fixture with every time a day later and every ephemeral port another one.
fn tomorrow(fixture: &str) -> Vec<(i64, Vec<u8>)> {
    const DAY: i64 = 86_400_000_000_000;
    let file = std::fs::read(repository(&format!("fixtures/{fixture}/capture.pcap"))).unwrap();
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(word(0), 0xa1b2_3c4d, "nanosecond pcap");
    let mut packets = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let time = i64::from(word(at)) * 1_000_000_000 + i64::from(word(at + 4)) + DAY;
        let length = word(at + 8) as usize;
        packets.push((time, shift_ports(file[at + 16..at + 16 + length].to_vec())));
        at += 16 + length;
    }
    packets
}

/// Moves the ports of client sockets, in the outer header and in ICMP quotes.
fn shift_ports(mut frame: Vec<u8>) -> Vec<u8> {
    let mut at = 12;
    while matches!(frame[at..at + 2], [0x81, 0x00] | [0x88, 0xa8]) {
        at += 4;
    }
    let ethertype = [frame[at], frame[at + 1]];
    shift_packet_ports(&mut frame, at + 2, ethertype);
    frame
}

fn shift_packet_ports(frame: &mut [u8], at: usize, ethertype: [u8; 2]) {
    let (protocol, transport, quoted) = match ethertype {
        [0x08, 0x00] => {
            let later_fragment = (frame[at + 6] & 0x1f, frame[at + 7]) != (0, 0);
            let header = usize::from(frame[at] & 0x0f) * 4;
            (frame[at + 9], at + header, (1, !later_fragment))
        }
        [0x86, 0xdd] => (frame[at + 6], at + 40, (58, true)),
        _ => return,
    };
    match protocol {
        6 | 17 if quoted.1 => {
            for at in [transport, transport + 2] {
                let port = u16::from_be_bytes([frame[at], frame[at + 1]]);
                if is_client_port(port) {
                    frame[at..at + 2].copy_from_slice(&(port + 5_000).to_be_bytes());
                }
            }
        }
        icmp if icmp == quoted.0 && matches!(frame[transport], 1 | 3) => {
            shift_packet_ports(frame, transport + 8, ethertype);
        }
        _ => {}
    }
}

/// The fixtures give client sockets the ports from 49152 up, and services the ports below; two
/// conversations over the last port there is are about that port.
fn is_client_port(port: u16) -> bool {
    (49_152..60_000).contains(&port)
}

#[test]
fn finding_ids_do_not_depend_on_times_and_ephemeral_ports() {
    for (name, site) in FIXTURES {
        let today = fixture(name, site);
        let later = check_frames(&tomorrow(name), &fixture_rules(name, site));
        let ids = |run: &Run| -> Vec<(String, u64)> {
            let findings = run.report.findings.iter();
            findings.map(|found| (found.id.clone(), found.volume.flows)).collect()
        };
        assert_eq!(ids(&today), ids(&later), "{name} {site}");
        let ends = |run: &Run| -> BTreeSet<(String, u16)> {
            run.lines.iter().map(|line| (line.src_ip.clone(), line.src_port)).collect()
        };
        assert_ne!(ends(&today), ends(&later), "the ports are others");
        let [one, other] = [&today, &later].map(|run| run.report.window.first.clone().unwrap());
        assert_eq!((one[..10].len(), other[..10].len()), (10, 10));
        assert_ne!(one[..10], other[..10], "the day is another");
    }
}

const VALID: &str = "created = \"2026-01-01\"\nexpires = \"2027-01-01\"";

fn waiver(id: &str, dates: &str, maximum: &str, matcher: &str) -> String {
    format!(
        "[[waiver]]\nid = \"{id}\"\nowner = \"voice team\"\nreason = \"known\"\n{dates}\n{maximum}\n\
         [waiver.match]\n{matcher}\n"
    )
}

/// The quick start under waivers.
fn waived(waivers: &[String]) -> Run {
    let text = format!("schema = 1\n{}", waivers.concat());
    let rules = fixture_rules("quickstart", "site.toml").waiving(&text);
    check(&[repository("fixtures/quickstart/capture.pcap")], &rules, 1)
}

/// Verdict, reason and waiver of the flows to a responder port, over TCP or UDP.
fn lines_to(run: &Run, proto: &str, port: u16) -> Vec<[String; 3]> {
    let lines = run.lines.iter().filter(|line| line.proto == proto && line.dst_port == port);
    lines.map(|line| [line.verdict.clone(), line.reason.clone(), line.waiver.clone()]).collect()
}

#[test]
fn a_valid_waiver_accepts_and_never_documents() {
    let before = fixture("quickstart", "site.toml");
    let dcom = "responder-roles = [\"exchange-partner\"]\ntransport = \"tcp\"\nports = \"1026\"";
    let run = waived(&[waiver("W-1", VALID, "", dcom)]);
    assert_eq!(lines_to(&run, "tcp", 1026), [["waived", "port-outside-range", "W-1"]]);
    let flows = |run: &Run, verdict: &str| run.report.summary.verdicts[verdict].flows;
    assert_eq!(flows(&run, "documented"), flows(&before, "documented"));
    assert_eq!(flows(&run, "waived"), 1);
    assert_eq!(flows(&run, "violation") + 1, flows(&before, "violation"));
    assert_eq!(run.report.findings.len() + 1, before.report.findings.len());
    let [waiver] = run.report.waivers.as_slice() else { panic!("one waiver") };
    assert_eq!((waiver.flows, waiver.status.as_str(), waiver.expired), (1, "used", false));
    assert!(run.report.site.waivers_sha256.is_some());
}

#[test]
fn every_matcher_must_agree() {
    let agree = "initiators = [\"unity\"]\nresponders = [\"10.20.3.0/24\"]\ninitiator-roles = \
                 [\"unity\"]\nresponder-roles = [\"exchange-partner\"]\ntransport = \"tcp\"\nports = \
                 \"1000-1100\"";
    let changes = [
        ("", "", "waived"),
        ("[\"unity\"]\nresponders", "[\"dc\"]\nresponders", "violation"),
        ("10.20.3.0/24", "10.20.4.0/24", "violation"),
        ("initiator-roles = [\"unity\"]", "initiator-roles = [\"phone\"]", "violation"),
        ("[\"exchange-partner\"]", "[\"exchange-home\"]", "violation"),
        ("\"tcp\"", "\"udp\"", "violation"),
        ("1000-1100", "1027-1100", "violation"),
    ];
    for (from, to, verdict) in changes {
        let run = waived(&[waiver("W-1", VALID, "", &agree.replacen(from, to, 1))]);
        assert_eq!(lines_to(&run, "tcp", 1026)[0][0], verdict, "`{from}` -> `{to}`");
    }
}

#[test]
fn a_waiver_that_is_over_accepts_nothing() {
    let dcom = "ports = \"1026\"\ntransport = \"tcp\"";
    // The capture begins on 2026-03-03 at 01:00 UTC.
    let cases = [
        ("created = \"2026-01-01\"\nexpires = \"2026-03-03\"", "violation", true),
        ("created = \"2026-01-01\"\nexpires = \"2026-03-03T05:00:00+02:00\"", "waived", false),
        ("created = \"2026-03-04\"\nexpires = \"2026-04-01\"", "violation", false),
    ];
    for (dates, verdict, expired) in cases {
        let run = waived(&[waiver("W-1", dates, "", dcom)]);
        assert_eq!(lines_to(&run, "tcp", 1026)[0][0], verdict, "{dates}");
        let used = &run.report.waivers[0];
        assert_eq!((used.expired, used.flows > 0), (expired, verdict == "waived"), "{dates}");
        if verdict == "violation" {
            assert_eq!(used.status, "unused", "{dates}");
        }
    }
}

#[test]
fn waivers_that_are_unused_or_exceeded_are_named() {
    let everything = "initiators = [\"unity\"]";
    let run = waived(&[
        waiver("W-1", VALID, "maximum-flows = 1", everything),
        waiver("W-2", VALID, "", "ports = \"65000\""),
    ]);
    let [exceeded, unused] = run.report.waivers.as_slice() else { panic!("two waivers") };
    assert!(exceeded.flows > 1);
    assert_eq!((exceeded.status.as_str(), unused.status.as_str()), ("exceeded", "unused"));
    assert_eq!(unused.flows, 0);
    // Documented flows need no waiver, and get none.
    assert!(run.lines.iter().all(|line| line.waiver.is_empty() || line.verdict == "waived"));
}

#[test]
fn what_the_site_says_of_translation_and_collectors_reaches_the_reader() {
    let site = "schema = 1\n[capture]\ncollectors = [\"10.0.0.250\"]\n[[nat]]\n\
                addresses = [\"10.0.0.254\"]\nnote = \"branch phones\"\n";
    let run = check_frames(&[(0, crate::frames::arp())], &Rules::at(site));
    let [nat] = run.report.site.nat.as_slice() else { panic!("{:?}", run.report.site.nat) };
    assert_eq!(
        (nat.addresses.as_slice(), nat.note.as_str()),
        (&["10.0.0.254".to_owned()][..], "branch phones")
    );
    assert_eq!(run.report.site.collectors, ["10.0.0.250"]);
    // ARP is everyday traffic and not worth a remark.
    assert!(run.report.infrastructure.iter().all(|row| row.id == "arp" && !row.informational));
}
