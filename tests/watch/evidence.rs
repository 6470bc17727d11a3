//! Evidence of a watch: the slices of `check` where the ring held everything, and a report that
//! says what was missing where it did not.

use std::collections::BTreeMap;

use portolan::capture::{FrameBatch, Hashing, Inputs};

use super::*;
use crate::capture::build::Builder;

/// The files of a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let file = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// The packets of a capture: time in nanoseconds and bytes.
fn packets(file: &Path) -> Vec<(i64, Vec<u8>)> {
    let mut inputs = Inputs::open(&[file.to_owned()], Hashing::Off).unwrap();
    let (mut batch, mut all) = (FrameBatch::default(), Vec::new());
    while inputs.fill(&mut batch) {
        let packet = |frame| batch.data(frame).to_vec();
        all.extend(batch.frames.iter().map(|frame| (frame.time.nanos(), packet(frame))));
    }
    all
}

/// How often a limit was hit.
fn limit(report: &Report, code: &str) -> u64 {
    report.limits.iter().find(|limit| limit.code == code).map_or(0, |limit| limit.count)
}

#[test]
fn the_slices_are_those_of_check_where_the_ring_held_everything() {
    for (fixture, of) in FIXTURES {
        let post = Post::new();
        let (capture, site) = (capture(fixture), site(fixture, of));
        let of = ["--site", site.to_str().unwrap(), "--quiet", "--max-memory", "1G"];
        let watch = ["--replay", capture.to_str().unwrap(), "--report", "watch.json"];
        let (_, said) =
            post.watch(&[&watch[..], &of[..2], &["--evidence", "watched"]].concat()).end();
        assert_eq!(said, "", "{fixture}");
        let check = ["check", capture.to_str().unwrap(), "--report", "check.json"];
        let output = post.command(&[&check[..], &of, &["--evidence", "checked"]].concat()).output();
        assert_eq!(output.unwrap().status.code(), Some(1), "{fixture}");
        let (watched, checked) = (files(&post.path("watched")), files(&post.path("checked")));
        assert!(checked.len() > 1, "{fixture}");
        assert!(watched == checked, "{fixture}: {} and {}", watched.len(), checked.len());
        let (mut watch, check) = (post.report("watch.json"), post.report("check.json"));
        make_like(&mut watch, &check);
        let texts = [&watch, &check].map(|report| serde_json::to_string(report).unwrap());
        assert_eq!(texts[0], texts[1], "{fixture}");
    }
}

#[test]
fn what_the_report_says_of_its_slices_holds() {
    let post = Post::new();
    let (capture, site) = (capture("quickstart"), site("quickstart", "site.toml"));
    let watch = ["--replay", capture.to_str().unwrap(), "--report", "watch.json"];
    let watch = [&watch[..], &["--site", site.to_str().unwrap(), "--evidence", "slices"]].concat();
    post.watch(&watch).end();
    let mut verify = vec!["report".to_owned(), "verify".to_owned(), "watch.json".to_owned()];
    verify.extend([&capture, &site].map(|path| path.to_str().unwrap().to_owned()));
    verify.extend(files(&post.path("slices")).into_keys().map(|name| format!("slices/{name}")));
    let verify: Vec<_> = verify.iter().map(String::as_str).collect();
    let output = post.command(&verify).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    for slice in post.report("watch.json").evidence {
        assert!(said.contains(&slice.file), "{} is verified: {said}", slice.file);
    }
}

/// A violation of three packets, a second later more traffic than the ring holds, and then, in the
/// first flow, one packet more.
fn a_violation_and_a_flood() -> Vec<u8> {
    let begin = 1_700_000_000_000_000_000;
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let bad = |millis: i64| (begin + millis * 1_000_000, udp(hosts, (40_000, 9999), b"bad"));
    let filler = vec![b'x'; 1400];
    let flood =
        |number: i64| (begin + 3_000_000_000 + number * 500_000, udp(hosts, (40_001, 53), &filler));
    let mut all: Vec<_> = (0..3).map(bad).collect();
    all.extend((0..3000).map(flood));
    all.push(bad(6000));
    pcap(&all)
}

#[test]
fn what_was_taken_out_for_a_finding_outlasts_the_ring() {
    let post = Post::new();
    post.write("in.pcap", a_violation_and_a_flood());
    let site = site("quickstart", "site.toml");
    let watch = ["--replay", "in.pcap", "--speed", "original", "--report", "watch.json"];
    let more = ["--evidence", "slices", "--evidence-ring", "1M", "--site", site.to_str().unwrap()];
    let (status, said) = post.watch(&[&watch[..], &more].concat()).end();
    assert_eq!((status, said.as_str()), (1, ""));
    let report = post.report("watch.json");
    let found = report.findings.iter().find(|finding| finding.service.ports == "9999").unwrap();
    let slice = report.evidence.iter().find(|slice| slice.finding == found.id).unwrap();
    assert_eq!((slice.packets, slice.flow_packets), (4, 4));
    let stored = packets(&post.path("in.pcap"));
    let bad = |(_, data): &&(i64, Vec<u8>)| data.ends_with(b"bad");
    let wanted: Vec<_> = stored.iter().filter(bad).cloned().collect();
    assert_eq!(packets(&post.path("slices").join(&slice.file)), wanted);
    assert_eq!(limit(&report, "evidence-packets-lost"), 0);
}

