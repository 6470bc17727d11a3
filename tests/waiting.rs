//! Waiting for a program that runs.

use std::time::{Duration, Instant};

/// Longest that anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until there is something.
pub(crate) fn wait<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing came");
        pause(Duration::from_millis(10));
    }
}

#[expect(clippy::disallowed_methods, reason = "a program that runs is waited for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a program that runs is waited for")]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
