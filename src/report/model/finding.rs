//! What needs attention: who opened what to whom, what the document grants instead, what to do,
//! and the slice of the inputs that shows it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Volume;

/// Flows that differ in nothing that matters.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Stable identifier: from code, roles, service and rows; not from times, addresses or
    /// ephemeral ports.
    pub id: String,
    /// `info`, `low`, `medium` or `high`.
    pub severity: String,
    /// The verdict on its flows.
    pub verdict: String,
    /// Stable code: a reason, a verdict, `scan`, `documented-but-blocked`, `waiver-exceeded`,
    /// `waiver-expired` or `waiver-unused`.
    pub code: String,
    /// One line that says what was seen.
    pub title: String,
    /// What the document grants instead, in a sentence.
    pub expected: String,
    /// What to do.
    pub remediation: String,
    /// Who opened.
    pub initiators: Side,
    /// Who answered.
    pub responders: Side,
    /// What was opened.
    pub service: Service,
    /// Rows that the reason is about.
    pub rules: Vec<String>,
    /// Rows that come nearest, nearest first.
    pub nearest: Vec<Nearest>,
    /// Facts without which the flows cannot be judged, each with the line to add.
    pub missing: Vec<String>,
    /// What was assumed.
    pub assumptions: Vec<String>,
    /// How the initiators are known, with flows and attempts.
    pub direction_basis: BTreeMap<String, u64>,
    /// Flows and attempts by state.
    pub states: BTreeMap<String, u64>,
    /// Volume.
    pub volume: Volume,
    /// Attempts that only an ICMP error tells of. They are no flows.
    pub icmp_only_attempts: u64,
    /// Time of the first packet; absent when no packet belongs to the finding.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_seen: Option<String>,
    /// Time of the last packet; absent when no packet belongs to the finding.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen: Option<String>,
    /// Some of the flows.
    pub samples: Vec<Sample>,
    /// Display filter of Wireshark that selects the sample flows in any of the inputs; empty
    /// without samples. A fragmented datagram is selected whole only if `--evidence` was given.
    pub display_filter: String,
}

/// One end of a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Declared roles; empty for addresses outside the site file.
    pub roles: Vec<String>,
    /// `listed`, `internal-unlisted`, `external` or `group`; `any` where the finding is about a waiver.
    pub class: String,
    /// Hosts, most flows first; at most fifty.
    pub hosts: Vec<SideHost>,
    /// How many addresses there are in all.
    pub address_count: u64,
    /// Roles each of which would make an unlisted side documented.
    pub would_document: Vec<String>,
}

/// One address of a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SideHost {
    /// Name in the site file; absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Address.
    pub address: String,
    /// Flow instances, and attempts that only an ICMP error tells of.
    pub flows: u64,
}

/// What was opened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// `tcp`, `udp` or another IP protocol; `any` where the finding is about a waiver.
    pub transport: String,
    /// Responder ports.
    pub ports: String,
    /// Service that the policy knows on the port; absent when it knows none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// What the name rests on: `port`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub basis: Option<String>,
    /// What is spoken; absent when nothing tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub spoken: Option<Spoken>,
}

/// What flows speak, and what shows it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// Protocol.
    pub protocol: String,
    /// `content` or `signalling`.
    pub basis: String,
    /// `confirmed`, `strong`, `weak`, or `learned` from signalling.
    pub confidence: String,
    /// Finer facts, such as `interface-name`, `ssrc`, `server-name`; at most sixteen. Values come
    /// from packets.
    pub facts: Vec<Fact>,
    /// The first bytes that show it in one flow, in hexadecimal; absent when an announcement tells,
    /// or when several packets show it together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<String>,
    /// Who sent those bytes, address and port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes_of: Option<String>,
    /// What announced the endpoint of that flow.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub announced_by: Option<AnnouncedBy>,
}

/// A finer fact about what is spoken.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its value, at most 255 bytes.
    pub value: String,
}

/// A connection that announced an endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedBy {
    /// Both ends of it.
    pub flow: [String; 2],
    /// The message: `endpoint-mapper`, `object-exporter`, `activation`, `sccp`, `sdp` and so on.
    pub message: String,
    /// When it was first announced.
    pub at: String,
}

/// A row that comes near.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nearest {
    /// The row.
    pub rule: String,
    /// Where the document has it.
    pub citation: String,
    /// What fails, most telling first.
    pub failed: Vec<FailedPredicate>,
    /// The smallest change that would make the flow documented.
    pub change: String,
}

/// A predicate that fails.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedPredicate {
    /// `direction`, `initiator-role`, `responder-role`, `transport`, `port`, `parameter`,
    /// `condition` or `qualifier`.
    pub field: String,
    /// What the row wants.
    pub wanted: String,
    /// What was seen.
    pub got: String,
}

/// One flow of a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Address and port of the initiator.
    pub initiator: String,
    /// Address and port of the responder.
    pub responder: String,
    /// Which use of the five-tuple it is, from 1.
    pub instance: u32,
    /// State.
    pub state: String,
    /// Time of its first packet.
    pub first_seen: String,
    /// Its first packet, by its number in the stream; the ICMP error where only that tells of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub packet: Option<u64>,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
}

/// The slice of a finding: a pcapng file with the first packets of the flows that the finding
/// shows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The finding.
    pub finding: String,
    /// Base name of the file.
    pub file: String,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// Flows, the samples of the finding.
    pub flows: u64,
    /// Packets in the slice.
    pub packets: u64,
    /// Packets that these flows have in the inputs, copies and fragments included.
    pub flow_packets: u64,
}
