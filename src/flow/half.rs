//! What one end of a flow sent during a run: packets, bytes, and what its TCP headers said.

use serde::{Deserialize, Serialize};

use super::carriers::{Amount, CarrierUse};
use crate::decode::{Transport, Unit};

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
    pub(super) fn of_flags(flags: u8) -> TcpSeen {
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

    /// Fetches the memory that the next packet will change.
    #[inline]
    pub(super) fn touch(&self) {
        std::hint::black_box((self.packets, self.last_ack, self.incomplete));
    }

    /// Appends a packet that the same end sent.
    #[inline]
    pub(super) fn absorb(&mut self, unit: &Unit) {
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
