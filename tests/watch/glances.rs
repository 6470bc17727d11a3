//! Glances at the flows that changed, against looks at the whole: in steps through a capture, as a
//! watch goes, but with the packets for a clock.

use std::collections::BTreeSet;

use portolan::capture::{FrameBatch, Hashing, Inputs, TimeHealth};
use portolan::engine::{Evaluated, Fold};
use portolan::flow::Accounting;
use portolan::judge::{Assessment, Context, Evidence, FindingKind, Grade, Severity, Terms, assess};
use portolan::report::{self, Source};

use super::*;
use crate::runs::{Rules, text};

/// Packets between two glances, glances between two looks at the whole, and packets that are held
/// back and not folded yet.
const STEP: usize = 97;
const GLANCES: usize = 9;
const HELD: usize = 31;

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
    let mut held = [FrameBatch { bytes: held.bytes.clone(), frames: held.frames.clone() }];
    let mut changed = fold.changed(&mut held, usize::MAX);
    changed.push(&held);
    let mut stream = changed.finish().evaluate();
    assert_eq!(stream.accounting.of(portolan::flow::Class::TableFull).packets, 0);
    let records = std::mem::take(&mut stream.records);
    let evidence = Evidence { begin: stream.timeline.begin(), ..Evidence::default() };
    stream.accounting = Accounting::default();
    let assessment = context.assess(records, &stream.carriers, terms(rules), evidence, at);
    ids(&assessment, &stream, rules)
}

/// Goes through a capture. Answers how many findings there were, those that a glance told and no look
/// at the same packets has, and those that such a look has and no glance told.
fn go(capture: &Path, rules: &Rules) -> (usize, Ids, Ids) {
    let all = packets(capture);
    let mut fold = Fold::new(foldhash::fast::RandomState::default(), u64::MAX);
    fold = fold.from_begin().noting_changes();
    let mut context = None;
    // What looks and glances found so far, and what the latest look found.
    let (mut told, mut known) = (Ids::new(), Ids::new());
    let (mut wrong, mut missed) = (Ids::new(), Ids::new());
    for (step, from) in (0..all.frames.len()).step_by(STEP).enumerate() {
        let held = part(&all, from + STEP, from + STEP + HELD);
        fold.push(&[part(&all, from, from + STEP)]);
        let (whole, found) = look(&mut fold, &held, rules);
        if let Some(context) = &mut context {
            let glimpsed = glance(&mut fold, &held, context, step as u64, rules);
            wrong.extend(glimpsed.difference(&found).filter(|id| !known.contains(*id)).cloned());
            known.extend(glimpsed);
            missed.extend(found.difference(&known).cloned());
        }
        told.extend(found.iter().cloned());
        if step % GLANCES == 0 {
            known = found;
            let newer = Context::of(&whole, &rules.site, step as u64);
            match &mut context {
                None => context = Some(newer),
                Some(context) => context.renew(newer, step as u64),
            }
        }
    }
    (told.len(), wrong, missed)
}

#[test]
fn glances_find_what_looks_at_the_whole_find() {
    for (fixture, of) in FIXTURES {
        let rules = Rules::at(&text(&format!("fixtures/{fixture}/{of}")));
        let (told, wrong, missed) = go(&capture(fixture), &rules);
        assert!(told > 3, "a fixture without findings proves nothing");
        assert_eq!((wrong, missed), (Ids::new(), Ids::new()), "{fixture} {of}");
    }
}
