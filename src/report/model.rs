//! The shape of the JSON report. Adding a field is a minor change of [`SCHEMA_VERSION`];
//! renaming, removing or changing the meaning of one is a major change.
//!
//! Counts are integers, times are RFC 3339 in UTC with nanoseconds, ports and addresses are as
//! people write them. Nothing depends on the clock of the machine, on the number of threads or
//! on the order of a hash table.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the report's shape.
pub const SCHEMA_VERSION: &str = "1.0.0";

/// The report of one run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this shape.
    pub schema_version: String,
    /// The program that wrote the report.
    pub tool: Tool,
    /// How the run was set up.
    pub run: Run,
    /// The inputs in the order in which they were read.
    pub inputs: Vec<Input>,
    /// Files of folders that were not read; at most a thousand.
    pub inputs_skipped: Vec<SkippedInput>,
    /// Where the packets lie that this report names by their number in the stream.
    pub packet_index: Vec<PacketPlace>,
    /// What was captured when.
    pub window: Window,
    /// What the capture could not show.
    pub capture_health: CaptureHealth,
    /// Where every packet ended; the classes add up to the total.
    pub accounting: AccountingBlock,
    /// What was judged against.
    pub policy: PolicyBlock,
    /// Whom the site file names.
    pub site: SiteBlock,
    /// The result.
    pub outcome: OutcomeBlock,
    /// Counts by verdict, by strength and by role pair.
    pub summary: Summary,
    /// What needs attention, heaviest first.
    pub findings: Vec<Finding>,
    /// Every row of the policy in document order.
    pub rules: Vec<Rule>,
    /// Every host or block of hosts of the site.
    pub hosts: Vec<Host>,
    /// Addresses outside the site file that talked to governed hosts, busiest first.
    pub unknown_peers: Vec<UnknownPeer>,
    /// Every waiver and what it accepted.
    pub waivers: Vec<Waiver>,
    /// Traffic that every network carries, by row of the infrastructure pack.
    pub infrastructure: Vec<Infrastructure>,
    /// Slices of the inputs, one for each finding that shows flows; empty without `--evidence`.
    pub evidence: Vec<Evidence>,
    /// The flow list that was written along with the report; absent when none was, or when it
    /// went to standard output.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flow_list: Option<FlowList>,
    /// What differs from the report given as baseline; absent without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub diff: Option<Diff>,
    /// Every limit that was hit.
    pub limits: Vec<Limit>,
    /// By which a change of this report shows.
    pub attestation: Attestation,
}

/// What differs from an earlier report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// SHA-256 of the earlier report as a file, in hexadecimal.
    pub baseline_sha256: String,
    /// Its result.
    pub baseline_result: String,
    /// What changed between the reports: `program`, `policy`, `site`, `waivers`, `traffic`.
    pub changed_between: Vec<String>,
    /// Findings that the earlier report does not have.
    pub new: u64,
    /// Findings that only the earlier report has.
    pub gone: u64,
    /// Findings that both have and that differ in more than packets and times.
    pub changed: u64,
    /// Findings that both have and that do not.
    pub same: u64,
    /// The new, the changed and the gone ones.
    pub findings: Vec<FindingChange>,
}

/// A finding that differs between two reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingChange {
    /// Its identifier.
    pub id: String,
    /// `new`, `changed` or `gone`.
    pub status: String,
    /// Severity; of a finding that is gone, the one it had.
    pub severity: String,
    /// Code.
    pub code: String,
    /// What was seen.
    pub title: String,
    /// What is another, as `field: earlier -> later`.
    pub fields: Vec<String>,
    /// What may be the cause: of what changed between the reports, all that bears on it.
    pub causes: Vec<String>,
}

/// By which a change of the report shows. It is no signature: whoever changes a report can make
/// another hash.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// SHA-256, in hexadecimal, of the bytes of this report with 64 zeros in this place.
    pub sha256: String,
}

/// The flow list written along with the report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowList {
    /// Base name of the file.
    pub file: String,
    /// `native` or `ecs`.
    pub format: String,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// Lines, one for each flow instance.
    pub flows: u64,
}

/// The slice of a finding: a pcapng file with the first packets of the flows that the finding
/// shows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The finding.
    pub finding: String,
    /// Base name of the file.
    pub file: String,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// Flows, the samples of the finding.
    pub flows: u64,
    /// Packets in the slice.
    pub packets: u64,
    /// Packets that these flows have in the inputs, copies and fragments included.
    pub flow_packets: u64,
}

