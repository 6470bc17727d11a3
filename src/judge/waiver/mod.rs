//! Waivers: undocumented traffic that someone answers for, until a date. Text goes in, valid
//! [`Waivers`](super::model::Waivers) come out.

mod load;
pub(crate) mod raw;

pub use load::load_waivers;
