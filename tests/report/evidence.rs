//! What poor evidence makes of a run: the grade, and what is not claimed any more. That findings
//! are never stronger for it is tested in `variants`.

use portolan::report::model::{Measure, Report};

use crate::capture::build::Builder;
use crate::frames;
use crate::runs::{Rules, check_frames, check_stream};

pub const UNITY: [u8; 4] = [10, 0, 0, 1];
pub const DC: [u8; 4] = [10, 0, 0, 2];
pub const BEGIN: i64 = 1_700_000_000_000_000_000;

pub use crate::sites::UNITY_AND_DC as SITE;

/// A packet each 60 milliseconds: no copies of one another.
pub fn timed(frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<(i64, Vec<u8>)> {
    (0..).map(|index| BEGIN + index * 60_000_000).zip(frames).collect()
}

fn judged(frames: impl IntoIterator<Item = Vec<u8>>) -> Report {
    check_frames(&timed(frames), &Rules::at(SITE)).report
}

/// The packets of a documented connection that `keep` names: SYN, SYN+ACK, ACK, question, answer.
pub fn part(source_port: u16, keep: &'static [usize]) -> impl Iterator<Item = Vec<u8>> {
    let (there, back) = ((UNITY, DC), (DC, UNITY));
    let (out, home) = ((source_port, 389), (389, source_port));
    let whole = [
        frames::tcp(there, out, 100, 0, 0x02, b""),
        frames::tcp(back, home, 300, 101, 0x12, b""),
        frames::tcp(there, out, 101, 301, 0x10, b""),
        frames::tcp(there, out, 101, 301, 0x18, b"question"),
        frames::tcp(back, home, 301, 109, 0x18, b"answer"),
    ];
    keep.iter().map(move |index| whole[*index].clone())
}

pub const WHOLE: &[usize] = &[0, 1, 2, 3, 4];
const ONE_WAY: &[usize] = &[0, 2, 3];
const MID_STREAM: &[usize] = &[3, 4];
const SYN: &[usize] = &[0];

/// So many connections in part beside so many whole ones.
fn mixed(poor: (u16, &'static [usize]), whole: u16) -> Report {
    let poor = (0..poor.0).flat_map(|index| part(20_000 + index, poor.1));
    judged(poor.chain((0..whole).flat_map(|index| part(40_000 + index, WHOLE))))
}

pub fn measure<'a>(report: &'a Report, name: &str) -> &'a Measure {
    report.outcome.measures.iter().find(|measure| measure.measure == name).unwrap()
}

fn graded(report: &Report, name: &str) -> (String, String) {
    (measure(report, name).grade.clone(), report.outcome.result.clone())
}

pub fn codes(report: &Report) -> Vec<&str> {
    report.outcome.cannot_say.iter().map(|limitation| limitation.code.as_str()).collect()
}

pub fn status<'a>(report: &'a Report, row: &str) -> &'a str {
    &report.rules.iter().find(|rule| rule.id == row).unwrap().status
}

#[test]
fn the_grade_falls_at_the_limits() {
    let one_way =
        [(1, 99, "A"), (1, 98, "B"), (5, 95, "B"), (5, 94, "C"), (20, 80, "C"), (20, 79, "D")];
    for (poor, whole, grade) in one_way {
        let result = if grade < "C" { "pass" } else { "inconclusive" };
        let report = mixed((poor, ONE_WAY), whole);
        let wanted = (grade.to_owned(), result.to_owned());
        assert_eq!(graded(&report, "one-way-flows"), wanted, "{poor} one-way beside {whole}");
        assert_eq!(report.outcome.grade, grade);
    }
    for (poor, whole, grade) in
        [(1, 19, "A"), (1, 18, "B"), (4, 16, "B"), (4, 15, "C"), (9, 0, "C")]
    {
        let result = if grade < "C" { "pass" } else { "inconclusive" };
        let report = mixed((poor, MID_STREAM), whole);
        let wanted = (grade.to_owned(), result.to_owned());
        assert_eq!(graded(&report, "mid-stream-flows"), wanted, "{poor} mid-stream beside {whole}");
    }
    // Frames of an ethertype that nothing is known of, beside connections of five packets.
    let unknown = [vec![2; 12], vec![0x12, 0x34, 1, 2, 3, 4]].concat();
    for (poor, whole, grade) in
        [(1, 200, "A"), (1, 199, "B"), (5, 99, "B"), (6, 99, "C"), (5, 19, "C"), (6, 19, "D")]
    {
        let frames = (0..whole).flat_map(|index| part(40_000 + index, WHOLE));
        let report = judged(frames.chain(vec![unknown.clone(); poor]));
        assert_eq!(measure(&report, "undecoded-packets").grade, grade, "{poor} beside {whole}");
    }
}

