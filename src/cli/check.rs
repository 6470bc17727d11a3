//! `portolan check`: captures in, a report out.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use super::args::{Check, ReadingName, SeverityName};
use super::output::{Files, Outputs, flows_to_stdout, report_to_stdout, to_stdout};
use super::progress::Meter;
use super::{Exit, complain, shown};
use crate::capture::{Hashing, InputSummary, Inputs, Interface};
use crate::engine::{Evaluated, Limits, fold_stream};
use crate::judge::diagnostic::{Diagnostic, Style};
use crate::judge::model::{PackKind, Policy, Site, Waivers};
use crate::judge::policy::{PolicySource, embedded, load_policy};
use crate::judge::site::load_site;
use crate::judge::waiver::load_waivers;
use crate::judge::{Assessment, Doubt, Evidence, Outcome, ReadingMode, Severity, Terms, assess};
use crate::report::{self, FlowLine, Palette, Source, model::Report, printable};

/// Name of the pack that every run uses besides those that were asked for.
const INFRASTRUCTURE: &str = "infrastructure";

/// Runs the command.
pub(super) fn run(check: &Check) -> Result<Exit, String> {
    let outputs = Outputs::of(check)?;
    outputs.refuse_files_read(check)?;
    let rules = Rules::load(check)?;
    let inputs = open(check)?;
    for path in (0..).map_while(|input| inputs.path(input)) {
        outputs.refuse("a capture", path)?;
    }
    let files = outputs.create()?;
    let skipped = inputs.skipped().to_vec();
    let (mut stream, inputs) = read(check, inputs)?;
    let terms = Terms {
        policy: &rules.policy,
        site: &rules.site,
        waivers: &rules.waivers,
        reading: match check.reading {
            ReadingName::Inferred => ReadingMode::Inferred,
            ReadingName::Literal => ReadingMode::Literal,
        },
        fail_on: match check.fail_on {
            SeverityName::Info => Severity::Info,
            SeverityName::Low => Severity::Low,
            SeverityName::Medium => Severity::Medium,
            SeverityName::High => Severity::High,
        },
    };
    let records = std::mem::take(&mut stream.records);
    let evidence = Evidence { begin: stream.timeline.begin(), reasons: doubts(&inputs, &stream) };
    let assessment = assess(records, &stream.accounting, &stream.carriers, terms, evidence);
    let source = Source {
        inputs: &inputs,
        skipped: &skipped,
        stream: &stream,
        terms,
        max_memory: check.max_memory,
    };
    let report = report::build(source, &assessment);
    for input in inputs.iter().filter(|input| input.ending.is_failure()) {
        complain(&printable(&format!("{}: {}", input.path.display(), input.ending)));
    }
    let lines = || {
        let flows = assessment.flows.iter();
        flows.filter_map(|flow| report::flow_line(flow, &inputs, terms))
    };
    write_files(check, files, &report, lines())?;
    print(check, &report, lines())?;
    balance(&report)?;
    Ok(exit(&assessment, &inputs))
}

/// The policy, the site and the waivers of a run.
struct Rules {
    policy: Policy,
    site: Site,
    waivers: Waivers,
}

impl Rules {
    fn load(check: &Check) -> Result<Self, String> {
        let policy = policy(&check.policy)?;
        let site = match &check.site {
            Some(path) => {
                let text = text_of(path)?;
                load_site(&text, &shown(path), &policy)
                    .map_err(|faults| rendered("site", &faults))?
            }
            None => Site::default(),
        };
        let waivers = match &check.waivers {
            Some(path) => {
                let text = text_of(path)?;
                load_waivers(&text, &shown(path), &policy, &site)
                    .map_err(|faults| rendered("waiver", &faults))?
            }
            None => Waivers::default(),
        };
        Ok(Rules { policy, site, waivers })
    }
}