/// The program that wrote the report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How the run was set up.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// `offline`: capture files were read.
    pub mode: String,
    /// How unclear passages of the document were read: `inferred` or `literal`.
    pub reading: String,
    /// Findings below this severity do not fail the run.
    pub fail_on: String,
    /// Evidence below this grade is too poor for a pass.
    pub min_grade: String,
    /// Bytes of memory granted to the flow table.
    pub max_memory: u64,
    /// The options on which the report depends, so that it can be made again: as for
    /// `portolan check` or `portolan watch`, without captures and outputs, files by their base names.
    pub options: Vec<String>,
}

/// One input.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Base name of the file; `-` for standard input.
    pub name: String,
    /// Bytes as stored.
    pub size: u64,
    /// SHA-256 of those bytes in hexadecimal; absent when the input was not read to its end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// `none`, `gzip`, `zstd` or `lz4`.
    pub compression: String,
    /// `pcap`, `modified pcap` or `pcapng`; absent when the input is no capture.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub container: Option<String>,
    /// Byte order of the container.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub byte_order: Option<String>,
    /// Capture interfaces.
    pub interfaces: Vec<Interface>,
    /// Packets read.
    pub packets: u64,
    /// Bytes those packets had on the wire.
    pub frame_bytes: u64,
    /// Bytes captured of them.
    pub captured_bytes: u64,
    /// Time of the earliest packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<String>,
    /// Time of the latest packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<String>,
    /// Nanoseconds from the end of the inputs before to the begin of this one; negative when
    /// they overlap.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gap_to_previous_ns: Option<i64>,
    /// Nanoseconds of the time of this input that the inputs before cover as well; absent when
    /// they do not overlap.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overlap_with_previous_ns: Option<i64>,
    /// Packets of which the capture kept only the begin.
    pub cut_packets: u64,
    /// Packets whose record claims more captured bytes than the frame had.
    pub overlong_packets: u64,
    /// Packets without a time of their own.
    pub untimed_packets: u64,
    /// Packets that are earlier than the one before them in the input.
    pub time_regressions: u64,
    /// Number of the first such packet; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_regression: Option<u64>,
    /// Nanoseconds by which that one is earlier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_regression_ns: Option<i64>,
    /// Most nanoseconds by which one is earlier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub widest_regression_ns: Option<i64>,
    /// Packets more than a minute earlier than the one before them; they count among
    /// `time_regressions` too.
    pub clock_jumps_backward: u64,
    /// Number of the first such packet; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_jump_backward: Option<u64>,
    /// Packets more than an hour later than the one before them.
    pub clock_jumps_forward: u64,
    /// Number of the first such packet; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_jump_forward: Option<u64>,
    /// Packets that arrived after later ones, of this or another input, and were put back in the
    /// order of their times.
    pub reordered_packets: u64,
    /// Packets that arrived after later ones and stayed there, because they were more than a
    /// second late or more than 4 MiB of packets had come in between.
    pub out_of_reach_packets: u64,
    /// How the reading ended: `complete`, `incomplete-tail`, `corrupt`, `unreadable`,
    /// `interrupted` with the watch that captured it, or `not-read`.
    pub ending: String,
    /// Offset in the uncompressed stream at which it ended early.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ending_offset: Option<u64>,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ending_reason: Option<String>,
}

/// A file of a folder that was not read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkippedInput {
    /// Base name of the file.
    pub name: String,
    /// Why it was not read.
    pub reason: String,
}

/// One capture interface.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Section of the file, from 0.
    pub section: u32,
    /// Number in its section, from 0.
    pub index: u32,
    /// Its name, where the file tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// LINKTYPE number.
    pub link_type: u16,
    /// Name of the link type, where this version decodes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link_type_name: Option<String>,
    /// Most bytes captured of a packet; 0 for no limit.
    pub snaplen: u32,
    /// Unit of its time stamps.
    pub resolution: String,
    /// The capture filter; with one, absence in this report proves nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filter: Option<String>,
    /// Packets.
    pub packets: u64,
    /// Packets lost, summed over all counters that the file holds; absent when it holds none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dropped: Option<u64>,
}

