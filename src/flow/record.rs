//! From merged history to flow records: where one use of a five-tuple ends, who opened it and
//! how far it came. Everything here is a function of the merged state.

use std::sync::Arc;

use super::carriers::{CarrierKey, CarrierUse};
use super::half::{Half, TcpSeen};
use super::quotes::{Quote, QuoteLog};
use super::segment::{Origin, Segment};
use super::table::FlowTable;
use crate::base::{Endpoint, IpProto, Timestamp};
use crate::decode::{Direction, FlowKey, Path};
use crate::identify::Content;

/// Two SYNs in opposite directions within this time are one simultaneous open (RFC 9293
/// section 3.5), in nanoseconds.
const SIMULTANEOUS_OPEN: u64 = 3_000_000_000;

/// Packets that a capture holds in the wrong order lie this close together, in nanoseconds.
const DISORDER: u64 = 20_000_000;

/// How it is known who opened a flow, best first (D3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DirectionBasis {
    /// A SYN was seen: its sender opened the flow.
    Syn,
    /// Only a SYN+ACK was seen: its receiver opened the flow.
    SynAck,
    /// Who sent the first packet that was captured.
    FirstPacket,
}

/// How far a flow came (D3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnectionState {
    /// Both directions took part.
    Established,
    /// One direction was captured, and its acknowledgements prove the other.
    HalfSeen,
    /// One direction was captured and nothing proves an answer.
    OneWay,
    /// A TCP handshake, complete or not, that carried nothing.
    HandshakeOnly,
    /// Answered by RST or by an ICMP error.
    Refused,
    /// A SYN, or several, without any answer.
    Unanswered,
    /// Both directions were captured, but the capture began after the handshake.
    MidStream,
    /// One direction was captured where the capture shows one direction only: there may have been
    /// an answer. No record is in this state by itself; judging knows what all records show.
    UnknownAnswer,
}

impl ConnectionState {
    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            ConnectionState::Established => "established",
            ConnectionState::HalfSeen => "half-seen",
            ConnectionState::OneWay => "one-way",
            ConnectionState::HandshakeOnly => "handshake-only",
            ConnectionState::Refused => "refused",
            ConnectionState::Unanswered => "unanswered",
            ConnectionState::MidStream => "mid-stream",
            ConnectionState::UnknownAnswer => "unknown-answer",
        }
    }
}

/// ICMP errors that quoted packets of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpNotice {
    /// Which way the quoted packets travelled.
    pub direction: Direction,
    /// What the errors said.
    pub quote: Quote,
}

/// One use of a five-tuple: a flow instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRecord {
    /// The five-tuple.
    pub key: FlowKey,
    /// Which use of the five-tuple it is, from 1.
    pub instance: u32,
    /// The first packet. `None` for an attempt that only an ICMP error tells of.
    pub origin: Option<Origin>,
    /// Time of the first packet.
    pub earliest: Timestamp,
    /// Time of the last packet.
    pub latest: Timestamp,
    /// Who opened the flow, as the way its packets travel.
    pub initiator: Direction,
    /// How that is known.
    pub basis: DirectionBasis,
    /// ICMP errors that quoted packets of it.
    pub icmp: Option<Box<IcmpNotice>>,
    /// The headers outside the innermost IP header of the first packet.
    pub path: Path,
    /// Whether other packets of the flow came by another path.
    pub paths_differ: bool,
    /// What its payload told. `None` when none was captured.
    pub content: Option<Arc<Content>>,
    a_to_b: Half,
    b_to_a: Half,
}

impl FlowRecord {
    /// One direction of a tunnel, as a flow between its two ends.
    pub fn of_tunnel(key: &CarrierKey, passed: &CarrierUse) -> FlowRecord {
        let (flow, direction) = FlowKey::new(key.source, key.destination, key.protocol);
        let sent = Half::carried(passed);
        let (a_to_b, b_to_a) = match direction {
            Direction::AToB => (sent, Half::default()),
            Direction::BToA => (Half::default(), sent),
        };
        let (source, time, _) = passed.first;
        FlowRecord {
            key: flow,
            instance: 1,
            origin: Some(Origin { source, direction, time }),
            earliest: time,
            latest: passed.last.1,
            initiator: direction,
            basis: DirectionBasis::FirstPacket,
            icmp: None,
            path: Path::default(),
            paths_differ: false,
            content: None,
            a_to_b,
            b_to_a,
        }
    }