/// Loads the packs that were asked for, and the infrastructure pack unless one is among them.
fn policy(names: &[String]) -> Result<Policy, String> {
    let mut texts = Vec::new();
    for name in names {
        let text = match embedded(name) {
            Some(text) => text.to_owned(),
            None => text_of(Path::new(name)).map_err(|error| {
                format!("{error}; embedded packs are {}", embedded_names().join(" and "))
            })?,
        };
        texts.push((printable(name), text));
    }
    let load = |texts: &[(String, String)]| {
        let sources: Vec<_> =
            texts.iter().map(|(name, text)| PolicySource { name, text }).collect();
        load_policy(&sources).map_err(|faults| rendered("policy", &faults))
    };
    let policy = load(&texts)?;
    if policy.packs.iter().any(|pack| pack.kind == PackKind::Infrastructure) {
        return Ok(policy);
    }
    texts
        .push((INFRASTRUCTURE.to_owned(), embedded(INFRASTRUCTURE).unwrap_or_default().to_owned()));
    load(&texts)
}

fn embedded_names() -> Vec<&'static str> {
    crate::judge::policy::EMBEDDED.iter().map(|pack| pack.name).collect()
}

fn text_of(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", shown(path)))
}

fn rendered(what: &str, faults: &[Diagnostic]) -> String {
    let style = if colour(&std::io::stderr()) { Style::Coloured } else { Style::Plain };
    let all: Vec<_> = faults.iter().map(|fault| fault.render(style)).collect();
    let count = match faults.len() {
        1 => "1 fault".to_owned(),
        count => format!("{count} faults"),
    };
    format!("the {what} file cannot be used: {count}\n\n{}", all.join("\n\n"))
}

fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Finds the captures.
fn open(check: &Check) -> Result<Inputs, String> {
    Inputs::open(&check.captures, Hashing::Sha256).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(|error| printable(&error.to_string())).collect();
        lines.join("\nportolan: ")
    })
}

/// Reads and folds all captures.
fn read(check: &Check, mut inputs: Inputs) -> Result<(Evaluated, Vec<InputSummary>), String> {
    let shown = !check.quiet && !check.no_progress && std::io::stderr().is_terminal();
    let meter = Meter::new(shown, inputs.total_bytes());
    let read = meter.read();
    let limits = Limits {
        threads: check.threads.into(),
        max_memory: check.max_memory,
        keep_copies: check.keep_copies,
    };
    let fill = |batch: &mut _| {
        let more = inputs.fill(batch);
        read.store(inputs.read_bytes(), Ordering::Relaxed);
        more
    };
    let partial = fold_stream(fill, limits, |progress| meter.show(progress));
    meter.clear();
    let partial = partial.map_err(|error| error.to_string())?;
    Ok((partial.evaluate(), inputs.finish()))
}

/// What the inputs and the fold say against the evidence.
fn doubts(inputs: &[InputSummary], stream: &Evaluated) -> Vec<Doubt> {
    let failed = inputs.iter().filter(|input| input.ending.is_failure()).count() as u64;
    let interfaces = || inputs.iter().flat_map(|input| &input.interfaces);
    let dropped = interfaces().filter_map(Interface::lost).fold(0, u64::saturating_add);
    let blurred = stream.blurred.packets;
    let all = [
        (failed > 0, Doubt::InputsFailed { failed, inputs: inputs.len() as u64 }),
        (interfaces().any(|interface| interface.filter.is_some()), Doubt::Filtered),
        (dropped > 0, Doubt::Dropped(dropped)),
        (blurred > 0, Doubt::BlurredPackets(blurred)),
        (stream.fragments_lost > 0, Doubt::LostFragments(stream.fragments_lost)),
        (stream.quotes_lost > 0, Doubt::LostQuotes(stream.quotes_lost)),
    ];
    all.into_iter().filter_map(|(holds, doubt)| holds.then_some(doubt)).collect()
}

