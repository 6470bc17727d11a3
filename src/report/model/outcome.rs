//! The result: the grade with its measures, what the report cannot say, the limits that were
//! hit, and the counts by verdict, strength and role pair.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeBlock {
    /// `pass`, `fail` or `inconclusive`.
    pub result: String,
    /// Grade of the evidence, `A` to `D`: the worst that a measure gives.
    pub grade: String,
    /// Every measure of the evidence with its limits.
    pub measures: Vec<Measure>,
    /// Findings at or above the limit of the run.
    pub failing_findings: u64,
    /// What weakens the evidence, whatever the result: the texts of `cannot_say`.
    pub reasons: Vec<String>,
    /// What this report cannot say, why, and what to do about it.
    pub cannot_say: Vec<CannotSay>,
}

/// A measure of the evidence.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Stable name.
    pub measure: String,
    /// What is measured, in words.
    pub text: String,
    /// How many there are.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
    /// The share in parts per million, rounded up. Of the loss: packets and bytes added up.
    pub share_ppm: u64,
    /// Most that grade A allows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit_a_ppm: Option<u64>,
    /// Most that grade B allows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit_b_ppm: Option<u64>,
    /// Most that grade C allows; absent when it allows any share.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit_c_ppm: Option<u64>,
    /// The grade that it gives.
    pub grade: String,
}

/// A limitation of the evidence.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CannotSay {
    /// Stable code.
    pub code: String,
    /// What is missing, in words.
    pub text: String,
    /// What the report cannot say for that reason.
    pub affects: String,
    /// What to change at the capture, the switch, the network card or the site file.
    pub remedy: String,
}

/// A limit that was hit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Stable code.
    pub code: String,
    /// How much is beyond it.
    pub count: u64,
    /// What that means for the report.
    pub text: String,
}

/// Counts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Volume by verdict; every verdict is listed.
    pub verdicts: BTreeMap<String, Volume>,
    /// Documented volume by strength; every strength is listed.
    pub strengths: BTreeMap<String, Volume>,
    /// Flows by roles of the initiator, roles of the responder and verdict.
    pub matrix: Vec<MatrixCell>,
}

/// Flows, packets and bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Flow instances.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames on the wire.
    pub frame_bytes: u64,
}

/// Flows between two sets of roles.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixCell {
    /// Roles of the initiator; empty for hosts outside the site file or without a role.
    pub initiator: Vec<String>,
    /// Roles of the responder; empty for hosts outside the site file or without a role.
    pub responder: Vec<String>,
    /// Flow instances by verdict.
    pub verdicts: BTreeMap<String, u64>,
}
