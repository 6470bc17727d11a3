//! Recognises what one flow speaks while its packets go by.
//!
//! In: the payload of its packets in order of arrival, and where its streams begin. Out, once: its
//! [`Content`]. The first payload is kept until the recognisers are sure or the room is used up;
//! then it is given back, and only a connection that announces others is read on.
//!
//! What comes out is a function of the arrivals in their order. A part of the capture that is not
//! its beginning keeps the payload as it came, up to a bound, since the flow may have begun before:
//! appended to what came before, it is read as if there had never been a cut.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::claim::Grade;
use super::content::{Content, Identity};
use super::evidence::{Carriage, End, Evidence, Piece};
use super::follow::Followed;
use super::head::{Arrival, Head, Stretch};
use super::protocol::Protocol;
use super::rtp::Track;
use super::survey::Open;
use super::t38;
use crate::base::Timestamp;

/// Payloads, and bytes of them, that a part which is not the first keeps of one flow.
const HELD: usize = 256;
const HELD_BYTES: usize = 1 << 17;

/// Payloads after which a flow that nothing recognised is given up.
const PATIENCE: u32 = 256;

/// The payload of one packet.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// Who sent it.
    pub end: End,
    /// What carried it.
    pub carriage: Carriage,
    /// TCP sequence number of its first byte.
    pub sequence: u32,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// Bytes on the wire.
    pub wire: u32,
    /// When it was captured.
    pub time: Timestamp,
    /// Place of its packet in the stream.
    pub place: u64,
    /// Whether it is a whole UDP datagram of which the first fragment was taken before.
    pub joined: bool,
    /// Ports of both ends. What is usually spoken there is asked first; otherwise they have no
    /// weight.
    pub ports: [u16; 2],
}

/// The recognition of one flow.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recognition {
    /// Sequence numbers of the first bytes of both streams.
    starts: [Option<u32>; 2],
    /// Its weight when a payload was taken last, in bytes.
    weighed: u32,
    /// Whether it is media, of which nothing but fax is read on.
    is_media: bool,
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
enum State {
    /// No payload yet.
    #[default]
    Silent,
    /// The flow may have begun in an earlier part of the capture.
    Held(Box<Held>),
    /// Not sure yet.
    Reading(Box<Reading>),
    /// Sure, and read on. Copies share it until one reads on: of media, nearly all payload is
    /// passed over.
    Following(Arc<(Content, Followed)>),
    /// Nothing more will be learnt. Copies share it.
    Known(Arc<Content>),
}

/// Payload as it came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Held {
    payloads: Vec<HeldPayload>,
    bytes: usize,
    unread: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct HeldPayload {
    end: End,
    carriage: Carriage,
    sequence: u32,
    bytes: Box<[u8]>,
    wire: u32,
    time: Timestamp,
    place: u64,
    joined: bool,
    ports: [u16; 2],
    /// Where the streams begin, as far as it was known when the payload came.
    starts: [Option<u32>; 2],
}

/// The first payload of a flow, and what it is not.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reading {
    carriage: Carriage,
    usual: Option<Protocol>,
    heads: [Head; 2],
    open: Open,
    /// Sources of media, which may take longer to show than there is room for.
    tracks: [Track; 2],
    payloads: u32,
    /// Number of payloads kept when the recognisers were asked last.
    asked: usize,
    best: Option<Identity>,
    unread: bool,
}

impl Recognition {
    /// Notes where the stream of one end begins: the sequence number of its first byte. The first
    /// note counts.
    pub fn begin(&mut self, end: End, sequence: u32) {
        of(&mut self.starts, end).get_or_insert(sequence);
    }

    /// Takes the next payload of the flow. With `hold` set it is kept as it is, because the flow
    /// may have begun in a part of the capture that lies before. With `may_grow` unset nothing
    /// more is kept. Answers by how many bytes more memory is in use.
    pub fn take(&mut self, payload: &Payload<'_>, hold: bool, may_grow: bool) -> isize {
        // Nearly all media: looking at the first byte is cheaper than finding who would.
        if self.is_media && !t38::may_be(payload.bytes) {
            return 0;
        }
        self.advance(payload, hold, may_grow);
        let before = self.weighed;
        self.weigh();
        self.weighed as isize - before as isize
    }

    /// Notes what the next payload needs of the state.
    fn weigh(&mut self) {
        self.is_media = matches!(&self.state, State::Following(one) if one.1.is_media());
        self.weighed = u32::try_from(self.measure()).unwrap_or(u32::MAX);
    }

