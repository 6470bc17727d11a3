//! The recognisers of datagrams on every flow of the real captures, against the truth table beside
//! them.
//!
//! The folder is named by the environment variable `PORTOLAN_CORPUS`. Damaged captures count for
//! claims that go too far, not for what is missed: many of their packets are no longer what their
//! label says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use portolan::base::Endpoint;
use portolan::identify::{Answer, Grade, RECOGNISERS};

use super::assemble::{Conversation, conversations};
use crate::capture::corpus_folder;

/// Labels that this table answers for. RTP and STUN run over TCP too.
const LABELS: &[&str] = &[
    "capwap",
    "dhcp",
    "dhcpv6",
    "dns",
    "dtls",
    "gtp",
    "hsrp",
    "iax2",
    "ike",
    "l2tp",
    "llmnr",
    "mdns",
    "megaco",
    "mgcp",
    "nat-pmp",
    "nbdgm",
    "nbns",
    "netflow",
    "ntp",
    "openvpn",
    "quic",
    "radius",
    "rip",
    "rtcp",
    "rtp",
    "sflow",
    "sip",
    "slammer",
    "snmp",
    "ssdp",
    "ssrp",
    "stun",
    "syslog",
    "t38",
    "tftp",
    "wireguard",
    "ws-discovery",
];

/// The damaged captures, whose labels are partly those of the ports.
const DAMAGED: &str = "malformed/";

/// A flow on which recognition and truth differ, and what the bytes show.
struct Exception {
    file: &'static str,
    name: &'static str,
    flows: usize,
    reason: &'static str,
}

const fn exception(
    file: &'static str,
    name: &'static str,
    flows: usize,
    reason: &'static str,
) -> Exception {
    Exception { file, name, flows, reason }
}

const DAMAGED_DNS: &str = "malformed/ndpi__fuzz-2006-06-26-2594.pcap";

/// Claims against the truth.
const CLAIMED: &[Exception] = &[
    exception(
        "protocols/ndpi__syslog.pcap",
        "syslog",
        1,
        "'<22>1 2021-04-18T14:51:48+04:00 iPhone-7,2 ..' over TCP on 52173: RFC 5424",
    ),
    exception(
        "protocols/ndpi__KakaoTalk_talk.pcap",
        "rtcp",
        2,
        "81 c9 00 07 and 81 c8 00 0c with the same SSRC: SRTCP, named after the service",
    ),
    exception(
        "malformed/ndpi__rtp-cut.pcapng",
        "rtp",
        1,
        "04 bc 80 88 c6 23 .., 04 bc 80 08 c6 24 ..: the RTP over TCP of ndpi__rtp.pcapng",
    ),
    exception(
        "malformed/ndpi__fuzz-2020-02-16-11740.pcap",
        "radius",
        6,
        "01 .. with 13 attributes that add up, to damaged addresses and ports",
    ),
    exception(
        DAMAGED_DNS,
        "llmnr",
        24,
        "weak: questions for the name of an address without recursion, 00 00 00 01, one way",
    ),
    exception(DAMAGED_DNS, "dns", 1, "20 45 4b .. with a damaged label length: no NetBIOS name"),
];

/// Flows of a label that nothing in their bytes shows.
const UNCLAIMED: &[Exception] = &[
    exception(
        "formats/zeek__dns-inverse-query.pcap",
        "dns",
        1,
        "an inverse query (opcode 1), which RFC 3425 withdrew",
    ),
    exception(
        "encaps/ndpi__capwap.pcap",
        "capwap",
        1,
        "00 10 03 00 ..: frames of clients behind a header with nothing to know it by",
    ),
    exception(
        "encaps/zeek__tunnels-Teredo.pcap",
        "bittorrent",
        1,
        "encrypted uTP caught in its middle",
    ),
    exception(
        "encaps/pcpp__ip6_fragments.pcap",
        "mdns",
        1,
        "the first fragment alone, which passes for a whole datagram here",
    ),
    exception(
        "encaps/zeek__ipv4-fragmented-1.pcap",
        "ntp",
        1,
        "the first fragment alone, which passes for a whole datagram here",
    ),
    exception(
        "encaps/zeek__ipv4-fragmented-2.pcap",
        "ntp",
        1,
        "the first fragment alone, which passes for a whole datagram here",
    ),
];

struct Truth {
    label: String,
    alt: BTreeSet<String>,
    settled: bool,
}

type Row = (String, u8, Endpoint, Endpoint);

fn row(file: &str, protocol: u8, one: Endpoint, other: Endpoint) -> Row {
    (file.to_owned(), protocol, one.min(other), one.max(other))
}