#[test]
fn what_was_never_seen_is_said() {
    let exchange = "[[host]]\nname = \"exchange\"\naddresses = [\"10.0.0.3\"]\n\
                    roles = [\"exchange-partner\"]\n";
    let rules = Rules::at(&format!("{SITE}{exchange}"));
    let silent = check_frames(&timed(part(40_000, WHOLE)), &rules).report;
    assert_eq!(graded(&silent, "absent-roles"), ("D".to_owned(), "inconclusive".to_owned()));
    let said = silent.outcome.cannot_say.iter().find(|said| said.code == "absent-roles").unwrap();
    assert!(said.text.contains("exchange-partner"), "{}", said.text);
    // With the partner alive, four tables of the document have hosts on both sides: S01, S04, S15
    // and S17. Traffic of four, three, two of them.
    let exchange = [10, 0, 0, 3];
    let talks = [
        frames::udp((exchange, UNITY), (1055, 2000), b"new mail"),
        frames::udp((UNITY, exchange), (50_000, 5000), b"request"),
        frames::udp((exchange, DC), (50_000, 88), b"request"),
    ];
    for (count, idle, grade) in [(3, 0, "A"), (2, 1, "C"), (1, 2, "C")] {
        let frames = part(40_000, WHOLE).chain(talks[..count].iter().cloned());
        let report = check_frames(&timed(frames), &rules).report;
        let tables = measure(&report, "idle-tables");
        assert_eq!((tables.part, tables.whole, tables.grade.as_str()), (idle, 4, grade));
        assert_eq!(codes(&report).contains(&"idle-tables"), idle > 0);
    }
    // An entry that was not valid at the time is not expected.
    let past = "[[host]]\nname = \"old\"\naddresses = [\"10.0.0.4\"]\nroles = [\"exchange-home\"]\n\
                valid-until = \"2023-01-01\"\n";
    let report = check_frames(&timed(part(40_000, WHOLE)), &Rules::at(&format!("{SITE}{past}")));
    assert_eq!(measure(&report.report, "absent-roles").whole, 1);
}

#[test]
fn one_direction_alone_makes_no_answer_known() {
    // Two hundred connections of which the initiator's half was captured, and one attempt.
    let halves = (0..200).flat_map(|index| part(20_000 + index, ONE_WAY));
    let attempt = (0..3).flat_map(|_| part(50_000, SYN));
    let report = judged(halves.chain(attempt));
    assert_eq!(
        (report.outcome.result.as_str(), report.outcome.grade.as_str()),
        ("inconclusive", "D")
    );
    let health = &report.capture_health;
    let directions = &health.directions;
    assert_eq!((directions.both, directions.half_seen, directions.alone), (0, 200, 1));
    assert!(directions.one_sided);
    assert_eq!(health.tcp_states["unknown-answer"], 1);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let said = &report.outcome.cannot_say[0];
    assert_eq!(said.code, "one-sided");
    assert!(said.remedy.contains("SPAN source to both"), "{}", said.remedy);
    assert_eq!(status(&report, "U-DC.ldap.tcp"), "exercised");
    assert_eq!(status(&report, "U-DC.smb.tcp"), "not-seen");
    // The attempt alone: nothing says that answers would be missing.
    let report = judged((0..3).flat_map(|_| part(50_000, SYN)));
    assert_eq!(report.findings[0].code, "documented-but-blocked");
    assert_eq!(status(&report, "U-DC.ldap.tcp"), "blocked?");
    assert_eq!(status(&report, "U-DC.smb.tcp"), "unexercised");
}

/// pcapng with options of the interface and of its statistics: three attempts at one documented
/// port, and a connection to another.
fn with_options(interface: &[u8], statistics: &[u8], packet: &[u8]) -> Report {
    let build = Builder::LITTLE;
    let mut file = [build.section(1, 0), build.interface(1, 0, interface)].concat();
    let syn = frames::tcp((UNITY, DC), (50_001, 88), 100, 0, 0x02, b"");
    for (time, frame) in timed(part(50_000, WHOLE).chain(vec![syn; 3])) {
        file.extend(build.enhanced(0, time as u64 / 1000, &frame, packet));
    }
    file.extend(build.statistics(0, statistics));
    check_stream("capture.pcapng", file, &Rules::at(SITE)).report
}

/// D4.4: with drops or a filter a report says what was not seen, and not what was not there.
#[test]
fn absence_is_not_claimed_where_packets_are_missing() {
    let build = Builder::LITTLE;
    let count = |code, packets| build.option(code, &build.u64(packets));
    let claims = |report: &Report| {
        let blocked = report.findings.iter().find(|found| found.code == "documented-but-blocked");
        let blocked = blocked.expect("three attempts without an answer");
        let statuses =
            ["U-DC.kerberos.tcp", "U-DC.smb.tcp"].map(|row| status(report, row).to_owned());
        (blocked.severity.clone(), statuses)
    };
    let statuses = |one: &str, other: &str| [one.to_owned(), other.to_owned()];
    let whole = with_options(&[], &[], &[]);
    assert_eq!(claims(&whole), ("low".to_owned(), statuses("blocked?", "unexercised")));
    assert_eq!((whole.outcome.result.as_str(), whole.outcome.grade.as_str()), ("pass", "A"));

    // draft-ietf-opsawg-pcapng: if_filter is option 11, isb_ifdrop 5, isb_osdrop 7, epb_dropcount 4.
    let dropped = with_options(&[], &[count(5, 2), count(7, 3)].concat(), &[]);
    let drops = &dropped.capture_health.drops;
    assert_eq!(
        (drops.by_interface, drops.by_system, drops.between_packets),
        (Some(2), Some(3), None)
    );
    assert_eq!(dropped.capture_health.dropped_packets, Some(5));
    let between = with_options(&[], &[], &count(4, 1));
    assert_eq!(between.capture_health.drops.between_packets, Some(8));
    let filtered = with_options(&build.option(11, b"\0tcp"), &[], &[]);
    assert_eq!(filtered.capture_health.filters, ["tcp"]);
    for (report, grade, code) in
        [(dropped, "D", "dropped"), (between, "D", "dropped"), (filtered, "C", "filtered")]
    {
        assert_eq!(claims(&report), ("info".to_owned(), statuses("unknown-answer", "not-seen")));
        assert_eq!(
            (report.outcome.result.as_str(), report.outcome.grade.as_str()),
            ("inconclusive", grade)
        );
        assert_eq!(codes(&report)[0], code);
    }
}
