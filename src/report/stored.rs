//! The JSON report as bytes, written and read back. A report of another major version of the shape
//! is refused, and so is one with fields that this version does not know.

use std::io::{self, Write};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::json::write_pretty;
use super::model::{Report, SCHEMA_VERSION};

/// A report that was read back.
#[derive(Clone, Debug)]
pub struct StoredReport {
    /// The report.
    pub report: Report,
    /// SHA-256 of its bytes in hexadecimal.
    pub sha256: String,
}

/// Why a report cannot be used.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The text is no JSON object with a version.
    #[error("is no JSON report: {0}; use a file that `portolan check --report` wrote")]
    NoReport(serde_json::Error),
    /// The shape is that of another major version.
    #[error(
        "has shape {found}, and this version of portolan reads {SCHEMA_VERSION}; use the version \
         that wrote it, or check the captures again"
    )]
    OtherVersion {
        /// Version that the report names.
        found: String,
    },
    /// The shape is not what its version says.
    #[error(
        "does not have the shape it claims ({found}, and this version of portolan reads \
         {SCHEMA_VERSION}): {error}; use the version that wrote it"
    )]
    OtherShape {
        /// Version that the report names.
        found: String,
        /// What does not fit, with line and column.
        error: serde_json::Error,
    },
}

/// What a report of any version begins with.
#[derive(Deserialize)]
struct Header {
    schema_version: String,
}

impl StoredReport {
    /// Reads the bytes of a JSON report.
    ///
    /// # Errors
    ///
    /// The bytes are no report, or one of another version.
    pub fn read(text: &[u8]) -> Result<Self, ReadError> {
        let header: Header = serde_json::from_slice(text).map_err(ReadError::NoReport)?;
        let found = header.schema_version;
        if major(&found) != major(SCHEMA_VERSION) {
            return Err(ReadError::OtherVersion { found });
        }
        let report =
            serde_json::from_slice(text).map_err(|error| ReadError::OtherShape { found, error })?;
        Ok(StoredReport { report, sha256: hex(&Sha256::digest(text)) })
    }
}

/// What stands in a report in place of its own hash while that is made.
pub(super) const UNSEALED: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// Gives a report the hash by which a change of it shows. To be done last.
///
/// # Errors
///
/// None in practice: nothing is written but into the hash.
pub fn seal(report: &mut Report) -> io::Result<()> {
    UNSEALED.clone_into(&mut report.attestation.sha256);
    report.attestation.sha256 = sha256(report)?;
    Ok(())
}

/// The hash that the bytes of a report should hold, when they hold `claimed`.
pub(super) fn seal_of(text: &[u8], claimed: &str) -> String {
    let length = claimed.len();
    let mut blanked = text.to_vec();
    // The hash stands in the last block.
    let places = text.len().saturating_sub(length);
    let at = (0..=places).rev().find(|at| text.get(*at..at + length) == Some(claimed.as_bytes()));
    if let Some(place) = at.and_then(|at| blanked.get_mut(at..at + length)) {
        place.fill(b'0');
    }
    hex(&Sha256::digest(&blanked))
}

/// Writes on, and keeps the length and the hash of what was written.
pub struct Hashed<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
    size: u64,
}

impl<'a> Hashed<'a> {
    /// Writes to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Hashed { out, hash: Sha256::new(), size: 0 }
    }

    /// Bytes written, and their SHA-256 in hexadecimal.
    pub fn finish(self) -> (u64, String) {
        (self.size, hex(&self.hash.finalize()))
    }
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes the JSON report.
///
/// # Errors
///
/// The writer's.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_pretty(out, report)?;
    out.write_all(b"\n")
}

/// SHA-256, in hexadecimal, of the bytes that [`write()`] writes.
///
/// # Errors
///
/// None in practice: nothing is written but into the hash.
pub fn sha256(report: &Report) -> io::Result<String> {
    let mut sink = io::sink();
    let mut hashed = Hashed::new(&mut sink);
    write(&mut io::BufWriter::new(&mut hashed), report)?;
    Ok(hashed.finish().1)
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_versions_and_other_files_are_refused() {
        let refused = |text: &str| StoredReport::read(text.as_bytes()).unwrap_err();
        assert!(matches!(refused("not json"), ReadError::NoReport(_)));
        assert!(matches!(refused("{}"), ReadError::NoReport(_)));
        let other = refused(r#"{"schema_version": "2.0.0", "all": "else"}"#);
        assert!(matches!(&other, ReadError::OtherVersion { found } if found == "2.0.0"));
        assert!(matches!(refused(r#"{"schema_version": "1.9.0"}"#), ReadError::OtherShape { .. }));
    }
}
