//! A run of packets of one five-tuple: the smallest piece from which flows are put together.

use crate::base::{IpProto, Timestamp};
use crate::capture::FrameRef;
use crate::decode::{Direction, Transport, Unit};

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

/// What was seen of TCP in one direction, as a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpSeen(u8);

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

    /// Whether every bit of `bits` was seen.
    pub fn has(self, bits: TcpSeen) -> bool {
        self.0 & bits.0 == bits.0
    }

    /// Whether every bit of `bits` was seen and no other.
    pub(super) fn is_only(self, bits: TcpSeen) -> bool {
        self == bits
    }

    fn add(&mut self, bits: TcpSeen) {
        self.0 |= bits.0;
    }

    /// Classifies the flag byte of a TCP header (RFC 9293 section 3.1).
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
        seen
    }
}

/// What one end sent during a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// TCP flags seen.
    pub tcp: TcpSeen,
    /// Acknowledgement number of the first segment that had one.
    first_ack: Option<u32>,
    /// Acknowledgement number of the first SYN+ACK: the other side's initial number plus one.
    pub(crate) syn_ack_ack: Option<u32>,
    /// Whether a frame went to a link-layer broadcast or multicast address.
    pub link_group: bool,
    /// Whether the capture cut a packet short.
    pub cut: bool,
    /// Whether a header ended before what flow state needs of it.
    pub(super) incomplete: bool,
}

impl Half {
    /// Whether payload was sent other than single bytes, which keep-alive probes send.
    pub fn has_data(&self) -> bool {
        self.payload_bytes > u64::from(self.single_bytes)
    }

    fn of(unit: &Unit) -> Half {
        let mut half = Half {
            packets: 1,
            frame_bytes: u64::from(unit.frame_bytes),
            ip_bytes: u64::from(unit.ip_bytes),
            payload_bytes: u64::from(unit.payload_bytes),
            single_bytes: u32::from(unit.payload_bytes == 1),
            link_group: unit.link_group,
            cut: unit.cut,
            incomplete: unit.transport == Transport::Incomplete,
            ..Half::default()
        };
        if let Transport::Tcp { acknowledgement, flags, .. } = unit.transport {
            half.tcp = TcpSeen::of_flags(flags);
            if half.tcp.has(TcpSeen::SYN_ACK) {
                half.syn_ack_ack = Some(acknowledgement);
            }
            if half.tcp.has(TcpSeen::ACK) || half.tcp.has(TcpSeen::SYN_ACK) {
                half.first_ack = Some(acknowledgement);
            }
        }
        half
    }

    /// Appends what the same end sent later.
    fn append(&mut self, later: &Half) {
        let Half {
            packets,
            frame_bytes,
            ip_bytes,
            payload_bytes,
            single_bytes,
            tcp,
            first_ack,
            syn_ack_ack,
            link_group,
            cut,
            incomplete,
        } = later;
        self.packets += packets;
        self.frame_bytes += frame_bytes;
        self.ip_bytes += ip_bytes;
        self.payload_bytes += payload_bytes;
        self.single_bytes = self.single_bytes.saturating_add(*single_bytes);
        self.tcp.add(*tcp);
        if let (Some(first), Some(next)) = (self.first_ack, first_ack)
            && first != *next
        {
            self.tcp.add(TcpSeen::ACK_MOVED);
        }
        self.first_ack = self.first_ack.or(*first_ack);
        self.syn_ack_ack = self.syn_ack_ack.or(*syn_ack_ack);
        self.link_group |= link_group;
        self.cut |= cut;
        self.incomplete |= incomplete;
    }
}

/// The first packet of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
fn syn_of(unit: &Unit) -> Option<(Direction, u32)> {
    match unit.transport {
        Transport::Tcp { sequence, flags, .. } if TcpSeen::of_flags(flags).has(TcpSeen::SYN) => {
            Some((unit.direction, sequence))
        }
        _ => None,
    }
}

/// A run of packets of one five-tuple without a new SYN and without a long silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The first packet.
    pub origin: Origin,
    /// Least capture time in the run.
    pub earliest: Timestamp,
    /// Greatest capture time in the run.
    pub latest: Timestamp,
    /// The SYN that began the run: who sent it, with which sequence number.
    pub syn: Option<(Direction, u32)>,
    a_to_b: Half,
    b_to_a: Half,
}

impl Segment {
    /// The run of a single packet.
    pub fn of(unit: &Unit) -> Segment {
        let half = Half::of(unit);
        let (a_to_b, b_to_a) = match unit.direction {
            Direction::AToB => (half, Half::default()),
            Direction::BToA => (Half::default(), half),
        };
        Segment {
            origin: Origin::of(unit),
            earliest: unit.time,
            latest: unit.time,
            syn: syn_of(unit),
            a_to_b,
            b_to_a,
        }
    }

    /// What was sent in `direction`.
    pub fn half(&self, direction: Direction) -> &Half {
        match direction {
            Direction::AToB => &self.a_to_b,
            Direction::BToA => &self.b_to_a,
        }
    }

    /// Packets of both directions.
    pub fn packets(&self) -> u64 {
        self.a_to_b.packets + self.b_to_a.packets
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
        self.origin = self.origin.min(Origin::of(unit));
        self.earliest = self.earliest.min(unit.time);
        self.latest = self.latest.max(unit.time);
        self.syn = self.syn.or(syn_of(unit));
        match unit.direction {
            Direction::AToB => self.a_to_b.append(&Half::of(unit)),
            Direction::BToA => self.b_to_a.append(&Half::of(unit)),
        }
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
    pub fn append(&mut self, later: &Segment) {
        let Segment { origin, earliest, latest, syn, a_to_b, b_to_a } = later;
        self.origin = self.origin.min(*origin);
        self.earliest = self.earliest.min(*earliest);
        self.latest = self.latest.max(*latest);
        self.syn = self.syn.or(*syn);
        self.a_to_b.append(a_to_b);
        self.b_to_a.append(b_to_a);
    }
}