    fn advance(&mut self, payload: &Payload<'_>, hold: bool, may_grow: bool) {
        match &mut self.state {
            State::Known(_) => {}
            State::Following(following) if payload.joined && following.1.is_media() => {}
            State::Following(following) if may_grow => {
                let start = *of(&mut self.starts, payload.end);
                Arc::make_mut(following).1.read(payload.end, payload.arrival(), start);
            }
            State::Following(following) => {
                Arc::make_mut(following).0.unread = true;
                self.conclude();
            }
            State::Reading(_) => self.read(payload, may_grow),
            State::Held(held) => held.keep(payload, self.starts),
            State::Silent if hold => {
                let mut held = Box::<Held>::default();
                held.keep(payload, self.starts);
                self.state = State::Held(held);
            }
            State::Silent if may_grow => {
                self.state = State::Reading(Box::new(Reading::new(payload)));
                self.read(payload, may_grow);
            }
            State::Silent => {
                self.state = State::Known(Arc::new(Content { unread: true, ..Content::default() }));
            }
        }
    }

    fn read(&mut self, payload: &Payload<'_>, may_grow: bool) {
        let State::Reading(reading) = &mut self.state else { return };
        if reading.take(payload, self.starts, may_grow) {
            self.state = match std::mem::take(&mut self.state) {
                State::Reading(reading) => reading.conclude(self.starts),
                other => other,
            };
        }
    }

    /// Appends what was recognised, or held, of the same flow later.
    pub fn append(&mut self, later: Recognition) {
        let before = self.starts;
        self.starts = first_of(self.starts, later.starts);
        match (&mut self.state, later.state) {
            (_, State::Silent) => {}
            (State::Silent, State::Held(more)) => {
                let mut held = Box::<Held>::default();
                held.append(*more, before);
                self.state = State::Held(held);
            }
            (State::Silent, state) => self.state = state,
            (State::Held(held), State::Held(more)) => held.append(*more, before),
            (_, State::Held(held)) => {
                let starts = std::mem::replace(&mut self.starts, before);
                self.replay(*held);
                self.starts = starts;
            }
            (_, later) => {
                self.conclude();
                let later =
                    Recognition { starts: self.starts, state: later, ..Recognition::default() }
                        .content();
                if let (State::Known(known), Some(later)) = (&mut self.state, later) {
                    Arc::make_mut(known).append(Arc::unwrap_or_clone(later));
                }
            }
        }
        self.weigh();
    }

    /// Reads what is held: nothing lies before it any more.
    pub fn settle(&mut self) {
        if let State::Held(_) = &self.state
            && let State::Held(held) = std::mem::take(&mut self.state)
        {
            let starts = std::mem::take(&mut self.starts);
            self.replay(*held);
            self.starts = starts;
            self.weigh();
        }
    }

    fn replay(&mut self, held: Held) {
        let known = self.starts;
        for payload in &held.payloads {
            self.starts = first_of(known, payload.starts);
            self.advance(&payload.view(), false, true);
        }
        match &mut self.state {
            State::Reading(reading) => reading.unread |= held.unread,
            State::Following(following) => Arc::make_mut(following).0.unread |= held.unread,
            // What was not held would not have been read either.
            State::Known(_) | State::Silent | State::Held(_) => {}
        }
    }

    fn conclude(&mut self) {
        self.settle();
        let starts = self.starts;
        let state = match std::mem::take(&mut self.state) {
            State::Reading(reading) => reading.conclude(starts),
            state => state,
        };
        self.state = match state {
            State::Following(following) => {
                let (mut content, followed) = Arc::unwrap_or_clone(following);
                followed.finish(&mut content);
                State::Known(Arc::new(content))
            }
            state => state,
        };
    }

    /// What the payload told, at the end of the flow. `None` when there was no payload.
    pub fn content(mut self) -> Option<Arc<Content>> {
        self.conclude();
        match self.state {
            State::Known(content) => Some(content),
            _ => None,
        }
    }

    /// Fetches the memory that the next payload needs first.
    #[inline]
    pub fn touch(&self) {
        std::hint::black_box((self.is_media, self.weighed));
    }

    /// Whether another payload would change nothing.
    pub fn is_known(&self) -> bool {
        matches!(self.state, State::Known(_))
    }

