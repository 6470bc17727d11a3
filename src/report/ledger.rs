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
    let sums = [
        Sums {
            what: "packets",
            one: ("read from the inputs", inputs.iter().map(|input| input.packets).sum()),
            other: ("in the classes", of(&mut classes(), |class| class.packets)),
        },
        Sums {
            what: "frame-bytes",
            one: ("read from the inputs", inputs.iter().map(|input| input.frame_bytes).sum()),
            other: ("in the classes", of(&mut classes(), |class| class.frame_bytes)),
        },
        Sums {
            what: "flow-packets",
            one: ("in class flow", of(&mut in_flows(), |class| class.packets)),
            other: ("in flows with a verdict", verdicts(|volume| volume.packets)),
        },
        Sums {
            what: "flow-frame-bytes",
            one: ("in class flow", of(&mut in_flows(), |class| class.frame_bytes)),
            other: ("in flows with a verdict", verdicts(|volume| volume.frame_bytes)),
        },
        Sums {
            what: "flows",
            one: ("judged", accounting.flows),
            other: ("with a verdict", verdicts(|volume| volume.flows)),
        },
        Sums {
            what: "documented-flows",
            one: ("with the verdict", documented),
            other: ("with a strength", strengths),
        },
    ];
    sums.into_iter().filter(|sums| sums.one.1 != sums.other.1).map(Sums::mismatch).collect()
}

/// Two counts of the same thing, each with where it was counted.
struct Sums {
    what: &'static str,
    one: (&'static str, u64),
    other: (&'static str, u64),
}

impl Sums {
    fn mismatch(self) -> Mismatch {
        let ((one, one_count), (other, other_count)) = (self.one, self.other);
        Mismatch {
            what: self.what.to_owned(),
            one: one.to_owned(),
            one_count,
            other: other.to_owned(),
            other_count,
        }
    }
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
