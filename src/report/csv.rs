//! The findings as CSV (RFC 4180), for those who work in a spreadsheet.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for
//! a formula, and text from packets and files may begin so. Such cells get an apostrophe in front;
//! control characters are written out as escapes.

use std::io::{self, Write};

use super::model::{Finding, Report, Side};
use super::text::printable;

/// The columns, in order.
const COLUMNS: [&str; 21] = [
    "id",
    "severity",
    "verdict",
    "code",
    "title",
    "initiator_roles",
    "initiators",
    "initiator_addresses",
    "responder_roles",
    "responders",
    "responder_addresses",
    "transport",
    "ports",
    "service",
    "flows",
    "packets",
    "frame_bytes",
    "first_seen",
    "last_seen",
    "expected",
    "remediation",
];

/// With what a formula begins; some spreadsheets take the wide forms as well.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Writes a header and one line for each finding.
///
/// # Errors
///
/// The writer's.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    line(out, COLUMNS.map(str::to_owned).as_slice())?;
    report.findings.iter().try_for_each(|finding| line(out, &cells(finding)))
}

fn cells(finding: &Finding) -> [String; 21] {
    let Finding { initiators, responders, service, volume, .. } = finding;
    [
        finding.id.clone(),
        finding.severity.clone(),
        finding.verdict.clone(),
        finding.code.clone(),
        finding.title.clone(),
        initiators.roles.join("+"),
        hosts(initiators),
        initiators.address_count.to_string(),
        responders.roles.join("+"),
        hosts(responders),
        responders.address_count.to_string(),
        service.transport.clone(),
        service.ports.clone(),
        service.name.clone().unwrap_or_default(),
        volume.flows.to_string(),
        volume.packets.to_string(),
        volume.frame_bytes.to_string(),
        finding.first_seen.clone().unwrap_or_default(),
        finding.last_seen.clone().unwrap_or_default(),
        finding.expected.clone(),
        finding.remediation.clone(),
    ]
}

/// `unity (10.1.1.11); 192.0.2.7`, most flows first.
fn hosts(side: &Side) -> String {
    let hosts = side.hosts.iter().map(|host| match &host.name {
        Some(name) => format!("{name} ({})", host.address),
        None => host.address.clone(),
    });
    hosts.collect::<Vec<_>>().join("; ")
}

fn line(out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// A cell that no spreadsheet takes for a formula and no terminal for a command.
fn quoted(cell: &str) -> String {
    let formula = cell.trim_start().starts_with(FORMULA) || cell.starts_with(['\t', '\r', '\n']);
    let apostrophe = if formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", printable(cell).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The characters are those of OWASP, "CSV Injection".
    #[test]
    fn formulas_and_controls_do_nothing() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u{ff1d}", "\u{ff20}"] {
            let cell = quoted(&format!("{start}cmd|' /C calc'!A0"));
            assert!(cell.starts_with("\"'"), "{cell}");
        }
        assert_eq!(quoted("a\u{1b}[31m\n"), "\"a\\u{1b}[31m\\u{a}\"");
        assert_eq!(quoted("say \"x\", y"), "\"say \"\"x\"\", y\"");
    }
}
