//! Times that do not agree: what a report says of late packets and of clocks that were set.

use super::evidence::{BEGIN, SITE, WHOLE, codes, part};
use crate::runs::{Rules, check_frames};

const SECOND: i64 = 1_000_000_000;

/// Connections at times in seconds after the begin.
fn at(seconds: &[i64]) -> portolan::report::model::Report {
    let mut packets = Vec::new();
    for (index, second) in (0..).zip(seconds) {
        for (step, frame) in (0..).zip(part(20_000 + index, WHOLE)) {
            packets.push((BEGIN + second * SECOND + step * 1_000_000, frame));
        }
    }
    check_frames(&packets, &Rules::at(SITE)).report
}

#[test]
fn an_orderly_clock_is_not_mentioned() {
    let report = at(&[0, 1, 3_600]);
    let times = &report.capture_health.times;
    assert_eq!((times.regressions.count, times.jumps_forward.count), (0, 0));
    assert_eq!(times.regressions.first_packet, None);
    assert!(codes(&report).is_empty(), "{:?}", codes(&report));
}

#[test]
fn late_packets_are_put_back_or_told() {
    let report = at(&[10, 9]);
    let times = &report.capture_health.times;
    assert_eq!((times.regressions.count, times.regressions.first_packet), (1, Some(6)));
    assert_eq!(times.regressions.first_ns, Some(SECOND + 4_000_000));
    // The five are late by a second and four milliseconds to zero: one is late by no more than a
    // second.
    assert_eq!((times.reordered_packets, times.out_of_reach_packets), (1, 4));
    assert_eq!(codes(&report), ["out-of-order"]);
    let report = at(&[10, 0]);
    let times = &report.capture_health.times;
    assert_eq!((times.reordered_packets, times.out_of_reach_packets), (0, 5));
}

#[test]
fn jumps_of_the_clock_are_told_with_their_place() {
    let report = at(&[4_000, 100, 5_000]);
    let times = &report.capture_health.times;
    let back = &times.jumps_backward;
    assert_eq!((back.count, back.first_packet, times.regressions.count), (1, Some(6), 1));
    assert_eq!(back.first_ns, Some(3_900 * SECOND + 4_000_000));
    let forward = &times.jumps_forward;
    assert_eq!((forward.count, forward.first_packet), (1, Some(11)));
    assert_eq!(codes(&report), ["clock-set-back", "paused"]);
    let said = &report.outcome.cannot_say;
    assert!(
        said[0].text.ends_with("1 time, by up to 3900 seconds, first at packet 6"),
        "{}",
        said[0].text
    );
    assert!(
        said[1].text.ends_with("1 time, by up to 4899 seconds, first at packet 11"),
        "{}",
        said[1].text
    );
}
