//! `portolan check`: captures in, a report out.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::args::{Check, FlowFormatName, Format, GradeName, ReadingName, SeverityName};
use super::output::{Files, Outputs, Product, for_stdout, to_stdout};
use super::progress::Meter;
use super::{Exit, complain, evidence, pseudonyms, shown};
use crate::capture::{Hashing, InputSummary, Inputs, Skipped, TimeHealth};
use crate::engine::{Evaluated, Limits, fold_stream};
use crate::judge::diagnostic::{Diagnostic, Style};
use crate::judge::model::{PackKind, Policy, Site, Waivers};
use crate::judge::policy::{PolicySource, embedded, load_policy};
use crate::judge::site::load_site;
use crate::judge::waiver::load_waivers;
use crate::judge::{Grade, Outcome, ReadingMode, Severity, Terms, assess};
use crate::report::model::{FlowList, Report};
use crate::report::{
    self, FlowFormat, FlowLine, Hashed, Palette, Pseudonyms, Source, StoredReport,
};
use crate::report::{github, html, printable, sarif};

/// Name of the pack that every run uses besides those that were asked for.
const INFRASTRUCTURE: &str = "infrastructure";

/// Runs the command.
pub(super) fn run(check: &Check) -> Result<Exit, String> {
    let outputs = Outputs::of(check)?;
    outputs.refuse_files_read(check)?;
    let mut rules = Rules::load(check)?;
    let baseline = baseline(check)?;
    let inputs = open(check)?;
    for path in (0..).map_while(|input| inputs.path(input)) {
        outputs.refuse("a capture", path)?;
    }
    evidence::prepare(check, &inputs)?;
    let mut files = outputs.create()?;
    let skipped = inputs.skipped().to_vec();
    let (mut stream, times, inputs) = read(check, inputs)?;
    for input in inputs.iter().filter(|input| input.ending.is_failure()) {
        complain(&printable(&format!("{}: {}", input.path.display(), input.ending)));
    }
    let (inputs, skipped) = rules.hide(&mut stream, inputs, skipped);
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
        min_grade: match check.min_grade {
            GradeName::A => Grade::A,
            GradeName::B => Grade::B,
            GradeName::C => Grade::C,
        },
    };
    let records = std::mem::take(&mut stream.records);
    let evidence = stream.evidence(&inputs, times);
    let assessment = assess(records, &stream.accounting, &stream.carriers, terms, evidence);
    let options = check.options();
    let source = Source {
        inputs: &inputs,
        times,
        skipped: &skipped,
        stream: &stream,
        terms,
        max_memory: check.max_memory,
        options: &options,
    };
    let mut report = report::build(source, &assessment);
    let lines = || {
        let flows = assessment.flows.iter();
        flows.filter_map(|flow| report::flow_line(flow, &inputs, terms))
    };
    if let Some(folder) = &check.evidence {
        evidence::write(check, folder, &inputs, &assessment, &mut report)?;
    }
    if let Some(earlier) = &baseline {
        report.diff = Some(report::diff(&earlier.report, &earlier.sha256, &report));
    }
    report.flow_list = write_flow_list(check, &mut files, lines())?;
    report::seal(&mut report).map_err(|error| format!("cannot write the report: {error}"))?;
    write_files(files, &report)?;
    print(check, &report, lines())?;
    exit(&report, assessment.outcome, &inputs)
}

/// The report to compare with.
fn baseline(check: &Check) -> Result<Option<StoredReport>, String> {
    let Some(path) = &check.baseline else { return Ok(None) };
    let earlier = super::report::stored(path)?;
    let hidden = earlier.report.run.options.iter().any(|option| option == "--pseudonymise");
    if hidden == check.pseudonymise.is_some() {
        return Ok(Some(earlier));
    }
    Err(format!(
        "the baseline `{}` {} pseudonyms; give both reports the same key, or none",
        shown(path),
        if hidden { "has" } else { "has no" }
    ))
}

/// The policy, the site and the waivers of a run.
struct Rules {
    policy: Policy,
    site: Site,
    waivers: Waivers,
    pseudonyms: Option<Pseudonyms>,
}

