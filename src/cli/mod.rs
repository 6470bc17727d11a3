//! Words, colours, files and exit statuses. The only layer that prints.

mod args;
mod check;
mod evidence;
mod output;
mod progress;
mod pseudonyms;
mod report;
mod rules;
mod schema;
mod show;
#[cfg(unix)]
mod status;
mod verify;
#[cfg(unix)]
mod watch;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::report::printable;

/// How a run ended. Which of two statuses wins is said by [`Exit::or`]: the numbers do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing outside the documented set.
    Pass = 0,
    /// Nothing to report, but too little was seen to call it a pass.
    Inconclusive = 3,
    /// Findings at or above the limit.
    Findings = 1,
    /// The run could not be done, or not whole.
    Failed = 2,
}

impl Exit {
    /// The heavier of two statuses: 2 over 1 over 3 over 0.
    pub fn or(self, other: Exit) -> Exit {
        let weight = |exit: Exit| match exit {
            Exit::Pass => 0,
            Exit::Inconclusive => 1,
            Exit::Findings => 2,
            Exit::Failed => 3,
        };
        if weight(other) > weight(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Reads the command line, does what it says and answers the exit status.
pub fn run() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let failed = error.use_stderr();
            // Nothing is left to be said when the terminal is gone.
            let _ = error.print();
            return if failed { Exit::Failed.into() } else { Exit::Pass.into() };
        }
    };
    let done = match &arguments.command {
        args::Command::Check(check) => check::run(check),
        #[cfg(unix)]
        args::Command::Watch(watch) => watch::run(watch),
        args::Command::Report(command) => report::run(command),
        args::Command::Schema { name } => schema::run(*name),
        args::Command::Show { file, packet } => show::run(file, *packet),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(message) => {
            complain(&message);
            Exit::Failed.into()
        }
    }
}

/// A message on standard error. When even that fails there is nobody left to tell.
fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "portolan: {message}");
}

/// A path as a message may show it.
fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}
