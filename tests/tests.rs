//! Integration tests, one binary; the module list is the table of contents.
#![allow(unreachable_pub, reason = "modules of one test binary share helpers")]

mod accuracy;
mod capture;
mod cli;
mod corpus;
mod decode;
mod determinism;
mod fixtures;
mod frames;
mod hostile;
mod identify;
mod injection;
mod joining;
mod laws;
mod layers;
mod page;
mod payload;
mod pitfalls;
mod policy;
mod report;
mod runs;
mod sites;
mod states;
mod variants;
#[cfg(unix)]
mod waiting;
mod watch;
mod wrap;
