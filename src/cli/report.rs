//! `portolan report`: what is made of a JSON report without its captures.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::output::{Pending, is_dash, to_stdout};
use super::{Exit, shown};
use crate::report::{ReadError, StoredReport, html, printable};

/// What to make of a report.
#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// Write a JSON report as one page that needs no network and no script
    Html {
        /// JSON report; - for standard input
        report: PathBuf,
        /// Write the page here; - for standard output
        #[arg(short, long, value_name = "FILE", default_value = "-")]
        output: PathBuf,
    },
}

/// Runs the command.
pub(super) fn run(command: &ReportCommand) -> Result<Exit, String> {
    match command {
        ReportCommand::Html { report, output } => page(report, output),
    }
}

fn page(path: &Path, output: &Path) -> Result<Exit, String> {
    let stored = stored(path)?;
    let page = |out: &mut dyn io::Write| html::write(out, &stored.report, &stored.sha256);
    if is_dash(output) {
        to_stdout(page)?;
    } else {
        refuse_to_replace(path, output)?;
        Pending::create(output)?.finish(page)?;
    }
    Ok(Exit::Pass)
}

/// Reads a JSON report from a file or from standard input.
pub(super) fn stored(path: &Path) -> Result<StoredReport, String> {
    let mut text = Vec::new();
    let read = match is_dash(path) {
        true => io::stdin().lock().read_to_end(&mut text),
        false => File::open(path).and_then(|mut file| file.read_to_end(&mut text)),
    };
    read.map_err(|error| format!("cannot read `{}`: {error}", shown(path)))?;
    StoredReport::read(&text)
        .map_err(|error: ReadError| format!("`{}` {}", shown(path), printable(&error.to_string())))
}

fn refuse_to_replace(read: &Path, written: &Path) -> Result<(), String> {
    let same = |one: &Path| std::fs::canonicalize(one).ok();
    if same(read).is_some_and(|read| same(written) == Some(read)) {
        let written = shown(written);
        return Err(format!(
            "cannot write `{written}`: that would replace the report; choose another name"
        ));
    }
    Ok(())
}
