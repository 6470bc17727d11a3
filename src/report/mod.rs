//! An assessment as bytes: the JSON report, the flow list and the terminal summary.
//!
//! [`model`] is the only place where the report is given its shape; `build` fills it, with the
//! blocks of `inputs`, `policy`, `findings` and `limits`; every sentence stands in `words` or
//! `reasons`. What depends on how the packets were stored lies under `inputs`, `inputs_skipped`
//! and `packet_index` alone, so that two runs over the same packets agree in all else.

mod build;
mod community_id;
mod findings;
mod flows;
mod inputs;
mod limits;
pub mod model;
mod names;
mod policy;
mod reasons;
pub mod schema;
mod text;
mod words;

pub use build::{Source, build};
pub use community_id::community_id;
pub use flows::{FlowLine, flow_line, write_flows};
pub use text::{Palette, printable, summary};
