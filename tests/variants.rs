//! The voice-mail site as mirror ports show it: in every encapsulation, twice, out of order, one
//! direction only, cut, from the middle on. What is said of each flow stays the same, or gets
//! weaker in the way that `weaker` states; never stronger, never wrong.

mod weaker;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use portolan::base::Endpoint;
use portolan::capture::{FrameBatch, Hashing, Inputs};
use portolan::judge::{Finding, FindingKind, JudgedFlow, Severity, Verdict};

use crate::runs::{Rules, Run, check_frames, check_stream, pcap, pcap_cut, repository, text};
use crate::wrap::{self, LINKS, WRAPPERS};
use weaker::{Lack, objection};

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

/// A number that looks random and is the same each time.
fn noise(index: usize) -> u64 {
    let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

/// A capture of the site in another form.
struct Variant {
    name: &'static str,
    /// A capture file.
    file: Vec<u8>,
    may: May,
}

/// How what is said may differ from what is said of the plain capture.
#[derive(Clone, Copy)]
enum May {
    /// Not at all: each flow has the same packets and bytes as well.
    Same,
    /// Not at all, but what has nothing to be told by may count twice.
    CountTwice,
    /// It may be weaker, for want of this; and one of these limitations is stated.
    BeWeaker(&'static [Lack], &'static [&'static str]),
}

/// Every way in which mirror ports and those who capture show the site.
fn variants(packets: &[Packet]) -> Vec<Variant> {
    let variant = |name, file, may| Variant { name, file, may };
    let mut variants: Vec<Variant> = WRAPPERS
        .iter()
        .map(|(name, wrap)| {
            let wrapped =
                (0..).zip(packets).map(|(number, (time, frame))| (*time, wrap(frame, number)));
            variant(name, pcap(&wrapped.collect::<Vec<_>>()), May::Same)
        })
        .collect();
    variants.extend(LINKS.iter().map(|(name, link, wrap)| {
        let frames = packets.iter().filter_map(|(time, frame)| Some((*time, wrap(frame)?)));
        let mut file = pcap(&frames.collect::<Vec<_>>());
        file[20..24].copy_from_slice(&link.to_le_bytes());
        variant(name, file, May::Same)
    }));
    let end = pcap(packets).len() * 2 / 3 + 11;
    let erspan: Vec<Packet> = (0..)
        .zip(packets)
        .map(|(number, (time, frame))| (*time, wrap::erspan_2(frame, number)))
        .collect();
    variants.extend([
        variant("every packet twice", pcap(&doubled(packets)), May::CountTwice),
        variant("both sides of a router", pcap(&routed(packets)), May::Same),
        variant("out of order", pcap(&shuffled(packets)), May::Same),
        variant("upwards", pcap(&one_way(packets, true)), ONE_DIRECTION),
        variant("downwards", pcap(&one_way(packets, false)), ONE_DIRECTION),
        variant("snaplen 96", pcap_cut(packets, 96), May::BeWeaker(&[Lack::Bytes], &["cut"])),
        variant(
            "snaplen 96 in ERSPAN II",
            pcap_cut(&erspan, 96),
            May::BeWeaker(&[Lack::Bytes], &["cut", "mid-stream", "undecoded"]),
        ),
        variant("cut mid-record", pcap(packets)[..end].to_vec(), May::BeWeaker(&[Lack::End], &[])),
        variant(
            "started mid-stream",
            pcap(&packets[packets.len() / 3..]),
            May::BeWeaker(&[Lack::Begin], &["idle-tables"]),
        ),
    ]);
    variants
}

const ONE_DIRECTION: May = May::BeWeaker(&[Lack::Direction], &["one-sided"]);

/// Each packet again up to 50 microseconds later.
fn doubled(packets: &[Packet]) -> Vec<Packet> {
    let mut doubled: Vec<Packet> = Vec::new();
    for (index, (time, frame)) in packets.iter().enumerate() {
        doubled.push((*time, frame.clone()));
        doubled.push((time + noise(index) as i64 % 50_000, frame.clone()));
    }
    doubled.sort_by_key(|(time, _)| *time);
    doubled
}

/// Each packet again behind a router.
fn routed(packets: &[Packet]) -> Vec<Packet> {
    let mut routed: Vec<Packet> = Vec::new();
    for (time, frame) in packets {
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
    routed
}

/// The packets in an order in which each is up to five milliseconds late.
fn shuffled(packets: &[Packet]) -> Vec<Packet> {
    let arrivals = packets.iter().enumerate();
    let mut arrivals: Vec<(i64, &Packet)> = arrivals
        .map(|(index, packet)| (packet.0 + noise(index) as i64 % 5_000_000, packet))
        .collect();
    arrivals.sort_by_key(|(arrival, _)| *arrival);
    let shuffled: Vec<Packet> = arrivals.into_iter().map(|(_, packet)| packet.clone()).collect();
    assert!(shuffled.windows(2).filter(|pair| pair[1].0 < pair[0].0).count() > 500);
    shuffled
}

/// The packets from the lower address to the higher, or the others.
fn one_way(packets: &[Packet], upwards: bool) -> Vec<Packet> {
    let ends = |frame: &[u8]| match frame[12..14] {
        [0x08, 0] => Some((frame[26..30].to_vec(), frame[30..34].to_vec())),
        [0x86, 0xdd] => Some((frame[22..38].to_vec(), frame[38..54].to_vec())),
        _ => None,
    };
    let kept = packets.iter().filter(|(_, frame)| {
        ends(frame).is_none_or(|(from, to)| from == to || (from < to) == upwards)
    });
    kept.cloned().collect()
}

/// The five-tuple of a flow, whoever opened it.
type Tuple = (u8, Endpoint, Endpoint);

fn tuple(flow: &JudgedFlow) -> Tuple {
    let key = &flow.record.key;
    (key.protocol().0, key.a(), key.b())
}

/// The flows that are not between the ends of tunnels.
fn of_the_site(run: &Run) -> impl Iterator<Item = &JudgedFlow> {
    let outer = |flow: &&JudgedFlow| {
        let address = flow.record.key.a().address().to_string();
        address.starts_with("192.0.2.") || address.starts_with("2001:db8::")
    };
    run.assessment.flows.iter().filter(move |flow| !outer(flow))
}

/// The flows of a run by five-tuple.
struct Whole<'a> {
    run: &'a Run,
    flows: BTreeMap<Tuple, Vec<&'a JudgedFlow>>,
}

impl<'a> Whole<'a> {
    fn of(run: &'a Run) -> Self {
        let mut flows: BTreeMap<Tuple, Vec<&JudgedFlow>> = BTreeMap::new();
        for flow in of_the_site(run) {
            flows.entry(tuple(flow)).or_default().push(flow);
        }
        Whole { run, flows }
    }

    /// The uses of a five-tuple that run while a flow of it does. An ICMP error about a packet may
    /// come after the last of them.
    fn counterparts(&self, flow: &JudgedFlow) -> Vec<&'a JudgedFlow> {
        let uses = self.flows.get(&tuple(flow)).into_iter().flatten();
        let runs_with = |one: &&&JudgedFlow| {
            let (one, other) = (&one.record, &flow.record);
            let late = other.origin.is_none();
            one.earliest <= other.latest && (late || other.earliest <= one.latest)
        };
        uses.filter(runs_with).copied().collect()
    }

    /// Checks every flow of a part against the whole; answers how many differ.
    fn assert_weaker(&self, name: &str, part: &Run, lacks: &[Lack]) -> usize {
        let mut differing = 0;
        for flow in of_the_site(part) {
            let whole = self.counterparts(flow);
            let objections: Vec<_> = whole.iter().map(|was| objection(lacks, was, flow)).collect();
            let told = (tuple(flow), &flow.judgement, whole.first().map(|was| &was.judgement));
            assert!(objections.contains(&None), "{name}: {objections:?}: {told:?}");
            let same = |was: &&&JudgedFlow| {
                let (was, is) = (&was.judgement, &flow.judgement);
                (was.verdict, was.reason, was.state) == (is.verdict, is.reason, is.state)
            };
            differing += usize::from(!whole.iter().any(|was| same(&was)));
        }
        differing
    }

    /// Checks that no finding of a part is new or weighs more, and that those that are gone are
    /// about flows that were not captured or are said to be weaker.
    fn assert_findings(&self, name: &str, part: &Run) {
        let (before, after) = (by_id(self.run), by_id(part));
        for (id, found) in &after {
            // Another reason makes another finding, about hosts of findings that weigh as much.
            let known = match before.get(id) {
                Some(was) => found.severity <= was.severity,
                None if found.kind.verdict() == Verdict::NotAssessable => {
                    found.severity == Severity::Info
                }
                None => {
                    let as_heavy = before.values().filter(|was| was.severity >= found.severity);
                    pairs(found).is_subset(&as_heavy.flat_map(|was| pairs(was)).collect())
                }
            };
            assert!(known, "{name}: {id} {:?} is {:?}", found.kind, found.severity);
        }
        let now = Whole::of(part);
        for (id, found) in &before {
            // What a scan, or a blocked service, is made of may be in part captured.
            if after.contains_key(id) || !matches!(found.kind, FindingKind::Flows(..)) {
                continue;
            }
            let flows = found.samples.iter().filter_map(|index| self.run.assessment.sample(*index));
            let whole = flows.filter(|flow| {
                let said = now.counterparts(flow);
                said.iter().any(|said| {
                    let (was, is) = (&flow.judgement, &said.judgement);
                    let packets = (flow.record.packets(), said.record.packets());
                    packets.0 == packets.1
                        && (was.verdict, was.reason, was.state) == (is.verdict, is.reason, is.state)
                        && was.rows == is.rows
                })
            });
            assert_eq!(
                whole.count(),
                0,
                "{name}: {id} {:?} is gone, and its flows are not",
                found.kind
            );
        }
    }
}

/// The findings by their identifiers.
fn by_id(run: &Run) -> BTreeMap<&str, &Finding> {
    let findings = run.report.findings.iter().zip(&run.assessment.findings);
    findings.map(|(told, found)| (told.id.as_str(), found)).collect()
}

/// The addresses between which the flows of a finding ran, the lower first.
fn pairs(found: &Finding) -> BTreeSet<(IpAddr, IpAddr)> {
    let from = found.initiators.iter().map(|(address, ..)| *address);
    let pairs = from.flat_map(|from| found.responders.iter().map(move |(to, ..)| (from, *to)));
    pairs.map(|(from, to)| (from.min(to), from.max(to))).collect()
}

/// What is said of each flow of the site, by five-tuple and instance; with what it counts.
fn said(run: &Run, counts: impl Fn(&JudgedFlow) -> bool) -> BTreeMap<String, String> {
    of_the_site(run)
        .map(|flow| {
            let (record, judgement) = (&flow.record, &flow.judgement);
            let key = format!("{:?} #{}", tuple(flow), record.instance);
            let bytes = record.ip_bytes();
            let counted = if counts(flow) { Some((record.packets(), bytes)) } else { None };
            (key, format!("{counted:?} {judgement:?}"))
        })
        .collect()
}

fn assert_same(name: &str, plain: &Run, run: &Run, counts: impl Fn(&JudgedFlow) -> bool) {
    let (wanted, found) = (said(plain, &counts), said(run, &counts));
    let difference = wanted.iter().find(|(key, said)| found.get(*key) != Some(said));
    assert_eq!(difference.map(|(key, said)| (key, Some(said), found.get(key))), None, "{name}");
    let extra: Vec<_> = found.keys().filter(|key| !wanted.contains_key(*key)).collect();
    assert!(extra.is_empty(), "{name}: {extra:?}");
    let severities = |run: &Run| -> BTreeMap<String, String> {
        let findings = run.report.findings.iter();
        findings.map(|found| (found.id.clone(), found.severity.clone())).collect()
    };
    assert_eq!(severities(plain), severities(run), "{name}");
}

/// An acknowledgement over IPv6 without timestamps has nothing by which its sender's next one
/// could be told from a copy.
fn counts_alike(flow: &JudgedFlow) -> bool {
    let ipv6 = flow.record.key.a().address().is_ipv6();
    !(ipv6 && flow.record.key.protocol().0 == 6)
}

#[test]
fn every_variant_says_the_same_or_what_is_weaker() {
    let packets = packets();
    let plain = check_frames(&packets, &rules());
    assert!(plain.report.findings.len() > 100 && plain.lines.len() > 900);
    let whole = Whole::of(&plain);
    for Variant { name, file, may } in variants(&packets) {
        let run = check_stream("variant.pcap", file, &rules());
        assert_eq!(run.report.accounting.mismatches, [], "{name}");
        let codes = run.report.outcome.cannot_say.iter().map(|said| said.code.as_str());
        let codes: BTreeSet<&str> = codes.collect();
        match may {
            May::Same => assert_same(name, &plain, &run, |_| true),
            May::CountTwice => {
                assert_same(name, &plain, &run, counts_alike);
                let (copies, ip_packets) = (run.stream.facts.copies, run.stream.facts.ip_packets);
                assert!(copies.exact * 200 > ip_packets * 99, "{copies:?} of {ip_packets}");
                assert_eq!(copies.routed, 0);
                assert!(codes.contains("copies"));
            }
            May::BeWeaker(lacks, limitations) => {
                let differing = whole.assert_weaker(name, &run, lacks);
                whole.assert_findings(name, &run);
                println!("{name}: {differing} of {} flows differ", run.assessment.flows.len());
                for code in limitations {
                    assert!(codes.contains(code), "{name}: {code} is not in {codes:?}");
                }
                assert!(run.assessment.grade >= plain.assessment.grade, "{name}");
                assert_rows(name, &plain, &run, lacks);
                assert_ne!(run.report.outcome.result, "pass", "{name}");
            }
        }
    }
}

/// Rows that are said to be used were used; and where answers could not be captured no absence is
/// claimed.
fn assert_rows(name: &str, plain: &Run, part: &Run, lacks: &[Lack]) {
    let rows = plain.report.rules.iter().zip(&part.report.rules);
    for (was, is) in rows {
        let status = is.status.as_str();
        if matches!(status, "exercised" | "weak-only") {
            let used = matches!(was.status.as_str(), "exercised" | "weak-only");
            assert!(used, "{name}: {} was {}, is {status}", is.id, was.status);
        }
        // An ICMP error proves a refusal, whichever direction was captured.
        let refused = is.flows > 0 && is.packets == 0;
        let absence = matches!(status, "blocked?" | "unexercised") && !refused;
        assert!(!(absence && lacks.contains(&Lack::Direction)), "{name}: {} is {status}", is.id);
    }
    if lacks.contains(&Lack::Direction) {
        assert_eq!(part.report.outcome.grade, "D", "{name}");
        assert!(!part.report.capture_health.tcp_states.contains_key("unanswered"), "{name}");
        let blocked =
            part.report.findings.iter().find(|found| found.code == "documented-but-blocked");
        assert!(blocked.is_none(), "{name}");
    }
}

/// Wherever a capture begins and ends, what it says of the flows in between is weaker.
#[test]
fn every_stretch_of_the_site_says_the_same_or_what_is_weaker() {
    let packets = packets();
    let plain = check_frames(&packets, &rules());
    let whole = Whole::of(&plain);
    let mut differing = 0;
    for begin in (0..packets.len()).step_by(53) {
        let stretch = &packets[begin..packets.len().min(begin + 300)];
        let name = format!("from packet {begin} on");
        let run = check_frames(stretch, &rules());
        differing += whole.assert_weaker(&name, &run, &[Lack::Begin, Lack::End]);
        whole.assert_findings(&name, &run);
    }
    assert!(differing > 60, "{differing} flows were cut");
}
