//! `report verify`: a change of any byte shows.

use std::collections::BTreeSet;

use portolan::report::StoredReport;
use portolan::report::verify::{Answer, own};

use super::*;

/// A run that leaves every file which a report can name.
fn verified() -> Bench {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    bench.write("waivers.toml", "schema = 1\n");
    bench.write("pack.toml", text("rules/cisco-unity-5x-exchange.toml"));
    bench.write("a.pcap", conversation(4444));
    let mut arguments = vec!["check", "a.pcap", "--site", "site.toml", "--policy", "pack.toml"];
    arguments.extend(["--waivers", "waivers.toml", "--report", "report.json", "--quiet"]);
    arguments.extend(["--flows", "flows.ndjson", "--evidence", "slices"]);
    let ended = bench.run(&arguments);
    assert_eq!(ended.status, 1, "{}", ended.err);
    bench
}

const VERIFY: [&str; 4] = ["report", "verify", "report.json", "slices"];

#[test]
fn what_was_written_agrees() {
    let bench = verified();
    let ended = bench.run(&VERIFY);
    assert_eq!(ended.status, 0, "{}", ended.out);
    for what in [
        "the report itself",
        "input a.pcap",
        "policy pack pack.toml",
        "site site.toml",
        "waivers waivers.toml",
        "policy pack infrastructure",
        "evidence F-",
        "flow list",
        "totals of the flow list",
        "sums of the ledger",
        "consistency",
    ] {
        assert!(ended.out.contains(&format!("agrees     {what}")), "{what}: {}", ended.out);
    }
    // The hash is that of the file with zeros in its place, as any tool can make it.
    let text = std::fs::read_to_string(bench.path("report.json")).unwrap();
    let hash = bench.json("report.json")["attestation"]["sha256"].as_str().unwrap().to_owned();
    use sha2::Digest;
    let digest = sha2::Sha256::digest(text.replace(&hash, &"0".repeat(64)).as_bytes());
    assert_eq!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), hash);
}

/// Whether the report itself tells that it is not what was written; a report that cannot be read
/// tells it by that.
fn shows(changed: &[u8]) -> bool {
    let Ok(stored) = StoredReport::read(changed) else { return true };
    own(changed, &stored.report).iter().any(|check| matches!(check.answer, Answer::Differs(_)))
}

/// Changes the bytes at these places in turn: one bit, the case of a letter, all bits.
#[track_caller]
fn assert_all_show(report: &[u8], places: impl Iterator<Item = usize>) {
    assert!(!shows(report));
    let mut changed = report.to_vec();
    for at in places {
        for change in [1, 0x20, 0xff] {
            changed[at] ^= change;
            assert!(shows(&changed), "byte {at} changed by {change:#x}");
            changed[at] ^= change;
        }
    }
}

#[test]
fn a_change_of_any_byte_of_a_small_report_shows() {
    let bench = Bench::new();
    bench.write("a.pcap", conversation(4444));
    let policy = argument(&repository("docs/examples/policy.toml"));
    bench.write("site.toml", "schema = 1\n");
    let arguments = ["check", "a.pcap", "--policy", &policy, "--site", "site.toml"];
    let more = ["--report", "report.json", "--quiet", "--evidence", "slices"];
    bench.run(&[&arguments[..], &more].concat());
    let report = std::fs::read(bench.path("report.json")).unwrap();
    assert!(report.len() < 30_000, "{} bytes are no small report", report.len());
    assert_all_show(&report, 0..report.len());
}

#[test]
fn a_change_of_any_byte_of_a_report_shows() {
    let bench = verified();
    let report = std::fs::read(bench.path("report.json")).unwrap();
    let step = (report.len() / 1_500).max(1);
    let places = (0..report.len()).step_by(step).chain(report.len() - 120..report.len());
    assert_all_show(&report, places);
    // Bytes that are gone or added show as well.
    for at in (0..report.len()).step_by(step * 5) {
        let (before, after) = report.split_at(at);
        assert!(shows(&[before, &after[1..]].concat()), "without byte {at}");
        assert!(shows(&[before, b" ", after].concat()), "a space at {at}");
    }
}

/// Places of a file: every byte of a small one, and of a large one its ends and many between.
fn places(length: usize) -> BTreeSet<usize> {
    const SMALL: usize = 400;
    let step = length.div_ceil(SMALL).max(1);
    (0..length).step_by(step).chain(length.saturating_sub(8)..length).collect()
}

#[test]
fn a_change_of_any_byte_of_the_other_files_shows() {
    let bench = verified();
    let slices = std::fs::read_dir(bench.path("slices")).unwrap();
    let slice = slices.map(|entry| entry.unwrap().file_name().into_string().unwrap()).next();
    let slice = format!("slices/{}", slice.unwrap());
    let mut tried = 0;
    for name in ["a.pcap", "site.toml", "waivers.toml", "pack.toml", "flows.ndjson", &slice] {
        let whole = std::fs::read(bench.path(name)).unwrap();
        for at in places(whole.len()) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            bench.write(name, &changed);
            let ended = bench.run(&VERIFY);
            assert_eq!(ended.status, 1, "{name}, byte {at}: {}", ended.out);
            assert!(ended.out.contains("DIFFERS"), "{}", ended.out);
            tried += 1;
        }
        bench.write(name, &whole);
    }
    assert!(tried > 1_000, "{tried}");
    assert_eq!(bench.run(&VERIFY).status, 0);
}

#[test]
fn files_that_are_not_there_leave_the_question_open() {
    let bench = verified();
    std::fs::remove_file(bench.path("a.pcap")).unwrap();
    let ended = bench.run(&VERIFY);
    assert_eq!(ended.status, 3, "{}", ended.out);
    assert!(ended.out.contains("unchecked  input a.pcap"), "{}", ended.out);
}

/// Hundreds of slices, told in a line of their own each, would hide what matters.
#[test]
fn many_slices_are_told_in_one_line() {
    let bench = Bench::new();
    let fixture = |name: &str| format!("{}/fixtures/voicemail/{name}", env!("CARGO_MANIFEST_DIR"));
    let (capture, site) = (fixture("capture.pcap"), fixture("site.toml"));
    let mut arguments = vec!["check", &capture, "--site", &site, "--quiet"];
    arguments.extend(["--report", "report.json", "--evidence", "slices"]);
    assert_eq!(bench.run(&arguments).status, 1);
    let slices = std::fs::read_dir(bench.path("slices")).unwrap().count();
    for (also, line) in [("slices", "agrees    "), (&*site, "unchecked ")] {
        let ended = bench.run(&["report", "verify", "report.json", &capture, &site, also]);
        assert!(ended.out.contains(&format!("{line} {slices} files of evidence")), "{}", ended.out);
        assert!(!ended.out.contains("F-"), "{}", ended.out);
    }
}

#[test]
fn totals_are_made_again_from_the_flow_list() {
    let bench = verified();
    let lines = std::fs::read_to_string(bench.path("flows.ndjson")).unwrap();
    bench.write("flows.ndjson", lines.replace("\"packets\":5", "\"packets\":6"));
    let ended = bench.run(&VERIFY);
    assert_eq!(ended.status, 1);
    let told = "DIFFERS    totals of the flow list: violation: the totals differ";
    assert!(ended.out.contains(told), "{}", ended.out);
}
