//! Extensible Messaging and Presence Protocol (RFC 6120): each end opens an XML stream of the
//! namespace `http://etherx.jabber.org/streams`. After StartTLS the stream is TLS and stays XMPP.

use super::details::Details;
use super::messages::{Look, Looker, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Xmpp, carriage: &[Carriage::Tcp], recognise };

/// With what a stream begins.
const OPENINGS: &[&[u8]] = &[b"<?xml ", b"<stream:stream"];
const NAMESPACE: &[u8] = b"http://etherx.jabber.org/streams";
/// The three stanzas (RFC 6120 section 8), and what one of them has: a namespace of the protocol,
/// or a type of request or answer.
const STANZAS: &[&[u8]] = &[b"<iq ", b"<message ", b"<presence "];
const IN_STANZAS: &[&[u8]] = &[
    b"xmlns='jabber:",
    b"xmlns=\"jabber:",
    b"xmlns='urn:xmpp:",
    b"xmlns=\"urn:xmpp:",
    b" type='result'",
    b" type=\"result\"",
];
/// Within how many bytes these stand.
const LONGEST: usize = 1024;

fn look(bytes: &[u8]) -> Look<()> {
    let head = bytes.get(..LONGEST).unwrap_or(bytes);
    let begins =
        |words: &[&[u8]]| words.iter().any(|w| w.starts_with(bytes) || bytes.starts_with(w));
    let has = |word: &[u8]| head.windows(word.len()).any(|text| text == word);
    let found = if begins(OPENINGS) {
        has(b"<stream:stream") && has(NAMESPACE)
    } else if begins(STANZAS) {
        IN_STANZAS.iter().any(|word| has(word))
    } else {
        return Look::Differs;
    };
    match found {
        true => Look::Fits { length: bytes.len(), what: () },
        false if head.len() < LONGEST => Look::Open,
        false => Look::Differs,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = read_both(evidence, look as Looker<'_, ()>, |()| Role::Either, |_| {});
    sides.answer(Protocol::Xmpp, Grade::Strong, Details::default())
}
