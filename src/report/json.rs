//! JSON whose text does nothing where it is shown.
//!
//! In: what is to be written. Out: the same JSON as ever, but for characters that would steer a
//! terminal or turn the text around them: they are written as escapes (RFC 8259 section 7), so
//! that a reader of the JSON gets them back and a reader of the bytes sees them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::text::steers;

/// Writes a value over several lines, without a line feed behind it.
///
/// # Errors
///
/// The writer's.
pub(super) fn write_pretty(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let formatter = Visible(PrettyFormatter::new());
    Ok(value.serialize(&mut Serializer::with_formatter(out, formatter))?)
}

/// Writes a value in one line, without a line feed behind it.
///
/// # Errors
///
/// The writer's.
pub fn write_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut Serializer::with_formatter(out, Visible(CompactFormatter)))?)
}

/// A formatter that escapes what steers.
struct Visible<F>(F);

impl<F: Formatter> Formatter for Visible<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all text: nothing of ASCII steers but the controls.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return self.0.write_string_fragment(out, fragment);
        }
        for part in fragment.split_inclusive(steers) {
            let plain = part.trim_end_matches(steers);
            self.0.write_string_fragment(out, plain)?;
            for unit in part.get(plain.len()..).unwrap_or_default().encode_utf16() {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_escaped_and_read_back() {
        let text = "a\u{9b}31m\u{202e}\u{7f}\u{e0041}\u{1b}\"\\\u{e9}\u{200b}\u{200b}z";
        let value = serde_json::json!({ text: [text, 1, {}], "plain": [] });
        let mut line = Vec::new();
        write_line(&mut line, &value).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert!(!line.contains(steers), "{line:?}");
        assert!(line.contains("\\u009b31m\\u202e\\u007f\\udb40\\udc41\\u001b\\\"\\\\\u{e9}"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
        let mut pretty = Vec::new();
        write_pretty(&mut pretty, &value).unwrap();
        let pretty = String::from_utf8(pretty).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&pretty).unwrap(), value);
        // But for the escapes both are as serde_json itself writes them.
        let plain = serde_json::json!({ "a": [1, { "b": [] }], "c": "\n" });
        let mut written = Vec::new();
        write_pretty(&mut written, &plain).unwrap();
        assert_eq!(written, serde_json::to_vec_pretty(&plain).unwrap());
    }
}
