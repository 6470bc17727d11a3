//! The findings of a watch in a file, so that a restart neither forgets nor repeats them.
//!
//! A line for each finding and each change, the last of an identifier holds. Lines are appended;
//! now and then the file is written anew, beside the old one and then in its place. A line that
//! was cut off by a crash is the last one, and is left out. While the disk does not answer, nothing
//! waits for it; all that is known is appended once it does.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::appending::{Appending, Job, Written};
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
    /// The disk does not answer.
    #[error(
        "the disk has not answered yet about the state file `{}`: what is new is told all the same, \
         and remembered once it answers",
        path.display()
    )]
    Late {
        /// The file.
        path: PathBuf,
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
    /// The file, until it is first appended to.
    file: Option<File>,
    remembered: Vec<Known>,
    writing: Option<Appending>,
    /// Whether something could not be handed over because the disk did not answer.
    is_behind: bool,
    /// The findings that were appended since the file is being written anew, if it is.
    meanwhile: Option<BTreeSet<String>>,
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
        Ok(StateFile {
            path: path.to_owned(),
            file: Some(file),
            remembered,
            writing: None,
            is_behind: false,
            meanwhile: None,
        })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier run left.
    pub(super) fn take_remembered(&mut self) -> Vec<Known> {
        std::mem::take(&mut self.remembered)
    }

    /// Whether findings were not appended because the disk did not answer, and now it does: then
    /// all of them are to be appended.
    pub(super) fn take_behind(&mut self) -> bool {
        self.note_late();
        let is_busy = self.writing.as_ref().is_some_and(Appending::is_busy);
        !is_busy && std::mem::take(&mut self.is_behind)
    }

    fn note_late(&mut self) {
        let late = self.writing.as_mut().and_then(Appending::take_late);
        self.is_behind |= late.is_some_and(|result| result.is_err());
    }

    /// Appends findings as they are now. Waits half a second for the disk, and once.
    ///
    /// # Errors
    /// When the file cannot be written, or has not been yet.
    pub(super) fn append<'a>(
        &mut self,
        changed: impl Iterator<Item = &'a Known>,
    ) -> Result<(), StateError> {
        let mut lines = Vec::new();
        for known in changed {
            if let Some(meanwhile) = &mut self.meanwhile {
                meanwhile.insert(known.finding.id.clone());
            }
            push_line(&mut lines, known).map_err(|source| self.refused(source))?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        lines.push(b'\n');
        self.write(Job::Append(lines))
    }

    /// Begins to write the file anew. Until [`end_rewrite`](StateFile::end_rewrite), what is
    /// appended goes into the old file, and then into the new one.
    pub(super) fn begin_rewrite(&mut self) -> Rewriting {
        self.meanwhile = Some(BTreeSet::new());
        Rewriting { path: self.path.clone() }
    }

    /// Puts the new file in the place of the old one, with the findings that were appended meanwhile
    /// as `get` knows them.
    ///
    /// # Errors
    /// When it could not be written, or has not been yet; the old one is then still there.
    pub(super) fn end_rewrite<'a>(
        &mut self,
        written: io::Result<File>,
        get: impl Fn(&str) -> Option<&'a Known>,
    ) -> Result<(), StateError> {
        let meanwhile = self.meanwhile.take().unwrap_or_default();
        let (unfinished, path) = (unfinished(&self.path), self.path.clone());
        let job = written.and_then(|file| {
            let mut lines = Vec::new();
            let meanwhile = meanwhile.iter().filter_map(|id| get(id));
            for known in meanwhile {
                push_line(&mut lines, known)?;
            }
            if !lines.is_empty() {
                lines.push(b'\n');
            }
            Ok(Job::Replace { file, lines, unfinished: unfinished.clone(), path })
        });
        match job {
            Ok(job) => self.write(job),
            Err(source) => {
                // What is left of it is of no use.
                let _ = fs::remove_file(&unfinished);
                Err(self.refused(source))
            }
        }
    }

    /// Waits until all is written, however long the disk takes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn finish(&mut self) -> Result<(), StateError> {
        let waited = self.writing.as_mut().map_or(Ok(()), Appending::wait);
        waited.map_err(|source| self.refused(source))
    }

    /// Hands something to the thread that writes. What comes while the disk does not answer is
    /// left out, and made up for later.
    fn write(&mut self, job: Job) -> Result<(), StateError> {
        if let Some(file) = self.file.take() {
            // Not before: a thread must not begin until rights have been given up.
            let started = Appending::start(file).map_err(|source| self.refused(source))?;
            self.writing = Some(started);
        }
        self.note_late();
        match self.writing.as_mut().map(|writing| writing.write(job)) {
            Some(Written::Done(result)) => result.map_err(|source| self.refused(source)),
            Some(Written::Late) => Err(StateError::Late { path: self.path.clone() }),
            Some(Written::Busy) | None => {
                self.is_behind = true;
                Ok(())
            }
        }
    }

    fn refused(&self, source: io::Error) -> StateError {
        StateError::Io { what: "write", path: self.path.clone(), source }
    }
}

/// A newline before the line: behind a line that was cut off it begins a new one.
fn push_line(lines: &mut Vec<u8>, known: &Known) -> io::Result<()> {
    lines.push(b'\n');
    Ok(serde_json::to_writer(lines, known)?)
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

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;

    use super::*;

    /// A finding, as a line of the file has it.
    fn known(number: usize) -> Known {
        let text = format!(
            r#"{{"present":true,"told":true,"finding":{{"id":"F-{number:08}","severity":"low",
            "verdict":"violation","code":"undocumented-service","title":"{}","remediation":"",
            "initiators":[],"initiator_count":0,"responders":[],"responder_count":0,
            "transport":"tcp","ports":"1","rules":[],"flows":1}}}}"#,
            "x".repeat(1000)
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_a_disk_that_does_not_answer_missed_is_asked_for_once_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = StateFile::open(&folder.path().join("state")).unwrap();
        let (mut disk, pipe) = io::pipe().unwrap();
        state.file = Some(File::from(OwnedFd::from(pipe)));
        let many: Vec<_> = (0..200).map(known).collect();
        let late = state.append(many.iter());
        assert!(matches!(late, Err(StateError::Late { .. })));
        let begun = crate::live::clock::now();
        for one in &many {
            assert!(state.append([one].into_iter()).is_ok(), "told once");
        }
        assert!(
            begun.elapsed() < 20 * super::super::appending::PATIENCE,
            "waited for once, not two hundred times"
        );
        assert!(!state.take_behind(), "the disk does not answer yet");
        let reading = std::thread::spawn(move || {
            let mut text = Vec::new();
            disk.read_to_end(&mut text).unwrap();
            text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()
        });
        state.finish().unwrap();
        assert!(state.take_behind(), "the findings that were left out are asked for");
        assert!(!state.take_behind(), "once");
        drop(state);
        assert_eq!(reading.join().unwrap(), 200);
    }
}
