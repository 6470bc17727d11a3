//! The flow list: one JSON object for each flow instance, one a line.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::packet_number;
use super::community_id::community_id;
use super::ecs::ecs;
use super::json::write_line;
use super::names::Names;
use crate::capture::InputSummary;
use crate::judge::{JudgedFlow, Terms, Verdict, identity};

/// One flow instance. The initiator comes first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowLine {
    /// Base name of the input in which it starts.
    pub file: String,
    /// Its first packet, by its number in that input, from 1.
    pub file_packet: u64,
    /// Its first packet, by its number in the stream of all inputs, from 1.
    pub packet: u64,
    /// Address of the initiator.
    pub src_ip: String,
    /// Port of the initiator; 0 where the protocol has none.
    pub src_port: u16,
    /// Address of the responder.
    pub dst_ip: String,
    /// Port of the responder; 0 where the protocol has none.
    pub dst_port: u16,
    /// `tcp`, `udp`, `icmp`, `sctp`, another protocol by name, or its number.
    pub proto: String,
    /// Which use of the five-tuple it is, from 1.
    pub instance: u32,
    /// Protocol that is spoken, or service of the row where nothing shows the protocol; empty when
    /// unknown.
    pub app: String,
    /// What it rests on: `content`, `signalling`, `port`, or `none`.
    pub app_basis: String,
    /// How sure it is: `confirmed`, `strong`, `weak`, `learned`; empty for `port` and `none`.
    pub app_confidence: String,
    /// Finer facts about what is spoken, as `name=value`. Values come from packets.
    pub app_facts: Vec<String>,
    /// Packets of both directions.
    pub packets: u64,
    /// Bytes of whole frames on the wire, both directions.
    pub bytes: u64,
    /// Bytes of IP packets, both directions.
    pub ip_bytes: u64,
    /// Packets of the initiator.
    pub src_packets: u64,
    /// Bytes of whole frames of the initiator.
    pub src_bytes: u64,
    /// Packets of the responder.
    pub dst_packets: u64,
    /// Bytes of whole frames of the responder.
    pub dst_bytes: u64,
    /// Bytes of transport payload of the initiator.
    pub src_payload_bytes: u64,
    /// Bytes of transport payload of the responder.
    pub dst_payload_bytes: u64,
    /// Copies of its packets that a mirror or a router made. They are in no other number.
    pub copies: u64,
    /// Bytes that the initiator sent over TCP and that the capture does not hold, as sequence and
    /// acknowledgement numbers tell.
    pub src_unseen_bytes: u64,
    /// The same of the responder.
    pub dst_unseen_bytes: u64,
    /// Headers outside the innermost IP header of the first packet, outermost first, joined by
    /// `/`; empty when there are none.
    pub path: String,
    /// Whether other packets of the flow came by another path.
    pub paths_differ: bool,
    /// Innermost VLAN identifier of the first packet of the initiator; null without a tag.
    pub src_vlan: Option<u16>,
    /// Innermost VLAN identifier of the first packet of the responder; null without a tag.
    pub dst_vlan: Option<u16>,
    /// Time of the first packet.
    pub first_seen: String,
    /// Time of the last packet.
    pub last_seen: String,
    /// How far it came.
    pub state: String,
    /// How the initiator is known.
    pub direction_basis: String,
    /// Verdict.
    pub verdict: String,
    /// Reason of a violation; empty otherwise.
    pub reason: String,
    /// Strength of a documented flow; empty otherwise.
    pub strength: String,
    /// Rows that cover it, best first, or that its reason is about.
    pub rules: Vec<String>,
    /// Waiver that accepts it; empty when none does.
    pub waiver: String,
    /// Community ID version 1 with seed 0; empty for ICMP, which it orders by message type.
    pub community_id: String,
}

