//! What comes out, where, and with which status.

use std::io::Read;
use std::process::Stdio;

use super::*;
use crate::capture::build::Builder;

/// A run over the quick start, which has findings.
fn check(bench: &Bench, more: &[&str]) -> Ended {
    let (capture, site) = (quickstart("capture.pcap"), quickstart("site.toml"));
    bench.run(&[&["check", &capture, "--site", &site], more].concat())
}

#[test]
fn exit_statuses_and_their_precedence() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    bench.write("documented.pcap", conversation(389));
    bench.write("undocumented.pcap", conversation(4444));
    bench.write("empty.pcap", pcap(&[]));
    bench.write("letter.pcap", "Dear all,\n");
    // One frame of an unknown ethertype beside each conversation: one packet in six is undecoded.
    let spoilt = |port| {
        let mut packets = connection(port);
        let mut frame = vec![2; 12];
        frame.extend([0x12, 0x34, 1, 2, 3, 4]);
        packets.push((1_700_000_001_000_000_000, frame));
        pcap(&packets)
    };
    bench.write("documented-spoilt.pcap", spoilt(389));
    bench.write("undocumented-spoilt.pcap", spoilt(4444));
    let cases: [(&[&str], i32); 8] = [
        (&["documented.pcap"], 0),
        (&["documented-spoilt.pcap"], 3),
        (&["undocumented.pcap"], 1),
        (&["undocumented-spoilt.pcap"], 1),
        (&["documented.pcap", "letter.pcap"], 2),
        (&["documented-spoilt.pcap", "letter.pcap"], 2),
        (&["undocumented.pcap", "letter.pcap"], 2),
        (&["empty.pcap"], 3),
    ];
    for (captures, status) in cases {
        let ended = bench.run(&[&["check", "--site", "site.toml"], captures].concat());
        assert_eq!(ended.status, status, "{captures:?}: {}{}", ended.out, ended.err);
    }
}

#[test]
fn findings_below_the_limit_do_not_fail_the_run() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    // A SYN without answer to a port without row: low, as an attempt.
    bench.write("attempt.pcap", pcap(&connection(4444)[..1]));
    bench.write("talk.pcap", conversation(4444));
    let cases = [
        ("attempt.pcap", "info", 1),
        ("attempt.pcap", "low", 1),
        ("attempt.pcap", "medium", 0),
        ("attempt.pcap", "high", 0),
        ("talk.pcap", "medium", 1),
        ("talk.pcap", "high", 1),
    ];
    for (capture, limit, status) in cases {
        let arguments = ["check", capture, "--site", "site.toml", "--fail-on", limit];
        let ended = bench.run(&arguments);
        assert_eq!(ended.status, status, "{capture} {limit}: {}", ended.out);
        assert!(ended.out.contains("4444"), "the finding is shown all the same: {}", ended.out);
    }
}

#[test]
fn the_least_grade_of_a_pass_is_a_choice_but_for_the_worst() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    let half = || connection(389).into_iter().skip(3);
    let whole = || connection(88).into_iter();
    // Of two connections one began before the capture: grade C. Of one the answers are missing: D.
    bench.write("c.pcap", pcap(&half().chain(whole()).collect::<Vec<_>>()));
    let questions = connection(389).into_iter().filter(|(_, frame)| frame[29] == UNITY[3]);
    bench.write("d.pcap", pcap(&questions.collect::<Vec<_>>()));
    let cases = [("c.pcap", "C", ["3", "3", "0"]), ("d.pcap", "D", ["3", "3", "3"])];
    for (capture, grade, statuses) in cases {
        for (least, status) in ["A", "B", "C"].into_iter().zip(statuses) {
            let arguments = ["check", capture, "--site", "site.toml", "--min-grade", least];
            let ended = bench.run(&arguments);
            assert_eq!(ended.status.to_string(), status, "{capture} {least}: {}", ended.out);
            assert!(ended.out.contains(&format!("  grade {grade},")), "{}", ended.out);
        }
        let ended = bench.run(&["check", capture, "--site", "site.toml"]);
        assert_eq!(ended.status, 3, "B is the default");
    }
    let ended = bench.run(&["check", "c.pcap", "--site", "site.toml", "--min-grade", "D"]);
    assert_eq!(ended.status, 2, "the worst grade passes nothing");
}