/// At top speed nothing is looked at before the ring has lost the violation.
#[test]
fn what_the_ring_no_longer_held_is_told() {
    let post = Post::new();
    let begin = 1_700_000_000_000_000_000;
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let packet = |number: i64| {
        // Each differs, or they would be copies of one.
        let filler = [number.to_be_bytes().as_slice(), &[b'x'; 1400]].concat();
        let port = if number < 30 { 9999 } else { 53 };
        (begin + number * 1_000_000, udp(hosts, (40_000, port), &filler))
    };
    post.write("in.pcap", pcap(&(0..3000).map(packet).collect::<Vec<_>>()));
    let site = site("quickstart", "site.toml");
    let watch = ["--replay", "in.pcap", "--report", "watch.json", "--evidence", "slices"];
    let more = ["--evidence-ring", "1M", "--site", site.to_str().unwrap()];
    post.watch(&[&watch[..], &more].concat()).end();
    let report = post.report("watch.json");
    let found = report.findings.iter().find(|finding| finding.service.ports == "9999").unwrap();
    let slice = report.evidence.iter().find(|slice| slice.finding == found.id).unwrap();
    assert_eq!((slice.packets, slice.flow_packets), (0, 30));
    // The others that are wanted of each flow by default are 20.
    let lost: u64 = report
        .evidence
        .iter()
        .map(|slice| slice.flow_packets.min(20 * slice.flows) - slice.packets)
        .sum();
    assert!(lost >= 20, "{lost}");
    assert_eq!(limit(&report, "evidence-packets-lost"), lost);
    assert!(packets(&post.path("slices").join(&slice.file)).is_empty());
}

#[test]
fn slices_of_an_earlier_report_give_way() {
    let post = Post::new();
    fs::create_dir(post.path("slices")).unwrap();
    post.write("slices/F-0000000000000000.pcapng", "of an earlier run");
    post.write("slices/notes.txt", "somebody's own");
    let (capture, site) = (capture("quickstart"), site("quickstart", "site.toml"));
    let watch = ["--replay", capture.to_str().unwrap(), "--report", "watch.json"];
    let watch = [&watch[..], &["--site", site.to_str().unwrap(), "--evidence", "slices"]].concat();
    post.watch(&watch).end();
    let report = post.report("watch.json");
    let mut named: Vec<_> = report.evidence.into_iter().map(|slice| slice.file).collect();
    named.push("notes.txt".to_owned());
    named.sort();
    assert_eq!(files(&post.path("slices")).into_keys().collect::<Vec<_>>(), named);
}

#[test]
fn a_folder_that_cannot_be_written_into_is_told_and_the_report_is_written_without() {
    let post = Post::new();
    post.write("in.pcap", a_violation_and_a_flood());
    let site = site("quickstart", "site.toml");
    let watch = ["--replay", "in.pcap", "--speed", "original", "--report", "watch.json"];
    let more = ["--evidence", "slices", "--site", site.to_str().unwrap()];
    let watching = post.watch(&[&watch[..], &more].concat());
    post.wait_for(|event| finding(event).is_some());
    fs::remove_dir(post.path("slices")).unwrap();
    watching.signal("-USR1");
    let failed = post.wait_for(|event| matches!(event, Event::CheckpointFailed { .. }));
    let Event::CheckpointFailed { reason } = failed else { unreachable!() };
    assert!(reason.contains("slices"), "{reason}");
    let report = wait(|| post.path("watch.json").exists().then(|| post.report("watch.json")));
    assert!(report.evidence.is_empty());
    assert!(!report.findings.is_empty());
    watching.signal("-TERM");
    let (status, said) = watching.end();
    assert_eq!(status, 2, "{said}");
}

/// A capture of two interfaces, the second of another kind; what violates came through the second.
fn of_two_interfaces() -> Vec<u8> {
    let build = Builder::LITTLE;
    let nanoseconds = [build.option(9, &[9]), build.option(0, b"")].concat();
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let at = |second: u64| 1_700_000_000_000_000_000 + second * 1_000_000_000;
    let (ethernet, raw) = (1, 101);
    let documented = udp(hosts, (40_000, 53), b"?");
    let violation = udp(hosts, (40_000, 9999), b"?");
    let packet = |interface, second, data: &[u8]| {
        let lengths = [data.len() as u32; 2];
        build.enhanced_of_lengths(interface, at(second), lengths, data, b"")
    };
    [
        build.section(1, 0),
        build.interface(ethernet, 0, &nanoseconds),
        packet(0, 0, &documented),
        build.interface(raw, 0, &nanoseconds),
        packet(1, 0, violation.get(14..).unwrap()),
        packet(0, 3600, &documented),
    ]
    .concat()
}

#[test]
fn slices_of_an_early_report_have_packets_of_every_interface() {
    let post = Post::new();
    post.write("in.pcapng", of_two_interfaces());
    let site = site("quickstart", "site.toml");
    let watch = ["--replay", "in.pcapng", "--speed", "original", "--report", "watch.json"];
    let more = ["--evidence", "slices", "--site", site.to_str().unwrap()];
    let watching = post.watch(&[&watch[..], &more].concat());
    post.wait_for(|event| finding(event).is_some_and(|(_, finding)| finding.ports == "9999"));
    watching.signal("-USR1");
    let report = wait(|| post.path("watch.json").exists().then(|| post.report("watch.json")));
    watching.signal("-TERM");
    watching.end();
    let interfaces = &report.inputs[0].interfaces;
    assert_eq!(interfaces.iter().map(|one| one.packets).collect::<Vec<_>>(), [1, 1]);
    let found = report.findings.iter().find(|one| one.service.ports == "9999").unwrap();
    let slice = report.evidence.iter().find(|slice| slice.finding == found.id).unwrap();
    let kept = packets(&post.path("slices").join(&slice.file));
    let violation = udp(([10, 20, 1, 10], [10, 20, 2, 10]), (40_000, 9999), b"?");
    assert_eq!(kept, [(1_700_000_000_000_000_000, violation[14..].to_vec())]);
}
