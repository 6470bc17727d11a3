//! A run of packets of one five-tuple: the smallest piece from which flows are put together.

use serde::{Deserialize, Serialize};

use super::accounting::Tally;
use super::carriers::{Amount, CarrierUse};
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

/// Greatest distance from one segment to the next of the same end, and from a segment to what
/// acknowledges it, that missing segments explain, in bytes. Beyond it a number belongs to another
/// use of the five-tuple: the answer to an old connection (RFC 9293 section 3.10.7), or the guess
/// of a device on the way.
const GREATEST_GAP: u32 = 1 << 27;

/// What was seen of TCP in one direction, as a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpSeen(u16);

impl TcpSeen {
    /// SYN without ACK.
    pub const SYN: TcpSeen = TcpSeen(0x01);
    /// SYN with ACK.
    pub const SYN_ACK: TcpSeen = TcpSeen(0x02);
    /// A segment with ACK that is neither SYN nor RST.
    pub const ACK: TcpSeen = TcpSeen(0x04);
    /// FIN.
    pub const FIN: TcpSeen = TcpSeen(0x08);
    /// RST.
    pub const RST: TcpSeen = TcpSeen(0x10);
    /// Two different acknowledgement numbers: the other side sends.
    pub const ACK_MOVED: TcpSeen = TcpSeen(0x20);
    /// A flag combination that no connection uses: none at all, FIN alone, FIN with PSH and URG,
    /// or SYN with RST.
    pub const PROBE: TcpSeen = TcpSeen(0x40);
    /// A segment whose sequence number counts: the header was whole, and it is neither RST nor a
    /// probe.
    const NUMBERED: TcpSeen = TcpSeen(0x80);

    /// Whether every bit of `bits` was seen.
    pub fn has(self, bits: TcpSeen) -> bool {
        self.0 & bits.0 == bits.0
    }

    /// Whether every flag of `bits` was seen and no other.
    pub(super) fn is_only(self, bits: TcpSeen) -> bool {
        self.0 & !Self::NUMBERED.0 == bits.0
    }

    /// Whether an acknowledgement number was seen, other than that of a RST.
    fn acknowledges(self) -> bool {
        self.has(TcpSeen::ACK) || self.has(TcpSeen::SYN_ACK)
    }

    fn add(&mut self, bits: TcpSeen) {
        self.0 |= bits.0;
    }

    /// Classifies the flag byte of a TCP header (RFC 9293 section 3.1).
    #[inline]
    fn of_flags(flags: u8) -> TcpSeen {
        const FIN: u8 = 0x01;
        const SYN: u8 = 0x02;
        const RST: u8 = 0x04;
        const PSH: u8 = 0x08;
        const ACK: u8 = 0x10;
        const URG: u8 = 0x20;
        let mut seen = TcpSeen::default();
        if flags & RST != 0 {
            seen.add(TcpSeen::RST);
            if flags & SYN != 0 {
                seen.add(TcpSeen::PROBE);
            }
        } else if flags & SYN != 0 {
            seen.add(if flags & ACK != 0 { TcpSeen::SYN_ACK } else { TcpSeen::SYN });
        } else {
            if flags & ACK != 0 {
                seen.add(TcpSeen::ACK);
            }
            if flags & FIN != 0 {
                seen.add(TcpSeen::FIN);
            }
            let probe = flags & (FIN | SYN | RST | PSH | ACK | URG);
            if matches!(probe, 0 | FIN) || probe == FIN | PSH | URG {
                seen.add(TcpSeen::PROBE);
            }
        }
        if !seen.has(TcpSeen::RST) && !seen.has(TcpSeen::PROBE) {
            seen.add(TcpSeen::NUMBERED);
        }
        seen
    }
}

/// What one end sent during a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Half {
    /// Packets, each IP fragment counted.
    pub packets: u64,
    /// Bytes of whole frames on the wire, link headers included.
    pub frame_bytes: u64,
    /// Bytes of IP packets as their headers declare them.
    pub ip_bytes: u64,
    /// Bytes of transport payload on the wire.
    pub payload_bytes: u64,
    /// Bytes of payload that came one at a time: a keep-alive probe repeats one byte below the
    /// window (RFC 9293 section 3.8.4). Saturates.
    single_bytes: u32,
    /// Copies of these packets that were left out of every count. Saturates.
    pub copies: u32,
    /// Sequence number of the first segment, if it is numbered.
    first_sequence: u32,
    /// Sequence number behind the last segment.
    last_end: u32,
    /// Sequence numbers left out between segments that follow each other, modulo 2^32: negative
    /// where segments repeat others or come late.
    left_out: u32,
    /// Acknowledgement number of the first segment that had one.
    first_ack: u32,
    /// Acknowledgement number of the last segment that had one.
    last_ack: u32,
    /// Acknowledgement number of the first SYN+ACK: the other side's initial number plus one.
    syn_ack_ack: u32,
    /// TCP flags seen. They tell which of the numbers above count.
    pub tcp: TcpSeen,
    /// Innermost VLAN identifier of the first packet.
    pub vlan: Option<u16>,
    /// Whether a frame went to a link-layer broadcast or multicast address.
    pub link_group: bool,
    /// Whether the capture cut a packet short.
    pub cut: bool,
    /// Whether a header ended before what flow state needs of it.
    pub(super) incomplete: bool,
}

impl Half {
    /// Whether payload was sent other than keep-alive probes: single bytes that take the sequence
    /// no further.
    pub fn has_data(&self) -> bool {
        let advance = self.left_out.wrapping_add(self.payload_bytes as u32);
        // The first probe of a run that began before the capture seems to take it one further.
        let advances = self.single_bytes > 1 && is_behind(1, advance);
        advances || self.payload_bytes > u64::from(self.single_bytes)
    }

