//! What was judged against: the packs with their questions, parameters and readings, and every
//! row with what became of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was judged against.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyBlock {
    /// The packs.
    pub packs: Vec<Pack>,
    /// Conditions and the site's answers.
    pub conditions: Vec<Condition>,
    /// Parameters and their values.
    pub parameters: Vec<Parameter>,
    /// Readings that differ from the words, and the documented flows that rest on each.
    pub readings: Vec<Reading>,
    /// Tables of the documents, in document order.
    pub sections: Vec<Section>,
    /// What is doubtful about the packs.
    pub lints: Vec<Lint>,
}

/// One policy pack.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Identifier.
    pub id: String,
    /// `document` or `infrastructure`.
    pub kind: String,
    /// Title.
    pub title: String,
    /// Who published the document; empty when there is none.
    pub publisher: String,
    /// Release of the product that the document is for; empty when there is none.
    pub release: String,
    /// Document it encodes; empty when there is none.
    pub document: String,
    /// Revision of the document.
    pub revision: String,
    /// SHA-256 of the document's text; empty when unknown.
    pub source_sha256: String,
    /// SHA-256 of the pack.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
}

/// One table of a document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Identifier of the table, to which rows refer.
    pub id: String,
    /// Number of the section in the document.
    pub number: String,
    /// Pack to which it belongs.
    pub pack: String,
    /// What it is about, in words of the pack.
    pub title: String,
    /// Title of the section in the document.
    pub citation: String,
    /// Revision date printed at the section; empty when none is.
    pub revised: String,
    /// What the document warns of there; empty when it does not.
    pub caution: String,
}

/// One condition.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Identifier.
    pub id: String,
    /// The question.
    pub question: String,
    /// The site's answer; absent when it gives none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
    /// Flows that contradict the answer.
    pub contradicting_flows: u64,
}

/// One parameter.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Identifier.
    pub id: String,
    /// What it stands for.
    pub meaning: String,
    /// Its value for hosts without one of their own; absent when unbound.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// `document`, `site` or `unbound`.
    pub from: String,
    /// Values of single hosts.
    pub hosts: BTreeMap<String, String>,
}

/// One reading of an unclear passage.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Identifier.
    pub id: String,
    /// What is unclear.
    pub question: String,
    /// What the words grant.
    pub literal: String,
    /// How the pack reads them.
    pub inferred: String,
    /// Documented flows that rest on it.
    pub flows: u64,
}

/// Something doubtful that does not stop a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lint {
    /// Stable code.
    pub code: String,
    /// What it is about.
    pub subject: String,
    /// What is doubtful and what to do.
    pub message: String,
}

/// One row of the policy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Identifier.
    pub id: String,
    /// Table of the document.
    pub section: String,
    /// Title of the section in the document.
    pub citation: String,
    /// Service as the document prints it.
    pub printed: String,
    /// Roles that may initiate.
    pub initiator: Vec<String>,
    /// Roles that may respond.
    pub responder: Vec<String>,
    /// `tcp` or `udp`.
    pub transport: String,
    /// Ports, or the parameter that holds them.
    pub ports: String,
    /// Whether either host may initiate.
    pub symmetric: bool,
    /// Whether the row is so wide that it only grants weakly.
    pub weak: bool,
    /// What it demands besides roles, transport and port, under the reading of the run.
    pub demands: Vec<String>,
    /// Readings of unclear passages on which it rests.
    pub readings: Vec<String>,
    /// `exercised`, `weak-only`, `blocked?`, `unknown-answer`, `contradicted`, `off`, `unbound`,
    /// `no-host`, `unexercised` or `not-seen`.
    pub status: String,
    /// Flows that rest on it.
    pub flows: u64,
    /// Of them, answered.
    pub answered_flows: u64,
    /// Flows that rest on another row first and would rest on this one too.
    pub also_covers: u64,
    /// Flows that only an answer of the site keeps from resting on it.
    pub contradicting_flows: u64,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// Distinct initiators seen.
    pub initiators_seen: u64,
    /// Distinct responders seen.
    pub responders_seen: u64,
    /// Ports seen.
    pub ports_seen: String,
    /// Time of the first packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_seen: Option<String>,
    /// Time of the last packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen: Option<String>,
}
