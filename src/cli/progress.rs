//! Progress on standard error, by bytes; absent when nobody watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::Progress;

/// A progress bar and the count of bytes read, which the reading thread advances.
#[derive(Debug)]
pub(super) struct Meter {
    bar: ProgressBar,
    read: Arc<AtomicU64>,
}

impl Meter {
    /// A bar for `total` bytes, or a counter when the total is unknown.
    pub(super) fn new(shown: bool, total: Option<u64>) -> Self {
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match total {
            Some(_) => {
                "{bar:24} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} eta {eta} {msg}"
            }
            None => "{spinner} {bytes} {bytes_per_sec} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Meter { bar, read: Arc::default() }
    }

    /// The count of bytes read.
    pub(super) fn read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Shows how far the run has come.
    pub(super) fn show(&self, progress: Progress) {
        self.bar.set_position(self.read.load(Ordering::Relaxed));
        if !self.bar.is_hidden() {
            let Progress { packets, flows } = progress;
            let (packets, flows) = (HumanCount(packets), HumanCount(flows));
            self.bar.set_message(format!("{packets} packets, {flows} flows"));
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
