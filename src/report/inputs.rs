//! What the report says of the inputs, and of files that were none.

use super::model;
use crate::capture::{Ending, InputSummary, Interface, Skipped, TimeSteps};

/// Most skipped files that are named.
const SKIPPED: usize = 1000;

/// What is known of an input.
pub(super) fn input(summary: &InputSummary) -> model::Input {
    let (ending, offset, reason) = match &summary.ending {
        Ending::Complete => ("complete", None, None),
        Ending::IncompleteTail { offset, bytes, what } => {
            ("incomplete-tail", Some(*offset), Some(format!("{bytes} bytes of {what}")))
        }
        Ending::Corrupt { offset, reason } => ("corrupt", Some(*offset), Some(reason.clone())),
        Ending::Unreadable { offset, reason } => {
            ("unreadable", Some(*offset), Some(reason.clone()))
        }
        Ending::Interrupted => ("interrupted", None, None),
        Ending::NotRead { offset } => ("not-read", Some(*offset), None),
    };
    let clock = summary.clock;
    let found = |steps: TimeSteps| (steps.count > 0).then_some(steps);
    let packet = |steps| found(steps).map(|steps| steps.first_packet);
    model::Input {
        name: summary.name.clone(),
        size: summary.size,
        sha256: summary.sha256.clone(),
        compression: summary.compression.to_string(),
        container: summary.container.map(|container| container.to_string()),
        byte_order: summary.byte_order.map(|order| order.to_string()),
        interfaces: summary.interfaces.iter().map(interface).collect(),
        packets: summary.packets,
        frame_bytes: summary.original_bytes,
        captured_bytes: summary.captured_bytes,
        first: summary.first.map(|time| time.to_string()),
        last: summary.last.map(|time| time.to_string()),
        gap_to_previous_ns: summary.gap_to_previous,
        overlap_with_previous_ns: summary.overlap_with_previous,
        cut_packets: summary.cut_packets,
        overlong_packets: summary.overlong_packets,
        untimed_packets: summary.untimed_packets,
        time_regressions: clock.regressions.count,
        first_regression: packet(clock.regressions),
        first_regression_ns: found(clock.regressions).map(|steps| steps.first),
        widest_regression_ns: found(clock.regressions).map(|steps| steps.widest),
        clock_jumps_backward: clock.jumps_backward.count,
        first_jump_backward: packet(clock.jumps_backward),
        clock_jumps_forward: clock.jumps_forward.count,
        first_jump_forward: packet(clock.jumps_forward),
        reordered_packets: summary.late.reordered,
        out_of_reach_packets: summary.late.out_of_reach,
        ending: ending.to_owned(),
        ending_offset: offset,
        ending_reason: reason,
    }
}

fn interface(interface: &Interface) -> model::Interface {
    model::Interface {
        section: interface.section,
        index: interface.index,
        name: interface.name.clone(),
        link_type: interface.link.0,
        link_type_name: interface.link.name().map(str::to_owned),
        snaplen: interface.snaplen,
        resolution: interface.resolution.to_string(),
        filter: interface.filter.clone(),
        packets: interface.packets,
        dropped: interface.lost(),
    }
}

/// Files of folders that were not read, so far as they are named, and how many more there are.
pub(super) fn skipped(files: &[Skipped]) -> (Vec<model::SkippedInput>, u64) {
    let named = files.iter().take(SKIPPED).map(|file| {
        let name = file.path.file_name().unwrap_or(file.path.as_os_str());
        model::SkippedInput {
            name: name.to_string_lossy().into_owned(),
            reason: file.reason.clone(),
        }
    });
    (named.collect(), files.len().saturating_sub(SKIPPED) as u64)
}
