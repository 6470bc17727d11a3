//! Slices of evidence: for each finding a small capture of the first packets of the flows it
//! shows, each packet with a comment that says where it lies in the inputs.
//!
//! In: an assessment, then all packets of the same inputs once more, or those that are still at
//! hand. Out: one [`Slice`] for each finding that shows flows. Nothing is judged here, and no file is
//! written.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::display_filter::display_filter;
use super::model;
use super::stored::hex;
use super::text::printable;
use super::uses::Uses;
use crate::base::{Endpoint, Timestamp};
use crate::capture::{FrameBatch, FrameMeta, InputSummary, PcapngWriter, WrittenPacket};
use crate::decode::{Carrier, DatagramId, Decoded, Direction, FlowKey, Observer, Unit, dissect};
use crate::judge::{Assessment, JudgedFlow};

/// Bytes of all slices together; each finding has an equal share.
const ALL_SLICES: usize = 64 << 20;

/// Least share of a finding: room for a few packets of any size.
const LEAST_SHARE: usize = 512 << 10;

/// Most datagrams of a finding whose fragments its display filter names one by one.
const FRAGMENTED: usize = 64;

/// Most datagrams that wait for their fragments at a time.
const WAITING: usize = 4096;

/// Nanoseconds for which a first fragment waits for the others (RFC 1122 section 3.3.2 allows
/// from 60 to 120 seconds; the fold waits this long).
const PATIENCE: u64 = 30_000_000_000;

/// The evidence of one finding.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Name of the file: that of the finding and `.pcapng`.
    pub file: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// What the report says of it.
    pub entry: model::Evidence,
    /// The display filter of the finding, fragments included.
    pub display_filter: String,
}

impl Slice {
    /// Enters the slice into the report that has its finding.
    pub fn enter(self, report: &mut model::Report) {
        let of_slice = report.findings.iter_mut().find(|found| found.id == self.entry.finding);
        if let Some(finding) = of_slice {
            finding.display_filter = self.display_filter;
        }
        report.evidence.push(self.entry);
    }
}

/// Collects slices while the inputs are read once more.
#[derive(Debug)]
pub struct Evidence<'a> {
    inputs: &'a [InputSummary],
    uses: Uses,
    flows: Vec<ShownFlow<'a>>,
    /// Flows of each five-tuple, and the attempts that ICMP errors tell of.
    by_key: BTreeMap<FlowKey, Vec<usize>>,
    told: BTreeMap<(FlowKey, Direction), Vec<usize>>,
    drafts: Vec<Draft>,
    /// Datagrams of which the first fragment belongs to a flow, with its time.
    datagrams: BTreeMap<DatagramId, (Timestamp, Vec<usize>)>,
    packets_per_flow: u64,
    share: usize,
    /// Whether packets are missing that the flows had.
    has_gaps: bool,
}

/// A flow that findings show.
#[derive(Debug)]
struct ShownFlow<'a> {
    flow: &'a JudgedFlow,
    /// From which place of the stream on, and before which.
    from: u64,
    before: u64,
    /// Drafts, and the number of the flow in each, from 1.
    drafts: Vec<(usize, usize)>,
    /// Packets met.
    packets: u64,
    fragmented: BTreeSet<DatagramId>,
}

/// A slice being filled.
#[derive(Debug)]
struct Draft {
    finding: String,
    flows: usize,
    writer: PcapngWriter,
    interfaces: BTreeMap<(u32, u32), u32>,
    /// Packets for which there was no room.
    refused: u64,
}

/// Collects the tunnels of a frame.
#[derive(Default)]
struct Tunnels(Vec<Carrier>);

impl Observer for Tunnels {
    fn carrier(&mut self, carrier: Carrier) {
        self.0.push(carrier);
    }
}

impl<'a> Evidence<'a> {
    /// For the findings of `report`, which was built from `assessment`; of each flow the first
    /// `packets_per_flow` packets.
    pub fn new(
        assessment: &'a Assessment,
        inputs: &'a [InputSummary],
        report: &model::Report,
        packets_per_flow: u64,
    ) -> Self {
        let mut evidence = Evidence {
            inputs,
            uses: Uses::of(assessment),
            flows: Vec::new(),
            by_key: BTreeMap::new(),
            told: BTreeMap::new(),
            drafts: Vec::new(),
            datagrams: BTreeMap::new(),
            packets_per_flow,
            share: (ALL_SLICES / report.findings.len().max(1)).max(LEAST_SHARE),
            has_gaps: false,
        };
        let mut slots = BTreeMap::new();
        for (finding, told) in assessment.findings.iter().zip(&report.findings) {
            if finding.samples.is_empty() {
                continue;
            }
            let draft = evidence.drafts.len();
            evidence.drafts.push(Draft::of(told, finding.samples.len()));
            for (at, index) in finding.samples.iter().enumerate() {
                let slot =
                    *slots.entry(*index).or_insert_with(|| evidence.show(assessment, *index));
                if let Some(shown) = evidence.flows.get_mut(slot) {
                    shown.drafts.push((draft, at + 1));
                }
            }
        }
        evidence
    }

