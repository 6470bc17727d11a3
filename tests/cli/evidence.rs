//! `--evidence`: every packet of a slice is the one its comment names, and the display filter of a
//! finding selects the flows of its slice.
//!
//! tshark is named by the environment variable `PORTOLAN_TSHARK`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command as Program;

use super::*;

/// A packet of a slice, as the blocks of its file tell it.
struct Kept {
    interface: usize,
    nanos: u64,
    data: Vec<u8>,
    original: u32,
    comment: String,
}

/// Link type, snap length and unit of time of an interface.
type Described = (u16, u32, Option<u8>);

/// Reads a little-endian pcapng file (draft-ietf-opsawg-pcapng sections 3 and 4).
fn read(bytes: &[u8]) -> (Vec<Described>, Vec<Kept>) {
    let u16_at = |at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap());
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let option = |mut at: usize, end: usize, wanted: u16| {
        while at + 4 <= end {
            let (code, length) = (u16_at(at), usize::from(u16_at(at + 2)));
            if code == wanted {
                return Some(bytes[at + 4..at + 4 + length].to_vec());
            }
            at += 4 + length.next_multiple_of(4);
        }
        None
    };
    let (mut interfaces, mut packets) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let (kind, length) = (u32_at(at), u32_at(at + 4) as usize);
        let end = at + length - 4;
        assert_eq!(u32_at(end) as usize, length, "the block at {at} ends with its length");
        match kind {
            0x0a0d_0d0a => assert_eq!(at, 0, "one section"),
            1 => {
                let unit = option(at + 16, end, 9).map(|unit| unit[0]);
                interfaces.push((u16_at(at + 8), u32_at(at + 12), unit));
            }
            6 => {
                let captured = u32_at(at + 20) as usize;
                let options = at + 28 + captured.next_multiple_of(4);
                packets.push(Kept {
                    interface: u32_at(at + 8) as usize,
                    nanos: u64::from(u32_at(at + 12)) << 32 | u64::from(u32_at(at + 16)),
                    data: bytes[at + 28..at + 28 + captured].to_vec(),
                    original: u32_at(at + 24),
                    comment: String::from_utf8(option(options, end, 1).unwrap()).unwrap(),
                });
            }
            other => panic!("a block of type {other}"),
        }
        at += length;
    }
    (interfaces, packets)
}

/// Finding, file, number and offset that a comment names.
fn place(comment: &str) -> (String, String, u64, usize) {
    let (head, offset) = comment.rsplit_once(", at offset ").unwrap();
    let (head, packet) = head.rsplit_once(": packet ").unwrap();
    let (number, file) = packet.split_once(" of ").unwrap();
    let finding = head.strip_prefix("finding ").unwrap().split(',').next().unwrap();
    (finding.to_owned(), file.to_owned(), number.parse().unwrap(), offset.parse().unwrap())
}

/// Offsets of the packets of a classic pcap file behind its header, in file order.
fn packets_of(pcap: &[u8]) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let mut at = 24;
    while at < pcap.len() {
        let captured = u32::from_le_bytes(pcap[at + 8..at + 12].try_into().unwrap()) as usize;
        places.push((at + 16, captured));
        at += 16 + captured;
    }
    places
}

/// The inputs of a test, uncompressed, by name.
type Stored = BTreeMap<String, Vec<u8>>;

/// Checks the slices in `folder` against the report and the inputs; how many packets there are.
fn assert_slices(bench: &Bench, folder: &str, inputs: &Stored) -> usize {
    let report = bench.json("report.json");
    let mut all = 0;
    let slices = report["evidence"].as_array().unwrap();
    let named: BTreeSet<_> =
        slices.iter().map(|slice| slice["file"].as_str().unwrap().to_owned()).collect();
    let there = std::fs::read_dir(bench.path(folder)).unwrap();
    let there: BTreeSet<_> =
        there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(named, there);
    for slice in slices {
        let name = format!("{folder}/{}", slice["file"].as_str().unwrap());
        let (interfaces, packets) = read(&std::fs::read(bench.path(&name)).unwrap());
        assert_eq!(slice["packets"], packets.len());
        all += packets.len();
        for packet in packets {
            let (finding, file, number, offset) = place(&packet.comment);
            assert_eq!(slice["finding"], finding);
            let stored = &inputs[&file];
            let captured = packet.data.len();
            assert_eq!(stored[offset..offset + captured], packet.data, "{}", packet.comment);
            assert_eq!(packets_of(stored)[number as usize - 1], (offset, captured));
            let word = |at: usize| {
                u32::from_le_bytes(stored[offset - at..offset - at + 4].try_into().unwrap())
            };
            assert_eq!(packet.original, word(4));
            let unit = if stored[0] == 0x4d { 1 } else { 1000 };
            let nanos = u64::from(word(16)) * 1_000_000_000 + u64::from(word(12)) * unit;
            assert_eq!(packet.nanos, nanos, "{}", packet.comment);
            let header = |at: usize| u32::from_le_bytes(stored[at..at + 4].try_into().unwrap());
            let described = (header(20) as u16, header(16), Some(9));
            assert_eq!(interfaces[packet.interface], described);
        }
    }
    all
}

