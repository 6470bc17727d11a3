//! Which files may be written, and what is told of files that were not read.

use super::*;

fn assert_kept(bench: &Bench, arguments: &[&str], file: &str, part: &str) {
    let before = std::fs::read(bench.path(file)).unwrap();
    let ended = bench.run(arguments);
    assert_eq!(ended.status, 2, "{arguments:?}: {}", ended.out);
    assert!(ended.err.contains(part), "{arguments:?}: {}", ended.err);
    assert_eq!(std::fs::read(bench.path(file)).unwrap(), before, "{arguments:?}");
}

#[test]
fn what_a_run_reads_is_never_written_over() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    bench.write("waivers.toml", "schema = 1\n");
    bench.write("pack.toml", text("rules/infrastructure.toml"));
    bench.write("b.unfinished", conversation(389));
    std::fs::create_dir(bench.path("night")).unwrap();
    bench.write("night/a.pcap", conversation(389));
    let cases = [
        ("--report", "night/a.pcap", "a capture"),
        ("--flows", "night/../night/a.pcap", "a capture"),
        ("--report", "site.toml", "the site file"),
        ("--flows", "waivers.toml", "the waiver file"),
        ("--report", "pack.toml", "a policy file"),
    ];
    for (option, output, what) in cases {
        for captures in ["night", "night/a.pcap"] {
            let arguments = [
                "check",
                captures,
                "--site",
                "site.toml",
                "--waivers",
                "waivers.toml",
                "--policy",
                "cisco-unity-5x-exchange",
                "--policy",
                "pack.toml",
                option,
                output,
            ];
            assert_kept(&bench, &arguments, output, what);
        }
    }
    // A file is written beside its place first.
    let arguments = ["check", "b.unfinished", "--report", "b"];
    assert_kept(&bench, &arguments, "b.unfinished", "a capture");
    let same = ["check", "b.unfinished", "--report", "same", "--flows", "./same"];
    assert_kept(&bench, &same, "b.unfinished", "cannot both go to");
    let nested = ["check", "night", "--report", "same", "--flows", "same.unfinished"];
    assert_kept(&bench, &nested, "night/a.pcap", "cannot both go to");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("night/a.pcap", bench.path("link")).unwrap();
        let linked = ["check", "night", "--report", "link"];
        assert_kept(&bench, &linked, "night/a.pcap", "a capture");
    }
}

#[test]
fn flows_go_to_standard_output_alone() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    bench.write("a.pcap", conversation(389));
    let check = ["check", "a.pcap", "--site", "site.toml", "--flows"];
    let shown = bench.run(&[&check[..], &["-"]].concat());
    assert_eq!((shown.status, shown.err.as_str()), (0, ""));
    bench.run(&[&check[..], &["flows.ndjson"]].concat());
    assert_eq!(shown.out, std::fs::read_to_string(bench.path("flows.ndjson")).unwrap());
    assert!(!bench.path("-").exists());
    for other in [["--report", "-"], ["--format", "json"]] {
        let ended = bench.run(&[&check[..], &["-"], &other[..]].concat());
        assert_eq!((ended.status, ended.out.as_str()), (2, ""), "{other:?}");
        assert!(ended.err.contains("cannot both go to standard output"), "{}", ended.err);
    }
}

#[test]
fn files_of_a_folder_that_are_no_captures_are_named() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    std::fs::create_dir(bench.path("night")).unwrap();
    bench.write("night/a.pcap", conversation(389));
    bench.write("night/corrupt.pcap", "garbage".repeat(100));
    let check = ["check", "night", "--site", "site.toml", "--report", "report.json"];
    let ended = bench.run(&check);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(ended.out.contains("1 file, such as corrupt.pcap"), "{}", ended.out);
    let report = bench.json("report.json");
    let skipped = report["inputs_skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0]["name"], "corrupt.pcap");
    assert!(!skipped[0]["reason"].as_str().unwrap().is_empty());
}

/// Base names only: where the captures lay is nobody's business.
#[cfg(unix)]
#[test]
fn a_second_link_to_a_capture_is_named_without_its_folder() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("night")).unwrap();
    bench.write("night/a.pcap", conversation(389));
    std::os::unix::fs::symlink("a.pcap", bench.path("night/b.pcap")).unwrap();
    bench.run(&["check", "night", "--report", "report.json"]);
    let skipped = &bench.json("report.json")["inputs_skipped"][0];
    assert_eq!(skipped["name"], "b.pcap");
    assert_eq!(skipped["reason"], "the same file as a.pcap");
}

#[test]
fn unreadable_inputs_are_named_beside_a_report_on_standard_output() {
    let bench = Bench::new();
    bench.write("letter.pcap", "Dear all,\n");
    for output in [&["--report", "-"][..], &["--format", "json"], &["--flows", "-"]] {
        let ended = bench.run(&[&["check", "letter.pcap"], output].concat());
        assert_eq!(ended.status, 2);
        assert!(ended.err.contains("letter.pcap"), "{output:?}: `{}`", ended.err);
    }
}

/// As root, a report for nobody would otherwise take the place of the device that swallows it.
#[cfg(unix)]
#[test]
fn a_pipe_is_written_and_not_replaced() {
    use std::os::unix::fs::FileTypeExt;

    let bench = Bench::new();
    bench.write("a.pcap", conversation(389));
    let pipe = bench.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read(pipe)
    });
    bench.run(&["check", "a.pcap", "--report", "pipe", "--quiet"]);
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo(), "it was replaced");
    let read = reader.join().unwrap().unwrap();
    bench.run(&["check", "a.pcap", "--report", "file", "--quiet"]);
    assert!(read == std::fs::read(bench.path("file")).unwrap(), "{} bytes", read.len());
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_what_it_points_to_is_replaced() {
    let bench = Bench::new();
    bench.write("a.pcap", conversation(389));
    std::fs::create_dir(bench.path("kept")).unwrap();
    bench.write("kept/report.json", "earlier");
    std::os::unix::fs::symlink("kept/report.json", bench.path("latest.json")).unwrap();
    let ended = bench.run(&["check", "a.pcap", "--report", "latest.json", "--quiet"]);
    assert_eq!(ended.err, "");
    assert!(std::fs::symlink_metadata(bench.path("latest.json")).unwrap().is_symlink());
    let written = std::fs::read_to_string(bench.path("kept/report.json")).unwrap();
    assert!(written.starts_with("{\n  \"schema_version\""), "{written:.40}");
    assert_eq!(std::fs::read_dir(bench.path("kept")).unwrap().count(), 1);
}
