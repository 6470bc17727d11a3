//! What becomes a finding, how much it weighs, and what keeps a run from passing.

use portolan::judge::ReadingMode;
use portolan::report::model::{Finding, Report};

use crate::frames;
use crate::runs::{Rules, Run, check_frames};
use crate::sites::UNITY_AND_DC;

const UNITY: [u8; 4] = [10, 0, 0, 1];
const DC: [u8; 4] = [10, 0, 0, 2];
const EXCHANGE: [u8; 4] = [10, 0, 0, 3];
const OTHER_EXCHANGE: [u8; 4] = [10, 0, 0, 4];
const OUTSIDE: [u8; 4] = [203, 0, 113, 9];

const SITE: &str = r#"
schema = 1
[conditions]
failover = "no"
[[host]]
name = "unity"
addresses = ["10.0.0.1"]
roles = ["unity"]
[[host]]
name = "dc"
addresses = ["10.0.0.2"]
roles = ["domain-controller"]
attributes = ["monitored-by-unity"]
[[host]]
name = "exchange"
addresses = ["10.0.0.3"]
roles = ["exchange-partner"]
[[host]]
name = "other"
addresses = ["10.0.0.4"]
roles = ["exchange-partner"]
[[host]]
name = "phones"
prefixes = ["10.20.0.0/16"]
roles = ["phone"]
"#;

const BEGIN: i64 = 1_700_000_000_000_000_000;

fn judged_at(site: &str, frames: Vec<Vec<u8>>) -> Run {
    judged_by(&Rules::at(site), frames)
}

/// A packet each 60 milliseconds: no copies of one another.
fn judged_by(rules: &Rules, frames: Vec<Vec<u8>>) -> Run {
    let packets: Vec<_> = (0..).map(|index| BEGIN + index * 60_000_000).zip(frames).collect();
    check_frames(&packets, rules)
}

fn syn(from: [u8; 4], to: [u8; 4], port: u16) -> Vec<u8> {
    frames::tcp((from, to), (50_000, port), 100, 0, 0x02, b"")
}

/// A connection with data both ways.
fn connection(from: [u8; 4], to: [u8; 4], ports: (u16, u16)) -> Vec<Vec<u8>> {
    let (there, back) = ((from, to), (to, from));
    let (out, home) = (ports, (ports.1, ports.0));
    vec![
        frames::tcp(there, out, 100, 0, 0x02, b""),
        frames::tcp(back, home, 300, 101, 0x12, b""),
        frames::tcp(there, out, 101, 301, 0x10, b""),
        frames::tcp(there, out, 101, 301, 0x18, b"question"),
        frames::tcp(back, home, 301, 109, 0x18, b"answer"),
    ]
}

fn with_code<'a>(report: &'a Report, code: &str) -> Vec<&'a Finding> {
    report.findings.iter().filter(|finding| finding.code == code).collect()
}

fn only<'a>(report: &'a Report, code: &str) -> &'a Finding {
    let found = with_code(report, code);
    assert_eq!(found.len(), 1, "{code}: {:?}", report.findings);
    found[0]
}

/// Forged sources cost the sender nothing, so they must not bury what matters.
#[test]
fn scans_of_strangers_are_one_finding_behind_the_flows() {
    let mut packets = Vec::new();
    for stranger in 0..40 {
        packets.extend((1..=15).map(|port| syn([203, 0, 113, stranger], UNITY, port)));
    }
    packets.push(frames::udp((UNITY, DC), (50_000, 4444), b"talk"));
    let run = judged_at(SITE, packets);
    let scan = only(&run.report, "scan");
    assert_eq!(scan.initiators.address_count, 40);
    assert_eq!(scan.volume.flows, 600);
    assert_eq!(scan.verdict, "unknown-peer");
    assert_eq!(scan.title, "40 outside hosts tried TCP 1-15 (15 ports) on 1 address");
    let order: Vec<_> =
        run.report.findings.iter().map(|f| (f.severity.as_str(), f.code.as_str())).collect();
    assert_eq!(order, [("medium", "undocumented-service"), ("medium", "scan")]);
}

