//! What decoding a frame yields.

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::path::Path;
use super::{Direction, FlowKey, Layer, Stop};
use crate::base::{Endpoint, IpProto, Timestamp};
use crate::capture::FrameRef;

/// The class in which a frame ends. Exactly one per frame.
#[derive(Clone, Copy, Debug)]
pub enum Decoded {
    /// A packet of a flow.
    Unit(Unit),
    /// A later IP fragment: its ports are those of its first fragment.
    Fragment(FragmentUnit),
    /// A protocol that carries no IP: the layer that named it, and its number there (see
    /// [`Stop::value`]). [`non_ip_name`](super::non_ip_name) gives its name.
    NonIp(Layer, u64),
    /// Decoding stopped before a flow was known.
    Stopped(Stop),
}

/// One packet of a flow: where it goes, how long it is, and what its transport header said.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// The flow it belongs to.
    pub key: FlowKey,
    /// Which way it travels.
    pub direction: Direction,
    /// When it was captured.
    pub time: Timestamp,
    /// Place in the stream, input and packet number.
    pub source: FrameRef,
    /// Bytes of the whole frame on the wire, link header included.
    pub frame_bytes: u32,
    /// Bytes of the IP packet: header and payload as the IP header declares them.
    pub ip_bytes: u32,
    /// Bytes of transport payload on the wire, from the lengths in the headers. Of a first
    /// fragment, what that fragment holds; 0 when the transport is [`Transport::Incomplete`].
    pub payload_bytes: u32,
    /// Offset in the frame of the first captured byte of transport payload.
    pub payload_offset: u32,
    /// Bytes of transport payload captured.
    pub payload_captured: u32,
    /// What the transport header said.
    pub transport: Transport,
    /// Whether the link-layer destination was a broadcast or multicast address.
    pub link_group: bool,
    /// Whether less of the IP packet was captured than its header declares. Lost padding does not
    /// count.
    pub cut: bool,
    /// The headers outside the innermost IP header.
    pub path: Path,
    /// Identifier of the innermost VLAN tag, 12 bits.
    pub vlan: Option<u16>,
    /// By what copies of the packet are known.
    pub fingerprint: Fingerprint,
    /// What is odd about lengths and checksums.
    pub oddities: Oddities,
    /// What else the packet tells of, which few do.
    pub aside: Aside,
}

/// What is odd about the lengths and checksums of a packet. None of it changes how the packet is
/// read: offload makes them wrong in most captures (D4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// The innermost IP header declares no length.
    pub without_length: bool,
    /// The checksum of the innermost IPv4 header is wrong.
    pub header_checksum_wrong: bool,
    /// The TCP or UDP checksum holds the sum over the pseudo header alone, which a network card
    /// was to complete (RFC 9293 section 3.1, RFC 768).
    pub checksum_left_to_card: bool,
}

impl Unit {
    /// The datagram of which this packet is the first fragment.
    pub fn first_fragment(&self) -> Option<DatagramId> {
        match self.aside {
            Aside::FirstFragment(datagram, _) => Some(datagram),
            _ => None,
        }
    }

    /// The flow of the packet that this ICMP error quotes, and which way the quoted packet
    /// travelled.
    pub fn quoted(&self) -> Option<(FlowKey, Direction)> {
        match self.aside {
            Aside::Quotes(key, direction) => Some((key, direction)),
            _ => None,
        }
    }
}

/// What a packet tells of besides its own flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Nothing.
    None,
    /// It is the first fragment of a datagram, to which later fragments belong. As many bytes of
    /// the datagram lie before the transport payload.
    FirstFragment(DatagramId, u16),
    /// It is an ICMP error about a packet of this flow, which travelled this way.
    Quotes(FlowKey, Direction),
}

/// Transport header facts that flow state needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP: sequence and acknowledgement numbers in host order and the flag byte
    /// (FIN 01, SYN 02, RST 04, PSH 08, ACK 10, URG 20, ECE 40, CWR 80).
    Tcp {
        /// Sequence number.
        sequence: u32,
        /// Acknowledgement number; meaningless without the ACK flag.
        acknowledgement: u32,
        /// Flag byte.
        flags: u8,
    },
    /// UDP.
    Udp,
    /// SCTP, with the type of its first chunk (RFC 9260 section 3.2).
    Sctp {
        /// Type of the first chunk; 255 when the packet was cut before it.
        first_chunk: u8,
    },
    /// ICMP or ICMPv6.
    Icmp {
        /// Message type.
        kind: u8,
        /// Message code.
        code: u8,
    },
    /// Any other IP protocol.
    Other,
    /// A header behind the IP addresses ends, by the capture's cut or by the declared lengths,
    /// before the facts above. The ports are in the key, or are 0 when they are missing too; the
    /// protocol in the key is that of the incomplete header, which may be an IPv6 extension
    /// header (0, 43, 44, 60, ...).
    Incomplete,
}

/// What ties the fragments of one datagram together (RFC 791 section 3.2, RFC 8200
/// section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DatagramId {
    /// Sender, port 0.
    pub source: Endpoint,
    /// Receiver, port 0.
    pub destination: Endpoint,
    /// Protocol of the fragmented payload; in IPv6 an extension header may come first.
    pub protocol: IpProto,
    /// Identification: 16 bits in IPv4, 32 bits in IPv6.
    pub identification: u32,
}

/// An IP fragment that is not the first of its datagram.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FragmentUnit {
    /// The datagram it belongs to.
    pub datagram: DatagramId,
    /// When it was captured.
    pub time: Timestamp,
    /// Place in the stream, input and packet number.
    pub source: FrameRef,
    /// Bytes of the whole frame on the wire.
    pub frame_bytes: u32,
    /// Bytes of the IP packet as its header declares them.
    pub ip_bytes: u32,
    /// Bytes of the datagram that lie before it.
    pub datagram_offset: u32,
    /// Whether it is the last of the datagram.
    pub is_last: bool,
    /// Bytes of fragment payload.
    pub payload_bytes: u32,
    /// Offset in the frame of its first captured byte of payload.
    pub payload_offset: u32,
    /// Bytes of payload captured.
    pub payload_captured: u32,
    /// Whether the link-layer destination was a broadcast or multicast address.
    pub link_group: bool,
    /// Whether less of the IP packet was captured than its header declares.
    pub cut: bool,
    /// The headers outside the innermost IP header.
    pub path: Path,
    /// Identifier of the innermost VLAN tag, 12 bits.
    pub vlan: Option<u16>,
    /// By what copies of the fragment are known.
    pub fingerprint: Fingerprint,
}
