//! What the packets say of the capture itself: whether network cards joined packets, whether
//! checksums can be trusted, how much was cut.

use serde::{Deserialize, Serialize};

use super::copies::CopyCounts;
use crate::base::Merge;
use crate::decode::{FragmentUnit, Unit};

/// Longest IP packet of a link without jumbo frames, in bytes (RFC 894).
const ETHERNET_MTU: u32 = 1500;

/// Longest IP packet of a link with jumbo frames as switches know them, in bytes.
const JUMBO_MTU: u32 = 9216;

/// Counts over all IP packets read, by the bytes that were on the wire, copies included unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureFacts {
    /// IP packets and fragments.
    pub ip_packets: u64,
    /// Those longer than 1500 bytes: jumbo frames, or packets that a network card had joined.
    pub over_1500: u64,
    /// Those longer than 9216 bytes: no link carries them, so a network card had joined them.
    pub over_9216: u64,
    /// Bytes of the longest.
    pub longest: u32,
    /// Those whose IP header declares no length and leaves it to the network card.
    pub without_length: u64,
    /// Those of which the capture cut off a part.
    pub cut: u64,
    /// IPv4 packets whose header checksum is wrong.
    pub header_checksum_wrong: u64,
    /// TCP and UDP packets whose checksum holds the sum over addresses and length alone: it was
    /// left to a network card behind the point of capture.
    pub checksum_left_to_card: u64,
    /// Copies that were left out.
    pub copies: CopyCounts,
}

impl CaptureFacts {
    /// Counts a packet of a flow.
    pub fn note(&mut self, unit: &Unit) {
        self.note_length(unit.ip_bytes.min(unit.frame_bytes), unit.cut);
        let oddities = unit.oddities;
        self.without_length += u64::from(oddities.without_length);
        self.header_checksum_wrong += u64::from(oddities.header_checksum_wrong);
        self.checksum_left_to_card += u64::from(oddities.checksum_left_to_card);
    }

    /// Counts a later fragment.
    pub fn note_fragment(&mut self, fragment: &FragmentUnit) {
        self.note_length(fragment.ip_bytes.min(fragment.frame_bytes), fragment.cut);
    }

    fn note_length(&mut self, ip_bytes: u32, cut: bool) {
        self.ip_packets += 1;
        self.over_1500 += u64::from(ip_bytes > ETHERNET_MTU);
        self.over_9216 += u64::from(ip_bytes > JUMBO_MTU);
        self.longest = self.longest.max(ip_bytes);
        self.cut += u64::from(cut);
    }
}

impl Merge for CaptureFacts {
    fn merge(&mut self, other: Self) {
        let CaptureFacts {
            ip_packets,
            over_1500,
            over_9216,
            longest,
            without_length,
            cut,
            header_checksum_wrong,
            checksum_left_to_card,
            copies,
        } = other;
        self.ip_packets += ip_packets;
        self.over_1500 += over_1500;
        self.over_9216 += over_9216;
        self.longest = self.longest.max(longest);
        self.without_length += without_length;
        self.cut += cut;
        self.header_checksum_wrong += header_checksum_wrong;
        self.checksum_left_to_card += checksum_left_to_card;
        self.copies.merge(copies);
    }
}
