//! Policy, site and waivers read again while packets come in.

use super::*;

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const SYN_ACK: u8 = 0x12;

/// A connection of the quick start's server to a port that is not documented. Its handshake comes
/// before the reload, its data after it.
fn connection() -> Vec<u8> {
    let (there, back) = (([10, 20, 1, 10], [10, 20, 2, 10]), ([10, 20, 2, 10], [10, 20, 1, 10]));
    let (up, down) = ((40_000, 9999), (9999, 40_000));
    let at = |second: i64| 1_700_000_000_000_000_000 + second * 1_000_000_000;
    pcap(&[
        (at(0), frames::tcp(there, up, 1, 0, SYN, b"")),
        (at(0) + 1000, frames::tcp(back, down, 9, 2, SYN_ACK, b"")),
        (at(0) + 2000, frames::tcp(there, up, 2, 10, ACK, b"")),
        (at(3), frames::tcp(there, up, 2, 10, ACK, b"hello")),
        (at(3) + 1000, frames::tcp(back, down, 10, 7, ACK, b"hello")),
    ])
}

#[test]
fn a_bad_file_is_refused_with_its_line_and_a_good_one_loses_no_flow() {
    let post = Post::new();
    let good = fs::read_to_string(site("quickstart", "site.toml")).unwrap();
    post.write("site.toml", &good);
    post.write("in.pcap", connection());
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--site", "site.toml"];
    let watching = post.watch(&[&arguments[..], &["--report", "watch.json"]].concat());
    let of_port =
        |event: &Event| finding(event).is_some_and(|(_, finding)| finding.ports == "9999");
    post.wait_for(of_port);
    post.write("site.toml", format!("{good}\n[[host]]\nname = 7\n"));
    watching.signal("-HUP");
    let refused = post.wait_for(|event| matches!(event, Event::Reload { .. }));
    let line = good.lines().count() + 3;
    let Event::Reload { accepted: false, reason: Some(reason) } = refused else {
        panic!("{refused:?}")
    };
    assert!(reason.contains(&format!("site.toml:{line}")), "{reason}");
    let other = good.replace("10.20.2.10", "10.20.2.99");
    assert_ne!(good, other);
    post.write("site.toml", &other);
    watching.signal("-HUP");
    post.wait_for(|event| matches!(event, Event::Reload { accepted: true, reason: None }));
    let (_, said) = watching.end();
    assert_eq!(said, "");
    // The old site was in force up to the reload, the new one since.
    let changes: Vec<_> =
        post.events().iter().filter_map(finding).map(|(c, f)| (c, f.verdict.clone())).collect();
    assert_eq!(changes[0], (Change::New, "violation".to_owned()));
    assert!(changes.contains(&(Change::Gone, "violation".to_owned())), "{changes:?}");
    assert!(changes.contains(&(Change::New, "unknown-peer".to_owned())), "{changes:?}");
    let mut watched = post.report("watch.json");
    let checked = post.check(&post.path("in.pcap"), &post.path("site.toml"));
    make_like(&mut watched, &checked);
    let texts = [&watched, &checked].map(|report| serde_json::to_string(report).unwrap());
    assert_eq!(texts[0], texts[1], "as if the new site had been there from the begin");
}

/// The sandbox at work: a site file that leads elsewhere cannot be read any more.
#[test]
fn a_watch_that_runs_cannot_read_other_files() {
    let post = Post::new();
    let outside = TempDir::new().unwrap();
    let good = fs::read_to_string(site("quickstart", "site.toml")).unwrap();
    post.write("site.toml", &good);
    fs::write(outside.path().join("site.toml"), &good).unwrap();
    post.write("in.pcap", an_hour());
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--site", "site.toml"];
    let watching = post.watch(&arguments);
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    fs::remove_file(post.path("site.toml")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("site.toml"), post.path("site.toml")).unwrap();
    watching.signal("-HUP");
    let event = post.wait_for(|event| matches!(event, Event::Reload { .. }));
    watching.signal("-TERM");
    watching.end();
    match event {
        Event::Reload { accepted: false, reason: Some(reason) } => {
            assert!(reason.contains("Permission denied"), "{reason}");
        }
        _ => println!("skipped: this kernel has no Landlock"),
    }
}

/// Packets as fast as they can be folded, and the rules read again all the time.
#[test]
fn rules_read_again_under_load_lose_no_flow() {
    let post = Post::new();
    let good = fs::read_to_string(site("quickstart", "site.toml")).unwrap();
    post.write("site.toml", &good);
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let packet = |number: i64| {
        let ports = (1024 + (number % 60_000) as u16, 53 + (number / 60_000) as u16);
        (1_700_000_000_000_000_000 + number * 10_000, udp(hosts, ports, b"?"))
    };
    post.write("in.pcap", pcap(&(0..300_000).map(packet).collect::<Vec<_>>()));
    let arguments = ["--replay", "in.pcap", "--site", "site.toml", "--report", "watch.json"];
    let mut watching = post.watch(&arguments);
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    let mut asked = 0;
    while watching.child.try_wait().unwrap().is_none() {
        // It may have ended since.
        let pid = watching.child.id().to_string();
        drop(Command::new("kill").args(["-HUP", &pid]).stderr(Stdio::null()).status());
        asked += 1;
        pause(Duration::from_millis(20));
    }
    let (_, said) = watching.end();
    assert_eq!(said, "");
    let accepted = |event: &Event| matches!(event, Event::Reload { accepted: true, .. });
    let reloads = post.events().iter().filter(|event| accepted(event)).count();
    println!("{reloads} reloads, asked for {asked} times");
    assert!(reloads > 0);
    let mut watched = post.report("watch.json");
    assert_eq!(watched.accounting.flows, 300_000);
    let checked = post.check(&post.path("in.pcap"), &post.path("site.toml"));
    make_like(&mut watched, &checked);
    let texts = [&watched, &checked].map(|report| serde_json::to_string(report).unwrap());
    assert_eq!(texts[0], texts[1]);
}