#[test]
fn nothing_to_judge_is_inconclusive_and_says_why() {
    let bench = Bench::new();
    bench.write("empty.pcap", pcap(&[]));
    let ended = bench.run(&["check", "empty.pcap", "--site", &quickstart("site.toml")]);
    assert_eq!(ended.status, 3);
    assert!(ended.out.contains("No packet was read."), "{}", ended.out);
    let ended = bench.run(&["check", &quickstart("capture.pcap")]);
    assert_eq!(ended.status, 3);
    assert!(ended.out.contains("--site"), "{}", ended.out);
}

/// Where packets were lost or filtered, what is not in the capture may have happened
/// (pitfall 52).
#[test]
fn what_was_lost_or_filtered_forbids_a_pass() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    let build = Builder::LITTLE;
    // draft-ietf-opsawg-pcapng: if_filter is option 11, isb_ifdrop 5 and isb_osdrop 7.
    let filter = build.option(11, b"\0tcp");
    let count = |code, packets| build.option(code, &build.u64(packets));
    let cases = [
        (vec![], vec![], 0, ""),
        (vec![], [count(5, 0), count(7, 0)].concat(), 0, ""),
        (vec![], [count(5, 2), count(7, 3)].concat(), 3, "The capturing system lost 5 packets."),
        (filter, vec![], 3, "A capture filter was set"),
    ];
    for (interface, statistics, status, message) in cases {
        let mut file = [build.section(1, 0), build.interface(1, 0, &interface)].concat();
        for (time, frame) in connection(389) {
            file.extend(build.enhanced(0, time as u64 / 1000, &frame, b""));
        }
        file.extend(build.statistics(0, &statistics));
        bench.write("capture.pcapng", file);
        let ended = bench.run(&["check", "capture.pcapng", "--site", "site.toml"]);
        assert_eq!(ended.status, status, "{}{}", ended.out, ended.err);
        assert!(ended.out.contains(message), "{}", ended.out);
    }
}

#[test]
fn a_report_on_standard_output_stands_alone() {
    let bench = Bench::new();
    let alone = check(&bench, &["--report", "-"]);
    let format = check(&bench, &["--format", "json"]);
    check(&bench, &["--report", "report.json"]);
    for ended in [&alone, &format] {
        assert_eq!((ended.status, ended.err.as_str()), (1, ""));
        let report: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(report, bench.json("report.json"));
        assert!(ended.out.starts_with("{\n  \"schema_version\""), "the version comes first");
    }
    let quiet = check(&bench, &["--report", "-", "--quiet"]);
    assert_eq!(quiet.out, alone.out);
}

#[test]
fn quiet_prints_nothing_but_errors() {
    let bench = Bench::new();
    let ended = check(&bench, &["--quiet", "--report", "report.json"]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (1, "", ""));
    assert_eq!(bench.json("report.json")["outcome"]["result"], "fail");
}

#[test]
fn pipes_get_no_escape_sequences() {
    let bench = Bench::new();
    bench.write("bad.toml", "schema = 2\n");
    let good = check(&bench, &[]);
    let bad = bench.run(&["check", &quickstart("capture.pcap"), "--site", "bad.toml"]);
    let flag = check(&bench, &["--frobnicate"]);
    let help = bench.run(&["check", "--help"]);
    assert_eq!((good.status, bad.status, flag.status, help.status), (1, 2, 2, 0));
    for ended in [good, bad, flag, help] {
        assert!(!ended.out.contains('\u{1b}') && !ended.err.contains('\u{1b}'), "{}", ended.err);
    }
}

/// On a terminal made by script(1): colours, unless NO_COLOR forbids them.
#[test]
fn terminals_get_colour_unless_forbidden() {
    if std::process::Command::new("script").arg("--version").output().is_err() {
        println!("skipped: no script(1) to make a terminal");
        return;
    }
    let program = assert_cmd::cargo::cargo_bin("portolan");
    let (capture, site) = (quickstart("capture.pcap"), quickstart("site.toml"));
    let command = format!("{} check {capture} --site {site} --no-progress", program.display());
    let shown = |no_color: Option<&str>| {
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).env_remove("NO_COLOR").stdin(Stdio::null());
        if let Some(value) = no_color {
            script.env("NO_COLOR", value);
        }
        let output = script.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("Findings"), "{text}");
        text.contains('\u{1b}')
    };
    // no-color.org: set and not empty.
    assert_eq!([shown(None), shown(Some("")), shown(Some("1"))], [true, true, false]);
}

