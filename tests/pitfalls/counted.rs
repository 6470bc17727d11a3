//! Pitfalls of what a capture shows: states, fragments, tags, offload, loss.

use super::*;
use crate::runs;

#[test]
fn pitfall_27_a_syn_without_answer_is_an_attempt() {
    let syn = frames::tcp((UNITY1, DC1), (50_001, 5010), 7, 0, SYN, b"");
    let run = judged(&[syn.clone(), syn.clone(), syn]);
    assert_eq!(run.verdict(5010), ["documented", "", "port-only"]);
    assert_eq!((state(&run, 5010), run.lines[0].packets), ("unanswered", 3));
    let [finding] = run.report.findings.as_slice() else { panic!("one finding") };
    assert_eq!(finding.code, "documented-but-blocked");
    let row = run.report.rules.iter().find(|rule| rule.id == "U-DC.dcom.tcp").unwrap();
    assert_eq!((row.flows, row.answered_flows), (1, 0));
}

#[test]
fn pitfall_28_what_was_refused_was_not_used() {
    let refused = [
        frames::tcp((WS1, UNITY1), (50_001, 3389), 7, 0, SYN, b""),
        frames::tcp((UNITY1, WS1), (3389, 50_001), 0, 8, RST | ACK, b""),
    ];
    let run = judged(&refused);
    assert_eq!(run.verdict(3389)[0], "violation");
    assert_eq!(state(&run, 3389), "refused");
    let used = judged(&connection(WS1, UNITY1, 3389));
    let severity = |run: &Run| run.report.findings[0].severity.clone();
    assert_eq!([severity(&run), severity(&used)], ["low", "high"]);
    let unity = run.report.hosts.iter().find(|host| host.name == "unity1").unwrap();
    assert!(unity.offers.is_empty(), "{:?}", unity.offers);
}

#[test]
fn pitfall_29_the_port_of_a_row_tells_who_answers_mid_stream() {
    let mut frames = vec![
        frames::tcp((EXCH1, UNITY1), (135, 1055), 5000, 700, PUSH, b"answer"),
        frames::tcp((UNITY1, EXCH1), (1055, 135), 700, 5006, PUSH, b"question"),
    ];
    for _ in 0..2 {
        let run = judged(&frames);
        assert_eq!(run.verdict(135), ["documented", "", "port-only"]);
        assert_eq!(rows(&run, 135), ["U-PX.epm.tcp"]);
        let line = &run.lines[0];
        assert_eq!(line.src_ip, "10.0.0.1");
        assert_eq!([line.direction_basis.as_str(), &line.state], ["port-role", "mid-stream"]);
        frames.reverse();
    }
}

#[test]
fn pitfall_30_one_sided_captures_are_not_unanswered() {
    let mut frames = Vec::new();
    for port in 50_000..50_200 {
        let ends = connection_of(WS1, EXCH2, (port, 135), 1000);
        // What the workstation sends: SYN, ACK, data, FIN, ACK.
        frames.extend([0, 2, 3, 5, 7].map(|index: usize| ends[index].clone()));
    }
    let run = judged(&frames);
    assert_eq!(run.lines.len(), 200);
    assert!(run.lines.iter().all(|line| line.state == "half-seen" && line.verdict == "documented"));
    let health = &run.report.capture_health;
    assert_eq!((health.one_way_tcp_flows, health.tcp_flows), (200, 200));
    assert!(run.report.findings.is_empty(), "nothing is blocked");
}

#[test]
fn pitfall_31_later_fragments_take_the_ports_of_their_first() {
    let parts = frames::fragmented_udp((UNITY1, DC1), (50_001, 88), 77, 2);
    for order in [[0, 1], [1, 0]] {
        let run = judged(&order.map(|index: usize| parts[index].clone()));
        assert_eq!(run.verdict(88), ["documented", "", "port-only"]);
        assert_eq!(run.lines[0].packets, 2);
        assert_eq!(run.report.capture_health.unclaimed_fragments, 0);
    }
    let run = judged(&parts[1..]);
    assert!(run.lines.is_empty(), "no port is made up");
    assert_eq!(run.report.capture_health.unclaimed_fragments, 1);
}

#[test]
fn pitfall_32_an_icmp_quote_makes_no_flow() {
    let notification = frames::udp((EXCH1, UNITY1), (1900, 4000), b"0123456789");
    let error = frames::icmp_unreachable((UNITY1, EXCH1), &notification);
    let run = judged(&[notification, error.clone()]);
    let protocols: Vec<&str> = run.lines.iter().map(|line| line.proto.as_str()).collect();
    assert_eq!(protocols, ["udp", "icmp"]);
    assert_eq!((run.lines[0].src_ip.as_str(), run.lines[0].packets), ("10.0.0.31", 1));
    assert_eq!(state(&run, 4000), "refused");
    // Of the packet nothing but the quote was captured: an attempt, and no flow.
    let run = judged(&[error]);
    assert_eq!(run.report.accounting.icmp_only_attempts, 1);
    assert_eq!(run.lines.len(), 1, "the ICMP flow itself");
    assert_eq!(run.verdict(4000), ["documented", "", "weak"]);
}

