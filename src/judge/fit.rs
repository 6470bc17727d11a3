//! What is known of how a row fits an attempt: which of its predicates hold, fail or are assumed.
//!
//! The types alone, and what follows from them; `rows` finds them out.

use super::model::{Host, HostId, ParameterId, RowId};
use super::verdict::Assumption;
use crate::base::IpProto;

/// Two hosts, or the roles that one of them would have to hold.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// The host; `None` when only its role is supposed.
    pub id: Option<HostId>,
    /// What the site says of it.
    pub host: &'a Host,
}

/// Who opens what to whom.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Who opens.
    pub initiator: Party<'a>,
    /// Who answers.
    pub responder: Party<'a>,
    /// TCP or UDP.
    pub transport: IpProto,
    /// Port of the responder.
    pub port: u16,
}

impl Attempt<'_> {
    /// The same with the two hosts exchanged and the port kept.
    pub fn reversed(self) -> Self {
        Attempt { initiator: self.responder, responder: self.initiator, ..self }
    }
}

/// Whether a predicate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It holds.
    Yes,
    /// The site does not say; it is taken to hold.
    Assumed,
    /// It fails.
    No,
}

/// How the port of an attempt lies to the ports of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortFit {
    /// Inside.
    Inside,
    /// Outside.
    Outside,
    /// The row's parameter has no value, and the port could be one.
    Unbound(ParameterId),
}

/// How a row fits an attempt.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The row.
    pub row: RowId,
    /// Whether the initiator holds a role of the row, or one that a role of the row refines.
    pub initiator_role: bool,
    /// Whether the responder holds a role of the row, or one that a role of the row refines.
    pub responder_role: bool,
    /// Whether both hold a role of the row itself: the partner Exchange, not just any Exchange.
    pub exact_roles: bool,
    /// Whether the transport is that of the row.
    pub transport: bool,
    /// Whether the port is one of the row.
    pub port: PortFit,
    /// Whether the conditions of the row hold.
    pub conditions: Holds,
    /// Whether attributes and relation hold.
    pub qualifiers: Holds,
    /// What was assumed.
    pub assumptions: Vec<Assumption>,
}

impl Fit {
    /// Whether both roles are those of the row, refined or not.
    pub fn roles(&self) -> bool {
        self.initiator_role && self.responder_role
    }

    /// Whether the row covers the attempt.
    pub fn is_active(&self) -> bool {
        self.covers_but_for_state()
            && self.conditions != Holds::No
            && self.qualifiers != Holds::No
            && self.port == PortFit::Inside
    }

    fn covers_but_for_state(&self) -> bool {
        self.roles() && self.transport
    }

    /// Whether an unbound parameter alone keeps the row from covering the attempt.
    pub fn unbound(&self) -> Option<ParameterId> {
        let PortFit::Unbound(parameter) = self.port else { return None };
        let open = self.conditions != Holds::No && self.qualifiers != Holds::No;
        (self.covers_but_for_state() && open).then_some(parameter)
    }

    /// Whether a condition alone, or a condition and qualifiers, keep the row from covering.
    pub fn is_off(&self) -> bool {
        self.covers_but_for_state()
            && self.port == PortFit::Inside
            && self.conditions == Holds::No
            && self.qualifiers != Holds::No
    }

    /// Whether qualifiers keep the row from covering.
    pub fn is_for_others(&self) -> bool {
        self.covers_but_for_state() && self.port == PortFit::Inside && self.qualifiers == Holds::No
    }
}
