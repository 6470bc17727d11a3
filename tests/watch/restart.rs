//! What a watch remembers when it is started again.

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