#[test]
fn listed_scanners_stay_apart_and_the_list_has_an_end() {
    let phone = |index: u16| [10, 20, index.to_be_bytes()[0], index.to_be_bytes()[1]];
    let scans = (1..=5_003).flat_map(|index| (1..=15).map(move |port| (index, port)));
    let run = judged_at(SITE, scans.map(|(index, port)| syn(phone(index), UNITY, port)).collect());
    let report = &run.report;
    assert_eq!(report.findings.len(), 5_000);
    assert_eq!(report.outcome.failing_findings, 5_003, "all count");
    let limit = report.limits.iter().find(|limit| limit.code == "findings-cut");
    assert_eq!(limit.map(|limit| limit.count), Some(3));
    assert!(report.findings.iter().all(|finding| finding.verdict == "violation"));
}

/// The severity of a peer of the public Internet is that of the peer, not of the host
/// (RFC 1918).
#[test]
fn only_the_unlisted_end_can_be_external() {
    let site = SITE.replace("\"10.0.0.1\"", "\"10.0.0.1\", \"198.51.100.1\"");
    let talk = |from, to| judged_at(&site, vec![frames::udp((from, to), (50_000, 4444), b"talk")]);
    let private = talk([198, 51, 100, 1], [192, 168, 7, 7]);
    assert_eq!(only(&private.report, "unknown-peer").severity, "medium");
    let public = talk(UNITY, OUTSIDE);
    assert_eq!(only(&public.report, "unknown-peer").severity, "high");
}

/// Anybody can send an ICMP error about a connection that stands.
#[test]
fn a_connection_that_stands_is_not_blocked() {
    let mut frames = connection(UNITY, DC, (50_000, 389));
    let mut notice = frames::icmp_unreachable((DC, UNITY), &frames[3]);
    // RFC 1812: code 13 is administratively prohibited. The checksum is not looked at.
    notice[14 + 20 + 1] = 13;
    frames.push(notice.clone());
    let run = judged_at(SITE, frames);
    assert_eq!(run.report.findings.len(), 0, "{:?}", run.report.findings);
    let tries = [syn(UNITY, DC, 389), syn(UNITY, DC, 389), syn(UNITY, DC, 389), notice];
    let run = judged_at(SITE, tries.to_vec());
    assert_eq!(only(&run.report, "documented-but-blocked").volume.packets, 3);
}

#[test]
fn fragments_without_their_first_forbid_a_pass() {
    let frames = connection(UNITY, DC, (50_000, 389));
    let run = judged_at(UNITY_AND_DC, frames.clone());
    assert_eq!(run.report.outcome.result, "pass");
    // Within half a minute of the begin the first may have been sent before it (RFC 8200 section
    // 4.5 has the receiver wait for twice as long).
    for (seconds, result) in [(29, "pass"), (31, "inconclusive")] {
        let times = (0..).map(|index| BEGIN + index * 60_000_000);
        let mut packets: Vec<_> = times.zip(frames.iter().cloned()).collect();
        let fragments = frames::fragmented_udp((UNITY, OUTSIDE), (50_000, 4444), 7, 4);
        let times = (0..).map(|index| BEGIN + seconds * 1_000_000_000 + index);
        packets.extend(times.zip(fragments.into_iter().skip(1)));
        let run = check_frames(&packets, &Rules::at(UNITY_AND_DC));
        assert_eq!(run.report.outcome.result, result, "after {seconds} s");
        let said = &run.report.outcome.cannot_say;
        assert!(said.iter().any(|said| said.text.starts_with("3 IP fragments")), "{said:?}");
    }
}

/// A conversation for each table whose hosts take part, and many of one.
fn documented() -> impl Iterator<Item = Vec<u8>> {
    let talks = [(UNITY, EXCHANGE, 135), (EXCHANGE, DC, 389)];
    let talks = talks.into_iter().flat_map(|(from, to, port)| connection(from, to, (50_000, port)));
    let many = (0..997).flat_map(|index| connection(UNITY, DC, (20_000 + index, 389)));
    let notice = frames::udp((EXCHANGE, UNITY), (1055, 2000), b"new mail");
    many.chain(talks).chain([notice])
}

