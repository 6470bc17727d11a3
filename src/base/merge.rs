//! The shape of everything the fold carries: partial results that can be joined.
//!
//! The law, checked by `tests/laws.rs`: for any cut of the packets, merging the parts gives
//! what one pass over all packets gives, whichever part is merged into which.

/// A partial result that can absorb another one of its kind.
///
/// `Default` is the identity, and `merge` is associative and commutative. Implementations take
/// `self` and `other` apart completely, so a new field does not compile before its merge is
/// written.
pub trait Merge: Default {
    /// Absorbs `other`.
    fn merge(&mut self, other: Self);
}

impl Merge for u64 {
    fn merge(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

/// Keeps the least value offered.
pub fn least<T: Ord>(kept: &mut Option<T>, offered: Option<T>) {
    if let Some(offered) = offered
        && kept.as_ref().is_none_or(|kept| offered < *kept)
    {
        *kept = Some(offered);
    }
}

/// Keeps the greatest value offered.
pub fn most<T: Ord>(kept: &mut Option<T>, offered: Option<T>) {
    if let Some(offered) = offered
        && kept.as_ref().is_none_or(|kept| offered > *kept)
    {
        *kept = Some(offered);
    }
}