/// Where a packet lies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketPlace {
    /// Number in the stream of all inputs, from 1.
    pub packet: u64,
    /// Index into `inputs`.
    pub input: u32,
    /// Number in that input, from 1, as other tools count.
    pub number: u64,
}

/// What was captured when.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Time of the earliest packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<String>,
    /// Time of the latest packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<String>,
    /// Nanoseconds between them.
    pub span_ns: i64,
    /// Packets.
    pub packets: u64,
    /// Longest time without a packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub largest_gap: Option<Gap>,
    /// Packets of each full hour that has any.
    pub hours: Vec<Hour>,
}

/// A time without packets.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Time of the packet before it.
    pub after: String,
    /// Its length in nanoseconds.
    pub length_ns: i64,
}

/// Packets of one hour.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hour {
    /// Begin of the hour.
    pub hour: String,
    /// Packets in it.
    pub packets: u64,
}

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

/// Where every packet ended.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountingBlock {
    /// Packets read from the inputs.
    pub packets_read: u64,
    /// Bytes those packets had on the wire.
    pub frame_bytes_read: u64,
    /// Classes; their packets and bytes add up to what was read.
    pub classes: Vec<ClassCount>,
    /// Flow instances, equal to the sum over the verdicts.
    pub flows: u64,
    /// Attempts that only an ICMP error tells of. They are judged but are no flows.
    pub icmp_only_attempts: u64,
    /// Sums that do not agree, which is a fault of the program; always empty otherwise.
    pub mismatches: Vec<Mismatch>,
}

/// Two counts of the same thing that do not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mismatch {
    /// What was counted: `packets`, `frame-bytes`, `flows`, `flow-packets`, `flow-frame-bytes`,
    /// `documented-flows`.
    pub what: String,
    /// Where it was counted on one side.
    pub one: String,
    /// That count.
    pub one_count: u64,
    /// Where it was counted on the other side.
    pub other: String,
    /// That count.
    pub other_count: u64,
}

/// One accounting class.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassCount {
    /// `flow`, `non-ip`, `undecoded`, `unclaimed-fragment`, `table-full`, `forgotten` or
    /// `remainder`.
    pub class: String,
    /// Which protocol, for `non-ip`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub protocol: Option<String>,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// The first of them, by its number in the stream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample: Option<u64>,
}

/// What was judged against.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyBlock {
    /// The packs.
    pub packs: Vec<Pack>,
    /// Conditions and the site's answers.
    pub conditions: Vec<Condition>,
    /// Parameters and their values.
    pub parameters: Vec<Parameter>,
    /// Readings that differ from the words, and the documented flows that rest on each.
    pub readings: Vec<Reading>,
    /// Tables of the documents, in document order.
    pub sections: Vec<Section>,
    /// What is doubtful about the packs.
    pub lints: Vec<Lint>,
}

/// One policy pack.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Identifier.
    pub id: String,
    /// `document` or `infrastructure`.
    pub kind: String,
    /// Title.
    pub title: String,
    /// Who published the document; empty when there is none.
    pub publisher: String,
    /// Release of the product that the document is for; empty when there is none.
    pub release: String,
    /// Document it encodes; empty when there is none.
    pub document: String,
    /// Revision of the document.
    pub revision: String,
    /// SHA-256 of the document's text; empty when unknown.
    pub source_sha256: String,
    /// SHA-256 of the pack.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
}

/// One table of a document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Identifier of the table, to which rows refer.
    pub id: String,
    /// Number of the section in the document.
    pub number: String,
    /// Pack to which it belongs.
    pub pack: String,
    /// What it is about, in words of the pack.
    pub title: String,
    /// Title of the section in the document.
    pub citation: String,
    /// Revision date printed at the section; empty when none is.
    pub revised: String,
    /// What the document warns of there; empty when it does not.
    pub caution: String,
}

/// One condition.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Identifier.
    pub id: String,
    /// The question.
    pub question: String,
    /// The site's answer; absent when it gives none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
    /// Flows that contradict the answer.
    pub contradicting_flows: u64,
}

/// One parameter.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Identifier.
    pub id: String,
    /// What it stands for.
    pub meaning: String,
    /// Its value for hosts without one of their own; absent when unbound.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// `document`, `site` or `unbound`.
    pub from: String,
    /// Values of single hosts.
    pub hosts: BTreeMap<String, String>,
}

