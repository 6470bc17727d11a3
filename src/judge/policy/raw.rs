//! A policy pack as written, every value with its place. The doc comments here are the
//! descriptions in the published JSON Schema. Nothing here is checked beyond its form.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::judge::document::At;

/// A policy pack: what a document says about the traffic between roles, as data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "portolan policy pack")]
pub(crate) struct RawPolicy {
    /// Version of this format: 1.
    #[schemars(required, extend("const" = 1))]
    pub(crate) schema: Option<At<i64>>,
    /// What the pack is and where it comes from.
    pub(crate) pack: RawPack,
    /// Which conversations the pack judges.
    pub(crate) scope: Option<RawScope>,
    /// Port numbers that a site may set.
    #[serde(default)]
    pub(crate) parameter: Vec<RawParameter>,
    /// Questions on which rows depend and which a site answers.
    #[serde(default)]
    pub(crate) condition: Vec<RawCondition>,
    /// Roles that a host may hold.
    #[serde(default)]
    pub(crate) role: Vec<RawRole>,
    /// Attributes that a host of some roles may carry.
    #[serde(default)]
    pub(crate) attribute: Vec<RawAttribute>,
    /// Relations between hosts.
    #[serde(default)]
    pub(crate) relation: Vec<RawRelation>,
    /// What rows grant.
    #[serde(default)]
    pub(crate) service: Vec<RawService>,
    /// How unclear passages of the document are read.
    #[serde(default)]
    pub(crate) reading: Vec<RawReading>,
    /// The tables of the document, in its order.
    #[serde(default)]
    pub(crate) section: Vec<RawSection>,
    /// Traffic that every network carries; only in packs of the kind `infrastructure`.
    #[serde(default)]
    pub(crate) infrastructure: Vec<RawInfrastructure>,
}

/// Identity of a pack and of its document.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Pack")]
pub(crate) struct RawPack {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// What kind of pack it is.
    pub(crate) kind: RawPackKind,
    /// Title of the pack.
    pub(crate) title: At<String>,
    /// Who published the document.
    #[serde(default)]
    pub(crate) publisher: String,
    /// Release of the product that the document is for.
    #[serde(default)]
    pub(crate) release: String,
    /// Revision date of the document.
    #[serde(default)]
    pub(crate) revision: String,
    /// Title of the document.
    #[serde(default)]
    pub(crate) document: String,
    /// SHA-256 of the text from which the pack was made, in hexadecimal.
    #[serde(default)]
    pub(crate) source_sha256: String,
}

/// Kind of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum RawPackKind {
    /// A documented port matrix.
    Document,
    /// Traffic that every network carries.
    Infrastructure,
}

/// Which conversations a pack judges.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Scope")]
pub(crate) struct RawScope {
    /// Roles whose every conversation is judged.
    pub(crate) subject_roles: Vec<At<String>>,
}

/// Port numbers that a site may set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Parameter")]
pub(crate) struct RawParameter {
    /// Stable identifier; rows refer to it as `$id`.
    pub(crate) id: At<String>,
    /// What the ports are for.
    pub(crate) meaning: At<String>,
    /// Ports that hold where the site says nothing; without it the parameter is unbound until
    /// the site sets it.
    pub(crate) default: Option<At<String>>,
    /// Whether the site sets it once or may set it for each responder.
    pub(crate) per: RawParameterScope,
    /// Ports that an unbound parameter could stand for; all ports when absent.
    pub(crate) candidates: Option<At<String>>,
    /// Fewer ports than this are doubtful.
    pub(crate) minimum_count: Option<u32>,
    /// Ports below this are doubtful.
    pub(crate) lowest: Option<u16>,
}

/// Who may have a value of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum RawParameterScope {
    /// Every responder.
    Responder,
    /// The site as a whole.
    Site,
}

/// A question on which rows depend.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Condition")]
pub(crate) struct RawCondition {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// The question.
    pub(crate) question: At<String>,
    /// The possible answers.
    pub(crate) answers: At<Vec<At<String>>>,
}

