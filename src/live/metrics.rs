//! Counters of a watch, as text for Prometheus (text format 0.0.4) over HTTP.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::clock;

/// How long a client may take to ask and to listen.
const CLIENT_PATIENCE: Duration = Duration::from_secs(2);

/// Most bytes read of a request.
const REQUEST: u64 = 8192;

/// A watch whose main loop has not gone round for so long is not healthy.
const STALLED: Duration = Duration::from_secs(10);

/// A finding that was told.
#[derive(Clone, Debug)]
pub struct Newest {
    /// Time of its last packet.
    pub when: String,
    /// Its severity.
    pub severity: String,
    /// The finding in one line.
    pub title: String,
}

/// The counters.
#[derive(Clone, Debug)]
pub struct Counters {
    /// Packets folded.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// Packets that the operating system dropped.
    pub dropped_by_system: u64,
    /// Packets that the card or its driver dropped.
    pub dropped_by_interface: u64,
    /// Runs of flows held.
    pub flows: u64,
    /// Runs of flows forgotten because they ended long ago.
    pub flows_forgotten: u64,
    /// Findings present, by code and severity.
    pub findings: Vec<(String, String, u64)>,
    /// Findings remembered, present or not.
    pub findings_known: u64,
    /// Events made.
    pub events: u64,
    /// Events waiting for their reader.
    pub events_waiting: u64,
    /// Reports written.
    pub checkpoints: u64,
    /// Reports that could not be written.
    pub checkpoints_failed: u64,
    /// Reloads accepted.
    pub reloads: u64,
    /// Reloads refused.
    pub reloads_refused: u64,
    /// Whether the interface is up.
    pub interface_up: bool,
    /// Time of the last packet, in seconds since 1970.
    pub last_packet: Option<f64>,
    /// How long the last look took, in seconds.
    pub look_seconds: f64,
    /// How long the last glance took, in seconds.
    pub glance_seconds: f64,
    /// How long packets last waited while the flows to be judged were copied, in seconds.
    pub copy_seconds: f64,
    /// Grade of the evidence.
    pub grade: String,
    /// Findings told last, the newest at the end.
    pub newest: VecDeque<Newest>,
    /// Addresses that began most flows of findings, most first, with their number.
    pub outside: Vec<(String, u64)>,
    /// Memory of this process that lies in RAM.
    pub resident_bytes: Option<u64>,
    /// When the watch began.
    pub begun: Instant,
    /// When the main loop last went round.
    pub alive: Instant,
}

/// The counters, shared.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Mutex<Counters>>);

impl Default for Metrics {
    fn default() -> Self {
        Metrics(Arc::new(Mutex::new(Counters {
            packets: 0,
            frame_bytes: 0,
            dropped_by_system: 0,
            dropped_by_interface: 0,
            flows: 0,
            flows_forgotten: 0,
            findings: Vec::new(),
            findings_known: 0,
            events: 0,
            events_waiting: 0,
            checkpoints: 0,
            checkpoints_failed: 0,
            reloads: 0,
            reloads_refused: 0,
            interface_up: true,
            last_packet: None,
            look_seconds: 0.0,
            glance_seconds: 0.0,
            copy_seconds: 0.0,
            grade: String::new(),
            newest: VecDeque::new(),
            outside: Vec::new(),
            resident_bytes: None,
            begun: clock::now(),
            alive: clock::now(),
        })))
    }
}

impl Metrics {
    /// Changes the counters.
    pub fn update(&self, change: impl FnOnce(&mut Counters)) {
        // A thread that fell over half way leaves numbers, which are sound.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The counters as they are now.
    pub fn read(&self) -> Counters {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_healthy(&self) -> bool {
        clock::now().duration_since(self.read().alive) < STALLED
    }
}

/// Answers `/metrics` and `/healthz` from now on, on a thread of its own.
///
/// # Errors
/// When the thread cannot be started.
pub fn serve(listener: TcpListener, metrics: Metrics) -> io::Result<()> {
    thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        for client in listener.incoming() {
            match client {
                // What a client makes of the answer is its own affair.
                Ok(client) => drop(answer(client, &metrics)),
                Err(_) => clock::pause(Duration::from_millis(100)),
            }
        }
    })?;
    Ok(())
}

