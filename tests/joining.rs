//! What datagrams say that came in fragments: the same as if they had come whole.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::process::Command;

use portolan::base::Timestamp;
use portolan::capture::{FrameMeta, FrameRef};
use portolan::decode::{Aside, Decoded, dissect};
use portolan::engine::{Evaluated, Partial};
use portolan::flow::{Accounting, FirstFragment, FlowRecord, Found, FragmentEvent, FragmentPool};
use portolan::identify::Protocol;

use crate::capture::corpus_folder;
use crate::frames;
use crate::laws::{captured, fold_captured, stretch};
use crate::sites::Numbers;

const HOSTS: frames::Hosts = ([10, 0, 0, 1], [10, 0, 1, 1]);
const PORTS: frames::Ports = (40_000, 9_999);
const MEDIA: [u8; 4] = [192, 0, 2, 77];

type Frame = (FrameMeta, Vec<u8>);

fn meta(frame: &[u8], time: i64) -> FrameMeta {
    FrameMeta {
        offset: 0,
        captured: frame.len() as u32,
        original: frame.len() as u32,
        time: Timestamp::from_nanos(1_700_000_000_000_000_000 + time),
        source: FrameRef::default(),
        stored_at: 0,
        interface: 0,
        link: portolan::base::LinkType::ETHERNET,
        fcs_bytes: 0,
    }
}

fn evaluated(frames: &[Vec<u8>]) -> Evaluated {
    let frames: Vec<Frame> =
        (0..).zip(frames).map(|(at, frame)| (meta(frame, at), frame.clone())).collect();
    fold_captured(&foldhash::fast::RandomState::default(), &frames, 0, 2048).evaluate()
}

/// Where media was announced.
fn announced(stream: &Evaluated) -> BTreeSet<IpAddr> {
    let contents = stream.records.iter().filter_map(|record| record.content.as_ref());
    contents.flat_map(|content| content.announced.keys().filter_map(|one| one.address)).collect()
}

#[test]
fn an_invite_in_fragments_announces_its_media_in_any_order() {
    let parts = frames::fragments_of(HOSTS, PORTS, 7, &frames::invite(MEDIA, 1), 160);
    assert_eq!(parts.len(), 3);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let stream = evaluated(&order.map(|at| parts[at].clone()));
        assert_eq!(announced(&stream), BTreeSet::from([IpAddr::from(MEDIA)]), "{order:?}");
        let [record] = &stream.records[..] else { panic!("one flow") };
        assert_eq!(record.packets(), 3);
        let identity = record.content.as_ref().and_then(|content| content.identity.as_ref());
        assert_eq!(identity.map(|identity| identity.protocol), Some(Protocol::Sip));
    }
}

#[test]
fn what_is_missing_or_contradicts_itself_is_not_read() {
    let parts = frames::fragments_of(HOSTS, PORTS, 7, &frames::invite(MEDIA, 1), 160);
    let forged = frames::fragments_of(HOSTS, PORTS, 7, &frames::invite([198, 51, 100, 1], 1), 160);
    let [first, middle, last] = [&parts[0], &parts[1], &parts[2]].map(Clone::clone);
    let stream = evaluated(&[first.clone(), last.clone()]);
    assert_eq!((announced(&stream), stream.datagrams_contradictory), (BTreeSet::new(), 0));
    // The same place in the datagram with other bytes (RFC 5722).
    let stream = evaluated(&[first, middle, forged[1].clone(), last]);
    assert_eq!((announced(&stream), stream.datagrams_contradictory), (BTreeSet::new(), 1));
    assert_eq!(stream.records[0].packets(), 4);
}

