//! `portolan check`: captures in, a report out.

use std::io::IsTerminal;
use std::sync::atomic::Ordering;

use super::args::{Check, Format};
use super::output::{Outputs, Product, for_stdout, to_stdout, write_flow_list, write_report};
use super::progress::Meter;
use super::rules::Rules;
use super::{Exit, complain, evidence, shown};
use crate::capture::{Hashing, InputSummary, Inputs, TimeHealth};
use crate::engine::{Evaluated, fold_stream};
use crate::judge::{Outcome, Terms, assess};
use crate::report::model::Report;
use crate::report::{self, FlowLine, Palette, Source, StoredReport};
use crate::report::{github, html, printable, sarif};

/// Runs the command.
pub(super) fn run(check: &Check) -> Result<Exit, String> {
    let outputs = Outputs::of(check)?;
    outputs.refuse_files_read(check)?;
    let mut rules = Rules::load(&check.rules, check.pseudonymise.as_deref())?;
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
        reading: check.judging.reading.into(),
        fail_on: check.judging.fail_on.into(),
        min_grade: check.judging.min_grade.into(),
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
    report.flow_list = write_flow_list(&mut files, check.flows_format.into(), lines())?;
    report::seal(&mut report).map_err(|error| format!("cannot write the report: {error}"))?;
    write_report(files, &report)?;
    print(check, &report, lines())?;
    let exit = exit(&report, assessment.outcome, &inputs);
    // The process ends: giving back what was held flow by flow would only take time.
    std::mem::forget(assessment);
    exit
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

/// Whether what is printed there is coloured.
pub(super) fn colour(stream: &impl IsTerminal) -> bool {
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
    let limits = check.folding.limits(check.max_memory);
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
                let format = check.flows_format.into();
                report::write_flows(out, format, lines).map(|_| ())
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

/// How a run ended. One whose sums do not agree is no result, whatever it says.
pub(super) fn exit(
    report: &Report,
    outcome: Outcome,
    inputs: &[InputSummary],
) -> Result<Exit, String> {
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
    use crate::engine::Limits;
    use crate::judge::model::{Site, Waivers};
    use crate::judge::policy::load_policy;
    use crate::judge::{EMBEDDED, Grade, ReadingMode, Severity};

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
