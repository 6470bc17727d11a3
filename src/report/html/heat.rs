//! The map of roles: who opened flows to whom, and how many lie outside the documented set. Lays
//! out a drawing; colours are the style sheet's.

use std::collections::BTreeMap;

use crate::report::model::MatrixCell;

/// Most sets of roles on an axis. What is beyond is in the table beside the drawing.
const AXIS: usize = 40;

/// Size of a cell.
const CELL: (usize, usize) = (38, 32);

/// Width of a letter of a label, and height of a line.
const LETTER: usize = 7;
const LINE: usize = 13;

/// The map.
#[derive(Debug)]
pub(super) struct HeatMap<'a> {
    pub(super) rows: Vec<Label>,
    pub(super) columns: Vec<Label>,
    pub(super) cells: Vec<Cell<'a>>,
    pub(super) width: usize,
    pub(super) height: usize,
    /// Edges of the field of cells: left, top, right, bottom.
    pub(super) field: (usize, usize, usize, usize),
    /// Pairs of roles that are in the table alone.
    pub(super) omitted: usize,
}

/// A set of roles on an axis.
#[derive(Debug)]
pub(super) struct Label {
    /// Where its first line stands.
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) lines: Vec<String>,
    /// Middle of its row or column of cells.
    pub(super) middle: usize,
}

/// Flows between two sets of roles.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    pub(super) pair: &'a MatrixCell,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) flows: u64,
    /// Violations and unknown peers.
    pub(super) outside: u64,
    /// Flows that could not be judged.
    pub(super) open: u64,
    /// `heat-1` to `heat-4` by the share of `outside`; `open`, `fine` or `quiet` without any.
    pub(super) tone: &'static str,
    /// Upper left corner, unless the cell is in the table alone.
    pub(super) corner: Option<(usize, usize)>,
}

impl Cell<'_> {
    /// Middle of the cell.
    pub(super) fn middle(&self) -> (usize, usize) {
        let (x, y) = self.corner.unwrap_or_default();
        (x + CELL.0 / 2, y + CELL.1 / 2)
    }
}

/// A set of roles in words.
pub(super) fn roles(roles: &[String]) -> String {
    if roles.is_empty() { "(no role)".to_owned() } else { roles.join("+") }
}

impl<'a> HeatMap<'a> {
    pub(super) fn of(pairs: &'a [MatrixCell]) -> Self {
        let from = axis(pairs, |pair| &pair.initiator);
        let to = axis(pairs, |pair| &pair.responder);
        let widest = |axis: &[&[String]]| {
            let letters = axis.iter().flat_map(|set| lines(set)).map(|line| line.chars().count());
            letters.max().unwrap_or(0) * LETTER
        };
        // Labels of columns rise at 45 degrees and lean out of the cells.
        let rise = |labels: &[&[String]]| widest(labels) * 5 / 7;
        let (left, top) = (widest(&from) + 12, rise(&to) + 3 * LINE);
        let place = |pair: &MatrixCell| {
            let column = to.iter().position(|set| *set == pair.responder)?;
            let row = from.iter().position(|set| *set == pair.initiator)?;
            Some((left + column * CELL.0, top + row * CELL.1))
        };
        let mut cells: Vec<_> = pairs.iter().map(|pair| cell(pair, place(pair))).collect();
        cells.sort_by_key(|cell| std::cmp::Reverse((cell.outside, cell.open, cell.flows)));
        HeatMap {
            rows: labels(&from, |index, lines| {
                let middle = top + index * CELL.1 + CELL.1 / 2;
                (left - 8, middle + 4 - (lines - 1) * LINE / 2, middle)
            }),
            columns: labels(&to, |index, _| {
                let middle = left + index * CELL.0 + CELL.0 / 2;
                (middle, top - 8, middle)
            }),
            omitted: cells.iter().filter(|cell| cell.corner.is_none()).count(),
            cells,
            width: (0..)
                .zip(&to)
                .map(|(index, set)| left + (index + 1) * CELL.0 + rise(&[set]) + LINE)
                .max()
                .unwrap_or(left),
            height: top + from.len() * CELL.1 + 2,
            field: (left, top, left + to.len() * CELL.0, top + from.len() * CELL.1),
        }
    }
}