/// A tunnel packet that is too long for its link comes in fragments, and what it carries with it.
#[test]
fn what_a_tunnel_carries_in_fragments_is_joined_too() {
    let inside = frames::udp(([10, 9, 0, 1], [10, 9, 0, 2]), PORTS, &frames::invite(MEDIA, 1));
    let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0], &inside[..]].concat();
    let parts = frames::fragments_of(HOSTS, (5555, 4789), 7, &vxlan, 160);
    let outer: usize = parts.iter().map(|part| part.len() - 14).sum();
    let mut order = parts.clone();
    order.rotate_left(1);
    assert!(order.len() > 2);
    let stream = evaluated(&order);
    assert_eq!(announced(&stream), BTreeSet::from([IpAddr::from(MEDIA)]));
    let [record] = &stream.records[..] else { panic!("one flow") };
    assert_eq!(record.key.a().to_string(), "10.9.0.1:40000");
    // Of the inner packet only what the first fragment holds, then the outer fragments.
    let headers = 20 + 8 + 8 + 14;
    assert_eq!(record.ip_bytes(), (outer - headers) as u64);
}

/// A frame in two or three fragments, if it is a UDP datagram over IPv4 that can be cut so.
fn cut((meta, frame): &Frame, identification: u16) -> Option<Vec<Frame>> {
    let whole = meta.captured == meta.original && meta.link == portolan::base::LinkType::ETHERNET;
    let ip = frame.get(14..).filter(|_| whole && frame[12..14] == [8, 0])?;
    let header = usize::from(ip.first()? & 15) * 4;
    let total = usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]));
    let is_fragment = (ip.get(6)? & 0x3f, *ip.get(7)?) != (0, 0);
    let body = ip.get(header..total).filter(|body| body.len() > 64)?;
    if is_fragment || header != 20 || ip[9] != 17 {
        return None;
    }
    let size = (body.len() / 3).next_multiple_of(8).max(40);
    let fragment = |(index, part): (usize, &[u8])| {
        let mut frame = frame[..34].to_vec();
        let more = if (index + 1) * size < body.len() { 0x2000 } else { 0 };
        frame[16..18].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
        frame[18..20].copy_from_slice(&identification.to_be_bytes());
        frame[20..22].copy_from_slice(&(more | (index * size / 8) as u16).to_be_bytes());
        frame.extend_from_slice(part);
        let length = frame.len() as u32;
        (FrameMeta { captured: length, original: length, ..*meta }, frame)
    };
    Some(body.chunks(size).enumerate().map(fragment).collect())
}

/// The same packets with every datagram in fragments, the last of every other one first.
fn in_fragments(packets: &[Frame]) -> (Vec<Frame>, usize) {
    let (mut all, mut count) = (Vec::new(), 0);
    for (packet, identification) in packets.iter().zip(1..) {
        let Some(mut fragments) = cut(packet, identification) else {
            all.push(packet.clone());
            continue;
        };
        count += 1;
        if identification % 2 == 0 {
            fragments.reverse();
        }
        all.append(&mut fragments);
    }
    (all, count)
}

/// Port of tunnels that are known by all of their first packet (RFC 4380), which a fragment is not.
const TEREDO: u16 = 3544;

/// What each flow speaks and announces.
fn told(records: &[FlowRecord]) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let told = |record: &FlowRecord| {
        let content = record.content.as_ref();
        let identity = content.and_then(|content| content.identity.as_ref());
        let spoken = identity.map(|one| format!("{:?} {:?}", one.protocol, one.grade));
        let announced = content.iter().flat_map(|content| content.announced.keys());
        let announced = announced.map(|one| format!("{one:?}")).collect();
        let key = format!("{:?} {}", record.key, record.instance);
        (key, (spoken.unwrap_or_default(), announced))
    };
    let ends = |record: &&FlowRecord| [record.key.a().port(), record.key.b().port()];
    records.iter().filter(|record| !ends(record).contains(&TEREDO)).map(told).collect()
}

