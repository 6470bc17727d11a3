//! Media: what a whole stream shows, whole calls, and that parts of a stream add up to it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use portolan::base::Timestamp;
use portolan::identify::{Announcement, Carriage, End, Follower, Grade, Protocol};
use portolan::identify::{rtp, sip, t38};
use proptest::prelude::*;

use super::assemble::{Conversation, conversations};
use crate::capture::corpus_folder;

/// Bytes of an RTP header without contributing sources (RFC 3550 section 5.1), and 160 of speech.
fn rtp_packet(kind: u8, sequence: u16, timestamp: u32, ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, kind];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(timestamp.to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend([0xD5; 160]);
    bytes
}

/// The track of packets in which each is fed at a time in milliseconds.
fn track<'a>(packets: impl IntoIterator<Item = (&'a [u8], i64)>) -> rtp::Track {
    let mut track = rtp::Track::default();
    for (bytes, millis) in packets {
        track.feed(bytes, bytes.len(), Timestamp::from_nanos(millis * 1_000_000));
    }
    track
}

/// The grade of so many packets of 20 ms of G.711, each made from its number.
fn grade(count: u16, packet: impl Fn(u16) -> Vec<u8>) -> Option<Grade> {
    let packets: Vec<Vec<u8>> = (0..count).map(packet).collect();
    let times = (0..).map(|number: i64| number * 20);
    track(packets.iter().map(Vec::as_slice).zip(times)).grade()
}

#[test]
fn three_steps_are_probable_and_five_confirm() {
    let stream = |number: u16| {
        rtp_packet(8, 65_534_u16.wrapping_add(number), 160 * u32::from(number), 0x1234_5678)
    };
    assert_eq!(grade(3, stream), None, "two steps");
    assert_eq!(grade(4, stream), Some(Grade::Strong), "over the wrap of the counter");
    assert_eq!(grade(6, stream), Some(Grade::Confirmed));
}

/// Pitfall 16: a mirror port that shows every packet twice.
#[test]
fn doubled_packets_are_still_a_stream() {
    let doubled = |number: u16| rtp_packet(0, number / 2, 160 * u32::from(number / 2), 9);
    assert_eq!(grade(12, doubled), Some(Grade::Confirmed));
}

/// Pitfall 17: queries whose identifiers begin with the bits of version 2.
#[test]
fn queries_are_no_stream() {
    let query = |number: u16| {
        let mut bytes = (0x8000 + 37 * number).to_be_bytes().to_vec();
        bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7]);
        bytes.extend(b"example\0\0\x01\0\x01");
        bytes
    };
    assert_eq!(grade(60, query), None);
}

/// Pitfall 19: tones under a second SSRC, whose timestamp stands still.
#[test]
fn tones_of_a_second_source_do_not_disturb() {
    let packet = |number: u16| match number % 4 {
        3 => rtp_packet(101, number / 4, 4000, 0xAAAA_AAAA),
        _ => rtp_packet(0, number, 160 * u32::from(number), 0xBBBB_BBBB),
    };
    assert_eq!(grade(40, packet), Some(Grade::Confirmed));
}

#[test]
fn what_only_looks_like_a_header_is_no_stream() {
    let counter = |kind, step: u32| move |n: u16| rtp_packet(kind, n, step * u32::from(n), 7);
    assert_eq!(grade(50, counter(0, 0)), None, "a clock that stands still");
    assert_eq!(grade(50, counter(0, 1)), None, "50 ticks a second");
    assert_eq!(grade(50, counter(72, 160)), None, "the type of a sender report of RTCP");
    let jumps = |number: u16| rtp_packet(0, number.wrapping_mul(977), 0, 7);
    assert_eq!(grade(50, jumps), None, "sequence numbers that jump");
    let sources = |number: u16| rtp_packet(0, number, 160 * u32::from(number), number.into());
    assert_eq!(grade(50, sources), None, "a new source each time");
}

#[test]
fn two_packets_confirm_an_announced_endpoint() {
    let packets = [rtp_packet(0, 1, 160, 7), rtp_packet(0, 2, 320, 7)];
    let two = track(packets.iter().map(Vec::as_slice).zip([0, 20]));
    assert!(two.confirms_announcement());
    assert_eq!(two.grade(), None);
    let one = track([(packets[0].as_slice(), 0)]);
    assert!(!one.confirms_announcement());
}

/// A datagram of UDPTL (ITU-T T.38 section 9.1): sequence, packet behind its length, no redundancy.
fn udptl(sequence: u16, packet: &[u8]) -> Vec<u8> {
    let mut bytes = sequence.to_be_bytes().to_vec();
    bytes.push(packet.len() as u8);
    bytes.extend(packet);
    bytes.extend([0, 0]);
    bytes
}

