//! The command line, as clap sees it.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::WITHHELD;

use super::report::ReportCommand;

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

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SchemaName {
    /// The JSON report
    Report,
    /// One line of --flows
    Flow,
    /// One line of the events of watch
    #[cfg(unix)]
    Event,
    /// Site files
    Site,
    /// Policy packs
    Policy,
    /// Waiver files
    Waivers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A summary for people
    Text,
    /// The JSON report
    Json,
    /// Annotations for GitHub Actions
    Github,
    /// SARIF 2.1.0
    Sarif,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FlowFormatName {
    /// The names of `portolan schema flow`
    Native,
    /// The names of the Elastic Common Schema
    Ecs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SeverityName {
    Info,
    Low,
    Medium,
    High,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum GradeName {
    #[value(name = "A", alias = "a")]
    A,
    #[value(name = "B", alias = "b")]
    B,
    #[value(name = "C", alias = "c")]
    C,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ReadingName {
    /// As the pack recommends
    Inferred,
    /// By the words of the document alone
    Literal,
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
    /// Inventory of the site: hosts, roles, answers
    #[arg(long, value_name = "FILE")]
    pub(super) site: Option<PathBuf>,
    /// Policy pack, by name or file; may be given several times
    #[arg(long, value_name = "NAME|FILE", default_value = "cisco-unity-5x-exchange")]
    pub(super) policy: Vec<String>,
    /// Accepted exceptions
    #[arg(long, value_name = "FILE")]
    pub(super) waivers: Option<PathBuf>,
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
    /// An earlier JSON report: tell which findings are new, gone or changed, and why
    #[arg(long, value_name = "REPORT")]
    pub(super) baseline: Option<PathBuf>,
    /// Names of the fields in the flow list
    #[arg(long, value_name = "FORMAT", default_value = "native")]
    pub(super) flows_format: FlowFormatName,
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
    /// Worker threads, at most 256; 0 for one per processor
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u16).range(0..=256))]
    pub(super) threads: u16,
    /// Memory for flows, such as 512M or 4G; what is beyond is counted and reported
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = size)]
    pub(super) max_memory: u64,
    /// Count every copy of a packet: by default, a packet that a mirror shows twice counts once
    #[arg(long)]
    pub(super) keep_copies: bool,
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

/// How fast watch --replay goes.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Speed {
    /// As fast as it can be judged
    Top,
    /// As the times of the packets say
    Original,
}

/// Signals: TERM or INT ends with a report, USR1 writes a report, HUP reads policy, site and
/// waivers again.
#[cfg(unix)]
#[derive(Clone, Debug, Args)]
#[command(
    group = clap::ArgGroup::new("input").required(true),
    after_help = "Signals:\n  \
    TERM, INT  write the last report and end; a second one ends at once\n  \
    USR1       write the report now\n  \
    HUP        read policy, site and waivers again; a file that is wrong changes nothing\n\n\
    The exit status is that of check, over the last report."
)]
pub(super) struct Watch {
    /// Interface to capture on; needs a build with the feature `live`
    #[arg(short, long, value_name = "NAME", group = "input")]
    pub(super) interface: Option<String>,
    /// Play a capture back instead, as if its packets came in now
    #[arg(long, value_name = "FILE", group = "input")]
    pub(super) replay: Option<PathBuf>,
    /// How fast to play back
    #[arg(long, value_name = "SPEED", default_value = "top", requires = "replay")]
    pub(super) speed: Speed,
    /// Packets to capture, as an expression that tcpdump takes; what it leaves out cannot be judged
    #[arg(long, value_name = "EXPRESSION", requires = "interface")]
    pub(super) filter: Option<String>,
    /// Memory in which the kernel keeps packets until they are read
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = ring,
        requires = "interface")]
    pub(super) ring: u32,
    /// When started as root: go on as this user once the interface is open
    #[arg(long, value_name = "NAME", requires = "interface")]
    pub(super) user: Option<String>,
    /// Inventory of the site: hosts, roles, answers
    #[arg(long, value_name = "FILE")]
    pub(super) site: Option<PathBuf>,
    /// Policy pack, by name or file; may be given several times
    #[arg(long, value_name = "NAME|FILE", default_value = "cisco-unity-5x-exchange")]
    pub(super) policy: Vec<String>,
    /// Accepted exceptions
    #[arg(long, value_name = "FILE")]
    pub(super) waivers: Option<PathBuf>,
    /// Where to write events, one JSON object in a line, appended; - for standard output,
    /// syslog for the system log
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(super) events: PathBuf,
    /// Where to write the JSON report, again and again
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Where to write the page with each report
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Where to write all flows with each report, one JSON object in a line; compressed if the
    /// name ends in .zst
    #[arg(long, value_name = "FILE")]
    pub(super) flows: Option<PathBuf>,
    /// Field names of the flow list
    #[arg(long, value_name = "FORMAT", default_value = "native", requires = "flows")]
    pub(super) flows_format: FlowFormatName,
    /// Minutes between two reports
    #[arg(long, value_name = "MINUTES", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub(super) report_every: u32,
    /// Write a small capture for each finding of the report into this folder: the first packets of
    /// its sample flows. The folder belongs to the watch: slices of other reports are removed
    #[arg(long, value_name = "DIR", requires = "report")]
    pub(super) evidence: Option<PathBuf>,
    /// Packets kept of each flow as evidence
    #[arg(long, value_name = "N", default_value_t = 20, requires = "evidence",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(super) evidence_packets: u64,
    /// Memory for the packets seen last, out of which evidence is taken
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = size,
        requires = "evidence")]
    pub(super) evidence_ring: u64,
    /// Remember findings in this file over a restart, and flows in FILE.flows
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,
    /// Hours for which flows are reported after they ended
    #[arg(long, value_name = "HOURS", default_value_t = 24,
        value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub(super) keep: u32,
    /// Answer /metrics and /healthz over HTTP on this port of 127.0.0.1, or on ADDRESS:PORT
    #[arg(long, value_name = "PORT", value_parser = address)]
    pub(super) metrics: Option<std::net::SocketAddr>,
    #[command(flatten)]
    pub(super) judging: Judging,
    /// Worker threads, at most 256; 0 for one per processor
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u16).range(0..=256))]
    pub(super) threads: u16,
    /// Memory for flows, such as 512M or 4G; those that ended first go first when it is full
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size)]
    pub(super) max_memory: u64,
    /// Count every copy of a packet: by default, a packet that a mirror shows twice counts once
    #[arg(long)]
    pub(super) keep_copies: bool,
    /// Print nothing but events and errors
    #[arg(long)]
    pub(super) quiet: bool,
}

