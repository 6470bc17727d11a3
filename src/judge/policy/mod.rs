//! Policy packs: texts go in, a valid [`Policy`](super::model::Policy) comes out. Two stages: the
//! text as written with every place in it, then the model with every name resolved. How a policy
//! judges traffic is not here.

mod embedded;
mod infrastructure;
pub(crate) mod lint;
mod load;
pub(crate) mod raw;
pub(crate) mod rows;
pub(crate) mod vocabulary;

pub use embedded::{EMBEDDED, embedded};
pub use load::{PolicySource, load_policy};
