//! How the run was set up, and what was written beside the report: the program, the options, the
//! flow list, and the hash by which a change shows. Not here: what was read, which is `inputs`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The program that wrote the report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How the run was set up.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// `offline`: capture files were read.
    pub mode: String,
    /// How unclear passages of the document were read: `inferred` or `literal`.
    pub reading: String,
    /// Findings below this severity do not fail the run.
    pub fail_on: String,
    /// Evidence below this grade is too poor for a pass.
    pub min_grade: String,
    /// Bytes of memory granted to the flow table.
    pub max_memory: u64,
    /// The options on which the report depends, so that it can be made again: as for
    /// `portolan check` or `portolan watch`, without captures and outputs, files by their base names.
    pub options: Vec<String>,
}

/// The flow list written along with the report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowList {
    /// Base name of the file.
    pub file: String,
    /// `native` or `ecs`.
    pub format: String,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// Lines, one for each flow instance.
    pub flows: u64,
}

/// By which a change of the report shows. It is no signature: whoever changes a report can make
/// another hash.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// SHA-256, in hexadecimal, of the bytes of this report with 64 zeros in this place.
    pub sha256: String,
}
