//! Real Time Streaming Protocol (RFC 2326): start lines in the manner of HTTP with the version
//! `RTSP/1.0`. Media may follow in the same stream, each packet behind `24`, a channel and a length.

use super::details::Details;
use super::messages::{Look, Looker, Role, read_both};
use super::text::{StartLine, start_line};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Rtsp, carriage: &[Carriage::Tcp], recognise };

fn look(bytes: &[u8]) -> Look<Role> {
    match start_line(bytes, b"RTSP/1.") {
        Look::Fits { length, what: StartLine::Request { .. } } => {
            Look::Fits { length, what: Role::Client }
        }
        Look::Fits { length, what: StartLine::Response(_) } => {
            Look::Fits { length, what: Role::Server }
        }
        Look::Open => Look::Open,
        Look::Differs => Look::Differs,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = read_both(evidence, look as Looker<'_, Role>, |role| *role, |_| {});
    sides.answer(Protocol::Rtsp, Grade::Strong, Details::default())
}
