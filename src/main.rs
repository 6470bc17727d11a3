//! The command line of portolan.

use std::process::ExitCode;

fn main() -> ExitCode {
    portolan::cli::run()
}
