//! What looks at the whole and glances have in common: the rules in force, what has been told, and
//! what a look leaves to the glances after it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rules::Rules;
use super::telling::Telling;
use crate::judge::Context;

/// What the looks have in common.
pub(super) struct Common {
    rules: Mutex<Arc<Rules>>,
    telling: Mutex<Telling>,
    /// What the last look at the whole told for glances to come, with its number.
    context: Mutex<Option<(Context, u64)>>,
    /// Whether there ever was such a look.
    has_context: AtomicBool,
}

impl Common {
    pub(super) fn new(rules: Rules, telling: Telling) -> Self {
        let (rules, telling) = (Mutex::new(Arc::new(rules)), Mutex::new(telling));
        Common { rules, telling, context: Mutex::default(), has_context: AtomicBool::default() }
    }

    /// The rules in force.
    pub(super) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&lock(&self.rules))
    }

    /// Puts others in force.
    pub(super) fn set_rules(&self, rules: Rules) {
        *lock(&self.rules) = Arc::new(rules);
    }

    /// Whether no others have been read since.
    pub(super) fn are_in_force(&self, rules: &Arc<Rules>) -> bool {
        Arc::ptr_eq(&lock(&self.rules), rules)
    }

    /// What has been told.
    pub(super) fn telling(&self) -> MutexGuard<'_, Telling> {
        lock(&self.telling)
    }

    /// Writes the state of findings anew. What is new is told meanwhile.
    pub(super) fn rewrite_state(&self) {
        let Some((rewriting, known)) = self.telling().begin_rewrite() else { return };
        let written = rewriting.write(&known);
        self.telling().end_rewrite(written);
        rewriting.settle();
    }

    /// Takes over what a look at the whole told since this was asked last.
    pub(super) fn take_context(&self) -> Option<(Context, u64)> {
        lock(&self.context).take()
    }

    /// Leaves what the look of number `look` told to the glances to come.
    pub(super) fn set_context(&self, context: Context, look: u64) {
        *lock(&self.context) = Some((context, look));
        self.has_context.store(true, Ordering::Release);
    }

    /// Whether enough is known to glance at what changed.
    pub(super) fn has_context(&self) -> bool {
        self.has_context.load(Ordering::Acquire)
    }
}

/// A look that fell over half way leaves what is sound.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
