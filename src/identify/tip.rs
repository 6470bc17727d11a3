//! Transaction Internet Protocol, version 3 (RFC 2371 section 13), which the distributed
//! transaction coordinator serves.
//!
//! Lines of a verb and its parameters. The first command is `IDENTIFY lowest highest address
//! address`, its answer `IDENTIFIED version`, `NEEDTLS` or `ERROR`. What the coordinator does over
//! remote procedure calls is DCE/RPC with an interface of its own.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::text::{command, line};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Tip, carriage: &[Carriage::Tcp], recognise };

const COMMANDS: &[&str] = &[
    "IDENTIFY",
    "BEGIN",
    "PULL",
    "PUSH",
    "PREPARE",
    "COMMIT",
    "ABORT",
    "RECONNECT",
    "QUERY",
    "MULTIPLEX",
    "TLS",
];
const ANSWERS: &[&str] = &[
    "IDENTIFIED",
    "BEGUN",
    "PULLED",
    "PUSHED",
    "PREPARED",
    "COMMITTED",
    "ABORTED",
    "RECONNECTED",
    "QUERIEDEXISTS",
    "QUERIEDNOTFOUND",
    "MULTIPLEXING",
    "TLSING",
    "NEEDTLS",
    "NOTPULLED",
    "NOTPUSHED",
    "ALREADYPUSHED",
    "NOTBEGUN",
    "READONLY",
    "NOTRECONNECTED",
    "CANTMULTIPLEX",
    "CANTTLS",
];

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// `IDENTIFY` with its two versions.
    Identify,
    /// `IDENTIFIED` with its version.
    Identified,
    Command,
    Answer,
}

fn look(bytes: &[u8]) -> Look<Line> {
    let numbers = |count: usize| match line(bytes) {
        Look::Fits { what, .. } => {
            let words = what.text.split(|byte| *byte == b' ').skip(1).take(count);
            let number = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_digit);
            words.clone().count() == count && words.into_iter().all(number)
        }
        Look::Open | Look::Differs => false,
    };
    match (command(bytes, COMMANDS), command(bytes, ANSWERS)) {
        (Look::Fits { what: 0, .. }, _) if !numbers(2) => Look::Differs,
        (Look::Fits { length, what: 0 }, _) => Look::Fits { length, what: Line::Identify },
        (Look::Fits { length, .. }, _) => Look::Fits { length, what: Line::Command },
        (_, Look::Fits { what: 0, .. }) if !numbers(1) => Look::Differs,
        (_, Look::Fits { length, what: 0 }) => Look::Fits { length, what: Line::Identified },
        (_, Look::Fits { length, .. }) => Look::Fits { length, what: Line::Answer },
        (Look::Differs, Look::Differs) => Look::Differs,
        _ => Look::Open,
    }
}

fn role(line: &Line) -> Role {
    match line {
        Line::Identify | Line::Command => Role::Client,
        Line::Identified | Line::Answer => Role::Server,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut single = Grade::Weak;
    let visit = |message: Message<'_, Line>| {
        if matches!(message.what, Line::Identify | Line::Identified) {
            single = Grade::Strong;
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Line>, role, visit);
    // Verbs without the identification are words that other protocols have as well.
    let grade = sides.grade(single).filter(|_| single == Grade::Strong);
    sides.answer_graded(Protocol::Tip, grade, Details::default())
}
