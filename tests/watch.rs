//! `portolan watch` as whoever runs it meets it, over captures that are played back. The tests over
//! a network interface are in `watch_live.rs`.

mod churn;
mod clock;
mod disk;
mod evidence;
mod glances;
mod outputs;
mod reload;
mod restart;
#[cfg(all(target_os = "linux", any(target_arch = "aarch64", target_arch = "x86_64")))]
mod sandbox;
#[cfg(target_os = "linux")]
mod unit_file;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portolan::live::{Change, Event, EventLine, FindingNote};
use portolan::report::model::Report;
use tempfile::TempDir;

use crate::frames::{self, udp};
use crate::runs::{pcap, repository};
use crate::waiting::{PATIENCE, now, pause, wait};

/// Fixtures and their site files.
const FIXTURES: [(&str, &str); 3] = [
    ("quickstart", "site.toml"),
    ("voicemail", "site.toml"),
    ("voicemail", "site-roles-only.toml"),
];

/// A folder for the files of a test.
struct Post {
    folder: TempDir,
}

/// The option of a watch that `check` has not.
fn keep() -> [String; 2] {
    ["--keep".to_owned(), "24".to_owned()]
}

/// Takes over what tells the report of a watch from that of `check`.
fn make_like(watched: &mut Report, checked: &Report) {
    watched.run.mode.clone_from(&checked.run.mode);
    watched.run.options.clone_from(&checked.run.options);
    watched.attestation.clone_from(&checked.attestation);
}

/// A watch that runs.
struct Watching {
    child: Child,
}

