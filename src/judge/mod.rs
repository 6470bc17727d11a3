//! Pure judging: finished flow records, a policy and a site give an assessment. Never sees a
//! packet.

mod direction;
mod flow;
mod inventory;
pub mod model;
mod rows;
mod verdict;

pub use flow::{Judge, Judgement};
pub use inventory::{Identity, Inventory};
pub use rows::{Attempt, Fit, Holds, Matcher, Party, PortFit};
pub use verdict::{Assumption, Basis, Missing, ReadingMode, Reason, Severity, Strength, Verdict};
