//! A run of packets of one five-tuple: the smallest piece from which flows are put together.

use serde::{Deserialize, Serialize};

use super::accounting::Tally;
use super::half::{Half, TcpSeen};
use super::joining::Datagram;
use super::table::{Packet, Room};
use crate::base::{IpProto, Timestamp};
use crate::capture::FrameRef;
use crate::decode::{Direction, Path, Transport, Unit, sctp_messages};
use crate::identify::{Carriage, End, Payload, Recognition};

const SECOND: i64 = 1_000_000_000;

/// Longest silence inside one run, in nanoseconds.
///
/// TCP connections may idle for a day (SCCP, SIP and RPC do); UDP exchanges end after three
/// minutes, ICMP and the rest after thirty seconds.
fn idle_limit(protocol: IpProto) -> i64 {
    match protocol {
        IpProto::TCP | IpProto::SCTP => 24 * 3600 * SECOND,
        IpProto::UDP => 180 * SECOND,
        _ => 30 * SECOND,
    }
}

/// Longest time after which a SYN with the same sequence number is still a retransmission.
const SYN_RETRY_LIMIT: i64 = 120 * SECOND;

/// The first packet of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// Place in the stream, input and packet number.
    pub source: FrameRef,
    /// Which way it travelled.
    pub direction: Direction,
    /// When it was captured. Others of the run may be earlier where time steps back.
    pub time: Timestamp,
}

impl Origin {
    fn of(unit: &Unit) -> Origin {
        Origin { source: unit.source, direction: unit.direction, time: unit.time }
    }
}

/// Who sent the SYN, with which sequence number, if the packet is one.
#[inline]
fn syn_of(unit: &Unit) -> Option<(Direction, u32)> {
    match unit.transport {
        Transport::Tcp { sequence, flags, .. } if TcpSeen::of_flags(flags).has(TcpSeen::SYN) => {
            Some((unit.direction, sequence))
        }
        _ => None,
    }
}

/// A run of packets of one five-tuple without a new SYN and without a long silence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Segment {
    /// The first packet.
    pub origin: Origin,
    /// Least capture time in the run.
    pub earliest: Timestamp,
    /// Greatest capture time in the run.
    pub latest: Timestamp,
    /// The SYN that began the run: who sent it, with which sequence number.
    pub syn: Option<(Direction, u32)>,
    /// The headers outside the innermost IP header of the first packet.
    pub path: Path,
    /// Whether other packets of the run came by another path.
    pub paths_differ: bool,
    /// What the payload tells.
    pub recognition: Recognition,
    a_to_b: Half,
    b_to_a: Half,
}

impl Segment {
    /// The run of a single packet.
    pub fn of(unit: &Unit) -> Segment {
        let mut run = Segment {
            origin: Origin::of(unit),
            earliest: unit.time,
            latest: unit.time,
            syn: syn_of(unit),
            path: unit.path,
            paths_differ: false,
            recognition: Recognition::default(),
            a_to_b: Half::default(),
            b_to_a: Half::default(),
        };
        run.half_mut(unit.direction).absorb(unit);
        run
    }

    /// The run that a copy begins where its original lies in the stretch before: it holds no
    /// packet and waits to be appended.
    pub(super) fn of_copy(unit: &Unit, original: Timestamp) -> Segment {
        let mut run = Segment {
            origin: Origin { time: original, ..Origin::of(unit) },
            earliest: original,
            latest: original,
            syn: None,
            path: unit.path,
            paths_differ: false,
            recognition: Recognition::default(),
            a_to_b: Half::default(),
            b_to_a: Half::default(),
        };
        run.count_copy(unit.direction);
        run
    }

    /// Counts a copy of a packet of the run.
    pub(super) fn count_copy(&mut self, direction: Direction) {
        let half = self.half_mut(direction);
        half.copies = half.copies.saturating_add(1);
    }

