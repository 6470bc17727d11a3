//! Simple Mail Transfer Protocol (RFC 5321), with the extensions of Exchange.
//!
//! The server speaks first: `220 text`. The client sends command lines, the server reply lines of
//! three digits. FTP replies alike, so a command of mail alone, or a banner that says SMTP, must be
//! there. After STARTTLS the stream is TLS and stays SMTP.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::text::{command, reply};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Smtp, carriage: &[Carriage::Tcp], recognise };

/// Detail `yes`: the client asked for TLS (RFC 3207).
pub const START_TLS: &str = "start-tls";

/// Commands; the first [`OF_MAIL_ALONE`] of them belong to no other protocol.
const COMMANDS: &[&str] = &[
    "EHLO",
    "HELO",
    "LHLO",
    "MAIL FROM",
    "RCPT TO",
    "BDAT",
    "X-LINK2STATE",
    "XEXCH50",
    "X-EXPS",
    "X-ANONYMOUSTLS",
    "STARTTLS",
    "DATA",
    "RSET",
    "NOOP",
    "QUIT",
    "VRFY",
    "EXPN",
    "AUTH",
    "HELP",
];
const OF_MAIL_ALONE: usize = 10;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Command(usize),
    Reply(u16),
}

fn look(bytes: &[u8]) -> Look<Line> {
    match (command(bytes, COMMANDS), reply(bytes)) {
        (Look::Fits { length, what }, _) => Look::Fits { length, what: Line::Command(what) },
        (_, Look::Fits { length, what }) => Look::Fits { length, what: Line::Reply(what) },
        (Look::Differs, Look::Differs) => Look::Differs,
        _ => Look::Open,
    }
}

fn role(line: &Line) -> Role {
    match line {
        Line::Command(_) => Role::Client,
        Line::Reply(_) => Role::Server,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let mut of_mail = 0;
    let mut banner = false;
    let visit = |message: Message<'_, Line>| match message.what {
        Line::Command(index) => {
            of_mail += u32::from(index < OF_MAIL_ALONE);
            if COMMANDS.get(index) == Some(&"STARTTLS") {
                details.add(START_TLS, "yes");
            }
        }
        Line::Reply(code) => {
            let says = |word: &[u8]| message.bytes.windows(word.len()).any(|text| text == word);
            banner |= code == 220 && (says(b" SMTP") || says(b" ESMTP"));
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Line>, role, visit);
    let both = sides.both();
    let grade = match (of_mail, banner) {
        (0, false) => None,
        (0, true) => Some(if both { Grade::Strong } else { Grade::Weak }),
        (_, true) => Some(Grade::Confirmed),
        (1, false) if !both => Some(Grade::Weak),
        (1, false) => Some(Grade::Strong),
        (_, false) => Some(if both { Grade::Confirmed } else { Grade::Strong }),
    };
    sides.answer_graded(Protocol::Smtp, grade, details)
}