/// One reading of an unclear passage.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Identifier.
    pub id: String,
    /// What is unclear.
    pub question: String,
    /// What the words grant.
    pub literal: String,
    /// How the pack reads them.
    pub inferred: String,
    /// Documented flows that rest on it.
    pub flows: u64,
}

/// Something doubtful that does not stop a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lint {
    /// Stable code.
    pub code: String,
    /// What it is about.
    pub subject: String,
    /// What is doubtful and what to do.
    pub message: String,
}

/// Whom the site file names.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteBlock {
    /// Name of the site.
    pub name: String,
    /// SHA-256 of the site file; absent without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// SHA-256 of the waiver file; absent without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waivers_sha256: Option<String>,
    /// Hosts and blocks of hosts.
    pub hosts: u64,
    /// Of them, not seen in the capture.
    pub silent_hosts: Vec<String>,
    /// Addresses behind which the site says that other hosts hide; what is said of them is said
    /// of all those hosts.
    pub nat: Vec<NatNote>,
    /// Addresses to which the site says that mirrored traffic is sent.
    pub collectors: Vec<String>,
    /// What is doubtful about the site.
    pub lints: Vec<Lint>,
}

/// Addresses behind which other hosts hide.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NatNote {
    /// The translated addresses.
    pub addresses: Vec<String>,
    /// What the site says of them.
    pub note: String,
}

/// The result.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeBlock {
    /// `pass`, `fail` or `inconclusive`.
    pub result: String,
    /// Grade of the evidence, `A` to `D`: the worst that a measure gives.
    pub grade: String,
    /// Every measure of the evidence with its limits.
    pub measures: Vec<Measure>,
    /// Findings at or above the limit of the run.
    pub failing_findings: u64,
    /// What weakens the evidence, whatever the result: the texts of `cannot_say`.
    pub reasons: Vec<String>,
    /// What this report cannot say, why, and what to do about it.
    pub cannot_say: Vec<CannotSay>,
}

/// A measure of the evidence.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Stable name.
    pub measure: String,
    /// What is measured, in words.
    pub text: String,
    /// How many there are.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
    /// The share in parts per million, rounded up. Of the loss: packets and bytes added up.
    pub share_ppm: u64,
    /// Most that grade A allows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit_a_ppm: Option<u64>,
    /// Most that grade B allows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit_b_ppm: Option<u64>,
    /// Most that grade C allows; absent when it allows any share.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit_c_ppm: Option<u64>,
    /// The grade that it gives.
    pub grade: String,
}

/// A limitation of the evidence.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CannotSay {
    /// Stable code.
    pub code: String,
    /// What is missing, in words.
    pub text: String,
    /// What the report cannot say for that reason.
    pub affects: String,
    /// What to change at the capture, the switch, the network card or the site file.
    pub remedy: String,
}

/// Counts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Volume by verdict; every verdict is listed.
    pub verdicts: BTreeMap<String, Volume>,
    /// Documented volume by strength; every strength is listed.
    pub strengths: BTreeMap<String, Volume>,
    /// Flows by roles of the initiator, roles of the responder and verdict.
    pub matrix: Vec<MatrixCell>,
}

/// Flows, packets and bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Flow instances.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames on the wire.
    pub frame_bytes: u64,
}

/// Flows between two sets of roles.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixCell {
    /// Roles of the initiator; empty for hosts outside the site file or without a role.
    pub initiator: Vec<String>,
    /// Roles of the responder; empty for hosts outside the site file or without a role.
    pub responder: Vec<String>,
    /// Flow instances by verdict.
    pub verdicts: BTreeMap<String, u64>,
}