/// The sets of roles on one side, in alphabetical order, hosts without a role last. Of too many,
/// those with the most flows.
fn axis<'a>(
    pairs: &'a [MatrixCell],
    side: impl Fn(&'a MatrixCell) -> &'a Vec<String>,
) -> Vec<&'a [String]> {
    let mut flows: BTreeMap<&'a [String], u64> = BTreeMap::new();
    for pair in pairs {
        let all = flows.entry(side(pair)).or_default();
        *all = all.saturating_add(total(pair));
    }
    let mut sets: Vec<_> = flows.into_iter().collect();
    sets.sort_by_key(|(_, flows)| std::cmp::Reverse(*flows));
    sets.truncate(AXIS);
    let mut sets: Vec<_> = sets.into_iter().map(|(set, _)| set).collect();
    sets.sort_by_key(|set| (set.is_empty(), *set));
    sets
}

/// All flows of a pair.
fn total(pair: &MatrixCell) -> u64 {
    pair.verdicts.values().fold(0, |sum, flows| sum.saturating_add(*flows))
}

fn cell(pair: &MatrixCell, corner: Option<(usize, usize)>) -> Cell<'_> {
    let of = |verdict: &str| pair.verdicts.get(verdict).copied().unwrap_or(0);
    let flows = total(pair);
    let outside = of("violation").saturating_add(of("unknown-peer"));
    let open = of("not-assessable");
    let share = (u128::from(outside) * 100).checked_div(u128::from(flows)).unwrap_or(0);
    let tone = match (outside, share) {
        (0, _) if open > 0 => "open",
        (0, _) if of("documented") > 0 => "fine",
        (0, _) => "quiet",
        (_, 0..10) => "heat-1",
        (_, 10..34) => "heat-2",
        (_, 34..67) => "heat-3",
        _ => "heat-4",
    };
    let (from, to) = (roles(&pair.initiator), roles(&pair.responder));
    Cell { pair, from, to, flows, outside, open, tone, corner }
}

/// The lines of a label: a role each, with a plus sign before all but the first.
fn lines(set: &[String]) -> Vec<String> {
    match set {
        [] => vec![roles(set)],
        [first, more @ ..] => {
            let more = more.iter().map(|role| format!("+ {role}"));
            std::iter::once(first.clone()).chain(more).collect()
        }
    }
}

fn labels(axis: &[&[String]], place: impl Fn(usize, usize) -> (usize, usize, usize)) -> Vec<Label> {
    let labels = axis.iter().enumerate().map(|(index, set)| {
        let lines = lines(set);
        let (x, y, middle) = place(index, lines.len());
        Label { x, y, lines, middle }
    });
    labels.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(from: &[&str], to: &[&str], verdicts: &[(&str, u64)]) -> MatrixCell {
        let owned = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect();
        MatrixCell {
            initiator: owned(from),
            responder: owned(to),
            verdicts: verdicts.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
        }
    }

    #[test]
    fn every_pair_has_a_place_of_its_own_inside_the_drawing() {
        let pairs = [
            pair(&[], &["unity"], &[("unknown-peer", 1)]),
            pair(&["cucm", "phone"], &["unity"], &[("documented", 9), ("violation", 1)]),
            pair(&["unity"], &["cucm", "phone"], &[("documented", 9)]),
            pair(&["unity"], &[], &[("not-assessable", 9)]),
        ];
        let map = HeatMap::of(&pairs);
        let mut corners: Vec<_> = map.cells.iter().filter_map(|cell| cell.corner).collect();
        corners.sort_unstable();
        corners.dedup();
        assert_eq!(corners.len(), 4);
        for (x, y) in corners {
            assert!(map.rows.iter().all(|label| label.x < x), "{x}");
            assert!(map.columns.iter().all(|label| label.y < y), "{y}");
            assert!(x + CELL.0 <= map.width && y + CELL.1 <= map.height, "{x} {y}");
        }
        let tones: Vec<_> = map.cells.iter().map(|cell| (cell.flows, cell.tone)).collect();
        assert_eq!(tones, [(10, "heat-2"), (1, "heat-4"), (9, "open"), (9, "fine")]);
        assert_eq!(map.rows.last().unwrap().lines, ["(no role)"]);
        assert_eq!(map.rows[0].lines, ["cucm", "+ phone"]);
    }

    #[test]
    fn too_many_roles_stay_in_the_table() {
        let names: Vec<String> = (0..60).map(|index| format!("role-{index}")).collect();
        let pairs: Vec<_> =
            names.iter().map(|name| pair(&[name], &["unity"], &[("documented", 1)])).collect();
        let map = HeatMap::of(&pairs);
        assert_eq!((map.rows.len(), map.cells.len(), map.omitted), (AXIS, 60, 60 - AXIS));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let map = HeatMap::of(&[]);
        assert!(map.cells.is_empty() && map.rows.is_empty());
    }
}
