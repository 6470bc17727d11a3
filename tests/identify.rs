//! The recognisers over real captures, standards' bytes and noise.

pub mod assemble;
pub mod corpus;
mod followers;
mod noise;
mod samples;
