//! What differs from an earlier report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What differs from an earlier report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// SHA-256 of the earlier report as a file, in hexadecimal.
    pub baseline_sha256: String,
    /// Its result.
    pub baseline_result: String,
    /// What changed between the reports: `program`, `policy`, `site`, `waivers`, `traffic`.
    pub changed_between: Vec<String>,
    /// Findings that the earlier report does not have.
    pub new: u64,
    /// Findings that only the earlier report has.
    pub gone: u64,
    /// Findings that both have and that differ in more than packets and times.
    pub changed: u64,
    /// Findings that both have and that do not.
    pub same: u64,
    /// The new, the changed and the gone ones.
    pub findings: Vec<FindingChange>,
}

/// A finding that differs between two reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingChange {
    /// Its identifier.
    pub id: String,
    /// `new`, `changed` or `gone`.
    pub status: String,
    /// Severity; of a finding that is gone, the one it had.
    pub severity: String,
    /// Code.
    pub code: String,
    /// What was seen.
    pub title: String,
    /// What is another, as `field: earlier -> later`.
    pub fields: Vec<String>,
    /// What may be the cause: of what changed between the reports, all that bears on it.
    pub causes: Vec<String>,
}
