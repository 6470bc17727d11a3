//! Where and why decoding stopped, as values and in words.

use serde::{Deserialize, Serialize};

use super::non_ip::non_ip_name;
use std::fmt;

/// A header layer, for saying where decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Layer {
    /// The link type itself.
    LinkType,
    /// Ethernet II or 802.3, and any EtherType, whichever header holds it.
    Ethernet,
    /// An 802.1Q family tag.
    Vlan,
    /// IEEE 802.2 LLC and SNAP.
    Llc,
    /// Linux cooked capture.
    LinuxCooked,
    /// BSD loopback.
    Loopback,
    /// PPP.
    Ppp,
    /// An IP header without a link header that would tell its version.
    RawIp,
    /// IPv4.
    Ipv4,
    /// IPv6 or one of its extension headers.
    Ipv6,
    /// The IPsec Authentication Header.
    Authentication,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// ICMP or ICMPv6.
    Icmp,
    /// Frame Relay.
    FrameRelay,
    /// FDDI.
    Fddi,
    /// Token Ring.
    TokenRing,
    /// IEEE 802.11.
    Wlan,
    /// Radiotap or another header that capture tools put before 802.11.
    Radiotap,
    /// Per-Packet Information.
    PerPacketInformation,
    /// Log header of the BSD packet filter.
    Pflog,
    /// Log header of Linux netfilter.
    Nflog,
    /// IEEE 802.3br preamble.
    Mpacket,
    /// A header that only the capture device has added.
    CaptureHeader,
    /// Cisco metadata.
    CiscoMetadata,
    /// Cisco timestamp tag.
    TimestampTag,
    /// VN-Tag.
    VnTag,
    /// IEEE 802.1BR E-tag.
    ETag,
    /// HSR tag or IEEE 802.1CB R-tag.
    RedundancyTag,
    /// IEEE 802.1ah service tag.
    ProviderBackbone,
    /// FabricPath.
    FabricPath,
    /// TRILL.
    Trill,
    /// IEEE 802.1AE.
    Macsec,
    /// MPLS, and what follows its label stack.
    Mpls,
    /// PPPoE.
    Pppoe,
    /// Network service header, and the protocols that it and VXLAN-GPE name.
    Nsh,
    /// GRE.
    Gre,
    /// ERSPAN.
    Erspan,
    /// Ethernet in IP.
    EtherIp,
    /// L2TP.
    L2tp,
    /// VXLAN.
    Vxlan,
    /// Geneve.
    Geneve,
    /// GTP user plane.
    GtpU,
    /// LISP data plane.
    Lisp,
    /// Teredo.
    Teredo,
    /// AYIYA.
    Ayiya,
    /// TZSP.
    Tzsp,
    /// CAPWAP data channel.
    Capwap,
}

/// Why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StopReason {
    /// The frame ends inside the header although the capture did not cut it.
    ShortHeader,
    /// The capture cut the frame inside the header.
    CutHeader,
    /// A field contradicts the standard: version, header length, total length.
    BadField,
    /// No decoder for this link type, ethertype, SAP or protocol number.
    Unknown,
    /// A first fragment too small to hold the ports, which no IP stack sends by itself.
    TinyFragment,
    /// More headers than the decoder follows.
    TooDeep,
    /// What follows the header is encrypted.
    Encrypted,
}

/// Where and why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stop {
    /// The header that could not be read.
    pub layer: Layer,
    /// Why.
    pub reason: StopReason,
    /// The offending value. For [`StopReason::Unknown`]: link type, EtherType, LLC access points
    /// (destination in the high byte) or SNAP organisation and protocol (24 and 16 bits), address
    /// family, PPP protocol. For [`StopReason::BadField`]: the field. For
    /// [`StopReason::TooDeep`]: the limit. For [`StopReason::Encrypted`]: the field that says so.
    /// Else: how many bytes of the header are there.
    pub value: u64,
}

