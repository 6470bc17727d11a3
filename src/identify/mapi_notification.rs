//! The datagram by which an Exchange server wakes a mail client (MS-OXCNOTIF section 2.2.1.5.1,
//! MS-OXCRPC section 3.1.4.5).
//!
//! Its payload is what the client gave when it registered, and nothing else: no magic, no length.
//! So it is known only by a registration that was read; by itself it has a shape, of one end
//! sending the same few bytes again and again, which names it weakly where nothing else does.

use super::claim::{Answer, Claim, Grade, Proof};
use super::evidence::{Carriage, End, Evidence, Piece};
use super::protocol::Protocol;

/// Most bytes of a context that servers accept.
const LONGEST: usize = 32;

/// Datagrams of the same content that have the shape.
const REPEATED: usize = 2;

/// Whether a datagram is the notification that was registered with this context.
pub fn is_notification(context: &[u8], datagram: &Piece<'_>) -> bool {
    !context.is_empty() && datagram.wire == context.len() && datagram.bytes == context
}

/// Judges a conversation towards an announced endpoint: confirmed when a datagram carries the
/// registered context, weak when it has the shape and the context could not be read.
pub fn recognise(context: Option<&[u8]>, evidence: &Evidence<'_>) -> Answer {
    if evidence.carriage != Carriage::Udp {
        return Answer::No;
    }
    let (sender, pieces) = match (evidence.a, evidence.b) {
        (pieces @ [_, ..], []) => (End::A, pieces),
        ([], pieces @ [_, ..]) => (End::B, pieces),
        ([], []) => return Answer::Undecided,
        _ => return Answer::No,
    };
    let registered =
        |piece: &Piece<'_>| context.is_some_and(|context| is_notification(context, piece));
    if let Some(piece) = pieces.iter().position(registered) {
        return claim(Grade::Confirmed, sender, piece, pieces);
    }
    let first = pieces.first().map(|piece| piece.bytes).unwrap_or_default();
    let shaped = pieces.iter().all(|piece| {
        piece.bytes == first && piece.wire == first.len() && (1..=LONGEST).contains(&piece.wire)
    });
    match shaped {
        true if context.is_none() && pieces.len() >= REPEATED => {
            claim(Grade::Weak, sender, 0, pieces)
        }
        true => Answer::Undecided,
        false => Answer::No,
    }
}

fn claim(grade: Grade, sender: End, piece: usize, pieces: &[Piece<'_>]) -> Answer {
    let length = pieces.get(piece).map_or(0, |piece| piece.bytes.len());
    Answer::Match(Claim {
        protocol: Protocol::MapiNotification,
        grade,
        client: Some(sender),
        proofs: vec![Proof { end: sender, piece, offset: 0, length }],
        details: Vec::new(),
    })
}
