//! Every packet in exactly one class, as the program itself says it.

use std::collections::BTreeMap;

use super::Bench;
use crate::capture::corpus::totals;
use crate::capture::corpus_folder;
use crate::frames;
use crate::runs::pcap;

const HOSTS: frames::Hosts = ([10, 0, 0, 1], [10, 0, 0, 2]);

/// Packets by class, and packets read, of the report of a run over a file.
fn classes(bench: &Bench, file: &str, more: &[&str]) -> (BTreeMap<String, u64>, u64) {
    let arguments = ["check", file, "--quiet", "--report", "report.json", "--threads", "1"];
    let ended = bench.run(&[&arguments[..], more].concat());
    assert!((0..=3).contains(&ended.status), "{file}: {}", ended.err);
    assert!(!ended.err.contains("internal error"), "{file}: {}", ended.err);
    let report = bench.json("report.json");
    let accounting = &report["accounting"];
    assert_eq!(accounting["mismatches"], serde_json::json!([]), "{file}");
    let mut classes: BTreeMap<String, u64> = BTreeMap::new();
    for class in accounting["classes"].as_array().unwrap() {
        let name = class["class"].as_str().unwrap().to_owned();
        *classes.entry(name).or_default() += class["packets"].as_u64().unwrap();
    }
    (classes, accounting["packets_read"].as_u64().unwrap())
}

/// A hundred milliseconds from packet to packet, but a microsecond from a packet to its copy.
fn timed(frames: Vec<Vec<u8>>) -> Vec<(i64, Vec<u8>)> {
    let mut packets: Vec<(i64, Vec<u8>)> = Vec::new();
    for frame in frames {
        let (time, copy) = match packets.last() {
            None => (1_700_000_000_000_000_000, false),
            Some((time, before)) => (*time, *before == frame),
        };
        packets.push((time + if copy { 1_000 } else { 100_000_000 }, frame));
    }
    packets
}

#[test]
fn every_packet_is_in_one_class() {
    let bench = Bench::new();
    let question = |port| frames::udp(HOSTS, (port, 53), b"question");
    let fragments = frames::fragmented_udp(HOSTS, (50_000, 53), 7, 3);
    let orphans = frames::fragmented_udp(HOSTS, (50_000, 53), 8, 3);
    let unknown = [vec![2; 12], vec![0x12, 0x34, 1, 2, 3, 4]].concat();
    // Bytes of an IPv4 header that ends before its addresses.
    let short = [vec![2; 12], vec![8, 0, 0x45, 0, 0, 60]].concat();
    let packets = timed(vec![
        question(50_001),
        question(50_002),
        question(50_002),
        frames::arp(),
        fragments[0].clone(),
        fragments[1].clone(),
        fragments[2].clone(),
        orphans[1].clone(),
        unknown.clone(),
        unknown,
        short,
    ]);
    bench.write("all.pcap", pcap(&packets));
    let expected = |classes: &[(&str, u64)]| -> BTreeMap<String, u64> {
        classes.iter().map(|(name, packets)| ((*name).to_owned(), *packets)).collect()
    };
    let (found, read) = classes(&bench, "all.pcap", &[]);
    let wanted = [("copy", 1), ("flow", 5), ("non-ip", 1), ("unclaimed-fragment", 1)];
    assert_eq!(found, expected(&[&wanted[..], &[("undecoded", 3)]].concat()));
    assert_eq!(read, 11);
    // A table with room for few flows: what does not fit is a class of its own.
    let flood = timed((0..20_000).map(|port| question(20_000 + port)).collect());
    bench.write("flood.pcap", pcap(&flood));
    let (found, read) = classes(&bench, "flood.pcap", &["--max-memory", "1MiB"]);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["flow", "table-full"]);
    assert_eq!((found.values().sum::<u64>(), read), (20_000, 20_000));
}

/// Against what capinfos and tshark counted.
#[test]
fn every_packet_of_real_captures_is_in_one_class() {
    let Some(folder) = corpus_folder() else { return };
    let bench = Bench::new();
    let one_in = 5;
    let mut files = 0;
    for (file, packets, _) in totals(&folder).iter().step_by(one_in) {
        let path = folder.join(file);
        let (found, read) = classes(&bench, &path.to_string_lossy(), &[]);
        assert_eq!((found.values().sum::<u64>(), read), (*packets, *packets), "{file}");
        files += 1;
    }
    assert_eq!(files, 86);
}