/// A role that a host may hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Role")]
pub(crate) struct RawRole {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// What makes a host one.
    pub(crate) definition: At<String>,
    /// Roles that every such host holds too.
    #[serde(default)]
    pub(crate) is_a: Vec<At<String>>,
    /// Roles that such a host nearly always holds too; a host without them is doubtful.
    #[serde(default)]
    pub(crate) usually: Vec<At<String>>,
}

/// An attribute that a host of some roles may carry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Attribute")]
pub(crate) struct RawAttribute {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// Roles whose hosts may carry it.
    pub(crate) roles: At<Vec<At<String>>>,
    /// What it says of a host.
    pub(crate) meaning: At<String>,
}

/// A relation between hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Relation")]
pub(crate) struct RawRelation {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// What it says of two hosts.
    pub(crate) meaning: At<String>,
    /// Whether it holds both ways.
    #[serde(default)]
    pub(crate) symmetric: bool,
    /// Roles of the hosts that have such a relation.
    pub(crate) from: At<Vec<At<String>>>,
    /// Roles of the hosts to which they have it.
    pub(crate) to: At<Vec<At<String>>>,
}

/// What a row grants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Service")]
pub(crate) struct RawService {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// Standard name.
    pub(crate) name: At<String>,
    /// Recognised protocols that confirm it; empty when none does. `dcerpc:msdtc` is DCE/RPC of
    /// one class of interfaces.
    pub(crate) protocols: Vec<At<String>>,
    /// Recognised protocols that may be spoken on its ports, and that neither confirm nor
    /// contradict it.
    #[serde(default)]
    pub(crate) tolerated: Vec<At<String>>,
    /// Whether each direction of a flow is judged by its own destination port, as media is.
    #[serde(default)]
    pub(crate) per_direction: bool,
}

/// How an unclear passage of the document is read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Reading")]
pub(crate) struct RawReading {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// What is unclear.
    pub(crate) question: At<String>,
    /// What the words grant.
    pub(crate) literal: At<String>,
    /// How the pack reads them.
    pub(crate) inferred: At<String>,
    /// Whether the two readings judge some conversation differently.
    #[serde(default)]
    pub(crate) changes_verdict: bool,
}

/// A table of the document. What it says of its rows holds for each of them unless the row says
/// otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Section")]
pub(crate) struct RawSection {
    /// Stable identifier of the table.
    pub(crate) id: At<String>,
    /// Number of the section; two tables of one section share it.
    pub(crate) number: At<String>,
    /// Title in the pack author's words.
    pub(crate) title: At<String>,
    /// Title of the section in the document.
    pub(crate) citation: At<String>,
    /// Revision date printed at the section.
    #[serde(default)]
    pub(crate) revised: String,
    /// What the document warns of here, in the pack author's words.
    #[serde(default)]
    pub(crate) caution: String,
    /// Roles that may initiate.
    pub(crate) initiator: At<Vec<At<String>>>,
    /// Roles that may respond; the ports are theirs.
    pub(crate) responder: At<Vec<At<String>>>,
    /// `->`: only the initiator opens conversations; `<->`: either side does.
    pub(crate) direction: RawDirection,
    /// Attributes of which the initiator must carry one.
    pub(crate) initiator_has: Option<Vec<At<String>>>,
    /// Attributes of which the responder must carry one.
    pub(crate) responder_has: Option<Vec<At<String>>>,
    /// Conditions that must all hold, each with the answers that satisfy it.
    pub(crate) when: Option<BTreeMap<At<String>, Vec<At<String>>>>,
    /// Relation in which the initiator must stand to the responder.
    pub(crate) relation: Option<At<String>>,
    /// Readings on which every row of the table rests.
    #[serde(default)]
    pub(crate) readings: Vec<At<String>>,
    /// What differs under the literal reading.
    pub(crate) literal: Option<At<RawLiteral>>,
    /// The lines of the table, in its order.
    pub(crate) row: At<Vec<RawRow>>,
}

