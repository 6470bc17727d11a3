//! Packets as an interface delivers them, in the order of their times.
//!
//! In: batches of frames in order of arrival, one after the other, without an end in sight. Out:
//! the same frames as [`Inputs`](super::Inputs) would deliver them from a file in which they were
//! recorded, and at any time what is known of the input so far. Reading the interface is not done
//! here.

use std::path::PathBuf;

use super::arrivals::TimeHealth;
use super::batch::{FrameBatch, FrameMeta};
use super::earlier::Earlier;
use super::interface::{Interface, InterfaceStatistics};
use super::reorder::{Reorder, recycle};
use super::summary::{Ending, InputSummary};
use crate::base::{LinkType, Timestamp};

/// An input that is still being captured.
pub struct LiveInput {
    running: RunningSummary,
    reorder: Reorder,
    /// Packets of the inputs before this one.
    before: u64,
    /// Number of this input.
    number: u32,
}

impl LiveInput {
    /// An input of which nothing has arrived.
    pub fn new(name: &str, interface: Interface) -> Self {
        LiveInput::behind(&Earlier::default(), name, interface)
    }

    /// The same behind other inputs.
    pub fn behind(earlier: &Earlier, name: &str, interface: Interface) -> Self {
        let before = earlier.packets();
        LiveInput {
            running: RunningSummary::new(name, interface),
            reorder: Reorder::behind(before),
            before,
            number: u32::try_from(earlier.count()).unwrap_or(u32::MAX),
        }
    }

    /// Takes the frames of `batch`, which follow all taken before, and leaves it empty.
    pub fn push(&mut self, batch: &mut FrameBatch) {
        for frame in &mut batch.frames {
            let number = self.running.summary.packets;
            frame.source.ordinal = self.before + number;
            frame.source.input = self.number;
            frame.source.number = number + 1;
            self.running.count(frame);
        }
        self.reorder.push(batch);
        recycle(batch);
        batch.bytes.clear();
    }

    /// Replaces `batch` by the next frames that no later one can come before; false when there
    /// are none.
    pub fn pop(&mut self, batch: &mut FrameBatch) -> bool {
        self.reorder.pop(batch)
    }

    /// No more frames will arrive: what is held can be popped.
    pub fn end(&mut self) {
        self.reorder.end();
    }

    /// Copies of the frames that are still held because an earlier one may come.
    pub fn held(&self) -> Vec<FrameBatch> {
        self.reorder.held()
    }

    /// Sets the counters of the interface.
    pub fn set_statistics(&mut self, statistics: InterfaceStatistics) {
        if let Some(interface) = self.running.summary.interfaces.first_mut() {
            interface.statistics = statistics;
        }
    }

    /// Adds interfaces that the input has described, in the order of their numbers. To be told
    /// before their packets are pushed. The first one takes the place of what the input began with.
    pub fn describe(&mut self, interfaces: Vec<Interface>) {
        self.running.describe(interfaces);
    }

    /// Notes that the input broke off.
    pub fn fail(&mut self, reason: &str) {
        let offset = self.running.summary.size;
        self.running.summary.ending = Ending::Unreadable { offset, reason: reason.to_owned() };
    }

    /// Greatest time of a frame so far.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.running.summary.last
    }

    /// How orderly the times were of what has arrived so far.
    pub fn health(&self) -> TimeHealth {
        self.reorder.health()
    }

    /// What is known of the input so far.
    pub fn summary(&self) -> InputSummary {
        let late = self.reorder.late(self.number as usize);
        InputSummary { late, ..self.running.summary().clone() }
    }
}

/// The summary of an input that has not ended, kept from frame to frame.
#[derive(Clone, Debug)]
pub struct RunningSummary {
    summary: InputSummary,
    previous: Option<Timestamp>,
    /// Interfaces that the input itself has described.
    described: usize,
}

impl RunningSummary {
    /// Before the first frame.
    pub fn new(name: &str, interface: Interface) -> Self {
        let mut summary = InputSummary::new(PathBuf::from(name));
        summary.resolution = Some(interface.resolution);
        summary.interfaces = vec![interface];
        summary.ending = Ending::Complete;
        RunningSummary { summary, previous: None, described: 0 }
    }

    /// Adds interfaces, of which no packets are counted yet.
    pub fn describe(&mut self, interfaces: Vec<Interface>) {
        let uncounted = |interface| Interface {
            packets: 0,
            dropped_between: 0,
            statistics: InterfaceStatistics::default(),
            ..interface
        };
        self.summary.interfaces.truncate(self.described);
        self.summary.interfaces.extend(interfaces.into_iter().map(uncounted));
        self.described = self.summary.interfaces.len();
        self.summary.resolution = self.summary.interfaces.first().map(|first| first.resolution);
    }

    /// Counts a frame.
    pub fn count(&mut self, frame: &FrameMeta) {
        let summary = &mut self.summary;
        summary.packets += 1;
        summary.size += u64::from(frame.captured);
        summary.captured_bytes += u64::from(frame.captured);
        summary.original_bytes += u64::from(frame.original);
        summary.cut_packets += u64::from(frame.captured < frame.original);
        if let Some(previous) = self.previous.replace(frame.time) {
            summary.clock.count(summary.packets, frame.time.since(previous));
        }
        summary.extend_span(frame.time);
        if let Some(interface) = summary.interfaces.get_mut(frame.interface as usize) {
            interface.packets += 1;
            if interface.link == LinkType::default() {
                interface.link = frame.link;
            }
        }
    }

    /// What is known so far.
    pub fn summary(&self) -> &InputSummary {
        &self.summary
    }
}
