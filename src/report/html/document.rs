//! The document's own tables in its own order, with what became of every row.

use std::collections::BTreeMap;

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
    pub(super) rows: Vec<&'a Rule>,
}

impl Table<'_> {
    /// Rows on which answered traffic rests.
    pub(super) fn used(&self) -> usize {
        let used = |rule: &&&Rule| matches!(terms::status(&rule.status).1, "good");
        self.rows.iter().filter(used).count()
    }
}

/// The documents of a report.
pub(super) fn documents(report: &Report) -> Vec<Document<'_>> {
    let documents = report.policy.packs.iter().filter_map(|pack| {
        let sections = report.policy.sections.iter().filter(|section| section.pack == pack.id);
        let tables: Vec<_> = sections
            .map(|section| Table {
                section,
                rows: report.rules.iter().filter(|rule| rule.section == section.id).collect(),
            })
            .collect();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for rule in tables.iter().flat_map(|table| &table.rows) {
            *counts.entry(&rule.status).or_default() += 1;
        }
        let mut statuses: Vec<_> = counts.into_iter().collect();
        statuses.sort_by_key(|(status, count)| (std::cmp::Reverse(*count), *status));
        (!tables.is_empty()).then_some(Document { pack, tables, statuses })
    });
    documents.collect()
}
