//! Files and standard output: checked before the run, in place only when complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

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
        let name = path.file_name().filter(|_| !path.is_dir());
        let Some(name) = name else {
            return Err(format!("cannot write `{}`: it names no file", shown(path)));
        };
        let mut name = name.to_owned();
        name.push(".unfinished");
        let unfinished = path.with_file_name(name);
        let file = File::create(&unfinished)
            .map_err(|error| format!("cannot write `{}`: {error}", shown(path)))?;
        Ok(Pending { path: path.to_owned(), unfinished, file: BufWriter::new(file) })
    }

    /// Whether both would end under the same name, however it is written.
    pub(super) fn is_same(&self, other: &Pending) -> bool {
        let place = |pending: &Pending| fs::canonicalize(&pending.unfinished).ok();
        place(self).is_some_and(|one| place(other) == Some(one))
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
