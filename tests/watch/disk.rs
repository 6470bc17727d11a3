//! A disk that is full, in a mount namespace that the test makes.

use super::*;

/// Bytes of the disk.
const DISK: usize = 1 << 20;

/// A watch whose report, state and events go to a small disk of its own. `None` when that cannot be
/// made here.
fn on_a_small_disk(post: &Post, rest: &[&str]) -> Option<Watching> {
    fs::create_dir(post.path("disk")).unwrap();
    let mount = format!("mount -t tmpfs -o size={DISK} tmpfs disk");
    let in_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).current_dir(post.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    if !in_namespace(&mount).status().is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = in_namespace(&format!("{mount} && exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_portolan")).args(["watch", "--quiet"]).args(rest);
    Some(Watching { child: command.spawn().unwrap() })
}

#[test]
fn a_full_disk_is_an_event_and_the_report_is_written_once_there_is_room() {
    let post = Post::new();
    post.write("in.pcap", an_hour());
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--events", "events.ndjson"];
    let files = ["--report", "disk/r.json", "--state", "disk/state", "--flows", "disk/f.ndjson"];
    let Some(watching) = on_a_small_disk(&post, &[arguments, files].concat()) else {
        println!("skipped: needs root and `unshare` to make a mount namespace");
        return;
    };
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    // The disk as the watch sees it.
    let disk = PathBuf::from(format!("/proc/{}/root", watching.child.id()));
    let disk = disk.join(post.path("disk").strip_prefix("/").unwrap());
    let room = vec![b'x'; DISK];
    // What does not fit is left out.
    let _ = fs::write(disk.join("ballast"), &room);
    watching.signal("-USR1");
    let failed = post.wait_for(|event| matches!(event, Event::CheckpointFailed { .. }));
    let Event::CheckpointFailed { reason } = failed else { unreachable!() };
    assert!(reason.contains("No space left"), "{reason}");
    post.wait_for(|event| matches!(event, Event::StateFailed { .. }));
    assert!(!disk.join("r.json").exists(), "nothing that is half written has its name");
    fs::remove_file(disk.join("ballast")).unwrap();
    watching.signal("-USR1");
    wait(|| disk.join("r.json").exists().then_some(()));
    let text = fs::read_to_string(disk.join("r.json")).unwrap();
    let report: Report = serde_json::from_str(&text).unwrap();
    let listed = report.flow_list.expect("a flow list was asked for").flows;
    assert_eq!(listed, report.accounting.flows);
    watching.signal("-TERM");
    let (status, said) = watching.end();
    assert_eq!((status, said.as_str()), (3, ""), "the last report could be written");
}

/// The file in which flows are stored is a pipe that nobody reads.
#[test]
fn what_is_new_is_told_while_flows_cannot_be_stored() {
    let post = Post::new();
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let packet = |second: i64, port| {
        let time = 1_700_000_000_000_000_000 + second * 1_000_000_000;
        (time, udp(hosts, (40_000, port), b"?"))
    };
    post.write("in.pcap", pcap(&[packet(0, 9001), packet(4, 9002), packet(600, 53)]));
    let site = site("quickstart", "site.toml");
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--report", "r.json"];
    let more = ["--state", "state", "--site", site.to_str().unwrap()];
    let watching = post.watch(&[&arguments[..], &more].concat());
    let on = |port: &'static str| {
        move |event: &Event| finding(event).is_some_and(|(_, finding)| finding.ports == port)
    };
    post.wait_for(on("9001"));
    let pipe = post.path("state.flows.unfinished");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    watching.signal("-USR1");
    post.wait_for(on("9002"));
    assert!(!post.path("r.json").exists(), "what a report says, the next run knows");
    let stored = fs::read(&pipe).unwrap();
    assert!(stored.starts_with(b"{\"portolan_flows\":"));
    // A pipe cannot be written to the disk.
    let failed = post.wait_for(|event| matches!(event, Event::StateFailed { .. }));
    let Event::StateFailed { reason } = failed else { unreachable!() };
    assert!(reason.contains("state.flows"), "{reason}");
    wait(|| post.path("r.json").exists().then_some(()));
    watching.signal("-TERM");
    let (status, said) = watching.end();
    assert_eq!((status, said.as_str()), (1, ""));
    assert!(fs::read(post.path("state.flows")).unwrap().starts_with(b"{\"portolan_flows\":"));
}

/// The file in which flows are stored is a pipe that nobody reads, so that no report is finished.
#[test]
fn looks_and_reloads_go_on_while_a_report_cannot_be_written() {
    let post = Post::new();
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let packet = |second: i64, port| {
        let time = 1_700_000_000_000_000_000 + second * 1_000_000_000;
        (time, udp(hosts, (40_000, port), b"?"))
    };
    post.write("in.pcap", pcap(&[packet(0, 9001), packet(600, 53)]));
    let rules = fs::read_to_string(site("quickstart", "site.toml")).unwrap();
    post.write("site.toml", rules.clone());
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--report", "r.json"];
    let watching = post.watch(&[&arguments[..], &["--state", "s", "--site", "site.toml"]].concat());
    let of_port = |change: Change| {
        move |event: &Event| {
            finding(event).is_some_and(|(c, one)| c == change && one.ports == "9001")
        }
    };
    post.wait_for(of_port(Change::New));
    let pipe = post.path("s.flows.unfinished");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    watching.signal("-USR1");
    // Without the responder the finding is another one.
    post.write("site.toml", rules.replace("10.20.2.10", "10.20.2.99"));
    watching.signal("-HUP");
    post.wait_for(|event| matches!(event, Event::Reload { accepted: true, .. }));
    post.wait_for(of_port(Change::Gone));
    assert!(!post.path("r.json").exists(), "what a report says, the next run knows");
    fs::read(&pipe).unwrap();
    wait(|| post.path("r.json").exists().then_some(()));
    watching.signal("-TERM");
    assert_eq!(watching.end().1, "");
}
