//! Which flows of a table packets have changed: one bit for each place.

/// Bits of a word.
const WORD: u32 = u64::BITS;

/// A set of places.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    words: Vec<u64>,
    /// Where the next are taken from.
    next: usize,
    /// Packets before this place in the stream change nothing any more: they were seen ahead.
    seen: u64,
}

impl Changes {
    /// None yet. Packets before place `seen` in the stream will change nothing.
    pub(super) fn after(seen: u64) -> Self {
        Changes { seen, ..Changes::default() }
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Packets before place `seen` in the stream change nothing from now on.
    pub(super) fn see(&mut self, seen: u64) {
        self.seen = seen;
    }

    /// Notes that the packet at a place in the stream changed the flow at `at`.
    #[inline]
    pub(super) fn note(&mut self, at: u32, ordinal: u64) {
        if ordinal >= self.seen {
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

    /// Takes about `most` places out; those that are left come first the next time.
    pub(super) fn take(&mut self, most: usize) -> Vec<u32> {
        let mut places = Vec::new();
        for _ in 0..self.words.len() {
            if places.len() >= most {
                break;
            }
            self.next = if self.next < self.words.len() { self.next } else { 0 };
            let Some(word) = self.words.get_mut(self.next) else { break };
            while *word != 0 {
                places.push(self.next as u32 * WORD + word.trailing_zeros());
                *word &= *word - 1;
            }
            self.next += 1;
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_taken_once() {
        let mut changes = Changes::default();
        for at in [700, 3, 64, 3, 63, 0] {
            changes.add(at);
        }
        assert!(changes.has(64) && changes.has(700));
        assert!(!changes.has(65) && !changes.has(9999));
        assert_eq!(changes.take(usize::MAX), [0, 3, 63, 64, 700]);
        assert!(changes.take(usize::MAX).is_empty());
    }

    #[test]
    fn what_is_left_comes_first_the_next_time() {
        let mut changes = Changes::default();
        for at in [0, 1, 64, 128] {
            changes.add(at);
        }
        assert_eq!(changes.take(1), [0, 1], "a word at a time");
        changes.add(0);
        assert_eq!(changes.take(2), [64, 128]);
        assert_eq!(changes.take(2), [0]);
    }

    #[test]
    fn packets_that_were_seen_ahead_change_nothing() {
        let mut changes = Changes::after(10);
        changes.note(5, 9);
        changes.note(6, 10);
        assert_eq!(changes.take(usize::MAX), [6]);
    }
}
