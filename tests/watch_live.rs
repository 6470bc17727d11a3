//! `portolan watch` on network interfaces, in network namespaces that the tests make: a bridge
//! whose traffic `tc` mirrors to a monitor port, as a switch does. Packets are sent by this program
//! itself, run again inside the namespace.
//!
//! Needs root, `ip` and `tc`; what compares with a recording needs `tcpdump` too. A test that
//! lacks what it needs says that it was skipped.

mod waiting;
mod watch_capture;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portolan::live::{Change, Event, EventLine};
use portolan::report::model::Report;
use tempfile::TempDir;

use self::waiting::{PATIENCE, now, pause, wait};

/// Environment variables that make `send_when_asked` send: file, interface, how often.
const SEND: [&str; 3] = ["PORTOLAN_SEND_FILE", "PORTOLAN_SEND_INTERFACE", "PORTOLAN_SEND_TIMES"];

/// A site in a namespace of its own: the hosts send on `host`, a port of the bridge; what comes in
/// there is mirrored to `span`, whose other end is `monitor`.
struct Lab {
    name: String,
    folder: TempDir,
}

/// A program that runs in the namespace.
struct Running {
    child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already when all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Nothing can be done about a namespace that stays.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

impl Lab {
    /// Makes the namespace; `None` when that is not possible here.
    fn new(test: &str) -> Option<Lab> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("portolan-{}-{number}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).stderr(Stdio::null()).status();
        if !made.is_ok_and(|status| status.success()) {
            skip(test, "root and `ip` to make a network namespace");
            return None;
        }
        let folder = TempDir::new().unwrap();
        // The watch goes on as another user.
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let lab = Lab { name, folder };
        let ipv6 = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"];
        for setting in ipv6 {
            lab.run("sysctl", &["-qw", setting]);
        }
        let links = [
            "link set dev lo up",
            "link add dev bridge type bridge",
            "link add dev host type veth peer name port",
            "link add dev monitor type veth peer name span",
            "link set dev port master bridge",
            "link set dev host up",
            "link set dev port up",
            "link set dev bridge up",
            "link set dev span up",
            "link set dev monitor up",
        ];
        for link in links {
            lab.run("ip", &link.split(' ').collect::<Vec<_>>());
        }
        lab.run("tc", &["qdisc", "add", "dev", "port", "clsact"]);
        let mirror = "filter add dev port ingress protocol all u32 match u32 0 0 action mirred egress mirror dev span";
        lab.run("tc", &mirror.split(' ').collect::<Vec<_>>());
        Some(lab)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program in the namespace.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.command(program).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
    }

    /// Starts a watch of the monitor port, and waits until it captures.
    fn watch(&self, arguments: &[&str]) -> Running {
        let mut all = vec!["watch", "--interface", "monitor", "--user", "nobody"];
        all.extend(["--events", "events.ndjson", "--report", "watch.json", "--quiet"]);
        all.extend(arguments);
        let child = self.command(env!("CARGO_BIN_EXE_portolan")).args(&all).spawn().unwrap();
        let mut running = Running { child };
        wait(|| {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "{}", running.said());
            self.events().into_iter().find(|event| matches!(event, Event::Started { .. }))
        });
        running
    }

    /// Records the monitor port beside; `None` without tcpdump.
    fn record(&self, test: &str) -> Option<Running> {
        let arguments = "-i monitor -s 0 -U --time-stamp-precision=nano -Z root -w beside.pcap";
        let child = self.command("tcpdump").args(arguments.split(' ')).spawn().unwrap();
        let mut running = Running { child };
        // It writes the head of the file when it is ready.
        let begun = now();
        while !fs::metadata(self.path("beside.pcap")).is_ok_and(|file| file.len() >= 24) {
            if running.child.try_wait().unwrap().is_some() || begun.elapsed() > PATIENCE {
                skip(test, "tcpdump to record beside");
                return None;
            }
            pause(Duration::from_millis(10));
        }
        Some(running)
    }

    /// Sends the packets of a capture from the hosts, `times` times.
    fn send(&self, capture: &Path, times: u32) {
        self.send_on("host", capture, times);
    }

    /// A program that sends the packets of a capture out of an interface, `times` times.
    fn sender(&self, interface: &str, capture: &Path, times: u32) -> Command {
        let program = std::env::current_exe().unwrap();
        let mut command = self.command(program.to_str().unwrap());
        command.args(["--exact", "send_when_asked", "--nocapture"]);
        let values = [capture.to_str().unwrap(), interface, &times.to_string()].map(str::to_owned);
        command.envs(SEND.into_iter().zip(values));
        command
    }

