//! Whom the site file names: its hosts, its waivers, and the addresses that it does not name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Lint;
use super::Volume;

/// Whom the site file names.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteBlock {
    /// Name of the site.
    pub name: String,
    /// SHA-256 of the site file; absent without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// SHA-256 of the waiver file; absent without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waivers_sha256: Option<String>,
    /// Hosts and blocks of hosts.
    pub hosts: u64,
    /// Of them, not seen in the capture.
    pub silent_hosts: Vec<String>,
    /// Addresses behind which the site says that other hosts hide; what is said of them is said
    /// of all those hosts.
    pub nat: Vec<NatNote>,
    /// Addresses to which the site says that mirrored traffic is sent.
    pub collectors: Vec<String>,
    /// What is doubtful about the site.
    pub lints: Vec<Lint>,
}

/// Addresses behind which other hosts hide.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NatNote {
    /// The translated addresses.
    pub addresses: Vec<String>,
    /// What the site says of them.
    pub note: String,
}

/// One host, or block of hosts, of the site.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Name in the site file.
    pub name: String,
    /// Roles as declared.
    pub roles: Vec<String>,
    /// Attributes.
    pub attributes: Vec<String>,
    /// Addresses seen, at most a hundred.
    pub addresses_seen: Vec<String>,
    /// How many addresses were seen in all.
    pub address_count: u64,
    /// Flows it opened, by verdict.
    pub initiated: BTreeMap<String, u64>,
    /// Flows opened to it, by verdict.
    pub responded: BTreeMap<String, u64>,
    /// Ports on which it answered, with flows: `tcp/135`; at most a hundred.
    pub offers: BTreeMap<String, u64>,
    /// Whether it keeps services inside their documented ranges of ports, as far as they were
    /// recognised.
    #[serde(default)]
    pub hardening: Vec<Hardening>,
}

/// Whether a host keeps a service inside its documented range of ports.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hardening {
    /// Service of the policy.
    pub service: String,
    /// `applied` as far as was seen, or `not-applied`.
    pub verdict: String,
    /// The verdict in a sentence.
    pub sentence: String,
    /// A row that grants the service, with its place in the document.
    pub citation: String,
    /// Documented ports.
    pub documented: String,
    /// Ports inside on which it was recognised.
    pub inside: String,
    /// Ports outside on which it was recognised or announced.
    pub outside: String,
    /// Flows to ports outside.
    pub flows_outside: u64,
}

/// An address outside the site file that talked to governed hosts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnknownPeer {
    /// Address.
    pub address: String,
    /// `internal-unlisted`, `external` or `group`.
    pub class: String,
    /// Volume.
    pub volume: Volume,
    /// Hosts it talked to.
    pub hosts: Vec<String>,
    /// Ports, with who owned them: `initiated tcp/22`, `served udp/53`.
    pub ports: Vec<String>,
    /// Roles each of which would document some of its ports, with how many.
    pub candidate_roles: BTreeMap<String, u64>,
    /// Lines for the site file, to be filled in by who knows the host.
    pub site_lines: String,
}

/// One waiver.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Identifier.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is accepted.
    pub reason: String,
    /// Ticket or change number.
    pub ticket: String,
    /// From when on it holds.
    pub created: String,
    /// Until when it holds.
    pub expires: String,
    /// Flows it accepted.
    pub flows: u64,
    /// `used`, `unused` or `exceeded`.
    pub status: String,
    /// Whether it was over before the last packet.
    pub expired: bool,
}
