//! What a watch shows to whoever looks at its terminal: rates, losses, the newest findings and who
//! is most outside the matrix. Absent when standard error is no terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use crate::live::{Counters, Metrics};
use crate::report::printable;

/// How often it is drawn.
const AGAIN: Duration = Duration::from_millis(500);

/// The view, drawn by a thread of its own until it is dropped.
pub(super) struct Status {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Status {
    /// Begins to show the counters, if anybody can see them; events on the same terminal would
    /// be mixed up with it.
    pub(super) fn show(metrics: Metrics, input: String, wanted: bool) -> Option<Status> {
        if !wanted || !std::io::stderr().is_terminal() {
            return None;
        }
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let thread = thread::Builder::new().name("status".to_owned());
        let thread = thread.spawn(move || draw(&metrics, &input, &until)).ok();
        Some(Status { ended, thread })
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that fell over has nothing to say.
            let _ = thread.join();
        }
    }
}

fn draw(metrics: &Metrics, input: &str, until: &AtomicBool) {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{msg}") {
        bar.set_style(style);
    }
    let (mut before, mut rate) = (metrics.read(), 0.0);
    while !until.load(Ordering::Relaxed) {
        thread::park_timeout(AGAIN);
        let counters = metrics.read();
        let passed = counters.alive.duration_since(before.alive).as_secs_f64();
        if passed > 0.0 {
            rate = (counters.packets - before.packets) as f64 / passed;
        }
        bar.set_message(text(&counters, input, rate));
        bar.tick();
        before = counters;
    }
    bar.finish_and_clear();
}

/// The view as text.
fn text(counters: &Counters, input: &str, rate: f64) -> String {
    let since = |begin: Instant| HumanDuration(counters.alive.duration_since(begin));
    let state = if counters.interface_up { "up" } else { "DOWN" };
    let dropped = counters.dropped_by_system + counters.dropped_by_interface;
    let memory = counters.resident_bytes.map(|bytes| format!("  memory {}", HumanBytes(bytes)));
    let of = |severity: &str| {
        let found = counters.findings.iter().filter(|(_, of, _)| of == severity);
        found.map(|(.., count)| count).sum::<u64>()
    };
    let mut lines = vec![
        format!(
            "watching {} ({state}) for {}  grade {}",
            printable(input),
            since(counters.begun),
            if counters.grade.is_empty() { "-" } else { &counters.grade },
        ),
        format!(
            "packets {} ({} per second)  dropped {}  flows {}{}",
            HumanCount(counters.packets),
            HumanCount(rate as u64),
            HumanCount(dropped),
            HumanCount(counters.flows),
            memory.unwrap_or_default(),
        ),
        format!(
            "findings: {} high, {} medium, {} low, {} info",
            of("high"),
            of("medium"),
            of("low"),
            of("info"),
        ),
    ];
    if !counters.newest.is_empty() {
        lines.push("newest:".to_owned());
        let newest = counters.newest.iter().rev();
        lines.extend(
            newest.map(|(severity, title)| format!("  {severity:<6} {}", printable(title))),
        );
    }
    if !counters.outside.is_empty() {
        lines.push("most flows outside the matrix:".to_owned());
        let outside = counters.outside.iter();
        lines.extend(
            outside.map(|(address, flows)| format!("  {:>9} {address}", HumanCount(*flows))),
        );
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_nothing_to_the_terminal() {
        let metrics = Metrics::default();
        let title = "a\u{1b}]8;;x\u{7}\u{202e}\r".to_owned();
        metrics.update(|counters| counters.newest.push_back(("high".to_owned(), title)));
        let shown = text(&metrics.read(), "b\u{9b}2J\n", 1.0);
        for visible in [r"a\u{1b}]8;;x\u{7}\u{202e}\u{d}", r"watching b\u{9b}2J\u{a} (up)"] {
            assert!(shown.contains(visible), "{shown:?}");
        }
        assert!(!shown.contains(|c: char| c != '\n' && c.is_control()), "{shown:?}");
    }
}
