//! The JSON report as bytes, written and read back. A report of another major version of the shape
//! is refused, and so is one with fields that this version does not know.

use std::io::{self, Write};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

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

/// Writes the JSON report.
///
/// # Errors
///
/// The writer's.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// SHA-256, in hexadecimal, of the bytes that [`write`] writes.
///
/// # Errors
///
/// None in practice: nothing is written but into the hash.
pub fn sha256(report: &Report) -> io::Result<String> {
    struct Hash(Sha256);
    impl Write for Hash {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hash = Hash(Sha256::new());
    write(&mut io::BufWriter::new(&mut hash), report)?;
    Ok(hex(&hash.0.finalize()))
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