    /// Adds what else went through a tunnel between the same ends.
    pub fn append_tunnel(&mut self, other: &FlowRecord) {
        if other.origin < self.origin {
            (self.origin, self.initiator) = (other.origin, other.initiator);
        }
        self.earliest = self.earliest.min(other.earliest);
        self.latest = self.latest.max(other.latest);
        self.a_to_b.append(&other.a_to_b);
        self.b_to_a.append(&other.b_to_a);
    }

    /// The same flow between other ends.
    pub fn with_ends(mut self, mut other: impl FnMut(Endpoint) -> Endpoint) -> FlowRecord {
        if let Some(content) = &mut self.content {
            let content = Arc::make_mut(content);
            content.replace_addresses(|address| other(Endpoint::new(address, 0)).address());
        }
        let (a, b) = (other(self.key.a()), other(self.key.b()));
        let (key, direction) = FlowKey::new(a, b, self.key.protocol());
        self.key = key;
        if direction == Direction::BToA {
            self.initiator = self.initiator.reverse();
            if let Some(origin) = &mut self.origin {
                origin.direction = origin.direction.reverse();
            }
            if let Some(notice) = &mut self.icmp {
                notice.direction = notice.direction.reverse();
            }
            if let Some(content) = &mut self.content {
                Arc::make_mut(content).swap_ends();
            }
            std::mem::swap(&mut self.a_to_b, &mut self.b_to_a);
        }
        self
    }

    /// What was sent in `direction`.
    pub fn half(&self, direction: Direction) -> &Half {
        match direction {
            Direction::AToB => &self.a_to_b,
            Direction::BToA => &self.b_to_a,
        }
    }

    /// What flows are ordered by, the earliest first. Both ends of a five-tuple can be known from
    /// ICMP errors alone.
    pub fn order(&self) -> impl Ord + use<> {
        (self.earliest, self.key, self.instance, self.initiator)
    }

    /// Packets of both directions.
    pub fn packets(&self) -> u64 {
        self.a_to_b.packets + self.b_to_a.packets
    }

    /// Bytes of whole frames of both directions.
    pub fn frame_bytes(&self) -> u64 {
        self.a_to_b.frame_bytes + self.b_to_a.frame_bytes
    }

    /// Bytes of IP packets of both directions.
    pub fn ip_bytes(&self) -> u64 {
        self.a_to_b.ip_bytes + self.b_to_a.ip_bytes
    }

    /// Copies of its packets that were left out of every count.
    pub fn copies(&self) -> u64 {
        u64::from(self.a_to_b.copies) + u64::from(self.b_to_a.copies)
    }

    /// Bytes that travelled in `direction` over TCP and that the capture does not hold, as
    /// sequence and acknowledgement numbers tell; see [`Half::unseen_bytes`].
    pub fn unseen_bytes(&self, direction: Direction) -> u32 {
        self.half(direction).unseen_bytes(self.half(direction.reverse()))
    }

    /// Whether a frame went to a link-layer broadcast or multicast address.
    pub fn link_group(&self) -> bool {
        self.a_to_b.link_group || self.b_to_a.link_group
    }

    /// Whether the capture cut a packet of the flow short.
    pub fn cut(&self) -> bool {
        self.a_to_b.cut || self.b_to_a.cut
    }

    /// The end that sends in `initiator` direction.
    pub fn end(&self, direction: Direction) -> Endpoint {
        self.key.sender(direction)
    }

    /// Whether the packets were cut before their ports: the record then holds everything that
    /// its two hosts exchanged over this protocol and was cut there, under ports 0.
    pub fn ports_missing(&self) -> bool {
        self.key.protocol().has_ports()
            && self.key.a().port() == 0
            && self.key.b().port() == 0
            && (self.a_to_b.incomplete || self.b_to_a.incomplete)
    }

    /// Whether one end only probed: it sent flags that no connection uses (none at all, FIN
    /// alone, FIN with PSH and URG, SYN with RST), or SYN+ACKs that were answered by RST, and
    /// neither end sent anything else. The initiator is then the end that probed.
    pub fn is_probe(&self) -> bool {
        self.key.protocol() == IpProto::TCP
            && self.basis == DirectionBasis::FirstPacket
            && (probes(&self.a_to_b, &self.b_to_a) || probes(&self.b_to_a, &self.a_to_b))
    }

