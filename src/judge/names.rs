//! Identifiers defined in files and references to them: comes an identifier, goes its number, or
//! a fault with the nearest name.

use std::collections::BTreeMap;

use super::diagnostic::{Code, Problems};
use super::document::At;

/// The identifiers of one kind, numbered in the order of their definition.
#[derive(Debug)]
pub(crate) struct Names {
    kind: &'static str,
    unknown: Code,
    numbers: BTreeMap<String, (usize, String)>,
}

impl Names {
    /// No identifier yet. `kind` is the word for messages, `unknown` the fault of a reference
    /// that leads nowhere.
    pub(crate) fn new(kind: &'static str, unknown: Code) -> Self {
        Names { kind, unknown, numbers: BTreeMap::new() }
    }

    /// Gives the next number to `id`; `None` and a fault if it is empty or defined already.
    pub(crate) fn define(&mut self, id: &At<String>, problems: &mut Problems) -> Option<usize> {
        let kind = self.kind;
        if id.value.trim().is_empty() {
            let message = format!("this {kind} has an empty identifier");
            problems.report(Code::EmptyField, id.span.clone(), message, "give it a name");
            return None;
        }
        if let Some((_, place)) = self.numbers.get(&id.value) {
            let message = format!("{kind} `{}` is defined twice", id.value);
            let help = format!("the other one stands in {place}; rename or remove one of them");
            problems.report(Code::DuplicateId, id.span.clone(), message, help);
            return None;
        }
        let number = self.numbers.len();
        self.numbers.insert(id.value.clone(), (number, problems.place(id.span.start)));
        Some(number)
    }

    /// The number of `id`; `None` and a fault if it is not defined.
    pub(crate) fn find(&self, id: &At<String>, problems: &mut Problems) -> Option<usize> {
        let number = self.number(&id.value);
        if number.is_none() {
            let message = format!("{} `{}` is not defined", self.kind, id.value);
            let names = self.numbers.keys().map(String::as_str);
            problems.report(self.unknown, id.span.clone(), message, suggestion(&id.value, names));
        }
        number
    }

    /// The number of `id`, silently.
    pub(crate) fn number(&self, id: &str) -> Option<usize> {
        self.numbers.get(id).map(|(number, _)| *number)
    }
}

/// What to write instead of a name that does not exist.
pub(crate) fn suggestion<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match nearest(wrong, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "none is defined".to_owned(),
        None => format!("defined are: {}", names.join(", ")),
    }
}

/// The name that differs least from `wrong`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong; of two letters none, or `on` would mean `no`.
    let limit = wrong.chars().count() / 3;
    let wrong = wrong.to_lowercase();
    names
        .map(|name| (edit_distance(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be inserted, deleted, replaced or swapped with their neighbour (optimal
/// string alignment distance).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut next = vec![i + 1];
        for j in 0..b.len() {
            let replaced = row[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_known_from_the_literature() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("saturday", "sunday"), 3);
        assert_eq!(edit_distance("ca", "abc"), 3, "no edit inside a swapped pair");
        assert_eq!(edit_distance("upd", "udp"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
    }

    #[test]
    fn only_near_names_are_suggested() {
        let roles = ["phone", "gateway", "unity"];
        assert_eq!(nearest("phones", roles.into_iter()), Some("phone"));
        assert_eq!(nearest("printer", roles.into_iter()), None);
    }
}
