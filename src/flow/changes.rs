//! Which flows of a table packets have changed: one bit for each place.
//!
//! Packets that are not yet in their places in the stream may have been seen before they change a
//! flow. They are told by the order in which they arrived, because one that comes late moves the
//! places of those behind it.

/// Bits of a word.
const WORD: u32 = u64::BITS;

/// A set of places.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    words: Vec<u64>,
    /// Where the next are taken from.
    next: usize,
    /// Packets that arrived up to this number change nothing any more: they were seen ahead.
    seen: u64,
}

impl Changes {
    /// None yet. Packets that arrived up to number `seen` will change nothing.
    pub(super) fn after(seen: u64) -> Self {
        Changes { seen, ..Changes::default() }
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Packets that arrived up to number `seen` change nothing from now on.
    pub(super) fn see(&mut self, seen: u64) {
        self.seen = seen;
    }

    /// Notes that the packet that arrived as `number` changed the flow at `at`.
    #[inline]
    pub(super) fn note(&mut self, at: u32, number: u64) {
        if number > self.seen {
            self.add(at);
        }
    }

    pub(super) fn add(&mut self, at: u32) {
        let word = (at / WORD) as usize;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (at % WORD);
        }
    }

    pub(super) fn has(&self, at: u32) -> bool {
        self.words.get((at / WORD) as usize).is_some_and(|word| word >> (at % WORD) & 1 == 1)
    }

    /// Takes about `most` places out: half of them the last ones, which are those of the newest
    /// flows, the others in turn, so that none waits without an end.
    pub(super) fn take(&mut self, most: usize) -> Vec<u32> {
        let mut places = Vec::new();
        for word in (0..self.words.len()).rev() {
            if places.len() >= most / 2 {
                break;
            }
            self.take_word(word, &mut places);
        }
        for _ in 0..self.words.len() {
            if places.len() >= most {
                break;
            }
            self.next = if self.next < self.words.len() { self.next } else { 0 };
            self.take_word(self.next, &mut places);
            self.next += 1;
        }
        places
    }

    fn take_word(&mut self, index: usize, places: &mut Vec<u32>) {
        let mut word = self.words.get_mut(index).map(std::mem::take).unwrap_or_default();
        while word != 0 {
            places.push(index as u32 * WORD + word.trailing_zeros());
            word &= word - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut places: Vec<u32>) -> Vec<u32> {
        places.sort_unstable();
        places
    }

    #[test]
    fn each_place_is_taken_once() {
        let mut changes = Changes::default();
        for at in [700, 3, 64, 3, 63, 0] {
            changes.add(at);
        }
        assert!(changes.has(64) && changes.has(700));
        assert!(!changes.has(65) && !changes.has(9999));
        assert_eq!(sorted(changes.take(usize::MAX)), [0, 3, 63, 64, 700]);
        assert!(changes.take(usize::MAX).is_empty());
    }

    #[test]
    fn the_newest_come_first_and_none_waits_without_an_end() {
        let mut changes = Changes::default();
        for at in [0, 64, 128, 192, 256] {
            changes.add(at);
        }
        assert_eq!(sorted(changes.take(2)), [0, 256], "the newest, and one in turn");
        changes.add(0);
        changes.add(320);
        assert_eq!(sorted(changes.take(2)), [64, 320]);
        changes.add(384);
        assert_eq!(sorted(changes.take(2)), [128, 384]);
        assert_eq!(sorted(changes.take(9)), [0, 192]);
    }

    #[test]
    fn packets_that_were_seen_ahead_change_nothing() {
        let mut changes = Changes::after(10);
        changes.note(5, 10);
        changes.note(6, 11);
        assert_eq!(changes.take(usize::MAX), [6]);
    }
}
