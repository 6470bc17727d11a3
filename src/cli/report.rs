//! `portolan report`: what is made of a JSON report without its captures.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::output::{is_dash, to_stdout, write_beside};
use super::{Exit, shown, verify};
use crate::report::model::Report;
use crate::report::{self, ReadError, StoredReport, csv, github, html, oscal, printable, sarif};

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
    /// Print the findings as CSV, safe for spreadsheets
    Csv(Printed),
    /// Print the findings as annotations for GitHub Actions
    Github(Printed),
    /// Print the findings as SARIF 2.1.0
    Sarif(Printed),
    /// Print the outcome as OSCAL assessment results
    Oscal(Printed),
    /// Show which findings of a later report are new, gone or changed, and why. Exit status: 0 all
    /// the same; 1 some differ
    Diff {
        /// The earlier JSON report
        earlier: PathBuf,
        /// The later JSON report
        later: PathBuf,
    },
    /// Compare a JSON report with the files it was made from and with itself. Exit status: 0 all
    /// agrees; 1 something differs; 3 nothing differs, but files were not found
    Verify {
        /// JSON report; - for standard input
        report: PathBuf,
        /// Files and folders among which inputs, site, waivers, policy packs, evidence and flow
        /// list are looked for, besides the folder of the report
        #[arg(value_name = "FILE|DIR")]
        places: Vec<PathBuf>,
    },
}

/// A report to be printed in another form.
#[derive(Debug, Args)]
pub(super) struct Printed {
    /// JSON report; - for standard input
    report: PathBuf,
}

/// Runs the command.
pub(super) fn run(command: &ReportCommand) -> Result<Exit, String> {
    match command {
        ReportCommand::Html { report, output } => page(report, output),
        ReportCommand::Csv(printed) => print(printed, csv::write),
        ReportCommand::Github(printed) => print(printed, github::write),
        ReportCommand::Sarif(printed) => print(printed, sarif::write),
        ReportCommand::Oscal(printed) => print(printed, oscal::write),
        ReportCommand::Diff { earlier, later } => differences(earlier, later),
        ReportCommand::Verify { report, places } => verify::run(report, places),
    }
}

fn print(
    printed: &Printed,
    write: fn(&mut dyn io::Write, &Report) -> io::Result<()>,
) -> Result<Exit, String> {
    let stored = stored(&printed.report)?;
    to_stdout(|out| write(out, &stored.report))?;
    Ok(Exit::Pass)
}

fn differences(earlier: &Path, later: &Path) -> Result<Exit, String> {
    let (earlier, later) = (stored(earlier)?, stored(later)?);
    let diff = report::diff(&earlier.report, &earlier.sha256, &later.report);
    to_stdout(|out| out.write_all(report::in_words(&diff).as_bytes()))?;
    Ok(if diff.findings.is_empty() { Exit::Pass } else { Exit::Findings })
}

fn page(path: &Path, output: &Path) -> Result<Exit, String> {
    let stored = stored(path)?;
    write_beside(("the report", path), output, |out| {
        html::write(out, &stored.report, &stored.sha256)
    })?;
    Ok(Exit::Pass)
}

/// Reads a JSON report from a file or from standard input.
pub(super) fn stored(path: &Path) -> Result<StoredReport, String> {
    StoredReport::read(&bytes(path)?)
        .map_err(|error: ReadError| format!("`{}` {}", shown(path), printable(&error.to_string())))
}

/// The bytes of a file or of standard input.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = match is_dash(path) {
        true => io::stdin().lock().read_to_end(&mut text),
        false => File::open(path).and_then(|mut file| file.read_to_end(&mut text)),
    };
    read.map_err(|error| format!("cannot read `{}`: {error}", shown(path)))?;
    Ok(text)
}
