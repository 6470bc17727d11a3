//! An assessment as bytes: the JSON report, the page, the flow list and the terminal summary.
//!
//! [`model`] is the only place where the report is given its shape; `build` fills it, with the
//! blocks of `inputs`, `health`, `policy`, `findings` and `limits`, and `ledger` checks its sums;
//! every sentence stands in `words`, `remedy`, `reasons` or `cannot_say`. What depends on how the packets were
//! stored lies under `inputs`, `inputs_skipped`, `packet_index`, `evidence`, `flow_list` and
//! `attestation` alone, so that two runs over the same packets agree in all else. `evidence` makes
//! the slices of findings when the inputs are read once more.

mod accounting;
mod build;
mod cannot_say;
mod community_id;
mod consistency;
pub mod csv;
mod diff;
mod display_filter;
mod ecs;
mod evidence;
mod findings;
mod flows;
pub mod github;
mod grants;
mod health;
mod hosts;
pub mod html;
mod inputs;
pub mod json;
mod ledger;
mod limits;
pub mod model;
mod names;
pub mod oscal;
mod policy;
mod pseudonym;
mod reasons;
mod remedy;
pub mod sarif;
pub mod schema;
mod stored;
mod text;
mod uses;
pub mod verify;
mod words;

pub use build::{Source, build, findings};
pub use community_id::community_id;
pub use diff::{diff, in_words};
pub use evidence::{Evidence, Slice};
pub use flows::{FlowFormat, FlowLine, flow_line, write_flows};
pub use ledger::{complaint, mismatches};
pub use pseudonym::{LEAST_KEY, Pseudonyms, WITHHELD};
pub use stored::{Hashed, ReadError, StoredReport, seal, sha256, write};
pub use text::{Palette, printable, summary};