#[test]
fn a_reader_that_goes_away_does_not_change_the_status() {
    let (capture, site) = (quickstart("capture.pcap"), quickstart("site.toml"));
    for format in ["text", "json"] {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("portolan"))
            .args(["check", &capture, "--site", &site, "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut message = String::new();
        child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        assert_eq!((child.wait().unwrap().code(), message.as_str()), (Some(1), ""), "{format}");
    }
}

#[test]
fn standard_input_is_a_capture_like_others() {
    let bench = Bench::new();
    let capture = std::fs::read(quickstart("capture.pcap")).unwrap();
    let site = quickstart("site.toml");
    let arguments = ["check", "-", "--site", &site, "--report", "piped.json"];
    assert_eq!(bench.run_with(&arguments, &capture).status, 1);
    assert_eq!(check(&bench, &["--report", "file.json"]).status, 1);
    let (mut piped, mut file) = (bench.json("piped.json"), bench.json("file.json"));
    assert_eq!(piped["inputs"][0]["name"], "-");
    assert_eq!(piped["inputs"][0]["sha256"], file["inputs"][0]["sha256"]);
    for report in [&mut piped, &mut file] {
        for block in ["inputs", "attestation"] {
            report.as_object_mut().unwrap().remove(block).unwrap();
        }
    }
    assert_eq!(piped, file);
    let ended = bench.run_with(&arguments, b"");
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("empty"), "{}", ended.err);
}

#[test]
fn flow_lists_are_plain_or_compressed_by_their_name() {
    let bench = Bench::new();
    check(&bench, &["--flows", "flows.ndjson"]);
    check(&bench, &["--flows", "flows.ndjson.zst"]);
    let plain = std::fs::read(bench.path("flows.ndjson")).unwrap();
    let packed = std::fs::read(bench.path("flows.ndjson.zst")).unwrap();
    assert_eq!(zstd::decode_all(packed.as_slice()).unwrap(), plain);
    let lines: Vec<serde_json::Value> = plain
        .split_inclusive(|byte| *byte == b'\n')
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 21, "the flows of totals.json");
    let fields = [
        "file",
        "src_ip",
        "src_port",
        "dst_ip",
        "dst_port",
        "proto",
        "app",
        "app_basis",
        "packets",
        "bytes",
        "first_seen",
        "last_seen",
        "state",
        "verdict",
        "reason",
        "strength",
        "rules",
        "community_id",
    ];
    for line in &lines {
        for field in fields {
            assert!(line.get(field).is_some(), "{field}");
        }
        assert_eq!(line["file"], "capture.pcap");
    }
}

#[test]
fn summaries_fit_eighty_columns() {
    let bench = Bench::new();
    for (fixture, site) in
        [("quickstart", "site"), ("voicemail", "site"), ("voicemail", "site-roles-only")]
    {
        let at = |name: String| argument(&repository(&format!("fixtures/{fixture}/{name}")));
        let capture = at("capture.pcap".to_owned());
        let ended = bench.run(&["check", &capture, "--site", &at(format!("{site}.toml"))]);
        assert_eq!(ended.status, 1);
        assert!(ended.out.lines().count() > 20);
        for line in ended.out.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert!(!line.ends_with(' '), "`{line}`");
        }
    }
    for arguments in [&["--help"][..], &["check", "--help"], &["schema", "--help"]] {
        let ended = bench.run(arguments);
        assert!(ended.out.lines().all(|line| line.chars().count() <= 80), "{}", ended.out);
    }
}

/// Names that would clear the screen, turn the writing direction, or begin a line of their own.
const HOSTILE: &str = "a\u{1b}[2Jb\u{7}\u{202e}c\rd\nzz";

