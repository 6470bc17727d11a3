//! Remote framebuffer, the protocol of VNC (RFC 6143 section 7.1.1).
//!
//! The server sends 12 bytes, `RFB ddd.ddd` and a line feed, and the client answers with the same
//! form. The server is who speaks first, which need not be who was connected to: a listening viewer
//! is connected to by the server. In a conversation caught midway a version of one end alone is that
//! of the client: the server's went before.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, End, Evidence, Grade, Protocol, Recogniser, Start};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Rfb, carriage: &[Carriage::Tcp], recognise };

/// Detail: a version stated by either end, such as `003.008`.
pub const VERSION: &str = "version";

/// Bytes of the version message.
const LENGTH: usize = 12;

fn look(bytes: &[u8]) -> Look<()> {
    let form = b"RFB ddd.ddd\n";
    let fits = bytes.iter().zip(form).all(|(byte, wanted)| match wanted {
        b'd' => byte.is_ascii_digit(),
        wanted => byte == wanted,
    });
    match fits {
        false => Look::Differs,
        true if bytes.len() < LENGTH => Look::Open,
        true => Look::Fits { length: LENGTH, what: () },
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let (mut from_a, mut from_b) = (false, false);
    let visit = |message: Message<'_, ()>| {
        match message.end {
            End::A => from_a = true,
            End::B => from_b = true,
        }
        details.add_text(VERSION, message.bytes.get(4..11).unwrap_or_default());
    };
    let mut sides = read_both(evidence, look as Looker<'_, ()>, |()| Role::Either, visit);
    let first = |end| evidence.sent_by(end).first();
    let midway = |end| first(end).is_some_and(|piece| piece.start == Start::Midstream);
    sides.client = match (first(End::A), first(End::B)) {
        _ if from_a && !from_b && midway(End::B) => Some(End::A),
        _ if from_b && !from_a && midway(End::A) => Some(End::B),
        (Some(a), Some(b)) if a.time < b.time => Some(End::B),
        (Some(a), Some(b)) if b.time < a.time => Some(End::A),
        _ => None,
    };
    sides.answer(Protocol::Rfb, Grade::Strong, details)
}
