//! What a watch remembers when it is started again.

use portolan::capture::{FrameBatch, Hashing, Inputs};
use serde_json::Value;

use super::*;

#[test]
fn findings_of_an_earlier_run_are_remembered_and_not_told_again() {
    let post = Post::new();
    let (capture, site) = (capture("quickstart"), site("quickstart", "site.toml"));
    let arguments = ["--replay", capture.to_str().unwrap(), "--state", "state", "--site"];
    let arguments = [&arguments[..], &[site.to_str().unwrap()]].concat();
    post.watch(&arguments).end();
    let first = post.events();
    let told = first.iter().filter_map(finding).count() as u64;
    assert!(told > 3);
    fs::remove_file(post.path("events.ndjson")).unwrap();
    post.watch(&arguments).end();
    let second = post.events();
    assert!(matches!(second[0], Event::Started { remembered, .. } if remembered == told));
    assert_eq!(second.iter().filter_map(finding).count(), 0, "{second:?}");
}

#[test]
fn a_finding_that_was_told_before_a_kill_is_neither_lost_nor_told_again() {
    let post = Post::new();
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let begin = 1_700_000_000_000_000_000;
    let packet =
        |second: i64, port| (begin + second * 1_000_000_000, udp(hosts, (40_000, port), b"?"));
    post.write("first.pcap", pcap(&[packet(0, 9001), packet(600, 53)]));
    post.write("second.pcap", pcap(&[packet(700, 9001), packet(701, 9002)]));
    let site = site("quickstart", "site.toml");
    let rest = ["--speed", "original", "--state", "state", "--site", site.to_str().unwrap()];
    let watching = post.watch(&[&["--replay", "first.pcap"][..], &rest].concat());
    let on = |port: &'static str| {
        move |event: &Event| finding(event).is_some_and(|(_, finding)| finding.ports == port)
    };
    post.wait_for(on("9001"));
    // The state says that it was told once the next look has seen the line written.
    wait(|| {
        let text = fs::read_to_string(post.path("state")).unwrap();
        text.contains("\"told\":true").then_some(())
    });
    watching.signal("-KILL");
    watching.end();
    let post_mortem = fs::read_to_string(post.path("state")).unwrap();
    assert!(post_mortem.contains("9001"));
    fs::remove_file(post.path("events.ndjson")).unwrap();
    post.watch(&[&["--replay", "second.pcap"][..], &rest].concat()).end();
    let events = post.events();
    assert!(matches!(events[0], Event::Started { remembered: 1, .. }), "{:?}", events[0]);
    assert!(!events.iter().any(on("9001")), "told again");
    assert!(events.iter().any(on("9002")), "new");
}

/// The state holds what was found before it is told; if the run dies in between, the next tells.
#[test]
fn what_was_found_and_not_told_is_told_by_the_next_run() {
    let post = Post::new();
    let (capture, site) = (capture("quickstart"), site("quickstart", "site.toml"));
    let arguments = ["--replay", capture.to_str().unwrap(), "--state", "state", "--site"];
    post.watch(&[&arguments[..], &[site.to_str().unwrap()]].concat()).end();
    let state = fs::read_to_string(post.path("state")).unwrap();
    post.write("state", state.replacen("\"told\":true", "\"told\":false", 2));
    post.write("none.pcap", pcap(&[]));
    fs::remove_file(post.path("events.ndjson")).unwrap();
    post.watch(&["--replay", "none.pcap", "--state", "state"]).end();
    assert_eq!(post.events().iter().filter_map(finding).count(), 2);
}

#[test]
fn a_state_whose_last_line_was_cut_off_is_read_up_to_it() {
    let post = Post::new();
    let (capture, site) = (capture("quickstart"), site("quickstart", "site.toml"));
    let arguments = ["--replay", capture.to_str().unwrap(), "--state", "state", "--site"];
    let arguments = [&arguments[..], &[site.to_str().unwrap()]].concat();
    post.watch(&arguments).end();
    let state = fs::read_to_string(post.path("state")).unwrap();
    let whole = state.lines().count() as u64 - 1;
    post.write("state", &state[..state.len() - 20]);
    fs::remove_file(post.path("events.ndjson")).unwrap();
    post.watch(&arguments).end();
    assert!(
        matches!(post.events()[0], Event::Started { remembered, .. } if remembered == whole - 1)
    );
    assert_eq!(post.events().iter().filter_map(finding).count(), 1, "the one that was cut off");
}