impl Post {
    fn new() -> Post {
        Post { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
        command.args(arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts a watch; its events go to `events.ndjson`.
    fn watch(&self, arguments: &[&str]) -> Watching {
        let mut all = vec!["watch", "--events", "events.ndjson", "--quiet"];
        all.extend(arguments);
        Watching { child: self.command(&all).spawn().unwrap() }
    }

    /// The events written so far, of whole lines.
    fn events(&self) -> Vec<Event> {
        self.lines().into_iter().map(|line| line.event).collect()
    }

    fn lines(&self) -> Vec<EventLine> {
        let text = fs::read_to_string(self.path("events.ndjson")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Waits for an event.
    fn wait_for(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        wait(|| self.events().into_iter().find(|event| wanted(event)))
    }

    fn report(&self, name: &str) -> Report {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    /// The report of `check` over a capture.
    fn check(&self, capture: &Path, site: &Path) -> Report {
        let arguments = ["check", "--quiet", "--report", "check.json", "--max-memory", "1G"];
        let mut command = self.command(&arguments);
        let output = command.arg("--site").arg(site).arg(capture).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        self.report("check.json")
    }
}

impl Watching {
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; answers the exit status and what was said on standard error.
    fn end(mut self) -> (i32, String) {
        let status = wait(|| self.child.try_wait().unwrap());
        let output = self.child.wait_with_output().unwrap();
        (status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
    }
}

fn capture(fixture: &str) -> PathBuf {
    repository(&format!("fixtures/{fixture}/capture.pcap"))
}

fn site(fixture: &str, site: &str) -> PathBuf {
    repository(&format!("fixtures/{fixture}/{site}"))
}

fn finding(event: &Event) -> Option<(Change, &FindingNote)> {
    match event {
        Event::Finding { change, finding } => Some((*change, finding)),
        _ => None,
    }
}

/// What a watch has told of findings that the report has.
fn ids(report: &Report) -> Vec<String> {
    let told = report.findings.iter().filter(|finding| finding.code != "waiver-unused");
    let mut ids: Vec<_> = told.map(|finding| finding.id.clone()).collect();
    ids.sort();
    ids
}

/// Datagrams a second apart, from a host of the quick start to another: they go on for an hour.
fn an_hour() -> Vec<u8> {
    let second = |number: u16| {
        let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
        let time = 1_700_000_000_000_000_000 + i64::from(number) * 1_000_000_000;
        (time, udp(hosts, (40_000, 53), b"?"))
    };
    pcap(&(0..3600).map(second).collect::<Vec<_>>())
}

#[test]
fn a_capture_played_back_gives_the_report_of_check() {
    for (fixture, of) in FIXTURES {
        let post = Post::new();
        let (capture, site) = (capture(fixture), site(fixture, of));
        let replay = ["--replay", capture.to_str().unwrap(), "--report", "watch.json"];
        let (status, said) =
            post.watch(&[&replay[..], &["--site", site.to_str().unwrap()]].concat()).end();
        assert_eq!(said, "", "{fixture}");
        let mut watched = post.report("watch.json");
        let checked = post.check(&capture, &site);
        let verify = ["report", "verify", "watch.json"];
        let verified = post.command(&verify).arg(&capture).arg(&site).output().unwrap();
        assert_eq!(verified.status.code(), Some(0), "{fixture}");
        assert_eq!(watched.run.mode, "replay");
        assert_eq!(watched.run.options, [&checked.run.options[..], &keep()].concat());
        make_like(&mut watched, &checked);
        let texts = [&watched, &checked].map(|report| serde_json::to_string(report).unwrap());
        assert_eq!(texts[0], texts[1], "{fixture}");
        assert_eq!(status, if checked.outcome.result == "fail" { 1 } else { 3 });
    }
}

#[test]
fn each_finding_of_the_report_is_told_once_and_each_line_is_numbered() {
    for (fixture, of) in FIXTURES {
        let post = Post::new();
        let (capture, site) = (capture(fixture), site(fixture, of));
        let replay = ["--replay", capture.to_str().unwrap(), "--report", "watch.json"];
        post.watch(&[&replay[..], &["--site", site.to_str().unwrap()]].concat()).end();
        let lines = post.lines();
        let numbers: Vec<u64> = lines.iter().map(|line| line.sequence).collect();
        assert_eq!(numbers, (1..=lines.len() as u64).collect::<Vec<_>>());
        assert!(matches!(lines[0].event, Event::Started { remembered: 0, .. }));
        assert!(matches!(lines.last().unwrap().event, Event::Stopped { .. }));
        let events = post.events();
        let new = events.iter().filter_map(finding).filter(|(change, _)| *change == Change::New);
        let mut told: Vec<_> = new.map(|(_, finding)| finding.id.clone()).collect();
        told.sort();
        assert_eq!(told, ids(&post.report("watch.json")), "{fixture}");
        assert!(!told.is_empty(), "a fixture without findings proves nothing");
    }
}

/// The violation of the quick start's first packets, played at the speed at which they came.
#[test]
fn an_event_leaves_within_a_second_of_the_packet_that_decides_it() {
    let post = Post::new();
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let begin = 1_700_000_000_000_000_000;
    let packet = |millis: i64, port| (begin + millis * 1_000_000, udp(hosts, (40_000, port), b"?"));
    post.write("in.pcap", pcap(&[packet(0, 53), packet(2000, 9999), packet(8000, 53)]));
    let site = site("quickstart", "site.toml");
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--site"];
    let watching = post.watch(&[&arguments[..], &[site.to_str().unwrap()]].concat());
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    let begun = now();
    post.wait_for(|event| finding(event).is_some_and(|(_, finding)| finding.ports == "9999"));
    let taken = begun.elapsed();
    watching.signal("-TERM");
    watching.end();
    let (least, most) = (Duration::from_millis(1500), Duration::from_millis(3000));
    assert!(least < taken && taken < most, "{taken:?} after the begin, two seconds before it");
}

/// The shortest of some tries counts: on a busy machine any program waits for a processor, but not
/// every time, while one that waits for a packet or for its own timer does so every time.
#[test]
fn it_ends_within_a_second_while_nothing_comes() {
    for signal in ["-TERM", "-INT"] {
        let shortest = (0..5).map(|_| time_to_end(signal)).min();
        assert!(shortest < Some(Duration::from_secs(1)), "{shortest:?}");
    }
}

/// From a signal to the end of a watch.
fn time_to_end(signal: &str) -> Duration {
    let post = Post::new();
    post.write("in.pcap", an_hour());
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--report", "r.json"];
    let watching = post.watch(&arguments);
    let begun = now();
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    let signalled = now();
    watching.signal(signal);
    let (status, said) = watching.end();
    let taken = signalled.elapsed();
    assert_eq!((status, said.as_str()), (3, ""), "too little was seen for a pass");
    // None if it ended before the first, one at the begin, and one in each second since.
    let most = begun.elapsed().as_secs() + 2;
    let packets = post.report("r.json").accounting.packets_read;
    assert!(packets <= most, "{packets} packets in {:?}", begun.elapsed());
    taken
}

#[test]
fn the_command_line_is_checked_before_anything_is_watched() {
    let post = Post::new();
    post.write("in.pcap", pcap(&[(0, frames::arp())]));
    post.write("bad.toml", "schema = 1\n[site]\nnam = 1\n");
    let refused = [
        (vec!["watch"], "--replay"),
        (vec!["watch", "--replay", "in.pcap", "--interface", "lo"], "cannot be used with"),
        (vec!["watch", "--replay", "none.pcap"], "none.pcap"),
        (vec!["watch", "--replay", "in.pcap", "--site", "bad.toml"], "bad.toml:3"),
        (vec!["watch", "--replay", "in.pcap", "--report", "none/r.json"], "none/r.json"),
        (vec!["watch", "--replay", "in.pcap", "--html", "none/r.html"], "none/r.html"),
        (vec!["watch", "--replay", "in.pcap", "--flows", "none/f"], "none/f"),
        (vec!["watch", "--replay", "in.pcap", "--flows", "in.pcap"], "would replace a capture"),
        (vec!["watch", "--replay", "in.pcap", "--report", "-"], "goes to a file"),
        (vec!["watch", "--replay", "in.pcap", "--report", "r", "--html", "r"], "cannot both go"),
        (vec!["watch", "--replay", "in.pcap", "--events", "none/e"], "none/e"),
        (vec!["watch", "--replay", "in.pcap", "--state", "none/s"], "none/s"),
        (vec!["watch", "--replay", "in.pcap", "--state", "bad.toml"], "line 1 of `bad.toml`"),
        (vec!["watch", "--replay", "in.pcap", "--metrics", "x"], "neither a port"),
        (vec!["watch", "--replay", "in.pcap", "--metrics", "192.0.2.1:1"], "cannot listen"),
    ];
    for (arguments, reason) in refused {
        let output = post.command(&arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(reason), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
