//! The report as one page for people: the model in, HTML out. The page shows the numbers of the
//! JSON report and decides nothing. It needs no network and no script, and whatever a packet or a
//! file said is text in it.

mod escape;

use std::io::{self, Write};

use askama::Template;

use super::model::Report;

pub use escape::Visible;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    report: &'a Report,
    sha256: &'a str,
}

/// Writes the page of a report. `sha256` is the hash of the JSON report that the page shows.
///
/// # Errors
///
/// The writer's.
pub fn write(out: &mut dyn Write, report: &Report, sha256: &str) -> io::Result<()> {
    Page { report, sha256 }.write_into(out)
}
