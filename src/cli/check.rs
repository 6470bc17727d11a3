//! `portolan check`: captures in, a report out.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use super::args::Check;
use super::output::{Files, Outputs, flows_to_stdout, report_to_stdout, to_stdout};
use super::progress::Meter;
use super::rules::Rules;
use super::{Exit, complain, shown};
use crate::capture::{Hashing, InputSummary, Inputs};
use crate::engine::{Evaluated, Limits, fold_stream};
use crate::judge::{Assessment, Outcome, Terms, assess};
use crate::report::{self, FlowLine, Palette, Source, model::Report, printable};

/// Runs the command.
pub(super) fn run(check: &Check) -> Result<Exit, String> {
    let outputs = Outputs::of(check)?;
    outputs.refuse_files_read(check)?;
    let rules = Rules::load(&check.policy, check.site.as_deref(), check.waivers.as_deref())?;
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
        reading: check.reading.into(),
        fail_on: check.fail_on.into(),
        min_grade: check.min_grade.into(),
    };
    let records = std::mem::take(&mut stream.records);
    let evidence = stream.evidence(&inputs);
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
    if let Some(message) = report::complaint(&report.accounting.mismatches) {
        return Err(message);
    }
    Ok(exit(&assessment, &inputs))
}

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

pub(super) fn write_report(out: &mut dyn Write, report: &Report) -> std::io::Result<()> {
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

fn ends_in_zst(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

pub(super) fn exit(assessment: &Assessment, inputs: &[InputSummary]) -> Exit {
    let verdict = match assessment.outcome {
        Outcome::Pass => Exit::Pass,
        Outcome::Fail => Exit::Findings,
        Outcome::Inconclusive => Exit::Inconclusive,
    };
    let failed = inputs.iter().any(|input| input.ending.is_failure());
    verdict.or(if failed { Exit::Failed } else { Exit::Pass })
}
