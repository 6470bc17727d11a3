//! tshark as a second opinion on the frames written out in these tests.
//!
//! Run with `PORTOLAN_TSHARK` naming the program; version 4.0.17 was used.

use super::encapsulations::wrapped;
use super::frames::{Sample, samples};
use portolan::base::LinkType;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Frames that tshark reads otherwise, and why.
const READ_OTHERWISE: &[(&str, &str)] = &[
    ("old qinq", "tshark has no name for the EtherTypes 9200 and 9300"),
    ("qinq 9300", "the same"),
    ("l2tp 3", "tshark learns from the control connection what a session carries"),
    ("l2tp 3, cookie and sublayer", "the same"),
    ("l2tp 3 over udp", "the same"),
    ("erspan 3, ip", "tshark names frame type 2 and shows the packet as data"),
    ("cisco hdlc with direction", "tshark does not read the link type"),
    ("frame relay with direction", "the same"),
];

/// Fields that together tell the innermost five-tuple.
const FIELDS: [&str; 10] = [
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "udp.srcport",
    "udp.dstport",
    "tcp.srcport",
    "tcp.dstport",
    "sctp.srcport",
    "sctp.dstport",
];

/// A classic pcap file of one link type.
pub(crate) fn pcap(link: LinkType, samples: &[&Sample]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, link.0.into()] {
        file.extend(word.to_le_bytes());
    }
    for sample in samples {
        let length = u32::try_from(sample.bytes.len()).unwrap();
        for word in [0, 0, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&sample.bytes);
    }
    file
}

#[test]
fn tshark_finds_the_same_flows() {
    let Some(tshark) = std::env::var_os("PORTOLAN_TSHARK") else {
        println!("skipped: PORTOLAN_TSHARK is not set");
        return;
    };
    let samples = samples();
    let mut links: BTreeMap<LinkType, Vec<&Sample>> = BTreeMap::new();
    for sample in &samples {
        links.entry(sample.link).or_default().push(sample);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut differing = BTreeSet::new();
    for (link, samples) in links {
        let path = folder.path().join("frames.pcap");
        std::fs::write(&path, pcap(link, &samples)).unwrap();
        let mut command = Command::new(&tshark);
        command.arg("-r").arg(&path).args(["-d", "udp.port==8472,vxlan", "-T", "fields"]);
        command.args(["-d", "mpls.label==200,pwethcw", "-d", "mpls.label==201,pwethnocw"]);
        command.args(["-o", "ip.check_checksum:FALSE", "-E", "occurrence=l"]);
        for field in FIELDS {
            command.args(["-e", field]);
        }
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let lines = output.lines().chain(std::iter::repeat(""));
        for (sample, line) in samples.iter().zip(lines) {
            if let Some(difference) = difference(sample, line) {
                println!("{}: {difference}", sample.name);
                differing.insert(sample.name);
            }
        }
    }
    let explained: BTreeSet<&str> = READ_OTHERWISE.iter().map(|(name, _)| *name).collect();
    assert_eq!(differing, explained);
    assert!(wrapped().len() > 80);
}

/// How the last occurrences of the fields differ from the flow of a sample.
fn difference(sample: &Sample, line: &str) -> Option<String> {
    let flow = sample.flow;
    let values: Vec<&str> = line.split('\t').chain(std::iter::repeat("")).take(10).collect();
    let v6 = flow.contains('[');
    let (source, destination) = if v6 { (values[2], values[3]) } else { (values[0], values[1]) };
    let ports = match flow.split(' ').next().unwrap() {
        "udp" => (values[4], values[5]),
        "tcp" => (values[6], values[7]),
        "sctp" => (values[8], values[9]),
        _ => ("0", "0"),
    };
    let end = |address, port| {
        if v6 { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    };
    let ends = format!("{} > {}", end(source, ports.0), end(destination, ports.1));
    (!flow.ends_with(&ends)).then(|| format!("{flow} is to tshark {line:?}"))
}