    /// Acknowledgement number of the first SYN+ACK.
    pub(super) fn syn_ack_ack(&self) -> Option<u32> {
        self.tcp.has(TcpSeen::SYN_ACK).then_some(self.syn_ack_ack)
    }

    /// Sequence numbers that this end used and of which the capture holds no segment, as the
    /// segments themselves and what `back` acknowledged of them tell. 0 when no segment of this
    /// end was captured. Repeated segments hide as many.
    pub fn unseen_bytes(&self, back: &Half) -> u32 {
        if !self.tcp.has(TcpSeen::NUMBERED) {
            return 0;
        }
        let beyond = back.last_ack.wrapping_sub(self.last_end);
        let beyond = if back.tcp.acknowledges() && beyond <= GREATEST_GAP { beyond } else { 0 };
        let unseen = self.left_out.wrapping_add(beyond);
        if is_behind(0, unseen) { unseen } else { 0 }
    }

    /// What one end of a tunnel sent that does not count for a flow of its own.
    pub(super) fn carried(passed: &CarrierUse) -> Half {
        let Amount { packets, frame_bytes, ip_bytes } = passed.read();
        Half { packets, frame_bytes, ip_bytes, payload_bytes: ip_bytes, ..Half::default() }
    }

    /// Appends a packet that the same end sent.
    #[inline]
    fn absorb(&mut self, unit: &Unit) {
        if let Transport::Tcp { sequence, acknowledgement, flags } = unit.transport {
            let mut segment = Half { tcp: TcpSeen::of_flags(flags), ..Half::default() };
            segment.take_numbers(sequence, acknowledgement, unit.payload_bytes);
            self.append_numbers(&segment);
        }
        if self.packets == 0 {
            self.vlan = unit.vlan;
        }
        self.packets += 1;
        self.frame_bytes += u64::from(unit.frame_bytes);
        self.ip_bytes += u64::from(unit.ip_bytes);
        self.payload_bytes += u64::from(unit.payload_bytes);
        self.single_bytes = self.single_bytes.saturating_add(u32::from(unit.payload_bytes == 1));
        self.link_group |= unit.link_group;
        self.cut |= unit.cut;
        self.incomplete |= unit.transport == Transport::Incomplete;
    }

    /// Takes the numbers of a segment whose flags are noted.
    #[inline]
    fn take_numbers(&mut self, sequence: u32, acknowledgement: u32, payload: u32) {
        let opens = self.tcp.has(TcpSeen::SYN) || self.tcp.has(TcpSeen::SYN_ACK);
        let closes = self.tcp.has(TcpSeen::FIN);
        if self.tcp.has(TcpSeen::NUMBERED) {
            let length = payload.wrapping_add(u32::from(opens)).wrapping_add(u32::from(closes));
            self.first_sequence = sequence;
            self.last_end = sequence.wrapping_add(length);
        }
        if self.tcp.acknowledges() {
            self.first_ack = acknowledgement;
            self.last_ack = acknowledgement;
        }
        if self.tcp.has(TcpSeen::SYN_ACK) {
            self.syn_ack_ack = acknowledgement;
        }
    }

    /// Appends what the same end sent later.
    pub(super) fn append(&mut self, later: &Half) {
        let Half {
            packets,
            frame_bytes,
            ip_bytes,
            payload_bytes,
            single_bytes,
            copies,
            first_sequence: _,
            last_end: _,
            left_out: _,
            first_ack: _,
            last_ack: _,
            syn_ack_ack: _,
            tcp: _,
            vlan,
            link_group,
            cut,
            incomplete,
        } = *later;
        self.append_numbers(later);
        if self.packets == 0 {
            self.vlan = vlan;
        }
        self.packets += packets;
        self.frame_bytes += frame_bytes;
        self.ip_bytes += ip_bytes;
        self.payload_bytes += payload_bytes;
        self.single_bytes = self.single_bytes.saturating_add(single_bytes);
        self.copies = self.copies.saturating_add(copies);
        self.link_group |= link_group;
        self.cut |= cut;
        self.incomplete |= incomplete;
    }

    /// Appends what the TCP headers said that the same end sent later.
    #[inline]
    fn append_numbers(&mut self, later: &Half) {
        let Half {
            first_sequence, last_end, left_out, first_ack, last_ack, syn_ack_ack, tcp, ..
        } = *later;
        if tcp.has(TcpSeen::NUMBERED) {
            if self.tcp.has(TcpSeen::NUMBERED) {
                let gap = first_sequence.wrapping_sub(self.last_end);
                if gap.cast_signed().unsigned_abs() <= GREATEST_GAP {
                    self.left_out = self.left_out.wrapping_add(gap);
                }
            } else {
                self.first_sequence = first_sequence;
            }
            self.last_end = last_end;
            self.left_out = self.left_out.wrapping_add(left_out);
        }
        if tcp.acknowledges() {
            if !self.tcp.acknowledges() {
                self.first_ack = first_ack;
            } else if self.first_ack != first_ack {
                self.tcp.add(TcpSeen::ACK_MOVED);
            }
            self.last_ack = last_ack;
        }
        if !self.tcp.has(TcpSeen::SYN_ACK) {
            self.syn_ack_ack = syn_ack_ack;
        }
        self.tcp.add(tcp);
    }
}

/// Whether `later` lies behind `earlier` on the circle of sequence numbers (RFC 9293
/// section 3.4).
fn is_behind(earlier: u32, later: u32) -> bool {
    (1..1 << 31).contains(&later.wrapping_sub(earlier))
}

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
        let half = self.half(direction);
        std::hint::black_box((self.origin.time, self.latest, self.paths_differ));
        std::hint::black_box((half.packets, half.last_ack, half.incomplete));
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