#[test]
fn pitfall_35_a_vlan_is_not_part_of_a_flow() {
    let mut frames = connection(UNITY1, DC1, 389);
    for (index, frame) in frames.iter_mut().enumerate() {
        let vlan = if matches!(index, 1 | 4 | 6) { 20 } else { 10 };
        *frame = frames::tagged(vlan, frame);
    }
    let run = judged(&frames);
    assert_eq!((run.lines.len(), state(&run, 389)), (1, "established"));
    assert_eq!(run.verdict(389)[0], "documented");
}

#[test]
fn pitfall_37_offload_padding_and_checksums_change_nothing() {
    // Every checksum of these frames is zero, that is wrong.
    let plain = connection(UNITY1, DC1, 389);
    let padded: Vec<_> = plain.iter().cloned().map(frames::padded).collect();
    let offloaded: Vec<_> = plain.iter().cloned().map(frames::without_total_length).collect();
    for frames in [plain, padded, offloaded] {
        let run = judged(&frames);
        assert_eq!(run.verdict(389), ["documented", "", "port-only"]);
        assert_eq!(state(&run, 389), "established");
        let line = &run.lines[0];
        assert_eq!((line.src_payload_bytes, line.dst_payload_bytes), (8, 6));
    }
    // Padding is no data: a handshake in frames of 60 bytes carried nothing.
    let handshake =
        [0, 1, 2, 5, 6, 7].map(|index: usize| connection(UNITY1, DC1, 389)[index].clone());
    assert_eq!(state(&judged(&handshake.map(frames::padded)), 389), "handshake-only");
}

#[test]
fn pitfall_40_a_reused_port_is_another_flow() {
    let mut frames = connection_of(UNITY1, EXCH1, (1100, 5001), 1000);
    frames.extend(connection_of(UNITY1, EXCH1, (1100, 5001), 800_000));
    let run = judged(&frames);
    let uses: Vec<_> = run.lines.iter().map(|line| (line.instance, line.packets)).collect();
    assert_eq!(uses, [(1, 8), (2, 8)]);
    assert!(run.lines.iter().all(|line| line.rules == ["U-PX.dcom.tcp"]));
}

#[test]
fn pitfall_41_another_sequence_number_is_another_attempt() {
    let syn = |sequence| frames::tcp((UNITY1, DC1), (50_001, 389), sequence, 0, SYN, b"");
    let uses = |frames: &[Vec<u8>]| -> Vec<(u32, u64)> {
        judged(frames).lines.iter().map(|line| (line.instance, line.packets)).collect()
    };
    assert_eq!(uses(&[syn(7), syn(7), syn(7)]), [(1, 3)]);
    assert_eq!(uses(&[syn(7), syn(7), syn(8)]), [(1, 2), (2, 1)]);
}

#[test]
fn pitfall_47_the_loser_of_the_race_between_139_and_445_did_not_fail() {
    let mut frames = connection_of(UNITY1, DC1, (50_001, 445), 1000);
    let (up, down) = ((50_002, 139), (139, 50_002));
    frames.push(frames::tcp((UNITY1, DC1), up, 1, 0, SYN, b""));
    frames.push(frames::tcp((DC1, UNITY1), down, 5, 2, SYN_ACK, b""));
    frames.push(frames::tcp((UNITY1, DC1), up, 2, 6, RST, b""));
    let run = judged(&frames);
    assert_eq!(run.verdict(139), ["documented", "", "port-only"]);
    assert_eq!([state(&run, 139), state(&run, 445)], ["handshake-only", "established"]);
    assert!(run.report.findings.is_empty());
}

#[test]
fn pitfall_49_the_last_record_of_a_growing_file_is_no_fault() {
    let packets: Vec<_> = (0..).map(|n| n * SECOND).zip(connection(UNITY1, DC1, 389)).collect();
    let whole = runs::pcap(&packets);
    for cut in [1, 20, 60] {
        let part: Box<dyn std::io::Read + Send> =
            Box::new(std::io::Cursor::new(whole[..whole.len() - cut].to_vec()));
        let inputs = portolan::capture::Inputs::from_streams(
            vec![("growing.pcap".to_owned(), part)],
            portolan::capture::Hashing::Off,
        );
        let run = runs::run(inputs.unwrap(), &RULES, 1);
        assert_eq!(run.report.inputs[0].ending, "incomplete-tail");
        assert!(!run.inputs[0].ending.is_failure());
        assert_eq!(run.lines[0].packets, 7);
    }
}
