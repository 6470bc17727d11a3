//! What a watch shows to whoever looks at its terminal: rates, losses, findings, the newest of them
//! and who is most outside the matrix. Absent when standard error is no terminal.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use terminal_size::{Height, Width, terminal_size_of};

use super::check::colour;
use crate::base::Timestamp;
use crate::live::{Counters, Metrics};
use crate::report::{Palette, printable};

/// How often it is drawn.
const AGAIN: Duration = Duration::from_millis(500);

/// Drawings over which rates are taken: five seconds.
const RATES_OVER: usize = 10;

/// Columns and lines where the terminal does not tell (ECMA-48 terminals of old).
const SIZE: (usize, usize) = (80, 24);

/// Most addresses outside the matrix that are shown.
const TALKERS: usize = 5;

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
    let palette = Palette::new(colour(&std::io::stderr()));
    let mut before = VecDeque::from([metrics.read()]);
    while !until.load(Ordering::Relaxed) {
        thread::park_timeout(AGAIN);
        let now = metrics.read();
        let rates = before.front().map(|then| Rates::between(then, &now)).unwrap_or_default();
        bar.set_message(text(&now, &rates, input, size(), palette));
        bar.tick();
        before.push_back(now);
        if before.len() > RATES_OVER {
            before.pop_front();
        }
    }
    bar.finish_and_clear();
}

/// Columns and lines of the terminal.
fn size() -> (usize, usize) {
    let size = terminal_size_of(std::io::stderr());
    size.map_or(SIZE, |(Width(columns), Height(lines))| (columns.into(), lines.into()))
}

/// What came in a second.
#[derive(Debug, Default)]
struct Rates {
    packets: f64,
    bits: f64,
    dropped: f64,
}

impl Rates {
    fn between(then: &Counters, now: &Counters) -> Rates {
        let passed = now.alive.duration_since(then.alive).as_secs_f64();
        if passed <= 0.0 {
            return Rates::default();
        }
        let rate = |then: u64, now: u64| now.saturating_sub(then) as f64 / passed;
        Rates {
            packets: rate(then.packets, now.packets),
            bits: 8.0 * rate(then.frame_bytes, now.frame_bytes),
            dropped: rate(dropped(then), dropped(now)),
        }
    }
}

fn dropped(counters: &Counters) -> u64 {
    counters.dropped_by_system + counters.dropped_by_interface
}

/// The view as lines that fit the terminal: what there is no room for is left out from below.
fn text(
    counters: &Counters,
    rates: &Rates,
    input: &str,
    (columns, lines): (usize, usize),
    palette: Palette,
) -> String {
    let mut view = head(counters, rates, input);
    // A blank line and a title each, and a line for the cursor.
    let talkers = counters.outside.len().min(TALKERS);
    let rest = lines.saturating_sub(view.len() + 3 + if talkers > 0 { talkers + 2 } else { 0 });
    view.extend(["".to_owned(), "newest findings".to_owned()]);
    if counters.newest.is_empty() {
        view.push("  none yet".to_owned());
    }
    // Colours take no room, so they come last.
    let mut view: Vec<String> = view.iter().map(|line| fitting(line, columns)).collect();
    for newest in counters.newest.iter().rev().take(rest) {
        let when = newest.when.get(11..19).unwrap_or_default();
        let severity = palette.severity(&newest.severity);
        // Two columns before the time, one behind it, eight for the severity.
        let title = fitting(&printable(&newest.title), columns.saturating_sub(when.len() + 11));
        view.push(format!("  {when} {severity} {title}"));
    }
    if talkers > 0 {
        view.extend(["".to_owned(), fitting("most flows outside the matrix", columns)]);
        let outside = counters.outside.iter().take(talkers);
        let line = |(address, flows): &(String, u64)| {
            let count = HumanCount(*flows).to_string();
            fitting(&format!("  {count:>9}  {}", printable(address)), columns)
        };
        view.extend(outside.map(line));
    }
    view.truncate(lines.saturating_sub(1));
    view.join("\n")
}

