//! The findings as workflow commands of GitHub Actions, which shows them as annotations.
//!
//! In: a report. Out: one line for each finding, and one for the result. The escapes are those of
//! the workflow commands (GitHub documentation, "Workflow commands for GitHub Actions"): text that
//! holds a line break would else begin a command of its own.

use std::io::{self, Write};

use super::consistency::{can_fail, weight};
use super::model::{Finding, Report};
use super::text::printable;

/// Writes the annotations, heaviest first.
///
/// # Errors
///
/// The writer's.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for finding in &report.findings {
        let command = command(report, finding);
        let title = property(&format!("{} {} ({})", finding.id, finding.code, finding.severity));
        let text = [finding.title.as_str(), &finding.expected, &finding.remediation];
        let text: Vec<_> = text.into_iter().filter(|text| !text.is_empty()).collect();
        writeln!(out, "::{command} title={title}::{}", data(&text.join("\n")))?;
    }
    let outcome = &report.outcome;
    let command = match outcome.result.as_str() {
        "pass" => "notice",
        "fail" => "error",
        _ => "warning",
    };
    let summary = format!(
        "{}: {} findings, {} of them fail the run; evidence grade {}",
        outcome.result,
        report.findings.len(),
        outcome.failing_findings,
        outcome.grade
    );
    writeln!(out, "::{command} title=portolan::{}", data(&summary))
}

/// An error is what fails the run.
fn command(report: &Report, finding: &Finding) -> &'static str {
    let heavy = weight(&finding.severity) >= weight(&report.run.fail_on);
    match (can_fail(finding), heavy) {
        (true, true) => "error",
        (_, false) => "notice",
        (false, true) => "warning",
    }
}

/// Text of a message. Line breaks stay line breaks, other controls are written out.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| printable(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// Text of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_begin_a_command() {
        assert_eq!(data("100%\n::set-env name=x::y"), "100%25%0A::set-env name=x::y");
        assert_eq!(property("a: b, c\r\n"), "a%3A b%2C c");
        assert!(!data("a\rb").contains('\r'));
    }
}
