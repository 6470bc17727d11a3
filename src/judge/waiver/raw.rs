//! A waiver file as written, every value with its place. The doc comments here are the
//! descriptions in the published JSON Schema. Nothing here is checked beyond its form.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::judge::document::At;
use crate::judge::policy::raw::RawTransport;

/// Waivers: undocumented traffic that someone answers for, until a date.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "portolan waiver file")]
pub(crate) struct RawWaivers {
    /// Version of this format: 1.
    #[schemars(required, extend("const" = 1))]
    pub(crate) schema: Option<At<i64>>,
    /// The waivers.
    #[serde(default)]
    pub(crate) waiver: Vec<RawWaiver>,
}

/// An accepted exception.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Waiver")]
pub(crate) struct RawWaiver {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// Who answers for it.
    pub(crate) owner: At<String>,
    /// Why it is accepted.
    pub(crate) reason: At<String>,
    /// Ticket or change number.
    #[serde(default)]
    pub(crate) ticket: String,
    /// From when on it holds (RFC 3339).
    pub(crate) created: At<String>,
    /// Until when it holds, exclusive (RFC 3339).
    pub(crate) expires: At<String>,
    /// More flows than this are a finding of their own.
    pub(crate) maximum_flows: Option<u64>,
    /// Which traffic it covers: all that is given must agree.
    #[serde(rename = "match")]
    pub(crate) matches: At<RawMatcher>,
}

/// Which traffic a waiver covers. What is absent or empty demands nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Matcher")]
pub(crate) struct RawMatcher {
    /// Roles of which the initiator must hold one.
    #[serde(default)]
    pub(crate) initiator_roles: Vec<At<String>>,
    /// Roles of which the responder must hold one.
    #[serde(default)]
    pub(crate) responder_roles: Vec<At<String>>,
    /// Host names, addresses or prefixes of which the initiator must be one.
    #[serde(default)]
    pub(crate) initiators: Vec<At<String>>,
    /// Host names, addresses or prefixes of which the responder must be one.
    #[serde(default)]
    pub(crate) responders: Vec<At<String>>,
    /// Transport protocol.
    pub(crate) transport: Option<RawTransport>,
    /// Ports of the responder.
    pub(crate) ports: Option<At<String>>,
    /// Service of the policy.
    pub(crate) service: Option<At<String>>,
}