    #[inline]
    fn half_mut(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::AToB => &mut self.a_to_b,
            Direction::BToA => &mut self.b_to_a,
        }
    }

    /// What was sent in `direction`.
    pub fn half(&self, direction: Direction) -> &Half {
        match direction {
            Direction::AToB => &self.a_to_b,
            Direction::BToA => &self.b_to_a,
        }
    }

    /// Fetches the memory that a packet of `direction` will change.
    #[inline]
    pub(super) fn touch(&self, direction: Direction) {
        std::hint::black_box((self.origin.time, self.latest, self.paths_differ));
        self.half(direction).touch();
        self.recognition.touch();
    }

    /// Packets of both directions.
    pub fn packets(&self) -> u64 {
        self.a_to_b.packets + self.b_to_a.packets
    }

    /// Whether it ended more than `keep` nanoseconds before or behind `now`; a clock that jumps
    /// leaves runs in what is now the future. A connection that is open ends with its longest
    /// silence.
    pub(super) fn is_over(&self, now: Timestamp, keep: i64, protocol: IpProto) -> bool {
        let either = |bits| self.a_to_b.tcp.has(bits) || self.b_to_a.tcp.has(bits);
        let both = |bits| self.a_to_b.tcp.has(bits) && self.b_to_a.tcp.has(bits);
        let closed = either(TcpSeen::RST) || both(TcpSeen::FIN);
        let open = protocol == IpProto::TCP && either(TcpSeen::ACK) && !closed;
        let silence = if open || protocol == IpProto::SCTP { idle_limit(protocol) } else { 0 };
        now.apart(self.latest) > keep.max(silence).unsigned_abs()
    }

    /// Packets and bytes of both directions.
    pub(super) fn tally(&self) -> Tally {
        let frame_bytes = self.a_to_b.frame_bytes + self.b_to_a.frame_bytes;
        Tally { packets: self.packets(), frame_bytes, sample: None }
    }

    /// Whether a packet that follows in arrival order belongs to this run; see
    /// [`continues`](Segment::continues).
    pub(super) fn accepts(&self, unit: &Unit, protocol: IpProto) -> bool {
        let silence = unit.time.since(self.latest);
        match syn_of(unit) {
            None => silence <= idle_limit(protocol),
            syn => self.syn == syn && silence <= SYN_RETRY_LIMIT,
        }
    }

    /// Appends one packet.
    pub(super) fn absorb(&mut self, unit: &Unit) {
        if self.packets() == 0 {
            self.begin_with(Origin::of(unit), (unit.time, unit.time), unit.path);
        }
        // A packet after the first lies behind it, unless it is a fragment that came late.
        if unit.source.ordinal <= self.origin.source.ordinal {
            self.origin = self.origin.min(Origin::of(unit));
        }
        self.earliest = self.earliest.min(unit.time);
        self.latest = self.latest.max(unit.time);
        self.syn = self.syn.or(syn_of(unit));
        self.paths_differ |= self.path != unit.path;
        self.half_mut(unit.direction).absorb(unit);
    }

    /// Reads the payload of a packet that was just absorbed. Answers by how many bytes more memory
    /// is in use.
    pub(super) fn read(&mut self, packet: Packet<'_>, room: Room) -> isize {
        const RST: u8 = 0x04;
        let Packet { unit, payload, wire } = packet;
        let end = match unit.direction {
            Direction::AToB => End::A,
            Direction::BToA => End::B,
        };
        let (carriage, sequence) = match unit.transport {
            Transport::Tcp { sequence, acknowledgement, flags } => {
                let seen = TcpSeen::of_flags(flags);
                let opens = seen.has(TcpSeen::SYN) || seen.has(TcpSeen::SYN_ACK);
                let first = sequence.wrapping_add(u32::from(opens));
                if opens {
                    self.recognition.begin(end, first);
                }
                if seen.has(TcpSeen::SYN_ACK) {
                    self.recognition.begin(end.other(), acknowledgement);
                }
                // A reset may carry its reason (RFC 9293 section 3.5.3), which is no part of the
                // stream.
                if flags & RST != 0 {
                    return 0;
                }
                (Carriage::Tcp, first)
            }
            Transport::Udp => (Carriage::Udp, 0),
            // Its messages are as separate as datagrams.
            Transport::Sctp { .. } => (Carriage::Udp, 0),
            _ => return 0,
        };
        if payload.is_empty() || self.recognition.is_known() {
            return 0;
        }
        let time = unit.time;
        let (place, ports) = (unit.source.ordinal, [unit.key.a().port(), unit.key.b().port()]);
        let mut take = |bytes, wire| {
            let joined = false;
            let payload =
                Payload { end, carriage, sequence, bytes, wire, time, place, joined, ports };
            self.recognition.take(&payload, room.hold, room.grow)
        };
        if let Transport::Sctp { .. } = unit.transport {
            let messages = sctp_messages(payload);
            return messages
                .map(|(bytes, wire)| take(bytes, u32::try_from(wire).unwrap_or(u32::MAX)))
                .sum();
        }
        take(payload, wire)
    }

    /// Reads the payload of a datagram whose packets are in the run. Answers by how many bytes
    /// more memory is in use.
    pub(super) fn read_datagram(&mut self, datagram: &Datagram, room: Room) -> isize {
        let Datagram { key, direction, source, time, sequence, payload, wire } = datagram;
        let carriage = match key.protocol() {
            IpProto::UDP => Carriage::Udp,
            _ => Carriage::Tcp,
        };
        let payload = Payload {
            end: match direction {
                Direction::AToB => End::A,
                Direction::BToA => End::B,
            },
            carriage,
            sequence: *sequence,
            bytes: payload,
            wire: *wire,
            time: *time,
            place: source.ordinal,
            joined: carriage == Carriage::Udp,
            ports: [key.a().port(), key.b().port()],
        };
        self.recognition.take(&payload, room.hold, room.grow)
    }

    /// A run that holds nothing but the payload of a datagram and waits to be appended.
    pub(super) fn of_datagram(datagram: &Datagram) -> Segment {
        let Datagram { direction, source, time, .. } = *datagram;
        let mut run = Segment {
            origin: Origin { source, direction, time },
            earliest: time,
            latest: time,
            syn: None,
            path: Path::default(),
            paths_differ: false,
            recognition: Recognition::default(),
            a_to_b: Half::default(),
            b_to_a: Half::default(),
        };
        let _ = run.read_datagram(datagram, Room { grow: true, hold: true });
        run
    }

    /// Forgets what a run that holds only copies began with.
    fn begin_with(&mut self, origin: Origin, times: (Timestamp, Timestamp), path: Path) {
        (self.origin, self.path) = (origin, path);
        (self.earliest, self.latest) = times;
    }

    /// Whether `next`, which follows in arrival order, belongs to this run.
    ///
    /// Looks only at what a part of the stream knows by itself or forgets in favour of a split:
    /// a run that began before the part can join pieces later, never tear one apart. That is
    /// what makes [`FlowHistory`](super::FlowHistory) mergeable at any cut.
    pub fn continues(&self, next: &Segment, protocol: IpProto) -> bool {
        let silence = next.origin.time.since(self.latest);
        match next.syn {
            Some(_) => self.syn == next.syn && silence <= SYN_RETRY_LIMIT,
            None => silence <= idle_limit(protocol),
        }
    }

    /// Appends a run that follows in arrival order.
    pub fn append(&mut self, later: Segment) {
        let packets = later.packets();
        let Segment {
            origin,
            earliest,
            latest,
            syn,
            path,
            paths_differ,
            recognition,
            a_to_b,
            b_to_a,
        } = later;
        if self.packets() == 0 {
            self.begin_with(origin, (earliest, latest), path);
        }
        if packets > 0 {
            self.origin = self.origin.min(origin);
            self.earliest = self.earliest.min(earliest);
            self.latest = self.latest.max(latest);
            self.syn = self.syn.or(syn);
            self.paths_differ |= paths_differ || self.path != path;
        }
        self.recognition.append(recognition);
        self.a_to_b.append(&a_to_b);
        self.b_to_a.append(&b_to_a);
    }
}
