//! The summary for a terminal of 80 columns, made from the report.

use std::fmt::{self, Write};

use super::model::{CannotSay, Finding, Input, Measure, Report, Side, Undecoded};
use super::words::count;

/// Width that every line keeps to, file and host names aside.
const WIDTH: usize = 80;

/// Most findings shown one by one.
const FINDINGS: usize = 25;

/// Limits that the reasons tell of already.
const AMONG_REASONS: [&str; 4] =
    ["flow-table-full", "flow-detail-lost", "fragments-lost", "icmp-quotes-lost"];

/// Escape sequences for the few things that deserve colour; empty where colour is off.
#[derive(Clone, Copy, Debug, Default)]
pub struct Palette {
    colour: bool,
}

impl Palette {
    /// With or without colour.
    pub fn new(colour: bool) -> Self {
        Palette { colour }
    }

    fn paint(self, style: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn outcome(self, result: &str) -> String {
        let style = match result {
            "pass" => "1;32",
            "fail" => "1;31",
            _ => "1;33",
        };
        self.paint(style, &result.to_uppercase())
    }

    /// The name of a severity in seven columns.
    pub fn severity(self, severity: &str) -> String {
        let style = match severity {
            "high" => "1;31",
            "medium" => "33",
            "low" => "36",
            _ => "2",
        };
        self.paint(style, &format!("{severity:<7}"))
    }
}

/// The summary of a report.
pub fn summary(report: &Report, palette: Palette) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write_summary(&mut text, report, palette);
    text
}

fn write_summary(out: &mut String, report: &Report, palette: Palette) -> fmt::Result {
    headline(out, report, palette)?;
    facts(out, report)?;
    limitations(out, report, palette)?;
    findings(out, report, palette)?;
    coverage(out, report, palette)
}

fn headline(out: &mut String, report: &Report, palette: Palette) -> fmt::Result {
    let outcome = &report.outcome;
    write!(out, "{}  grade {},", palette.outcome(&outcome.result), outcome.grade)?;
    match outcome.failing_findings {
        0 => writeln!(out, " no finding at or above severity {}", report.run.fail_on),
        1 => writeln!(out, " 1 finding at or above severity {}", report.run.fail_on),
        count => writeln!(out, " {count} findings at or above severity {}", report.run.fail_on),
    }
}

fn facts(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out)?;
    let packets = report.window.packets;
    let inputs = report.inputs.len();
    let span = match (&report.window.first, &report.window.last) {
        (Some(first), Some(last)) => format!(", {} to {} UTC", minute(first), minute(last)),
        _ => String::new(),
    };
    fact(
        out,
        "capture",
        &format!("{}, {}{span}", count(inputs as u64, "file"), count(packets, "packet")),
    )?;
    for pack in report.policy.packs.iter().filter(|pack| pack.kind == "document") {
        let reading = &report.run.reading;
        fact(out, "policy", &format!("{} ({} rows), reading {reading}", pack.id, pack.rows))?;
    }
    let site = match (&report.site.sha256, report.site.name.as_str()) {
        (None, _) => "none given".to_owned(),
        (Some(_), "") => count(report.site.hosts, "entry"),
        (Some(_), name) => format!("{name}: {}", count(report.site.hosts, "entry")),
    };
    fact(out, "site", &site)?;
    let verdicts: Vec<String> = [
        "documented",
        "violation",
        "unknown-peer",
        "not-assessable",
        "waived",
        "infrastructure",
        "out-of-scope",
    ]
    .iter()
    .filter_map(|name| {
        let flows = report.summary.verdicts.get(*name)?.flows;
        (flows > 0).then(|| format!("{flows} {name}"))
    })
    .collect();
    let split =
        if verdicts.is_empty() { String::new() } else { format!(": {}", verdicts.join(", ")) };
    fact(out, "flows", &format!("{}{split}", report.accounting.flows))?;
    let poor: Vec<String> = grades(report).collect();
    if !poor.is_empty() {
        fact(out, "grade", &format!("{}: {}", report.outcome.grade, poor.join("; ")))?;
    }
    let health = &report.capture_health;
    undecoded(out, "undecoded", &health.undecoded)?;
    undecoded(out, "in tunnels", &health.undecoded_inside)?;
    unread(out, report)
}