    /// Bytes of memory in use beside the recognition itself, as of the last payload.
    pub fn weight(&self) -> usize {
        self.weighed as usize
    }

    fn measure(&self) -> usize {
        match &self.state {
            State::Silent => 0,
            State::Known(content) => content.weight(),
            State::Following(following) => following.0.weight() + following.1.weight(),
            State::Held(held) => held.bytes + held.payloads.len() * size_of::<HeldPayload>(),
            State::Reading(reading) => {
                let [a, b] = &reading.heads;
                size_of::<Reading>() + a.weight() + b.weight()
            }
        }
    }
}

impl<'a> Payload<'a> {
    fn arrival(&self) -> Arrival<'a> {
        let Payload { sequence, bytes, wire, time, joined, .. } = *self;
        Arrival { sequence, bytes, wire, time, joined }
    }

    /// Whether it is a datagram that only keeps a way open, as call control sends them for hours
    /// between its messages (RFC 5626 section 3.5.1). It says nothing of what is spoken.
    fn is_filling(&self) -> bool {
        let whole = self.bytes.len() == self.wire as usize;
        let filling = match self.bytes {
            [0] | [0, 0, 0, 0] => true,
            [] => false,
            bytes => bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')),
        };
        self.carriage == Carriage::Udp && whole && filling
    }
}

impl HeldPayload {
    fn view(&self) -> Payload<'_> {
        let HeldPayload { end, carriage, sequence, ref bytes, wire, time, .. } = *self;
        let HeldPayload { place, joined, ports, .. } = *self;
        Payload { end, carriage, sequence, bytes, wire, time, place, joined, ports }
    }
}

impl Held {
    fn keep(&mut self, payload: &Payload<'_>, starts: [Option<u32>; 2]) {
        if self.payloads.len() >= HELD || self.bytes + payload.bytes.len() > HELD_BYTES {
            self.unread = true;
            return;
        }
        let Payload { end, carriage, sequence, bytes, wire, time, place, joined, ports } = *payload;
        self.bytes += bytes.len();
        let bytes = bytes.into();
        self.payloads.push(HeldPayload {
            end,
            carriage,
            sequence,
            bytes,
            wire,
            time,
            place,
            joined,
            ports,
            starts,
        });
    }

    /// Appends what was held later; `before` is what was known then of the begin of the streams.
    fn append(&mut self, later: Held, before: [Option<u32>; 2]) {
        self.unread |= later.unread;
        for mut payload in later.payloads {
            payload.starts = first_of(before, payload.starts);
            if self.payloads.len() >= HELD || self.bytes + payload.bytes.len() > HELD_BYTES {
                self.unread = true;
                return;
            }
            self.bytes += payload.bytes.len();
            let at = self.payloads.partition_point(|held| held.place <= payload.place);
            if let Some(neighbour) = self.payloads.get(at) {
                // A datagram that is whole by what lies before this part.
                let before = at.checked_sub(1).and_then(|before| self.payloads.get(before));
                payload.starts = before.unwrap_or(neighbour).starts;
            }
            self.payloads.insert(at, payload);
        }
    }
}

impl Reading {
    fn new(payload: &Payload<'_>) -> Self {
        let Payload { carriage, ports, .. } = *payload;
        Reading {
            carriage,
            usual: Protocol::usual(carriage, ports),
            heads: Default::default(),
            open: Open::over(carriage),
            tracks: Default::default(),
            payloads: 0,
            asked: 0,
            best: None,
            unread: false,
        }
    }

    /// Takes a payload; answers whether nothing more is to be learnt from the first payload.
    fn take(&mut self, payload: &Payload<'_>, starts: [Option<u32>; 2], may_grow: bool) -> bool {
        if payload.is_filling() {
            return !may_grow;
        }
        let Reading { carriage, heads, tracks, .. } = self;
        self.payloads = self.payloads.saturating_add(1);
        let arrival = payload.arrival();
        let in_place = of(&mut { starts }, payload.end).is_some();
        if payload.joined && of(heads, payload.end).supersede(arrival) {
            self.asked = 0;
        }
        let nobody = self.open.is_empty();
        let kept = may_grow && !nobody && of(heads, payload.end).keep(arrival, *carriage, in_place);
        self.unread |= !may_grow;
        let media = *carriage == Carriage::Udp && !payload.joined && {
            let track = of(tracks, payload.end);
            track.feed(payload.bytes, payload.wire as usize, payload.time);
            !kept && track.grade() == Some(Grade::Confirmed)
        };
        if kept && is_due(heads.iter().map(Head::len).sum()) {
            self.ask(starts);
        }
        if self.open.is_empty() {
            self.heads = Default::default();
        }
        let full = self.heads.iter().all(|head| head.is_full(self.carriage));
        let sure = self
            .best
            .as_ref()
            .is_some_and(|best| best.grade == Grade::Confirmed && !goes_on(best.protocol));
        let hopeless = self.open.is_empty() && self.carriage == Carriage::Tcp;
        let over = !may_grow || self.payloads >= PATIENCE;
        sure || media || hopeless || over || full && self.carriage == Carriage::Tcp
    }

