//! The site file: which hosts there are, what roles they hold, how they are related, and how the
//! questions of the policy are answered. Text goes in, a valid [`Site`](super::model::Site) comes
//! out. Guessing what the file leaves open is nobody's business here.

pub(crate) mod hosts;
mod lint;
mod load;
pub(crate) mod raw;

pub use load::load_site;
