//! Evidence of a watch: takes the packets that findings show out of the ring before the ring gives
//! them up, and makes slices of them for each report.
//!
//! In: at each look what was judged, and the packets at hand. Out: the slices that `check` would
//! write, of the packets that were still there.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::capture::{FrameBatch, FrameMeta, InputSummary};
use crate::decode::FlowKey;
use crate::judge::Assessment;
use crate::report::model::{Limit, Report};
use crate::report::{Evidence, Slice};

/// Writes the slices of a report in place of those of the report before.
pub type StoreSlices = Box<dyn Fn(&[Slice]) -> Result<(), String> + Send>;

/// What evidence is kept, and where it goes.
pub struct EvidencePlan {
    /// Bytes of memory for the packets seen last, and as many for those taken out for findings.
    pub memory: u64,
    /// Packets kept of each flow.
    pub packets_per_flow: u64,
    /// Writes the slices.
    pub store: StoreSlices,
}

/// The packets at hand, in the order of the stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Packets {
    /// Those whose place is final.
    pub(super) settled: Vec<Arc<FrameBatch>>,
    /// Those before which an earlier one may still come.
    pub(super) held: Vec<Arc<FrameBatch>>,
}

/// A flow that a finding shows, by its five-tuple and the place of its first packet.
type Shown = (FlowKey, Option<u64>);

/// Keeps the packets that findings show.
pub(super) struct EvidenceKeeper {
    /// Most bytes of the packets taken out.
    memory: u64,
    packets_per_flow: u64,
    /// Packets taken out of the ring, in the order of the stream.
    kept: FrameBatch,
    /// The flows for which packets were taken out.
    shown: BTreeSet<Shown>,
    /// Packets before this place of the stream were looked at for these flows.
    seen: u64,
}

impl EvidenceKeeper {
    /// Before anything was seen.
    pub(super) fn new(plan: &EvidencePlan) -> Self {
        let EvidencePlan { memory, packets_per_flow, .. } = *plan;
        let kept = FrameBatch::default();
        EvidenceKeeper { memory, packets_per_flow, kept, shown: BTreeSet::new(), seen: 0 }
    }

    /// Takes out what the findings show of the packets that have come since the last look, and, when
    /// they show another flow, of those since it began.
    pub(super) fn look(
        &mut self,
        assessment: &Assessment,
        inputs: &[InputSummary],
        report: &Report,
        packets: &Packets,
    ) {
        let shown = shown(assessment);
        let others = shown.difference(&self.shown).map(|(_, begin)| begin.unwrap_or(0));
        let from = others.chain([self.seen]).min().unwrap_or(0);
        self.shown = shown;
        let evidence = Evidence::new(assessment, inputs, report, self.packets_per_flow);
        self.take(evidence, packets, from);
    }

    /// Makes the slices of a report, and answers what limits them.
    pub(super) fn slices(
        &mut self,
        assessment: &Assessment,
        inputs: &[InputSummary],
        report: &Report,
        packets: &Packets,
    ) -> (Vec<Slice>, Vec<Limit>) {
        let evidence = Evidence::new(assessment, inputs, report, self.packets_per_flow);
        let mut evidence = self.take(evidence.with_gaps(), packets, 0);
        packets.held.iter().for_each(|batch| evidence.push(batch));
        evidence.finish()
    }

    /// Shows `evidence` the packets kept, and those at hand from a place of the stream on. Keeps
    /// those that it wants.
    fn take<'a>(
        &mut self,
        mut evidence: Evidence<'a>,
        packets: &Packets,
        from: u64,
    ) -> Evidence<'a> {
        let settled = || packets.settled.iter().flat_map(|batch| &batch.frames);
        let place = |frame: &FrameMeta| frame.source.ordinal;
        let from = settled().next().map_or(from, |oldest| from.max(place(oldest)));
        let earlier = std::mem::take(&mut self.kept);
        let all = std::iter::once(&earlier).chain(packets.settled.iter().map(Arc::as_ref));
        for (index, batch) in all.enumerate() {
            let was_kept = index == 0;
            for frame in batch.frames.iter().filter(|frame| was_kept == (place(frame) < from)) {
                let data = batch.data(frame);
                if evidence.look_at(frame, data) && self.has_room(data.len()) {
                    self.kept.append_copy(frame, data);
                }
            }
        }
        self.seen = settled().next_back().map_or(self.seen, |newest| place(newest) + 1);
        evidence
    }

    fn has_room(&self, bytes: usize) -> bool {
        let FrameBatch { bytes: kept, frames } = &self.kept;
        let taken = kept.len() + size_of_val(frames.as_slice());
        (taken + bytes + size_of::<FrameMeta>()) as u64 <= self.memory
    }
}

/// The flows that findings show.
fn shown(assessment: &Assessment) -> BTreeSet<Shown> {
    let samples = assessment.findings.iter().flat_map(|finding| &finding.samples);
    let flows = samples.filter_map(|index| assessment.sample(*index));
    let shown = flows.map(|flow| {
        let origin = flow.record.origin;
        (flow.record.key, origin.map(|origin| origin.source.ordinal))
    });
    shown.collect()
}