    /// How far the flow came when the sender in `initiator` direction opened it.
    pub fn state(&self, initiator: Direction) -> ConnectionState {
        let (opener, answerer) = (self.half(initiator), self.half(initiator.reverse()));
        let rejected = self.icmp.as_ref().is_some_and(|notice| {
            notice.direction == initiator && notice.quote.unreachable + notice.quote.prohibited > 0
        });
        match self.key.protocol() {
            IpProto::TCP if self.is_probe() => probe_state(self.half(self.initiator.reverse())),
            IpProto::TCP => tcp_state(opener, answerer, rejected),
            _ if rejected && answerer.packets == 0 => ConnectionState::Refused,
            _ if opener.packets > 0 && answerer.packets > 0 => ConnectionState::Established,
            _ => ConnectionState::OneWay,
        }
    }
}

/// Whether `sent` holds only what a scanner sends to a port without opening a connection, and
/// `back` nothing but resets.
fn probes(sent: &Half, back: &Half) -> bool {
    let answered = back.packets > 0;
    let reset = back.tcp.is_only(TcpSeen::RST) && back.payload_bytes == 0;
    let odd = sent.tcp.has(TcpSeen::PROBE);
    let unasked = sent.tcp.has(TcpSeen::SYN_ACK) && answered;
    let opens = sent.tcp.has(TcpSeen::SYN) || sent.tcp.has(TcpSeen::ACK) || sent.payload_bytes > 0;
    (odd || unasked) && !opens && (reset || !answered)
}

/// A probe is no connection: it was refused, or nothing is known of an answer.
fn probe_state(probed: &Half) -> ConnectionState {
    if probed.packets > 0 { ConnectionState::Refused } else { ConnectionState::OneWay }
}

fn tcp_state(opener: &Half, answerer: &Half, rejected: bool) -> ConnectionState {
    use ConnectionState::{
        Established, HalfSeen, HandshakeOnly, MidStream, OneWay, Refused, Unanswered,
    };
    let data = opener.has_data() || answerer.has_data();
    let opened = opener.tcp.has(TcpSeen::SYN);
    let accepted = answerer.tcp.has(TcpSeen::SYN_ACK);
    let acknowledged = opener.tcp.has(TcpSeen::ACK);
    let reset = answerer.tcp.has(TcpSeen::RST) && !answerer.tcp.has(TcpSeen::ACK);
    let closed = opener.tcp.has(TcpSeen::FIN)
        || opener.tcp.has(TcpSeen::RST)
        || answerer.tcp.has(TcpSeen::FIN)
        || answerer.tcp.has(TcpSeen::RST);
    match (opener.packets > 0, answerer.packets > 0) {
        (true, true) if accepted => {
            // The answerer sends data only after an acknowledgement, captured or not.
            let completed = acknowledged || answerer.has_data();
            if completed && (data || !closed) { Established } else { HandshakeOnly }
        }
        // Data in the SYN (RFC 7413) is refused with it.
        (true, true) if opened && !acknowledged && reset && answerer.payload_bytes == 0 => Refused,
        (true, true) if opened && data => Established,
        (true, true) if opened => HandshakeOnly,
        (true, true) => MidStream,
        (true, false) if opened && !acknowledged => {
            if rejected {
                Refused
            } else {
                Unanswered
            }
        }
        // An ACK after the SYN acknowledges a SYN+ACK that was not captured.
        (true, false) if opened || opener.tcp.has(TcpSeen::ACK_MOVED) => HalfSeen,
        (true, false) => OneWay,
        (false, true) if accepted || answerer.tcp.has(TcpSeen::ACK_MOVED) => HalfSeen,
        (false, _) if rejected => Refused,
        (false, _) => OneWay,
    }
}

/// Turns the flows of all shards into records, the latest first packet first: whoever takes
/// them from the end gets them in order and can give their memory back on the way.
///
/// Attempts that only an ICMP error tells of come as records without packets.
pub fn records(tables: Vec<FlowTable>, mut quotes: QuoteLog) -> Vec<FlowRecord> {
    let mut all = Vec::with_capacity(tables.iter().map(|table| table.runs() as usize).sum());
    let mut runs: Vec<Segment> = Vec::new();
    for table in tables {
        for (key, history) in table.into_flows() {
            let key = &key;
            coalesce(history.into_segments(), &mut runs);
            let first = all.len();
            all.extend(runs.drain(..).zip(1..).map(|(run, instance)| record(key, run, instance)));
            let instances = all.get_mut(first..).unwrap_or_default();
            for direction in [Direction::AToB, Direction::BToA] {
                if let Some(quote) = quotes.take(key, direction) {
                    attach(instances, IcmpNotice { direction, quote });
                }
            }
        }
    }
    all.extend(quotes.into_rest().map(|((key, direction), quote)| hearsay(key, direction, quote)));
    all.sort_unstable_by_key(|record| std::cmp::Reverse(record.order()));
    all
}

