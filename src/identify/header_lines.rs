//! First words and header lines of protocols in text.

use super::reading::Message;

/// Whether a message starts with given words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Yes,
    No,
    /// The capture ends before they do, and fits so far.
    Cut,
}

/// Compares the start of a message, capitals and small letters alike.
pub(super) fn starts(message: Message<'_>, words: &[u8]) -> Start {
    let known = words.len().min(message.bytes.len());
    let fits =
        message.bytes.iter().zip(words).all(|(found, wanted)| found.eq_ignore_ascii_case(wanted));
    match fits {
        true if known == words.len() => Start::Yes,
        true if message.is_cut() => Start::Cut,
        _ => Start::No,
    }
}

/// The value of the first header line of this name, which is written in small letters.
pub(super) fn header<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (found, value) = line.split_at_checked(colon)?;
        let same = found.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        same.then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

/// Whether the text holds these words.
pub(super) fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// The words of the first line.
pub(super) fn first_line(text: &[u8]) -> &[u8] {
    text.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default()
}