/// A classic pcap file cut into two behind a packet.
fn cut_in_two(pcap: &[u8], packets: usize) -> (Vec<u8>, Vec<u8>) {
    let (offset, captured) = packets_of(pcap)[packets - 1];
    let second = [&pcap[..24], &pcap[offset + captured..]].concat();
    (pcap[..offset + captured].to_vec(), second)
}

#[test]
fn every_packet_of_a_slice_is_the_one_its_comment_names() {
    let capture = std::fs::read(quickstart("capture.pcap")).unwrap();
    let half = packets_of(&capture).len() / 2;
    let (first, second) = cut_in_two(&capture, half);
    let packed = zstd::encode_all(capture.as_slice(), 3).unwrap();
    let packed_half = zstd::encode_all(second.as_slice(), 3).unwrap();
    let whole = |name: &str| Stored::from([(name.to_owned(), capture.clone())]);
    let halves = Stored::from([("a.pcap".to_owned(), first.clone()), ("b.zst".to_owned(), second)]);
    let cases = [
        (vec![("a.pcap", capture.clone())], whole("a.pcap")),
        (vec![("a.pcap.zst", packed)], whole("a.pcap.zst")),
        // Given in the wrong order.
        (vec![("b.zst", packed_half), ("a.pcap", first)], halves),
    ];
    let mut counted = BTreeSet::new();
    for (files, inputs) in cases {
        let bench = Bench::new();
        let site = quickstart("site.toml");
        let mut arguments = vec!["check", "--site", &site, "--report", "report.json"];
        arguments.extend(["--evidence", "slices", "--quiet"]);
        for (name, content) in &files {
            bench.write(name, content);
            arguments.push(name);
        }
        let ended = bench.run(&arguments);
        assert_eq!(ended.status, 1, "{}", ended.err);
        counted.insert(assert_slices(&bench, "slices", &inputs));
    }
    assert_eq!(counted.len(), 1, "cuts and compression change nothing");
    assert!(counted.first() > Some(&0));
}

#[test]
fn what_is_left_out_is_told() {
    let bench = Bench::new();
    let (site, capture) = (quickstart("site.toml"), quickstart("capture.pcap"));
    let mut arguments = vec!["check", &capture, "--site", &site, "--report", "report.json"];
    arguments.extend(["--evidence", "slices", "--evidence-packets", "1", "--quiet"]);
    assert_eq!(bench.run(&arguments).status, 1);
    let inputs = Stored::from([("capture.pcap".to_owned(), std::fs::read(&capture).unwrap())]);
    assert_slices(&bench, "slices", &inputs);
    let report = bench.json("report.json");
    let slices = report["evidence"].as_array().unwrap();
    let sum = |field: &str| slices.iter().map(|s| s[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("packets"), sum("flows"));
    let limits = report["limits"].as_array().unwrap();
    let cut = limits.iter().find(|limit| limit["code"] == "evidence-packets-cut").unwrap();
    assert_eq!(cut["count"], sum("flow_packets") - sum("packets"));
}

#[test]
fn what_cannot_be_read_twice_or_would_mix_runs_is_refused() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    std::fs::create_dir(bench.path("night")).unwrap();
    bench.write("night/a.pcap", conversation(4444));
    let refused = |arguments: &[&str], part: &str| {
        let all = [&["check", "--site", "site.toml", "--quiet"], arguments].concat();
        let ended = bench.run_with(&all, &conversation(4444));
        assert_eq!(ended.status, 2, "{arguments:?}");
        assert!(ended.err.contains(part), "{arguments:?}: {}", ended.err);
    };
    refused(&["-", "--evidence", "slices"], "can be read only once");
    refused(&["night", "--evidence", "night/slices"], "lies in the folder");
    refused(&["night", "--evidence-packets", "3"], "--evidence");
    bench.write("key", [7; 32]);
    refused(&["night", "--evidence", "slices", "--pseudonymise", "key"], "cannot be used with");
    let again = ["check", "night", "--site", "site.toml", "--evidence", "slices", "--quiet"];
    assert_eq!(bench.run(&again).status, 1);
    refused(&["night", "--evidence", "slices"], "holds evidence of another run");
}