/// Flows that differ in nothing that matters.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Stable identifier: from code, roles, service and rows; not from times, addresses or
    /// ephemeral ports.
    pub id: String,
    /// `info`, `low`, `medium` or `high`.
    pub severity: String,
    /// The verdict on its flows.
    pub verdict: String,
    /// Stable code: a reason, a verdict, `scan`, `documented-but-blocked`, `waiver-exceeded`,
    /// `waiver-expired` or `waiver-unused`.
    pub code: String,
    /// One line that says what was seen.
    pub title: String,
    /// What the document grants instead, in a sentence.
    pub expected: String,
    /// What to do.
    pub remediation: String,
    /// Who opened.
    pub initiators: Side,
    /// Who answered.
    pub responders: Side,
    /// What was opened.
    pub service: Service,
    /// Rows that the reason is about.
    pub rules: Vec<String>,
    /// Rows that come nearest, nearest first.
    pub nearest: Vec<Nearest>,
    /// Facts without which the flows cannot be judged, each with the line to add.
    pub missing: Vec<String>,
    /// What was assumed.
    pub assumptions: Vec<String>,
    /// How the initiators are known, with flows and attempts.
    pub direction_basis: BTreeMap<String, u64>,
    /// Flows and attempts by state.
    pub states: BTreeMap<String, u64>,
    /// Volume.
    pub volume: Volume,
    /// Attempts that only an ICMP error tells of. They are no flows.
    pub icmp_only_attempts: u64,
    /// Time of the first packet; absent when no packet belongs to the finding.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_seen: Option<String>,
    /// Time of the last packet; absent when no packet belongs to the finding.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen: Option<String>,
    /// Some of the flows.
    pub samples: Vec<Sample>,
    /// Display filter of Wireshark that selects the sample flows in any of the inputs; empty
    /// without samples. A fragmented datagram is selected whole only if `--evidence` was given.
    pub display_filter: String,
}

/// One end of a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Declared roles; empty for addresses outside the site file.
    pub roles: Vec<String>,
    /// `listed`, `internal-unlisted`, `external` or `group`; `any` where the finding is about a waiver.
    pub class: String,
    /// Hosts, most flows first; at most fifty.
    pub hosts: Vec<SideHost>,
    /// How many addresses there are in all.
    pub address_count: u64,
    /// Roles each of which would make an unlisted side documented.
    pub would_document: Vec<String>,
}

/// One address of a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SideHost {
    /// Name in the site file; absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Address.
    pub address: String,
    /// Flow instances, and attempts that only an ICMP error tells of.
    pub flows: u64,
}

/// What was opened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// `tcp`, `udp` or another IP protocol; `any` where the finding is about a waiver.
    pub transport: String,
    /// Responder ports.
    pub ports: String,
    /// Service that the policy knows on the port; absent when it knows none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// What the name rests on: `port`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub basis: Option<String>,
    /// What is spoken; absent when nothing tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub spoken: Option<Spoken>,
}

/// What flows speak, and what shows it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// Protocol.
    pub protocol: String,
    /// `content` or `signalling`.
    pub basis: String,
    /// `confirmed`, `strong`, `weak`, or `learned` from signalling.
    pub confidence: String,
    /// Finer facts, such as `interface-name`, `ssrc`, `server-name`; at most sixteen. Values come
    /// from packets.
    pub facts: Vec<Fact>,
    /// The first bytes that show it in one flow, in hexadecimal; absent when an announcement tells,
    /// or when several packets show it together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<String>,
    /// Who sent those bytes, address and port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes_of: Option<String>,
    /// What announced the endpoint of that flow.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub announced_by: Option<AnnouncedBy>,
}

/// A finer fact about what is spoken.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its value, at most 255 bytes.
    pub value: String,
}

/// A connection that announced an endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedBy {
    /// Both ends of it.
    pub flow: [String; 2],
    /// The message: `endpoint-mapper`, `object-exporter`, `activation`, `sccp`, `sdp` and so on.
    pub message: String,
    /// When it was first announced.
    pub at: String,
}

/// Whether a host keeps a service inside its documented range of ports.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hardening {
    /// Service of the policy.
    pub service: String,
    /// `applied` as far as was seen, or `not-applied`.
    pub verdict: String,
    /// The verdict in a sentence.
    pub sentence: String,
    /// A row that grants the service, with its place in the document.
    pub citation: String,
    /// Documented ports.
    pub documented: String,
    /// Ports inside on which it was recognised.
    pub inside: String,
    /// Ports outside on which it was recognised or announced.
    pub outside: String,
    /// Flows to ports outside.
    pub flows_outside: u64,
}

/// A row that comes near.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nearest {
    /// The row.
    pub rule: String,
    /// Where the document has it.
    pub citation: String,
    /// What fails, most telling first.
    pub failed: Vec<FailedPredicate>,
    /// The smallest change that would make the flow documented.
    pub change: String,
}

/// A predicate that fails.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedPredicate {
    /// `direction`, `initiator-role`, `responder-role`, `transport`, `port`, `parameter`,
    /// `condition` or `qualifier`.
    pub field: String,
    /// What the row wants.
    pub wanted: String,
    /// What was seen.
    pub got: String,
}