/// Puts the runs of one five-tuple together where several belong to one use of it.
fn coalesce(runs: impl Iterator<Item = Segment>, joined: &mut Vec<Segment>) {
    for run in runs {
        match joined.last_mut() {
            Some(last) if belongs(last, &run) => last.append(run),
            _ => joined.push(run),
        }
    }
}

/// Whether `next`, which begins with a SYN, opens what `last` already shows.
fn belongs(last: &Segment, next: &Segment) -> bool {
    let Some((opener, sequence)) = next.syn else { return false };
    let answer = last.half(opener.reverse());
    match last.syn {
        // The SYN+ACK, or what follows it, was captured before its SYN.
        None => {
            answer.syn_ack_ack() == Some(sequence.wrapping_add(1))
                || next.earliest.apart(last.latest) <= DISORDER
        }
        // Both sides opened at once.
        Some((other, _)) => {
            other != opener
                && next.earliest.apart(last.latest) <= SIMULTANEOUS_OPEN
                && !answer.tcp.has(TcpSeen::ACK)
                && last.half(opener).packets == 0
        }
    }
}

fn record(key: &FlowKey, run: Segment, instance: u32) -> FlowRecord {
    let syn_ack_from = |direction| run.half(direction).tcp.has(TcpSeen::SYN_ACK);
    let probed_by =
        |direction: Direction| probes(run.half(direction), run.half(direction.reverse()));
    let (first, second) = (run.origin.direction, run.origin.direction.reverse());
    let (initiator, basis) = match run.syn {
        Some((opener, _)) => {
            // After a simultaneous open the SYN that was answered counts.
            let other = opener.reverse();
            let turned = run.half(other).tcp.has(TcpSeen::SYN)
                && syn_ack_from(opener)
                && !syn_ack_from(other);
            (if turned { other } else { opener }, DirectionBasis::Syn)
        }
        None if key.protocol() != IpProto::TCP => (first, DirectionBasis::FirstPacket),
        None if probed_by(first) => (first, DirectionBasis::FirstPacket),
        None if probed_by(second) => (second, DirectionBasis::FirstPacket),
        None if syn_ack_from(Direction::AToB) => (Direction::BToA, DirectionBasis::SynAck),
        None if syn_ack_from(Direction::BToA) => (Direction::AToB, DirectionBasis::SynAck),
        None => (first, DirectionBasis::FirstPacket),
    };
    FlowRecord {
        key: *key,
        instance,
        origin: Some(run.origin),
        earliest: run.earliest,
        latest: run.latest,
        initiator,
        basis,
        icmp: None,
        path: run.path,
        paths_differ: run.paths_differ,
        a_to_b: *run.half(Direction::AToB),
        b_to_a: *run.half(Direction::BToA),
        content: run.recognition.content(),
    }
}

/// Gives the errors to the use of the five-tuple that was running when the first one came, those
/// of later uses too: errors are kept per five-tuple.
fn attach(instances: &mut [FlowRecord], notice: IcmpNotice) {
    let when = notice.quote.earliest;
    let running = instances.iter().rposition(|record| Some(record.earliest) <= when).unwrap_or(0);
    if let Some(record) = instances.get_mut(running) {
        record.icmp = Some(Box::new(notice));
    }
}

/// An attempt of which only an ICMP error tells.
fn hearsay(key: FlowKey, direction: Direction, quote: Quote) -> FlowRecord {
    let earliest = quote.earliest.unwrap_or_default();
    FlowRecord {
        key,
        instance: 1,
        origin: None,
        earliest,
        latest: quote.latest.unwrap_or(earliest),
        initiator: direction,
        basis: DirectionBasis::FirstPacket,
        icmp: Some(Box::new(IcmpNotice { direction, quote })),
        path: Path::default(),
        paths_differ: false,
        content: None,
        a_to_b: Half::default(),
        b_to_a: Half::default(),
    }
}
