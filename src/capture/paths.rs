//! The paths a user gives, as a list of files: folders walked, doubles found, names in the
//! order that people number them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// A file to read.
#[derive(Debug)]
pub(super) struct Found {
    /// The path as given or as found.
    pub(super) path: PathBuf,
    /// Index of the given folder in which it was found; `None` when it was named itself.
    pub(super) folder: Option<usize>,
    /// Whether it can be opened again; pipes and devices cannot.
    pub(super) is_regular: bool,
}

/// A file of a folder that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why it is not read.
    pub reason: String,
}

/// What the paths lead to.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    pub(super) found: Vec<Found>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) errors: Vec<OpenError>,
    /// The folders among the paths.
    pub(super) folders: Vec<PathBuf>,
    /// Files by their true path, to find doubles.
    known: BTreeMap<PathBuf, PathBuf>,
}

/// Whether `path` stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Walks the folders among `paths` and checks that the rest is there.
pub(super) fn expand(paths: &[PathBuf]) -> Expansion {
    let mut expansion = Expansion::default();
    if paths.is_empty() {
        expansion.errors.push(OpenError::NoPath);
    }
    // Files named one by one go first, so that a folder which holds one of them skips it.
    let (folders, files): (Vec<_>, Vec<_>) =
        paths.iter().partition(|path| !is_stdin(path) && path.is_dir());
    for path in files {
        expansion.add_named(path);
    }
    for path in folders {
        expansion.folders.push(path.clone());
        expansion.walk(path, expansion.folders.len() - 1);
    }
    expansion
}

impl Expansion {
    fn add_named(&mut self, path: &Path) {
        let checked = if is_stdin(path) { Ok((path.to_owned(), false)) } else { true_path(path) };
        match checked {
            Err(source) => {
                self.errors.push(OpenError::Unreachable { path: path.to_owned(), source });
            }
            Ok((true_path, is_regular)) => {
                if let Some(first) = self.known.get(&true_path) {
                    let first = first.clone();
                    self.errors.push(OpenError::Duplicate { first, second: path.to_owned() });
                    return;
                }
                self.known.insert(true_path, path.to_owned());
                self.found.push(Found { path: path.to_owned(), folder: None, is_regular });
            }
        }
    }

    /// Collects the files below `top`. Links to folders are not followed, so the walk ends.
    fn walk(&mut self, top: &Path, folder: usize) {
        let mut waiting = vec![top.to_owned()];
        while let Some(path) = waiting.pop() {
            let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            let mut entries = match entries {
                Ok(entries) => entries,
                Err(source) => {
                    self.errors.push(OpenError::Unreachable { path, source });
                    continue;
                }
            };
            entries.sort_by(|a, b| natural_order(&a.path(), &b.path()));
            for entry in entries {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => waiting.push(entry.path()),
                    _ => self.add_entry(entry.path(), folder),
                }
            }
        }
    }

    fn add_entry(&mut self, path: PathBuf, folder: usize) {
        let reason = match true_path(&path) {
            Ok((true_path, true)) => match self.known.get(&true_path) {
                Some(first) => {
                    let name = first.file_name().unwrap_or(first.as_os_str());
                    format!("the same file as {}", name.display())
                }
                None => {
                    self.known.insert(true_path, path.clone());
                    self.found.push(Found { path, folder: Some(folder), is_regular: true });
                    return;
                }
            },
            Ok((_, false)) => "not a regular file".to_owned(),
            Err(error) => error.to_string(),
        };
        self.skipped.push(Skipped { path, reason });
    }
}

/// The path of a file without links, and whether it is a regular file. Pipes may have no path
/// but the one given (`/dev/fd/63`).
fn true_path(path: &Path) -> io::Result<(PathBuf, bool)> {
    if fs::metadata(path)?.is_file() {
        Ok((fs::canonicalize(path)?, true))
    } else {
        Ok((path.to_owned(), false))
    }
}

/// Compares paths so that runs of digits count as numbers: `ring9` before `ring10`.
pub(super) fn natural_order(a: &Path, b: &Path) -> Ordering {
    let (left, right) = (a.to_string_lossy(), b.to_string_lossy());
    let (mut x, mut y) = (left.as_bytes(), right.as_bytes());
    loop {
        let order = match (x, y) {
            ([p, ..], [q, ..]) if p.is_ascii_digit() && q.is_ascii_digit() => {
                let (number, other) = (leading_number(&mut x), leading_number(&mut y));
                number.len().cmp(&other.len()).then_with(|| number.cmp(other))
            }
            ([p, x_rest @ ..], [q, y_rest @ ..]) => {
                let order = p.cmp(q);
                (x, y) = (x_rest, y_rest);
                order
            }
            _ => return x.len().cmp(&y.len()).then_with(|| a.cmp(b)),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Cuts the leading digits off `text` and gives them without leading zeros.
fn leading_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(digits).unwrap_or((text, &[]));
    *text = rest;
    let zeros = number.iter().take_while(|byte| **byte == b'0').count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["r10.pcap", "r9.pcap", "r09b.pcap", "a", "r1/x", "r010.pcap", "r9.pcap2"];
        names.sort_by(|a, b| natural_order(Path::new(a), Path::new(b)));
        assert_eq!(
            names,
            ["a", "r1/x", "r9.pcap", "r9.pcap2", "r09b.pcap", "r010.pcap", "r10.pcap"]
        );
    }
}