fn write_files(
    check: &Check,
    files: Files,
    report: &Report,
    lines: impl Iterator<Item = FlowLine>,
) -> Result<(), String> {
    if let Some(file) = files.report {
        file.finish(|out| write_report(out, report))?;
    }
    let Some(file) = files.flows else { return Ok(()) };
    let compressed = check.flows.as_deref().is_some_and(ends_in_zst);
    file.finish(|out| {
        if !compressed {
            return report::write_flows(out, lines);
        }
        let mut encoder = zstd::Encoder::new(out, 3)?;
        report::write_flows(&mut encoder, lines)?;
        encoder.finish().map(|_| ())
    })
}

fn write_report(out: &mut dyn Write, report: &Report) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// Standard output: the report, the flows, or the summary.
fn print(
    check: &Check,
    report: &Report,
    lines: impl Iterator<Item = FlowLine>,
) -> Result<(), String> {
    if report_to_stdout(check) {
        return to_stdout(|out| write_report(out, report));
    }
    if flows_to_stdout(check) {
        return to_stdout(|out| report::write_flows(out, lines));
    }
    if check.quiet {
        return Ok(());
    }
    let palette = Palette::new(colour(&std::io::stdout()));
    to_stdout(|out| {
        out.write_all(report::summary(report, palette).as_bytes())?;
        let written = [("report", &check.report), ("flows", &check.flows)];
        for (what, path) in written {
            if let Some(path) = path {
                writeln!(out, "\n{what} written to {}", shown(path))?;
            }
        }
        Ok(())
    })
}

/// Every packet that was read must have been accounted for.
fn balance(report: &Report) -> Result<(), String> {
    let accounting = &report.accounting;
    let packets: u64 = accounting.classes.iter().map(|class| class.packets).sum();
    if packets == accounting.packets_read {
        return Ok(());
    }
    Err(format!(
        "internal error: {} packets were read and {packets} accounted for, so this result cannot \
         be relied on; please report it with the capture, if you can",
        accounting.packets_read
    ))
}

fn ends_in_zst(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

fn exit(assessment: &Assessment, inputs: &[InputSummary]) -> Exit {
    let verdict = match assessment.outcome {
        Outcome::Pass => Exit::Pass,
        Outcome::Fail => Exit::Findings,
        Outcome::Inconclusive => Exit::Inconclusive,
    };
    let failed = inputs.iter().any(|input| input.ending.is_failure());
    verdict.or(if failed { Exit::Failed } else { Exit::Pass })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Partial;

    /// A report over nothing, with a packet that was read and put into no class.
    #[test]
    fn a_packet_in_no_class_is_an_error() {
        let rules =
            Rules { policy: Policy::default(), site: Site::default(), waivers: Waivers::default() };
        let terms = Terms {
            policy: &rules.policy,
            site: &rules.site,
            waivers: &rules.waivers,
            reading: ReadingMode::Inferred,
            fail_on: Severity::Low,
        };
        let stream = Partial::new(Default::default(), 0).evaluate();
        let assessment =
            assess(Vec::new(), &stream.accounting, &stream.carriers, terms, Evidence::default());
        // Classic pcap, little-endian, Ethernet, with one frame of a single byte.
        let words = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1, 0, 0, 1, 1];
        let mut file: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        file.push(0);
        let file: Box<dyn std::io::Read + Send> = Box::new(std::io::Cursor::new(file));
        let inputs = Inputs::from_streams(vec![("a.pcap".to_owned(), file)], Hashing::Off);
        let mut inputs = inputs.unwrap();
        while inputs.fill(&mut Default::default()) {}
        let inputs = inputs.finish();
        let balanced = |inputs: &[InputSummary]| {
            let skipped = &[];
            let source = Source { inputs, skipped, stream: &stream, terms, max_memory: 0 };
            balance(&report::build(source, &assessment))
        };
        assert_eq!(balanced(&[]), Ok(()));
        let message = balanced(&inputs).unwrap_err();
        assert!(message.contains("internal error: 1 packets were read and 0 accounted"));
    }
}
