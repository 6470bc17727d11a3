//! The decoder against the standards and against captures with known flows.

mod capture_walker;
pub mod corpus;
mod encapsulations;
mod frames;
mod headers;
mod show;
mod truncation;
mod tshark;
mod tunnels;
