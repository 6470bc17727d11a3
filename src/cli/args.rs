//! The command line, as clap sees it.

mod options;
mod values;
#[cfg(unix)]
mod watch;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::report::ReportCommand;
use crate::engine::Limits;
use values::size;

pub(super) use values::{FlowFormatName, Format, GradeName, ReadingName, SchemaName, SeverityName};
#[cfg(unix)]
pub(super) use watch::{Speed, Watch};

/// Proves whether a network's traffic stays inside its documented port matrix.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 80)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Judge the conversations of packet captures
    Check(Box<Check>),
    /// Judge the conversations on a network interface, until stopped
    #[cfg(unix)]
    Watch(Box<Watch>),
    /// Show the headers of one packet, with offsets, and what they amount to
    Show {
        /// Capture file
        file: PathBuf,
        /// Number of the packet in the file, from 1
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        packet: u64,
    },
    /// Make something of a JSON report
    #[command(subcommand)]
    Report(ReportCommand),
    /// Print a JSON Schema
    Schema {
        /// What to describe
        name: SchemaName,
    },
}

/// Exit status: 0 pass; 1 findings at or above --fail-on; 2 the run could not be done, or an
/// input could not be read to its end; 3 nothing found, but too little was seen to call it a
/// pass.
#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  \
    0  pass\n  \
    1  findings at or above --fail-on\n  \
    2  the run could not be done, or an input could not be read to its end\n  \
    3  nothing found, but too little was seen to call it a pass")]
pub(super) struct Check {
    /// Captures: files, folders, or - for standard input. pcap and pcapng, plain or
    /// compressed with gzip, zstd or lz4
    #[arg(required = true, value_name = "CAPTURE")]
    pub(super) captures: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) rules: RuleFiles,
    /// Write the JSON report; - for standard output
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Write the report as one page that needs no network and no script; - for standard output
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write one JSON object for each flow; compressed if the name ends in .zst; - for
    /// standard output
    #[arg(long, value_name = "FILE")]
    pub(super) flows: Option<PathBuf>,
    /// Names of the fields in the flow list
    #[arg(long, value_name = "FORMAT", default_value = "native", requires = "flows")]
    pub(super) flows_format: FlowFormatName,
    /// An earlier JSON report: tell which findings are new, gone or changed, and why
    #[arg(long, value_name = "REPORT")]
    pub(super) baseline: Option<PathBuf>,
    /// Write a small capture for each finding into this folder: the first packets of its sample
    /// flows. Reads the captures twice
    #[arg(long, value_name = "DIR")]
    pub(super) evidence: Option<PathBuf>,
    /// Packets kept of each flow as evidence
    #[arg(long, value_name = "N", default_value_t = 20, requires = "evidence",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(super) evidence_packets: u64,
    /// Replace addresses, host names and file names in everything that is written by
    /// pseudonyms under the key in this file, of at least 16 bytes
    #[arg(long, value_name = "KEYFILE", conflicts_with = "evidence")]
    pub(super) pseudonymise: Option<PathBuf>,
    #[command(flatten)]
    pub(super) judging: Judging,
    #[command(flatten)]
    pub(super) folding: Folding,
    /// Memory for flows, such as 512M or 4G; what is beyond is counted and reported
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = size)]
    pub(super) max_memory: u64,
    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,
    /// Print nothing but errors
    #[arg(long)]
    pub(super) quiet: bool,
    /// Show no progress
    #[arg(long)]
    pub(super) no_progress: bool,
}

/// How flows are judged.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Judging {
    /// Findings below this severity do not fail the run
    #[arg(long, value_name = "SEVERITY", default_value = "low")]
    pub(super) fail_on: SeverityName,
    /// Evidence below this grade is too poor for a pass
    #[arg(long, value_name = "GRADE", default_value = "B")]
    pub(super) min_grade: GradeName,
    /// How unclear passages of the document are read
    #[arg(long, value_name = "READING", default_value = "inferred")]
    pub(super) reading: ReadingName,
}

/// What flows are judged against.
#[derive(Clone, Debug, Args)]
pub(super) struct RuleFiles {
    /// Inventory of the site: hosts, roles, answers
    #[arg(long, value_name = "FILE")]
    pub(super) site: Option<PathBuf>,
    /// Policy pack, by name or file; may be given several times
    #[arg(long, value_name = "NAME|FILE", default_value = "cisco-unity-5x-exchange")]
    pub(super) policy: Vec<String>,
    /// Accepted exceptions
    #[arg(long, value_name = "FILE")]
    pub(super) waivers: Option<PathBuf>,
}

/// How packets are folded, beside the memory for it.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Folding {
    /// Worker threads, at most 256; 0 for one per processor
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u16).range(0..=256))]
    pub(super) threads: u16,
    /// Count every copy of a packet: by default, a packet that a mirror shows twice counts once
    #[arg(long)]
    pub(super) keep_copies: bool,
}

impl Folding {
    /// How much of the machine a run may use, with so many bytes of memory.
    pub(super) fn limits(self, max_memory: u64) -> Limits {
        let Folding { threads, keep_copies } = self;
        Limits { threads: threads.into(), max_memory, keep_copies }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
