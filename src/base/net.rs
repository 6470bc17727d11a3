//! Network numbers: endpoints, protocols, link types and port ranges.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address and a port. The port is 0 where the protocol has none.
///
/// Addresses are held as 128 bits, IPv4 in its mapped form (`::ffff:a.b.c.d`), so that both
/// families share one ordering and one hash.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Endpoint {
    /// The upper half of the address, then the lower: compared as they are in each packet.
    address: [u64; 2],
    port: u16,
}

impl Endpoint {
    /// An endpoint from an address of either family and a port.
    pub fn new(address: IpAddr, port: u16) -> Self {
        match address {
            IpAddr::V4(v4) => Endpoint::v4(v4.octets(), port),
            IpAddr::V6(v6) => Endpoint::v6(v6.octets(), port),
        }
    }

    /// From the four address bytes of an IPv4 header.
    pub fn v4(address: [u8; 4], port: u16) -> Self {
        const MAPPED: u64 = 0xffff_0000_0000;
        Endpoint { address: [0, MAPPED | u64::from(u32::from_be_bytes(address))], port }
    }

    /// From the sixteen address bytes of an IPv6 header.
    pub fn v6(address: [u8; 16], port: u16) -> Self {
        let bits = u128::from_be_bytes(address);
        Endpoint { address: [(bits >> 64) as u64, bits as u64], port }
    }

    /// From what [`Endpoint::address_words`] gives.
    pub fn from_words(address: [u64; 2], port: u16) -> Self {
        Endpoint { address, port }
    }

    /// The address; IPv4 when it is IPv4-mapped.
    pub fn address(&self) -> IpAddr {
        let [high, low] = self.address;
        let v6 = Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low));
        v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
    }

    /// The address as two words, the upper half first; in the order of addresses.
    pub fn address_words(&self) -> [u64; 2] {
        self.address
    }

    /// The port in host order; 0 where the protocol has none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same address with another port.
    pub fn with_port(self, port: u16) -> Self {
        Endpoint { port, ..self }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            IpAddr::V4(v4) => write!(f, "{v4}:{}", self.port),
            IpAddr::V6(v6) => write!(f, "[{v6}]:{}", self.port),
        }
    }
}

/// An IP protocol number, unknown ones kept as they are (IANA "Protocol Numbers").
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct IpProto(pub u8);

impl IpProto {
    /// ICMP for IPv4.
    pub const ICMP: IpProto = IpProto(1);
    /// IGMP.
    pub const IGMP: IpProto = IpProto(2);
    /// TCP.
    pub const TCP: IpProto = IpProto(6);
    /// UDP.
    pub const UDP: IpProto = IpProto(17);
    /// ICMP for IPv6.
    pub const ICMPV6: IpProto = IpProto(58);
    /// SCTP.
    pub const SCTP: IpProto = IpProto(132);

    /// Whether endpoints of this protocol have ports.
    pub fn has_ports(self) -> bool {
        matches!(self, IpProto::TCP | IpProto::UDP | IpProto::SCTP)
    }

    /// The registered keyword in lower case, for the numbers met in practice.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "hopopt",
            1 => "icmp",
            2 => "igmp",
            4 => "ipip",
            6 => "tcp",
            17 => "udp",
            41 => "ipv6",
            46 => "rsvp",
            47 => "gre",
            50 => "esp",
            51 => "ah",
            58 => "icmpv6",
            88 => "eigrp",
            89 => "ospf",
            103 => "pim",
            112 => "vrrp",
            115 => "l2tp",
            132 => "sctp",
            _ => return None,
        })
    }
}

