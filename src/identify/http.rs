//! Hypertext Transfer Protocol over TCP: versions 1.0 and 1.1 (RFC 9112), the preface of version 2
//! (RFC 9113 section 3.4), WebSocket, which begins as version 1.1 (RFC 6455 section 4), and RPC over
//! HTTP (MS-RPCH).
//!
//! A client begins with `METHOD target HTTP/1.x`, a server with `HTTP/1.x code`. The version at
//! the end of the line tells it from SIP and RTSP.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::text::{StartLine, start_line};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Http, carriage: &[Carriage::Tcp], recognise };

/// Detail: the method of the first request of an end.
pub const METHOD: &str = "method";
/// Detail: `2` where the preface of HTTP/2 was seen.
pub const VERSION: &str = "version";

/// With what a client of HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head<'a> {
    Request(&'a [u8]),
    Response,
    Preface,
}

fn look(bytes: &[u8]) -> Look<Head<'_>> {
    if bytes.starts_with(PREFACE) {
        return Look::Fits { length: PREFACE.len(), what: Head::Preface };
    }
    if !bytes.is_empty() && PREFACE.starts_with(bytes) {
        return Look::Open;
    }
    match start_line(bytes, b"HTTP/1.") {
        Look::Fits { length, what } => {
            let what = match what {
                StartLine::Request { method, .. } => Head::Request(method),
                StartLine::Response(_) => Head::Response,
            };
            Look::Fits { length, what }
        }
        Look::Open => Look::Open,
        Look::Differs => Look::Differs,
    }
}

fn role(head: &Head<'_>) -> Role {
    match head {
        Head::Request(_) | Head::Preface => Role::Client,
        Head::Response => Role::Server,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let mut request = false;
    let visit = |message: Message<'_, Head<'_>>| match message.what {
        Head::Request(method) => {
            request = true;
            details.add_text(METHOD, method);
        }
        Head::Response => {}
        Head::Preface => {
            request = true;
            details.add(VERSION, "2");
        }
    };
    let sides = read_both(evidence, look as Looker<'_, Head<'_>>, role, visit);
    let differs = sides.one_differs();
    // A web server answers every other protocol with an error.
    let grade = sides.grade(Grade::Strong).map(|grade| match (request, differs) {
        (false, true) => Grade::Weak,
        _ => grade,
    });
    sides.answer_graded(Protocol::Http, grade, details)
}