/// The lines that are always there.
fn head(counters: &Counters, rates: &Rates, input: &str) -> Vec<String> {
    let since = |begin: Instant| HumanDuration(counters.alive.duration_since(begin));
    let state = if counters.interface_up { "up" } else { "DOWN" };
    let grade = if counters.grade.is_empty() { "-" } else { &counters.grade };
    let memory = counters.resident_bytes.map(|bytes| format!("   memory {}", HumanBytes(bytes)));
    let waiting = match counters.events_waiting {
        0 => String::new(),
        events => format!("   {} events wait", HumanCount(events)),
    };
    let last = counters.last_packet.map(|seconds| Timestamp::from_nanos((seconds * 1e9) as i64));
    let last = last.map(|time| time.to_string()).unwrap_or_default();
    let of = |severity: &str| {
        let found = counters.findings.iter().filter(|(_, of, _)| of == severity);
        HumanCount(found.map(|(.., count)| count).sum::<u64>())
    };
    vec![
        format!(
            "{}   {state}   watched for {}   grade {grade}   last packet {}",
            printable(input),
            since(counters.begun),
            last.get(11..19).unwrap_or("-"),
        ),
        format!(
            "packets   {}   {}/s   {:.1} Mbit/s",
            HumanCount(counters.packets),
            HumanCount(rates.packets as u64),
            rates.bits / 1e6,
        ),
        format!(
            "dropped   {}   {}/s",
            HumanCount(dropped(counters)),
            HumanCount(rates.dropped.ceil() as u64),
        ),
        format!("flows     {}{}{waiting}", HumanCount(counters.flows), memory.unwrap_or_default()),
        format!(
            "findings  {} high   {} medium   {} low   {} info",
            of("high"),
            of("medium"),
            of("low"),
            of("info"),
        ),
    ]
}

/// Text cut to so many columns.
fn fitting(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Newest;

    fn counters() -> Counters {
        let metrics = Metrics::default();
        metrics.update(|counters| {
            let newest = |number: usize| Newest {
                when: "2026-03-02T22:00:07.000000001Z".to_owned(),
                severity: "high".to_owned(),
                title: format!("{number} \u{1b}[2J\u{202e}{}", "long ".repeat(50)),
            };
            counters.newest = (0..8).map(newest).collect();
            counters.outside = (0..5).map(|last| (format!("192.0.2.{last}"), 1_000_000)).collect();
        });
        metrics.read()
    }

    /// Whatever the names, and however small the terminal.
    #[test]
    fn each_line_fits_and_nothing_steers_the_terminal() {
        let counters = counters();
        for size in [(80, 24), (200, 60), (40, 10), (20, 6), (1, 1)] {
            let input = "eth\u{1b}]0;x\u{7}1\u{9b}2J\r";
            let shown = text(&counters, &Rates::default(), input, size, Palette::new(false));
            assert!(shown.lines().count() < size.1.max(2), "{size:?}: {shown}");
            for line in shown.lines() {
                assert!(line.chars().count() <= size.0.max(20), "{size:?}: {line}");
                assert!(
                    !line.contains(['\u{1b}', '\u{7}', '\u{9b}', '\r', '\u{202e}']),
                    "{line:?}"
                );
            }
        }
        let shown = text(&counters, &Rates::default(), "eth1", (80, 24), Palette::new(false));
        assert!(shown.contains("22:00:07 high"), "{shown}");
        assert!(shown.contains("192.0.2.4"), "{shown}");
    }

    #[test]
    fn rates_are_of_the_time_between() {
        let then = counters();
        let mut now = then.clone();
        now.alive = then.alive + Duration::from_secs(5);
        (now.packets, now.frame_bytes, now.dropped_by_system) = (1000, 125_000, 10);
        let rates = Rates::between(&then, &now);
        assert_eq!((rates.packets, rates.bits, rates.dropped), (200.0, 200_000.0, 2.0));
    }
}
