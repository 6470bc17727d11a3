//! Simple service discovery protocol (UPnP device architecture 2.0 section 1).
//!
//! Messages look like HTTP: `M-SEARCH * HTTP/1.1` and `NOTIFY * HTTP/1.1`, answered by `HTTP/1.1
//! 200 OK` with a search target or a unique service name. Strong: the first line of a request, or
//! an answer with one of those headers.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::header_lines::{Start, header, starts};
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of SSDP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Ssdp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Ssdp, read).detailed(details);

const SEARCH: &[u8] = b"M-SEARCH * HTTP/1.";
const NOTIFY: &[u8] = b"NOTIFY * HTTP/1.";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n";

fn read(message: Message<'_>) -> Reading {
    match (starts(message, SEARCH), starts(message, NOTIFY), starts(message, ANSWER)) {
        (Start::Yes, ..) => Reading::strong(SEARCH.len()).from(Role::Client),
        (_, Start::Yes, _) => Reading::strong(NOTIFY.len()),
        (.., Start::Yes) => {
            let named = ["st", "usn"].iter().any(|name| header(message.bytes, name).is_some());
            match named {
                true => Reading::strong(ANSWER.len()).from(Role::Server),
                false if message.is_cut() => Reading::OPEN,
                false => Reading::NO,
            }
        }
        (Start::No, Start::No, Start::No) => Reading::NO,
        _ => Reading::OPEN,
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    for name in ["server", "user-agent"] {
        if let Some(value) = header(message.bytes, name) {
            details.add_text(name, value);
        }
    }
}
