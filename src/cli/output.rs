//! Files and standard output: checked before the run, in place only when complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::args::{Check, Format};
use super::shown;

/// A file that appears under its name only when it is complete.
#[derive(Debug)]
pub(super) struct Pending {
    path: PathBuf,
    unfinished: PathBuf,
    file: BufWriter<File>,
}

impl Pending {
    /// Opens a file beside `path`, so that a bad path fails before a long run and not after it.
    pub(super) fn create(path: &Path) -> Result<Self, String> {
        let unfinished = unfinished_name(path)?;
        let file = File::create(&unfinished)
            .map_err(|error| format!("cannot write `{}`: {error}", shown(path)))?;
        Ok(Pending { path: path.to_owned(), unfinished, file: BufWriter::new(file) })
    }

    /// Writes the content and gives the file its name.
    pub(super) fn finish(
        mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), String> {
        let written = write(&mut self.file).and_then(|()| self.file.flush());
        let placed = written.and_then(|()| fs::rename(&self.unfinished, &self.path));
        placed.map_err(|error| format!("cannot write `{}`: {error}", shown(&self.path)))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Gone already when the file was finished.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// The name under which a file is written.
fn unfinished_name(path: &Path) -> Result<PathBuf, String> {
    let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
        return Err(format!("cannot write `{}`: it names no file", shown(path)));
    };
    let mut name = name.to_owned();
    name.push(".unfinished");
    Ok(path.with_file_name(name))
}

/// The true path of a file that may not exist yet, in a folder that must.
fn true_path(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path).or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
        Ok(folder.join(path.file_name().unwrap_or_default()))
    })
}

/// A file that the run shall write.
#[derive(Debug)]
struct Output<'a> {
    path: &'a Path,
    /// The true paths of the files that writing it replaces: its own, and that of the unfinished
    /// file.
    replaced: [PathBuf; 2],
}

impl<'a> Output<'a> {
    /// `None` for standard output.
    fn of(path: Option<&'a Path>) -> Result<Option<Self>, String> {
        let Some(path) = path.filter(|path| !is_dash(path)) else { return Ok(None) };
        let unfinished = unfinished_name(path)?;
        let place = |file: &Path| {
            true_path(file).map_err(|error| format!("cannot write `{}`: {error}", shown(path)))
        };
        Ok(Some(Output { path, replaced: [place(path)?, place(&unfinished)?] }))
    }
}

/// Whether the report goes to standard output.
pub(super) fn report_to_stdout(check: &Check) -> bool {
    check.format == Format::Json || check.report.as_deref().is_some_and(is_dash)
}

/// Whether the flows go to standard output.
pub(super) fn flows_to_stdout(check: &Check) -> bool {
    check.flows.as_deref().is_some_and(is_dash)
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The files that a run shall write.
#[derive(Debug)]
pub(super) struct Outputs<'a> {
    report: Option<Output<'a>>,
    flows: Option<Output<'a>>,
}

/// The same, opened.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) report: Option<Pending>,
    pub(super) flows: Option<Pending>,
}

impl<'a> Outputs<'a> {
    /// The outputs asked for, if they do not get in each other's way.
    pub(super) fn of(check: &'a Check) -> Result<Self, String> {
        if report_to_stdout(check) && flows_to_stdout(check) {
            return Err("report and flows cannot both go to standard output".to_owned());
        }
        let report = Output::of(check.report.as_deref())?;
        let flows = Output::of(check.flows.as_deref())?;
        if let (Some(report), Some(flows)) = (&report, &flows)
            && flows.replaced.iter().any(|path| report.replaced.contains(path))
        {
            return Err(format!("report and flows cannot both go to `{}`", shown(flows.path)));
        }
        Ok(Outputs { report, flows })
    }

    /// Refuses to write over what the run is made from.
    pub(super) fn refuse_files_read(&self, check: &Check) -> Result<(), String> {
        for capture in check.captures.iter().filter(|path| !is_dash(path)) {
            self.refuse("a capture", capture)?;
        }
        let rules = [("the site file", &check.site), ("the waiver file", &check.waivers)];
        for (what, path) in rules {
            if let Some(path) = path {
                self.refuse(what, path)?;
            }
        }
        // An embedded pack is no file, unless a file of that name is in the way.
        check.policy.iter().try_for_each(|name| self.refuse("a policy file", Path::new(name)))
    }

    /// Refuses to write over a file that the run reads.
    pub(super) fn refuse(&self, what: &str, read: &Path) -> Result<(), String> {
        let Ok(read) = fs::canonicalize(read) else { return Ok(()) };
        for output in [&self.report, &self.flows].into_iter().flatten() {
            if output.replaced.contains(&read) {
                let output = shown(output.path);
                return Err(format!(
                    "cannot write `{output}`: that would replace {what}; choose another name"
                ));
            }
        }
        Ok(())
    }

    /// Opens the files, so that a bad path fails before a long run.
    pub(super) fn create(&self) -> Result<Files, String> {
        let create = |output: &Option<Output<'_>>| {
            output.as_ref().map(|output| Pending::create(output.path)).transpose()
        };
        Ok(Files { report: create(&self.report)?, flows: create(&self.flows)? })
    }
}

/// Writes to standard output. A reader that has gone away ends the printing, not the run.
pub(super) fn to_stdout(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), String> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(format!("cannot write to standard output: {error}")),
        Ok(()) => Ok(()),
    }
}
