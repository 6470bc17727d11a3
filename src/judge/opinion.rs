//! One attempt, one opinion: what the rows say of it, and what is spoken over it.
//!
//! In: who opens what to whom, and what is spoken, if that is known. Out: verdict, reason and rows.
//! Who opened a flow is not asked here.

use super::fit::{Attempt, Fit, Holds, PortFit};
use super::flow::Judge;
use super::model::{RowId, Service};
use super::spoken::Spoken;
use super::verdict::{Assumption, Missing, Reason, Strength, Verdict};
use crate::base::IpProto;

/// What is said of one orientation of a flow.
#[derive(Clone, Debug)]
pub(super) struct Opinion {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Reason>,
    pub(super) strength: Option<Strength>,
    pub(super) rows: Vec<RowId>,
    pub(super) assumptions: Vec<Assumption>,
    pub(super) missing: Vec<Missing>,
    /// Whether a row with a single port covers it.
    pub(super) by_single_port: bool,
}

impl Opinion {
    pub(super) fn plain(verdict: Verdict) -> Self {
        Opinion {
            verdict,
            reason: None,
            strength: None,
            rows: Vec::new(),
            assumptions: Vec::new(),
            missing: Vec::new(),
            by_single_port: false,
        }
    }

    pub(super) fn violation(reason: Reason, rows: Vec<RowId>) -> Self {
        Opinion { reason: Some(reason), rows, ..Opinion::plain(Verdict::Violation) }
    }

    pub(super) fn not_assessable(missing: Missing) -> Self {
        Opinion { missing: vec![missing], ..Opinion::plain(Verdict::NotAssessable) }
    }

    /// Documented by a row that is not over-broad.
    pub(super) fn is_firm(&self) -> bool {
        self.verdict == Verdict::Documented && self.strength != Some(Strength::Weak)
    }
}