impl Rules {
    fn load(check: &Check) -> Result<Self, String> {
        let policy = policy(&check.policy)?;
        let mut pseudonyms = check.pseudonymise.as_deref().map(pseudonyms::load).transpose()?;
        let mut site = Site::default();
        let mut hidden = Site::default();
        if let Some(path) = &check.site {
            let text = text_of(path)?;
            let load = |text: &str| {
                load_site(text, &shown(path), &policy).map_err(|faults| rendered("site", &faults))
            };
            site = load(&text)?;
            if let Some(names) = &mut pseudonyms {
                hidden = load(&pseudonyms::site(&text, names)?)?;
                hidden.sha256.clone_from(&site.sha256);
            }
        }
        let mut waivers = Waivers::default();
        if let Some(path) = &check.waivers {
            let text = text_of(path)?;
            let load = |text: &str, site: &Site| {
                load_waivers(text, &shown(path), &policy, site)
                    .map_err(|faults| rendered("waiver", &faults))
            };
            waivers = load(&text, &site)?;
            if let Some(names) = &mut pseudonyms {
                let sha256 = waivers.sha256;
                waivers = load(&pseudonyms::waivers(&text, names)?, &hidden)?;
                waivers.sha256 = sha256;
            }
        }
        let site = if pseudonyms.is_some() { hidden } else { site };
        Ok(Rules { policy, site, waivers, pseudonyms })
    }

