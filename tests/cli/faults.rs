//! What goes wrong gives one clear message and the right status, and loses nothing.

use super::*;

/// Runs `check` with the site of the quick start unless the arguments name another.
fn check(bench: &Bench, arguments: &[&str]) -> Ended {
    let site = quickstart("site.toml");
    let mut all = vec!["check"];
    all.extend(arguments);
    if !arguments.contains(&"--site") {
        all.extend(["--site", &site]);
    }
    bench.run(&all)
}

/// Status 2, nothing on standard output, and a message on standard error that says all of
/// `parts` and nothing of the program's insides.
fn assert_refused(ended: &Ended, parts: &[&str]) {
    let Ended { status, out, err } = ended;
    assert_eq!((*status, out.as_str()), (2, ""), "{err}");
    for part in parts {
        assert!(err.contains(part), "`{part}` is not in: {err}");
    }
    assert!(!err.contains("panicked") && !err.contains("RUST_BACKTRACE"), "{err}");
}

#[test]
fn a_missing_capture_is_named() {
    let bench = Bench::new();
    let ended = check(&bench, &["nowhere.pcap", "--report", "report.json"]);
    assert_refused(&ended, &["cannot open `nowhere.pcap`"]);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert!(bench.names().is_empty(), "no report of a run that was not done");
}

#[test]
fn every_missing_capture_is_named() {
    let ended = check(&Bench::new(), &["one.pcap", &quickstart("capture.pcap"), "two.pcap"]);
    assert_refused(&ended, &["`one.pcap`", "`two.pcap`"]);
}

#[test]
fn a_folder_without_captures_is_named() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("night")).unwrap();
    bench.write("night/notes.txt", "no packets here");
    assert_refused(&check(&bench, &["night"]), &["no capture in the folder `night`"]);
}

#[test]
fn the_same_capture_twice_is_refused() {
    let capture = quickstart("capture.pcap");
    assert_refused(
        &check(&Bench::new(), &[&capture, &capture]),
        &["the same file", "name it once"],
    );
}

/// Files that are no captures, and what must be said of them.
#[test]
fn what_is_no_capture_is_said_so() {
    let bench = Bench::new();
    let header = std::fs::read(quickstart("capture.pcap")).unwrap();
    let cases = [
        ("text.pcap", "Dear all,\n".into(), "neither pcap nor pcapng"),
        ("header.pcap", header[..10].to_vec(), "inside the file header"),
        ("zero.pcap", Vec::new(), "the input is empty"),
        ("compressed.pcap", b"\x1f\x8b\x08\x00 and no more".to_vec(), "compressed.pcap"),
    ];
    for (name, content, message) in cases {
        bench.write(name, content);
        let ended = check(&bench, &[name, "--quiet"]);
        assert_refused(&ended, &[name, message]);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
}

#[test]
fn a_folder_without_captures_is_told_with_what_it_holds() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("night")).unwrap();
    for (file, told) in [
        (None, "it holds no file"),
        (Some("night/a.txt"), "the one file in it is neither pcap nor pcapng"),
        (Some("night/b.txt"), "none of the 2 files in it is pcap or pcapng"),
    ] {
        if let Some(name) = file {
            bench.write(name, "Dear all,\n");
        }
        assert_refused(&check(&bench, &["night"]), &[&format!("night`: {told}")]);
    }
}

#[test]
fn a_good_capture_beside_a_bad_one_is_not_lost() {
    let bench = Bench::new();
    let text = bench.write("a-letter.pcap", "Dear all,\n");
    let good = quickstart("capture.pcap");
    let ended = check(&bench, &[&text, &good, "--report", "both.json"]);
    assert_eq!(ended.status, 2, "an unreadable input wins over findings");
    assert!(ended.err.contains("a-letter.pcap: unreadable at offset 0"), "{}", ended.err);
    assert_eq!(check(&bench, &[&good, "--report", "alone.json"]).status, 1);
    let (mut both, mut alone) = (bench.json("both.json"), bench.json("alone.json"));
    assert_eq!(both["inputs"][0], alone["inputs"][0]);
    assert_eq!(both["inputs"][1]["name"], "a-letter.pcap");
    assert_eq!(both["inputs"][1]["ending"], "unreadable");
    assert_eq!(both["outcome"]["reasons"][0], "1 of 2 inputs could not be read to their end");
    for report in [&mut both, &mut alone] {
        let report = report.as_object_mut().unwrap();
        for block in ["inputs", "packet_index", "outcome", "attestation"] {
            report.remove(block).unwrap();
        }
    }
    // What the bad one held may have used the rows that nothing else used.
    let rules = both["rules"].as_array_mut().unwrap().iter_mut();
    let mut unknown = 0;
    for rule in rules.filter(|rule| rule["status"] == "not-seen") {
        rule["status"] = "unexercised".into();
        unknown += 1;
    }
    assert!(unknown > 0);
    assert!(both == alone, "nothing else differs");
}

