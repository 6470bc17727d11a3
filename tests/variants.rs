//! The voice-mail site as mirror ports show it: in every encapsulation, twice, out of order, one
//! direction only, cut, from the middle on. What is said stays the same, or gets weaker in the
//! way stated here; never stronger, never wrong.

use std::collections::{BTreeMap, BTreeSet};

use portolan::capture::{FrameBatch, Hashing, Inputs};

use crate::runs::{Rules, Run, check_frames, repository, text};
use crate::wrap::WRAPPERS;

type Packet = (i64, Vec<u8>);

/// Frames of the fixture with their times in nanoseconds.
fn packets() -> Vec<Packet> {
    let paths = [repository("fixtures/voicemail/capture.pcap")];
    let mut inputs = Inputs::open(&paths, Hashing::Off).expect("the fixture is there");
    let mut packets = Vec::new();
    let mut batch = FrameBatch::default();
    while inputs.fill(&mut batch) {
        let frames = batch.frames.iter();
        packets.extend(frames.map(|frame| (frame.time.nanos(), batch.data(frame).to_vec())));
    }
    packets
}

fn rules() -> Rules {
    Rules::at(&text("fixtures/voicemail/site.toml"))
}

/// What is said of each flow, by protocol, initiator, responder and instance.
fn verdicts(run: &Run) -> BTreeMap<String, String> {
    let of_the_site = run.lines.iter().filter(|flow| !flow.src_ip.starts_with("192.0.2."));
    of_the_site
        .filter(|flow| !flow.src_ip.starts_with("2001:db8::"))
        .map(|flow| {
            let (source, destination) =
                ((&flow.src_ip, flow.src_port), (&flow.dst_ip, flow.dst_port));
            let key = format!("{} {source:?} {destination:?} #{}", flow.proto, flow.instance);
            let said = format!(
                "{} {} {} {:?} {} {} packets {} bytes",
                flow.verdict,
                flow.reason,
                flow.strength,
                flow.rules,
                flow.state,
                flow.packets,
                flow.ip_bytes
            );
            (key, said)
        })
        .collect()
}

/// Severity of each finding by code, roles and service.
fn findings(run: &Run) -> BTreeMap<String, String> {
    let findings = run.report.findings.iter();
    findings.map(|finding| (finding.id.clone(), finding.severity.clone())).collect()
}

fn assert_equal(what: &str, expected: &Run, found: &Run) {
    let (wanted, said) = (verdicts(expected), verdicts(found));
    let difference = wanted.iter().find(|(key, said_of)| said.get(*key) != Some(said_of));
    assert_eq!(difference.map(|(key, wanted)| (key, Some(wanted), said.get(key))), None, "{what}");
    let extra: BTreeSet<_> = said.keys().filter(|key| !wanted.contains_key(*key)).collect();
    assert_eq!(extra, BTreeSet::new(), "{what}");
    assert_eq!(findings(expected), findings(found), "{what}");
}

#[test]
fn every_encapsulation_shows_the_same_findings() {
    let packets = packets();
    let plain = check_frames(&packets, &rules());
    assert!(plain.report.findings.len() > 100 && plain.lines.len() > 900);
    for (name, wrap) in WRAPPERS {
        let wrapped: Vec<Packet> = (0..)
            .zip(&packets)
            .map(|(number, (time, frame))| (*time, wrap(frame, number)))
            .collect();
        assert_equal(name, &plain, &check_frames(&wrapped, &rules()));
    }
}

/// A number that looks random and is the same each time.
fn noise(index: usize) -> u64 {
    let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

#[test]
fn every_packet_twice_shows_the_same_findings() {
    let packets = packets();
    let plain = check_frames(&packets, &rules());
    let mut doubled: Vec<Packet> = Vec::new();
    for (index, (time, frame)) in packets.iter().enumerate() {
        doubled.push((*time, frame.clone()));
        doubled.push((time + noise(index) as i64 % 50_000, frame.clone()));
    }
    doubled.sort_by_key(|(time, _)| *time);
    let run = check_frames(&doubled, &rules());
    assert_eq!(findings(&plain), findings(&run));
    let (wanted, found) = (verdicts(&plain), verdicts(&run));
    // An acknowledgement over IPv6 without timestamps has nothing by which its sender's next one
    // could be told from a copy: it counts twice.
    let counted_alike = |key: &str| !(key.starts_with("tcp") && key.contains("fd00:"));
    for (key, said) in &wanted {
        let found = &found[key];
        let judged = |said: &str| said.split(" packets ").next().map(words_before_last);
        if counted_alike(key) {
            assert_eq!(said, found, "{key}");
        }
        assert_eq!(judged(said), judged(found), "{key}");
    }
    let copies = run.stream.facts.copies;
    let ip_packets = run.stream.facts.ip_packets;
    assert!(copies.exact * 200 > ip_packets * 99, "{copies:?} of {ip_packets}");
    assert_eq!((copies.routed, wanted.len()), (0, found.len()));
}

/// A text without its last word.
fn words_before_last(text: &str) -> String {
    text.rsplit_once(' ').map(|(before, _)| before.to_owned()).unwrap_or_default()
}

#[test]
fn both_sides_of_a_router_show_the_same_findings() {
    let packets = packets();
    let plain = check_frames(&packets, &rules());
    let mut routed: Vec<Packet> = Vec::new();
    for (time, frame) in &packets {
        let mut behind = frame.clone();
        behind[..12].copy_from_slice(&[2, 9, 9, 9, 9, 9, 2, 8, 8, 8, 8, 8]);
        match frame[12..14] {
            [0x08, 0] if frame[22] > 1 => behind[22] -= 1,
            [0x86, 0xdd] if frame[21] > 1 => behind[21] -= 1,
            _ => {}
        }
        let group = frame[0] & 1 == 1;
        routed.push((*time, frame.clone()));
        if !group && behind[20..] != frame[20..] {
            routed.push((time + 400_000, behind));
        }
    }
    routed.sort_by_key(|(time, _)| *time);
    let run = check_frames(&routed, &rules());
    assert_equal("routed", &plain, &run);
    assert!(run.stream.facts.copies.routed > 3_000, "{:?}", run.stream.facts.copies);
}

#[test]
fn packets_out_of_order_show_the_same_findings() {
    let packets = packets();
    let plain = check_frames(&packets, &rules());
    let mut shuffled: Vec<(i64, Packet)> = packets
        .iter()
        .enumerate()
        .map(|(index, packet)| (packet.0 + noise(index) as i64 % 5_000_000, packet.clone()))
        .collect();
    shuffled.sort_by_key(|(arrival, _)| *arrival);
    let shuffled: Vec<Packet> = shuffled.into_iter().map(|(_, packet)| packet).collect();
    assert!(shuffled.windows(2).filter(|pair| pair[1].0 < pair[0].0).count() > 500);
    assert_equal("out of order", &plain, &check_frames(&shuffled, &rules()));
}
