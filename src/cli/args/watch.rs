//! The options of `portolan watch`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{FlowFormatName, size};
use super::{Folding, Judging, RuleFiles};

/// How fast watch --replay goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Speed {
    /// As fast as it can be judged
    Top,
    /// As the times of the packets say
    Original,
}

/// Signals: TERM or INT ends with a report, USR1 writes a report, HUP reads policy, site and
/// waivers again.
#[derive(Clone, Debug, Args)]
#[command(
    group = clap::ArgGroup::new("input").required(true),
    after_help = "Signals:\n  \
    TERM, INT  write the last report and end; a second one ends at once\n  \
    USR1       write the report now\n  \
    HUP        read policy, site and waivers again; a file that is wrong changes nothing\n\n\
    The exit status is that of check, over the last report."
)]
pub(in crate::cli) struct Watch {
    /// Interface to capture on; needs a build with the feature `live`
    #[arg(short, long, value_name = "NAME", group = "input")]
    pub(in crate::cli) interface: Option<String>,
    /// Play a capture back instead, as if its packets came in now
    #[arg(long, value_name = "FILE", group = "input")]
    pub(in crate::cli) replay: Option<PathBuf>,
    /// How fast to play back
    #[arg(long, value_name = "SPEED", default_value = "top", conflicts_with = "interface")]
    pub(in crate::cli) speed: Speed,
    /// Packets to capture, as an expression that tcpdump takes; what it leaves out cannot be judged
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "replay")]
    pub(in crate::cli) filter: Option<String>,
    /// Memory in which the kernel keeps packets until they are read
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = ring,
        conflicts_with = "replay")]
    pub(in crate::cli) ring: u32,
    /// When started as root: go on as this user once the interface is open
    #[arg(long, value_name = "NAME", conflicts_with = "replay")]
    pub(in crate::cli) user: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) rules: RuleFiles,
    /// Where to write events, one JSON object in a line, appended; - for standard output,
    /// syslog for the system log
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(in crate::cli) events: PathBuf,
    /// Where to write the JSON report, again and again
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// Where to write the page with each report
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) html: Option<PathBuf>,
    /// Where to write all flows with each report, one JSON object in a line; compressed if the
    /// name ends in .zst
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) flows: Option<PathBuf>,
    /// Names of the fields in the flow list
    #[arg(long, value_name = "FORMAT", default_value = "native", requires = "flows")]
    pub(in crate::cli) flows_format: FlowFormatName,
    /// Minutes between two reports
    #[arg(long, value_name = "MINUTES", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub(in crate::cli) report_every: u32,
    /// Write a small capture for each finding of the report into this folder: the first packets of
    /// its sample flows. The folder belongs to the watch: slices of other reports are removed
    #[arg(long, value_name = "DIR", requires = "report")]
    pub(in crate::cli) evidence: Option<PathBuf>,
    /// Packets kept of each flow as evidence
    #[arg(long, value_name = "N", default_value_t = 20, requires = "evidence",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(in crate::cli) evidence_packets: u64,
    /// Memory for the packets seen last, out of which evidence is taken
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = size,
        requires = "evidence")]
    pub(in crate::cli) evidence_ring: u64,
    /// Remember findings in this file over a restart, and flows in FILE.flows
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Hours for which flows are reported after they ended
    #[arg(long, value_name = "HOURS", default_value_t = 24,
        value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub(in crate::cli) keep: u32,
    /// Answer /metrics and /healthz over HTTP on this port of 127.0.0.1, or on ADDRESS:PORT
    #[arg(long, value_name = "PORT", value_parser = address)]
    pub(in crate::cli) metrics: Option<std::net::SocketAddr>,
    #[command(flatten)]
    pub(in crate::cli) judging: Judging,
    #[command(flatten)]
    pub(in crate::cli) folding: Folding,
    /// Memory for flows, such as 512M or 4G; those that ended first go first when it is full
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size)]
    pub(in crate::cli) max_memory: u64,
    /// Print nothing but events and errors
    #[arg(long)]
    pub(in crate::cli) quiet: bool,
}

/// The size of the kernel's ring, which libpcap takes as a signed number of 32 bits.
fn ring(text: &str) -> Result<u32, String> {
    match size(text)? {
        bytes @ 0x10_0000..=0x7fff_ffff => Ok(bytes as u32),
        _ => Err("a ring has 1M to 2047M".to_owned()),
    }
}

/// A port of the loopback address, or an address and a port.
fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    let port = text.parse::<u16>().map(|port| ([127, 0, 0, 1], port).into());
    port.or_else(|_| text.parse()).map_err(|_| {
        format!("`{text}` is neither a port nor an address and port, such as 127.0.0.1:9464")
    })
}