fn answer(client: TcpStream, metrics: &Metrics) -> io::Result<()> {
    client.set_read_timeout(Some(CLIENT_PATIENCE))?;
    client.set_write_timeout(Some(CLIENT_PATIENCE))?;
    let mut line = String::new();
    BufReader::new((&client).take(REQUEST)).read_line(&mut line)?;
    let mut words = line.split_ascii_whitespace();
    let (status, body) = match (words.next(), words.next()) {
        (Some("GET"), Some("/metrics")) => ("200 OK", text(&metrics.read())),
        (Some("GET"), Some("/healthz")) if metrics.is_healthy() => ("200 OK", "ok\n".to_owned()),
        (Some("GET"), Some("/healthz")) => ("503 Service Unavailable", "stalled\n".to_owned()),
        (Some("GET"), _) => ("404 Not Found", "see /metrics and /healthz\n".to_owned()),
        _ => ("405 Method Not Allowed", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    (&client).write_all(head.as_bytes())?;
    (&client).write_all(body.as_bytes())
}

/// The counters as text.
fn text(counters: &Counters) -> String {
    let grade = match counters.grade.as_str() {
        "A" => 4.0,
        "B" => 3.0,
        "C" => 2.0,
        "D" => 1.0,
        _ => 0.0,
    };
    let simple = [
        ("packets_total", "counter", "Packets folded.", counters.packets as f64),
        ("frame_bytes_total", "counter", "Bytes of whole frames.", counters.frame_bytes as f64),
        ("flows", "gauge", "Runs of flows held.", counters.flows as f64),
        (
            "flows_forgotten_total",
            "counter",
            "Runs of flows that ended before the time that is reported over.",
            counters.flows_forgotten as f64,
        ),
        ("findings_known", "gauge", "Findings remembered.", counters.findings_known as f64),
        ("events_total", "counter", "Events made.", counters.events as f64),
        ("events_waiting", "gauge", "Events not yet written.", counters.events_waiting as f64),
        ("checkpoints_total", "counter", "Reports written.", counters.checkpoints as f64),
        (
            "checkpoints_failed_total",
            "counter",
            "Reports that could not be written.",
            counters.checkpoints_failed as f64,
        ),
        ("reloads_total", "counter", "Reloads accepted.", counters.reloads as f64),
        (
            "reloads_refused_total",
            "counter",
            "Reloads refused; the old rules are in force.",
            counters.reloads_refused as f64,
        ),
        ("interface_up", "gauge", "1 when it is up.", f64::from(counters.interface_up)),
        (
            "last_packet_timestamp_seconds",
            "gauge",
            "Time of the last packet.",
            counters.last_packet.unwrap_or(0.0),
        ),
        ("look_seconds", "gauge", "How long the last judging of all took.", counters.look_seconds),
        (
            "glance_seconds",
            "gauge",
            "How long the last judging of what had changed took.",
            counters.glance_seconds,
        ),
        (
            "copy_seconds",
            "gauge",
            "How long packets last waited for flows to be copied.",
            counters.copy_seconds,
        ),
        ("grade", "gauge", "Grade of the evidence: A 4, B 3, C 2, D 1.", grade),
        (
            "resident_memory_bytes",
            "gauge",
            "Memory in use.",
            counters.resident_bytes.unwrap_or_default() as f64,
        ),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in simple {
        head(&mut text, name, kind, help);
        let _ = writeln!(text, "portolan_{name} {value}");
    }
    head(&mut text, "dropped_packets_total", "counter", "Packets lost, by who lost them.");
    let drops =
        [("system", counters.dropped_by_system), ("interface", counters.dropped_by_interface)];
    for (by, count) in drops {
        let _ = writeln!(text, "portolan_dropped_packets_total{{by=\"{by}\"}} {count}");
    }
    head(&mut text, "findings", "gauge", "Findings present, by reason and severity.");
    for (code, severity, count) in &counters.findings {
        let labels = format!("code=\"{code}\",severity=\"{severity}\"");
        let _ = writeln!(text, "portolan_findings{{{labels}}} {count}");
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP portolan_{name} {help}\n# TYPE portolan_{name} {kind}");
}

/// Memory of this process that lies in RAM, where the system tells (proc(5), `statm`).
pub(super) fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