impl Layer {
    /// A stable name in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Layer::LinkType => "link-type",
            Layer::Ethernet => "ethernet",
            Layer::Vlan => "vlan",
            Layer::Llc => "llc",
            Layer::LinuxCooked => "linux-cooked",
            Layer::Loopback => "loopback",
            Layer::Ppp => "ppp",
            Layer::RawIp => "raw-ip",
            Layer::Ipv4 => "ipv4",
            Layer::Ipv6 => "ipv6",
            Layer::Authentication => "ah",
            Layer::Tcp => "tcp",
            Layer::Udp => "udp",
            Layer::Sctp => "sctp",
            Layer::Icmp => "icmp",
            Layer::FrameRelay => "frame-relay",
            Layer::Fddi => "fddi",
            Layer::TokenRing => "token-ring",
            Layer::Wlan => "wlan",
            Layer::Radiotap => "radiotap",
            Layer::PerPacketInformation => "ppi",
            Layer::Pflog => "pflog",
            Layer::Nflog => "nflog",
            Layer::Mpacket => "mpacket",
            Layer::CaptureHeader => "capture-header",
            Layer::CiscoMetadata => "cmd",
            Layer::TimestampTag => "ttag",
            Layer::VnTag => "vn-tag",
            Layer::ETag => "e-tag",
            Layer::RedundancyTag => "redundancy-tag",
            Layer::ProviderBackbone => "pbb",
            Layer::FabricPath => "fabricpath",
            Layer::Trill => "trill",
            Layer::Macsec => "macsec",
            Layer::Mpls => "mpls",
            Layer::Pppoe => "pppoe",
            Layer::Nsh => "nsh",
            Layer::Gre => "gre",
            Layer::Erspan => "erspan",
            Layer::EtherIp => "etherip",
            Layer::L2tp => "l2tp",
            Layer::Vxlan => "vxlan",
            Layer::Geneve => "geneve",
            Layer::GtpU => "gtp-u",
            Layer::Lisp => "lisp",
            Layer::Teredo => "teredo",
            Layer::Ayiya => "ayiya",
            Layer::Tzsp => "tzsp",
            Layer::Capwap => "capwap",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl StopReason {
    /// A stable name in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            StopReason::ShortHeader => "short-header",
            StopReason::CutHeader => "cut-header",
            StopReason::BadField => "bad-field",
            StopReason::Unknown => "unknown",
            StopReason::TinyFragment => "tiny-fragment",
            StopReason::TooDeep => "too-deep",
            StopReason::Encrypted => "encrypted",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Stop {
    /// One clause, such as `no decoder for EtherType 0x8847 (mpls)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stop { layer, reason, value } = *self;
        match reason {
            StopReason::ShortHeader => {
                write!(f, "the frame ends after {value} bytes of its {layer} header")
            }
            StopReason::CutHeader => {
                write!(f, "the capture cut the {layer} header after {value} bytes")
            }
            StopReason::BadField => {
                write!(f, "the {layer} header holds the impossible value {value}")
            }
            StopReason::TinyFragment => write!(
                f,
                "a first fragment holds {value} bytes of its {layer} header, too few for the ports"
            ),
            StopReason::TooDeep => write!(f, "more than {value} headers in one frame"),
            StopReason::Encrypted => write!(f, "what the {layer} header carries is encrypted"),
            StopReason::Unknown => {
                write!(f, "no decoder for ")?;
                match layer {
                    Layer::LinkType => write!(f, "link type {value}")?,
                    Layer::Ethernet => write!(f, "EtherType {value:#06x}")?,
                    Layer::Loopback => write!(f, "address family {value}")?,
                    layer => write!(f, "{layer} protocol {value:#06x}")?,
                }
                match non_ip_name(layer, value) {
                    Some(name) => write!(f, " ({name})"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_read_as_clauses() {
        let text = |layer, reason, value| Stop { layer, reason, value }.to_string();
        assert_eq!(
            text(Layer::Ethernet, StopReason::Unknown, 0x8847),
            "no decoder for EtherType 0x8847 (mpls)"
        );
        assert_eq!(text(Layer::LinkType, StopReason::Unknown, 147), "no decoder for link type 147");
        assert_eq!(
            text(Layer::Ipv4, StopReason::CutHeader, 12),
            "the capture cut the ipv4 header after 12 bytes"
        );
        assert_eq!(
            text(Layer::Ipv4, StopReason::BadField, 5),
            "the ipv4 header holds the impossible value 5"
        );
    }

    #[test]
    fn names_are_stable() {
        assert_eq!(Layer::LinuxCooked.to_string(), "linux-cooked");
        assert_eq!(Layer::Authentication.to_string(), "ah");
        assert_eq!(StopReason::TinyFragment.to_string(), "tiny-fragment");
    }
}
