//! Capture interfaces: what a file says of each, and its time stamps as nanoseconds.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{LinkType, Timestamp};

/// One capture interface as its file describes it.
///
/// Classic pcap has one, without name or counters. pcapng numbers interfaces anew in every
/// section (draft-ietf-opsawg-pcapng section 4.2).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Interface {
    /// Section of the file, from 0.
    pub section: u32,
    /// Number of the interface in its section, from 0.
    pub index: u32,
    /// `if_name`.
    pub name: Option<String>,
    /// `if_description`.
    pub description: Option<String>,
    /// Link type of its packets.
    pub link: LinkType,
    /// Most bytes captured of a packet; 0 when there is no limit or none is stated.
    pub snaplen: u32,
    /// Unit of its time stamps.
    pub resolution: Resolution,
    /// `if_filter`: the expression that packets had to match, or a note that it is bytecode.
    pub filter: Option<String>,
    /// Bytes of frame check sequence at the end of each frame (`if_fcslen`, or the upper bits of
    /// the pcap link-type field); 0 when not declared.
    pub fcs_bytes: u8,
    /// Seconds added to every time stamp (`if_tsoffset`).
    pub time_offset: i64,
    /// Counters of the last Interface Statistics Block.
    pub statistics: InterfaceStatistics,
    /// Packets lost between packets of the file, summed over the drop counts that packet blocks
    /// carry (`epb_dropcount` and the drops field of the obsolete Packet Block).
    pub dropped_between: u64,
    /// Packets of this interface in the file.
    pub packets: u64,
}

impl Interface {
    /// Packets that were lost before they reached the file; `None` when no counter of the file
    /// tells.
    pub fn lost(&self) -> Option<u64> {
        let InterfaceStatistics { dropped_by_interface, dropped_by_system, .. } = self.statistics;
        let counters = [dropped_by_interface, dropped_by_system];
        let counted = counters.into_iter().flatten().reduce(u64::saturating_add);
        match (counted, self.dropped_between) {
            (None, 0) => None,
            (counted, between) => Some(counted.unwrap_or(0).max(between)),
        }
    }
}

/// Counters of an Interface Statistics Block since the start of the capture; the last block
/// of an interface holds (draft-ietf-opsawg-pcapng section 4.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceStatistics {
    /// `isb_ifrecv`: packets received from the physical interface.
    pub received: Option<u64>,
    /// `isb_ifdrop`: packets dropped by the interface for lack of resources.
    pub dropped_by_interface: Option<u64>,
    /// `isb_filteraccept`: packets accepted by the filter.
    pub accepted_by_filter: Option<u64>,
    /// `isb_osdrop`: packets dropped by the operating system.
    pub dropped_by_system: Option<u64>,
    /// `isb_usrdeliv`: packets delivered to the user.
    pub delivered: Option<u64>,
}

/// The unit in which an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// 10 to the minus n seconds.
    Decimal(u8),
    /// 2 to the minus n seconds.
    Binary(u8),
}

impl Resolution {
    /// Microseconds, the default of both containers.
    pub const MICROSECONDS: Resolution = Resolution::Decimal(6);
    /// Nanoseconds.
    pub const NANOSECONDS: Resolution = Resolution::Decimal(9);

    /// From the octet of the `if_tsresol` option: the upper bit tells the base.
    pub(super) fn from_option(octet: u8) -> Self {
        match octet & 0x80 {
            0 => Resolution::Decimal(octet),
            _ => Resolution::Binary(octet & 0x7f),
        }
    }

    /// `units` of this resolution and `offset` seconds as a time. Parts below a nanosecond are
    /// dropped; what 64 bits cannot hold (after 2262) is saturated.
    #[inline]
    pub(super) fn time(self, units: u64, offset: i64) -> Timestamp {
        // The two common units need no wide arithmetic.
        let nanos = match self {
            Resolution::Decimal(9) => i64::try_from(units).ok(),
            Resolution::Decimal(6) => {
                units.checked_mul(1000).and_then(|nanos| i64::try_from(nanos).ok())
            }
            other => i64::try_from(other.wide_nanos(units)).ok(),
        };
        Timestamp::from_parts(offset, nanos.unwrap_or(i64::MAX))
    }

    fn wide_nanos(self, units: u64) -> u128 {
        let units = u128::from(units);
        match self {
            Resolution::Decimal(digits @ 0..=9) => units * 10_u128.pow(9 - u32::from(digits)),
            Resolution::Decimal(digits) => {
                10_u128.checked_pow(u32::from(digits) - 9).map_or(0, |divisor| units / divisor)
            }
            Resolution::Binary(bits) => {
                (units * 1_000_000_000).checked_shr(u32::from(bits)).unwrap_or(0)
            }
        }
    }
}

impl Default for Resolution {
    fn default() -> Self {
        Resolution::MICROSECONDS
    }
}

impl fmt::Display for Resolution {
    /// `us`, `ns`, or the unit in seconds such as `10^-3 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resolution::Decimal(6) => f.write_str("us"),
            Resolution::Decimal(9) => f.write_str("ns"),
            Resolution::Decimal(digits) => write!(f, "10^-{digits} s"),
            Resolution::Binary(bits) => write!(f, "2^-{bits} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values from tshark 4.0.17 (`-e frame.time_epoch`) over files built with these
    // options.
    #[test]
    fn resolutions_of_both_bases() {
        let cases = [
            (0, 17, 17_000_000_000),
            (6, 1_000_000, 1_000_000_000),
            (9, 1_000_000_000, 1_000_000_000),
            (12, 1_000_000_007_005, 1_000_000_007),
            (0x80 | 10, (17 << 10) | 5, 17_004_882_812),
        ];
        for (octet, units, nanos) in cases {
            let time = Resolution::from_option(octet).time(units, 0);
            assert_eq!(time.nanos(), nanos, "if_tsresol {octet:#x}");
        }
    }

    #[test]
    fn resolutions_too_fine_to_count_give_zero_and_too_late_times_saturate() {
        for octet in [60, 127, 0x80 | 127] {
            assert_eq!(Resolution::from_option(octet).time(u64::MAX, 0).nanos(), 0);
        }
        for octet in [0, 6, 9, 0x80] {
            assert_eq!(Resolution::from_option(octet).time(u64::MAX, 0).nanos(), i64::MAX);
        }
    }

    #[test]
    fn the_offset_is_in_seconds() {
        let time = Resolution::MICROSECONDS.time(10_000_000, -5);
        assert_eq!(time.nanos(), 5_000_000_000);
        assert_eq!(Resolution::MICROSECONDS.time(u64::MAX, i64::MAX).nanos(), i64::MAX);
    }
}
