//! Protocols whose every message can be judged by itself.
//!
//! In: what a recogniser reads in one message. Out: the answer for the conversation, with the
//! grade that all its messages earn together (D2.1). Most protocols over UDP are of this kind, and
//! over TCP those that put a length before each message. Not here: what makes a message one of a
//! protocol.

use super::claim::{Answer, Claim, Grade, Proof};
use super::details::Details;
use super::evidence::{Carriage, End, Evidence, Piece, Start};
use super::protocol::Protocol;
use crate::base::Timestamp;

/// Messages looked at per end.
const MESSAGES: usize = 32;

/// Segments of a stream caught midway at which a message is looked for.
const SEGMENT_STARTS: usize = 16;

/// Foreign datagrams after which a protocol that shares its conversations is ruled out. One that
/// does not is ruled out by the first.
const FOREIGN: usize = 8;

/// Proofs that a claim holds.
const PROOFS: usize = 4;

/// How far one message fits a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Something in it speaks against the protocol.
    No,
    /// Nothing speaks against it, and nothing for it: cut before it could, or a keepalive.
    Open,
    /// A few bits of it fit.
    Weak,
    /// Magic and lengths fit over at least six bytes.
    Strong,
}

/// Which part of the protocol sends such a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The end that asks.
    Client,
    /// The end that answers.
    Server,
    /// Either.
    Any,
}

/// What a recogniser reads in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// How far it fits.
    pub(super) fit: Fit,
    /// Who sends such a message.
    pub(super) role: Role,
    /// What a request and its answer have in common, such as a transaction identifier.
    pub(super) exchange: Option<u64>,
    /// What all messages of one sender have in common, such as a session identifier.
    pub(super) session: Option<u64>,
    /// Bytes from the first on that show it.
    pub(super) proof: usize,
}

impl Reading {
    /// Something speaks against the protocol.
    pub(super) const NO: Reading = Reading::of(Fit::No, 0);
    /// Nothing speaks for or against it.
    pub(super) const OPEN: Reading = Reading::of(Fit::Open, 0);

    /// A reading shown by the first `proof` bytes.
    pub(super) const fn of(fit: Fit, proof: usize) -> Self {
        Reading { fit, role: Role::Any, exchange: None, session: None, proof }
    }

    /// A strong fit shown by the first `proof` bytes.
    pub(super) const fn strong(proof: usize) -> Self {
        Reading::of(Fit::Strong, proof)
    }

    /// A weak fit shown by the first `proof` bytes.
    pub(super) const fn weak(proof: usize) -> Self {
        Reading::of(Fit::Weak, proof)
    }

    /// With the part that sends it.
    pub(super) const fn from(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// With what it has in common with its answer.
    pub(super) const fn in_exchange(mut self, exchange: u64) -> Self {
        self.exchange = Some(exchange);
        self
    }

    /// With what it has in common with the sender's other messages.
    pub(super) const fn in_session(mut self, session: u64) -> Self {
        self.session = Some(session);
        self
    }

    /// Whether the message could be of the protocol.
    pub(super) fn is_possible(self) -> bool {
        self.fit != Fit::No
    }
}

/// One message: its captured bytes, and how long it was on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    /// The captured bytes.
    pub(super) bytes: &'a [u8],
    /// Bytes on the wire.
    pub(super) wire: usize,
}

impl<'a> Message<'a> {
    /// A datagram.
    pub(super) fn datagram(piece: &Piece<'a>) -> Self {
        Message { bytes: piece.bytes, wire: piece.wire }
    }

    /// Whether bytes are missing at the end.
    pub(super) fn is_cut(&self) -> bool {
        self.bytes.len() < self.wire
    }
}

/// Where the messages of a stream begin and end: the bytes before the message, and its length.
/// `None` when the bytes at hand do not tell.
pub(super) type Framing = fn(&[u8]) -> Option<(usize, usize)>;

