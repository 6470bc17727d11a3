//! The recognisers over real captures, standards' bytes and noise.

pub mod assemble;
pub mod corpus;
mod datagram_samples;
mod datagrams;
mod followers;
mod media;
mod mutations;
mod noise;
mod programs;
mod samples;
