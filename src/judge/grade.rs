//! How good the evidence is, as a grade. In: what is known of the health of the capture. Out:
//! every measure with its limits and the grade that it gives; the worst of them is the grade of
//! the run.
//!
//! Shares are parts per million, rounded up, so that what is printed is what was compared.

use super::health::Health;

/// Parts per million of a share of one per cent.
const PER_CENT: u64 = 10_000;

/// How good the evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Hardly anything is missing.
    A,
    /// Little is missing.
    B,
    /// Enough is missing to hide a conversation.
    C,
    /// The capture cannot answer the question.
    D,
}

impl Grade {
    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Grade::A => "A",
            Grade::B => "B",
            Grade::C => "C",
            Grade::D => "D",
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeasureKind {
    /// Packets that the capturing system or a mirror lost, and bytes that were acknowledged and not
    /// captured.
    Loss,
    /// TCP flows in scope of which one direction was captured.
    OneWay,
    /// Packets that could not be decoded, or not inside a tunnel.
    Undecoded,
    /// TCP flows in scope whose handshake was not captured.
    MidStream,
    /// Flows in scope that could not be judged.
    NotAssessable,
    /// Tables of the document without traffic between hosts that were alive.
    IdleTables,
    /// Whether an input could not be read to its end.
    Unreadable,
    /// Roles of the policy's subjects that hosts of the site hold and that were never seen.
    AbsentRoles,
    /// Whether there was anything to judge.
    NothingJudged,
    /// Answered TCP flows where the capture shows one direction only.
    OneSided,
    /// Whether an interface had a capture filter.
    Filtered,
    /// Packets whose flow is not known for want of room.
    DetailLost,
    /// Later fragments without the first of their datagram, but for those that came within thirty
    /// seconds of the begin.
    UnclaimedFragments,
    /// Flows in scope with data from both ends that could not be judged.
    UnjudgedTalks,
}

/// Most that A, B and C allow, in parts per million; `None` for any share.
type Limits = [Option<u64>; 3];

/// A limit that A and B do not pass and C does.
const NEVER_ABOVE_C: Limits = [Some(0), Some(0), None];

/// A limit that nothing but D passes.
const NEVER_ABOVE_D: Limits = [Some(0), Some(0), Some(0)];

impl MeasureKind {
    /// Every measure, the graded columns first.
    pub const ALL: [MeasureKind; 14] = [
        MeasureKind::Loss,
        MeasureKind::OneWay,
        MeasureKind::Undecoded,
        MeasureKind::MidStream,
        MeasureKind::NotAssessable,
        MeasureKind::IdleTables,
        MeasureKind::Unreadable,
        MeasureKind::AbsentRoles,
        MeasureKind::NothingJudged,
        MeasureKind::OneSided,
        MeasureKind::Filtered,
        MeasureKind::DetailLost,
        MeasureKind::UnclaimedFragments,
        MeasureKind::UnjudgedTalks,
    ];

    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            MeasureKind::Loss => "loss",
            MeasureKind::OneWay => "one-way-flows",
            MeasureKind::Undecoded => "undecoded-packets",
            MeasureKind::MidStream => "mid-stream-flows",
            MeasureKind::NotAssessable => "not-assessable-flows",
            MeasureKind::IdleTables => "idle-tables",
            MeasureKind::Unreadable => "unreadable-input",
            MeasureKind::AbsentRoles => "absent-roles",
            MeasureKind::NothingJudged => "nothing-judged",
            MeasureKind::OneSided => "one-sided-flows",
            MeasureKind::Filtered => "capture-filter",
            MeasureKind::DetailLost => "detail-lost",
            MeasureKind::UnclaimedFragments => "unclaimed-fragments",
            MeasureKind::UnjudgedTalks => "unjudged-talks",
        }
    }

    /// Most that A, B and C allow.
    fn limits(self) -> Limits {
        match self {
            MeasureKind::Loss => [Some(PER_CENT / 100), Some(PER_CENT / 10), Some(PER_CENT)],
            MeasureKind::OneWay => [Some(PER_CENT), Some(5 * PER_CENT), Some(20 * PER_CENT)],
            MeasureKind::Undecoded => [Some(PER_CENT / 10), Some(PER_CENT), Some(5 * PER_CENT)],
            MeasureKind::MidStream => [Some(5 * PER_CENT), Some(20 * PER_CENT), None],
            MeasureKind::NotAssessable => [Some(0), Some(PER_CENT / 10), Some(PER_CENT)],
            MeasureKind::IdleTables => [Some(0), Some(20 * PER_CENT), None],
            MeasureKind::Unreadable | MeasureKind::AbsentRoles | MeasureKind::NothingJudged => {
                NEVER_ABOVE_D
            }
            MeasureKind::DetailLost => [Some(0), Some(0), Some(PER_CENT)],
            MeasureKind::OneSided => [Some(PER_CENT), Some(5 * PER_CENT), None],
            MeasureKind::Filtered
            | MeasureKind::UnclaimedFragments
            | MeasureKind::UnjudgedTalks => NEVER_ABOVE_C,
        }
    }
}

/// One measure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// What is measured.
    pub kind: MeasureKind,
    /// How many there are.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
    /// The share in parts per million, rounded up. Of the loss: the sum of both shares.
    pub share: u64,
    /// Most that A, B and C allow, in parts per million; `None` for any share.
    pub limits: [Option<u64>; 3],
    /// The grade that this measure gives.
    pub grade: Grade,
}

