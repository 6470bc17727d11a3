//! The decoder against the standards and against captures with known flows.

mod capture_walker;
pub mod corpus;
mod frames;
mod headers;
mod truncation;