    /// Asks the recognisers, unless nothing was kept since they were asked last.
    fn ask(&mut self, starts: [Option<u32>; 2]) {
        let kept = self.heads.iter().map(Head::len).sum();
        if kept == self.asked || self.open.is_empty() {
            return;
        }
        self.asked = kept;
        let Reading { carriage, usual, heads: [a, b], open, best, .. } = self;
        let (carriage, [a_start, b_start]) = (*carriage, starts);
        let (a, b) = (a.stretches(carriage, a_start), b.stretches(carriage, b_start));
        let a: Vec<Piece<'_>> = a.iter().map(Stretch::piece).collect();
        let b: Vec<Piece<'_>> = b.iter().map(Stretch::piece).collect();
        let evidence = Evidence { carriage, a: &a, b: &b };
        *best = open.ask(&evidence, *usual).map(|claim| Identity::of(claim, &evidence));
    }

    /// What the first payload told; it is given back.
    fn conclude(mut self, starts: [Option<u32>; 2]) -> State {
        self.ask(starts);
        self.take_media();
        let mut content =
            Content { identity: self.best, unread: self.unread, ..Content::default() };
        let protocol = content.identity.as_ref().filter(|one| one.grade >= Grade::Strong);
        let followed = protocol.and_then(|one| Followed::new(one.protocol, self.carriage));
        let Some(mut followed) = followed else { return State::Known(Arc::new(content)) };
        let mut arrivals: Vec<(End, Arrival<'_>)> = Vec::new();
        let [a, b] = &self.heads;
        arrivals.extend(a.arrivals().map(|arrival| (End::A, arrival)));
        arrivals.extend(b.arrivals().map(|arrival| (End::B, arrival)));
        arrivals.sort_by_key(|(_, arrival)| arrival.time);
        for (end, arrival) in arrivals {
            followed.read(end, arrival, *of(&mut { starts }, end));
        }
        content.unread |= self.unread;
        State::Following(Arc::new((content, followed)))
    }

    /// Takes media for what is spoken where nothing else is, or where what was found only
    /// prepares media (RFC 8445, RFC 5764).
    fn take_media(&mut self) {
        let graded = |end| (end, self.tracks.get(end as usize).and_then(Track::grade));
        let best = [End::A, End::B].map(graded).into_iter().max_by_key(|(_, grade)| *grade);
        let Some((end, Some(grade))) = best else { return };
        let open = self.best.as_ref().is_none_or(|best| {
            best.grade < Grade::Strong
                || matches!(best.protocol, Protocol::Rtp | Protocol::Stun | Protocol::Dtls)
                    && best.grade < grade
                || matches!(best.protocol, Protocol::Stun | Protocol::Dtls)
        });
        if open {
            self.best = Some(Identity::of_media(end, grade, &self.tracks));
        }
    }
}

/// Whether more may be spoken than the protocol that was found: what opens the way for media is not
/// the media, and a session is not what it carries.
fn goes_on(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Stun | Protocol::Dtls | Protocol::Nbss)
}

/// Whether the recognisers are asked at that number of kept payloads: often at first.
fn is_due(kept: usize) -> bool {
    matches!(kept, 2 | 3 | 5 | 8 | 12 | 16 | 24 | 32 | 48 | 64)
}

/// What is known of the begin of both streams when `before` was known first.
fn first_of([a, b]: [Option<u32>; 2], [more_a, more_b]: [Option<u32>; 2]) -> [Option<u32>; 2] {
    [a.or(more_a), b.or(more_b)]
}

fn of<T>(pair: &mut [T; 2], end: End) -> &mut T {
    let [a, b] = pair;
    match end {
        End::A => a,
        End::B => b,
    }
}
