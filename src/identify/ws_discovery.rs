//! Web services dynamic discovery (OASIS WS-Discovery 1.1, and the version of 2005 that Windows
//! speaks): SOAP envelopes in datagrams.
//!
//! Strong: an envelope that names the namespace of discovery.

use super::Recogniser;
use super::evidence::Carriage;
use super::header_lines::contains;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading};

/// The recogniser of WS-Discovery.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::WsDiscovery,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::WsDiscovery, read);

const NAMESPACES: [&[u8]; 2] =
    [b"schemas.xmlsoap.org/ws/2005/04/discovery", b"docs.oasis-open.org/ws-dd/ns/discovery"];

fn read(message: Message<'_>) -> Reading {
    let text = message.bytes.trim_ascii_start();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    if !text.is_empty() && text.first() != Some(&b'<') {
        return Reading::NO;
    }
    let soap = contains(text, b"Envelope");
    let named = NAMESPACES.iter().any(|namespace| contains(text, namespace));
    match (soap && named, message.is_cut()) {
        (true, _) => Reading::strong(message.bytes.len()),
        (false, true) => Reading::OPEN,
        (false, false) => Reading::NO,
    }
}