/// A protocol of messages that are judged one by one.
pub(super) struct Course {
    /// Which protocol.
    protocol: Protocol,
    /// Reads one message.
    read: fn(Message<'_>) -> Reading,
    /// Finds the messages of a stream.
    framing: Option<Framing>,
    /// Takes finer facts from a message that fits.
    details: Option<fn(Message<'_>, &mut Details)>,
    /// Whether messages of other protocols in the same conversation are usual.
    shares: bool,
}

impl Course {
    /// A protocol of datagrams.
    pub(super) const fn new(protocol: Protocol, read: fn(Message<'_>) -> Reading) -> Self {
        Course { protocol, read, framing: None, details: None, shares: false }
    }

    /// Also of messages in streams.
    pub(super) const fn framed(mut self, framing: Framing) -> Self {
        self.framing = Some(framing);
        self
    }

    /// With finer facts.
    pub(super) const fn detailed(mut self, details: fn(Message<'_>, &mut Details)) -> Self {
        self.details = Some(details);
        self
    }

    /// That shares its conversations with other protocols.
    pub(super) const fn sharing(mut self) -> Self {
        self.shares = true;
        self
    }
}

/// A message that was read, and where it stands.
struct Seen<'a> {
    end: End,
    piece: usize,
    offset: usize,
    time: Timestamp,
    message: Message<'a>,
    reading: Reading,
}

/// What was read of a conversation.
#[derive(Default)]
struct Conversation<'a> {
    /// Messages that fit.
    fitting: Vec<Seen<'a>>,
    counts: Counts,
}

/// Messages that do not fit.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// Of which nothing can be said.
    open: usize,
    /// That are of another protocol.
    against: usize,
}

impl<'a> Conversation<'a> {
    fn take(&mut self, one: Seen<'a>) {
        match one.reading.fit {
            Fit::No => self.counts.against += 1,
            Fit::Open => self.counts.open += 1,
            Fit::Weak | Fit::Strong => self.fitting.push(one),
        }
    }
}

impl Course {
    /// Judges all messages of a conversation together.
    pub(super) fn recognise(&self, evidence: &Evidence<'_>) -> Answer {
        let mut conversation = Conversation::default();
        for end in [End::A, End::B] {
            for (index, piece) in evidence.sent_by(end).iter().enumerate() {
                match evidence.carriage {
                    Carriage::Udp => {
                        let message = Message::datagram(piece);
                        let (reading, time) = ((self.read)(message), piece.time);
                        let one = Seen { end, piece: index, offset: 0, time, message, reading };
                        conversation.take(one);
                    }
                    Carriage::Tcp => self.take_stream(&mut conversation, end, index, piece),
                }
            }
        }
        conversation.fitting.sort_by_key(|one| one.time);
        match self.answer(&conversation) {
            Answer::No if self.may_follow(evidence.carriage, &conversation) => Answer::Undecided,
            answer => answer,
        }
    }

    /// Whether the protocol may still begin behind datagrams of another.
    fn may_follow(&self, carriage: Carriage, conversation: &Conversation<'_>) -> bool {
        let Conversation { fitting, counts: Counts { open, against } } = conversation;
        self.shares && carriage == Carriage::Udp && fitting.len() + open + against < FOREIGN
    }

    /// Reads the messages of a stretch of a stream, from its start or, when that was not seen,
    /// from the first segment that begins with one.
    fn take_stream<'a>(
        &self,
        conversation: &mut Conversation<'a>,
        end: End,
        index: usize,
        of: &Piece<'a>,
    ) {
        let (known, counts) = (conversation.fitting.len(), conversation.counts);
        self.walk(conversation, end, index, of, 0);
        if of.start == Start::Message {
            return;
        }
        for start in of.segments.iter().take(SEGMENT_STARTS) {
            if conversation.fitting.len() > known {
                return;
            }
            conversation.counts = counts;
            self.walk(conversation, end, index, of, *start as usize);
        }
        // What does not fit from the middle of a stream on says nothing.
        conversation.counts.open += conversation.counts.against - counts.against;
        conversation.counts.against = counts.against;
    }

