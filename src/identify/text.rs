//! Lines of text protocols: commands that begin with a known word, replies that begin with a
//! number, and start lines in the manner of HTTP.

use super::messages::Look;

/// Longest line looked at. RFC 5321 section 4.5.3.1 has 512 bytes, RFC 959 no bound.
const LONGEST_LINE: usize = 2048;

/// A line found at the beginning of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Without its end.
    pub(super) text: &'a [u8],
    /// Bytes with its end.
    pub(super) length: usize,
}

/// The first line, when it is whole, ends with LF or CR LF, and is text: no control character
/// but the horizontal tab.
pub(super) fn line(bytes: &[u8]) -> Look<Line<'_>> {
    for (at, byte) in bytes.iter().take(LONGEST_LINE).enumerate() {
        match byte {
            b'\n' => {
                let text = bytes.get(..at).unwrap_or_default();
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                return Look::Fits { length: at + 1, what: Line { text, length: at + 1 } };
            }
            b'\r' if matches!(bytes.get(at + 1), None | Some(b'\n')) => {}
            b'\t' | 0x20..=0x7e | 0x80.. => {}
            _ => return Look::Differs,
        }
    }
    if bytes.len() < LONGEST_LINE { Look::Open } else { Look::Differs }
}

/// Whether bytes begin with a word, whatever its case; `None` when they end within it.
pub(super) fn begins_with(bytes: &[u8], word: &[u8]) -> Option<bool> {
    let shared = bytes.len().min(word.len());
    let same = bytes.iter().zip(word).all(|(byte, wanted)| byte.eq_ignore_ascii_case(wanted));
    if same && shared < word.len() { None } else { Some(same) }
}

/// A command line: one of the words, then the end of the line, a space or a colon. Gives the index
/// of the word.
pub(super) fn command(bytes: &[u8], words: &[&str]) -> Look<usize> {
    let mut open = false;
    for (index, word) in words.iter().enumerate() {
        match begins_with(bytes, word.as_bytes()) {
            None => open = true,
            Some(false) => {}
            Some(true) => match bytes.get(word.len()) {
                None => open = true,
                Some(b' ' | b':' | b'\r' | b'\n') => {
                    return match line(bytes) {
                        Look::Fits { length, .. } => Look::Fits { length, what: index },
                        Look::Open => Look::Open,
                        Look::Differs => Look::Differs,
                    };
                }
                Some(_) => {}
            },
        }
    }
    if open { Look::Open } else { Look::Differs }
}

/// A reply line: three digits, the first from 1 to 5, then a space, a hyphen or the end of the
/// line (RFC 959 section 4.2, RFC 5321 section 4.2). Gives the code.
pub(super) fn reply(bytes: &[u8]) -> Look<u16> {
    let digit = |at: usize| bytes.get(at).map(|byte| byte.wrapping_sub(b'0'));
    let valid = [(0, 1..=5), (1, 0..=9), (2, 0..=9)]
        .into_iter()
        .all(|(at, range)| digit(at).is_none_or(|digit| range.contains(&digit)))
        && bytes.get(3).is_none_or(|byte| matches!(byte, b' ' | b'-' | b'\r' | b'\n'));
    match (valid, line(bytes)) {
        (true, Look::Fits { length, .. }) => {
            let code = (0..3).filter_map(digit).fold(0, |code, digit| code * 10 + u16::from(digit));
            Look::Fits { length, what: code }
        }
        (true, Look::Open) => Look::Open,
        _ => Look::Differs,
    }
}

/// A start line in the manner of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartLine<'a> {
    /// `METHOD target VERSION`.
    Request {
        /// The method.
        method: &'a [u8],
        /// What is asked for.
        target: &'a [u8],
    },
    /// `VERSION code reason`.
    Response(u16),
}

/// A request or status line of the version that begins with `version`, such as `HTTP/1.`.
///
/// A request line needs a method of capital letters, a target, and the version at its end.
pub(super) fn start_line<'a>(bytes: &'a [u8], version: &[u8]) -> Look<StartLine<'a>> {
    match begins_exactly(bytes, version) {
        None => Look::Open,
        Some(true) => status_line(bytes, version),
        Some(false) => request_line(bytes, version),
    }
}

fn begins_exactly(bytes: &[u8], word: &[u8]) -> Option<bool> {
    let shared = bytes.len().min(word.len());
    let same = bytes.get(..shared) == word.get(..shared);
    if same && shared < word.len() { None } else { Some(same) }
}

