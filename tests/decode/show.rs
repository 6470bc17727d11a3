//! What `portolan show` prints of a packet, against what tshark prints: each field lies at the
//! same place and holds the same.
//!
//! tshark is the program that `PORTOLAN_TSHARK` names, or else `tshark`; without it, and without
//! the folder that `PORTOLAN_CORPUS` names, these tests are skipped.

use super::capture_walker::meta;
use super::encapsulations;
use super::tshark::pcap;
use crate::capture::corpus::totals;
use portolan::base::LinkType;
use portolan::capture::{FrameBatch, FrameMeta, Hashing, Inputs};
use portolan::decode::{FieldValue, Header, Observer, dissect};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// A field of tshark.
struct Seen {
    offset: usize,
    length: usize,
    /// As printed; hexadecimal with `0x`.
    value: String,
}

/// What tshark tells of a packet, by the name of the field.
type Dissection = BTreeMap<String, Vec<Seen>>;

/// Fields of headers, and those of tshark that are the same, one of them in each packet.
const SAME: &[(&str, &str, &str)] = &[
    ("ethernet", "destination", "eth.dst ieee8021ah.cdst"),
    ("ethernet", "source", "eth.src ieee8021ah.csrc"),
    ("ethernet", "type", "eth.type eth.len"),
    ("vlan", "priority", "vlan.priority ieee8021ad.priority"),
    ("vlan", "identifier", "vlan.id ieee8021ad.id"),
    ("ipv4", "version", "ip.version"),
    ("ipv4", "traffic class", "ip.dsfield"),
    ("ipv4", "total length", "ip.len"),
    ("ipv4", "identification", "ip.id"),
    ("ipv4", "do not fragment", "ip.flags.df"),
    ("ipv4", "more fragments", "ip.flags.mf"),
    ("ipv4", "time to live", "ip.ttl"),
    ("ipv4", "protocol", "ip.proto"),
    ("ipv4", "checksum", "ip.checksum"),
    ("ipv4", "source", "ip.src"),
    ("ipv4", "destination", "ip.dst"),
    ("ipv6", "flow label", "ipv6.flow"),
    ("ipv6", "payload length", "ipv6.plen"),
    ("ipv6", "next header", "ipv6.nxt"),
    ("ipv6", "hop limit", "ipv6.hlim"),
    ("ipv6", "source", "ipv6.src"),
    ("ipv6", "destination", "ipv6.dst"),
    ("tcp", "source port", "tcp.srcport"),
    ("tcp", "destination port", "tcp.dstport"),
    ("tcp", "sequence", "tcp.seq_raw"),
    ("tcp", "acknowledgement", "tcp.ack_raw"),
    ("tcp", "window", "tcp.window_size_value"),
    ("tcp", "checksum", "tcp.checksum"),
    ("tcp", "urgent pointer", "tcp.urgent_pointer"),
    ("udp", "source port", "udp.srcport"),
    ("udp", "destination port", "udp.dstport"),
    ("udp", "length", "udp.length"),
    ("udp", "checksum", "udp.checksum"),
    ("sctp", "source port", "sctp.srcport"),
    ("sctp", "destination port", "sctp.dstport"),
    ("icmp", "type", "icmp.type icmpv6.type"),
    ("icmp", "code", "icmp.code icmpv6.code"),
    ("mpls", "label", "mpls.label"),
    ("mpls", "traffic class", "mpls.exp"),
    ("mpls", "bottom of stack", "mpls.bottom"),
    ("mpls", "time to live", "mpls.ttl"),
    ("pppoe", "code", "pppoe.code"),
    ("pppoe", "session", "pppoe.session_id"),
    ("gre", "flags and version", "gre.flags_and_version"),
    ("gre", "protocol", "gre.proto"),
    ("gre", "key", "gre.key"),
    ("gre", "sequence", "gre.sequence_number"),
    ("erspan-2", "version", "erspan.version"),
    ("erspan-2", "vlan", "erspan.vlan"),
    ("erspan-2", "class of service", "erspan.cos"),
    ("erspan-2", "encapsulation", "erspan.encap"),
    ("erspan-2", "session", "erspan.spanid"),
    ("erspan-2", "index", "erspan.index"),
    ("erspan-3", "version", "erspan.version"),
    ("erspan-3", "vlan", "erspan.vlan"),
    ("erspan-3", "session", "erspan.spanid"),
    ("erspan-3", "security group tag", "erspan.sgt"),
    ("vxlan", "network identifier", "vxlan.vni"),
    ("geneve", "protocol", "geneve.proto_type"),
    ("geneve", "network identifier", "geneve.vni"),
    ("gtp-u", "flags", "gtp.flags"),
    ("gtp-u", "message type", "gtp.message"),
    ("gtp-u", "length", "gtp.length"),
    ("gtp-u", "tunnel endpoint", "gtp.teid"),
    ("nsh", "next protocol", "nsh.nextproto"),
    ("nsh", "service path", "nsh.spi"),
    ("nsh", "service index", "nsh.si"),
    ("tzsp", "version", "tzsp.version"),
    ("tzsp", "type", "tzsp.type"),
    ("ppp", "protocol", "ppp.protocol"),
    ("linux-cooked", "packet type", "sll.pkttype"),
    ("linux-cooked", "hardware type", "sll.hatype"),
    ("linux-cooked", "protocol", "sll.etype"),
    ("linux-cooked-2", "protocol", "sll.etype"),
    ("linux-cooked-2", "interface", "sll.ifindex"),
    ("l2tp-2", "tunnel", "l2tp.tunnel"),
    ("l2tp-2", "session", "l2tp.session"),
    ("l2tp-3", "session", "l2tp.sid"),
    ("redundancy-tag", "sequence", "hsr.sequence_nr"),
    ("pbb", "service", "ieee8021ah.isid"),
    ("llc", "destination", "llc.dsap"),
    ("token-ring", "destination", "tr.dst"),
    ("trill", "egress", "trill.egress_nick"),
    ("trill", "ingress", "trill.ingress_nick"),
    ("capwap", "radio", "capwap.header.rid"),
    ("lisp", "flags", "lisp-data.flags"),
];

