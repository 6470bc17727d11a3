//! Glances at the flows that changed, against looks at the whole: in steps through a capture, as a
//! watch goes, but with the packets for a clock.

use std::collections::BTreeSet;

use portolan::base::{LinkType, Timestamp};
use portolan::capture::{FrameBatch, Hashing, Inputs, Interface, LiveInput, TimeHealth};
use portolan::engine::{Evaluated, Fold};
use portolan::flow::Accounting;
use portolan::judge::{Assessment, Context, Evidence, FindingKind, Grade, Severity, Terms, assess};
use portolan::report::{self, Source};

use super::*;
use crate::capture::corpus::totals;
use crate::capture::corpus_folder;
use crate::corpus::addresses;
use crate::runs::{Rules, check, text};
use crate::sites;

/// Packets between two glances at a fixture, glances between two looks at the whole, and packets
/// that are held back and not folded yet.
const STEP: usize = 97;
const GLANCES: usize = 9;
const HELD: usize = 31;

/// Captures with more packets than this are left out: at each glance all packets so far are judged.
const MOST_PACKETS: usize = 3000;

type Ids = BTreeSet<String>;

/// A capture in memory.
fn packets(capture: &Path) -> FrameBatch {
    let paths = [capture.to_owned()];
    let mut inputs = Inputs::open(&paths, Hashing::Off).unwrap();
    let (mut all, mut batch) = (FrameBatch::default(), FrameBatch::default());
    while inputs.fill(&mut batch) {
        for frame in &batch.frames {
            let mut frame = *frame;
            // As an interface would number them.
            frame.source.number = frame.source.ordinal + 1;
            let data = batch.data(&frame).to_vec();
            frame.offset = all.bytes.len();
            all.bytes.extend(data);
            all.frames.push(frame);
        }
    }
    all
}

/// Some of them.
fn part(all: &FrameBatch, from: usize, to: usize) -> FrameBatch {
    let mut part = FrameBatch::default();
    for frame in &all.frames[from.min(all.frames.len())..to.min(all.frames.len())] {
        let mut copy = *frame;
        copy.offset = part.bytes.len();
        part.bytes.extend_from_slice(all.data(frame));
        part.frames.push(copy);
    }
    part
}

fn terms(rules: &Rules) -> Terms<'_> {
    Terms {
        policy: &rules.policy,
        site: &rules.site,
        waivers: &rules.waivers,
        reading: rules.reading,
        fail_on: Severity::Low,
        min_grade: Grade::B,
    }
}

/// Identifiers of the findings that glances can make.
fn ids(assessment: &Assessment, stream: &Evaluated, rules: &Rules) -> Ids {
    let (times, terms) = (TimeHealth::default(), terms(rules));
    let (inputs, skipped, options) = (&[], &[], &[]);
    let source = Source { inputs, times, skipped, stream, terms, max_memory: 0, options };
    let mut found = Ids::new();
    let mut assessment = assessment.clone();
    let by_flows = |kind| matches!(kind, FindingKind::Flows(..) | FindingKind::Scan(_));
    assessment.findings.retain(|finding| by_flows(finding.kind));
    report::findings(source, &assessment, |id, _| {
        found.insert(id.to_owned());
        false
    });
    found
}

/// What a look at the whole finds.
fn look(fold: &mut Fold, held: &FrameBatch, rules: &Rules) -> (Assessment, Ids) {
    let mut copy = fold.snapshot();
    copy.push(std::slice::from_ref(held));
    let mut stream = copy.finish().evaluate();
    let records = std::mem::take(&mut stream.records);
    let evidence = Evidence { begin: stream.timeline.begin(), ..Evidence::default() };
    let assessment = assess(records, &stream.accounting, &stream.carriers, terms(rules), evidence);
    let ids = ids(&assessment, &stream, rules);
    (assessment, ids)
}

/// What a glance finds.
fn glance(
    fold: &mut Fold,
    held: &FrameBatch,
    context: &mut Context,
    at: u64,
    rules: &Rules,
) -> Ids {
    let held = std::slice::from_ref(held);
    let mut stream = fold.changed(held, usize::MAX).with(held).evaluate();
    assert_eq!(stream.accounting.of(portolan::flow::Class::TableFull).packets, 0);
    let records = std::mem::take(&mut stream.records);
    let evidence = Evidence { begin: stream.timeline.begin(), ..Evidence::default() };
    stream.accounting = Accounting::default();
    let assessment = context.assess(records, &stream.carriers, terms(rules), evidence, at);
    ids(&assessment, &stream, rules)
}

/// Goes through a capture, some packets at a `step`. Answers how many findings there were, those
/// that a glance told and no look at the same packets has, and those that such a look has and no
/// glance told.
fn go(all: &FrameBatch, step: usize, rules: &Rules) -> (usize, Ids, Ids) {
    let mut fold = Fold::new(foldhash::fast::RandomState::default(), u64::MAX);
    fold = fold.from_begin().noting_changes();
    let mut context = Context::default();
    // What looks and glances found so far, and what the latest look found.
    let (mut told, mut known) = (Ids::new(), Ids::new());
    let (mut wrong, mut missed) = (Ids::new(), Ids::new());
    for (number, from) in (0..all.frames.len()).step_by(step).enumerate() {
        let held = part(all, from + step, from + step + HELD);
        fold.push(&[part(all, from, from + step)]);
        let (whole, found) = look(&mut fold, &held, rules);
        let glimpsed = glance(&mut fold, &held, &mut context, number as u64, rules);
        wrong.extend(glimpsed.difference(&found).filter(|id| !known.contains(*id)).cloned());
        known.extend(glimpsed);
        missed.extend(found.difference(&known).cloned());
        told.extend(found.iter().cloned());
        if number % GLANCES == GLANCES - 1 {
            known = found;
            context.renew(Context::of(&whole, &rules.site, number as u64), number as u64);
        }
    }
    (told.len(), wrong, missed)
}

