//! Where every packet ended, with the sums that must agree, and the traffic that every network
//! carries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where every packet ended.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountingBlock {
    /// Packets read from the inputs.
    pub packets_read: u64,
    /// Bytes those packets had on the wire.
    pub frame_bytes_read: u64,
    /// Classes; their packets and bytes add up to what was read.
    pub classes: Vec<ClassCount>,
    /// Flow instances, equal to the sum over the verdicts.
    pub flows: u64,
    /// Attempts that only an ICMP error tells of. They are judged but are no flows.
    pub icmp_only_attempts: u64,
    /// Sums that do not agree, which is a fault of the program; always empty otherwise.
    pub mismatches: Vec<Mismatch>,
}

/// One accounting class.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassCount {
    /// `flow`, `non-ip`, `undecoded`, `unclaimed-fragment`, `table-full`, `forgotten` or
    /// `remainder`.
    pub class: String,
    /// Which protocol, for `non-ip`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub protocol: Option<String>,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// The first of them, by its number in the stream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample: Option<u64>,
}

/// Two counts of the same thing that do not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mismatch {
    /// What was counted: `packets`, `frame-bytes`, `flows`, `flow-packets`, `flow-frame-bytes`,
    /// `documented-flows`.
    pub what: String,
    /// Where it was counted on one side.
    pub one: String,
    /// That count.
    pub one_count: u64,
    /// Where it was counted on the other side.
    pub other: String,
    /// That count.
    pub other_count: u64,
}

/// Traffic that every network carries.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Infrastructure {
    /// Row of the infrastructure pack.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Whether the pack deems it worth a remark when a governed host takes part.
    pub informational: bool,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// The first of them, by its number in the stream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample: Option<u64>,
}