/// Pitfall 20: announced as fax or not, speech stays speech and fax is fax.
#[test]
fn fax_is_known_by_its_own_datagrams() {
    let grade = |count: u16, datagram: &dyn Fn(u16) -> Vec<u8>| {
        let mut track = t38::Track::default();
        for number in 0..count {
            let bytes = datagram(number);
            track.feed(&bytes, bytes.len());
        }
        track.grade()
    };
    assert_eq!(grade(4, &|number| udptl(number, &[0x06])), Some(Grade::Strong));
    assert_eq!(grade(9, &|number| udptl(number, &[0xC0, 1, 0x80, 0])), Some(Grade::Confirmed));
    assert_eq!(grade(9, &|number| rtp_packet(8, number, 160 * u32::from(number), 3)), None);
    assert_eq!(grade(9, &|number| udptl(number * 100, &[0x06])), None, "no counter");
    assert_eq!(grade(9, &|number| udptl(number, &[])), None, "nothing but empty packets");
}

/// Packets that are partly RTP of few sources, in any order, and partly anything.
fn packets() -> impl Strategy<Value = Vec<(Vec<u8>, i64)>> {
    let stream = (0..6_u32, 0..40_u16, prop_oneof![Just(0_u8), Just(8), Just(101), Just(72)]);
    let packet = prop_oneof![
        8 => stream.prop_map(|(ssrc, sequence, kind)| {
            rtp_packet(kind, sequence, 160 * u32::from(sequence), ssrc)
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        3 => (0..30_u16).prop_map(|sequence| udptl(sequence, &[0x06])),
    ];
    prop::collection::vec((packet, 0..3000_i64), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Cut anywhere, twice, and joined in either order of joining: the track of the whole.
    #[test]
    fn tracks_of_parts_add_up(packets in packets(), cuts in (0..61_usize, 0..61_usize)) {
        let part = |from: usize, to: usize| {
            let mut speech = rtp::Track::default();
            let mut fax = t38::Track::default();
            for (bytes, millis) in &packets[from..to] {
                let time = Timestamp::from_nanos(millis * 1_000_000);
                speech.feed(bytes, bytes.len(), time);
                fax.feed(bytes, bytes.len());
            }
            (speech, fax)
        };
        let (first, second) = (cuts.0.min(packets.len()), cuts.1.min(packets.len()));
        let (first, second) = (first.min(second), first.max(second));
        let whole = part(0, packets.len());
        let parts = || [part(0, first), part(first, second), part(second, packets.len())];
        let join = |mut a: (rtp::Track, t38::Track), b: (rtp::Track, t38::Track)| {
            a.0.merge(b.0);
            a.1.merge(b.1);
            a
        };
        let [a, b, c] = parts();
        prop_assert_eq!(&join(join(a, b), c), &whole);
        let [a, b, c] = parts();
        prop_assert_eq!(&join(a, join(b, c)), &whole);
    }
}

/// All datagrams of every real flow: RTP where the truth has it, and nowhere else.
#[test]
fn whole_streams_are_those_of_the_truth() {
    let Some(folder) = corpus_folder() else { return };
    let text = std::fs::read_to_string(folder.join("truth.tsv")).expect("the truth table");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let mut wanted: BTreeMap<&str, Vec<BTreeMap<&str, &str>>> = BTreeMap::new();
    for line in lines {
        let row: BTreeMap<&str, &str> = names.iter().copied().zip(line.split('\t')).collect();
        wanted.entry(row["file"]).or_default().push(row);
    }
    let (mut streams, mut flows) = (0, 0);
    for (file, rows) in wanted {
        let mut found: BTreeMap<[String; 2], Option<Grade>> = BTreeMap::new();
        for conversation in conversations(&folder.join(file)) {
            if conversation.carriage == Carriage::Udp {
                let key = ordered(
                    [conversation.key.a(), conversation.key.b()]
                        .map(|end| format!("{} {}", end.address(), end.port())),
                );
                let grade = conversation.sent.iter().filter_map(|sent| {
                    let mut track = rtp::Track::default();
                    let mut fax = t38::Track::default();
                    for datagram in &sent.segments {
                        track.feed(&datagram.bytes, datagram.wire, datagram.time);
                        fax.feed(&datagram.bytes, datagram.wire);
                    }
                    assert_eq!(fax.grade(), None, "{file}: {key:?}: no capture holds fax");
                    track.grade()
                });
                found.insert(key.clone(), grade.max());
            }
        }
        for row in rows.iter().filter(|row| row["proto"] == "udp") {
            let end = |ip: &str, port: &str| {
                let address: IpAddr = row[ip].parse().expect("an address");
                format!("{address} {}", row[port])
            };
            let key = ordered([
                end("initiator_ip", "initiator_port"),
                end("responder_ip", "responder_port"),
            ]);
            let Some(grade) = found.get(&key) else { continue };
            flows += 1;
            let is_rtp = row["label"] == "rtp" || row["alt"].split(',').any(|alt| alt == "rtp");
            match grade {
                Some(_) => assert!(is_rtp, "{file}: {key:?}: {row:?}"),
                // Up to five packets, damaged or with new addresses each.
                None => assert!(!is_rtp || file.starts_with("malformed/"), "{file}: {row:?}"),
            }
            streams += u32::from(grade.is_some());
        }
    }
    println!("{streams} streams among {flows} flows");
    assert!(streams > 40 && flows > 800);
}

fn ordered([one, other]: [String; 2]) -> [String; 2] {
    if one <= other { [one, other] } else { [other, one] }
}

/// What both ends of a conversation announce, fed as `cut` cuts the bytes.
fn announced(
    conversation: &Conversation,
    cut: impl Fn(&[u8]) -> Vec<Vec<u8>>,
) -> Vec<Announcement> {
    let mut follower = sip::SipFollower::default();
    let mut all = Vec::new();
    for (end, bytes, start) in conversation.in_order() {
        let mut first = start;
        for part in cut(&bytes) {
            follower.feed(end, &part, first, &mut |announcement| all.push(announcement));
            first = false;
        }
    }
    all
}

/// Audio ports that tshark finds in session descriptions of a capture.
fn described(capture: &Path) -> Option<BTreeSet<u16>> {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(capture)
        .args(["-Y", "sip && sdp", "-T", "fields", "-E", "occurrence=a", "-e", "sdp.media.port"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let ports = text.split([',', '\n']).filter_map(|port| port.trim().parse().ok());
    Some(ports.filter(|port| *port != 0).collect())
}

/// The ports that calls announce are those that tshark reads in them, however the bytes are cut.
#[test]
fn calls_announce_what_their_descriptions_say() {
    let Some(folder) = corpus_folder() else { return };
    let mut compared = 0;
    for file in [
        "protocols/heplify__rtp_rtcp_sip_ipv4_udp.pcap",
        "protocols/ndpi__sip.pcap",
        "protocols/pcpp__sip_non_default_port.pcap",
        "protocols/suricata__sip-method-sip.pcap",
        "protocols/suricata__sip-sdp-sdp.pcap",
    ] {
        let path = folder.join(file);
        let Some(wanted) = described(&path) else {
            println!("skipped: tshark does not run");
            return;
        };
        let mut found = BTreeSet::new();
        for conversation in conversations(&path) {
            let whole = announced(&conversation, |bytes| vec![bytes.to_vec()]);
            let pieces = |bytes: &[u8]| bytes.chunks(97).map(<[u8]>::to_vec).collect();
            assert_eq!(announced(&conversation, pieces), whole, "{file}");
            let media = whole.iter().filter(|one| one.protocol != Protocol::Rtcp);
            found.extend(media.map(|announcement| announcement.port));
        }
        compared += wanted.len();
        assert_eq!(found, wanted, "{file}");
    }
    println!("{compared} ports compared");
    assert!(compared > 5);
}

const OFFER: &str = "INVITE sip:bob@example.com SIP/2.0\r\nContent-Type: application/sdp\r\n\
                     Content-Length: 50\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 22800 RTP/AVP 0\r\n";

/// The RTP ports that are announced while a follower is fed.
fn media(feed: impl Fn(&mut sip::SipFollower, &mut dyn FnMut(Announcement))) -> Vec<u16> {
    let mut follower = sip::SipFollower::default();
    let mut ports = Vec::new();
    feed(&mut follower, &mut |one| {
        if one.protocol == Protocol::Rtp && one.address.is_some() {
            ports.push(one.port);
        }
    });
    ports
}

/// After a hole within a message the next one is read; after a hole across messages the next
/// start line is found.
#[test]
fn a_gap_costs_one_message() {
    let offer = OFFER.as_bytes();
    assert_eq!(media(|follower, out| follower.feed(End::A, offer, true, out)), [22800]);
    let within = |follower: &mut sip::SipFollower, out: &mut dyn FnMut(Announcement)| {
        follower.feed(End::A, &offer[..100], true, out);
        follower.gap(End::A, 20);
        follower.feed(End::A, &offer[120..], false, out);
        follower.feed(End::A, offer, false, out);
    };
    assert_eq!(media(within), [22800]);
    let across = |follower: &mut sip::SipFollower, out: &mut dyn FnMut(Announcement)| {
        follower.feed(End::A, &offer[..100], true, out);
        follower.gap(End::A, 5000);
        follower.feed(End::A, &offer[60..], false, out);
        follower.feed(End::A, offer, false, out);
    };
    assert_eq!(media(across).last(), Some(&22800));
    let endless = |follower: &mut sip::SipFollower, out: &mut dyn FnMut(Announcement)| {
        for _ in 0..100 {
            follower.feed(End::B, &[b'A'; 4096], false, out);
        }
        follower.feed(End::B, b"\r\n", false, out);
        follower.feed(End::B, offer, false, out);
    };
    assert_eq!(media(endless), [22800]);
}
