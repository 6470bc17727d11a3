//! The document's own tables in its own order, with what became of every row. What all rows of a
//! table demand is told once above them.

use std::collections::{BTreeMap, BTreeSet};

use super::terms;
use crate::report::model::{Pack, Report, Rule, Section};

/// A document, or what else a pack encodes.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) pack: &'a Pack,
    pub(super) tables: Vec<Table<'a>>,
    /// How many rows have each status, most first.
    pub(super) statuses: Vec<(&'a str, u64)>,
}

/// A table of the document.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) section: &'a Section,
    /// What every row demands.
    pub(super) demands: Vec<&'a str>,
    /// Readings on which every row rests, so far as verdicts depend on them.
    pub(super) readings: Vec<&'a str>,
    pub(super) rows: Vec<Row<'a>>,
}

/// A row of the document.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) rule: &'a Rule,
    /// What it demands beyond what all rows of the table do.
    pub(super) demands: Vec<&'a str>,
    /// Readings on which it rests beyond those of all rows.
    pub(super) readings: Vec<&'a str>,
}

impl Table<'_> {
    /// Rows on which answered traffic rests.
    pub(super) fn used(&self) -> usize {
        let used = |row: &&Row<'_>| terms::status(&row.rule.status).1 == "good";
        self.rows.iter().filter(used).count()
    }
}

/// The documents of a report.
pub(super) fn documents(report: &Report) -> Vec<Document<'_>> {
    let told: BTreeSet<&str> =
        report.policy.readings.iter().map(|reading| reading.id.as_str()).collect();
    let documents = report.policy.packs.iter().filter_map(|pack| {
        let sections = report.policy.sections.iter().filter(|section| section.pack == pack.id);
        let tables: Vec<_> = sections.map(|section| table(section, &report.rules, &told)).collect();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for row in tables.iter().flat_map(|table| &table.rows) {
            *counts.entry(&row.rule.status).or_default() += 1;
        }
        let mut statuses: Vec<_> = counts.into_iter().collect();
        statuses.sort_by_key(|(status, count)| (std::cmp::Reverse(*count), *status));
        (!tables.is_empty()).then_some(Document { pack, tables, statuses })
    });
    documents.collect()
}

fn table<'a>(section: &'a Section, rules: &'a [Rule], told: &BTreeSet<&str>) -> Table<'a> {
    let rows = rules.iter().filter(|rule| rule.section == section.id);
    let mut rows: Vec<Row<'a>> = rows
        .map(|rule| Row {
            rule,
            demands: rule.demands.iter().map(String::as_str).collect(),
            readings: rule
                .readings
                .iter()
                .map(String::as_str)
                .filter(|id| told.contains(id))
                .collect(),
        })
        .collect();
    let demands = shared(rows.iter().map(|row| row.demands.as_slice()));
    let readings = shared(rows.iter().map(|row| row.readings.as_slice()));
    for row in &mut rows {
        row.demands.retain(|demand| !demands.contains(demand));
        row.readings.retain(|reading| !readings.contains(reading));
    }
    Table { section, demands, readings, rows }
}

/// What all lists have, in the order of the first.
fn shared<'a, 's>(mut lists: impl Iterator<Item = &'s [&'a str]> + Clone) -> Vec<&'a str>
where
    'a: 's,
{
    let Some(first) = lists.next() else { return Vec::new() };
    let everywhere = |one: &&&str| lists.clone().all(|list| list.contains(*one));
    first.iter().filter(everywhere).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_is_what_every_list_has() {
        let lists: [&[&str]; 3] = [&["a", "b", "c"], &["c", "a"], &["a", "c", "d"]];
        assert_eq!(shared(lists.into_iter()), ["a", "c"]);
        assert_eq!(shared(lists.into_iter().take(1)), ["a", "b", "c"]);
        assert!(shared(lists.into_iter().take(0)).is_empty());
    }
}