    fn walk<'a>(
        &self,
        conversation: &mut Conversation<'a>,
        end: End,
        piece: usize,
        of: &Piece<'a>,
        start: usize,
    ) {
        let mut at = start;
        for _ in 0..MESSAGES {
            let Some(rest) = of.bytes.get(at..).filter(|rest| !rest.is_empty()) else { return };
            let Some((before, wire)) = self.framing.and_then(|framing| framing(rest)) else {
                return;
            };
            let begin = at.saturating_add(before);
            let next = begin.saturating_add(wire);
            let Some(bytes) = of.bytes.get(begin..next.min(of.bytes.len())) else { return };
            let message = Message { bytes, wire };
            let reading = (self.read)(message);
            let time = of.time;
            conversation.take(Seen { end, piece, offset: begin, time, message, reading });
            if reading.fit == Fit::No || next <= at {
                return;
            }
            at = next;
        }
    }

    fn answer(&self, conversation: &Conversation<'_>) -> Answer {
        let Conversation { fitting: ref seen, counts: Counts { open, against } } = *conversation;
        let strong = seen.iter().filter(|one| one.reading.fit == Fit::Strong).count();
        if against > 0 && (seen.is_empty() || !self.shares && against >= seen.len()) {
            return if seen.is_empty() && open == 0 { Answer::No } else { Answer::Undecided };
        }
        let answered = self.is_answered(seen);
        let grade = if strong > 0 && (answered || self.is_repeated(seen)) {
            Grade::Confirmed
        } else if strong > 0 || answered || self.is_coherent(seen) {
            Grade::Strong
        } else if !seen.is_empty() {
            Grade::Weak
        } else {
            return Answer::Undecided;
        };
        Answer::Match(self.claim(seen, grade))
    }

    /// Whether a message of one end answers one of the other.
    fn is_answered(&self, seen: &[Seen<'_>]) -> bool {
        let from = |end: End| seen.iter().filter(move |one| one.end == end);
        from(End::A).any(|a| {
            from(End::B).any(|b| {
                let opposite = a.reading.role == Role::Any || a.reading.role != b.reading.role;
                match (a.reading.exchange, b.reading.exchange) {
                    (Some(a), Some(b)) => a == b && opposite,
                    (None, None) => a.reading.fit == Fit::Strong && b.reading.fit == Fit::Strong,
                    _ => false,
                }
            })
        })
    }

    /// Whether two different messages of one end are of one session.
    fn is_coherent(&self, seen: &[Seen<'_>]) -> bool {
        seen.iter().enumerate().any(|(index, one)| {
            one.reading.session.is_some()
                && seen.iter().skip(index + 1).any(|other| {
                    other.end == one.end
                        && other.reading.session == one.reading.session
                        && other.message.bytes != one.message.bytes
                })
        })
    }

    /// Whether three strong messages differ from each other.
    fn is_repeated(&self, seen: &[Seen<'_>]) -> bool {
        let mut different: [Option<&[u8]>; 2] = [None, None];
        for one in seen.iter().filter(|one| one.reading.fit == Fit::Strong) {
            match different {
                [None, _] => different[0] = Some(one.message.bytes),
                [Some(first), None] if first != one.message.bytes => {
                    different[1] = Some(one.message.bytes);
                }
                [Some(first), Some(second)]
                    if first != one.message.bytes && second != one.message.bytes =>
                {
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    fn claim(&self, seen: &[Seen<'_>], grade: Grade) -> Claim {
        let mut details = Details::default();
        let mut proofs: Vec<Proof> = Vec::new();
        let mut client = None;
        for fit in [Fit::Strong, Fit::Weak] {
            for one in seen.iter().filter(|one| one.reading.fit == fit) {
                if let Some(take) = self.details {
                    take(one.message, &mut details);
                }
                client = client.or(match one.reading.role {
                    Role::Client => Some(one.end),
                    Role::Server => Some(one.end.other()),
                    Role::Any => None,
                });
                let known = proofs.iter().filter(|proof| proof.end == one.end).count();
                if known < PROOFS / 2 {
                    let length = one.reading.proof.min(one.message.bytes.len());
                    let (piece, offset) = (one.piece, one.offset);
                    proofs.push(Proof { end: one.end, piece, offset, length });
                }
            }
        }
        Claim { protocol: self.protocol, grade, client, proofs, details: details.into_sorted() }
    }
}
