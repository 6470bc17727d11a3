//! File Transfer Protocol, its control connection (RFC 959, RFC 2428).
//!
//! The server speaks first, `220 text`; the client sends command lines, the server reply lines of
//! three digits. Mail replies alike, and POP3 has some of the commands, so a command or a reply of
//! file transfer alone must be there. A data connection has no form of its own and is known only
//! by its announcement.

mod announce;

pub use announce::FtpFollower;

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::text::{command, reply};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Ftp, carriage: &[Carriage::Tcp], recognise };

/// Commands; the first [`OF_FILES_ALONE`] of them belong to no other protocol.
const COMMANDS: &[&str] = &[
    "PASV", "PORT", "EPSV", "EPRT", "SYST", "TYPE", "CWD", "CDUP", "PWD", "XPWD", "STOR", "STOU",
    "NLST", "MLSD", "MLST", "RNFR", "RNTO", "MKD", "RMD", "FEAT", "PBSZ", "PROT", "SITE", "MDTM",
    "APPE", "ALLO", "STRU", "ABOR", "OPTS", "USER", "PASS", "ACCT", "AUTH", "LIST", "RETR", "DELE",
    "STAT", "SIZE", "REST", "QUIT", "NOOP", "HELP", "CLNT", "MODE",
];
const OF_FILES_ALONE: usize = 29;

/// Replies that neither mail nor news has: status of data connections, names, passwords (RFC 959
/// section 4.2; RFC 5321 section 4.2.3, RFC 3977 appendix C), and security agreed on, which may be
/// all that can be read (RFC 2228 section 5.1).
const REPLIES_OF_FILES_ALONE: &[u16] =
    &[125, 150, 225, 226, 227, 228, 229, 234, 257, 331, 332, 350, 425, 426];

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
    let mut login = false;
    let mut commands = 0_u32;
    let mut replies = 0_u32;
    let mut banner = false;
    let mut first = None;
    let visit = |message: Message<'_, Line>| match message.what {
        Line::Command(index) => {
            login |= COMMANDS.get(index) == Some(&"USER");
            commands += u32::from(index < OF_FILES_ALONE);
        }
        Line::Reply(code) => {
            first.get_or_insert(code);
            let says = |word: &[u8]| message.bytes.windows(word.len()).any(|text| text == word);
            banner |= code == 220 && says(b"FTP") && !says(b"SMTP");
            replies += u32::from(REPLIES_OF_FILES_ALONE.contains(&code));
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Line>, role, visit);
    let both = sides.both();
    let one_sided = sides.one_differs();
    let signs = u32::from(banner) + u32::from(login && both) + commands.min(2) + replies.min(2);
    // News has some of the commands and greets with 200.
    let greeted = !matches!(first, Some(200 | 201));
    let grade = match (both, signs) {
        (_, 0) => None,
        _ if !greeted => None,
        _ if one_sided => Some(Grade::Weak),
        (true, 1) => Some(Grade::Strong),
        (true, _) => Some(Grade::Confirmed),
        (false, 1) => Some(Grade::Weak),
        (false, _) => Some(Grade::Strong),
    };
    sides.answer_graded(Protocol::Ftp, grade, Details::default())
}
