//! Where packets come from, one batch after the other: [`Replay`] plays a capture back, and
//! `interface` reads a network interface. Both are read on a thread of their own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::clock;
use crate::base::Timestamp;
use crate::capture::{
    FrameBatch, FrameMeta, InputSummary, Inputs, Interface, InterfaceStatistics, TimeHealth,
};

/// Longest time for which a source keeps its reader waiting.
pub(super) const PATIENCE: Duration = Duration::from_millis(50);

/// Most batches that wait for the loop, of a quarter of a MiB of packets each: while it is busy with
/// something else, packets gather here and not in the ring of the kernel, which may be small.
const WAITING: usize = 256;

/// Most empty batches that wait to be filled again.
const SPARE: usize = 16;

/// What a source answers.
#[derive(Debug)]
pub enum Delivery {
    /// The batch holds packets.
    Frames,
    /// Interfaces that the input describes, behind those told before: packets of them will come.
    Interfaces(Vec<Interface>),
    /// No packets for now.
    Idle,
    /// The counters of the interface, since the start.
    Statistics(InterfaceStatistics),
    /// The interface went down or came up, and what the system said.
    Link {
        /// Whether it is up.
        up: bool,
        /// What the system said.
        reason: Option<String>,
    },
    /// The interface is not there any more: the end is near.
    Gone {
        /// What the system said.
        reason: String,
    },
    /// No packets will come any more.
    End,
}

/// Delivers packets in the order in which they arrive.
pub trait Source: Send {
    /// What the input is called in reports.
    fn name(&self) -> String;

    /// What is known of the interface before the first packet.
    fn interface(&self) -> Interface;

    /// Puts the next packets into `batch`, which is empty, or answers within fifty milliseconds that
    /// there are none.
    fn read(&mut self, batch: &mut FrameBatch) -> Delivery;

    /// Asks for the end: packets that have arrived are still delivered, those that come are not.
    fn stop(&mut self);

    /// What inputs were, and their times, if they know it better than the watch.
    fn finish(self: Box<Self>) -> Option<(Vec<InputSummary>, TimeHealth)>;
}

/// What the source's thread sends.
pub(super) enum Arrival {
    Frames(FrameBatch),
    Interfaces(Vec<Interface>),
    Statistics(InterfaceStatistics),
    Link { up: bool, reason: Option<String> },
    Gone { reason: String },
    Ended(Option<(Vec<InputSummary>, TimeHealth)>),
}

/// Starts the thread that reads the source. Answers where its packets arrive, and where batches
/// go back to it.
pub(super) fn start(
    mut source: Box<dyn Source>,
    stop: Arc<AtomicBool>,
) -> io::Result<(Receiver<Arrival>, Sender<FrameBatch>)> {
    let (to_loop, arrivals) = bounded(WAITING);
    let (to_source, empty) = bounded::<FrameBatch>(SPARE);
    let read = move || {
        loop {
            if stop.load(Ordering::Relaxed) {
                source.stop();
            }
            let mut batch = empty.try_recv().unwrap_or_default();
            batch.clear();
            let arrival = match source.read(&mut batch) {
                Delivery::Frames => Arrival::Frames(batch),
                Delivery::Interfaces(interfaces) => Arrival::Interfaces(interfaces),
                Delivery::Idle => continue,
                Delivery::Statistics(statistics) => Arrival::Statistics(statistics),
                Delivery::Link { up, reason } => Arrival::Link { up, reason },
                Delivery::Gone { reason } => Arrival::Gone { reason },
                Delivery::End => break,
            };
            if to_loop.send(arrival).is_err() {
                return;
            }
        }
        // The loop waits for this.
        let _ = to_loop.send(Arrival::Ended(source.finish()));
    };
    thread::Builder::new().name("source".to_owned()).spawn(read)?;
    Ok((arrivals, to_source))
}

/// How fast a capture is played back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it can be folded.
    Top,
    /// As its times say.
    Original,
}

/// Plays captures back.
pub struct Replay {
    inputs: Inputs,
    pace: Pace,
    /// Packets read and not yet delivered, from `next` on.
    batch: FrameBatch,
    next: usize,
    /// Interfaces that were told.
    described: usize,
    /// When the first packet was delivered, and its time.
    begin: Option<(Instant, Timestamp)>,
    stopped: bool,
}

impl Replay {
    /// Plays `inputs` back.
    pub fn new(inputs: Inputs, pace: Pace) -> Self {
        let batch = FrameBatch::default();
        Replay { inputs, pace, batch, next: 0, described: 0, begin: None, stopped: false }
    }

    /// Moves the packets that are due into `batch`; false when none is.
    fn deliver_due(&mut self, batch: &mut FrameBatch) -> bool {
        let Some(first) = self.batch.frames.get(self.next) else { return false };
        let now = clock::now();
        let (begun, begin) = *self.begin.get_or_insert((now, first.time));
        let passed = i64::try_from(now.duration_since(begun).as_nanos()).unwrap_or(i64::MAX);
        let due = |frame: &&FrameMeta| frame.time.since(begin) <= passed;
        for frame in self.batch.frames.iter().skip(self.next).take_while(due) {
            let offset = batch.bytes.len();
            batch.bytes.extend_from_slice(self.batch.data(frame));
            batch.frames.push(FrameMeta { offset, ..*frame });
        }
        self.next += batch.frames.len();
        !batch.frames.is_empty()
    }
}

impl Source for Replay {
    fn name(&self) -> String {
        let name = self.inputs.path(0).and_then(|path| path.file_name());
        name.unwrap_or_default().to_string_lossy().into_owned()
    }

    fn interface(&self) -> Interface {
        Interface::default()
    }

    fn read(&mut self, batch: &mut FrameBatch) -> Delivery {
        if self.stopped {
            return Delivery::End;
        }
        if self.next >= self.batch.frames.len() {
            if !self.inputs.fill(&mut self.batch) {
                return Delivery::End;
            }
            self.next = 0;
        }
        let described = self.inputs.interfaces(0);
        if let Some(new @ [_, ..]) = described.get(self.described..) {
            self.described = described.len();
            return Delivery::Interfaces(new.to_vec());
        }
        if self.pace == Pace::Top {
            std::mem::swap(batch, &mut self.batch);
            return Delivery::Frames;
        }
        if self.deliver_due(batch) {
            return Delivery::Frames;
        }
        clock::pause(PATIENCE / 5);
        Delivery::Idle
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn finish(self: Box<Self>) -> Option<(Vec<InputSummary>, TimeHealth)> {
        // What was read ahead of the end is not part of the run.
        let times = self.inputs.health();
        (!self.stopped).then(|| (self.inputs.finish(), times))
    }
}
