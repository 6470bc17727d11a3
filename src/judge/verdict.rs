//! The words of judging: verdicts, reasons, strengths.

use super::model::{AttributeId, ConditionId, ParameterId, ReadingId, RelationId};

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$variant_doc])* $variant,)* }

        impl $type {
            /// Every value, in declared order.
            pub const ALL: &'static [$type] = &[$($type::$variant,)*];

            /// The stable name in reports.
            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }
        }
    };
}

named! {
    /// What is said of a flow; exactly one.
    Verdict {
        /// Neither end is governed by the policy.
        OutOfScope = "out-of-scope",
        /// Traffic that every network carries.
        Infrastructure = "infrastructure",
        /// A fact that the decision needs is missing.
        NotAssessable = "not-assessable",
        /// An active row covers it.
        Documented = "documented",
        /// Outside the documented set, and a valid waiver accepts it.
        Waived = "waived",
        /// One end is governed, the other is not in the site file.
        UnknownPeer = "unknown-peer",
        /// Both ends are known and no active row covers it.
        Violation = "violation",
    }
}

named! {
    /// Why a flow is a violation, most specific first.
    Reason {
        /// The port is documented for the two roles, and the payload proves another protocol.
        ProtocolMismatch = "protocol-mismatch",
        /// The protocol is documented for the two roles, on other ports.
        PortOutsideRange = "port-outside-range",
        /// Its row is switched off by an answer of the site.
        ConditionOff = "condition-off",
        /// Its row is for other hosts of that role: the monitored one, the partner, the own one.
        QualifierMismatch = "qualifier-mismatch",
        /// The same service is documented the other way round.
        WrongDirection = "wrong-direction",
        /// The same port is documented over the other transport.
        WrongTransport = "wrong-transport",
        /// The two roles have rows, none for this port.
        UndocumentedService = "undocumented-service",
        /// No row names the two roles in this order.
        UndocumentedPair = "undocumented-pair",
    }
}

named! {
    /// How firmly a documented flow rests on its row.
    Strength {
        /// The payload agrees.
        Confirmed = "confirmed",
        /// By port alone: encrypted, silent or not identified.
        PortOnly = "port-only",
        /// A condition, qualifier or reading was assumed.
        Assumed = "assumed",
        /// Only an over-broad row covers it.
        Weak = "weak",
    }
}

named! {
    /// How the initiator was found.
    Basis {
        /// A SYN was seen.
        Syn = "syn",
        /// Only the SYN+ACK was seen.
        SynAck = "syn-ack",
        /// What an end sent is sent by clients alone, or by servers alone.
        PayloadRole = "payload-role",
        /// Exactly one end was announced as an endpoint that is served.
        Learned = "learned",
        /// Exactly one end owns a port that a row documents for the two roles.
        PortRole = "port-role",
        /// One port is a service port and the other is not.
        PortHeuristic = "port-heuristic",
        /// The sender of the first packet.
        FirstPacket = "first-packet",
        /// Media, which neither end opens for the other: the half that is judged the worse, where
        /// that is not the half of the first packet.
        Media = "media",
        /// Only an ICMP error tells of the flow.
        IcmpQuote = "icmp-quote",
        /// Nothing tells.
        Unknown = "unknown",
    }
}

named! {
    /// How much a finding weighs.
    Severity {
        /// Worth knowing.
        Info = "info",
        /// An attempt, or a flow that only a setting makes undocumented.
        Low = "low",
        /// Outside the documented set.
        Medium = "medium",
        /// Outside the documented set, and data went both ways; or an outside peer.
        High = "high",
    }
}

impl Severity {
    /// The next higher one.
    pub fn raised(self) -> Self {
        match self {
            Severity::Info => Severity::Low,
            Severity::Low => Severity::Medium,
            Severity::Medium | Severity::High => Severity::High,
        }
    }

    /// The next lower one.
    pub fn lowered(self) -> Self {
        match self {
            Severity::High => Severity::Medium,
            Severity::Medium => Severity::Low,
            Severity::Low | Severity::Info => Severity::Info,
        }
    }
}

named! {
    /// How unclear passages are read.
    ReadingMode {
        /// As the pack recommends.
        Inferred = "inferred",
        /// By the words alone.
        Literal = "literal",
    }
}

/// Something a documented flow rests on that the site does not state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assumption {
    /// The condition has no answer.
    Condition(ConditionId),
    /// No host of the role carries the attribute, so any host may be meant.
    Attribute(AttributeId),
    /// The relation is not stated for the initiator.
    Relation(RelationId),
    /// The reading goes beyond the words.
    Reading(ReadingId),
}

/// A fact without which a flow cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// A parameter without value could cover the port.
    Parameter(ParameterId),
    /// Which end opened the flow is unknown, and it decides.
    Direction,
    /// The capture cut the packets before their ports.
    Ports,
    /// An address belonged to hosts of different roles while the flow ran.
    HostIdentity,
}