#[test]
fn glances_find_what_looks_at_the_whole_find() {
    for (fixture, of) in FIXTURES {
        let rules = Rules::at(&text(&format!("fixtures/{fixture}/{of}")));
        let (told, wrong, missed) = go(&packets(&capture(fixture)), STEP, &rules);
        assert!(told > 3, "a fixture without findings proves nothing");
        assert_eq!((wrong, missed), (Ids::new(), Ids::new()), "{fixture} {of}");
    }
}

/// After a restart, before the first look at what an earlier run left is over.
#[test]
fn glances_find_what_is_new_while_flows_of_an_earlier_run_are_not_yet_judged() {
    for (fixture, of) in FIXTURES {
        let rules = Rules::at(&text(&format!("fixtures/{fixture}/{of}")));
        let all = packets(&capture(fixture));
        let (half, none) = (all.frames.len() / 2, FrameBatch::default());
        let mut fold = Fold::new(foldhash::fast::RandomState::default(), u64::MAX).from_begin();
        fold.push(&[part(&all, 0, half)]);
        let (_, before) = look(&mut fold, &none, &rules);
        let records = fold.snapshot().finish().evaluate().records;
        let mut context = Context::ahead_of(&records, &rules.site);
        let mut fold = fold.noting_changes();
        fold.push(&[part(&all, half, all.frames.len())]);
        let glimpsed = glance(&mut fold, &none, &mut context, 1, &rules);
        let (_, found) = look(&mut fold, &none, &rules);
        let new: Ids = found.difference(&before).cloned().collect();
        assert!(new.len() > 1, "{fixture} {of}: nothing new proves nothing");
        assert_eq!(new.difference(&glimpsed).count(), 0, "{fixture} {of}");
        assert_eq!(glimpsed.difference(&found).count(), 0, "{fixture} {of}");
    }
}

/// Tries of a host of the site at many ports of another, each refused, among lookups.
fn a_scan() -> Vec<u8> {
    const SYN: u8 = 0x02;
    const RST_ACK: u8 = 0x14;
    let (host, other) = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let packets = (0..80).flat_map(|number: u16| {
        let time = 1_700_000_000_000_000_000 + i64::from(number) * 400_000_000;
        let ports = (40_000 + number, 6000 + number);
        [
            (time, frames::tcp((host, other), ports, 1, 0, SYN, b"")),
            (time + 1000, frames::tcp((other, host), (ports.1, ports.0), 0, 2, RST_ACK, b"")),
            (time + 2000, udp((host, other), (50_000 + number, 53), b"?")),
        ]
    });
    pcap(&packets.collect::<Vec<_>>())
}

#[test]
fn glances_find_a_scan() {
    let post = Post::new();
    post.write("scan.pcap", a_scan());
    let all = packets(&post.path("scan.pcap"));
    let rules = Rules::at(&text("fixtures/quickstart/site.toml"));
    for step in [1, 7, 50] {
        let (told, wrong, missed) = go(&all, step, &rules);
        assert!(told > 1, "the first tries, and then the scan");
        assert_eq!((wrong, missed), (Ids::new(), Ids::new()), "{step} packets at a step");
    }
}

#[test]
fn glances_find_in_real_captures_what_looks_at_the_whole_find() {
    let Some(folder) = corpus_folder() else { return };
    let (mut captures, mut findings) = (0, 0);
    for (seed, (file, ..)) in (0..).zip(totals(&folder)) {
        let all = packets(&folder.join(&file));
        if all.frames.is_empty() || all.frames.len() > MOST_PACKETS {
            continue;
        }
        let addresses = addresses(&check(&[folder.join(&file)], &Rules::at(""), 1));
        let rules = Rules::at(&sites::random(&Rules::at("").policy, &addresses, seed));
        let (told, wrong, missed) = go(&all, (all.frames.len() / 20).max(1), &rules);
        assert_eq!((wrong, missed), (Ids::new(), Ids::new()), "{file}");
        captures += 1;
        findings += told;
    }
    assert!(captures > 400 && findings > 250, "{findings} findings of {captures} captures");
}

/// A packet that arrives behind one that a glance has seen, but is earlier than that.
#[test]
fn a_late_packet_is_glanced_at_although_a_glance_has_been_behind_its_place() {
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let packet = |millis: i64, port| {
        let mut batch = FrameBatch::default();
        let time = Timestamp::from_nanos(1_700_000_000_000_000_000 + millis * 1_000_000);
        batch.append(&udp(hosts, (port, 53), b"?"), 0, time, LinkType::ETHERNET);
        batch
    };
    let mut input = LiveInput::new("eth1", Interface::default());
    let mut fold = Fold::new(foldhash::fast::RandomState::default(), u64::MAX);
    fold = fold.from_begin().noting_changes();
    let mut glimpsed = |input: &LiveInput| {
        let held = input.held();
        let records = fold.changed(&held, usize::MAX).with(&held).evaluate().records;
        let ports = records.iter().map(|record| record.end(record.initiator).port());
        ports.collect::<BTreeSet<_>>()
    };
    for (millis, port) in [(0, 1001), (100, 1002)] {
        input.push(&mut packet(millis, port));
    }
    assert_eq!(glimpsed(&input), BTreeSet::from([1001, 1002]));
    input.push(&mut packet(50, 1003));
    assert_eq!(glimpsed(&input), BTreeSet::from([1003]));
    assert_eq!(glimpsed(&input), BTreeSet::new(), "nothing has come");
}
