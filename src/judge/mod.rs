//! Pure judging: finished flow records, a policy and a site give an assessment. Never sees a
//! packet.

pub mod diagnostic;
mod document;
pub mod model;
mod names;
pub mod policy;
pub mod schema;
pub mod site;
pub mod waiver;

pub use diagnostic::{Code, Diagnostic};
pub use policy::{EMBEDDED, PolicySource, embedded, load_policy};
pub use site::load_site;
pub use waiver::load_waivers;