/// One flow of a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Address and port of the initiator.
    pub initiator: String,
    /// Address and port of the responder.
    pub responder: String,
    /// Which use of the five-tuple it is, from 1.
    pub instance: u32,
    /// State.
    pub state: String,
    /// Time of its first packet.
    pub first_seen: String,
    /// Its first packet, by its number in the stream; the ICMP error where only that tells of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub packet: Option<u64>,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
}

/// One row of the policy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Identifier.
    pub id: String,
    /// Table of the document.
    pub section: String,
    /// Title of the section in the document.
    pub citation: String,
    /// Service as the document prints it.
    pub printed: String,
    /// Roles that may initiate.
    pub initiator: Vec<String>,
    /// Roles that may respond.
    pub responder: Vec<String>,
    /// `tcp` or `udp`.
    pub transport: String,
    /// Ports, or the parameter that holds them.
    pub ports: String,
    /// Whether either host may initiate.
    pub symmetric: bool,
    /// Whether the row is so wide that it only grants weakly.
    pub weak: bool,
    /// What it demands besides roles, transport and port, under the reading of the run.
    pub demands: Vec<String>,
    /// Readings of unclear passages on which it rests.
    pub readings: Vec<String>,
    /// `exercised`, `weak-only`, `blocked?`, `unknown-answer`, `contradicted`, `off`, `unbound`,
    /// `no-host`, `unexercised` or `not-seen`.
    pub status: String,
    /// Flows that rest on it.
    pub flows: u64,
    /// Of them, answered.
    pub answered_flows: u64,
    /// Flows that rest on another row first and would rest on this one too.
    pub also_covers: u64,
    /// Flows that only an answer of the site keeps from resting on it.
    pub contradicting_flows: u64,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// Distinct initiators seen.
    pub initiators_seen: u64,
    /// Distinct responders seen.
    pub responders_seen: u64,
    /// Ports seen.
    pub ports_seen: String,
    /// Time of the first packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_seen: Option<String>,
    /// Time of the last packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen: Option<String>,
}

/// One host, or block of hosts, of the site.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Name in the site file.
    pub name: String,
    /// Roles as declared.
    pub roles: Vec<String>,
    /// Attributes.
    pub attributes: Vec<String>,
    /// Addresses seen, at most a hundred.
    pub addresses_seen: Vec<String>,
    /// How many addresses were seen in all.
    pub address_count: u64,
    /// Flows it opened, by verdict.
    pub initiated: BTreeMap<String, u64>,
    /// Flows opened to it, by verdict.
    pub responded: BTreeMap<String, u64>,
    /// Ports on which it answered, with flows: `tcp/135`; at most a hundred.
    pub offers: BTreeMap<String, u64>,
    /// Whether it keeps services inside their documented ranges of ports, as far as they were
    /// recognised.
    #[serde(default)]
    pub hardening: Vec<Hardening>,
}

/// An address outside the site file that talked to governed hosts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnknownPeer {
    /// Address.
    pub address: String,
    /// `internal-unlisted`, `external` or `group`.
    pub class: String,
    /// Volume.
    pub volume: Volume,
    /// Hosts it talked to.
    pub hosts: Vec<String>,
    /// Ports, with who owned them: `initiated tcp/22`, `served udp/53`.
    pub ports: Vec<String>,
    /// Roles each of which would document some of its ports, with how many.
    pub candidate_roles: BTreeMap<String, u64>,
    /// Lines for the site file, to be filled in by who knows the host.
    pub site_lines: String,
}

/// One waiver.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Identifier.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is accepted.
    pub reason: String,
    /// Ticket or change number.
    pub ticket: String,
    /// From when on it holds.
    pub created: String,
    /// Until when it holds.
    pub expires: String,
    /// Flows it accepted.
    pub flows: u64,
    /// `used`, `unused` or `exceeded`.
    pub status: String,
    /// Whether it was over before the last packet.
    pub expired: bool,
}

/// Traffic that every network carries.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Infrastructure {
    /// Row of the infrastructure pack.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Whether the pack deems it worth a remark when a governed host takes part.
    pub informational: bool,
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames.
    pub frame_bytes: u64,
    /// The first of them, by its number in the stream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample: Option<u64>,
}

/// A limit that was hit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Stable code.
    pub code: String,
    /// How much is beyond it.
    pub count: u64,
    /// What that means for the report.
    pub text: String,
}