    /// The same where not all packets are at hand any more: those that flows had and that do not
    /// come are a limit of the evidence.
    pub fn with_gaps(mut self) -> Self {
        self.has_gaps = true;
        self
    }

    /// Watches for a flow.
    fn show(&mut self, assessment: &'a Assessment, index: usize) -> usize {
        let slot = self.flows.len();
        let Some(flow) = assessment.sample(index) else { return slot };
        let key = flow.record.key;
        match flow.record.icmp.as_ref().filter(|_| flow.is_hearsay()) {
            Some(notice) => self.told.entry((key, notice.direction)).or_default().push(slot),
            None => self.by_key.entry(key).or_default().push(slot),
        }
        let (from, before) = self.uses.bounds(&flow.record);
        self.flows.push(ShownFlow {
            flow,
            from: from.map_or(0, |start| start.ordinal),
            before: before.map_or(u64::MAX, |start| start.ordinal),
            drafts: Vec::new(),
            packets: 0,
            fragmented: BTreeSet::new(),
        });
        slot
    }

    /// Looks at the next packets of the inputs.
    pub fn push(&mut self, batch: &FrameBatch) {
        for frame in &batch.frames {
            self.look_at(frame, batch.data(frame));
        }
    }

    /// Looks at the next packet of the inputs. Answers whether a slice has it.
    pub fn look_at(&mut self, frame: &FrameMeta, data: &[u8]) -> bool {
        let mut tunnels = Tunnels::default();
        let mut slots = match dissect(frame, data, &mut tunnels) {
            Decoded::Unit(unit) => self.of_unit(&unit),
            Decoded::Fragment(fragment) => self.of_fragment(&fragment.datagram, frame.time),
            Decoded::NonIp(..) | Decoded::Stopped(_) => Vec::new(),
        };
        for carrier in tunnels.0 {
            slots.extend(self.of_key(tunnel_key(&carrier), frame.source.ordinal));
        }
        slots.sort_unstable();
        slots.dedup();
        // Every slot is asked, whatever the one before it said.
        slots.into_iter().fold(false, |kept, slot| self.keep(slot, frame, data) | kept)
    }

    fn of_unit(&mut self, unit: &Unit) -> Vec<usize> {
        let mut slots = self.of_key(unit.key, unit.source.ordinal);
        if let Some(datagram) = unit.first_fragment().filter(|_| !slots.is_empty()) {
            for slot in &slots {
                if let Some(shown) = self.flows.get_mut(*slot)
                    && shown.fragmented.len() < FRAGMENTED
                {
                    shown.fragmented.insert(datagram);
                }
            }
            self.wait_for(datagram, unit.time, slots.clone());
        }
        if let Some((key, direction)) = unit.quoted() {
            let receiver = unit.key.receiver(unit.direction).address();
            if receiver == key.sender(direction).address() {
                slots.extend(self.told.get(&(key, direction)).into_iter().flatten());
            }
        }
        slots
    }

    /// Remembers to which flows the fragments of a datagram belong.
    fn wait_for(&mut self, datagram: DatagramId, time: Timestamp, slots: Vec<usize>) {
        if self.datagrams.len() >= WAITING {
            self.datagrams.retain(|_, (first, _)| time.apart(*first) <= PATIENCE);
        }
        if self.datagrams.len() < WAITING {
            self.datagrams.insert(datagram, (time, slots));
        }
    }

    fn of_fragment(&self, datagram: &DatagramId, time: Timestamp) -> Vec<usize> {
        let waiting = self.datagrams.get(datagram);
        let waiting = waiting.filter(|(first, _)| time.apart(*first) <= PATIENCE);
        waiting.map(|(_, slots)| slots.clone()).unwrap_or_default()
    }

    fn of_key(&self, key: FlowKey, ordinal: u64) -> Vec<usize> {
        let slots = self.by_key.get(&key).into_iter().flatten().copied();
        slots
            .filter(|slot| {
                let shown = self.flows.get(*slot);
                shown.is_some_and(|shown| (shown.from..shown.before).contains(&ordinal))
            })
            .collect()
    }

    /// Keeps a packet for every finding that shows its flow. Answers whether one took it.
    fn keep(&mut self, slot: usize, frame: &FrameMeta, data: &[u8]) -> bool {
        let Some(shown) = self.flows.get_mut(slot) else { return false };
        shown.packets += 1;
        if shown.packets > self.packets_per_flow {
            return false;
        }
        let mut kept = false;
        for (draft, number) in &shown.drafts {
            if let Some(draft) = self.drafts.get_mut(*draft) {
                kept |= draft.keep(self.inputs, *number, frame, data, self.share);
            }
        }
        kept
    }

