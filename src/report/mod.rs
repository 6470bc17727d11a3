//! An assessment as bytes: the JSON report, the page, the flow list and the terminal summary.
//!
//! [`model`] is the only place where the report is given its shape; `build` fills it, with the
//! blocks of `inputs`, `health`, `policy`, `findings` and `limits`, and `ledger` checks its sums;
//! every sentence stands in `words`, `reasons` or `cannot_say`. What depends on how the packets were stored lies under `inputs`, `inputs_skipped`
//! and `packet_index` alone, so that two runs over the same packets agree in all else.

mod build;
mod cannot_say;
mod community_id;
mod findings;
mod flows;
mod health;
pub mod html;
mod inputs;
mod ledger;
mod limits;
pub mod model;
mod names;
mod policy;
mod reasons;
pub mod schema;
mod stored;
mod text;
mod words;

pub use build::{Source, build};
pub use community_id::community_id;
pub use flows::{FlowLine, flow_line, write_flows};
pub use ledger::{complaint, mismatches};
pub use stored::{ReadError, StoredReport, sha256, write};
pub use text::{Palette, printable, summary};
