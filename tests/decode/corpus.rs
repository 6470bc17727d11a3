//! Flows of real captures against the truth table that lies beside them: every row must be
//! found, with the same packets and bytes.
//!
//! The folder is named by the environment variable `PORTOLAN_CORPUS`.

use super::capture_walker::frames;
use portolan::decode::{DatagramId, Decoded, dissect};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

pub type End = (IpAddr, u16);
/// IP protocol and ordered ends.
pub type Key = (u8, End, End);
/// Packets and bytes.
pub type Volume = (u64, u64);

/// A flow that differs from the truth.
pub struct Exception {
    pub file: &'static str,
    protocol: u8,
    ends: [(&'static str, u16); 2],
    /// What is found instead of the row.
    pub found: Option<Volume>,
    /// Why.
    pub reason: &'static str,
}

const MIRRORED: &str = "a frame without IP that a mirror port sent by ERSPAN: the truth counts it for \
                        the GRE tunnel, here it is the frame without IP that was on the wire";
const CUT_EXTENSION: &str = "hop-by-hop header, then a routing header cut by the capture: the \
                             truth names the packet after the first, here it is the cut one";

/// Damaged files in which pcap-parser and tshark see other packets.
pub const READ_OTHERWISE: [&str; 2] =
    ["malformed/ndpi__fuzz-2021-10-13.pcap", "malformed/suricata__bug-6875-01-fuzz.pcap"];

/// Every difference there is, so that one that goes away is noticed as well.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        file: "encaps/arkime__gre-erspan.pcap",
        protocol: 47,
        ends: [("1.1.1.1", 0), ("2.2.2.2", 0)],
        found: None,
        reason: MIRRORED,
    },
    Exception {
        file: "encaps/tcpdump__erspan-type-ii-3.pcap",
        protocol: 47,
        ends: [("192.168.1.172", 0), ("192.168.1.249", 0)],
        found: None,
        reason: MIRRORED,
    },
    Exception {
        file: "formats/tcpdump__LINKTYPE_PKTAP.pcap",
        protocol: 17,
        ends: [("10.32.4.27", 63538), ("10.32.100.15", 53)],
        found: Some((1, 182)),
        reason: "tshark reads a DNS query here; the truth has no rows for the link type",
    },
    Exception {
        file: "malformed/tcpdump__icmp-icmp_print-oobr-2.pcap",
        protocol: 112,
        ends: [("209.150.251.64", 0), ("250.219.91.20", 0)],
        found: Some((2, 128)),
        reason: "records that claim fewer bytes on the wire than they hold: the truth adds up the \
                 claims, here no frame is shorter than what was captured of it",
    },
    Exception {
        file: "malformed/tcpdump__ipv6-too-long-jumbo.pcap",
        protocol: 0,
        ends: [
            ("1:6:1a28:312:d7cb:b318:34e5:d3ea", 0),
            ("2b7f:cd1f:ec3c:fb9c:e731:d16b:a8fe:ba8c", 0),
        ],
        found: None,
        reason: "payload length 0 without a jumbo option: tshark gives up behind the hop-by-hop \
                 header, here the payload is what the frame holds",
    },
    Exception {
        file: "malformed/tcpdump__ipv6-too-long-jumbo.pcap",
        protocol: 12,
        ends: [
            ("1:6:1a28:312:d7cb:b318:34e5:d3ea", 0),
            ("2b7f:cd1f:ec3c:fb9c:e731:d16b:a8fe:ba8c", 0),
        ],
        found: Some((1, 490)),
        reason: "the same packet under the protocol that its hop-by-hop header names",
    },
    Exception {
        file: "malformed/tcpdump__ipv6-next-header-oobr-1.pcap",
        protocol: 0,
        ends: [("3030:3030:3030:3030:3030:3030:3030:3030", 0); 2],
        found: None,
        reason: CUT_EXTENSION,
    },
    Exception {
        file: "malformed/tcpdump__ipv6-next-header-oobr-1.pcap",
        protocol: 43,
        ends: [("3030:3030:3030:3030:3030:3030:3030:3030", 0); 2],
        found: Some((1, 262144)),
        reason: CUT_EXTENSION,
    },
];

impl Exception {
    pub fn key(&self) -> Key {
        let [one, other] = self.ends.map(|(address, port)| (address.parse().unwrap(), port));
        ordered(self.protocol, one, other)
    }
}

/// Files in which the exceptions above move packets between those with and without IP.
const SORTED_OTHERWISE: [&str; 3] = [
    "encaps/arkime__gre-erspan.pcap",
    "encaps/tcpdump__erspan-type-ii-3.pcap",
    "formats/tcpdump__LINKTYPE_PKTAP.pcap",
];

/// Flows of one file as decoded, and how many frames ended in which class.
#[derive(Default)]
struct Found {
    flows: BTreeMap<Key, Volume>,
    ip: u64,
    non_ip: u64,
}

