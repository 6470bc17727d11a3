//! `check --html` and `report html`.

use super::*;

const CHECK: [&str; 4] = ["check", "talk.pcap", "--site", "site.toml"];

/// A folder with a capture, a site, the report of both and its page.
fn reported() -> Bench {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    bench.write("talk.pcap", conversation(4444));
    let more = ["--report", "report.json", "--html", "page.html", "--quiet"];
    assert_eq!(bench.run(&[&CHECK[..], &more].concat()).status, 1);
    bench
}

#[test]
fn the_page_is_the_same_by_every_way() {
    let bench = reported();
    let page = std::fs::read_to_string(bench.path("page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    let hash = sha256(&std::fs::read(bench.path("report.json")).unwrap());
    assert!(page.contains(&hash), "the hash that `sha256sum report.json` prints");
    let ended = bench.run(&["report", "html", "report.json"]);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert!(ended.out == page, "from the stored report");
    bench.run(&["report", "html", "report.json", "-o", "again.html"]);
    assert!(std::fs::read_to_string(bench.path("again.html")).unwrap() == page, "into a file");
    let stored = std::fs::read(bench.path("report.json")).unwrap();
    assert!(bench.run_with(&["report", "html", "-"], &stored).out == page, "from a pipe");
    for threads in ["1", "4"] {
        let ended = bench.run(&[&CHECK[..], &["--html", "-", "--threads", threads]].concat());
        assert!(ended.out == page, "on standard output with {threads} threads");
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_is_no_report_of_this_version_is_refused() {
    let bench = reported();
    let mut report = bench.json("report.json");
    report["schema_version"] = "2.0.0".into();
    bench.write("later.json", report.to_string());
    report["schema_version"] = "1.99.0".into();
    report["mood"] = "good".into();
    bench.write("newer.json", report.to_string());
    let whole = std::fs::read(bench.path("report.json")).unwrap();
    bench.write("cut.json", &whole[..whole.len() / 2]);
    let cases = [
        ("later.json", "has shape 2.0.0"),
        ("newer.json", "1.99.0"),
        ("cut.json", "is no JSON report"),
        ("talk.pcap", "is no JSON report"),
        ("none.json", "cannot read"),
    ];
    for (name, message) in cases {
        let ended = bench.run(&["report", "html", name, "-o", "out.html"]);
        assert_eq!((ended.status, ended.out.as_str()), (2, ""), "{name}");
        assert!(ended.err.contains(message) && ended.err.contains(name), "{}", ended.err);
        assert!(!bench.path("out.html").exists(), "{name}");
    }
}

#[test]
fn the_page_replaces_nothing_that_was_read_or_written() {
    let bench = reported();
    let stored = std::fs::read(bench.path("report.json")).unwrap();
    let ended = bench.run(&["report", "html", "report.json", "-o", "./report.json"]);
    assert_eq!(ended.status, 2, "{}", ended.err);
    assert!(ended.err.contains("would replace the report"), "{}", ended.err);
    assert!(std::fs::read(bench.path("report.json")).unwrap() == stored);
    bench.write("x.unfinished", &stored);
    let ended = bench.run(&["report", "html", "x.unfinished", "-o", "x"]);
    assert_eq!(ended.status, 2, "a file is written beside its place first");
    assert!(std::fs::read(bench.path("x.unfinished")).unwrap() == stored);
    let clashes: [(&[&str], &str); 4] = [
        (&["--html", "-", "--report", "-"], "cannot both go to standard output"),
        (&["--html", "-", "--format", "json"], "cannot both go to standard output"),
        (&["--html", "x", "--flows", "./x"], "cannot both go to"),
        (&["--html", "talk.pcap"], "would replace a capture"),
    ];
    for (options, message) in clashes {
        let ended = bench.run(&[&CHECK[..], options].concat());
        assert_eq!((ended.status, ended.out.as_str()), (2, ""), "{options:?}");
        assert!(ended.err.contains(message), "{}", ended.err);
    }
}

#[test]
fn the_page_shows_what_changed_since_a_baseline() {
    let bench = reported();
    bench.write("talk.pcap", conversation(4445));
    let more = ["--baseline", "report.json", "--report", "later.json", "--html", "-", "--quiet"];
    let page = bench.run(&[&CHECK[..], &more].concat()).out;
    let diff = &bench.json("later.json")["diff"];
    let changes = diff["findings"].as_array().unwrap();
    assert!(!changes.is_empty(), "{diff}");
    assert_eq!(page.matches("data-change=").count(), changes.len());
    for change in changes {
        let id = change["id"].as_str().unwrap();
        let row =
            format!("data-change=\"{id}\" data-status=\"{}\"", change["status"].as_str().unwrap());
        assert!(page.contains(&row), "{row}");
    }
    let before = std::fs::read_to_string(bench.path("page.html")).unwrap();
    assert!(!before.contains("id=\"changes\""), "without a baseline there are none");
}