struct Headers(Vec<Header>);

impl Observer for Headers {
    fn header(&mut self, header: Header) {
        self.0.push(header);
    }
}

/// A value as tshark prints it in decimal or hexadecimal, or as it is.
fn plain(text: &str) -> String {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    number.map_or_else(|| text.to_owned(), |number: u64| number.to_string())
}

fn printed(value: FieldValue) -> String {
    match value {
        FieldValue::Number(number) | FieldValue::Code(number, _) => number.to_string(),
        other => other.to_string(),
    }
}

/// How the fields of a frame differ from what tshark tells; and how many are the same.
fn differences(frame: &FrameMeta, bytes: &[u8], seen: &Dissection) -> (usize, Vec<String>) {
    let mut met = Headers(Vec::new());
    dissect(frame, bytes, &mut met);
    let (mut same, mut differing) = (0, Vec::new());
    for header in &met.0 {
        for field in header.fields(bytes) {
            let named = |one: &&(&str, &str, &str)| (one.0, one.1) == (header.name(), field.name);
            let Some((_, _, names)) = SAME.iter().find(named) else { continue };
            let (value, end) = (printed(field.value), field.offset + field.length);
            // Of a field that is part of some bytes, tshark may name fewer of them or more.
            let agrees = |one: &Seen| {
                let inside = field.offset <= one.offset && one.offset + one.length <= end;
                let around = one.offset <= field.offset && end <= one.offset + one.length;
                (inside || around) && plain(&one.value) == value
            };
            let all = || names.split(' ').filter_map(|name| seen.get(name)).flatten();
            if all().any(agrees) {
                same += 1;
            } else {
                let (header, what, offset) = (header.name(), field.name, field.offset);
                let all: Vec<_> = all().map(|one| (one.offset, one.length, &one.value)).collect();
                differing.push(format!("{header} {what} at {offset}: {value}; {names} {all:?}"));
            }
        }
    }
    (same, differing)
}