#[test]
fn a_cut_capture_keeps_what_came_before() {
    let bench = Bench::new();
    let whole = std::fs::read(quickstart("capture.pcap")).unwrap();
    bench.write("cut.pcap", &whole[..whole.len() - 5]);
    // The last record of a file that is being written is no fault (pitfall 49).
    assert_eq!(check(&bench, &["cut.pcap", "--report", "cut.json"]).status, 1);
    let report = bench.json("cut.json");
    assert_eq!(report["accounting"]["packets_read"], 171);
    assert_eq!(report["inputs"][0]["ending"], "incomplete-tail");
    let mut damaged = whole.clone();
    // Captured length of the record that follows the file header and the first record.
    let first = u32::from_le_bytes(whole[32..36].try_into().unwrap()) as usize;
    damaged[24 + 16 + first + 8..][..4].fill(0xff);
    bench.write("damaged.pcap", damaged);
    let ended = check(&bench, &["damaged.pcap", "--report", "damaged.json"]);
    assert_eq!(ended.status, 2);
    let report = bench.json("damaged.json");
    assert_eq!(report["accounting"]["packets_read"], 1);
    assert_eq!(report["inputs"][0]["ending_offset"], 24 + 16 + first);
    let place = format!("corrupt at offset {}: ", 24 + 16 + first);
    assert!(ended.err.contains(&place), "{}", ended.err);
}

/// The summary says of an input what the error line says.
#[test]
fn one_fault_of_an_input_has_one_wording() {
    let bench = Bench::new();
    let whole = std::fs::read(quickstart("capture.pcap")).unwrap();
    bench.write("letter.pcap", "Dear colleague, this is no capture.");
    bench.write("cut.pcap", &whole[..whole.len() - 5]);
    let mut damaged = whole;
    damaged[24 + 8..][..4].fill(0xff);
    bench.write("damaged.pcap", damaged);
    for (name, status) in [("letter.pcap", 2), ("damaged.pcap", 2), ("cut.pcap", 1)] {
        let ended = check(&bench, &[name]);
        assert_eq!(ended.status, status, "{name}: {}", ended.err);
        let summary = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = match status {
            2 => ended.err.trim().trim_start_matches("portolan: "),
            _ => "cut.pcap: ends with",
        };
        assert!(summary.contains(&format!("input {said}")), "{said}\n{summary}");
        assert!(!summary.contains("at byte"), "{summary}");
    }
}

#[test]
fn a_site_with_an_unknown_role_is_shown_with_line_and_column() {
    let bench = Bench::new();
    bench.write("site.toml", SITE.replace("[\"unity\"]", "[\"unitty\"]"));
    let ended = check(&bench, &[&quickstart("capture.pcap"), "--site", "site.toml"]);
    assert_refused(&ended, &["site.toml:8:10", "`unitty`", "did you mean `unity`?"]);
    // A site written for another document is often one whose --policy was forgotten.
    let hint = "roles are those of the policy cisco-unity-5x-exchange; --policy names another";
    assert_refused(&ended, &[hint]);
}

/// All faults at once, not the first alone.
#[test]
fn every_fault_of_a_site_is_shown() {
    let bench = Bench::new();
    let site = SITE.replace("[\"unity\"]", "[\"unitty\"]").replace("10.0.0.2", "10.0.0.256");
    bench.write("site.toml", site);
    let ended = check(&bench, &[&quickstart("capture.pcap"), "--site", "site.toml"]);
    assert_refused(&ended, &["2 faults", "unitty", "10.0.0.256", "site.toml:8:10"]);
}

#[test]
fn a_missing_site_policy_or_waiver_file_is_named() {
    let bench = Bench::new();
    let capture = quickstart("capture.pcap");
    let ended = check(&bench, &[&capture, "--site", "absent.toml"]);
    assert_refused(&ended, &["cannot read `absent.toml`"]);
    let ended = check(&bench, &[&capture, "--waivers", "absent.toml"]);
    assert_refused(&ended, &["cannot read `absent.toml`"]);
    let ended = check(&bench, &[&capture, "--policy", "absent"]);
    assert_refused(&ended, &["`absent`", "cisco-unity-5x-exchange", "infrastructure"]);
}

#[test]
fn policies_with_overlapping_ids_are_refused() {
    let bench = Bench::new();
    let pack = crate::runs::text("rules/cisco-unity-5x-exchange.toml");
    bench.write("copy.toml", pack.replace("\nid = \"cisco-unity", "\nid = \"copy-of-cisco-unity"));
    let capture = quickstart("capture.pcap");
    let names = ["--policy", "cisco-unity-5x-exchange", "--policy", "copy.toml"];
    let ended = check(&bench, &[&[capture.as_str()], names.as_slice()].concat());
    assert_refused(&ended, &["role `unity` is defined twice", "copy.toml:177:6"]);
    let twice = pack.replacen("U-DC.kpasswd.tcp", "U-DC.kerberos.tcp", 1);
    bench.write("twice.toml", twice);
    let ended = check(&bench, &[&capture, "--policy", "twice.toml"]);
    assert_refused(&ended, &["U-DC.kerberos.tcp", "twice.toml:"]);
}

