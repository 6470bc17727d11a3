//! Text as it may stand in the page, in elements and in quoted attributes alike.

use std::fmt::{self, Write};

use askama::filters::Escaper;

use crate::report::text::steers;

/// Writes markup as text, and characters that would steer what is shown around them (controls,
/// marks and overrides of direction, other invisible ones) as their numbers: `\u{202e}`.
#[derive(Clone, Copy, Debug)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut out: W, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| write_char(&mut out, c))
    }

    fn write_escaped_char<W: Write>(&self, mut out: W, c: char) -> fmt::Result {
        write_char(&mut out, c)
    }
}

fn write_char<W: Write>(out: &mut W, c: char) -> fmt::Result {
    match c {
        '<' => out.write_str("&lt;"),
        '>' => out.write_str("&gt;"),
        '&' => out.write_str("&amp;"),
        '"' => out.write_str("&quot;"),
        '\'' => out.write_str("&#39;"),
        c if steers(c) => write!(out, "{}", c.escape_unicode()),
        c => out.write_char(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts() {
        let mut out = String::new();
        Visible.write_escaped_str(&mut out, "<b a='\"'>&\u{1b}[2J\u{202e}\u{e9}").unwrap();
        let text = "&lt;b a=&#39;&quot;&#39;&gt;&amp;\\u{1b}[2J\\u{202e}\u{e9}";
        assert_eq!(out, text);
    }
}