    /// The slices, and the limits that were hit.
    pub fn finish(self) -> (Vec<Slice>, Vec<model::Limit>) {
        let Evidence { uses, flows, drafts, packets_per_flow, has_gaps, .. } = self;
        let mut left_out = 0;
        let mut lost = 0;
        let mut full = 0;
        let mut slices = Vec::with_capacity(drafts.len());
        for (index, draft) in drafts.into_iter().enumerate() {
            let shown = || flows.iter().filter(|shown| shown.drafts.iter().any(|d| d.0 == index));
            let beyond =
                |shown: &ShownFlow<'_>| shown.had(has_gaps).saturating_sub(packets_per_flow);
            left_out += shown().map(beyond).sum::<u64>();
            lost += shown().map(|shown| shown.lost(has_gaps, packets_per_flow)).sum::<u64>();
            full += u64::from(draft.refused > 0);
            let fragmented: BTreeSet<_> =
                shown().flat_map(|shown| &shown.fragmented).copied().collect();
            let fragmented: Vec<_> = fragmented.into_iter().take(FRAGMENTED).collect();
            let filter = display_filter(shown().map(|shown| shown.flow), &fragmented, &uses);
            let flow_packets = shown().map(|shown| shown.had(has_gaps)).sum();
            slices.push(draft.finish(flow_packets, filter));
        }
        let limits = [
            (
                "evidence-packets-cut",
                left_out,
                "packets of the flows that findings show beyond those kept of each as evidence",
            ),
            (
                "evidence-packets-lost",
                lost,
                "packets missing from the evidence because they were no longer held",
            ),
            ("evidence-bytes-cut", full, "findings whose evidence was cut for want of room"),
        ];
        let hit = limits.into_iter().filter(|(_, count, _)| *count > 0);
        let limit = |(code, count, text): (&str, u64, &str)| model::Limit {
            code: code.to_owned(),
            count,
            text: text.to_owned(),
        };
        (slices, hit.map(limit).collect())
    }
}

impl ShownFlow<'_> {
    /// Packets of the flow in the inputs; where not all of them have come, at least those that the
    /// fold counted.
    fn had(&self, has_gaps: bool) -> u64 {
        match has_gaps {
            true => self.packets.max(self.flow.record.packets()),
            false => self.packets,
        }
    }

    /// Packets that should have been kept and did not come.
    fn lost(&self, has_gaps: bool, packets_per_flow: u64) -> u64 {
        let (had, came) = (self.had(has_gaps), self.packets);
        had.min(packets_per_flow).saturating_sub(came)
    }
}

/// The key under which a tunnel is judged.
fn tunnel_key(carrier: &Carrier) -> FlowKey {
    let source: Endpoint = carrier.source.with_port(0);
    FlowKey::new(source, carrier.destination, carrier.protocol).0
}

impl Draft {
    fn of(finding: &model::Finding, flows: usize) -> Draft {
        let model::Finding { id, title, .. } = finding;
        let program = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
        let comment = printable(&format!("evidence of finding {id}: {title}"));
        Draft {
            finding: id.clone(),
            flows,
            writer: PcapngWriter::new(program, &comment),
            interfaces: BTreeMap::new(),
            refused: 0,
        }
    }

    /// Appends a packet; false when it is not wanted any more, because there is no room.
    fn keep(
        &mut self,
        inputs: &[InputSummary],
        flow: usize,
        frame: &FrameMeta,
        data: &[u8],
        share: usize,
    ) -> bool {
        let FrameMeta { source, interface, stored_at, .. } = *frame;
        let Some(input) = inputs.get(source.input as usize) else { return false };
        let Some(described) = input.interfaces.get(interface as usize) else { return true };
        let name = printable(&input.name);
        let mut comment = format!(
            "finding {}, flow {flow} of {}: packet {} of {name}",
            self.finding, self.flows, source.number
        );
        // Only in a file has a packet an offset.
        if input.container.is_some() {
            comment.push_str(&format!(", at offset {stored_at}"));
        }
        if self.writer.bytes().len() + data.len() + comment.len() > share {
            self.refused += 1;
            return false;
        }
        let writer = &mut self.writer;
        let interface = *self.interfaces.entry((source.input, interface)).or_insert_with(|| {
            writer.interface(described, &format!("interface {interface} of {name}"))
        });
        writer.packet(&WrittenPacket {
            interface,
            time: frame.time,
            data,
            original: frame.original,
            comment: &comment,
        });
        true
    }

    fn finish(self, flow_packets: u64, display_filter: String) -> Slice {
        let file = format!("{}.pcapng", self.finding);
        let bytes = self.writer.bytes();
        let entry = model::Evidence {
            finding: self.finding,
            file: file.clone(),
            size: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
            flows: self.flows as u64,
            packets: self.writer.packets(),
            flow_packets,
        };
        Slice { file, entry, display_filter, bytes: bytes.to_vec() }
    }
}