/// How many packets could not be decoded, and why the most could not.
fn undecoded(out: &mut String, name: &str, stops: &[Undecoded]) -> fmt::Result {
    let packets = stops.iter().fold(0_u64, |sum, stop| sum.saturating_add(stop.packets));
    if packets == 0 {
        return Ok(());
    }
    let reasons: Vec<_> = stops.iter().take(2).map(|stop| stop.text.as_str()).collect();
    fact(out, name, &format!("{} not decoded: {}", count(packets, "packet"), reasons.join("; ")))
}

/// The measures that give the grade, unless it is the best.
fn grades(report: &Report) -> impl Iterator<Item = String> {
    let outcome = &report.outcome;
    let worst = outcome.measures.iter().filter(|one| one.grade == outcome.grade);
    worst.filter(|one| one.grade != "A").map(|one| {
        let Measure { text, part, whole, share_ppm, .. } = one;
        match whole {
            1 => text.clone(),
            _ => format!("{text}, {part} of {whole} ({})", per_cent(*share_ppm)),
        }
    })
}

/// Parts per million as a percentage: `0.0123 %`, `12.5 %`, `100 %`.
fn per_cent(per_million: u64) -> String {
    let text = format!("{}.{:04}", per_million / 10_000, per_million % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Files that were skipped or not read to their end.
fn unread(out: &mut String, report: &Report) -> fmt::Result {
    if let Some(first) = report.inputs_skipped.first() {
        let beyond = report.limits.iter().find(|limit| limit.code == "inputs-skipped-cut");
        let files = report.inputs_skipped.len() as u64 + beyond.map_or(0, |limit| limit.count);
        let first = format!("{}: {}", first.name, first.reason);
        fact(out, "skipped", &format!("{}, such as {first}", count(files, "file")))?;
    }
    for input in report.inputs.iter().filter(|input| input.ending != "complete") {
        fact(out, "input", &format!("{}: {}", input.name, ending(input)))?;
    }
    Ok(())
}

/// How an input ended, in the words of [`crate::capture::Ending`].
fn ending(input: &Input) -> String {
    let offset = input.ending_offset.unwrap_or(0);
    let reason = input.ending_reason.as_deref().unwrap_or_default();
    match input.ending.as_str() {
        "incomplete-tail" => format!("ends with {reason} at offset {offset}"),
        "interrupted" => "interrupted with the watch".to_owned(),
        "not-read" => format!("not read from offset {offset}"),
        fault => format!("{fault} at offset {offset}: {reason}"),
    }
}

fn limitations(out: &mut String, report: &Report, palette: Palette) -> fmt::Result {
    let limits: Vec<_> = report
        .limits
        .iter()
        .filter(|limit| !AMONG_REASONS.contains(&limit.code.as_str()))
        .collect();
    let said = &report.outcome.cannot_say;
    if said.is_empty() && limits.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", palette.bold("What this report cannot say"))?;
    for CannotSay { text, affects, remedy, .. } in said {
        let said = [text, affects, remedy].map(|part| sentence(part)).join(" ");
        wrapped(out, "  - ", "    ", &said)?;
    }
    for limit in limits {
        wrapped(out, "  - ", "    ", &sentence(&format!("{} {}", limit.count, limit.text)))?;
    }
    Ok(())
}

/// A fragment with its first letter as a capital and a full stop.
fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    format!("{}{}.", first.collect::<String>(), letters.as_str())
}

fn findings(out: &mut String, report: &Report, palette: Palette) -> fmt::Result {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", palette.bold("Findings"))?;
    for finding in report.findings.iter().take(FINDINGS) {
        one_finding(out, finding, palette)?;
    }
    let more = report.findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        writeln!(out, "  and {more} more; --report or --html writes all of them")?;
    }
    Ok(())
}

fn one_finding(out: &mut String, finding: &Finding, palette: Palette) -> fmt::Result {
    const INDENT: &str = "          ";
    let first = format!("  {} ", palette.severity(&finding.severity));
    wrapped_after(out, &first, 10, INDENT, &finding.title)?;
    if finding.initiators.address_count > 0 {
        let who = format!("{} -> {}", hosts(&finding.initiators), hosts(&finding.responders));
        wrapped(out, INDENT, INDENT, &who)?;
    }
    wrapped(out, INDENT, INDENT, &extent(finding))?;
    wrapped(out, INDENT, INDENT, &finding.expected)?;
    for missing in &finding.missing {
        wrapped(out, INDENT, INDENT, &format!("Missing: {missing}"))?;
    }
    Ok(())
}

