//! The findings of a watch in a file, so that a restart neither forgets nor repeats them.
//!
//! A line for each finding and each change, the last of an identifier holds. Lines are appended;
//! now and then the file is written anew, beside the old one and then in its place. A line that
//! was cut off by a crash is the last one, and is left out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::known::Known;

/// The first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    portolan_state: u32,
}

const HEAD: Head = Head { portolan_state: 1 };

/// The state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system refused.
    #[error("cannot {what} the state file `{}`: {source}", path.display())]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is something else, or damaged.
    #[error(
        "line {line} of `{}` is not what a watch writes to its state file: {reason}; name \
         another file, or move this one away to begin without what it remembers",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
}

/// An open state file.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    file: File,
    remembered: Vec<Known>,
    /// What was appended since the file is being written anew, if it is.
    meanwhile: Option<Vec<u8>>,
}

/// A state file that is being written anew, beside the old one.
pub(super) struct Rewriting {
    path: PathBuf,
}

impl Rewriting {
    /// Writes what is known to the disk. What is appended meanwhile does not wait for that.
    pub(super) fn write(&self, all: &[Known]) -> io::Result<File> {
        create_whole(&unfinished(&self.path), |file| write_all(file, &mut all.iter()))
    }

    /// Sees to it that the file is found under its name after a loss of power.
    pub(super) fn settle(&self) {
        // The old one is as good, and nothing more can be done.
        let _ = sync_folder(&self.path);
    }
}

impl StateFile {
    /// Reads what an earlier run left, and opens the file to append to.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let remembered = match File::open(path) {
            Ok(file) => read(path, file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                return Err(StateError::Io { what: "read", path: path.to_owned(), source });
            }
        };
        let file = rewrite(path, &mut remembered.iter())?;
        Ok(StateFile { path: path.to_owned(), file, remembered, meanwhile: None })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier run left.
    pub(super) fn take_remembered(&mut self) -> Vec<Known> {
        std::mem::take(&mut self.remembered)
    }

    /// Appends findings as they are now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn append<'a>(
        &mut self,
        changed: impl Iterator<Item = &'a Known>,
    ) -> Result<(), StateError> {
        let mut text = Vec::new();
        for known in changed {
            // A newline before the line: behind a line that was cut off it begins a new one.
            text.push(b'\n');
            let written = serde_json::to_writer(&mut text, known);
            written.map_err(|error| self.refused(error.into()))?;
        }
        if text.is_empty() {
            return Ok(());
        }
        text.push(b'\n');
        self.meanwhile.iter_mut().for_each(|meanwhile| meanwhile.extend(&text));
        self.file.write_all(&text).map_err(|source| self.refused(source))
    }

    /// Begins to write the file anew. Until [`end_rewrite`](StateFile::end_rewrite), what is
    /// appended goes into the old file and into the new one.
    pub(super) fn begin_rewrite(&mut self) -> Rewriting {
        self.meanwhile = Some(Vec::new());
        Rewriting { path: self.path.clone() }
    }

    /// Puts the new file in the place of the old one.
    ///
    /// # Errors
    /// When it could not be written; the old one is then still there.
    pub(super) fn end_rewrite(&mut self, written: io::Result<File>) -> Result<(), StateError> {
        let meanwhile = self.meanwhile.take().unwrap_or_default();
        let unfinished = unfinished(&self.path);
        let placed = written.and_then(|mut file| {
            file.write_all(&meanwhile)?;
            fs::rename(&unfinished, &self.path)?;
            Ok(file)
        });
        self.file = placed.map_err(|source| {
            // What is left of it is of no use.
            let _ = fs::remove_file(&unfinished);
            self.refused(source)
        })?;
        Ok(())
    }

    fn refused(&self, source: io::Error) -> StateError {
        StateError::Io { what: "write", path: self.path.clone(), source }
    }
}

fn read(path: &Path, file: File) -> Result<Vec<Known>, StateError> {
    let damaged =
        |line: usize, reason: String| StateError::Damaged { path: path.to_owned(), line, reason };
    let mut by_id = std::collections::BTreeMap::new();
    let mut head_seen = false;
    for (index, line) in BufReader::new(file).split(b'\n').enumerate() {
        let line =
            line.map_err(|source| StateError::Io { what: "read", path: path.to_owned(), source })?;
        if line.is_empty() {
            continue;
        }
        if !head_seen {
            let head: Result<Head, _> = serde_json::from_slice(&line);
            match head {
                Ok(HEAD) => head_seen = true,
                Ok(other) => {
                    let version = other.portolan_state;
                    return Err(damaged(index + 1, format!("its version is {version}, not 1")));
                }
                Err(error) => return Err(damaged(index + 1, error.to_string())),
            }
            continue;
        }
        match serde_json::from_slice::<Known>(&line) {
            Ok(known) => {
                by_id.insert(known.finding.id.clone(), known);
            }
            // A crash or a full disk cut a line off; what came after it begins a new one.
            Err(error) if error.is_eof() => {}
            Err(error) => return Err(damaged(index + 1, error.to_string())),
        }
    }
    Ok(by_id.into_values().collect())
}

/// Writes the file anew and opens it to append to.
fn rewrite(path: &Path, all: &mut dyn Iterator<Item = &Known>) -> Result<File, StateError> {
    let written = in_place(path, |file| write_all(file, all));
    let opened = written.and_then(|()| OpenOptions::new().append(true).open(path));
    opened.map_err(|source| StateError::Io { what: "write", path: path.to_owned(), source })
}

fn write_all(file: File, all: &mut dyn Iterator<Item = &Known>) -> io::Result<File> {
    let mut out = BufWriter::new(file);
    serde_json::to_writer(&mut out, &HEAD)?;
    out.write_all(b"\n")?;
    for known in all {
        serde_json::to_writer(&mut out, known)?;
        out.write_all(b"\n")?;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Writes a new file beside an old one and puts it in its place once it is on the disk. Nobody
/// else may read it: it holds what strangers sent.
///
/// # Errors
/// When the system refuses; the old file is then still there.
pub(super) fn in_place(
    path: &Path,
    write: impl FnOnce(File) -> io::Result<File>,
) -> io::Result<()> {
    let unfinished = unfinished(path);
    create_whole(&unfinished, write).and_then(|_| fs::rename(&unfinished, path)).inspect_err(
        // What is left of it is of no use.
        |_| drop(fs::remove_file(&unfinished)),
    )?;
    sync_folder(path)
}

/// The name of a file until it is whole.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    path.with_file_name(name)
}

/// Writes a file to the disk.
fn create_whole(path: &Path, write: impl FnOnce(File) -> io::Result<File>) -> io::Result<File> {
    let file = create(path).and_then(write)?;
    file.sync_all()?;
    Ok(file)
}

/// Writes the names of a file's folder to the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<File> {
    File::create(path)
}