fn status_line<'a>(bytes: &'a [u8], version: &[u8]) -> Look<StartLine<'a>> {
    let rest = bytes.get(version.len()..).unwrap_or_default();
    let shape = |at: usize, byte: u8| match at {
        0 | 2..=4 => byte.is_ascii_digit(),
        1 => byte == b' ',
        _ => matches!(byte, b' ' | b'\r' | b'\n'),
    };
    if !rest.iter().take(6).enumerate().all(|(at, byte)| shape(at, *byte)) {
        return Look::Differs;
    }
    let code = rest.get(2..5).and_then(|code| str::from_utf8(code).ok()?.parse().ok());
    match (code, rest.len() < 6) {
        (_, true) => Look::Open,
        (Some(code), false) => {
            let length =
                bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            Look::Fits { length, what: StartLine::Response(code) }
        }
        (None, false) => Look::Differs,
    }
}

/// Longest method looked for.
const LONGEST_METHOD: usize = 24;

fn request_line<'a>(bytes: &'a [u8], version: &[u8]) -> Look<StartLine<'a>> {
    let method = bytes.iter().take_while(|byte| is_method(**byte)).count();
    if method > LONGEST_METHOD || (method < bytes.len() && bytes.get(method) != Some(&b' ')) {
        return Look::Differs;
    }
    let (text, length) = match line(bytes) {
        Look::Fits { what, length } => (what.text, length),
        Look::Open => return Look::Open,
        Look::Differs => return Look::Differs,
    };
    let Some(split) = text.iter().rposition(|byte| *byte == b' ').filter(|at| *at > method) else {
        return Look::Differs;
    };
    let (target, end) = (text.get(method + 1..split), text.get(split + 1..));
    match (text.get(..method), target, end) {
        (Some(method), Some(target), Some(end))
            if method.len() > 1
                && !target.is_empty()
                && end.len() == version.len() + 1
                && end.starts_with(version) =>
        {
            Look::Fits { length, what: StartLine::Request { method, target } }
        }
        _ => Look::Differs,
    }
}

fn is_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'_' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_a_line_feed_and_hold_text() {
        assert_eq!(
            line(b"EHLO a\r\nrest"),
            Look::Fits { length: 8, what: Line { text: b"EHLO a", length: 8 } }
        );
        assert_eq!(line(b"EHLO"), Look::Open);
        assert_eq!(line(b"EHLO\x00a\n"), Look::Differs);
        assert_eq!(line(&[b'a'; LONGEST_LINE]), Look::Differs);
    }

    #[test]
    fn commands_and_replies() {
        let words = ["MAIL FROM", "DATA"];
        assert_eq!(command(b"mail from:<a@b>\r\n", &words), Look::Fits { length: 17, what: 0 });
        assert_eq!(command(b"DAT", &words), Look::Open);
        assert_eq!(command(b"DATABASE\r\n", &words), Look::Differs);
        assert_eq!(reply(b"220-hello\r\n"), Look::Fits { length: 11, what: 220 });
        assert_eq!(reply(b"22"), Look::Open);
        assert_eq!(reply(b"620 hello\r\n"), Look::Differs);
        assert_eq!(reply(b"2201\r\n"), Look::Differs);
    }

    #[test]
    fn the_end_of_a_start_line_tells_protocols_apart() {
        let http = |bytes: &'static [u8]| start_line(bytes, b"HTTP/1.");
        let request = StartLine::Request { method: b"GET", target: b"/a b" };
        assert_eq!(http(b"GET /a b HTTP/1.1\r\n"), Look::Fits { length: 19, what: request });
        assert_eq!(http(b"INVITE sip:a SIP/2.0\r\n"), Look::Differs);
        assert_eq!(http(b"GET /a"), Look::Open);
        assert_eq!(http(b"get / HTTP/1.1\r\n"), Look::Differs);
        let found = Look::Fits { length: 14, what: StartLine::Response(404) };
        assert!(!matches!(http(b"HTTP/1.1 404 \r\n"), Look::Differs));
        assert_eq!(http(b"HTTP/1.0 404\r\n"), found);
        assert_eq!(http(b"HTTP/1.1 40"), Look::Open);
        assert_eq!(http(b"HTTP/1.1 4x4 "), Look::Differs);
    }
}