#[test]
fn flows_packets_and_bytes_equal_the_truth() {
    let Some(folder) = std::env::var_os("PORTOLAN_CORPUS").map(PathBuf::from) else {
        println!("skipped: PORTOLAN_CORPUS is not set");
        return;
    };
    let mut rows = 0;
    let mut differences = BTreeMap::new();
    for (file, truth) in truth(&folder) {
        if READ_OTHERWISE.contains(&file.as_str()) {
            continue;
        }
        let found = decode(&folder.join(&file));
        rows += truth.rows.len();
        for (key, volume) in &truth.rows {
            let same = found.flows.get(key);
            if same != Some(volume) {
                differences.insert((file.clone(), *key), same.copied());
            }
        }
        let beyond = found.flows.iter().filter(|(key, _)| !truth.rows.contains_key(key));
        for (key, volume) in beyond.filter(|_| truth.complete) {
            differences.insert((file.clone(), *key), Some(*volume));
        }
        if truth.complete && !SORTED_OTHERWISE.contains(&file.as_str()) {
            assert_eq!((found.ip, found.non_ip), (truth.ip, truth.non_ip), "{file}: IP, non-IP");
        }
    }
    for exception in EXCEPTIONS {
        let Exception { file, reason, found, .. } = exception;
        let difference = differences.remove(&(file.to_string(), exception.key()));
        assert_eq!(difference, Some(*found), "{file}: {reason}");
    }
    println!("{rows} rows compared, {} explained differences", EXCEPTIONS.len());
    assert!(rows > 2000, "the truth table was not read");
    assert!(differences.is_empty(), "unexplained: {differences:#?}");
}

fn decode(path: &Path) -> Found {
    let mut found = Found::default();
    let mut later = Vec::new();
    let mut first: BTreeMap<DatagramId, Key> = BTreeMap::new();
    for frame in frames(path) {
        match dissect(&frame.meta, &frame.bytes, &mut ()) {
            Decoded::Unit(unit) => {
                let end = |e: portolan::base::Endpoint| (e.address(), e.port());
                let key = ordered(unit.key.protocol().0, end(unit.key.a()), end(unit.key.b()));
                add(&mut found.flows, key, unit.frame_bytes);
                if let Some(datagram) = unit.first_fragment() {
                    first.entry(datagram).or_insert(key);
                }
                found.ip += 1;
            }
            Decoded::Fragment(fragment) => {
                later.push(fragment);
                found.ip += 1;
            }
            Decoded::NonIp(..) => found.non_ip += 1,
            Decoded::Stopped(_) => found.non_ip += 1,
        }
    }
    for fragment in later {
        let datagram = fragment.datagram;
        let alone = ordered(
            datagram.protocol.0,
            (datagram.source.address(), 0),
            (datagram.destination.address(), 0),
        );
        let key = first.get(&datagram).copied().unwrap_or(alone);
        add(&mut found.flows, key, fragment.frame_bytes);
    }
    found
}

fn add(flows: &mut BTreeMap<Key, Volume>, key: Key, bytes: u32) {
    let volume = flows.entry(key).or_default();
    volume.0 += 1;
    volume.1 += u64::from(bytes);
}

pub fn ordered(protocol: u8, one: End, other: End) -> Key {
    (protocol, one.min(other), one.max(other))
}

/// The comparable rows of one file.
pub struct Truth {
    pub rows: BTreeMap<Key, Volume>,
    /// Who opened the flow, where the truth is sure of it.
    pub initiators: BTreeMap<Key, End>,
    /// Whether every row of the file is comparable, so that nothing else may be found.
    pub complete: bool,
    /// Packets with an IP header.
    ip: u64,
    /// Packets without.
    non_ip: u64,
}

pub fn truth(folder: &Path) -> BTreeMap<String, Truth> {
    let mut files: BTreeMap<String, Truth> = BTreeMap::new();
    for row in table(&folder.join("counts.tsv")) {
        let truth = Truth {
            rows: BTreeMap::new(),
            initiators: BTreeMap::new(),
            complete: row["linktypes"] != "?",
            ip: row["ip_packets"].parse().unwrap(),
            non_ip: row["non_ip_packets"].parse().unwrap(),
        };
        files.insert(row["file"].clone(), truth);
    }
    for row in table(&folder.join("truth.tsv")) {
        let entry = files.get_mut(&row["file"]).unwrap();
        let end = |side: &str| -> End {
            let address = row[&format!("{side}_ip")].parse().unwrap();
            (address, row[&format!("{side}_port")].parse().unwrap())
        };
        let protocol = row["ip_proto"].parse().unwrap();
        let key = ordered(protocol, end("initiator"), end("responder"));
        let volume = (row["packets"].parse().unwrap(), row["bytes"].parse().unwrap());
        assert_eq!(entry.rows.insert(key, volume), None, "one row per flow");
        if row["dir_basis"] != "ambiguous" {
            entry.initiators.insert(key, end("initiator"));
        }
    }
    files
}

/// The rows of a tab-separated file with a header line, by column name.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let row = |line: &str| {
        names
            .iter()
            .map(|name| name.to_string())
            .zip(line.split('\t').map(str::to_string))
            .collect()
    };
    lines.map(row).collect()
}