/// The frames of a capture in their order.
fn frames_of(capture: &Path) -> Vec<Vec<u8>> {
    let mut inputs = Inputs::open(&[capture.to_owned()], Hashing::Off).unwrap();
    let (mut batch, mut frames) = (FrameBatch::default(), Vec::new());
    while inputs.fill(&mut batch) {
        frames.extend(batch.frames.iter().map(|frame| batch.data(frame).to_vec()));
    }
    frames
}

const BEGIN: i64 = 1_700_000_000_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// The voice-mail site in two captures, cut in the middle: the packets of each within a moment, with
/// ten minutes between. One more packet keeps the watch of the first waiting for five.
fn halves(post: &Post) -> u64 {
    let frames = frames_of(&capture("voicemail"));
    let (one, other) = frames.split_at(frames.len() / 2);
    let within = |begin: i64, frames: &[Vec<u8>]| {
        let times = (0..).map(move |number: i64| begin + number * 1000);
        times.zip(frames.iter().cloned()).collect::<Vec<_>>()
    };
    let mut first = within(BEGIN, one);
    post.write("first.pcap", pcap(&first));
    first.push((BEGIN + 300 * SECOND, frames::arp()));
    post.write("waiting.pcap", pcap(&first));
    post.write("second.pcap", pcap(&within(BEGIN + 600 * SECOND, other)));
    one.len() as u64
}

/// What a report says of the network, without what it says of the evidence.
fn said_of_the_network(report: &Report) -> Vec<(&'static str, Value)> {
    let whole = serde_json::to_value(report).unwrap();
    let blocks = ["window", "accounting", "findings", "rules", "hosts", "unknown_peers"];
    blocks.map(|block| (block, whole[block].clone())).to_vec()
}

