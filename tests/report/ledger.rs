//! The conservation ledger: whatever does not add up is told, with both sides.

use portolan::flow::{Class, Tally};
use portolan::judge::Severity;
use portolan::judge::{Grade, Terms, assess};
use portolan::report::{self, Source, model::Report};

use super::{FIXTURES, fixture, fixture_rules};

/// A way to falsify a report, what is told of it, and by how much the first side exceeds the
/// other.
type Fault = (fn(&mut Report), &'static str, i64);

#[test]
fn every_sum_that_does_not_agree_is_told() {
    let faults: [Fault; 8] = [
        (|report| report.inputs[0].packets += 1, "packets", 1),
        (|report| report.accounting.classes[1].packets += 3, "packets", -3),
        (|report| report.inputs[0].frame_bytes += 60, "frame-bytes", 60),
        (|report| report.accounting.classes[1].frame_bytes += 60, "frame-bytes", -60),
        (|report| volume(report).packets += 1, "flow-packets", -1),
        (|report| volume(report).frame_bytes += 64, "flow-frame-bytes", -64),
        (|report| report.accounting.flows += 1, "flows", 1),
        (|report| volume(report).flows += 1, "flows", -1),
    ];
    for (name, site) in FIXTURES {
        let whole = fixture(name, site).report;
        assert_eq!(whole.accounting.mismatches, []);
        assert_eq!(report::mismatches(&whole), []);
        assert_eq!(report::complaint(&[]), None);
        for (falsify, what, excess) in faults {
            let mut report = whole.clone();
            falsify(&mut report);
            let found = report::mismatches(&report);
            let [sums] = found.as_slice() else { panic!("{what}: {found:?}") };
            assert_eq!(sums.what, what);
            assert_eq!(sums.one_count as i64 - sums.other_count as i64, excess, "{what}");
            let message = report::complaint(&found).unwrap();
            assert!(message.starts_with("internal error"), "{message}");
            for side in [sums.one_count, sums.other_count] {
                assert!(message.contains(&side.to_string()), "{message}");
            }
        }
    }
}

/// The volume of a verdict without strengths.
fn volume(report: &mut Report) -> &mut report::model::Volume {
    report.summary.verdicts.get_mut("violation").unwrap()
}

/// A packet that the fold counted into a class and that no input held.
#[test]
fn a_falsified_accounting_reaches_the_report() {
    let rules = fixture_rules("quickstart", "site.toml");
    let terms = Terms {
        policy: &rules.policy,
        site: &rules.site,
        waivers: &rules.waivers,
        reading: rules.reading,
        fail_on: Severity::Low,
        min_grade: Grade::B,
    };
    let run = fixture("quickstart", "site.toml");
    let falsified = |class| {
        let mut stream = run.stream.clone();
        stream.accounting.add(class, Tally { packets: 1, frame_bytes: 60, sample: None });
        let records = run.assessment.flows.iter().rev().map(|flow| flow.record.clone()).collect();
        let assessment = assess(
            records,
            &stream.accounting,
            &stream.carriers,
            terms,
            stream.evidence(&run.inputs, run.times),
        );
        let source = Source {
            inputs: &run.inputs,
            times: run.times,
            skipped: &[],
            stream: &stream,
            terms,
            max_memory: 0,
            options: &[],
        };
        let report = report::build(source, &assessment);
        report.accounting.mismatches.into_iter().map(|sums| sums.what).collect::<Vec<_>>()
    };
    assert_eq!(falsified(Class::UnclaimedFragment), ["packets", "frame-bytes"]);
    let in_flows = ["packets", "frame-bytes", "flow-packets", "flow-frame-bytes"];
    assert_eq!(falsified(Class::Flow), in_flows);
}