    /// Sends out of another interface.
    fn send_on(&self, interface: &str, capture: &Path, times: u32) {
        let output = self.sender(interface, capture, times).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    fn lines(&self) -> Vec<EventLine> {
        let text = fs::read_to_string(self.path("events.ndjson")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    fn events(&self) -> Vec<Event> {
        self.lines().into_iter().map(|line| line.event).collect()
    }

    fn wait_for(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        wait(|| self.events().into_iter().find(|event| wanted(event)))
    }

    fn report(&self, name: &str) -> Report {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    /// The report of `check` over a capture.
    fn check(&self, capture: &Path, site: &Path) -> Report {
        let mut command = self.command(env!("CARGO_BIN_EXE_portolan"));
        let arguments = ["check", "--quiet", "--report", "check.json", "--max-memory", "1G"];
        command.args(arguments).arg("--site").arg(site).arg(capture);
        let output = command.output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        self.report("check.json")
    }
}

impl Running {
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Tells it to end and waits; answers the exit status and how long it took.
    fn stop(&mut self) -> (Option<i32>, Duration) {
        let begun = now();
        self.signal("-TERM");
        let status = wait(|| self.child.try_wait().unwrap());
        (status.code(), begun.elapsed())
    }

    /// What it said on standard error; it must have ended.
    fn said(&mut self) -> String {
        use std::io::Read;
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// A field of its status (proc(5)).
    fn status(&self, field: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_start_matches(':').trim().to_owned()
    }
}

#[expect(clippy::print_stdout, reason = "a test that was left out says so")]
fn skip(test: &str, lacks: &str) {
    println!("{test}: skipped, for it needs {lacks}");
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The sending program: does nothing unless it is asked through the environment.
#[test]
fn send_when_asked() {
    let [Some(file), Some(interface), Some(times)] = SEND.map(|name| std::env::var(name).ok())
    else {
        return;
    };
    let mut out = pcap::Capture::from_device(interface.as_str()).unwrap().open().unwrap();
    let mut frames = Vec::new();
    let mut capture = pcap::Capture::from_file(file).unwrap();
    while let Ok(packet) = capture.next_packet() {
        frames.push(packet.data.to_vec());
    }
    for _ in 0..times.parse::<u32>().unwrap() {
        for frame in &frames {
            // A queue that is full has room in a moment.
            wait(|| out.sendpacket(frame.as_slice()).ok());
        }
    }
}

/// How many packets tcpdump has recorded so far; `None` while the last is not whole.
fn recorded(file: &Path) -> Option<u64> {
    let mut capture = pcap::Capture::from_file(file).ok()?;
    let mut packets = 0;
    loop {
        match capture.next_packet() {
            Ok(_) => packets += 1,
            Err(pcap::Error::NoMorePackets) => return Some(packets),
            Err(_) => return None,
        }
    }
}

fn packets_of(file: &Path) -> u64 {
    recorded(file).unwrap()
}

#[test]
fn a_live_run_gives_the_report_of_the_packets_recorded_beside_it() {
    let test = "a_live_run_gives_the_report_of_the_packets_recorded_beside_it";
    let sites = [
        ("quickstart", "site.toml"),
        ("voicemail", "site.toml"),
        ("voicemail", "site-roles-only.toml"),
    ];
    for (fixture, site) in sites {
        let Some(lab) = Lab::new(test) else { return };
        let capture = repository(&format!("fixtures/{fixture}/capture.pcap"));
        let site = repository(&format!("fixtures/{fixture}/{site}"));
        fs::copy(&site, lab.path("site.toml")).unwrap();
        let Some(mut recording) = lab.record(test) else { return };
        let mut watching = lab.watch(&["--site", "site.toml"]);
        lab.send(&capture, 1);
        let sent = packets_of(&capture);
        wait(|| (recorded(&lab.path("beside.pcap")) == Some(sent)).then_some(()));
        watching.stop();
        recording.stop();
        let (mut live, offline) =
            (lab.report("watch.json"), lab.check(&lab.path("beside.pcap"), &site));
        assert_eq!(live.accounting.packets_read, sent);
        assert_eq!(
            (live.run.mode.as_str(), live.capture_health.dropped_packets),
            ("live", Some(0))
        );
        // What a file does not tell, and what only a file tells.
        live.run.mode.clone_from(&offline.run.mode);
        live.run.options.clone_from(&offline.run.options);
        live.attestation.clone_from(&offline.attestation);
        live.capture_health.dropped_packets = offline.capture_health.dropped_packets;
        live.capture_health.drops.clone_from(&offline.capture_health.drops);
        live.inputs.clone_from(&offline.inputs);
        let texts = [&live, &offline].map(|report| serde_json::to_string_pretty(report).unwrap());
        assert!(texts[0] == texts[1], "{fixture}: {} and {}", texts[0].len(), texts[1].len());
    }
}

/// The first packets of a recording, and the last ones, as two captures.
fn ends_of(recording: &Path, (first, last): (u64, u64), to: [&Path; 2]) {
    let total = packets_of(recording);
    let mut source = pcap::Capture::from_file_with_precision(recording, pcap::Precision::Nano)
        .expect("a recording");
    let dead = |to: &Path| {
        let link = pcap::Linktype::ETHERNET;
        let dead = pcap::Capture::dead_with_precision(link, pcap::Precision::Nano).unwrap();
        dead.savefile(to).unwrap()
    };
    let [mut one, mut other] = to.map(dead);
    let mut number = 0;
    while let Ok(packet) = source.next_packet() {
        if number < first {
            one.write(&packet);
        }
        if number >= total - last {
            other.write(&packet);
        }
        number += 1;
    }
    one.flush().unwrap();
    other.flush().unwrap();
}

/// Killed while packets come, and started again: the report is the one over the packets less those
/// between the last checkpoint and the start.
#[test]
fn a_watch_that_is_killed_under_load_loses_what_came_after_the_last_checkpoint() {
    let test = "a_watch_that_is_killed_under_load_loses_what_came_after_the_last_checkpoint";
    let Some(lab) = Lab::new(test) else { return };
    let voicemail = repository("fixtures/voicemail/capture.pcap");
    let quickstart = repository("fixtures/quickstart/capture.pcap");
    let site = repository("fixtures/voicemail/site.toml");
    fs::copy(&site, lab.path("site.toml")).unwrap();
    fs::create_dir(lab.path("state")).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(lab.path("state"), fs::Permissions::from_mode(0o777)).unwrap();
    let Some(mut recording) = lab.record(test) else { return };
    let arguments = ["--site", "site.toml", "--state", "state/findings"];
    let mut watching = lab.watch(&arguments);
    lab.send(&voicemail, 1);
    watching.signal("-USR1");
    wait(|| fs::metadata(lab.path("state/findings.flows")).ok());
    // What a checkpoint knows to be told is written last.
    let knows = |text: &String| text.contains(r#""told":true"#);
    wait(|| fs::read_to_string(lab.path("state/findings")).ok().filter(knows));
    lab.send(&quickstart, 40);
    watching.signal("-KILL");
    wait(|| watching.child.try_wait().unwrap());
    let told = lab.events();
    let state = fs::read_to_string(lab.path("state/findings")).unwrap();
    fs::remove_file(lab.path("events.ndjson")).unwrap();
    let mut watching = lab.watch(&arguments);
    lab.send(&quickstart, 1);
    let sent = packets_of(&voicemail) + 41 * packets_of(&quickstart);
    wait(|| (recorded(&lab.path("beside.pcap")) == Some(sent)).then_some(()));
    watching.stop();
    recording.stop();
    let live = lab.report("watch.json");
    let counts = (live.inputs[0].packets, live.inputs[1].packets);
    assert!(counts.0 > 0 && counts.0 <= packets_of(&voicemail), "{counts:?}");
    assert_eq!((live.inputs.len(), counts.1), (2, packets_of(&quickstart)));
    let (one, other) = (lab.path("one.pcap"), lab.path("other.pcap"));
    ends_of(&lab.path("beside.pcap"), counts, [&one, &other]);
    let mut command = lab.command(env!("CARGO_BIN_EXE_portolan"));
    command.args(["check", "--quiet", "--report", "check.json", "--max-memory", "1G"]);
    let output = command.args(["--site", "site.toml", "one.pcap", "other.pcap"]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let offline = lab.report("check.json");
    let [live, offline] = [&live, &offline].map(|report| serde_json::to_value(report).unwrap());
    for block in ["window", "accounting", "findings", "rules", "hosts", "unknown_peers"] {
        assert_eq!(live[block], offline[block], "{block}");
    }
    // No finding that was told is forgotten, and none that the state knew to be told is told again.
    let new = |events: &[Event]| -> Vec<String> {
        let ids = events.iter().filter_map(|event| match event {
            Event::Finding { change: Change::New, finding } => Some(finding.id.clone()),
            _ => None,
        });
        ids.collect()
    };
    let mut remembered = BTreeMap::new();
    for line in state.lines() {
        // A kill may cut the last line off.
        let Ok(known) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        if let Some(id) = known["finding"]["id"].as_str() {
            remembered.insert(id.to_owned(), known["told"] == true);
        }
    }
    let (before, after) = (new(&told), new(&lab.events()));
    assert!(before.len() > 10 && before.iter().all(|id| remembered.contains_key(id)));
    let again = after.iter().filter(|id| remembered.get(*id) == Some(&true)).count();
    assert_eq!(again, 0, "{after:?}");
    assert!(remembered.values().any(|told| *told), "no checkpoint knew of any event");
}

#[test]
fn the_outer_tag_that_the_kernel_takes_off_is_put_back() {
    let Some(lab) = Lab::new("the_outer_tag_that_the_kernel_takes_off_is_put_back") else { return };
    let capture = repository("fixtures/quickstart/capture.pcap");
    // Inner tag 7 in outer tag 100 (IEEE 802.1ad and 802.1Q).
    let mut source = pcap::Capture::from_file(&capture).unwrap();
    let dead = pcap::Capture::dead(pcap::Linktype::ETHERNET).unwrap();
    let mut out = dead.savefile(lab.path("tagged.pcap")).unwrap();
    while let Ok(packet) = source.next_packet() {
        let (addresses, rest) = packet.data.split_at(12);
        let tags = [0x88, 0xa8, 0, 100, 0x81, 0, 0, 7];
        let data = [addresses, &tags, rest].concat();
        let length = data.len() as u32;
        let header = pcap::PacketHeader { ts: packet.header.ts, caplen: length, len: length };
        out.write(&pcap::Packet { header: &header, data: &data });
    }
    out.flush().unwrap();
    let site = repository("fixtures/quickstart/site.toml");
    fs::copy(&site, lab.path("site.toml")).unwrap();
    let mut watching = lab.watch(&["--site", "site.toml"]);
    lab.send(&lab.path("tagged.pcap"), 1);
    pause(Duration::from_millis(300));
    watching.stop();
    let live = lab.report("watch.json");
    let offline = lab.check(&lab.path("tagged.pcap"), &site);
    assert_eq!(live.accounting.frame_bytes_read, offline.accounting.frame_bytes_read);
    let vlans = |report: &Report| serde_json::to_string(&report.capture_health.vlans).unwrap();
    assert_eq!(vlans(&live), vlans(&offline));
    assert!(vlans(&live).contains("\"vlan\":7"), "{}", vlans(&live));
    let untagged = packets_of(&capture) * 8 + capture_bytes(&capture);
    assert_eq!(live.accounting.frame_bytes_read, untagged, "eight bytes of tags in each");
}

fn capture_bytes(file: &Path) -> u64 {
    let mut capture = pcap::Capture::from_file(file).unwrap();
    let mut bytes = 0;
    while let Ok(packet) = capture.next_packet() {
        bytes += u64::from(packet.header.len);
    }
    bytes
}

/// A watch that does not come to read for a while, with a small ring.
#[test]
fn every_packet_that_is_dropped_is_told_within_a_second_and_weakens_the_grade() {
    let Some(lab) = Lab::new("every_packet_that_is_dropped") else { return };
    let capture = repository("fixtures/quickstart/capture.pcap");
    fs::copy(repository("fixtures/quickstart/site.toml"), lab.path("site.toml")).unwrap();
    let mut watching = lab.watch(&["--site", "site.toml", "--ring", "1M"]);
    lab.send(&capture, 1);
    lab.wait_for(|event| matches!(event, Event::Finding { .. }));
    watching.signal("-STOP");
    lab.send(&capture, 300);
    let resumed = now();
    watching.signal("-CONT");
    lab.wait_for(|event| matches!(event, Event::Loss { .. }));
    assert!(resumed.elapsed() < Duration::from_secs(1), "{:?}", resumed.elapsed());
    pause(Duration::from_millis(500));
    watching.stop();
    let report = lab.report("watch.json");
    let dropped = report.capture_health.dropped_packets.unwrap();
    let sent = 301 * packets_of(&capture);
    assert!(dropped > 0);
    assert_eq!(report.accounting.packets_read + dropped, sent, "{dropped} dropped");
    let told: u64 = lab
        .events()
        .iter()
        .map(|event| match event {
            Event::Loss { dropped_by_system, .. } => *dropped_by_system,
            _ => 0,
        })
        .sum();
    assert_eq!(told, dropped);
    let loss = report.outcome.measures.iter().find(|measure| measure.measure == "loss");
    assert!(matches!(report.outcome.grade.as_str(), "C" | "D"), "{:?}", loss);
}

#[test]
fn an_interface_that_goes_down_and_comes_up_is_told_and_watched_on() {
    let Some(lab) = Lab::new("an_interface_that_goes_down_and_comes_up") else { return };
    let capture = repository("fixtures/quickstart/capture.pcap");
    let mut watching = lab.watch(&[]);
    lab.send(&capture, 1);
    lab.run("ip", &["link", "set", "dev", "monitor", "down"]);
    lab.wait_for(|event| matches!(event, Event::Interface { up: false, .. }));
    lab.run("ip", &["link", "set", "dev", "monitor", "up"]);
    lab.wait_for(|event| matches!(event, Event::Interface { up: true, .. }));
    lab.send(&capture, 1);
    pause(Duration::from_millis(300));
    watching.stop();
    let packets = lab.report("watch.json").accounting.packets_read;
    assert_eq!(packets, 2 * packets_of(&capture), "those before and those after");
}

#[test]
fn an_interface_without_a_carrier_at_the_start_is_told_and_watched_once_it_has_one() {
    let Some(lab) = Lab::new("an_interface_without_a_carrier_at_the_start") else { return };
    let capture = repository("fixtures/quickstart/capture.pcap");
    lab.run("ip", &["link", "set", "dev", "span", "down"]);
    let mut watching = lab.watch(&[]);
    lab.wait_for(|event| matches!(event, Event::Interface { up: false, .. }));
    lab.run("ip", &["link", "set", "dev", "span", "up"]);
    lab.wait_for(|event| matches!(event, Event::Interface { up: true, .. }));
    lab.send(&capture, 1);
    pause(Duration::from_millis(300));
    watching.stop();
    let packets = lab.report("watch.json").accounting.packets_read;
    assert_eq!(packets, packets_of(&capture));
}

#[test]
fn an_interface_that_is_taken_away_ends_the_watch_with_a_report() {
    let Some(lab) = Lab::new("an_interface_that_is_taken_away") else { return };
    let mut watching = lab.watch(&[]);
    lab.run("ip", &["link", "del", "dev", "span"]);
    let status = wait(|| watching.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(2), "so that a service manager starts it again");
    let said = watching.said();
    assert!(said.contains("the interface was taken away"), "{said}");
    let events = lab.events();
    assert!(events.iter().any(|event| matches!(event, Event::Interface { up: false, .. })));
    assert!(matches!(events.last(), Some(Event::Stopped { .. })));
    assert_eq!(lab.report("watch.json").inputs[0].ending, "unreadable");
}

#[test]
fn a_watch_of_an_idle_link_ends_within_a_second() {
    let Some(lab) = Lab::new("a_watch_of_an_idle_link") else { return };
    let mut watching = lab.watch(&[]);
    pause(Duration::from_millis(500));
    let (status, taken) = watching.stop();
    assert!(taken < Duration::from_secs(1), "{taken:?}");
    assert_eq!(status, Some(3), "nothing was seen, so nothing can pass");
}

/// As the unit file starts it: not as root, with one capability.
#[test]
fn a_watch_that_starts_with_one_capability_goes_on_without() {
    let Some(lab) = Lab::new("a_watch_that_starts_with_one_capability") else { return };
    let mut command = lab.command("setpriv");
    command.args("--reuid nobody --clear-groups --inh-caps -all,+net_raw".split(' '));
    command.args("--ambient-caps -all,+net_raw --bounding-set -all,+net_raw".split(' '));
    command.arg(env!("CARGO_BIN_EXE_portolan"));
    command.args("watch --interface monitor --events events.ndjson".split(' '));
    command.args(["--site", "site.toml"]);
    fs::copy(repository("fixtures/quickstart/site.toml"), lab.path("site.toml")).unwrap();
    let mut watching = Running { child: command.spawn().unwrap() };
    lab.wait_for(|event| matches!(event, Event::Started { .. }));
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        assert_eq!(watching.status(set), "0000000000000000", "{set}");
    }
    lab.send(&repository("fixtures/quickstart/capture.pcap"), 1);
    lab.wait_for(|event| matches!(event, Event::Finding { .. }));
    watching.stop();
}

#[test]
fn a_watch_is_not_root_once_it_has_begun() {
    let Some(lab) = Lab::new("a_watch_is_not_root_once_it_has_begun") else { return };
    let mut refused = lab.command(env!("CARGO_BIN_EXE_portolan"));
    let output = refused.args(["watch", "--interface", "monitor"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("--user"), "{said}");
    let mut watching = lab.watch(&[]);
    assert_ne!(watching.status("Uid").split_whitespace().next(), Some("0"));
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        assert_eq!(watching.status(set), "0000000000000000", "{set}");
    }
    assert_eq!(watching.status("NoNewPrivs"), "1");
    watching.stop();
}