/// The line of a flow. `None` for an attempt of which only an ICMP error tells.
pub fn flow_line(flow: &JudgedFlow, inputs: &[InputSummary], terms: Terms<'_>) -> Option<FlowLine> {
    let names = Names::of(terms);
    let origin = flow.record.origin?;
    let judgement = &flow.judgement;
    let (initiator, responder) = (flow.initiator(), flow.responder());
    let from = flow.record.half(judgement.initiator);
    let to = flow.record.half(judgement.initiator.reverse());
    let file = inputs.get(origin.source.input as usize);
    let service = judgement
        .rows
        .first()
        .filter(|_| judgement.verdict == Verdict::Documented)
        .and_then(|row| names.row(*row))
        .and_then(|row| names.policy.services.get(row.service.0));
    let spoken = judgement.spoken;
    let (app, app_basis) = match (spoken, service) {
        (Some(spoken), service) if spoken.is_sure() || service.is_none() => {
            (spoken.protocol.name().to_owned(), spoken.told.name())
        }
        (_, Some(service)) => (service.id.clone(), "port"),
        _ => (String::new(), "none"),
    };
    let facts = identity(&flow.record).into_iter().flat_map(|identity| identity.details.iter());
    let waiver = judgement.waiver.and_then(|index| names.waiver(index));
    Some(FlowLine {
        file: file.map(|input| input.name.clone()).unwrap_or_default(),
        file_packet: origin.source.number,
        packet: packet_number(origin.source),
        src_ip: initiator.address().to_string(),
        src_port: initiator.port(),
        dst_ip: responder.address().to_string(),
        dst_port: responder.port(),
        proto: flow.record.key.protocol().to_string(),
        instance: flow.record.instance,
        app,
        app_basis: app_basis.to_owned(),
        app_confidence: spoken
            .filter(|spoken| spoken.told.name() == app_basis)
            .map_or("", |spoken| spoken.told.confidence())
            .to_owned(),
        app_facts: facts.map(|fact| format!("{}={}", fact.name, fact.value)).collect(),
        packets: flow.record.packets(),
        bytes: flow.record.frame_bytes(),
        ip_bytes: flow.record.ip_bytes(),
        src_packets: from.packets,
        src_bytes: from.frame_bytes,
        dst_packets: to.packets,
        dst_bytes: to.frame_bytes,
        src_payload_bytes: from.payload_bytes,
        dst_payload_bytes: to.payload_bytes,
        copies: flow.record.copies(),
        src_unseen_bytes: flow.record.unseen_bytes(judgement.initiator).into(),
        dst_unseen_bytes: flow.record.unseen_bytes(judgement.initiator.reverse()).into(),
        path: flow.record.path.to_string(),
        paths_differ: flow.record.paths_differ,
        src_vlan: from.vlan,
        dst_vlan: to.vlan,
        first_seen: flow.record.earliest.to_string(),
        last_seen: flow.record.latest.to_string(),
        state: judgement.state.name().to_owned(),
        direction_basis: judgement.basis.name().to_owned(),
        verdict: judgement.verdict.name().to_owned(),
        reason: judgement.reason.map(|reason| reason.name()).unwrap_or_default().to_owned(),
        strength: judgement.strength.map(|strength| strength.name()).unwrap_or_default().to_owned(),
        rules: judgement.rows.iter().map(|row| names.row_id(*row).to_owned()).collect(),
        waiver: waiver.map(|waiver| waiver.id.clone()).unwrap_or_default(),
        community_id: community_id(&flow.record.key).unwrap_or_default(),
    })
}

/// The names in which the flow list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlowFormat {
    /// Those of [`FlowLine`].
    #[default]
    Native,
    /// Those of the Elastic Common Schema.
    Ecs,
}

impl FlowFormat {
    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            FlowFormat::Native => "native",
            FlowFormat::Ecs => "ecs",
        }
    }
}

/// Writes one line for each flow, in order of their first packet, and answers how many.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_flows(
    out: &mut dyn Write,
    format: FlowFormat,
    lines: impl Iterator<Item = FlowLine>,
) -> io::Result<u64> {
    let mut written = 0;
    // Each line is written at once: `out` may hash or compress what it is given.
    let mut text = Vec::new();
    for line in lines {
        text.clear();
        match format {
            FlowFormat::Native => write_line(&mut text, &line)?,
            FlowFormat::Ecs => write_line(&mut text, &ecs(&line))?,
        }
        text.push(b'\n');
        out.write_all(&text)?;
        written += 1;
    }
    Ok(written)
}
