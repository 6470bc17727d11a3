//! Events on their way out: numbered, held back when there are too many, and written by a thread
//! of its own, so that a reader that stalls stops nothing but the events.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::clock;
use super::event::{EVENT_SCHEMA_VERSION, Event, EventLine};
use super::syslog::{SYSLOG, Syslog};
use crate::report::json;

/// Events that may wait for a reader.
const WAITING: usize = 4096;

/// Events about findings that may leave at once, and how many more per second after that.
const BURST: f64 = 1000.0;
const PER_SECOND: f64 = 20.0;

/// How long a failed write waits for its next try.
const RETRY: Duration = Duration::from_millis(500);

/// Where events go.
#[derive(Debug)]
pub enum EventOutput {
    /// Standard output.
    Stdout,
    /// The end of a file.
    File(File),
    /// The system log of this machine, one message for each event.
    Syslog(Syslog),
}

impl EventOutput {
    /// Opens a file to append to.
    ///
    /// # Errors
    /// When the file cannot be opened for writing.
    pub fn append_to(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(EventOutput::File(file))
    }

    /// Opens the system log.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn syslog() -> io::Result<Self> {
        Syslog::connect(Path::new(SYSLOG)).map(EventOutput::Syslog)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            EventOutput::Stdout => {
                let mut out = io::stdout().lock();
                let written = out.write(bytes)?;
                out.flush().map(|()| written)
            }
            EventOutput::File(file) => file.write(bytes),
            EventOutput::Syslog(log) => log.write(bytes),
        }
    }
}

/// What the writing thread tells.
#[derive(Debug, Default)]
struct Progress {
    /// Lines taken from the queue and dealt with.
    done: AtomicU64,
    /// Lines written. All of the others come after them.
    written: AtomicU64,
    /// Lines that could not be written because the reader has gone for good, and that have not
    /// been told of.
    lost: AtomicU64,
}

/// Gives events their way out.
#[derive(Debug)]
pub struct EventWriter {
    lines: Sender<Vec<u8>>,
    progress: Arc<Progress>,
    sequence: u64,
    queued: u64,
    allowance: f64,
    counted_at: Instant,
    held_back: u64,
    lost: u64,
}

impl EventWriter {
    /// Starts the thread that writes.
    pub fn start(output: EventOutput) -> Self {
        let (lines, waiting) = bounded(WAITING);
        let progress = Arc::new(Progress::default());
        let told = Arc::clone(&progress);
        // It may block for ever in a write, so nobody waits for its end.
        thread::spawn(move || write_all(output, &waiting, &told));
        EventWriter {
            lines,
            progress,
            sequence: 0,
            queued: 0,
            allowance: BURST,
            counted_at: clock::now(),
            held_back: 0,
            lost: 0,
        }
    }

    /// Sends an event out unless there are too many of its kind. Never waits. Answers the place of
    /// its line among those sent out, from 1; `None` when it was left out.
    pub fn send(&mut self, event: Event) -> Option<u64> {
        let now = clock::now();
        let passed = now.duration_since(self.counted_at).as_secs_f64();
        self.counted_at = now;
        self.allowance = (self.allowance + passed * PER_SECOND).min(BURST);
        if matches!(event, Event::Finding { .. }) {
            if self.allowance < 1.0 {
                self.sequence += 1;
                self.held_back += 1;
                return None;
            }
            self.allowance -= 1.0;
        }
        self.tell_folded();
        self.queue(event)
    }

    /// Says how many events were left out, once there is room for it.
    pub fn tell_folded(&mut self) {
        let lost = self.lost + self.progress.lost.swap(0, Ordering::Relaxed);
        self.lost = lost;
        let room = self.lines.len() < WAITING / 2 && self.allowance >= 1.0;
        let held_back = self.held_back;
        if room
            && (held_back > 0 || lost > 0)
            && self.queue(Event::Folded { held_back, lost }).is_some()
        {
            (self.held_back, self.lost) = (0, self.lost - lost);
        }
    }

