//! What the report says of packets that belong to no judged flow: their classes, what could not be
//! decoded, what every network carries.

use std::collections::BTreeSet;

use super::build::{Builder, packet_number};
use super::model;
use crate::base::Merge;
use crate::capture::FrameRef;
use crate::decode::non_ip_name;
use crate::flow::{Accounting, Class, Tally};

impl Builder<'_> {
    pub(super) fn classes(&self, places: &mut BTreeSet<FrameRef>) -> Vec<model::ClassCount> {
        let mut classes = Vec::new();
        let mut stopped = Tally::default();
        for (class, tally) in self.source.stream.accounting.classes() {
            let (name, protocol) = match class {
                Class::Flow => ("flow", None),
                Class::Copy => ("copy", None),
                Class::UnclaimedFragment => ("unclaimed-fragment", None),
                Class::TableFull => ("table-full", None),
                Class::Forgotten => ("forgotten", None),
                Class::Remainder => ("remainder", None),
                Class::NonIp(layer, value) => {
                    let name = non_ip_name(*layer, *value).map(str::to_owned);
                    ("non-ip", Some(name.unwrap_or_else(|| format!("{layer} {value:#06x}"))))
                }
                Class::Stopped(_) => {
                    stopped.merge(*tally);
                    continue;
                }
            };
            classes.push(class_count(name, protocol, tally, places));
        }
        if stopped.packets > 0 {
            classes.push(class_count("undecoded", None, &stopped, places));
        }
        classes
    }

    pub(super) fn accounting(&self, classes: Vec<model::ClassCount>) -> model::AccountingBlock {
        let hearsay = self.assessment.hearsay;
        model::AccountingBlock {
            packets_read: self.source.inputs.iter().map(|input| input.packets).sum(),
            frame_bytes_read: self.source.inputs.iter().map(|input| input.original_bytes).sum(),
            classes,
            flows: self.assessment.flows.len() as u64 - hearsay,
            icmp_only_attempts: hearsay,
            mismatches: Vec::new(),
        }
    }

    pub(super) fn infrastructure(
        &self,
        places: &mut BTreeSet<FrameRef>,
    ) -> Vec<model::Infrastructure> {
        let counted = self.assessment.infrastructure.iter().filter_map(|(index, tally)| {
            let row = self.names.policy.infrastructure.get(*index)?;
            Some(model::Infrastructure {
                id: row.id.clone(),
                title: row.title.clone(),
                informational: row.informational,
                packets: tally.packets,
                frame_bytes: tally.frame_bytes,
                sample: sample(tally, places),
            })
        });
        counted.collect()
    }
}

/// Packets that could not be decoded, by layer and reason, most first.
pub(super) fn undecoded(
    accounting: &Accounting,
    places: &mut BTreeSet<FrameRef>,
) -> Vec<model::Undecoded> {
    let mut undecoded = Vec::new();
    for (class, tally) in accounting.classes() {
        let Class::Stopped(stop) = class else { continue };
        undecoded.push(model::Undecoded {
            layer: stop.layer.name().to_owned(),
            reason: stop.reason.name().to_owned(),
            value: stop.value,
            text: stop.to_string(),
            packets: tally.packets,
            frame_bytes: tally.frame_bytes,
            sample: sample(tally, places),
        });
    }
    undecoded.sort_by_key(|stop| std::cmp::Reverse(stop.packets));
    undecoded
}

fn class_count(
    class: &str,
    protocol: Option<String>,
    tally: &Tally,
    places: &mut BTreeSet<FrameRef>,
) -> model::ClassCount {
    model::ClassCount {
        class: class.to_owned(),
        protocol,
        packets: tally.packets,
        frame_bytes: tally.frame_bytes,
        sample: sample(tally, places),
    }
}

fn sample(tally: &Tally, places: &mut BTreeSet<FrameRef>) -> Option<u64> {
    places.extend(tally.sample);
    tally.sample.map(packet_number)
}
