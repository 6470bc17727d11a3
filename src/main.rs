//! The command line of portolan.
fn main() {}
