//! Pure judging: finished flow records, a policy and a site give an assessment. Never sees a
//! packet.
//!
//! [`model`] is what the loaders make of the files. `rows` says how a row fits an attempt,
//! `opinion` what follows for an attempt, `direction` who made it, `flow` what follows for one flow; `grouping` makes
//! findings of flows, `coverage` looks at them from the side of the rows, and `assessment` puts it all together.

mod announced;
mod assessment;
mod blocked;
mod context;
mod coverage;
pub mod diagnostic;
mod direction;
mod document;
mod doubt;
mod finding;
mod fit;
mod flow;
mod grade;
mod grouping;
mod hardening;
mod health;
mod hosts;
mod inventory;
pub mod model;
mod names;
mod nearest;
mod opinion;
pub mod policy;
mod rows;
mod scan;
pub mod schema;
pub mod site;
mod spoken;
mod tunnels;
mod verdict;
mod visibility;
mod waived;
pub mod waiver;
mod waiving;

pub use announced::{Endpoints, Learned};
pub use assessment::{Assessment, Evidence, Outcome, Terms, Volume, assess};
pub use context::Context;
pub use coverage::{Coverage, RowStatus, coverage};
pub use diagnostic::{Code, Diagnostic};
pub use doubt::Doubt;
pub use finding::{
    ADDRESSES, Evident, Finding, FindingKind, JudgedFlow, PeerClass, SAMPLES, Side, WaiverFault,
};
pub use fit::{Attempt, Fit, Holds, Party, PortFit};
pub use flow::{Judge, Judgement};
pub use grade::{Grade, Measure, MeasureKind, per_million};
pub use grouping::findings;
pub use hardening::Hardening;
pub use health::{Health, TcpFlows};
pub use hosts::{Door, HostSummary, UNKNOWN_PEERS, UnknownPeer};
pub use inventory::{Identity, Inventory};
pub use nearest::{Failed, Nearest, nearest};
pub use policy::{EMBEDDED, PolicySource, embedded, load_policy};
pub use rows::Matcher;
pub use site::load_site;
pub use spoken::{Spoken, Told, identity};
pub use tunnels::Tunnel;
pub use verdict::{Assumption, Basis, Missing, ReadingMode, Reason, Severity, Strength, Verdict};
pub use visibility::{Directions, Visibility, Vlan};
pub use waived::WaiverUse;
pub use waiver::load_waivers;
