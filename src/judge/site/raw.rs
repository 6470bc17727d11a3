//! A site file as written, every value with its place. The doc comments here are the
//! descriptions in the published JSON Schema. Nothing here is checked beyond its form.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::judge::document::At;

/// A site: which hosts there are, what they are, and how the questions of the policy are answered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "portolan site file")]
pub(crate) struct RawSite {
    /// Version of this format: 1.
    #[schemars(required, extend("const" = 1))]
    pub(crate) schema: Option<At<i64>>,
    /// The site as a whole.
    #[serde(default)]
    pub(crate) site: RawHeader,
    /// Site-wide values of policy parameters, as sets of ports; an empty text declares that there
    /// is no such port.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<At<String>, At<String>>,
    /// Answers to the conditions of the policy.
    #[serde(default)]
    pub(crate) conditions: BTreeMap<At<String>, At<String>>,
    /// Hosts and blocks of hosts.
    #[serde(default)]
    pub(crate) host: Vec<RawHost>,
    /// Relations between hosts.
    #[serde(default)]
    pub(crate) relation: Vec<RawFact>,
    /// Addresses behind which other hosts hide.
    #[serde(default)]
    pub(crate) nat: Vec<RawNat>,
    /// How the captures were taken.
    #[serde(default)]
    pub(crate) capture: RawCapture,
}

/// The site as a whole.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Header")]
pub(crate) struct RawHeader {
    /// Name of the site.
    #[serde(default)]
    pub(crate) name: String,
    /// Subnets of the site; they tell which addresses are directed broadcasts.
    #[serde(default)]
    pub(crate) subnets: Vec<At<String>>,
}

/// A host, or a block of hosts that share roles.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Host")]
pub(crate) struct RawHost {
    /// Name, unique in the file.
    pub(crate) name: At<String>,
    /// Addresses of the host, IPv4 and IPv6.
    #[serde(default)]
    pub(crate) addresses: Vec<At<String>>,
    /// Prefixes of a block of hosts; the longest prefix wins, and an address listed at a host wins
    /// over every prefix.
    #[serde(default)]
    pub(crate) prefixes: Vec<At<String>>,
    /// Roles of the policy.
    #[serde(default)]
    pub(crate) roles: Vec<At<String>>,
    /// Attributes of the policy.
    #[serde(default)]
    pub(crate) attributes: Vec<At<String>>,
    /// Values of policy parameters that hold for this host instead of the site's.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<At<String>, At<String>>,
    /// From when on the entry holds (RFC 3339).
    pub(crate) valid_from: Option<At<String>>,
    /// Until when the entry holds, exclusive (RFC 3339).
    pub(crate) valid_until: Option<At<String>>,
}

/// A relation between hosts: `members` for one that holds both ways, `of` and `is` for the others.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Fact")]
pub(crate) struct RawFact {
    /// Relation of the policy.
    #[serde(rename = "type")]
    pub(crate) kind: At<String>,
    /// Hosts that stand in the relation to each other.
    pub(crate) members: Option<At<Vec<At<String>>>>,
    /// Hosts that have the relation.
    pub(crate) of: Option<At<Vec<At<String>>>>,
    /// Hosts to which they have it.
    pub(crate) is: Option<At<Vec<At<String>>>>,
}

/// Addresses behind which other hosts hide.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Nat")]
pub(crate) struct RawNat {
    /// The translated addresses.
    pub(crate) addresses: At<Vec<At<String>>>,
    /// What the reader of the report should know.
    pub(crate) note: At<String>,
}

/// How the captures were taken.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Capture")]
pub(crate) struct RawCapture {
    /// Addresses of the collectors to which mirrored traffic is sent.
    #[serde(default)]
    pub(crate) collectors: Vec<At<String>>,
}