fn truth(folder: &Path) -> BTreeMap<Row, Truth> {
    let text = std::fs::read_to_string(folder.join("truth.tsv")).expect("the truth table");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let mut truth = BTreeMap::new();
    for line in lines {
        let of: BTreeMap<&str, &str> = names.iter().copied().zip(line.split('\t')).collect();
        if !matches!(of["ip_proto"], "6" | "17") {
            continue;
        }
        let end = |address: &str, port: &str| {
            let address: IpAddr = of[address].parse().expect("an address");
            Endpoint::new(address, of[port].parse().expect("a port"))
        };
        let (one, other) =
            (end("initiator_ip", "initiator_port"), end("responder_ip", "responder_port"));
        let protocol = of["ip_proto"].parse().expect("a number");
        let value = Truth {
            label: of["label"].to_owned(),
            alt: of["alt"].split(',').map(str::to_owned).collect(),
            settled: !matches!(of["basis"], "disputed" | "weak") && of["label"] != "disputed",
        };
        truth.insert(row(of["file"], protocol, one, other), value);
    }
    truth
}

/// The names that are claimed of a conversation: those of at least strong grade, else the first.
fn names(conversation: &Conversation) -> BTreeSet<&'static str> {
    let claims: Vec<_> = conversation.with_evidence(|evidence| {
        let of_carriage = RECOGNISERS.iter().filter(|r| r.carriage.contains(&evidence.carriage));
        of_carriage
            .filter_map(|recogniser| match (recogniser.recognise)(evidence) {
                Answer::Match(claim) => Some(claim),
                Answer::Undecided | Answer::No => None,
            })
            .collect()
    });
    let strong = claims.iter().filter(|claim| claim.grade >= Grade::Strong);
    let strong: BTreeSet<_> = strong.map(|claim| claim.protocol.name()).collect();
    match claims.first() {
        Some(weak) if strong.is_empty() => BTreeSet::from([weak.protocol.name()]),
        _ => strong,
    }
}

/// Differences by file and name.
#[derive(Default)]
struct Differences(BTreeMap<(String, String), Vec<String>>);

impl Differences {
    fn note(&mut self, row: &Row, name: &str, truth: &Truth) {
        let said = self.0.entry((row.0.clone(), name.to_owned())).or_default();
        said.push(format!("{row:?} is {}", truth.label));
    }

    /// Every difference is an exception, and every exception is met.
    fn assert_are(mut self, what: &str, exceptions: &[Exception]) {
        for Exception { file, name, flows, reason } in exceptions {
            let found = self.0.remove(&(file.to_string(), name.to_string())).unwrap_or_default();
            assert_eq!(found.len(), *flows, "{what}: {file}: {name}: {reason}: {found:#?}");
        }
        assert!(self.0.is_empty(), "{what}: {:#?}", self.0);
    }
}

#[test]
fn recognised_datagrams_are_those_of_the_truth() {
    let Some(folder) = corpus_folder() else { return };
    let truth = truth(&folder);
    let files: BTreeSet<&String> = truth.keys().map(|(file, ..)| file).collect();
    let mut scores: BTreeMap<&str, [u32; 3]> =
        LABELS.iter().map(|label| (*label, [0; 3])).collect();
    let (mut claimed, mut unclaimed) = (Differences::default(), Differences::default());
    for file in files {
        let mut flows: BTreeMap<Row, BTreeSet<&str>> = BTreeMap::new();
        for conversation in conversations(&folder.join(file)) {
            let key = conversation.key;
            let row = row(file, key.protocol().0, key.a(), key.b());
            flows.entry(row).or_default().extend(names(&conversation));
        }
        for (row, names) in &flows {
            let Some(truth) = truth.get(row) else { continue };
            let right = |name: &str| truth.label == name || truth.alt.contains(name);
            for name in names.iter().filter(|name| LABELS.contains(name)) {
                let score = scores.get_mut(name).expect("a label of the table");
                if right(name) {
                    score[0] += 1;
                } else if truth.settled {
                    score[1] += 1;
                    claimed.note(row, name, truth);
                } else {
                    println!("unsettled: {name} claimed on {row:?}, {}", truth.label);
                }
            }
            let missed = !names.iter().any(|name| right(name)) && truth.settled;
            let ours = LABELS.contains(&truth.label.as_str())
                || truth.label == "bittorrent" && row.1 == 17;
            if missed && ours && !file.starts_with(DAMAGED) {
                scores.entry(&truth.label).or_default()[2] += 1;
                unclaimed.note(row, &truth.label, truth);
            }
        }
    }
    println!("{:<14}{:>7}{:>7}{:>7}", "label", "right", "wrong", "missed");
    for (label, [right, wrong, missed]) in &scores {
        println!("{label:<14}{right:>7}{wrong:>7}{missed:>7}");
    }
    claimed.assert_are("claimed", CLAIMED);
    unclaimed.assert_are("not claimed", UNCLAIMED);
    let right: u32 = scores.values().map(|score| score[0]).sum();
    assert!(right > 800, "only {right} flows were compared");
}
