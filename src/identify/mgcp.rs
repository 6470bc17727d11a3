//! Media gateway control protocol (RFC 3435 section 3.2).
//!
//! A command is `VERB transaction endpoint MGCP 1.0`, up to nine digits of transaction; an answer
//! is `ddd transaction text`. Strong: a command line. Weak: an answer; with the command of the same
//! transaction the pair is confirmed.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::header_lines::first_line;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of MGCP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Mgcp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Mgcp, read).detailed(details);

const VERBS: [&[u8]; 9] =
    [b"EPCF", b"CRCX", b"MDCX", b"DLCX", b"RQNT", b"NTFY", b"AUEP", b"AUCX", b"RSIP"];

fn read(message: Message<'_>) -> Reading {
    let line = first_line(message.bytes);
    let complete = line.len() < message.bytes.len() || !message.is_cut();
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    if first.len() < 4 && !complete {
        return if message.bytes.is_ascii() { Reading::OPEN } else { Reading::NO };
    }
    let exchange = words.next().and_then(transaction);
    if let [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] = first {
        return match exchange {
            Some(exchange) => Reading::weak(line.len()).from(Role::Server).in_exchange(exchange),
            None if complete => Reading::NO,
            None => Reading::OPEN,
        };
    }
    if !VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(first)) {
        return Reading::NO;
    }
    let version = words.clone().any(|word| word.eq_ignore_ascii_case(b"MGCP"));
    match exchange {
        Some(exchange) if version => {
            Reading::strong(line.len()).from(Role::Client).in_exchange(exchange)
        }
        _ if complete => Reading::NO,
        _ => Reading::OPEN,
    }
}

fn transaction(word: &[u8]) -> Option<u64> {
    let digits = (1..=9).contains(&word.len()) && word.iter().all(u8::is_ascii_digit);
    digits.then(|| word.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')))
}

fn details(message: Message<'_>, details: &mut Details) {
    let mut words = first_line(message.bytes).split(|byte| *byte == b' ');
    if words.next().is_some_and(|verb| VERBS.contains(&verb))
        && let Some(endpoint) = words.nth(1)
    {
        details.add_text("endpoint", endpoint);
    }
}
