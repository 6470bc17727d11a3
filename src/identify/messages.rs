//! Runs of messages: what the ends of a conversation say of a protocol that is cut into messages.
//!
//! In: the evidence, and a function that looks at the first bytes of a possible message. Out: for
//! each end how many messages fit, and the answer that follows from both. A stream is read from
//! its start; caught in its middle it is read from the segments at which a header fits, as
//! messages mostly begin with a segment (D2.1 rule 4).

use super::claim::{Answer, Claim, Grade, Proof};
use super::details::Details;
use super::evidence::{Carriage, End, Evidence, Piece, Start};
use super::protocol::Protocol;

/// What the bytes at a possible start of a message say of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look<T> {
    /// A header that fits, of a message of `length` bytes with its header.
    Fits {
        /// Bytes of the whole message; never 0.
        length: usize,
        /// What the header tells.
        what: T,
    },
    /// Nothing speaks against it, and the bytes end before it is sure.
    Open,
    /// Something speaks against it.
    Differs,
}

/// A function on the bytes from a possible start of a message on.
pub(super) type Looker<'a, T> = fn(&'a [u8]) -> Look<T>;

/// The function for the carriage of the evidence.
pub(super) fn by_carriage<'a, T>(
    evidence: &Evidence<'a>,
    over_tcp: Looker<'a, T>,
    over_udp: Looker<'a, T>,
) -> Looker<'a, T> {
    match evidence.carriage {
        Carriage::Tcp => over_tcp,
        Carriage::Udp => over_udp,
    }
}

/// What a message header tells of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A client sends such messages.
    Client,
    /// A server sends such messages.
    Server,
    /// Both do.
    Either,
}

/// A message in the evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a, T> {
    /// Who sent it.
    pub(super) end: End,
    /// Its bytes as far as they were kept.
    pub(super) bytes: &'a [u8],
    /// What its header tells.
    pub(super) what: T,
}

/// What one end's bytes say of the protocol.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Side {
    /// Messages whose headers fit and chain; a piece of the middle of a stream that ends where
    /// its message ends counts one more.
    pub(super) links: u32,
    /// Messages of which a header alone was seen in the middle of a stream.
    pub(super) lone: u32,
    /// The bytes of the first message.
    pub(super) proof: Option<Proof>,
    /// Whether bytes known to begin a message differ from the protocol.
    pub(super) differs: bool,
    /// Whether bytes are there of which nothing can be said.
    pub(super) open: bool,
}

/// Reads the messages of one end, showing each to `visit`.
pub(super) fn read<'a, T: Copy>(
    evidence: &Evidence<'a>,
    end: End,
    look: Looker<'a, T>,
    mut visit: impl FnMut(Message<'a, T>),
) -> Side {
    let mut side = Side::default();
    for (index, piece) in evidence.sent_by(end).iter().enumerate() {
        let mut found = |offset: usize, length: usize, what: T| {
            let bytes = piece.bytes.get(offset..).unwrap_or_default();
            let bytes = bytes.get(..length).unwrap_or(bytes);
            side.proof.get_or_insert(Proof { end, piece: index, offset, length: bytes.len() });
            visit(Message { end, bytes, what });
        };
        match (evidence.carriage, piece.start) {
            (Carriage::Udp, _) => {
                let walked = walk(piece, 0, look, &mut |_, _, _| {});
                match fills(piece, &walked) {
                    None => side.open = true,
                    Some(false) => side.differs = true,
                    Some(true) => {
                        walk(piece, 0, look, &mut found);
                        side.links = side.links.saturating_add(walked.links);
                    }
                }
            }
            (Carriage::Tcp, Start::Message) => {
                let walked = walk(piece, 0, look, &mut found);
                side.links = side.links.saturating_add(walked.links);
                side.differs |= walked.links == 0 && walked.differs;
                side.open |= walked.links == 0 && !walked.differs;
            }
            (Carriage::Tcp, Start::Midstream) => {
                let (links, lone) = resynchronise(piece, look, &mut found);
                side.links = side.links.saturating_add(links);
                side.lone = side.lone.saturating_add(lone);
                side.open = true;
            }
        }
    }
    side
}

/// How far a chain of messages went.
struct Walk {
    links: u32,
    /// Where the first bytes stand that do not belong to it.
    position: usize,
    /// Whether it ended at bytes that differ.
    differs: bool,
}

/// Follows a chain of messages from `position` on.
fn walk<'a, T>(
    piece: &Piece<'a>,
    mut position: usize,
    look: Looker<'a, T>,
    found: &mut impl FnMut(usize, usize, T),
) -> Walk {
    let mut links = 0;
    while let Some(bytes) = piece.bytes.get(position..).filter(|bytes| !bytes.is_empty()) {
        match look(bytes) {
            Look::Fits { length, what } => {
                found(position, length, what);
                links += 1;
                position = position.saturating_add(length.max(1));
            }
            Look::Open => return Walk { links, position, differs: false },
            Look::Differs => return Walk { links, position, differs: true },
        }
    }
    Walk { links, position, differs: false }
}