/// Real datagrams say the same in fragments, and the parts of such a stream the same as the whole.
#[test]
fn real_datagrams_say_the_same_in_fragments() {
    let Some(folder) = corpus_folder() else { return };
    let files = std::fs::read_dir(folder.join("protocols")).expect("captures of protocols");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let (mut cut, mut same, mut different) = (0, 0, Vec::new());
    for (seed, file) in (0..).zip(&files) {
        let packets = captured(file);
        let packets = stretch(&packets);
        let (fragments, count) = in_fragments(packets);
        let hasher = foldhash::fast::RandomState::default();
        let plain = told(&fold_captured(&hasher, packets, 0, 0).evaluate().records);
        let whole = fold_captured(&hasher, &fragments, 0, 0).evaluate();
        for (key, one) in told(&whole.records) {
            match plain.get(&key) {
                Some(other) if *other == one => same += 1,
                other => different.push(format!("{file:?} {key}: {other:?}, cut {one:?}")),
            }
        }
        cut += count;
        let mut numbers = Numbers::seeded(seed);
        let mut parts: Vec<Partial> = Vec::new();
        let mut begin = 0;
        while begin < fragments.len() {
            let end = (begin + 1 + numbers.below(fragments.len())).min(fragments.len());
            parts.push(fold_captured(&hasher, &fragments[begin..end], begin, 0));
            begin = end;
        }
        let merged = parts.into_iter().reduce(|mut one, other| {
            one.merge(other);
            one
        });
        let merged = merged.map(Partial::evaluate);
        let Some(merged) = merged else { continue };
        for (one, other) in whole.records.iter().zip(&merged.records) {
            assert_eq!(one, other, "{file:?} in parts");
        }
        assert!(merged == whole, "{file:?} in parts");
    }
    println!("{cut} datagrams cut, {same} flows the same, {} not", different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(cut > 1_000);
}

/// The datagrams that are whole: number of the packet that completed each, and the UDP length.
fn joined(packets: &[Frame]) -> BTreeSet<(u64, u32)> {
    let (mut pool, mut accounting) = (FragmentPool::default(), Accounting::default());
    let mut joined = BTreeSet::new();
    for (meta, frame) in packets {
        let event = match dissect(meta, frame, &mut ()) {
            Decoded::Fragment(fragment) => FragmentEvent::Later(fragment),
            Decoded::Unit(unit) => match unit.aside {
                Aside::FirstFragment(datagram, header) => {
                    FragmentEvent::First(datagram, FirstFragment::of(&unit, header.into()))
                }
                _ => continue,
            },
            _ => continue,
        };
        pool.push(event, frame, &mut accounting, |found| {
            if let Found::Datagram(datagram) = found {
                joined.insert((datagram.source.number, datagram.wire + 8));
            }
        });
    }
    joined
}

/// tshark joins the same datagrams of real captures, those that carry tunnels too.
#[test]
fn tshark_joins_the_same_datagrams() {
    let Some(folder) = corpus_folder() else { return };
    let files = [
        "encaps/pcpp__ip6_fragments.pcap",
        "encaps/zeek__tunnels-gtp-gtp1_gn_normal_incl_fragmentation.pcap",
    ];
    let mut compared = 0;
    for file in files {
        let path = folder.join(file);
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&path).args(["-T", "fields", "-e", "frame.number"]);
        command.args(["-e", "udp.length"]);
        command.args(["-Y", "udp && (ip.reassembled.length || ipv6.reassembled.length)"]);
        let Ok(output) = command.output() else {
            println!("skipped: tshark is not there");
            return;
        };
        let text = String::from_utf8(output.stdout).expect("text");
        let joined = joined(&captured(&path));
        let numbers: BTreeSet<u64> = joined.iter().map(|(number, _)| *number).collect();
        for line in text.lines() {
            let (number, length) = line.split_once('\t').expect("two columns");
            let number: u64 = number.parse().expect("a number");
            assert!(numbers.contains(&number), "{file}: {number}");
            // What a tunnel carries has a length of its own.
            if !file.contains("tunnels") {
                let length: u32 = length.parse().expect("a length");
                assert!(joined.contains(&(number, length)), "{file}: {line}");
            }
        }
        assert_eq!(numbers.len(), text.lines().count(), "{file}");
        compared += numbers.len();
    }
    println!("{compared} datagrams compared");
    assert_eq!(compared, 40);
}