fn assert_harmless(what: &str, ended: &Ended) {
    for text in [&ended.out, &ended.err] {
        let steers = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(text.chars().find(steers), None, "{what}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("zz")), "{what}: {text:?}");
    }
}

#[cfg(unix)]
#[test]
fn file_names_reach_the_terminal_escaped() {
    let bench = Bench::new();
    let capture = quickstart("capture.pcap");
    let site = quickstart("site.toml");
    bench.write(HOSTILE, "Dear all,\n");
    let report = format!("{HOSTILE}.json");
    let absent = format!("absent-{HOSTILE}");
    let beyond = format!("{absent}/x");
    let cases: [(&[&str], i32); 8] = [
        (&["check", HOSTILE, "--site", &site], 2),
        (&["check", &absent], 2),
        (&["check", &capture, "--site", HOSTILE], 2),
        (&["check", &capture, "--site", &absent], 2),
        (&["check", &capture, "--policy", &absent], 2),
        (&["check", &capture, "--policy", HOSTILE], 2),
        (&["check", &capture, "--report", &beyond], 2),
        (&["check", &capture, "--site", &site, "--report", &report], 1),
    ];
    for (arguments, status) in cases {
        let ended = bench.run(arguments);
        assert_eq!(ended.status, status, "{arguments:?}: {}", ended.err);
        assert_harmless(&format!("{arguments:?}"), &ended);
        assert!(ended.out.contains("\\u{1b}") || ended.err.contains("\\u{1b}"), "{arguments:?}");
    }
}

#[test]
fn names_of_the_site_reach_the_terminal_escaped() {
    let bench = Bench::new();
    let toml: String = HOSTILE.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
    let site = SITE
        .replace("schema = 1", &format!("schema = 1\n[site]\nname = \"{toml}\""))
        .replace("name = \"unity\"", &format!("name = \"{toml}\""));
    bench.write("site.toml", site);
    bench.write("talk.pcap", conversation(4444));
    let ended = bench.run(&["check", "talk.pcap", "--site", "site.toml"]);
    assert_eq!(ended.status, 1, "{}", ended.err);
    assert_harmless("host name", &ended);
    assert!(ended.out.contains("\\u{1b}"), "{}", ended.out);
}

/// A TCP segment in ERSPAN type II in GRE: the places are those of D4.1, 14 + 20 + 8 + 8 bytes
/// before the inner frame.
#[test]
fn show_prints_the_headers_of_one_packet() {
    let bench = Bench::new();
    let (_, wrap) = crate::wrap::WRAPPERS.iter().find(|(name, _)| *name == "ERSPAN II").unwrap();
    let segment = crate::frames::tcp(([10, 0, 0, 1], [10, 0, 0, 2]), (50_000, 389), 1, 0, 2, b"");
    bench.write("one.pcap", pcap(&[(1_700_000_000_000_000_000, wrap(&segment, 7))]));
    let shown = bench.run(&["show", "one.pcap", "1"]);
    assert_eq!(shown.status, 0);
    let headers: Vec<&str> = shown.out.lines().map(str::trim_start).collect();
    for header in [
        "ethernet [0..14]",
        "ipv4 [14..34]",
        "gre [34..42]",
        "erspan-2 [42..50]",
        "ethernet [50..64]",
        "ipv4 [64..84]",
        "tcp [84..104]",
        "76  source: 10.0.0.1",
        "from 10.0.0.1:50000",
        "to   10.0.0.2:389",
        "path erspan-2",
    ] {
        assert!(headers.contains(&header), "{header}: {}", shown.out);
    }
    let missing = bench.run(&["show", "one.pcap", "2"]);
    assert_eq!(missing.status, 2);
    assert!(missing.err.contains("one.pcap has 1 packets; there is no packet 2"));
}

#[test]
fn the_report_tells_the_options_it_depends_on_and_no_folder() {
    let bench = Bench::new();
    bench.write("talk.pcap", conversation(389));
    std::fs::create_dir(bench.path("folder")).unwrap();
    bench.write("folder/site.toml", SITE);
    let options: &[&str] = &["--site", "folder/site.toml", "--fail-on", "high", "--keep-copies"];
    bench.run(&[&["check", "talk.pcap", "--report", "r.json"], options].concat());
    let report = bench.json("r.json");
    let told = report["run"]["options"].as_array().unwrap().iter().map(|o| o.as_str().unwrap());
    let told: Vec<_> = told.collect();
    let expected = "--site site.toml --policy cisco-unity-5x-exchange --reading inferred \
        --fail-on high --min-grade B --max-memory 4294967296 --keep-copies";
    assert_eq!(told.join(" "), expected);
    let again =
        bench.run(&[&["check", "talk.pcap", "--site", "folder/site.toml"], &told[2..]].concat());
    assert_ne!(again.status, 2, "{}", again.err);
}