impl fmt::Display for IpProto {
    /// The keyword, or the number where none is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Ports below this are assigned to services (RFC 6335 section 6).
pub const SYSTEM_PORTS: u16 = 1024;

/// A LINKTYPE number as registered by tcpdump.org, unknown ones kept as they are.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback, address family in the byte order of the capturing host.
    pub const NULL: LinkType = LinkType(0);
    /// Ethernet.
    pub const ETHERNET: LinkType = LinkType(1);
    /// PPP, with or without HDLC framing.
    pub const PPP: LinkType = LinkType(9);
    /// PPP in HDLC-like framing.
    pub const PPP_HDLC: LinkType = LinkType(50);
    /// Raw IP, as the DLT value leaked into files by some systems.
    pub const RAW_DLT12: LinkType = LinkType(12);
    /// Raw IP, as the DLT value leaked into files by OpenBSD.
    pub const RAW_DLT14: LinkType = LinkType(14);
    /// Raw IP, version by its first nibble.
    pub const RAW: LinkType = LinkType(101);
    /// OpenBSD loopback, address family in network byte order.
    pub const LOOP: LinkType = LinkType(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: LinkType = LinkType(113);
    /// Raw IPv4.
    pub const IPV4: LinkType = LinkType(228);
    /// Raw IPv6.
    pub const IPV6: LinkType = LinkType(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: LinkType = LinkType(276);

    /// The registered name without its prefix, for the types this build decodes.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            LinkType::NULL => "null",
            LinkType::ETHERNET => "ethernet",
            LinkType::PPP => "ppp",
            LinkType::PPP_HDLC => "ppp-hdlc",
            LinkType::RAW_DLT12 | LinkType::RAW_DLT14 | LinkType::RAW => "raw",
            LinkType::LOOP => "loop",
            LinkType::LINUX_SLL => "linux-sll",
            LinkType::IPV4 => "ipv4",
            LinkType::IPV6 => "ipv6",
            LinkType::LINUX_SLL2 => "linux-sll2",
            _ => return None,
        })
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// An inclusive range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    /// Lowest port of the range.
    pub low: u16,
    /// Highest port of the range.
    pub high: u16,
}

impl PortRange {
    /// Whether `port` lies in the range.
    pub fn contains(self, port: u16) -> bool {
        (self.low..=self.high).contains(&port)
    }

    /// How many ports the range holds.
    pub fn count(self) -> u32 {
        u32::from(self.high) - u32::from(self.low) + 1
    }

    /// Whether the two ranges share a port.
    pub fn overlaps(self, other: PortRange) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{}-{}", self.low, self.high)
        }
    }
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |text: &str| {
            let text = text.trim();
            text.parse::<u16>().map_err(|_| format!("`{text}` is not a port (0 to 65535)"))
        };
        let (low, high) = match text.split_once('-') {
            Some((low, high)) => (port(low)?, port(high)?),
            None => (port(text)?, port(text)?),
        };
        if low > high {
            return Err(format!("`{}` ends below its start", text.trim()));
        }
        Ok(PortRange { low, high })
    }
}

/// A set of ports, written as `25`, `5000-5020` or `6500, 6502-6504`. May be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortSet(Vec<PortRange>);

impl PortSet {
    /// The set of one range.
    pub fn range(range: PortRange) -> Self {
        PortSet(vec![range])
    }

    /// The ranges in ascending order, none touching another.
    pub fn ranges(&self) -> &[PortRange] {
        &self.0
    }

    /// Whether no port is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `port` is in the set.
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(port))
    }

    /// How many ports are in the set.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|range| range.count()).sum()
    }
}

impl FromIterator<PortRange> for PortSet {
    fn from_iter<I: IntoIterator<Item = PortRange>>(ranges: I) -> Self {
        let mut sorted: Vec<PortRange> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut joined: Vec<PortRange> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match joined.last_mut() {
                Some(last) if u32::from(range.low) <= u32::from(last.high) + 1 => {
                    last.high = last.high.max(range.high);
                }
                _ => joined.push(range),
            }
        }
        PortSet(joined)
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, range) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{range}")?;
        }
        Ok(())
    }
}

impl FromStr for PortSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(PortSet::default());
        }
        text.split(',').map(str::parse::<PortRange>).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_sets_join_and_print() {
        let set: PortSet = "6502-6504, 25, 6505".parse().unwrap();
        assert_eq!(set.to_string(), "25, 6502-6505");
        assert_eq!(set.count(), 5);
        assert!(set.contains(6505) && !set.contains(6501));
        assert!("".parse::<PortSet>().unwrap().is_empty());
        assert!("5020-5000".parse::<PortSet>().is_err());
        assert!("65536".parse::<PortSet>().is_err());
        assert_eq!("0-65535".parse::<PortSet>().unwrap().count(), 65_536);
    }

    #[test]
    fn endpoints_keep_their_family() {
        let v4 = Endpoint::v4([10, 1, 2, 3], 135);
        assert_eq!(v4.to_string(), "10.1.2.3:135");
        assert_eq!(Endpoint::new(v4.address(), 135), v4);
        let v6 = Endpoint::new("fd00::1".parse().unwrap(), 5060);
        assert_eq!(v6.to_string(), "[fd00::1]:5060");
    }
}
