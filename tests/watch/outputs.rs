//! Outputs that stall, fail or come back, and what is told to those who look after the program.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;

use super::*;

/// A port of this machine that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn get(port: u16, path: &str) -> String {
    let mut stream = wait(|| TcpStream::connect(("127.0.0.1", port)).ok());
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_event_reader_that_stalls_stops_nothing_but_the_events() {
    let post = Post::new();
    let made = Command::new("mkfifo").arg(post.path("events.fifo")).status().unwrap();
    assert!(made.success());
    // Open both ways, so that it has a reader; and full, so that the first line does not go in.
    let fifo = fs::OpenOptions::new().read(true).write(true).open(post.path("events.fifo"));
    let mut fifo = fifo.unwrap();
    fifo.write_all(&[b'\n'; 65_536]).unwrap();
    let capture = capture("quickstart");
    let arguments = ["watch", "--quiet", "--events", "events.fifo", "--report", "watch.json"];
    let mut command = post.command(&arguments);
    let begun = now();
    let watching = Watching { child: command.arg("--replay").arg(&capture).spawn().unwrap() };
    let (_, said) = watching.end();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(said.contains("events were not taken"), "{said}");
    // As capinfos counts them.
    assert_eq!(post.report("watch.json").accounting.packets_read, 172);
    drop(fifo);
}

#[test]
fn a_full_disk_under_the_events_ends_nothing() {
    let post = Post::new();
    let capture = capture("quickstart");
    let arguments = ["watch", "--quiet", "--events", "/dev/full", "--report", "watch.json"];
    let mut command = post.command(&arguments);
    let output = command.arg("--replay").arg(&capture).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("events were not taken"), "{said}");
    assert_eq!(post.report("watch.json").accounting.packets_read, 172);
}

#[test]
fn a_reader_of_events_that_has_gone_ends_nothing() {
    let post = Post::new();
    let capture = capture("quickstart");
    let mut command = post.command(&["watch", "--report", "watch.json"]);
    let mut child = command.arg("--replay").arg(&capture).spawn().unwrap();
    drop(child.stdout.take());
    let (_, said) = Watching { child }.end();
    assert_eq!(said, "");
    assert_eq!(post.report("watch.json").accounting.packets_read, 172);
}

#[test]
fn a_report_that_cannot_be_written_is_an_event_and_is_tried_again() {
    let post = Post::new();
    post.write("in.pcap", an_hour());
    fs::create_dir(post.path("reports")).unwrap();
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--report", "reports/r.json"];
    let watching = post.watch(&arguments);
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    fs::remove_dir(post.path("reports")).unwrap();
    watching.signal("-USR1");
    let failed = post.wait_for(|event| matches!(event, Event::CheckpointFailed { .. }));
    let Event::CheckpointFailed { reason } = failed else { unreachable!() };
    assert!(reason.contains("reports/r.json"), "{reason}");
    fs::create_dir(post.path("reports")).unwrap();
    // A folder of the same name is another folder, to which the sandbox gives no access.
    watching.signal("-TERM");
    let (status, said) = watching.end();
    assert!(status == 2 && said.contains("reports/r.json") || status == 3, "{status} {said}");
}

#[test]
fn a_signal_has_the_report_written_now() {
    let post = Post::new();
    post.write("in.pcap", an_hour());
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--report", "r.json"];
    let watching = post.watch(&arguments);
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    assert!(!post.path("r.json").exists());
    watching.signal("-USR1");
    wait(|| post.path("r.json").exists().then_some(()));
    assert_eq!(post.report("r.json").run.mode, "replay");
    watching.signal("-TERM");
    watching.end();
}

#[test]
fn counters_and_health_are_answered_over_http() {
    let post = Post::new();
    let port = free_port();
    post.write("in.pcap", an_hour());
    let number = port.to_string();
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--metrics", &number];
    let watching = post.watch(&arguments);
    wait(|| get(port, "/metrics").contains("portolan_packets_total 1\n").then_some(()));
    let answer = get(port, "/metrics");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let samples = answer.lines().filter(|line| line.starts_with("portolan_"));
    for sample in samples {
        let value = sample.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{sample}");
    }
    assert!(answer.contains("# TYPE portolan_dropped_packets_total counter\n"));
    assert!(get(port, "/healthz").ends_with("\r\n\r\nok\n"));
    assert!(get(port, "/").starts_with("HTTP/1.1 404 "));
    watching.signal("-TERM");
    watching.end();
}

#[test]
fn the_service_manager_is_told_that_it_is_ready_alive_and_stopping() {
    let post = Post::new();
    let socket = UnixDatagram::bind(post.path("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    post.write("in.pcap", an_hour());
    let arguments = ["watch", "--replay", "in.pcap", "--speed", "original"];
    let mut command = post.command(&arguments);
    command.env("NOTIFY_SOCKET", post.path("notify")).env("WATCHDOG_USEC", "200000");
    let watching = Watching { child: command.stdout(Stdio::null()).spawn().unwrap() };
    let next = || {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert_eq!(next(), "READY=1");
    assert_eq!((next(), next()), ("WATCHDOG=1".to_owned(), "WATCHDOG=1".to_owned()));
    watching.signal("-TERM");
    let last = std::iter::repeat_with(next).find(|message| message != "WATCHDOG=1");
    assert_eq!(last.unwrap(), "STOPPING=1");
    watching.end();
}

#[test]
fn page_and_flow_list_are_written_with_each_report() {
    let post = Post::new();
    let (capture, site) = (capture("quickstart"), site("quickstart", "site.toml"));
    let arguments = ["--replay", capture.to_str().unwrap(), "--site", site.to_str().unwrap()];
    let files = ["--report", "r.json", "--html", "r.html", "--flows", "f.ndjson"];
    let (_, said) = post.watch(&[&arguments[..], &files].concat()).end();
    assert_eq!(said, "");
    let report = post.report("r.json");
    let list = report.flow_list.as_ref().expect("a flow list was asked for");
    let lines = fs::read_to_string(post.path("f.ndjson")).unwrap();
    assert_eq!(lines.lines().count() as u64, report.accounting.flows);
    assert_eq!((list.file.as_str(), list.flows), ("f.ndjson", report.accounting.flows));
    let verify = ["report", "verify", "r.json", "f.ndjson"];
    let verified = post.command(&verify).arg(&capture).arg(&site).output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
    // The same list as that of an offline run.
    let check = ["check", "--quiet", "--flows", "offline.ndjson", "--site"];
    post.command(&check).arg(&site).arg(&capture).output().unwrap();
    assert_eq!(lines, fs::read_to_string(post.path("offline.ndjson")).unwrap());
    let page = fs::read_to_string(post.path("r.html")).unwrap();
    assert!(page.contains(&report.findings[0].id));
    for path in ["r.json.unfinished", "r.html.unfinished", "f.ndjson.unfinished"] {
        assert!(!post.path(path).exists(), "{path}");
    }
}