/// Whether messages fill a datagram; `None` when what would tell was not captured.
fn fills(piece: &Piece<'_>, walked: &Walk) -> Option<bool> {
    if walked.differs || walked.position > piece.wire {
        return Some(false);
    }
    match walked.links {
        0 => None,
        _ if walked.position == piece.wire => Some(true),
        // The next message begins in what was captured, or behind it.
        _ if piece.is_cut() => (walked.position <= piece.bytes.len()).then_some(true),
        _ => Some(false),
    }
}

/// Follows the chains that begin with a segment: how many messages chain, and how many stand
/// alone. That a message ends exactly with the piece is one more sign that its length is right.
fn resynchronise<'a, T>(
    piece: &Piece<'a>,
    look: Looker<'a, T>,
    found: &mut impl FnMut(usize, usize, T),
) -> (u32, u32) {
    let (mut from, mut links, mut lone) = (0, 0_u32, 0_u32);
    let starts = piece.segments.iter().map(|offset| *offset as usize);
    for start in std::iter::once(0).chain(starts) {
        if start < from {
            continue;
        }
        let walked = walk(piece, start, look, found);
        let closed = u32::from(walked.links > 0 && walked.position == piece.wire);
        match walked.links + closed {
            0 => {}
            1 => lone += 1,
            chain => links = links.saturating_add(chain),
        }
        from = walked.position.max(start.saturating_add(1));
    }
    (links, lone)
}

/// What both ends say.
pub(super) struct Sides {
    /// Of end A.
    pub(super) a: Side,
    /// Of end B.
    pub(super) b: Side,
    /// The end that acts as the client, by the first message that tells.
    pub(super) client: Option<End>,
    /// Whether both ends sent what only one of client and server sends.
    pub(super) same_role: bool,
}

/// Reads the messages of both ends, each end by its own; `role` says who sends such a message.
pub(super) fn read_both<'a, T: Copy>(
    evidence: &Evidence<'a>,
    look: Looker<'a, T>,
    role: fn(&T) -> Role,
    mut visit: impl FnMut(Message<'a, T>),
) -> Sides {
    let mut clients = [None; 2];
    let mut each = |message: Message<'a, T>| {
        let [a, b] = &mut clients;
        let client = match role(&message.what) {
            Role::Client => Some(message.end),
            Role::Server => Some(message.end.other()),
            Role::Either => None,
        };
        let told = if message.end == End::A { a } else { b };
        *told = told.or(client);
        visit(message);
    };
    let a = read(evidence, End::A, look, &mut each);
    let b = read(evidence, End::B, look, &mut each);
    let [by_a, by_b] = clients;
    let same_role = by_a.zip(by_b).is_some_and(|(by_a, by_b)| by_a != by_b);
    Sides { a, b, client: by_a.or(by_b).filter(|_| !same_role), same_role }
}

impl Sides {
    /// How sure the protocol is, when one message by itself is worth `single` (D2.1: two chained
    /// weak headers are strong, three or both ends confirm).
    pub(super) fn grade(&self, single: Grade) -> Option<Grade> {
        let [a, b] = [&self.a, &self.b].map(|side| match single {
            // Headers that say little by themselves do not add up where they do not chain.
            Grade::Weak => side.links.max(side.lone.min(1)),
            Grade::Strong | Grade::Confirmed => side.links.saturating_add(side.lone),
        });
        let chained = self.a.links > 0 && self.b.links > 0;
        let both = a > 0 && b > 0 && !self.same_role && (chained || single > Grade::Weak);
        let differs = self.one_differs();
        match (single, a.max(b)) {
            (_, 0) => None,
            (Grade::Weak, 1) if differs => None,
            (Grade::Weak, 1) => Some(if both { Grade::Strong } else { Grade::Weak }),
            (Grade::Weak, 2) if both && !differs => Some(Grade::Confirmed),
            (Grade::Weak, 2) => Some(Grade::Strong),
            _ if differs => Some(Grade::Strong),
            (Grade::Weak, _) => Some(Grade::Confirmed),
            (_, most) if both || most > 2 => Some(Grade::Confirmed),
            _ => Some(Grade::Strong),
        }
    }

    /// Whether both ends sent messages.
    pub(super) fn both(&self) -> bool {
        self.a.proof.is_some() && self.b.proof.is_some()
    }

    /// Whether one end is known to have begun with something else.
    pub(super) fn one_differs(&self) -> bool {
        self.a.differs || self.b.differs
    }

    /// Whether everything that was sent is something else.
    pub(super) fn excluded(&self) -> bool {
        self.one_differs() && !self.either_end(|side| side.open || side.proof.is_some())
    }

    fn either_end(&self, test: impl Fn(&Side) -> bool) -> bool {
        test(&self.a) || test(&self.b)
    }

    /// The answer, when one message by itself is worth `single`.
    pub(super) fn answer(&self, protocol: Protocol, single: Grade, details: Details) -> Answer {
        self.answer_graded(protocol, self.grade(single), details)
    }

    /// The answer at a grade found otherwise.
    pub(super) fn answer_graded(
        &self,
        protocol: Protocol,
        grade: Option<Grade>,
        details: Details,
    ) -> Answer {
        match grade {
            Some(grade) => Answer::Match(Claim {
                protocol,
                grade,
                client: self.client,
                proofs: self.a.proof.into_iter().chain(self.b.proof).collect(),
                details: details.into_sorted(),
            }),
            None if self.excluded() => Answer::No,
            None => Answer::Undecided,
        }
    }
}
