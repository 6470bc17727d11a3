//! The recognisers over real captures, standards' bytes and noise.

pub mod assemble;
mod corpus;
mod noise;