#[test]
fn faulty_waivers_are_refused() {
    let bench = Bench::new();
    let waiver = crate::runs::text("docs/examples/waivers.toml");
    let cases = [
        (waiver.replace("exchange-1", "exchange-99"), "exchange-99"),
        (waiver.replace("2026-12-31", "2025-12-31"), "expires"),
        (waiver.replace("owner = \"voice team\"\n", ""), "owner"),
        (waiver.replace("W-2", "W-1"), "W-1"),
    ];
    for (content, message) in cases {
        bench.write("waivers.toml", content);
        let capture = quickstart("capture.pcap");
        let ended = check(&bench, &[&capture, "--waivers", "waivers.toml"]);
        assert_refused(&ended, &["waivers.toml:", message]);
    }
}

#[test]
fn bad_flags_are_explained() {
    let capture = quickstart("capture.pcap");
    let cases: [(&[&str], &str); 8] = [
        (&["check"], "<CAPTURE>"),
        (&["check", &capture, "--frobnicate"], "--frobnicate"),
        (&["check", &capture, "--fail-on", "urgent"], "high"),
        (&["check", &capture, "--max-memory", "lots"], "no size"),
        (&["check", &capture, "--threads", "all"], "--threads"),
        (&["inspect", &capture], "inspect"),
        // Without a flow list there is nothing whose fields could have names.
        (&["check", &capture, "--flows-format", "ecs"], "--flows"),
        (&["check", &capture, "--policy", "nope", "--policy", "nope"], "embedded packs"),
    ];
    for (arguments, message) in cases {
        assert_refused(&Bench::new().run(arguments), &[message]);
    }
}

/// Paths that cannot be written are refused before the captures are read: the capture here is
/// missing too, and is not spoken of.
#[test]
fn an_unwritable_path_is_refused_before_reading() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("folder")).unwrap();
    for flag in ["--report", "--flows"] {
        for path in ["absent/report.json", "folder", "folder/", "/", ""] {
            let ended = check(&bench, &["nowhere.pcap", flag, path]);
            assert_eq!(ended.status, 2, "{flag} {path}");
            assert!(!ended.err.contains("nowhere.pcap"), "{flag} `{path}`: {}", ended.err);
        }
    }
    let same = check(&bench, &["nowhere.pcap", "--report", "out.json", "--flows", "out.json"]);
    assert_refused(&same, &["out.json"]);
    assert!(!same.err.contains("nowhere.pcap"), "{}", same.err);
    assert_eq!(bench.names(), ["folder"], "nothing is left behind");
}

/// A report of an earlier run stays until the new one is complete.
#[test]
fn a_failed_run_leaves_the_earlier_report() {
    let bench = Bench::new();
    bench.write("report.json", "earlier");
    let ended = check(&bench, &["nowhere.pcap", "--report", "report.json"]);
    assert_eq!(ended.status, 2);
    assert_eq!(std::fs::read(bench.path("report.json")).unwrap(), b"earlier");
    assert_eq!(bench.names(), ["report.json"]);
}

#[test]
fn files_of_the_wrong_kind_are_told_in_plain_words() {
    let bench = Bench::new();
    bench.write("a.pcap", conversation(389));
    std::fs::create_dir(bench.path("folder")).unwrap();
    let twice = ["--policy", "infrastructure", "--policy", "infrastructure"];
    let cases: [(&[&str], &[&str]); 5] = [
        (&["--site", "a.pcap"], &["a.pcap", "no text"]),
        (&["--waivers", "a.pcap"], &["a.pcap", "no text"]),
        (&["--report", "folder"], &["folder", "it is a folder"]),
        (&["--evidence", "a.pcap"], &["a.pcap", "no folder"]),
        (&twice, &["infrastructure", "named twice"]),
    ];
    for (arguments, parts) in cases {
        let arguments: Vec<_> = ["check", "a.pcap"].iter().chain(arguments).copied().collect();
        assert_refused(&bench.run(&arguments), parts);
    }
}

/// An option that would do nothing is refused: a filter that is not applied, say, would stand in
/// the report as if it had been.
#[cfg(unix)]
#[test]
fn options_of_the_other_source_are_refused() {
    let capture = quickstart("capture.pcap");
    for option in [["--filter", "tcp"], ["--ring", "8M"], ["--user", "nobody"]] {
        let arguments = [&["watch", "--replay", &capture][..], &option].concat();
        assert_refused(&Bench::new().run(&arguments), &[option[0], "--replay"]);
    }
    let paced = ["watch", "--interface", "none0", "--speed", "top"];
    assert_refused(&Bench::new().run(&paced), &["--speed", "--interface"]);
}
