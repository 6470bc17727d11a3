//! What is doubtful about a policy by itself: rows that say nothing new, rows that open much,
//! parameters outside their limits. Doubts are data for the report; they stop nothing.

use crate::judge::model::{Lint, Policy};

/// The doubts about a policy, sorted.
pub(crate) fn lints(_policy: &Policy) -> Vec<Lint> {
    Vec::new()
}