/// The busiest hosts of a side.
fn hosts(side: &Side) -> String {
    let named: Vec<String> = side
        .hosts
        .iter()
        .take(2)
        .map(|host| match &host.name {
            Some(name) => format!("{name} {}", host.address),
            None => host.address.clone(),
        })
        .collect();
    match side.address_count.saturating_sub(2) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// How much there was of a finding, and its identifier.
fn extent(finding: &Finding) -> String {
    let states: Vec<_> = finding.states.iter().map(|(state, n)| format!("{n} {state}")).collect();
    let mut parts = Vec::new();
    if finding.volume.flows > 0 {
        parts.push(count(finding.volume.flows, "flow"));
        parts.push(count(finding.volume.packets, "packet"));
    }
    if finding.icmp_only_attempts > 0 {
        let attempts = count(finding.icmp_only_attempts, "attempt");
        parts.push(format!("{attempts} told by ICMP alone"));
    }
    match parts.is_empty() {
        true => finding.id.clone(),
        false => format!("{} ({}); {}", parts.join(", "), states.join(", "), finding.id),
    }
}

fn coverage(out: &mut String, report: &Report, palette: Palette) -> fmt::Result {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for rule in &report.rules {
        match counts.iter_mut().find(|(status, _)| *status == rule.status) {
            Some((_, count)) => *count += 1,
            None => counts.push((&rule.status, 1)),
        }
    }
    if counts.is_empty() {
        return Ok(());
    }
    counts.sort_by_key(|(status, count)| (std::cmp::Reverse(*count), *status));
    let counts: Vec<_> = counts.iter().map(|(status, n)| format!("{n} {status}")).collect();
    writeln!(out, "\n{}", palette.bold("Documented rows"))?;
    wrapped(out, "  ", "  ", &format!("{}: {}", report.rules.len(), counts.join(", ")))
}

fn fact(out: &mut String, name: &str, text: &str) -> fmt::Result {
    wrapped(out, &format!("  {name:<10}"), "            ", text)
}

fn wrapped(out: &mut String, first: &str, rest: &str, text: &str) -> fmt::Result {
    wrapped_after(out, first, first.chars().count(), rest, text)
}

/// Breaks `text` at spaces, and makes visible what would steer a terminal. `taken` is what `first`
/// occupies on the screen.
fn wrapped_after(
    out: &mut String,
    first: &str,
    taken: usize,
    rest: &str,
    text: &str,
) -> fmt::Result {
    out.write_str(first)?;
    let mut column = taken;
    let mut fresh = true;
    for word in printable(text).split(' ') {
        let width = word.chars().count();
        if !fresh && column + 1 + width > WIDTH {
            write!(out, "\n{rest}")?;
            column = rest.chars().count();
            fresh = true;
        }
        if !fresh {
            out.write_char(' ')?;
            column += 1;
        }
        out.write_str(word)?;
        column += width;
        fresh = false;
    }
    writeln!(out)
}

/// `2026-03-02 22:00` of an RFC 3339 time.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

/// Text from a file or a packet, with everything that could steer a terminal made visible.
pub fn printable(text: &str) -> String {
    let visible = |c: char| if steers(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(visible).collect()
}

/// Whether a character changes how those around it are shown: controls, marks and overrides of
/// direction, separators of lines and paragraphs, characters without width, annotations and tags.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_the_width() {
        let mut out = String::new();
        wrapped(&mut out, "  - ", "    ", &"word ".repeat(40)).unwrap();
        assert!(out.lines().count() > 2);
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(out.lines().skip(1).all(|line| line.starts_with("    w")));
    }

    #[test]
    fn shares_are_printed_as_they_were_compared() {
        let cases = [(0, "0 %"), (1, "0.0001 %"), (100, "0.01 %"), (125_000, "12.5 %")];
        for (share, text) in cases.into_iter().chain([(1_000_000, "100 %")]) {
            assert_eq!(per_cent(share), text);
        }
    }

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        // Unicode: directional marks and isolates, separators of lines and paragraphs, and the
        // invisible mark of byte order.
        for c in ['\u{61c}', '\u{200e}', '\u{2028}', '\u{2029}', '\u{2066}', '\u{feff}'] {
            assert_eq!(printable(&c.to_string()), c.escape_unicode().to_string());
        }
    }
}