/// Who may open a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) enum RawDirection {
    /// Only the initiator's side.
    #[serde(rename = "->")]
    OneWay,
    /// Either side.
    #[serde(rename = "<->")]
    BothWays,
}

/// A line of a table: one transport, one port or range.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Row")]
pub(crate) struct RawRow {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// Transport protocol.
    pub(crate) transport: RawTransport,
    /// Ports of the responder (`25`, `5000-5020`, `25, 587`) or `$parameter`.
    pub(crate) port: At<String>,
    /// What the row grants.
    pub(crate) service: At<String>,
    /// The service as the document prints it.
    pub(crate) printed: At<String>,
    /// So wide that it is tried last and only grants weakly.
    #[serde(default)]
    pub(crate) weak: bool,
    /// Roles that may initiate, instead of the table's.
    pub(crate) initiator: Option<At<Vec<At<String>>>>,
    /// Roles that may respond, instead of the table's.
    pub(crate) responder: Option<At<Vec<At<String>>>>,
    /// Attributes of which the initiator must carry one, instead of the table's.
    pub(crate) initiator_has: Option<Vec<At<String>>>,
    /// Attributes of which the responder must carry one, instead of the table's.
    pub(crate) responder_has: Option<Vec<At<String>>>,
    /// Conditions that must all hold, instead of the table's.
    pub(crate) when: Option<BTreeMap<At<String>, Vec<At<String>>>>,
    /// Relation in which the initiator must stand to the responder, instead of the table's.
    pub(crate) relation: Option<At<String>>,
    /// Readings on which the row rests, besides the table's.
    #[serde(default)]
    pub(crate) readings: Vec<At<String>>,
    /// What differs under the literal reading, instead of the table's.
    pub(crate) literal: Option<At<RawLiteral>>,
}

/// Transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum RawTransport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What differs under the literal reading; what is absent stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Literal")]
pub(crate) struct RawLiteral {
    /// Roles that may initiate.
    pub(crate) initiator: Option<At<Vec<At<String>>>>,
    /// Roles that may respond.
    pub(crate) responder: Option<At<Vec<At<String>>>>,
    /// Attributes of which the initiator must carry one.
    pub(crate) initiator_has: Option<Vec<At<String>>>,
    /// Attributes of which the responder must carry one.
    pub(crate) responder_has: Option<Vec<At<String>>>,
    /// Conditions that must all hold.
    pub(crate) when: Option<BTreeMap<At<String>, Vec<At<String>>>>,
}

/// Traffic that every network carries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Infrastructure")]
pub(crate) struct RawInfrastructure {
    /// Stable identifier.
    pub(crate) id: At<String>,
    /// What the traffic is.
    pub(crate) title: At<String>,
    /// How it is told.
    #[serde(rename = "match")]
    pub(crate) matches: At<RawMatch>,
    /// Worth a remark when a governed host takes part.
    #[serde(default)]
    pub(crate) informational: bool,
}

/// How infrastructure traffic is told: by exactly one of `non-ip`, `ip-protocol` and
/// `transport` with `port`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Match")]
pub(crate) struct RawMatch {
    /// A protocol without IP, by its name: `arp`, `stp`, `lldp`.
    pub(crate) non_ip: Option<String>,
    /// An IP protocol by its keyword or number: `igmp`, `89`.
    pub(crate) ip_protocol: Option<At<String>>,
    /// Transport protocol.
    pub(crate) transport: Option<RawTransport>,
    /// Ports of the initiator, where they tell as well.
    pub(crate) from_port: Option<At<String>>,
    /// Ports of the responder.
    pub(crate) port: Option<At<String>>,
    /// To which kind of destination the row applies.
    pub(crate) to: RawDestination,
}

/// Kind of destination address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum RawDestination {
    /// Any address.
    Any,
    /// Limited or directed broadcast.
    Broadcast,
    /// Multicast group.
    Multicast,
    /// Broadcast or multicast.
    Group,
}
