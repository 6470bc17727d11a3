//! The shape of the JSON report, a file for each group of its blocks. Adding a field is a minor
//! change of [`SCHEMA_VERSION`]; renaming, removing or changing the meaning of one is a major
//! change.
//!
//! Counts are integers, times are RFC 3339 in UTC with nanoseconds, ports and addresses are as
//! people write them. Nothing depends on the clock of the machine, on the number of threads or
//! on the order of a hash table.

mod accounting;
mod capture_health;
mod diff;
mod finding;
mod inputs;
mod outcome;
mod policy;
mod run;
mod site;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use accounting::{AccountingBlock, ClassCount, Infrastructure, Mismatch};
pub use capture_health::{
    CaptureHealth, Copies, Directions, Drops, InScope, IpPackets, Spacing, TimeSteps, Times,
    Tunnel, Undecoded, VlanDirections,
};
pub use diff::{Diff, FindingChange};
pub use finding::{
    AnnouncedBy, Evidence, Fact, FailedPredicate, Finding, Nearest, Sample, Service, Side,
    SideHost, Spoken,
};
pub use inputs::{Gap, Hour, Input, Interface, PacketPlace, SkippedInput, Window};
pub use outcome::{CannotSay, Limit, MatrixCell, Measure, OutcomeBlock, Summary, Volume};
pub use policy::{Condition, Lint, Pack, Parameter, PolicyBlock, Reading, Rule, Section};
pub use run::{Attestation, FlowList, Run, Tool};
pub use site::{Hardening, Host, NatNote, SiteBlock, UnknownPeer, Waiver};

/// Version of the report's shape.
pub const SCHEMA_VERSION: &str = "1.0.0";

/// The report of one run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this shape.
    pub schema_version: String,
    /// The program that wrote the report.
    pub tool: Tool,
    /// How the run was set up.
    pub run: Run,
    /// The inputs in the order in which they were read.
    pub inputs: Vec<Input>,
    /// Files of folders that were not read; at most a thousand.
    pub inputs_skipped: Vec<SkippedInput>,
    /// Where the packets lie that this report names by their number in the stream.
    pub packet_index: Vec<PacketPlace>,
    /// What was captured when.
    pub window: Window,
    /// What the capture could not show.
    pub capture_health: CaptureHealth,
    /// Where every packet ended; the classes add up to the total.
    pub accounting: AccountingBlock,
    /// What was judged against.
    pub policy: PolicyBlock,
    /// Whom the site file names.
    pub site: SiteBlock,
    /// The result.
    pub outcome: OutcomeBlock,
    /// Counts by verdict, by strength and by role pair.
    pub summary: Summary,
    /// What needs attention, heaviest first.
    pub findings: Vec<Finding>,
    /// Every row of the policy in document order.
    pub rules: Vec<Rule>,
    /// Every host or block of hosts of the site.
    pub hosts: Vec<Host>,
    /// Addresses outside the site file that talked to governed hosts, busiest first.
    pub unknown_peers: Vec<UnknownPeer>,
    /// Every waiver and what it accepted.
    pub waivers: Vec<Waiver>,
    /// Traffic that every network carries, by row of the infrastructure pack.
    pub infrastructure: Vec<Infrastructure>,
    /// Slices of the inputs, one for each finding that shows flows; empty without `--evidence`.
    pub evidence: Vec<Evidence>,
    /// The flow list that was written along with the report; absent when none was, or when it
    /// went to standard output.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flow_list: Option<FlowList>,
    /// What differs from the report given as baseline; absent without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub diff: Option<Diff>,
    /// Every limit that was hit.
    pub limits: Vec<Limit>,
    /// By which a change of this report shows.
    pub attestation: Attestation,
}
