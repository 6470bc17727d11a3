//! The report as one page for people: the model in, HTML out. The page shows the numbers of the
//! JSON report and decides nothing. It needs no network and no script, and whatever a packet or a
//! file said is text in it.
//!
//! The templates hold the markup, `terms` the words for the names of the report, `show` numbers
//! and times; `heat`, `night`, `findings` and `document` arrange what the model holds.

mod document;
mod escape;
mod findings;
mod heat;
mod night;
mod show;
mod terms;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use self::document::Document;
use self::findings::Group;
use self::heat::HeatMap;
use self::night::Night;
use super::model::{Evidence, Finding, Measure, PacketPlace, Report, Volume};

pub use escape::Visible;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Findings beyond this many are shown by one line each, so that a browser opens the page at once.
const IN_FULL: usize = 1_000;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    report: &'a Report,
    sha256: &'a str,
    style: &'a str,
    script: &'a str,
    content_policy: String,
    places: BTreeMap<u64, &'a PacketPlace>,
    findings: BTreeMap<&'a str, &'a Finding>,
    slices: BTreeMap<&'a str, &'a Evidence>,
    heat: HeatMap<'a>,
    night: Night,
    groups: Vec<Group<'a>>,
    documents: Vec<Document<'a>>,
}

/// Writes the page of a report. `sha256` is the hash of the JSON report that the page shows.
///
/// # Errors
///
/// The writer's.
pub fn write(out: &mut dyn Write, report: &Report, sha256: &str) -> io::Result<()> {
    Page {
        report,
        sha256,
        style: STYLE,
        script: SCRIPT,
        content_policy: content_policy(),
        places: report.packet_index.iter().map(|place| (place.packet, place)).collect(),
        findings: report.findings.iter().map(|found| (found.id.as_str(), found)).collect(),
        slices: report.evidence.iter().map(|slice| (slice.finding.as_str(), slice)).collect(),
        heat: HeatMap::of(&report.summary.matrix),
        night: Night::of(&report.window),
        groups: findings::groups(&report.findings, IN_FULL),
        documents: document::documents(report),
    }
    .write_into(out)
}

/// What a browser may do with the page: apply its own style and run its own script, by their
/// hashes, and nothing else.
fn content_policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
         base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

impl Page<'_> {
    /// Where a packet lies: `night.pcap, packet 17`.
    fn place(&self, packet: impl Borrow<u64>) -> String {
        let packet = packet.borrow();
        let place = self.places.get(packet);
        let input = place.and_then(|place| self.report.inputs.get(place.input as usize));
        match place.zip(input) {
            Some((place, input)) => {
                format!("{}, packet {}", input.name, show::number(place.number))
            }
            None => format!("packet {} of the stream", show::number(packet)),
        }
    }

    fn finding(&self, id: &str) -> Option<&Finding> {
        self.findings.get(id).copied()
    }

    /// The evidence of a finding.
    fn slice(&self, finding: &str) -> Option<&Evidence> {
        self.slices.get(finding).copied()
    }

    /// The verdicts with their volumes, those that need attention first.
    fn verdicts(&self) -> Vec<(&'static str, Volume)> {
        let counted = |name| (name, self.report.summary.verdicts.get(name).copied());
        let all = terms::VERDICTS.iter().map(|name| counted(*name));
        all.filter_map(|(name, volume)| Some((name, volume?))).collect()
    }

    /// The flows of a verdict as begin and length on a bar of a thousand.
    fn bar(&self) -> Vec<(&'static str, u64, u64)> {
        let all =
            self.report.accounting.flows.saturating_add(self.report.accounting.icmp_only_attempts);
        let mut begin = 0_u64;
        let mut parts = Vec::new();
        for (name, volume) in self.verdicts() {
            let length = (u128::from(volume.flows) * 1000).div_ceil(u128::from(all.max(1)));
            let length = u64::try_from(length).unwrap_or(1000).min(1000 - begin.min(1000));
            if length > 0 {
                parts.push((name, begin, length));
            }
            begin += length;
        }
        parts
    }

    /// The measures that give the grade.
    fn decisive(&self) -> Vec<&Measure> {
        let outcome = &self.report.outcome;
        outcome
            .measures
            .iter()
            .filter(|one| one.grade == outcome.grade && one.grade != "A")
            .collect()
    }

    /// Whether a service with a range of ports was recognised on any host.
    fn is_hardening_known(&self) -> bool {
        self.report.hosts.iter().any(|host| !host.hardening.is_empty())
    }

    /// The command that makes the report again, to be pasted into a shell.
    fn command(&self) -> String {
        let mut words = vec!["portolan".to_owned(), "check".to_owned()];
        words.extend(self.report.inputs.iter().map(|input| show::shell(&input.name)));
        words.extend(self.report.run.options.iter().map(|option| show::shell(option)));
        words.push("--report report.json".to_owned());
        words.join(" ")
    }
}
