//! What a capture shows, where somebody would have it seem to show less.

use super::*;

fn grade_of(run: &Run, measure: &str) -> String {
    let measures = &run.report.outcome.measures;
    let found = measures.iter().find(|found| found.measure == measure);
    found.unwrap_or_else(|| panic!("no measure {measure}")).grade.clone()
}

/// A handshake and data, both directions.
fn connection(client: u16) -> Vec<Vec<u8>> {
    let there = |sequence, ack, flags, data: &[u8]| {
        frames::tcp((UNITY, DC), (client, 445), sequence, ack, flags, data)
    };
    let back = |sequence, ack, flags, data: &[u8]| {
        frames::tcp((DC, UNITY), (445, client), sequence, ack, flags, data)
    };
    vec![
        there(100, 0, 0x02, b""),
        back(500, 101, 0x12, b""),
        there(101, 501, 0x18, b"question"),
        back(501, 109, 0x18, b"answer"),
    ]
}

/// Half of a connection between two hosts of which the site knows neither.
fn forged(client: u16) -> Vec<Vec<u8>> {
    let ends = ((STRANGER, [192, 0, 2, 78]), (client, 80));
    [(100, 0, 0x02), (101, 77, 0x10)]
        .map(|(sequence, ack, flags)| frames::tcp(ends.0, ends.1, sequence, ack, flags, b""))
        .into()
}

#[test]
fn strangers_cannot_make_a_capture_one_sided() {
    let mut packets = connection(50_001);
    packets.extend((1..20).flat_map(forged));
    let run = judged(&packets);
    assert!(run.report.outcome.cannot_say.iter().all(|said| said.code != "one-sided"));
    assert_eq!(grade_of(&run, "one-sided-flows"), "A");
    // Where nothing in scope was answered, the strangers are all that there is.
    let run = judged(&forged(1));
    assert!(run.report.outcome.cannot_say.iter().any(|said| said.code == "one-sided"));
}

#[test]
fn a_datagram_that_began_before_the_capture_costs_no_grade() {
    let parts = frames::fragmented_udp((UNITY, DC), (50_001, 88), 77, 2);
    let start = 1_772_488_800 * SECOND;
    for (seconds, grade) in [(30, "A"), (31, "C")] {
        let packets = [(start, frames::arp()), (start + seconds * SECOND, parts[1].clone())];
        let run = check_frames(&packets, &Rules::at(SITE));
        assert_eq!(run.report.capture_health.unclaimed_fragments, 1);
        assert_eq!(grade_of(&run, "unclaimed-fragments"), grade, "after {seconds} s");
    }
}

#[test]
fn a_length_beyond_the_frame_is_no_cut_of_the_capture() {
    let mut frame = frames::udp((UNITY, DC), (50_001, 88), &[7; 100]);
    frame[16..18].copy_from_slice(&400_u16.to_be_bytes());
    let run = judged(&[frame]);
    assert!(!run.assessment.flows[0].record.cut());
}
