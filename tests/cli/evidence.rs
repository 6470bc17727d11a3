//! `--evidence`: every packet of a slice is the one its comment names, and the display filter of a
//! finding selects the flows of its slice.
//!
//! tshark is the program that `PORTOLAN_TSHARK` names, or else `tshark`; without it the comparisons
//! with it are left out. Real captures lie where `PORTOLAN_CORPUS` says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::process::Command as Program;

use serde_json::Value;

use super::*;
use crate::capture::corpus_folder;

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

/// tshark, where it is here; says so where it is not.
#[allow(clippy::print_stdout, reason = "a test that is left out says so")]
fn tshark() -> Option<String> {
    let program = std::env::var("PORTOLAN_TSHARK").unwrap_or_else(|_| "tshark".to_owned());
    match Program::new(&program).arg("--version").output() {
        Ok(output) if output.status.success() => Some(program),
        _ => {
            println!("skipped: there is no {program}");
            None
        }
    }
}

/// Numbers of the packets of a capture that a display filter selects.
fn selected(tshark: &str, folder: &Path, capture: &str, filter: &str) -> BTreeSet<u64> {
    let mut command = Program::new(tshark);
    command.args(["-n", "-r", capture, "-Y", filter, "-T", "fields", "-e", "frame.number"]);
    let output = command.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "tshark refuses {filter} of {capture}");
    let selected = String::from_utf8(output.stdout).unwrap();
    selected.lines().map(|number| number.parse().unwrap()).collect()
}

/// Asserts of the first findings of a capture that tshark selects the packets of their slices by
/// their filters; how many there are.
fn assert_filters(bench: &Bench, tshark: &str, capture: &str, site: &str, most: usize) -> usize {
    let slices = TempDir::new_in(bench.folder.path()).unwrap();
    let folder = argument(slices.path());
    let mut arguments = vec!["check", capture, "--site", site, "--report", "report.json"];
    arguments.extend(["--evidence", &folder, "--evidence-packets", "10000", "--quiet"]);
    let ended = bench.run(&arguments);
    assert_ne!(ended.status, 2, "{capture}: {}", ended.err);
    let report = bench.json("report.json");
    let findings = report["findings"].as_array().unwrap();
    let told = report["evidence"].as_array().unwrap();
    let cut = |limit: &Value| limit["code"].as_str().unwrap().starts_with("evidence-");
    assert!(!report["limits"].as_array().unwrap().iter().any(cut), "all packets of {capture}");
    for slice in told.iter().take(most) {
        let name = slices.path().join(slice["file"].as_str().unwrap());
        let (_, packets) = read(&std::fs::read(name).unwrap());
        let kept: BTreeSet<_> = packets.iter().map(|packet| place(&packet.comment).2).collect();
        let finding = findings.iter().find(|f| f["id"] == slice["finding"]).unwrap();
        let filter = finding["display_filter"].as_str().unwrap();
        let selected = selected(tshark, bench.folder.path(), capture, filter);
        assert_eq!(selected, kept, "{} of {capture}: {filter}", finding["title"]);
    }
    told.len().min(most)
}

#[test]
fn display_filters_select_the_flows_of_the_slices() {
    let Some(tshark) = tshark() else { return };
    let voicemail = |name: &str| argument(&repository(&format!("fixtures/voicemail/{name}")));
    let bench = Bench::new();
    bench.write("hard.pcap", hard_to_filter());
    bench.write("site.toml", SITE);
    assert!(assert_filters(&bench, &tshark, "hard.pcap", "site.toml", 100) > 0);
    let (capture, site) = (quickstart("capture.pcap"), quickstart("site.toml"));
    assert!(assert_filters(&bench, &tshark, &capture, &site, 100) > 0);
    let (capture, site) = (voicemail("capture.pcap"), voicemail("site.toml"));
    assert_eq!(assert_filters(&bench, &tshark, &capture, &site, 25), 25);
}

/// Tunnels of every kind, IPv6, fragments, tags, and forms of files.
const HARD: [&str; 24] = [
    "encaps/arkime__gre-erspan.pcap",
    "encaps/heplify__erspan_sip_ipv4_udp.pcapng",
    "encaps/ndpi__6in4tunnel.pcap",
    "encaps/pcapanalyzer__frag_tcp_80_ipv4.pcap",
    "encaps/pcpp__MplsPackets.pcap",
    "encaps/pcpp__ip6_fragments.pcap",
    "encaps/suricata__krb5-request-frag-log-krb5-frag.pcap",
    "encaps/tcpdump__geneve.pcap",
    "encaps/tcpdump__mpls-over-udp.pcap",
    "encaps/tcpdump__various_gre.pcap",
    "encaps/zeek__erspanII.pcap",
    "encaps/zeek__http-qinq-0.pcap",
    "encaps/zeek__http-vlan-0.pcap",
    "encaps/zeek__ipv4-fragmented-2.pcap",
    "encaps/zeek__mpls-in-vlan.pcap",
    "encaps/zeek__pppoe.pcap",
    "encaps/zeek__tunnels-6in4.pcap",
    "encaps/zeek__tunnels-Teredo.pcap",
    "encaps/zeek__tunnels-gre-within-gre.pcap",
    "encaps/zeek__tunnels-vxlan.pcap",
    "encaps/zeek__vlan-collisions.pcap",
    "formats/pcpp__four_ipv6_http_streams.pcap",
    "formats/scapy__tls_tcp_frag.pcap.gz",
    "protocols/heplify__sip_ipv4_tcp_fragmented.pcap",
];

/// At a site of one host, the busiest: everything that it did is a finding.
#[test]
fn display_filters_select_the_flows_of_real_captures() {
    let (Some(tshark), Some(corpus)) = (tshark(), corpus_folder()) else { return };
    let bench = Bench::new();
    let mut tried = 0;
    for file in HARD {
        let capture = argument(&corpus.join(file));
        bench.run(&["check", &capture, "--flows", "flows.ndjson", "--quiet"]);
        let flows = std::fs::read_to_string(bench.path("flows.ndjson")).unwrap();
        let mut seen: BTreeMap<IpAddr, u64> = BTreeMap::new();
        for flow in flows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            for end in ["src_ip", "dst_ip"] {
                *seen.entry(flow[end].as_str().unwrap().parse().unwrap()).or_default() += 1;
            }
        }
        let hosts = seen.iter().filter(|(address, _)| !address.is_multicast());
        let (busiest, _) = hosts.max_by_key(|(_, flows)| **flows).expect(file);
        let host = format!("name = \"u\"\naddresses = [\"{busiest}\"]\nroles = [\"unity\"]\n");
        bench.write("site.toml", format!("schema = 1\n[[host]]\n{host}"));
        tried += assert_filters(&bench, &tshark, &capture, "site.toml", 4);
    }
    assert!(tried >= HARD.len(), "{tried} findings");
}
