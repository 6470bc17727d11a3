//! Words and sizes that options take.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum SchemaName {
    /// The JSON report
    Report,
    /// One line of --flows
    Flow,
    /// One line of the events of watch
    #[cfg(unix)]
    Event,
    /// Site files
    Site,
    /// Policy packs
    Policy,
    /// Waiver files
    Waivers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// A summary for people
    Text,
    /// The JSON report
    Json,
    /// Annotations for GitHub Actions
    Github,
    /// SARIF 2.1.0
    Sarif,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FlowFormatName {
    /// The names of `portolan schema flow`
    Native,
    /// The names of the Elastic Common Schema
    Ecs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum SeverityName {
    Info,
    Low,
    Medium,
    High,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum GradeName {
    #[value(name = "A", alias = "a")]
    A,
    #[value(name = "B", alias = "b")]
    B,
    #[value(name = "C", alias = "c")]
    C,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum ReadingName {
    /// As the pack recommends
    Inferred,
    /// By the words of the document alone
    Literal,
}

/// A number of bytes with an optional binary suffix.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text.get(digits.len()..).unwrap_or("").to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        suffix => return Err(format!("`{suffix}` is no size; use K, M, G or T")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no size, such as 512M"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("4GiB"), Ok(4 << 30));
        assert_eq!(size("1000"), Ok(1000));
        assert!(size("lots").is_err());
        assert!(size("1X").is_err());
        assert!(size("99999999999T").is_err());
    }
}
