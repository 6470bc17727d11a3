//! Collects the finer facts of a claim.

use serde::{Deserialize, Serialize};

use super::claim::Detail;

/// Most facts of one claim.
const MOST: usize = 16;

/// Most bytes of one value.
const LONGEST: usize = 255;

/// Facts found so far, each once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Details(Vec<Detail>);

impl Details {
    /// Adds a fact unless it is known; drops it when there are too many.
    pub(super) fn add(&mut self, name: &'static str, value: impl Into<String>) {
        let mut value: String = value.into();
        let mut end = value.len().min(LONGEST);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        value.truncate(end);
        let detail = Detail { name, value };
        if self.0.len() < MOST && !self.0.contains(&detail) {
            self.0.push(detail);
        }
    }

    /// Adds text from the wire; bytes that are not UTF-8 are replaced.
    pub(super) fn add_text(&mut self, name: &'static str, text: &[u8]) {
        let text = text.get(..LONGEST).unwrap_or(text);
        if !text.is_empty() {
            self.add(name, String::from_utf8_lossy(text));
        }
    }

    /// Adds facts known already.
    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = Detail>) {
        more.into_iter().for_each(|detail| self.add(detail.name, detail.value));
    }

    /// The facts by name and value.
    pub(super) fn into_sorted(mut self) -> Vec<Detail> {
        self.0.sort();
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bounded_sorted_and_kept_once() {
        let mut details = Details::default();
        details.add_text("text", &[0xff; 300]);
        details.add("about", "b");
        details.add("about", "a");
        details.add("about", "a");
        let details = details.into_sorted();
        let pairs: Vec<_> = details.iter().map(|d| (d.name, d.value.len())).collect();
        assert_eq!(pairs, [("about", 1), ("about", 1), ("text", 255)]);
        assert!(details[2].value.chars().all(|c| c == char::REPLACEMENT_CHARACTER));
    }
}
