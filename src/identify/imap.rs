//! Internet Message Access Protocol (RFC 9051, RFC 3501).
//!
//! The server greets with `* OK`, `* PREAUTH` or `* BYE`; the client sends a tag and a command;
//! the server answers with lines that begin with `*` or the tag. A tag that looks like a reply code of
//! FTP and SMTP (RFC 959 section 4.2, RFC 5321 section 4.2.1) tells nothing: `530 Login incorrect.`
//! is no command, and `250 OK` is no answer to one.

use super::details::Details;
use super::messages::{Look, Looker, Role, read_both};
use super::text::line;
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Imap, carriage: &[Carriage::Tcp], recognise };

/// Commands of a client behind its tag.
const COMMANDS: &[&str] = &[
    "CAPABILITY",
    "LOGIN",
    "AUTHENTICATE",
    "SELECT",
    "EXAMINE",
    "FETCH",
    "UID",
    "LIST",
    "LSUB",
    "STARTTLS",
    "LOGOUT",
    "NOOP",
    "IDLE",
    "STATUS",
    "APPEND",
    "CREATE",
    "DELETE",
    "CLOSE",
    "EXPUNGE",
    "SEARCH",
    "STORE",
    "ID",
    "NAMESPACE",
    "CHECK",
    "COPY",
    "SUBSCRIBE",
    "ENABLE",
];

/// What a server says behind `*`, besides numbers, and behind a tag.
const ANSWERS: &[&str] = &[
    "OK",
    "NO",
    "BAD",
    "BYE",
    "PREAUTH",
    "CAPABILITY",
    "LIST",
    "LSUB",
    "FLAGS",
    "SEARCH",
    "STATUS",
    "NAMESPACE",
    "ID",
    "ENABLED",
];

/// Longest tag.
const LONGEST_TAG: usize = 32;

fn look(bytes: &[u8]) -> Look<Role> {
    let text = match line(bytes) {
        Look::Fits { what, .. } => what,
        Look::Open => return Look::Open,
        Look::Differs => return Look::Differs,
    };
    let mut words = text.text.split(|byte| *byte == b' ');
    let (tag, word) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let among =
        |list: &[&str]| list.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    let number = !word.is_empty() && word.iter().all(u8::is_ascii_digit) && words.next().is_some();
    let is_tag = !tag.is_empty()
        && tag.len() <= LONGEST_TAG
        && tag
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        && tag.iter().any(u8::is_ascii_digit);
    let is_reply_code = matches!(tag, [b'1'..=b'5', second, third]
        if second.is_ascii_digit() && third.is_ascii_digit());
    let role = match tag {
        _ if is_reply_code => return Look::Open,
        b"*" if among(ANSWERS) || number => Role::Server,
        b"*" => return Look::Differs,
        _ if is_tag && among(COMMANDS) => Role::Client,
        _ if is_tag && among(&["OK", "NO", "BAD"]) => Role::Server,
        _ => return Look::Differs,
    };
    Look::Fits { length: text.length, what: role }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = read_both(evidence, look as Looker<'_, Role>, |role| *role, |_| {});
    sides.answer(Protocol::Imap, Grade::Weak, Details::default())
}
