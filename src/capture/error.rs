//! Why the inputs named by the user cannot be used at all.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A problem with the paths given. Files that are there but are no captures are not among them:
/// their summary says so ([`Ending::Unreadable`](super::Ending::Unreadable)).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No path was given.
    #[error("no capture is named; name files or folders, or `-` for standard input")]
    NoPath,
    /// A path that does not exist or may not be opened.
    #[error("cannot open `{path}`: {source}")]
    Unreachable {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder in which nothing is a capture.
    #[error("no capture in the folder `{path}`: {}", looked_at(*skipped))]
    NoCapture {
        /// The folder.
        path: PathBuf,
        /// Files in it that are no captures.
        skipped: usize,
    },
    /// The same file under two of the paths; its packets would count twice.
    #[error("`{second}` is the same file as `{first}`; name it once")]
    Duplicate {
        /// The path named first.
        first: PathBuf,
        /// The path named later.
        second: PathBuf,
    },
}

/// What a folder without a capture holds, with the folders in it.
fn looked_at(files: usize) -> String {
    match files {
        0 => "it holds no file".to_owned(),
        1 => "the one file in it is neither pcap nor pcapng".to_owned(),
        files => format!("none of the {files} files in it is pcap or pcapng"),
    }
}