/// The packets of a file as tshark reads them.
fn dissections(tshark: &str, path: &Path, packets: usize) -> Vec<Dissection> {
    let mut command = Command::new(tshark);
    command.arg("-r").arg(path).args(["-c", &packets.to_string(), "-T", "pdml", "-n"]);
    command.args(["-d", "udp.port==8472,vxlan", "-d", "mpls.label==200,pwethcw"]);
    command.args(["-d", "mpls.label==201,pwethnocw", "-o", "ip.defragment:FALSE"]);
    command.args(["-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]);
    let output = command.output().expect("tshark runs");
    let mut packets = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line = line.trim_start();
        if line.starts_with("<packet>") {
            packets.push(Dissection::new());
        }
        let Some(packet) = packets.last_mut().filter(|_| line.starts_with("<field ")) else {
            continue;
        };
        let attribute = |name: &str| {
            let (_, rest) = line.split_once(&format!(" {name}=\""))?;
            rest.split('"').next().map(str::to_owned)
        };
        let number = |name| attribute(name).and_then(|text| text.parse().ok());
        let told = (attribute("name"), number("pos"), number("size"), attribute("show"));
        if let (Some(name), Some(offset), Some(length), Some(value)) = told {
            packet.entry(name).or_default().push(Seen { offset, length, value });
        }
    }
    packets
}

fn tshark() -> Option<String> {
    let program = std::env::var("PORTOLAN_TSHARK").unwrap_or_else(|_| "tshark".to_owned());
    let runs = Command::new(&program).arg("--version").output().is_ok();
    runs.then_some(program)
}

/// Samples of which tshark tells other fields, and why.
const TOLD_OTHERWISE: &[(&str, &str)] = &[
    ("r-tag", "tshark has other fields for the tag of 802.1CB"),
    ("pbb", "tshark puts the inner EtherType at 16, where the identifier of the service is"),
    ("fabricpath", "tshark shows the outer addresses in parts"),
    ("qinq 9300", "tshark has no name for the EtherType 9300"),
    ("l2tp 3", "tshark learns from the control connection what a session carries"),
    ("l2tp 3, cookie and sublayer", "the same"),
    ("l2tp 3 over udp", "the same"),
    ("erspan 3, ip", "tshark names frame type 2 and shows the packet as data"),
    ("ppp with direction", "tshark counts from behind the direction"),
    ("cisco hdlc with direction", "tshark does not read the link type"),
    ("frame relay with direction", "the same"),
];

#[test]
fn fields_of_every_encapsulation_lie_where_tshark_sees_them() {
    let Some(tshark) = tshark() else {
        println!("skipped: there is no tshark");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let samples = encapsulations::samples();
    let mut links: BTreeMap<LinkType, Vec<_>> = BTreeMap::new();
    for sample in &samples {
        links.entry(sample.link).or_default().push(sample);
    }
    let (mut compared, mut differing) = (0, BTreeSet::new());
    for (link, samples) in links {
        let path = folder.path().join("frames.pcap");
        std::fs::write(&path, pcap(link, &samples)).unwrap();
        let seen = dissections(&tshark, &path, samples.len());
        let seen = seen.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        for (sample, seen) in samples.iter().zip(seen) {
            let length = sample.bytes.len();
            let meta = meta(link, length, u32::try_from(length).unwrap(), 1);
            let (same, others) = differences(&meta, &sample.bytes, &seen.unwrap_or_default());
            compared += same;
            if !others.is_empty() {
                println!("{}: {others:?}", sample.name);
                differing.insert(sample.name);
            }
        }
    }
    println!("{compared} fields compared");
    let explained: BTreeSet<&str> = TOLD_OTHERWISE.iter().map(|(name, _)| *name).collect();
    assert_eq!(differing, explained);
    assert!(compared > 2000, "{compared}");
}

/// Packets of a real file that are looked at.
const PACKETS: usize = 25;

#[test]
fn fields_of_real_packets_lie_where_tshark_sees_them() {
    let Some(folder) = crate::capture::corpus_folder() else { return };
    let Some(tshark) = tshark() else {
        println!("skipped: there is no tshark");
        return;
    };
    let (mut compared, mut looked_at) = (0, 0);
    for (file, ..) in totals(&folder).iter().filter(|(file, ..)| file.starts_with("encaps/")) {
        let path = folder.join(file);
        let seen = dissections(&tshark, &path, PACKETS);
        let mut inputs = Inputs::open(&[path], Hashing::Off).expect("the file is there");
        let mut batch = FrameBatch::default();
        inputs.fill(&mut batch);
        for frame in &batch.frames {
            let number = frame.source.number;
            let Some(seen) = seen.get(number as usize - 1) else { continue };
            let (same, others) = differences(frame, batch.data(frame), seen);
            assert!(others.is_empty(), "{file}, packet {number}: {others:?}");
            (compared, looked_at) = (compared + same, looked_at + 1);
        }
    }
    println!("{compared} fields of {looked_at} packets compared");
    assert!(compared > 10_000, "{compared} fields of {looked_at} packets");
}