    /// Replaces what the captures tell of addresses and names, if pseudonyms were asked for.
    fn hide(
        &mut self,
        stream: &mut Evaluated,
        inputs: Vec<InputSummary>,
        skipped: Vec<Skipped>,
    ) -> (Vec<InputSummary>, Vec<Skipped>) {
        let Some(names) = &mut self.pseudonyms else { return (inputs, skipped) };
        stream.records = names.records(std::mem::take(&mut stream.records));
        stream.carriers = names.carriers(std::mem::take(&mut stream.carriers));
        (
            inputs.iter().map(|input| names.input(input)).collect(),
            skipped.iter().map(|file| names.skipped(file)).collect(),
        )
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
fn read(
    check: &Check,
    mut inputs: Inputs,
) -> Result<(Evaluated, TimeHealth, Vec<InputSummary>), String> {
    let meter = Meter::new(shows_progress(check), inputs.total_bytes());
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
    let times = inputs.health();
    Ok((partial.evaluate(), times, inputs.finish()))
}

/// Writes the flow list, and tells what the report says of it.
fn write_flow_list(
    check: &Check,
    files: &mut Files,
    lines: impl Iterator<Item = FlowLine>,
) -> Result<Option<FlowList>, String> {
    let (Some(file), Some(path)) = (files.take(Product::Flows), &check.flows) else {
        return Ok(None);
    };
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let format = flow_format(check);
    let mut list = FlowList {
        file: name,
        format: format.name().to_owned(),
        size: 0,
        sha256: String::new(),
        flows: 0,
    };
    file.finish(|out| {
        let mut out = Hashed::new(out);
        if ends_in_zst(path) {
            let mut encoder = zstd::Encoder::new(&mut out, 3)?;
            list.flows = report::write_flows(&mut encoder, format, lines)?;
            encoder.finish()?;
        } else {
            list.flows = report::write_flows(&mut out, format, lines)?;
        }
        (list.size, list.sha256) = out.finish();
        Ok(())
    })?;
    Ok(Some(list))
}

fn write_files(mut files: Files, report: &Report) -> Result<(), String> {
    if let Some(file) = files.take(Product::Report) {
        file.finish(|out| report::write(out, report))?;
    }
    if let Some(file) = files.take(Product::Html) {
        file.finish(|out| html::write(out, report, &report::sha256(report)?))?;
    }
    Ok(())
}

fn flow_format(check: &Check) -> FlowFormat {
    match check.flows_format {
        FlowFormatName::Native => FlowFormat::Native,
        FlowFormatName::Ecs => FlowFormat::Ecs,
    }
}

/// Whether progress is shown: somebody watches, and did not ask for silence.
pub(super) fn shows_progress(check: &Check) -> bool {
    !check.quiet && !check.no_progress && std::io::stderr().is_terminal()
}

/// Standard output: the report, the page, the flows, or the summary.
fn print(
    check: &Check,
    report: &Report,
    lines: impl Iterator<Item = FlowLine>,
) -> Result<(), String> {
    match for_stdout(check) {
        Some(Product::Report) => return to_stdout(|out| report::write(out, report)),
        Some(Product::Html) => {
            return to_stdout(|out| html::write(out, report, &report::sha256(report)?));
        }
        Some(Product::Flows) => {
            return to_stdout(|out| {
                report::write_flows(out, flow_format(check), lines).map(|_| ())
            });
        }
        None => {}
    }
    match check.format {
        Format::Github => return to_stdout(|out| github::write(out, report)),
        Format::Sarif => return to_stdout(|out| sarif::write(out, report)),
        Format::Text | Format::Json if check.quiet => return Ok(()),
        Format::Text | Format::Json => {}
    }
    let palette = Palette::new(colour(&std::io::stdout()));
    to_stdout(|out| {
        out.write_all(report::summary(report, palette).as_bytes())?;
        if let Some(diff) = &report.diff {
            write!(out, "\nSince the baseline: {}", report::in_words(diff))?;
        }
        let written = [
            ("report", &check.report),
            ("page", &check.html),
            ("flows", &check.flows),
            ("evidence", &check.evidence),
        ];
        for (what, path) in written {
            if let Some(path) = path {
                writeln!(out, "\n{what} written to {}", shown(path))?;
            }
        }
        Ok(())
    })
}

fn ends_in_zst(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

/// How a run ended. One whose sums do not agree is no result, whatever it says.
fn exit(report: &Report, outcome: Outcome, inputs: &[InputSummary]) -> Result<Exit, String> {
    if let Some(message) = report::complaint(&report.accounting.mismatches) {
        return Err(message);
    }
    let verdict = match outcome {
        Outcome::Pass => Exit::Pass,
        Outcome::Fail => Exit::Findings,
        Outcome::Inconclusive => Exit::Inconclusive,
    };
    let failed = inputs.iter().any(|input| input.ending.is_failure());
    Ok(verdict.or(if failed { Exit::Failed } else { Exit::Pass }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::EMBEDDED;

    /// A pcap file of one Ethernet frame, 60 zeros.
    fn capture() -> Vec<u8> {
        let words = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1, 0, 0, 60, 60];
        let head = words.iter().flat_map(|word| word.to_le_bytes());
        head.chain([0; 60]).collect()
    }

    fn report() -> Report {
        let file: Box<dyn std::io::Read + Send> = Box::new(std::io::Cursor::new(capture()));
        let streams = vec![("one.pcap".to_owned(), file)];
        let mut inputs = Inputs::from_streams(streams, Hashing::Off).expect("memory can be read");
        let limits = Limits { threads: 1, max_memory: 1 << 20, keep_copies: false };
        let partial = fold_stream(|batch| inputs.fill(batch), limits, |_| {}).expect("a thread");
        let (stream, times) = (partial.evaluate(), inputs.health());
        let inputs = inputs.finish();
        let policy = load_policy(EMBEDDED).expect("the embedded packs load");
        let terms = Terms {
            policy: &policy,
            site: &Site::default(),
            waivers: &Waivers::default(),
            reading: ReadingMode::Inferred,
            fail_on: Severity::Low,
            min_grade: Grade::B,
        };
        let evidence = stream.evidence(&inputs, times);
        let records = stream.records.clone();
        let assessment = assess(records, &stream.accounting, &stream.carriers, terms, evidence);
        let source = Source {
            inputs: &inputs,
            times,
            skipped: &[],
            stream: &stream,
            terms,
            max_memory: 0,
            options: &[],
        };
        report::build(source, &assessment)
    }

    #[test]
    fn sums_that_do_not_agree_are_an_internal_error() {
        let mut report = report();
        assert_eq!(exit(&report, Outcome::Pass, &[]), Ok(Exit::Pass));
        report.accounting.packets_read += 1;
        report.inputs[0].packets += 1;
        report.accounting.mismatches = report::mismatches(&report);
        for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Inconclusive] {
            let message = exit(&report, outcome, &[]).expect_err("one packet is in no class");
            assert!(message.starts_with("internal error: the sums of this run"), "{message}");
            let sides = "packets: 2 read from the inputs, 1 in the classes";
            assert!(message.ends_with(sides), "{message}");
        }
    }
}