impl Judge<'_> {
    /// Judges an attempt between two known hosts, over which something is spoken.
    pub(super) fn attempt(&self, attempt: &Attempt<'_>, spoken: Option<Spoken>) -> Opinion {
        let fits = self.matcher.candidates(attempt);
        let (fits, others): (Vec<Fit>, Vec<Fit>) =
            fits.into_iter().partition(|fit| !self.contradicts(spoken, fit.row));
        if let Some(opinion) = self.covered(&fits, attempt, spoken) {
            return opinion;
        }
        let mut owned: Vec<&Fit> = others.iter().filter(|fit| fit.is_active()).collect();
        if !owned.is_empty() {
            // Another interface of the row's own protocol is no other protocol: where rows grant
            // it on other ports, its port is what is wrong.
            let other_interface = |fit: &&Fit| self.is_other_interface(spoken, fit.row);
            if owned.iter().all(other_interface)
                && let Some(opinion) = self.elsewhere(attempt, spoken)
            {
                return opinion;
            }
            owned.sort_by_key(|fit| self.preference(fit, attempt));
            let rows = owned.iter().map(|fit| fit.row).collect();
            return Opinion::violation(Reason::ProtocolMismatch, rows);
        }
        let mut missing: Vec<Missing> =
            fits.iter().filter_map(Fit::unbound).map(Missing::Parameter).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            return Opinion { missing, ..Opinion::plain(Verdict::NotAssessable) };
        }
        if let Some(opinion) = self.beyond_the_words(attempt) {
            return opinion;
        }
        if let Some(opinion) = self.elsewhere(attempt, spoken) {
            return opinion;
        }
        let named = |wanted: fn(&Fit) -> bool| -> Vec<RowId> {
            fits.iter().filter(|fit| wanted(fit)).map(|fit| fit.row).collect()
        };
        let off = named(Fit::is_off);
        if !off.is_empty() {
            return Opinion::violation(Reason::ConditionOff, off);
        }
        let others = named(Fit::is_for_others);
        if !others.is_empty() {
            return Opinion::violation(Reason::QualifierMismatch, others);
        }
        Opinion::violation(self.plain_reason(attempt, spoken), Vec::new())
    }

    /// Whether rows cover an attempt, and how firmly.
    fn covered(
        &self,
        fits: &[Fit],
        attempt: &Attempt<'_>,
        spoken: Option<Spoken>,
    ) -> Option<Opinion> {
        let mut active: Vec<&Fit> = fits.iter().filter(|fit| fit.is_active()).collect();
        active.sort_by_key(|fit| self.preference(fit, attempt));
        let best = active.first()?;
        let mut opinion = self.documented(&active, attempt);
        let agrees = spoken.is_some_and(|spoken| self.is_of(spoken, best.row));
        let proved = spoken.is_some_and(Spoken::is_proved);
        let names = spoken.is_some_and(Spoken::names_service);
        match opinion.strength {
            // Only an announcement can show what an over-broad row is for.
            Some(Strength::Weak) if agrees => opinion.strength = Some(Strength::Confirmed),
            // Anything may run inside TLS.
            Some(Strength::PortOnly) if agrees && proved && names => {
                opinion.strength = Some(Strength::Confirmed);
            }
            _ => {}
        }
        Some(opinion)
    }

    /// Rows of the two roles for what is spoken, on other ports or over the other transport.
    fn elsewhere(&self, attempt: &Attempt<'_>, spoken: Option<Spoken>) -> Option<Opinion> {
        let spoken = spoken.filter(|spoken| spoken.names_service())?;
        let fits: Vec<Fit> = self
            .matcher
            .rows_between(attempt)
            .filter(|(id, row)| !row.weak && self.may_be(spoken, *id))
            .map(|(id, row)| self.matcher.fit(id, row, attempt))
            .filter(|fit| {
                let open = fit.conditions != Holds::No && fit.qualifiers != Holds::No;
                fit.exact_roles && open
            })
            .collect();
        if fits.iter().any(|fit| fit.port == PortFit::Inside) {
            return Some(Opinion::violation(Reason::WrongTransport, Vec::new()));
        }
        let rows: Vec<RowId> = fits.iter().map(|fit| fit.row).collect();
        (!rows.is_empty()).then(|| Opinion::violation(Reason::PortOutsideRange, rows))
    }

    fn service(&self, row: RowId) -> Option<&Service> {
        let policy = self.matcher.policy;
        policy.rows.get(row.0).and_then(|row| policy.services.get(row.service.0))
    }

    pub(super) fn contradicts(&self, spoken: Option<Spoken>, row: RowId) -> bool {
        let service = self.service(row);
        spoken.zip(service).is_some_and(|(spoken, service)| spoken.contradicts(service))
    }

    fn is_other_interface(&self, spoken: Option<Spoken>, row: RowId) -> bool {
        let service = self.service(row);
        spoken.zip(service).is_some_and(|(spoken, service)| spoken.is_other_interface_of(service))
    }

    fn may_be(&self, spoken: Spoken, row: RowId) -> bool {
        self.service(row).is_some_and(|service| spoken.may_be(service))
    }

    fn is_of(&self, spoken: Spoken, row: RowId) -> bool {
        self.service(row).is_some_and(|service| spoken.is_of(service))
    }

    /// Under the literal reading: an attempt that the recommended reading documents.
    fn beyond_the_words(&self, attempt: &Attempt<'_>) -> Option<Opinion> {
        let fits = self.recommended.as_ref()?.candidates(attempt);
        let fit = fits.iter().find(|fit| fit.is_active())?;
        let assumptions = fit.assumptions.clone();
        let opinion = Opinion::violation(Reason::QualifierMismatch, vec![fit.row]);
        Some(Opinion { assumptions, ..opinion })
    }

    /// Narrow before over-broad, stated before assumed, few ports before many, document order.
    fn preference(&self, fit: &Fit, attempt: &Attempt<'_>) -> (bool, bool, u32, RowId) {
        let row = self.matcher.policy.rows.get(fit.row.0);
        let ports = row.and_then(|row| self.matcher.ports(row, attempt.responder.host));
        let count = ports.map_or(u32::MAX, crate::base::PortSet::count);
        let weak = row.is_some_and(|row| row.weak);
        (weak, !fit.assumptions.is_empty(), count, fit.row)
    }

    fn documented(&self, active: &[&Fit], attempt: &Attempt<'_>) -> Opinion {
        let Some(best) = active.first() else { return Opinion::plain(Verdict::Violation) };
        let (weak, assumed, count, _) = self.preference(best, attempt);
        let strength = match (weak, assumed) {
            (true, _) => Strength::Weak,
            (false, true) => Strength::Assumed,
            (false, false) => Strength::PortOnly,
        };
        Opinion {
            strength: Some(strength),
            rows: active.iter().map(|fit| fit.row).collect(),
            assumptions: best.assumptions.clone(),
            by_single_port: count == 1,
            ..Opinion::plain(Verdict::Documented)
        }
    }

    fn plain_reason(&self, attempt: &Attempt<'_>, spoken: Option<Spoken>) -> Reason {
        // Whether a row covers an attempt, and whether one does that is not over-broad.
        let covered = |attempt: &Attempt<'_>| {
            let fits = self.matcher.candidates(attempt);
            let covers = |fit: &&Fit| fit.is_active() && !self.contradicts(spoken, fit.row);
            let mut weak = fits.iter().filter(covers).map(|fit| self.row_is_weak(fit.row));
            (weak.clone().next().is_some(), weak.any(|weak| !weak))
        };
        let other_transport =
            if attempt.transport == IpProto::TCP { IpProto::UDP } else { IpProto::TCP };
        let (reversed, reversed_firmly) = covered(&attempt.reversed());
        let (transposed, transposed_firmly) =
            covered(&Attempt { transport: other_transport, ..*attempt });
        let named = || {
            let mut rows = self.matcher.rows_between(attempt);
            rows.any(|(id, row)| self.matcher.grants_other_ports(id, row, attempt))
        };
        // An over-broad row covers almost any port, so what it would say comes last.
        match () {
            () if reversed_firmly => Reason::WrongDirection,
            () if transposed_firmly => Reason::WrongTransport,
            () if named() => Reason::UndocumentedService,
            () if reversed => Reason::WrongDirection,
            () if transposed => Reason::WrongTransport,
            () => Reason::UndocumentedPair,
        }
    }

    pub(super) fn row_is_weak(&self, row: RowId) -> bool {
        self.matcher.policy.rows.get(row.0).is_some_and(|row| row.weak)
    }
}