    fn queue(&mut self, event: Event) -> Option<u64> {
        self.sequence += 1;
        let line = EventLine {
            schema_version: EVENT_SCHEMA_VERSION.to_owned(),
            sequence: self.sequence,
            written: clock::time_of_day().to_string(),
            event,
        };
        let mut text = Vec::new();
        json::write_line(&mut text, &line).ok()?;
        text.push(b'\n');
        let queued = self.lines.try_send(text).is_ok();
        self.queued += u64::from(queued);
        self.lost += u64::from(!queued);
        queued.then_some(self.queued)
    }

    /// Lines that have been written.
    pub fn written(&self) -> u64 {
        self.progress.written.load(Ordering::Relaxed)
    }

    /// Events made so far, those left out included.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Events that wait for the reader.
    pub fn waiting(&self) -> usize {
        self.lines.len()
    }

    /// Waits until all events are written, but no longer than `patience`. Answers how many are
    /// not.
    pub fn finish(&mut self, patience: Duration) -> u64 {
        self.allowance = BURST;
        self.tell_folded();
        let end = clock::now() + patience;
        loop {
            let left = self.queued.saturating_sub(self.progress.done.load(Ordering::Relaxed));
            if left == 0 || clock::now() >= end {
                return left;
            }
            clock::pause(Duration::from_millis(2));
        }
    }
}

/// Writes lines until no more can come.
fn write_all(mut output: EventOutput, lines: &Receiver<Vec<u8>>, progress: &Progress) {
    let mut readable = true;
    for line in lines {
        readable = readable && write_line(&mut output, &line);
        let counter = if readable { &progress.written } else { &progress.lost };
        counter.fetch_add(1, Ordering::Relaxed);
        progress.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes a line to its end, however long that takes: what was half written is completed, so that
/// no two lines are mixed up. False when the reader has gone for good.
fn write_line(output: &mut EventOutput, mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        match output.write(rest) {
            Ok(0) => clock::pause(RETRY),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A full disk may have room again.
            Err(_) => clock::pause(RETRY),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::event::{Change, FindingNote};

    fn found(number: usize) -> Event {
        let finding = FindingNote {
            id: format!("F-{number}"),
            severity: "low".to_owned(),
            verdict: "violation".to_owned(),
            code: "undocumented-service".to_owned(),
            title: String::new(),
            remediation: String::new(),
            initiators: Vec::new(),
            initiator_count: 0,
            responders: Vec::new(),
            responder_count: 0,
            transport: "tcp".to_owned(),
            ports: number.to_string(),
            spoken: None,
            rules: Vec::new(),
            flows: 1,
            first_seen: None,
            last_seen: None,
        };
        Event::Finding { change: Change::New, finding: Box::new(finding) }
    }

    /// Sends `count` findings at once and answers the events that were written.
    fn written(count: usize) -> Vec<Event> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("events");
        let mut writer = EventWriter::start(EventOutput::append_to(&path).unwrap());
        for number in 0..count {
            writer.send(found(number));
        }
        assert_eq!(writer.finish(Duration::from_secs(10)), 0);
        let text = std::fs::read_to_string(&path).unwrap();
        let line = |line| serde_json::from_str::<EventLine>(line).unwrap().event;
        text.lines().map(line).collect()
    }

    #[test]
    fn a_flood_of_findings_is_held_back_and_counted() {
        let events = written(5000);
        let told = events.iter().filter(|event| matches!(event, Event::Finding { .. })).count();
        let folded: u64 = events
            .iter()
            .map(|event| match event {
                Event::Folded { held_back, .. } => *held_back,
                _ => 0,
            })
            .sum();
        assert_eq!(told as u64 + folded, 5000);
        // A slow machine earns more than the burst while it sends.
        assert!((1000..1500).contains(&told), "{told}");
    }

    #[test]
    fn a_few_findings_are_all_told_in_order() {
        assert_eq!(written(300), (0..300).map(found).collect::<Vec<_>>());
    }
}
