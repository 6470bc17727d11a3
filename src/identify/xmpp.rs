//! Extensible Messaging and Presence Protocol (RFC 6120): each end opens an XML stream of the
//! namespace `http://etherx.jabber.org/streams`. After StartTLS the stream is TLS and stays XMPP.

use super::details::Details;
use super::messages::{Look, Looker, Role, candidate, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Xmpp,
    carriage: &[Carriage::Tcp],
    candidate: |piece| candidate(piece, look),
    recognise,
};

const OPENINGS: &[&[u8]] = &[b"<?xml ", b"<stream:stream"];
const NAMESPACE: &[u8] = b"http://etherx.jabber.org/streams";
/// Within how many bytes the namespace stands.
const LONGEST: usize = 1024;

fn look(bytes: &[u8]) -> Look<()> {
    let head = bytes.get(..LONGEST).unwrap_or(bytes);
    let begins =
        OPENINGS.iter().any(|opening| opening.starts_with(bytes) || bytes.starts_with(opening));
    if !begins {
        return Look::Differs;
    }
    let has = |word: &[u8]| head.windows(word.len()).any(|text| text == word);
    match (has(b"<stream:stream"), has(NAMESPACE)) {
        (true, true) => Look::Fits { length: bytes.len(), what: () },
        _ if head.len() < LONGEST => Look::Open,
        _ => Look::Differs,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = read_both(evidence, look as Looker<'_, ()>, |()| Role::Either, |_| {});
    sides.answer(Protocol::Xmpp, Grade::Strong, Details::default())
}
