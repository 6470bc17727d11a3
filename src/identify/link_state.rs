//! Link state between Exchange servers of a routing group (Microsoft KB 842026).
//!
//! No layout is published. The routing master is reported to greet with a line that begins with
//! `691`; that is weak, and nothing else can be said.

use super::details::Details;
use super::messages::{Look, Looker, Role, read_both};
use super::text::{begins_with, line};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::LinkState, carriage: &[Carriage::Tcp], recognise };

fn look(bytes: &[u8]) -> Look<()> {
    match begins_with(bytes, b"691 ") {
        Some(false) => Look::Differs,
        None => Look::Open,
        Some(true) => match line(bytes) {
            Look::Fits { length, .. } => Look::Fits { length, what: () },
            Look::Open => Look::Open,
            Look::Differs => Look::Differs,
        },
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = read_both(evidence, look as Looker<'_, ()>, |()| Role::Server, |_| {});
    let grade = sides.grade(Grade::Weak).map(|_| Grade::Weak);
    sides.answer_graded(Protocol::LinkState, grade, Details::default())
}
