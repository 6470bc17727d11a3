//! The recognisers over real captures, standards' bytes and noise.

pub mod assemble;
mod datagram_samples;
mod datagrams;
mod media;
