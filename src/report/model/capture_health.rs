//! What the capture could not show: losses, cuts, copies, tunnels, directions and times. Facts
//! alone; what they mean for the grade is `outcome`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the capture could not show.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureHealth {
    /// Packets that the capturing system says it lost; absent when no input tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dropped_packets: Option<u64>,
    /// The same by who lost them.
    pub drops: Drops,
    /// Capture filters, each once; with one, absence in this report proves nothing.
    pub filters: Vec<String>,
    /// Packets of which only the begin was captured.
    pub cut_packets: u64,
    /// Packets that could not be decoded, by layer and reason.
    pub undecoded: Vec<Undecoded>,
    /// TCP flow instances of which one direction alone was captured, and which are more than an
    /// attempt.
    pub one_way_tcp_flows: u64,
    /// TCP flow instances whose handshake was not captured.
    pub mid_stream_flows: u64,
    /// All TCP flow instances.
    pub tcp_flows: u64,
    /// The same by state.
    pub tcp_states: BTreeMap<String, u64>,
    /// The same by the directions that were captured of them, probes left out.
    pub directions: Directions,
    /// The same by VLAN.
    pub vlans: Vec<VlanDirections>,
    /// Flows in scope.
    pub in_scope: InScope,
    /// Later fragments whose first fragment was not captured.
    pub unclaimed_fragments: u64,
    /// ICMP errors that went to another host than the one whose packet they quote; they say
    /// nothing of the flow they quote.
    pub misdirected_icmp_errors: u64,
    /// Copies of packets that were left out of every other number.
    pub copies: Copies,
    /// Lengths and checksums of all IP packets.
    pub ip_packets: IpPackets,
    /// Tunnels through which packets came, by kind, ends and identifier.
    pub tunnels: Vec<Tunnel>,
    /// Packets whose tunnel is not listed for want of room.
    pub unlisted_tunnel_packets: u64,
    /// Packets that count for a tunnel because what it carried could not be read.
    pub unread_inside: u64,
    /// The same by the layer inside and the reason.
    pub undecoded_inside: Vec<Undecoded>,
    /// How orderly the times are, over all inputs as one stream.
    pub times: Times,
}

/// Packets lost before they reached the files, by who counted them. Each is absent when no input
/// tells.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drops {
    /// By interfaces, for lack of resources (`isb_ifdrop`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by_interface: Option<u64>,
    /// By operating systems (`isb_osdrop`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by_system: Option<u64>,
    /// Between packets of a file (`epb_dropcount`). The counters above may count them as well.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub between_packets: Option<u64>,
}

/// Packets that stopped at the same place.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undecoded {
    /// Header that could not be read.
    pub layer: String,
    /// Why: `short-header`, `cut-header`, `bad-field`, `unknown`, `tiny-fragment`, `too-deep`.
    pub reason: String,
    /// The offending number.
    pub value: u64,
    /// The same in words.
    pub text: String,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// The first of them, by its number in the stream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample: Option<u64>,
}

/// TCP flow instances by the directions that were captured of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directions {
    /// Both directions.
    pub both: u64,
    /// One direction, whose acknowledgements prove the other.
    pub half_seen: u64,
    /// One direction, and nothing proves that there was another.
    pub alone: u64,
    /// Share of `half_seen` in what was answered, in parts per million, rounded up.
    pub half_seen_ppm: u64,
    /// Above this share the capture counts as one of a single direction, in parts per million.
    pub limit_ppm: u64,
    /// Whether it does: a missing answer is then no sign that nobody answered.
    pub one_sided: bool,
}

/// The directions that were captured in one VLAN.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VlanDirections {
    /// Identifier of the VLAN; absent for frames without a tag.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vlan: Option<u16>,
    /// The directions of the flows in it. A flow between two VLANs counts in both.
    pub directions: Directions,
}

/// Flow instances with a verdict other than out-of-scope.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InScope {
    /// All.
    pub flows: u64,
    /// Those over TCP, probes left out.
    pub tcp_flows: u64,
    /// Of them, those of which one direction alone was captured, and which are more than an
    /// attempt.
    pub one_way_tcp_flows: u64,
    /// Of them, those whose handshake was not captured.
    pub mid_stream_tcp_flows: u64,
    /// Flows that could not be judged.
    pub not_assessable_flows: u64,
    /// Bytes of TCP payload captured, of flows captured in both directions.
    pub held_bytes: u64,
    /// Bytes of those flows that were acknowledged and not captured; absent when not counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unseen_bytes: Option<u64>,
}

/// Copies of packets, which mirrors and routers make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Copies {
    /// Copies with the hop limit of the packet before.
    pub exact: u64,
    /// Copies with another hop limit: a router stands between.
    pub routed: u64,
    /// Copies by their distance to the packet before.
    pub spacing: Vec<Spacing>,
}

/// Copies at a distance.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spacing {
    /// Greatest distance, in nanoseconds; the least is that of the entry before.
    pub up_to_ns: u64,
    /// Copies.
    pub packets: u64,
}

/// Lengths and checksums of IP packets, copies included.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpPackets {
    /// IP packets and fragments.
    pub packets: u64,
    /// Those longer than 1500 bytes: jumbo frames, or packets that a network card had joined.
    pub over_1500: u64,
    /// Those longer than 9216 bytes, which no link carries.
    pub over_9216: u64,
    /// Bytes of the longest.
    pub longest: u64,
    /// Those whose header declares no length and leaves it to the network card.
    pub without_length: u64,
    /// Those of which the capture, or a mirror, cut off a part.
    pub cut: u64,
    /// IPv4 packets whose header checksum is wrong. They are judged like any other.
    pub header_checksum_wrong: u64,
    /// TCP and UDP packets whose checksum was left to a network card.
    pub checksum_left_to_card: u64,
}

/// One direction of a tunnel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tunnel {
    /// Kind, by the name it has in paths.
    pub kind: String,
    /// Address of the sender.
    pub source: String,
    /// Address of the receiver.
    pub destination: String,
    /// Port of the receiver; 0 unless the tunnel runs over UDP.
    pub port: u16,
    /// Network identifier, session, key or tunnel endpoint identifier; 0 when there is none.
    pub identifier: u32,
    /// Whether it only carries mirrored packets to a collector and is no conversation itself.
    pub mirror: bool,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames on the wire.
    pub frame_bytes: u64,
    /// Packets missing between the first and the last, by their sequence numbers.
    pub lost_packets: u64,
}

/// How orderly the times of the whole stream are. Packets are numbered over all inputs, in the
/// order in which they were read, from 1.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// Packets earlier than the one before.
    pub regressions: TimeSteps,
    /// Those of them that are earlier by more than a minute: the clock was set back.
    pub jumps_backward: TimeSteps,
    /// Packets later than the one before by more than an hour: a pause, or the clock was set.
    pub jumps_forward: TimeSteps,
    /// Late packets that were put back in the order of their times.
    pub reordered_packets: u64,
    /// Late packets that stayed where they were read.
    pub out_of_reach_packets: u64,
}

/// Steps of time from one packet to the next.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeSteps {
    /// How many.
    pub count: u64,
    /// Number of the packet after the first such step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_packet: Option<u64>,
    /// Width of the first, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_ns: Option<i64>,
    /// Width of the widest, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub widest_ns: Option<i64>,
}