/// However much documented traffic stands beside it.
#[test]
fn one_talk_that_cannot_be_judged_forbids_a_pass() {
    let outcome = |more: Vec<Vec<u8>>| {
        let run = judged_at(SITE, documented().chain(more).collect());
        let report = run.report;
        assert_eq!(report.summary.verdicts["not-assessable"].flows, 1);
        (report.outcome.result, report.outcome.reasons.join("; "))
    };
    // The static ports of the Exchange server are not in the site file.
    let talk = outcome(connection(UNITY, EXCHANGE, (50_000, 4444)));
    assert_eq!(talk.0, "inconclusive");
    assert!(talk.1.contains("1 of 1001 governed flows could not be judged, 1 of them"), "{talk:?}");
    let attempt = outcome(vec![syn(UNITY, EXCHANGE, 4444)]);
    assert_eq!(attempt.0, "pass", "an attempt that nobody answered");
    assert!(attempt.1.contains("1 of 1001 governed flows could not be judged"), "{attempt:?}");
}

fn waiver(id: &str, expires: &str, matcher: &str) -> String {
    format!(
        "[[waiver]]\nid = \"{id}\"\nowner = \"voice team\"\nreason = \"known\"\n\
         created = \"2023-01-01\"\nexpires = \"{expires}\"\n{matcher}\n"
    )
}

#[test]
fn faults_of_waivers_are_findings() {
    let waivers = [
        waiver("W-much", "2024-01-01", "maximum-flows = 1\n[waiver.match]\nports = \"4444\""),
        waiver("W-over", "2023-11-01", "[waiver.match]\nports = \"5555\""),
        waiver("W-idle", "2024-01-01", "[waiver.match]\nports = \"6666\""),
        waiver("W-past", "2023-11-01", "[waiver.match]\nports = \"7777\""),
    ];
    let rules = Rules::at(SITE).waiving(&format!("schema = 1\n{}", waivers.concat()));
    // The packets are of 2023-11-14.
    let ports = [(50_000, 4444), (50_001, 4444), (50_000, 5555)];
    let talks = ports.into_iter().flat_map(|ports| connection(UNITY, DC, ports)).collect();
    let run = judged_by(&rules, talks);
    let exceeded = only(&run.report, "waiver-exceeded");
    assert_eq!((exceeded.severity.as_str(), exceeded.volume.flows), ("medium", 2));
    assert!(exceeded.title.contains("W-much"), "{}", exceeded.title);
    let expired = only(&run.report, "waiver-expired");
    assert_eq!((expired.severity.as_str(), expired.volume.flows), ("low", 1));
    assert!(expired.title.contains("W-over"), "{}", expired.title);
    let unused: Vec<_> = with_code(&run.report, "waiver-unused");
    let named = |id: &str| unused.iter().any(|finding| finding.title.contains(id));
    assert_eq!((unused.len(), named("W-idle"), named("W-past")), (2, true, true));
    assert!(unused.iter().all(|f| f.severity == "info" && f.first_seen.is_none()));
    // The flow of the expired waiver fails as itself.
    assert_eq!(run.report.outcome.failing_findings, 2);
}

#[test]
fn a_waiver_that_accepts_too_much_fails_the_run() {
    let outcome = |most: u64| {
        let matcher = format!("maximum-flows = {most}\n[waiver.match]\nports = \"4444\"");
        let text = format!("schema = 1\n{}", waiver("W-1", "2024-01-01", &matcher));
        let rules = Rules::at(UNITY_AND_DC).waiving(&text);
        let talk = |port| connection(UNITY, DC, (port, 4444));
        judged_by(&rules, [talk(50_000), talk(50_001)].concat()).report.outcome.result
    };
    assert_eq!((outcome(2), outcome(1)), ("pass".to_owned(), "fail".to_owned()));
}

