//! The conservation ledger: what went in must be the sum of what came out. In: a report. Out:
//! every pair of sums that does not agree, which is always a fault of the program.

use super::model::{ClassCount, Mismatch, Report, Volume};

/// The sums of a report that do not agree.
pub fn mismatches(report: &Report) -> Vec<Mismatch> {
    let Report { accounting, inputs, summary, .. } = report;
    let classes = || accounting.classes.iter();
    let in_flows = || classes().filter(|class| class.class == "flow");
    let verdicts = |what: fn(&Volume) -> u64| summary.verdicts.values().map(what).sum::<u64>();
    let of = |classes: &mut dyn Iterator<Item = &ClassCount>, what: fn(&ClassCount) -> u64| {
        classes.map(what).sum::<u64>()
    };
    let documented = summary.verdicts.get("documented").map_or(0, |volume| volume.flows);
    let strengths = summary.strengths.values().map(|volume| volume.flows).sum();
    let sums: [(&str, (&str, u64), (&str, u64)); 6] = [
        (
            "packets",
            ("read from the inputs", inputs.iter().map(|input| input.packets).sum()),
            ("in the classes", of(&mut classes(), |class| class.packets)),
        ),
        (
            "frame-bytes",
            ("read from the inputs", inputs.iter().map(|input| input.frame_bytes).sum()),
            ("in the classes", of(&mut classes(), |class| class.frame_bytes)),
        ),
        (
            "flow-packets",
            ("in class flow", of(&mut in_flows(), |class| class.packets)),
            ("in flows with a verdict", verdicts(|volume| volume.packets)),
        ),
        (
            "flow-frame-bytes",
            ("in class flow", of(&mut in_flows(), |class| class.frame_bytes)),
            ("in flows with a verdict", verdicts(|volume| volume.frame_bytes)),
        ),
        (
            "flows",
            ("judged", accounting.flows),
            ("with a verdict", verdicts(|volume| volume.flows)),
        ),
        ("documented-flows", ("with the verdict", documented), ("with a strength", strengths)),
    ];
    let differ = sums.into_iter().filter(|(_, one, other)| one.1 != other.1);
    differ
        .map(|(what, (one, one_count), (other, other_count))| Mismatch {
            what: what.to_owned(),
            one: one.to_owned(),
            one_count,
            other: other.to_owned(),
            other_count,
        })
        .collect()
}

/// The sentence about sums that do not agree; `None` when all agree.
pub fn complaint(mismatches: &[Mismatch]) -> Option<String> {
    let sides: Vec<String> = mismatches
        .iter()
        .map(|sums| {
            let Mismatch { what, one, one_count, other, other_count } = sums;
            format!("{what}: {one_count} {one}, {other_count} {other}")
        })
        .collect();
    (!sides.is_empty()).then(|| {
        format!(
            "internal error: the sums of this run do not agree, so its result cannot be relied \
             on; please report it with the capture, if you can: {}",
            sides.join("; ")
        )
    })
}
