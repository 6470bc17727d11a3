//! `--evidence DIR`: the folder for the slices, and the second reading of the captures. The folder
//! of a watch holds the slices of its last report.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::args::Check;
use super::output::{Pending, is_dash};
use super::progress::Meter;
use super::shown;
use crate::capture::{FrameBatch, Hashing, InputSummary, Inputs};
use crate::engine::Progress;
use crate::judge::Assessment;
use crate::report::{Evidence, Slice, model::Report, printable};

/// Refuses what would only fail after the captures have been read once: a folder that cannot be
/// made or holds slices of another run, and inputs that can be read only once.
pub(super) fn prepare(check: &Check, inputs: &Inputs) -> Result<(), String> {
    let Some(folder) = &check.evidence else { return Ok(()) };
    if inputs.total_bytes().is_none() || check.captures.iter().any(|path| is_dash(path)) {
        return Err("--evidence reads the captures twice, and standard input or a pipe can be \
                    read only once; store it in a file first"
            .to_owned());
    }
    let fail = |error| format!("cannot write into `{}`: {error}", shown(folder));
    make_folder(folder)?;
    let own = fs::canonicalize(folder).map_err(fail)?;
    for capture in check.captures.iter().filter(|path| path.is_dir()) {
        if fs::canonicalize(capture).is_ok_and(|capture| own.starts_with(capture)) {
            return Err(format!(
                "the folder `{}` for evidence lies in the folder `{}` of captures; the next run \
                 would take the slices for captures",
                shown(folder),
                shown(capture)
            ));
        }
    }
    match stored(folder).map_err(fail)?.first() {
        None => Ok(()),
        Some(name) => Err(format!(
            "`{}` holds evidence of another run, {}; choose an empty folder",
            shown(folder),
            printable(name)
        )),
    }
}

/// Makes the folder of the slices where there is none.
fn make_folder(folder: &Path) -> Result<(), String> {
    let fail = |reason| format!("cannot write into `{}`: {reason}", shown(folder));
    if fs::metadata(folder).is_ok_and(|found| !found.is_dir()) {
        return Err(fail("it is no folder".to_owned()));
    }
    fs::create_dir_all(folder).map_err(|error| fail(error.to_string()))
}

/// Names of the slices in a folder.
fn stored(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("F-") && name.ends_with(".pcapng") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Makes the folder of a watch, and refuses one that it cannot write into.
#[cfg(unix)]
pub(super) fn prepare_folder(folder: &Path) -> Result<(), String> {
    make_folder(folder)?;
    Pending::create(&folder.join("F-.pcapng")).map(drop)
}

/// Writes the slices of a watch, and removes those of the report before that are not among them.
#[cfg(unix)]
pub(super) fn replace(folder: &Path, slices: &[Slice]) -> Result<(), String> {
    slices.iter().try_for_each(|slice| store(folder, slice))?;
    let fail = |error| format!("cannot clear out `{}`: {error}", shown(folder));
    for name in stored(folder).map_err(fail)? {
        if slices.iter().all(|slice| slice.file != name) {
            fs::remove_file(folder.join(&name)).map_err(fail)?;
        }
    }
    Ok(())
}

/// Reads the captures again, writes the slices and enters them into the report.
pub(super) fn write(
    check: &Check,
    folder: &Path,
    inputs: &[InputSummary],
    assessment: &Assessment,
    report: &mut Report,
) -> Result<(), String> {
    let mut evidence = Evidence::new(assessment, inputs, report, check.evidence_packets);
    read_again(check, inputs, report.accounting.flows, &mut evidence)?;
    let (slices, limits) = evidence.finish();
    for slice in slices {
        store(folder, &slice)?;
        slice.enter(report);
    }
    report.limits.extend(limits);
    Ok(())
}

/// Writes the file of a slice.
fn store(folder: &Path, slice: &Slice) -> Result<(), String> {
    let file = Pending::create(&folder.join(&slice.file))?;
    file.finish(|out| out.write_all(&slice.bytes))
}

fn read_again(
    check: &Check,
    inputs: &[InputSummary],
    flows: u64,
    evidence: &mut Evidence<'_>,
) -> Result<(), String> {
    let paths: Vec<PathBuf> = inputs.iter().map(|input| input.path.clone()).collect();
    let mut again = Inputs::open(&paths, Hashing::Sha256).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(|error| printable(&error.to_string())).collect();
        lines.join("\nportolan: ")
    })?;
    let meter = Meter::new(super::check::shows_progress(check), again.total_bytes());
    let mut batch = FrameBatch::default();
    let mut packets = 0;
    while again.fill(&mut batch) {
        evidence.push(&batch);
        packets += batch.frames.len() as u64;
        meter.read().store(again.read_bytes(), Ordering::Relaxed);
        meter.show(Progress { packets, flows });
    }
    meter.clear();
    for (first, second) in inputs.iter().zip(again.finish()) {
        if first.sha256 != second.sha256 || first.packets != second.packets {
            return Err(format!(
                "`{}` has changed while it was read; its evidence would not be that of the \
                 report. Check files that nobody writes to any more",
                shown(&first.path)
            ));
        }
    }
    Ok(())
}
