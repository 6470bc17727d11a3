//! `portolan report verify`: finds the files that a report names, and says what agrees.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::output::to_stdout;
use super::{Exit, shown};
use crate::judge::EMBEDDED;
use crate::report::verify::{Answer, Candidate, Check, FlowTotals, Wanted, compare, own, wanted};
use crate::report::{Hashed, StoredReport, model::Report, printable};

/// Runs the command.
pub(super) fn run(path: &Path, places: &[PathBuf]) -> Result<Exit, String> {
    let text = super::report::bytes(path)?;
    let stored = StoredReport::read(&text)
        .map_err(|error| format!("`{}` {}", shown(path), printable(&error.to_string())))?;
    let wanted = wanted(&stored.report);
    let files = find(path, places, &wanted)?;
    let found: Vec<Candidate> = files.iter().map(|(file, _)| file.clone()).collect();
    let mut checks = own(&text, &stored.report);
    checks.extend(wanted.iter().map(|file| compare(file, &found)));
    checks.extend(flow_totals(&stored.report, &files)?);
    print(&checks, &stored.sha256)
}

/// The files that may be meant: those named, those in the folders named and in the folder of the
/// report that bear a name which the report uses, and the packs that are built in.
fn find(
    report: &Path,
    places: &[PathBuf],
    wanted: &[Wanted],
) -> Result<Vec<(Candidate, PathBuf)>, String> {
    let mut paths = Vec::new();
    let home = report.parent().filter(|folder| !folder.as_os_str().is_empty());
    let home = home.unwrap_or(Path::new("."));
    for place in places.iter().map(PathBuf::as_path).chain([home]) {
        if !place.is_dir() {
            paths.push(place.to_owned());
            continue;
        }
        // Below the folder of the report only the folder itself and folders named are looked at.
        let deep = places.iter().any(|named| named == place);
        for path in files_of(place, deep)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if wanted.iter().any(|file| file.name.as_deref() == Some(&*name)) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sha256 = hash(&path).map_err(|error| unreadable(&path, &error))?;
        files.push((Candidate { name, sha256 }, path));
    }
    for pack in EMBEDDED {
        let mut sink = io::sink();
        let mut hashed = Hashed::new(&mut sink);
        let copied = io::copy(&mut pack.text.as_bytes(), &mut hashed);
        copied.map_err(|error| error.to_string())?;
        let (_, sha256) = hashed.finish();
        files.push((Candidate { name: pack.name.to_owned(), sha256 }, PathBuf::new()));
    }
    Ok(files)
}

/// The files of a folder, and of the folders in it when `deep`. Links to folders are not followed.
fn files_of(folder: &Path, deep: bool) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && deep => waiting.push(entry.path()),
                Ok(kind) if kind.is_file() || kind.is_symlink() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    Ok(files.into_iter().filter(|path| path.is_file()).collect())
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read `{}`: {error}", shown(path))
}

fn hash(path: &Path) -> io::Result<String> {
    let mut sink = io::sink();
    let mut hashed = Hashed::new(&mut sink);
    io::copy(&mut File::open(path)?, &mut hashed)?;
    Ok(hashed.finish().1)
}

/// Adds up the flow list again.
fn flow_totals(report: &Report, files: &[(Candidate, PathBuf)]) -> Result<Option<Check>, String> {
    let Some(list) = &report.flow_list else { return Ok(None) };
    let same = files.iter().find(|(file, _)| file.sha256 == list.sha256);
    let Some((_, path)) = same.or_else(|| files.iter().find(|(file, _)| file.name == list.file))
    else {
        return Ok(None);
    };
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let read: Box<dyn Read> = match list.file.ends_with(".zst") {
        true => Box::new(zstd::Decoder::new(file).map_err(|error| unreadable(path, &error))?),
        false => Box::new(file),
    };
    let mut totals = FlowTotals::default();
    for (number, line) in BufReader::new(read).split(b'\n').enumerate() {
        let added = line.map_err(|error| error.to_string()).and_then(|line| totals.add(&line));
        if let Err(error) = added {
            let answer = Answer::Differs(format!("line {}: {}", number + 1, printable(&error)));
            return Ok(Some(Check { what: "totals of the flow list".to_owned(), answer }));
        }
    }
    Ok(Some(totals.check(report)))
}

/// So many files of evidence that agree, or were not found, are told in one line.
const FEW: usize = 20;

fn print(checks: &[Check], sha256: &str) -> Result<Exit, String> {
    let mut exit = Exit::Pass;
    let is_slice = |check: &Check| check.what.starts_with("evidence ");
    let like = |wanted: fn(&Answer) -> bool| {
        checks.iter().filter(|check| is_slice(check) && wanted(&check.answer)).count()
    };
    let agreed = like(|answer| *answer == Answer::Agrees);
    let unchecked = like(|answer| matches!(answer, Answer::Unchecked(_)));
    let in_one_line = |check: &Check| match check.answer {
        Answer::Agrees => is_slice(check) && agreed >= FEW,
        Answer::Unchecked(_) => is_slice(check) && unchecked >= FEW,
        Answer::Differs(_) => false,
    };
    to_stdout(|out| {
        for check in checks.iter().filter(|check| !in_one_line(check)) {
            let what = printable(&check.what);
            match &check.answer {
                Answer::Agrees => writeln!(out, "agrees     {what}")?,
                Answer::Differs(how) => writeln!(out, "DIFFERS    {what}: {}", printable(how))?,
                Answer::Unchecked(why) => writeln!(out, "unchecked  {what}: {}", printable(why))?,
            }
        }
        if agreed >= FEW {
            writeln!(out, "agrees     {agreed} files of evidence")?;
        }
        if unchecked >= FEW {
            let what = "files of evidence that were not found; name them, or their folder";
            writeln!(out, "unchecked  {unchecked} {what}")?;
        }
        writeln!(out, "\nSHA-256 of the report, to be signed or kept elsewhere: {sha256}")
    })?;
    for check in checks {
        exit = exit.or(match check.answer {
            Answer::Agrees => Exit::Pass,
            Answer::Differs(_) => Exit::Findings,
            Answer::Unchecked(_) => Exit::Inconclusive,
        });
    }
    Ok(exit)
}