/// The report of `check` over both halves, the packets less that no checkpoint holds.
fn check_halves(post: &Post, site: &Path) -> Report {
    let arguments = ["check", "--quiet", "--report", "check.json", "--max-memory", "1G", "--site"];
    let mut command = post.command(&arguments);
    let output = command.arg(site).args(["first.pcap", "second.pcap"]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    post.report("check.json")
}

#[test]
fn flows_go_on_after_a_kill_as_if_only_the_time_between_were_missing() {
    for signal in ["-KILL", "-TERM"] {
        let post = Post::new();
        let packets = halves(&post);
        let site = site("voicemail", "site.toml");
        let rest = ["--state", "state", "--report", "r.json", "--site", site.to_str().unwrap()];
        let first = ["--replay", "waiting.pcap", "--speed", "original"];
        let watching = post.watch(&[&first[..], &rest].concat());
        post.wait_for(|event| matches!(event, Event::Started { .. }));
        // A checkpoint holds what was read before it: one of them all packets of the first half.
        wait(|| {
            watching.signal("-USR1");
            pause(Duration::from_millis(300));
            let text = fs::read_to_string(post.path("r.json")).ok()?;
            let report: Report = serde_json::from_str(&text).ok()?;
            (report.accounting.packets_read == packets).then_some(())
        });
        watching.signal(signal);
        watching.end();
        fs::remove_file(post.path("events.ndjson")).unwrap();
        post.watch(&[&["--replay", "second.pcap"][..], &rest].concat()).end();
        let refused =
            |event: &Event| matches!(event, Event::StateRefused { .. } | Event::StateFailed { .. });
        let events = post.events();
        assert!(!events.iter().any(refused), "{events:?}");
        assert!(
            matches!(events[0], Event::Started { flows, remembered, .. } if flows > 100 && remembered > 10),
            "{:?}",
            events[0]
        );
        let (watched, checked) = (post.report("r.json"), check_halves(&post, &site));
        for (one, other) in said_of_the_network(&watched).iter().zip(&said_of_the_network(&checked))
        {
            assert_eq!(one, other, "{signal}");
        }
        assert_eq!(watched.inputs.len(), 2);
        for (one, other) in watched.inputs.iter().zip(&checked.inputs) {
            assert_eq!(
                (one.packets, &one.first, &one.last),
                (other.packets, &other.first, &other.last)
            );
            assert_eq!(one.gap_to_previous_ns, other.gap_to_previous_ns);
        }
        assert_eq!(watched.inputs[0].ending, "interrupted");
        // The gap is named, by the last packet before and the first after.
        let gap = 600 - (packets as i64 * 1000 + SECOND - 1) / SECOND + 1;
        let named = |one: &&portolan::report::model::CannotSay| one.code == "interrupted";
        let limitation = watched.outcome.cannot_say.iter().find(named).expect("the gap is named");
        assert!(limitation.text.contains(&format!("once: {gap} s")), "{}", limitation.text);
        assert!(!checked.outcome.cannot_say.iter().any(|one| one.code == "interrupted"));
    }
}

#[test]
fn a_capture_that_is_played_again_is_not_counted_twice() {
    let post = Post::new();
    let (capture, site) = (capture("quickstart"), site("quickstart", "site.toml"));
    let arguments =
        ["--replay", capture.to_str().unwrap(), "--state", "state", "--report", "r.json"];
    let arguments = [&arguments[..], &["--site", site.to_str().unwrap()]].concat();
    post.watch(&arguments).end();
    let first = post.report("r.json");
    post.watch(&arguments).end();
    let again = post.report("r.json");
    assert_eq!(again.accounting.packets_read, first.accounting.packets_read);
    assert_eq!(again.inputs.len(), 1);
    let refused = |event: &Event| matches!(event, Event::StateRefused { .. });
    assert!(!post.events().iter().any(refused), "nothing is wrong with that");
}

#[test]
fn flows_that_cannot_be_read_are_refused_in_one_line_and_findings_are_kept() {
    let post = Post::new();
    let (capture, site) = (capture("quickstart"), site("quickstart", "site.toml"));
    let begun = ["--replay", capture.to_str().unwrap(), "--state", "state", "--site"];
    let begun = [&begun[..], &[site.to_str().unwrap()]].concat();
    post.watch(&begun).end();
    let flows = fs::read(post.path("state.flows")).unwrap();
    let findings = fs::read(post.path("state")).unwrap();
    let middle = flows.len() / 2;
    let mut changed = flows.clone();
    changed[middle] ^= 1;
    let text = String::from_utf8_lossy(&flows[..300]).into_owned();
    let foreign = text.replacen(env!("CARGO_PKG_VERSION"), "99.0.0", 1).into_bytes();
    let cases: [(&[u8], &[&str], &str); 6] = [
        (b"", &[], "does not begin"),
        (b"something else\n", &[], "does not begin"),
        (&flows[..middle], &[], "checksum"),
        (&changed, &[], "checksum"),
        (&foreign, &[], "version 99.0.0+"),
        (&flows, &["--keep-copies"], "without --keep-copies"),
    ];
    post.write("none.pcap", pcap(&[]));
    for (bytes, more, said) in cases {
        post.write("state.flows", bytes);
        post.write("state", &findings);
        fs::remove_file(post.path("events.ndjson")).unwrap();
        let next = ["--replay", "none.pcap", "--state", "state"];
        let (status, errors) = post.watch(&[&next[..], more].concat()).end();
        assert_eq!((status, errors.as_str()), (3, ""), "{said}");
        let events = post.events();
        let Event::StateRefused { reason } = &events[1] else { panic!("{events:?}") };
        assert!(reason.contains(said) && !reason.contains('\n'), "{reason}");
        assert!(
            matches!(events[0], Event::Started { remembered, flows: 0, .. } if remembered > 3),
            "{:?}",
            events[0]
        );
    }
    fs::remove_file(post.path("events.ndjson")).unwrap();
    post.write("state.flows", &flows);
    post.watch(&["--replay", "none.pcap", "--state", "state"]).end();
    assert!(matches!(post.events()[0], Event::Started { flows, .. } if flows > 3), "as it was");
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_what_is_remembered() {
    use std::os::unix::fs::PermissionsExt;
    let post = Post::new();
    post.write("in.pcap", pcap(&[(0, frames::arp())]));
    post.watch(&["--replay", "in.pcap", "--state", "state"]).end();
    for name in ["state", "state.flows"] {
        let mode = fs::metadata(post.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}
