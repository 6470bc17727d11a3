//! Post Office Protocol, version 3 (RFC 1939, RFC 2449).
//!
//! The server speaks first and begins each answer with `+OK` or `-ERR`; the client sends commands
//! of three or four letters. The answers tell it from FTP, which has some of the commands. Alone they
//! do when one has text behind `+OK`: Redis says `+OK`, and `-ERR` with text, to commands of another
//! form. Commands alone do when one is of this protocol only.

use super::details::Details;
use super::messages::{Look, Looker, Role, read_both};
use super::text::command;
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Pop3, carriage: &[Carriage::Tcp], recognise };

const ANSWERS: &[&str] = &["+OK", "-ERR"];
const COMMANDS: &[&str] = &[
    "USER", "PASS", "APOP", "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL", "QUIT",
    "CAPA", "STLS", "AUTH",
];
/// Commands that FTP and SMTP do not have.
const OWN: &[&str] = &["APOP", "TOP", "UIDL", "CAPA", "STLS"];

fn look(bytes: &[u8]) -> Look<Role> {
    match (command(bytes, ANSWERS), command(bytes, COMMANDS)) {
        (Look::Fits { length, .. }, _) => Look::Fits { length, what: Role::Server },
        (_, Look::Fits { length, .. }) => Look::Fits { length, what: Role::Client },
        (Look::Differs, Look::Differs) => Look::Differs,
        _ => Look::Open,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut answers = 0_u32;
    let mut commands = 0_u32;
    let (mut told, mut own) = (false, false);
    let visit = |message: super::messages::Message<'_, Role>| match message.what {
        Role::Server => {
            answers += 1;
            told |= message.bytes.starts_with(b"+OK ");
        }
        _ => {
            commands += 1;
            own |= matches!(command(message.bytes, OWN), Look::Fits { .. });
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Role>, |role| *role, visit);
    let other_spoke = !evidence.a.is_empty() && !evidence.b.is_empty();
    // Other protocols say `+OK` as well.
    let grade = match (answers, commands) {
        (0, 2..) if own && !other_spoke => Some(Grade::Weak),
        (0, _) => None,
        (_, 0) if sides.one_differs() || other_spoke || !told => None,
        (_, 0) => Some(Grade::Weak),
        (1, 1) => Some(Grade::Strong),
        _ => Some(Grade::Confirmed),
    };
    sides.answer_graded(Protocol::Pop3, grade, Details::default())
}
