//! What a watch says while it runs, one JSON object in a line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::model;

/// Version of the lines. The first number rises when a reader of older lines would go wrong.
pub(super) const EVENT_SCHEMA_VERSION: &str = "1.0";

/// Most addresses of each side that an event names; the report has more.
const ADDRESSES: usize = 5;

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "EventLine")]
pub struct EventLine {
    /// Version of this format.
    pub schema_version: String,
    /// Number of the event in this run, from 1. A number that is missing was lost or held back;
    /// `folded` says how many.
    pub sequence: u64,
    /// When the line was made, by the clock of the machine.
    pub written: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The watch began.
    Started {
        /// The interface or the file.
        input: String,
        /// Findings remembered from earlier runs, which are not told again.
        remembered: u64,
        /// Flows of earlier runs that go on.
        flows: u64,
    },
    /// A finding is new, or something about it changed.
    Finding {
        /// Which.
        change: Change,
        /// The finding as it is now; as it was last, when it is gone.
        finding: Box<FindingNote>,
    },
    /// The evidence is worth more or less than before.
    Grade {
        /// The grade before.
        from: String,
        /// The grade now.
        to: String,
        /// What weakens the evidence.
        reasons: Vec<String>,
    },
    /// Packets were lost since the last such event, or since the start.
    Loss {
        /// Packets that the operating system dropped because they were not read in time.
        dropped_by_system: u64,
        /// Packets that the network card or its driver dropped.
        dropped_by_interface: u64,
        /// Both since the start.
        total: u64,
    },
    /// The interface went down or came up. What passes while it is down is not seen.
    Interface {
        /// Whether it is up.
        up: bool,
        /// What the system said.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// The clock by which packets are stamped jumped.
    Clock {
        /// Jumps back by more than a minute, since the start.
        jumps_backward: u64,
        /// Jumps forward by more than an hour, since the start.
        jumps_forward: u64,
    },
    /// Policy, site and waivers were read again.
    Reload {
        /// Whether the new ones are in force; else the old ones are still.
        accepted: bool,
        /// What is wrong with the new ones, with line and column.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// The report could not be written. It is tried again with the next.
    CheckpointFailed {
        /// Why.
        reason: String,
    },
    /// The state could not be written. It is tried again.
    StateFailed {
        /// Why.
        reason: String,
    },
    /// The flows of earlier runs are not restored; the watch begins without them. What was found is
    /// remembered all the same.
    StateRefused {
        /// Why.
        reason: String,
    },
    /// The flow table is full: packets of new flows find no room.
    TableFull {
        /// Flows held.
        flows: u64,
    },
    /// Events that were left out.
    Folded {
        /// Because there were too many at a time. The findings are in the report.
        held_back: u64,
        /// Because the reader of the events did not take them.
        lost: u64,
    },
    /// The watch ends.
    Stopped {
        /// Packets seen.
        packets: u64,
        /// Packets lost.
        dropped: u64,
        /// `pass`, `fail` or `inconclusive`.
        result: String,
        /// Grade of the evidence.
        grade: String,
    },
}

/// What is different about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was never there before.
    New,
    /// Its severity or verdict changed.
    Changed,
    /// No flow shows it any more: more packets, or other rules, gave its flows another verdict,
    /// or they ended before the time over which the watch reports.
    Gone,
    /// It was gone, and is there again.
    Back,
}

/// What an event says of a finding. The report says more, under the same `id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingNote {
    /// Identifier, the same in every run and report.
    pub id: String,
    /// `info`, `low`, `medium` or `high`.
    pub severity: String,
    /// The verdict on its flows.
    pub verdict: String,
    /// Stable code of the reason.
    pub code: String,
    /// The finding in one line.
    pub title: String,
    /// What to do about it.
    pub remediation: String,
    /// Initiator addresses, most flows first; at most five.
    pub initiators: Vec<String>,
    /// How many there are in all.
    pub initiator_count: u64,
    /// Responder addresses, most flows first; at most five.
    pub responders: Vec<String>,
    /// How many there are in all.
    pub responder_count: u64,
    /// `tcp`, `udp` or another IP protocol; `any` where the finding is about a waiver.
    pub transport: String,
    /// Responder ports.
    pub ports: String,
    /// The protocol that was recognised, as in the report.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub spoken: Option<String>,
    /// Rows of the document that the reason names.
    pub rules: Vec<String>,
    /// Flows so far.
    pub flows: u64,
    /// Time of the first packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_seen: Option<String>,
    /// Time of the last packet so far.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen: Option<String>,
}

impl From<&model::Finding> for FindingNote {
    fn from(finding: &model::Finding) -> Self {
        let addresses = |side: &model::Side| {
            side.hosts.iter().take(ADDRESSES).map(|host| host.address.clone()).collect()
        };
        FindingNote {
            id: finding.id.clone(),
            severity: finding.severity.clone(),
            verdict: finding.verdict.clone(),
            code: finding.code.clone(),
            title: finding.title.clone(),
            remediation: finding.remediation.clone(),
            initiators: addresses(&finding.initiators),
            initiator_count: finding.initiators.address_count,
            responders: addresses(&finding.responders),
            responder_count: finding.responders.address_count,
            transport: finding.service.transport.clone(),
            ports: finding.service.ports.clone(),
            spoken: finding.service.spoken.as_ref().map(|spoken| spoken.protocol.clone()),
            rules: finding.rules.clone(),
            flows: finding.volume.flows,
            first_seen: finding.first_seen.clone(),
            last_seen: finding.last_seen.clone(),
        }
    }
}