impl Measure {
    fn new(kind: MeasureKind, (part, whole): (u64, u64), more: u64) -> Self {
        let (share, limits) = (per_million(part, whole).saturating_add(more), kind.limits());
        let grades = [Grade::A, Grade::B, Grade::C].into_iter().zip(limits);
        let mut reached = grades.filter(|(_, limit)| limit.is_none_or(|limit| share <= limit));
        let grade = reached.next().map_or(Grade::D, |(grade, _)| grade);
        Measure { kind, part, whole, share, limits, grade }
    }
}

/// A share in parts per million, rounded up; none of nothing is 0.
pub fn per_million(part: u64, whole: u64) -> u64 {
    let parts = u128::from(part) * 1_000_000;
    u64::try_from(parts.div_ceil(u128::from(whole.max(1)))).unwrap_or(u64::MAX)
}

/// Every measure of a run, in the order of [`MeasureKind::ALL`].
pub(super) fn measures(health: &Health) -> Vec<Measure> {
    let measure = |kind| {
        let (held, unseen) = (health.held_bytes, health.unseen_bytes.unwrap_or_default());
        let more = match kind {
            MeasureKind::Loss => per_million(unseen, held.saturating_add(unseen)),
            _ => 0,
        };
        Measure::new(kind, share(health, kind), more)
    };
    MeasureKind::ALL.into_iter().map(measure).collect()
}

/// How many of how many.
fn share(health: &Health, kind: MeasureKind) -> (u64, u64) {
    let Health { packets, dropped, in_scope, tcp, .. } = *health;
    match kind {
        MeasureKind::Loss => (dropped, packets.saturating_add(dropped)),
        MeasureKind::OneWay => (tcp.one_way, tcp.flows),
        MeasureKind::Undecoded => (health.undecoded, packets),
        MeasureKind::MidStream => (tcp.mid_stream, tcp.flows),
        MeasureKind::NotAssessable => (health.not_assessable, in_scope),
        MeasureKind::IdleTables => (health.idle_tables.len() as u64, health.tables),
        MeasureKind::Unreadable => (health.unreadable.into(), 1),
        MeasureKind::AbsentRoles => (health.absent_roles.len() as u64, health.subject_roles),
        MeasureKind::NothingJudged => (u64::from(in_scope == 0), 1),
        MeasureKind::OneSided => (health.one_sided, health.answered),
        MeasureKind::Filtered => (health.filtered.into(), 1),
        MeasureKind::DetailLost => (health.detail_lost, packets),
        MeasureKind::UnclaimedFragments => {
            (health.unclaimed_fragments.saturating_sub(health.early_fragments), packets)
        }
        MeasureKind::UnjudgedTalks => (health.unjudged_talks, in_scope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Grade::{A, B, C, D};

    /// The table of grades: the share at which each grade ends, in hundredths of a per cent.
    #[test]
    fn each_grade_ends_where_the_table_says() {
        const ANY: u64 = 10_000;
        for (kind, a, b, c) in [
            (MeasureKind::Loss, 1, 10, 100),
            (MeasureKind::OneWay, 100, 500, 2000),
            (MeasureKind::Undecoded, 10, 100, 500),
            (MeasureKind::MidStream, 500, 2000, ANY),
            (MeasureKind::NotAssessable, 0, 10, 100),
            // Rows in use: 100 %, 80 %, any.
            (MeasureKind::IdleTables, 0, 2000, ANY),
            (MeasureKind::Unreadable, 0, 0, 0),
            (MeasureKind::AbsentRoles, 0, 0, 0),
            (MeasureKind::NothingJudged, 0, 0, 0),
            (MeasureKind::OneSided, 100, 500, ANY),
            (MeasureKind::Filtered, 0, 0, ANY),
        ] {
            let grade = |part| Measure::new(kind, (part, 10_000), 0).grade;
            for (limit, here, beyond) in [(a, A, B), (b, B, C), (c, C, D)] {
                assert!(grade(limit) <= here, "{kind:?}: {limit} is {here:?}");
                if limit < ANY {
                    assert!(grade(limit + 1) >= beyond, "{kind:?}: {limit} + 1 is {beyond:?}");
                }
            }
            assert_eq!(grade(0), A, "{kind:?}");
        }
    }

    #[test]
    fn loss_is_the_sum_of_both_kinds() {
        // A hundredth of a per cent each: the sum is more than A allows.
        let health = Health {
            packets: 9_999,
            dropped: 1,
            held_bytes: 9_999,
            unseen_bytes: Some(1),
            ..Health::default()
        };
        let loss = |health: &Health| measures(health)[0];
        assert_eq!((loss(&health).share, loss(&health).grade), (200, B));
        let without = Health { unseen_bytes: None, ..health };
        assert_eq!((loss(&without).share, loss(&without).grade), (100, A));
    }

    #[test]
    fn shares_are_rounded_up_and_none_of_nothing_is_none() {
        assert_eq!(per_million(0, 0), 0);
        assert_eq!(per_million(1, 0), 1_000_000);
        assert_eq!(per_million(1, 3_000_000), 1);
        assert_eq!(per_million(u64::MAX, u64::MAX), 1_000_000);
        assert_eq!(per_million(u64::MAX, 1), u64::MAX);
    }
}
