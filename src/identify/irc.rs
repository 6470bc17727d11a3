//! Internet Relay Chat (RFC 2812): lines of a command and its parameters; a server puts its name
//! before them, `:name`, and numbers its replies with three digits.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::text::{command, line};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Irc, carriage: &[Carriage::Tcp], recognise };

/// Commands; the first [`OF_CHAT_ALONE`] of them belong to no other protocol.
const COMMANDS: &[&str] = &[
    "NICK",
    "JOIN",
    "PRIVMSG",
    "PONG",
    "PART",
    "WHOIS",
    "USERHOST",
    "TOPIC",
    "NOTICE",
    "CAP",
    "USER",
    "PASS",
    "PING",
    "MODE",
    "QUIT",
    "WHO",
    "KICK",
    "LIST",
    "NAMES",
    "ERROR",
    "ISON",
    "AWAY",
    "MOTD",
    "VERSION",
    "OPER",
    "AUTHENTICATE",
];
const OF_CHAT_ALONE: usize = 9;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// A command; whether it belongs to chat alone.
    Command(bool),
    /// A line with the name of a server or user before a command or number.
    Prefixed,
}

fn look(bytes: &[u8]) -> Look<Line> {
    if bytes.first() == Some(&b':') {
        return match line(bytes) {
            Look::Fits { length, what } if is_prefixed(what.text) => {
                Look::Fits { length, what: Line::Prefixed }
            }
            Look::Open => Look::Open,
            Look::Fits { .. } | Look::Differs => Look::Differs,
        };
    }
    match command(bytes, COMMANDS) {
        Look::Fits { length, what } => {
            Look::Fits { length, what: Line::Command(what < OF_CHAT_ALONE) }
        }
        Look::Open => Look::Open,
        Look::Differs => Look::Differs,
    }
}

/// `:name`, then three digits or a command, then parameters.
fn is_prefixed(text: &[u8]) -> bool {
    let mut words = text.split(|byte| *byte == b' ');
    let name = words.next().is_some_and(|name| name.len() > 1);
    let verb = words.next().unwrap_or_default();
    let number = verb.len() == 3 && verb.iter().all(u8::is_ascii_digit);
    let known = COMMANDS.iter().any(|word| verb == word.as_bytes());
    name && (number || known) && words.next().is_some()
}

fn role(line: &Line) -> Role {
    if *line == Line::Prefixed { Role::Server } else { Role::Either }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut of_chat = 0_u32;
    let visit = |message: Message<'_, Line>| {
        of_chat += u32::from(matches!(message.what, Line::Command(true) | Line::Prefixed));
    };
    let sides = read_both(evidence, look as Looker<'_, Line>, role, visit);
    let both = sides.both();
    let grade = match of_chat {
        0 => None,
        1 => Some(if both { Grade::Strong } else { Grade::Weak }),
        _ => Some(if both { Grade::Confirmed } else { Grade::Strong }),
    };
    sides.answer_graded(Protocol::Irc, grade, Details::default())
}