#[test]
fn a_finding_keeps_its_id_with_another_host_and_another_name() {
    let id = |site: &str, to| {
        let run = judged_at(site, connection(UNITY, to, (50_000, 4444)));
        only(&run.report, "not-assessable").id.clone()
    };
    let renamed = SITE.replace("\"exchange\"", "\"mail\"");
    let first = id(SITE, EXCHANGE);
    assert_eq!(first, id(SITE, OTHER_EXCHANGE));
    assert_eq!(first, id(&renamed, EXCHANGE));
}

#[test]
fn expected_ports_are_those_of_the_responder() {
    let own = "name = \"exchange\"\nparameters = { dcom-range = \"5100-5130\", \
               exchange-static-tcp = \"\", exchange-static-udp = \"\" }";
    let site = SITE.replace("name = \"exchange\"", own);
    let run = judged_at(&site, connection(UNITY, EXCHANGE, (50_000, 5005)));
    let finding = only(&run.report, "undocumented-service");
    assert!(finding.expected.contains("5100-5130"), "{}", finding.expected);
    assert!(!finding.expected.contains("5000-5020"), "{}", finding.expected);
}

/// By the words of the section a secondary server alone is granted it (reading A-01).
#[test]
fn the_literal_reading_is_named() {
    let site = format!(
        "{SITE}[[host]]\nname = \"unity-2\"\naddresses = [\"10.0.0.9\"]\nroles = [\"unity\"]\n\
         attributes = [\"secondary\"]\n"
    );
    let rules = Rules { reading: ReadingMode::Literal, ..Rules::at(&site) };
    let run = judged_by(&rules, connection(UNITY, DC, (50_000, 88)));
    let finding = only(&run.report, "qualifier-mismatch");
    for part in ["literal reading of A-01", "only if the initiator carries secondary"] {
        assert!(finding.expected.contains(part), "{part}: {}", finding.expected);
    }
    assert!(!finding.expected.contains("monitored"), "{}", finding.expected);
}

#[test]
fn attempts_known_from_icmp_alone_are_counted_apart() {
    let cause = syn(UNITY, DC, 4444);
    let mut frames = connection(UNITY, DC, (50_000, 389));
    frames.push(frames::icmp_unreachable((DC, UNITY), &cause));
    let run = judged_at(SITE, frames);
    let finding = only(&run.report, "undocumented-service");
    assert_eq!((finding.volume.flows, finding.icmp_only_attempts), (0, 1));
    assert_eq!(run.report.accounting.icmp_only_attempts, 1);
}

/// dc-2 of the fixture keeps DCOM in a range of its own, and dc-1 in that of the document: a port
/// inside the one and outside the other is not said to be outside one range for both.
#[test]
fn a_range_of_one_responder_is_told_with_its_responder() {
    let capture = crate::runs::repository("fixtures/voicemail/capture.pcap");
    let rules = Rules::at(&crate::runs::text("fixtures/voicemail/site.toml"));
    let report = crate::runs::check(&[capture], &rules, 1).report;
    let dcom = |hosts: &[&str]| {
        let of_both = |finding: &&Finding| {
            let names: Vec<_> =
                finding.responders.hosts.iter().filter_map(|host| host.name.as_deref()).collect();
            finding.code == "port-outside-range"
                && finding.initiators.roles == ["exchange-home"]
                && names == hosts
                && finding.title.contains("DCOM")
        };
        report.findings.iter().find(of_both).expect("DCOM of Exchange outside its range")
    };
    let both = dcom(&["dc-1", "dc-2"]);
    assert!(both.title.ends_with("DCOM outside the ports of its responder"), "{}", both.title);
    for told in ["TCP 5000-5020 at dc-1 (X-DC", "TCP 5100-5130 at dc-2 (X-DC"] {
        assert!(both.expected.contains(told), "{}", both.expected);
    }
    let near = &both.nearest[0];
    assert_eq!(near.rule, "X-DC.dcom.tcp");
    for told in ["5000-5020 at dc-1", "5100-5130 at dc-2"] {
        assert!(near.change.contains(told), "{}", near.change);
    }
    let one = dcom(&["gc-mon"]);
    assert!(one.title.ends_with("DCOM outside 5000-5020"), "{}", one.title);
    assert!(one.expected.contains("TCP 5000-5020 (X-GC"), "{}", one.expected);
}
