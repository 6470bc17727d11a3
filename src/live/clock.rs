//! The clocks of the machine. They say when to look and when to write, never what is found.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::Timestamp;

/// Now, for measuring how long something takes.
#[expect(clippy::disallowed_methods, reason = "a watch looks and writes at intervals")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// The time of day, for the time at which an event was written.
#[expect(clippy::disallowed_methods, reason = "the time of writing is no result")]
pub(super) fn time_of_day() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "a capture is played back at its own speed")]
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