/// The size of the kernel's ring, which libpcap takes as a signed number of 32 bits.
#[cfg(unix)]
fn ring(text: &str) -> Result<u32, String> {
    match size(text)? {
        bytes @ 0x10_0000..=0x7fff_ffff => Ok(bytes as u32),
        _ => Err("a ring has 1M to 2047M".to_owned()),
    }
}

/// A port of the loopback address, or an address and a port.
#[cfg(unix)]
fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    let port = text.parse::<u16>().map(|port| ([127, 0, 0, 1], port).into());
    port.or_else(|_| text.parse()).map_err(|_| {
        format!("`{text}` is neither a port nor an address and port, such as 127.0.0.1:9464")
    })
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

impl Check {
    /// The options on which the report depends, with every default filled in and without the
    /// folders of files, which are nobody's business.
    pub(super) fn options(&self) -> Vec<String> {
        let hidden = self.pseudonymise.is_some();
        let mut options = Options { list: Vec::new(), hidden };
        options.add_files(self.site.as_deref(), self.waivers.as_deref(), &self.policy);
        options.add_terms(self.judging);
        options.add("max-memory", self.max_memory.to_string());
        options.add_flag("keep-copies", self.keep_copies);
        if hidden {
            options.add("pseudonymise", WITHHELD.to_owned());
        }
        options.list
    }
}

#[cfg(unix)]
impl Watch {
    /// The same for a watch.
    pub(super) fn options(&self) -> Vec<String> {
        let mut options = Options { list: Vec::new(), hidden: false };
        options.add_files(self.site.as_deref(), self.waivers.as_deref(), &self.policy);
        options.add_terms(self.judging);
        options.add("max-memory", self.max_memory.to_string());
        options.add_flag("keep-copies", self.keep_copies);
        options.add("keep", self.keep.to_string());
        if let Some(filter) = &self.filter {
            options.add("filter", filter.clone());
        }
        options.list
    }
}

/// Options as a command line has them.
struct Options {
    list: Vec<String>,
    /// Whether names of files are withheld: a file may be called after a host.
    hidden: bool,
}

impl Options {
    fn add(&mut self, name: &str, value: String) {
        self.list.extend([format!("--{name}"), value]);
    }

    fn add_flag(&mut self, name: &str, given: bool) {
        self.list.extend(given.then(|| format!("--{name}")));
    }

    fn add_files(&mut self, site: Option<&Path>, waivers: Option<&Path>, policy: &[String]) {
        let base = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        for (name, file) in [("site", site), ("waivers", waivers)] {
            if let Some(file) = file {
                self.add(name, if self.hidden { WITHHELD.to_owned() } else { base(file) });
            }
        }
        for policy in policy {
            self.add("policy", base(Path::new(policy)));
        }
    }

    fn add_terms(&mut self, judging: Judging) {
        let Judging { fail_on, min_grade, reading } = judging;
        self.add("reading", chosen(reading));
        self.add("fail-on", chosen(fail_on));
        self.add("min-grade", chosen(min_grade));
    }
}

/// The name of a value, as the command line takes it.
fn chosen(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A number of bytes with an optional binary suffix.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text.get(digits.len()..).unwrap_or("").to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        suffix => return Err(format!("`{suffix}` is no size; use K, M, G or T")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no size, such as 512M"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("4GiB"), Ok(4 << 30));
        assert_eq!(size("1000"), Ok(1000));
        assert!(size("lots").is_err());
        assert!(size("1X").is_err());
        assert!(size("99999999999T").is_err());
    }
}