/// Frames with all that makes a filter hard: a five-tuple used twice, a fragmented datagram beside
/// another, a tunnel, an attempt that only an ICMP error tells of.
fn hard_to_filter() -> Vec<u8> {
    let (there, back) = ((UNITY, DC), (DC, UNITY));
    let mut frames = Vec::new();
    for use_of_it in 0..2 {
        let sequence = 100 + use_of_it * 1000;
        frames.push(frames::tcp(there, (50_000, 4444), sequence, 0, 0x02, b""));
        frames.push(frames::tcp(back, (4444, 50_000), 300, sequence + 1, 0x12, b""));
        frames.push(frames::tcp(there, (50_000, 4444), sequence + 1, 301, 0x11, b""));
    }
    frames.extend(frames::fragmented_udp(there, (50_001, 5555), 7, 3));
    frames.extend(frames::fragmented_udp(there, (50_002, 53), 8, 3));
    frames.push(frames::udp(there, (50_003, 5555), b"whole"));
    let unseen = frames::udp(there, (50_004, 6666), b"never captured");
    frames.push(frames::icmp_unreachable(back, &unseen));
    frames.push(frames::other(there, 47, &[0, 0, 0x65, 0x58]));
    let times = (0..).map(|index| 1_700_000_000_000_000_000 + index * 1_000_000_000);
    pcap(&times.zip(frames).collect::<Vec<_>>())
}

#[test]
fn display_filters_select_the_flows_of_the_slices() {
    let Some(tshark) = std::env::var_os("PORTOLAN_TSHARK") else {
        println!("skipped: PORTOLAN_TSHARK names no tshark");
        return;
    };
    let voicemail = |name: &str| argument(&repository(&format!("fixtures/voicemail/{name}")));
    let bench = Bench::new();
    bench.write("hard.pcap", hard_to_filter());
    bench.write("site.toml", SITE);
    let cases = [
        ("hard.pcap".to_owned(), "site.toml".to_owned(), 100),
        (quickstart("capture.pcap"), quickstart("site.toml"), 100),
        (voicemail("capture.pcap"), voicemail("site.toml"), 60),
    ];
    for (index, (capture, site, most)) in cases.iter().enumerate() {
        let folder = format!("slices-{index}");
        let mut arguments = vec!["check", capture, "--site", site, "--report", "report.json"];
        arguments.extend(["--evidence", &folder, "--evidence-packets", "10000", "--quiet"]);
        let ended = bench.run(&arguments);
        assert_eq!(ended.status, 1, "{}", ended.err);
        let report = bench.json("report.json");
        let slices = report["evidence"].as_array().unwrap();
        assert!(!slices.is_empty());
        for slice in slices.iter().take(*most) {
            let name = format!("{folder}/{}", slice["file"].as_str().unwrap());
            let (_, packets) = read(&std::fs::read(bench.path(&name)).unwrap());
            let kept: BTreeSet<_> = packets.iter().map(|packet| place(&packet.comment).2).collect();
            let findings = report["findings"].as_array().unwrap();
            let finding = findings.iter().find(|f| f["id"] == slice["finding"]).unwrap();
            let filter = finding["display_filter"].as_str().unwrap();
            let mut command = Program::new(&tshark);
            command.args(["-r", capture, "-Y", filter, "-T", "fields", "-e", "frame.number"]);
            let output = command.current_dir(bench.folder.path()).output().unwrap();
            assert!(output.status.success(), "tshark refuses {filter}");
            let selected = String::from_utf8(output.stdout).unwrap();
            let selected: BTreeSet<u64> = selected.lines().map(|n| n.parse().unwrap()).collect();
            assert_eq!(selected, kept, "{} of {capture}: {filter}", finding["title"]);
        }
    }
}
