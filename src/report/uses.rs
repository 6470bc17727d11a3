//! The uses of the five-tuples that findings show: where one use of a five-tuple ends and the
//! next begins, so that a packet or a display filter can be told which of them it belongs to.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::decode::FlowKey;
use crate::flow::FlowRecord;
use crate::judge::{Assessment, JudgedFlow};

/// Where a use of a five-tuple begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Start {
    /// Place of the first packet in the stream, from 0.
    pub(super) ordinal: u64,
    /// Its time.
    pub(super) time: Timestamp,
}

/// The uses of the five-tuples of all sample flows.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// In the order of the stream.
    starts: BTreeMap<FlowKey, Vec<Start>>,
}

impl Uses {
    /// Of the sample flows of an assessment.
    pub(super) fn of(assessment: &Assessment) -> Uses {
        let samples = assessment.findings.iter().flat_map(|finding| &finding.samples);
        let shown = samples.filter_map(|index| assessment.sample(*index));
        let mut starts: BTreeMap<FlowKey, Vec<Start>> =
            shown.map(|flow| (flow.record.key, Vec::new())).collect();
        for JudgedFlow { record, .. } in &assessment.flows {
            if let (Some(start), Some(known)) = (start(record), starts.get_mut(&record.key)) {
                known.push(start);
            }
        }
        for known in starts.values_mut() {
            known.sort_unstable();
        }
        Uses { starts }
    }

    /// From where to where the packets of the five-tuple belong to this use of it; an end is
    /// `None` when no other use lies on that side.
    pub(super) fn bounds(&self, record: &FlowRecord) -> (Option<Start>, Option<Start>) {
        let Some(own) = start(record) else { return (None, None) };
        let known = self.starts.get(&record.key).map(Vec::as_slice).unwrap_or_default();
        let before = known.iter().any(|other| *other < own);
        (Some(own).filter(|_| before), known.iter().find(|other| **other > own).copied())
    }
}

fn start(record: &FlowRecord) -> Option<Start> {
    record.origin.map(|origin| Start { ordinal: origin.source.ordinal, time: record.earliest })
}
