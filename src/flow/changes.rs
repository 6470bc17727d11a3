//! Which flows of a table packets have changed: one bit for each place.

/// Bits of a word.
const WORD: u32 = u64::BITS;

/// A set of places.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(Vec<u64>);

impl Changes {
    pub(super) fn note(&mut self, at: u32) {
        let word = (at / WORD) as usize;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (at % WORD);
        }
    }

    pub(super) fn has(&self, at: u32) -> bool {
        self.0.get((at / WORD) as usize).is_some_and(|word| word >> (at % WORD) & 1 == 1)
    }

    /// The places in order.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.0.iter().zip(0..).flat_map(|(word, number)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(number * WORD + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_in_order_and_once() {
        let mut changes = Changes::default();
        for at in [700, 3, 64, 3, 63, 0] {
            changes.note(at);
        }
        assert_eq!(changes.places().collect::<Vec<_>>(), [0, 3, 63, 64, 700]);
        assert!(changes.has(64) && changes.has(700));
        assert!(!changes.has(65) && !changes.has(9999));
    }
}
