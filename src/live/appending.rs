//! Writes to the state file on a thread of its own, so that a disk that does not answer holds up
//! neither what is told nor whoever tells it.
//!
//! In: one thing to write after the other. Out: how it went, if that is known soon. Nothing is
//! queued: while the disk does not answer, whoever writes notes what it could not hand over.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

/// How long whoever writes waits for the disk. What is new is to be told within a second.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// What to write.
pub(super) enum Job {
    /// Lines at the end of the file.
    Append(Vec<u8>),
    /// A new file in the place of the old one, once `lines` are at its end.
    Replace { file: File, lines: Vec<u8>, unfinished: PathBuf, path: PathBuf },
}

/// How writing went, so far as it is known.
pub(super) enum Written {
    /// It is done, or was refused.
    Done(io::Result<()>),
    /// The disk has not answered yet.
    Late,
    /// Nothing was begun: the disk has not answered about something earlier.
    Busy,
}

/// The thread, seen from outside.
#[derive(Debug)]
pub(super) struct Appending {
    jobs: Sender<Job>,
    results: Receiver<io::Result<()>>,
    /// Whether a result is still to come.
    is_busy: bool,
}

impl Appending {
    /// Starts the thread.
    pub(super) fn start(file: File) -> io::Result<Self> {
        let (jobs, todo) = bounded(1);
        let (told, results) = bounded(1);
        let run = move || {
            let mut file = file;
            for job in todo {
                if told.send(write(&mut file, job)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("state".to_owned()).spawn(run)?;
        Ok(Appending { jobs, results, is_busy: false })
    }

    /// How something came out that was late; `None` while that is not known, and when nothing was.
    pub(super) fn take_late(&mut self) -> Option<io::Result<()>> {
        let result = self.results.try_recv().ok()?;
        self.is_busy = false;
        Some(result)
    }

    /// Whether the disk has not answered yet.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Writes, and waits for it a little.
    pub(super) fn write(&mut self, job: Job) -> Written {
        if self.is_busy {
            return Written::Busy;
        }
        self.is_busy = self.jobs.send(job).is_ok();
        match self.results.recv_timeout(PATIENCE) {
            Ok(result) => {
                self.is_busy = false;
                Written::Done(result)
            }
            Err(RecvTimeoutError::Timeout) => Written::Late,
            Err(RecvTimeoutError::Disconnected) => Written::Done(Err(gone())),
        }
    }

    /// Waits for what was late, however long that takes.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_busy) {
            return Ok(());
        }
        self.results.recv().unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that writes it has ended")
}

fn write(file: &mut File, job: Job) -> io::Result<()> {
    match job {
        Job::Append(lines) => file.write_all(&lines),
        Job::Replace { file: mut new, lines, unfinished, path } => {
            let placed = new.write_all(&lines).and_then(|()| fs::rename(&unfinished, &path));
            // What is left of it is of no use.
            placed.inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
            *file = new;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;

    use super::*;

    /// A pipe that nobody reads is a disk that does not answer.
    #[test]
    fn nothing_waits_for_long_and_what_was_late_is_written_in_the_end() {
        let (mut disk, pipe) = io::pipe().unwrap();
        let mut appending = Appending::start(File::from(OwnedFd::from(pipe))).unwrap();
        let much = vec![b'x'; 1 << 20];
        assert!(matches!(appending.write(Job::Append(much)), Written::Late));
        assert!(matches!(appending.write(Job::Append(b"left out".to_vec())), Written::Busy));
        assert!(appending.is_busy() && appending.take_late().is_none());
        let mut read = vec![0; 1 << 20];
        disk.read_exact(&mut read).unwrap();
        assert!(appending.wait().is_ok() && !appending.is_busy());
        let written = appending.write(Job::Append(b"at the end".to_vec()));
        assert!(matches!(written, Written::Done(Ok(()))));
        drop(appending);
        let mut rest = String::new();
        disk.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "at the end");
    }
}
