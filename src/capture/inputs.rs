//! All inputs as one stream of batches in time order.
//!
//! In: the paths given. Out: batches of frames and, in the end, a summary of each input. Inputs
//! are read one after the other; only those that overlap in time are open together. What is
//! decided here is in which order packets arrive; `reorder` puts late ones in their places.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::arrivals::{TimeHealth, WINDOW};
use super::batch::FrameBatch;
use super::compression::{Hashing, Source};
use super::error::OpenError;
use super::feed::PIECE;
use super::input::{Filled, InputReader, Limit, Place};
use super::interface::Interface;
use super::paths::{Expansion, Found, Skipped, expand, is_stdin, natural_order};
use super::reorder::{Reorder, recycle};
use super::summary::{Ending, InputSummary};
use crate::base::{Timestamp, merge};

/// Nanoseconds by which an input may reach into the next one and still be read to its end
/// first. Packets of a rotated set leave the capturing machine slightly out of order, and a cut
/// between two files must not change their order.
const TOLERANCE: i64 = 1_000_000_000;

/// Bytes of packets that may be read from an input behind the begin of the next one: less than
/// what late packets are put back over, so that those of the next input still find their places.
const AHEAD: u64 = WINDOW / 2;

/// Frames after which a batch of interleaved packets is full.
const BATCH_FRAMES: usize = 4096;

/// Several inputs as one stream.
pub struct Inputs {
    /// In the order of reading.
    slots: Vec<Slot>,
    /// Index of the first slot not yet opened.
    next: usize,
    /// Inputs being read, in the order of reading.
    active: Vec<Active>,
    /// Whether the active inputs are known to overlap with others.
    overlapping: bool,
    /// What is left of [`AHEAD`] until the next input is opened.
    ahead: u64,
    /// Frames that have arrived.
    arrived: u64,
    reorder: Reorder,
    skipped: Vec<Skipped>,
    /// Bytes of the inputs that have ended.
    ended_bytes: u64,
    hashing: Hashing,
}

/// An input before and after it is read.
struct Slot {
    path: PathBuf,
    /// Size when it was looked at; unknown for pipes.
    size: Option<u64>,
    /// Time of the first packet; `None` when there is none.
    first: Option<Timestamp>,
    /// The earliest such time of this input and all behind it.
    earliest: Option<Timestamp>,
    content: Content,
}

enum Content {
    /// A file to be opened when its turn comes.
    File,
    /// A pipe, already open.
    Stream(Box<InputReader>),
    /// Being read.
    Reading,
    /// Read.
    Done(Box<InputSummary>),
}

/// An input being read.
struct Active {
    index: usize,
    reader: InputReader,
}

impl Inputs {
    /// Finds the captures behind `paths` and orders them: files, folders (walked recursively,
    /// other files skipped), pipes, and `-` for standard input.
    ///
    /// Of each file the beginning is read, of each pipe as much as it takes to meet a packet.
    /// Files keep the natural order of their names when their first packets follow each other in
    /// that order, to within a second; otherwise they are ordered by their first packets.
    ///
    /// # Errors
    /// All problems at once: paths that are not there or may not be read, folders without
    /// captures, files named twice. A named file that is no capture is not an error here; its
    /// summary will say so.
    pub fn open(paths: &[PathBuf], hashing: Hashing) -> Result<Inputs, Vec<OpenError>> {
        let Expansion { found, mut skipped, mut errors, folders, .. } = expand(paths);
        let mut slots = Vec::new();
        let mut used_folders = BTreeSet::new();
        for file in found {
            match look_at(&file, hashing) {
                Ok(Look::Capture(slot)) => {
                    used_folders.extend(file.folder);
                    slots.push(slot);
                }
                Ok(Look::Other(reason)) => skipped.push(Skipped { path: file.path, reason }),
                Err(source) => errors.push(OpenError::Unreachable { path: file.path, source }),
            }
        }
        for (index, path) in folders.into_iter().enumerate() {
            if !used_folders.contains(&index) {
                let skipped = skipped.iter().filter(|file| file.path.starts_with(&path)).count();
                errors.push(OpenError::NoCapture { path, skipped });
            }
        }
        if errors.is_empty() { Ok(Inputs::over(slots, skipped, hashing)) } else { Err(errors) }
    }

    /// The same over byte streams that are read to their end, under the names given.
    ///
    /// # Errors
    /// When a stream cannot be read at all.
    pub fn from_streams(
        streams: Vec<(String, Box<dyn Read + Send>)>,
        hashing: Hashing,
    ) -> Result<Inputs, Vec<OpenError>> {
        let mut slots = Vec::new();
        let mut errors = Vec::new();
        for (name, source) in streams {
            let path = PathBuf::from(&name);
            match open_stream(path.clone(), source, hashing) {
                Ok(slot) => slots.push(slot),
                Err(source) => errors.push(OpenError::Unreachable { path, source }),
            }
        }
        if errors.is_empty() { Ok(Inputs::over(slots, Vec::new(), hashing)) } else { Err(errors) }
    }

    fn over(mut slots: Vec<Slot>, skipped: Vec<Skipped>, hashing: Hashing) -> Inputs {
        order(&mut slots);
        let mut earliest = None;
        for slot in slots.iter_mut().rev() {
            merge::least(&mut earliest, slot.first);
            slot.earliest = earliest;
        }
        Inputs {
            slots,
            next: 0,
            active: Vec::new(),
            overlapping: false,
            ahead: AHEAD,
            arrived: 0,
            reorder: Reorder::default(),
            skipped,
            ended_bytes: 0,
            hashing,
        }
    }

    /// How many inputs there are.
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// The path of an input, by its index in [`FrameRef::input`](super::FrameRef::input).
    pub fn path(&self, input: u32) -> Option<&Path> {
        self.slots.get(input as usize).map(|slot| slot.path.as_path())
    }

    /// Interfaces that an input has described so far, by its index as in [`Inputs::path`]. Those of
    /// all its packets that were delivered are among them. Their counters may be ahead of these
    /// packets.
    pub fn interfaces(&self, input: u32) -> &[Interface] {
        let index = input as usize;
        if let Some(active) = self.active.iter().find(|active| active.index == index) {
            return active.reader.interfaces();
        }
        match self.slots.get(index).map(|slot| &slot.content) {
            Some(Content::Stream(reader)) => reader.interfaces(),
            Some(Content::Done(summary)) => &summary.interfaces,
            _ => &[],
        }
    }

    /// Files in the folders given that are not read, with the reason.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Bytes of all inputs as stored, as they were when they were opened; `None` when one is a
    /// pipe.
    pub fn total_bytes(&self) -> Option<u64> {
        self.slots.iter().map(|slot| slot.size).sum()
    }

    /// Bytes as stored that have been read so far.
    pub fn read_bytes(&self) -> u64 {
        let active: u64 = self.active.iter().map(|active| active.reader.stored_bytes()).sum();
        self.ended_bytes + active
    }

    /// Replaces the frames of `batch` by the next ones; false when there are no more.
    ///
    /// Frames come in the order of their times, those of equal times in the order of arrival. One
    /// that is more than a second late, or late by more than 4 MiB of packets, stays where it
    /// arrived, and nothing is put back across a jump of the clock; [`InputSummary::late`] and
    /// [`InputSummary::clock`] count these. [`FrameRef::ordinal`](super::FrameRef::ordinal) numbers
    /// the frames in this order.
    ///
    /// A batch holds the packets of about 256 KiB. The memory of `batch` is used again, so it
    /// should be one that was filled before; it need not be cleared.
    pub fn fill(&mut self, batch: &mut FrameBatch) -> bool {
        recycle(batch);
        while !self.reorder.pop(batch) {
            if self.read(batch) {
                self.reorder.push(batch);
            } else {
                self.reorder.end();
                let more = self.reorder.pop(batch);
                if !more {
                    batch.clear();
                }
                return more;
            }
        }
        true
    }

    /// How orderly the times were of what has been read so far.
    pub fn health(&self) -> TimeHealth {
        self.reorder.health()
    }

    /// One summary for each input, in the order of reading. Complete after
    /// [`fill`](Inputs::fill) has answered false; before that, inputs end as
    /// [`Ending::NotRead`].
    pub fn finish(mut self) -> Vec<InputSummary> {
        for Active { index, reader } in std::mem::take(&mut self.active) {
            self.store(index, reader.into_summary());
        }
        let mut latest = None;
        let mut summaries = Vec::with_capacity(self.slots.len());
        for (index, slot) in self.slots.into_iter().enumerate() {
            let mut summary = match slot.content {
                Content::Done(summary) => *summary,
                Content::Stream(reader) => reader.into_summary(),
                Content::File | Content::Reading => InputSummary::new(slot.path),
            };
            summary.late = self.reorder.late(index);
            if let Some(latest) = latest {
                summary.follow(latest);
            }
            merge::most(&mut latest, summary.last);
            summaries.push(summary);
        }
        summaries
    }

    /// Puts the next frames in order of arrival into `batch`, which must hold none; false when
    /// there are no more.
    fn read(&mut self, batch: &mut FrameBatch) -> bool {
        loop {
            match self.active.as_slice() {
                [] => {
                    self.overlapping = false;
                    if !self.open_next() {
                        return false;
                    }
                }
                [_] => self.drain(batch),
                _ => self.interleave(batch),
            }
            if !batch.frames.is_empty() {
                return true;
            }
        }
    }

    /// Reads from the one active input, up to where the next one begins.
    fn drain(&mut self, batch: &mut FrameBatch) {
        let begin = self.next_first().unwrap_or(Timestamp::from_nanos(i64::MAX));
        let tolerance = if self.overlapping { 0 } else { TOLERANCE };
        let end = Timestamp::from_nanos(begin.nanos().saturating_add(tolerance));
        let Some(active) = self.active.first_mut() else {
            return;
        };
        let mut limit = Limit { begin, end, ahead: self.ahead };
        let mut place = Place { input: active.index as u32, ordinal: &mut self.arrived };
        let filled = active.reader.fill(batch, &mut place, &mut limit);
        self.ahead = limit.ahead;
        match filled {
            Filled::Frames => {}
            Filled::Limit => {
                self.overlapping = true;
                self.open_next();
            }
            Filled::End => self.close(0),
        }
    }

    /// Reads the earliest packets of all active inputs, as long as there are several.
    fn interleave(&mut self, batch: &mut FrameBatch) {
        batch.clear();
        let mut heads = BinaryHeap::new();
        let mut ended = Vec::new();
        for (position, active) in self.active.iter_mut().enumerate() {
            match active.reader.peek() {
                Some(time) => heads.push(Reverse((time, position))),
                None => ended.push(position),
            }
        }
        let next_first = self.next_first();
        while ended.is_empty()
            && batch.frames.len() < BATCH_FRAMES
            && batch.bytes.len() < PIECE
            && let Some(Reverse((time, position))) = heads.pop()
        {
            if next_first.is_some_and(|first| first < time) {
                self.open_next();
                break;
            }
            let Some(Active { index, reader }) = self.active.get_mut(position) else {
                break;
            };
            reader.take(batch, &mut Place { input: *index as u32, ordinal: &mut self.arrived });
            match reader.peek() {
                Some(time) => heads.push(Reverse((time, position))),
                None => ended.push(position),
            }
        }
        for position in ended.into_iter().rev() {
            self.close(position);
        }
    }

    /// Earliest time of a first packet among the inputs that are not yet open.
    fn next_first(&self) -> Option<Timestamp> {
        self.slots.get(self.next).and_then(|slot| slot.earliest)
    }

    /// Opens the next input; false when there is none.
    fn open_next(&mut self) -> bool {
        let index = self.next;
        let Some(slot) = self.slots.get_mut(index) else {
            return false;
        };
        self.next += 1;
        self.ahead = AHEAD;
        let opened = match std::mem::replace(&mut slot.content, Content::Reading) {
            Content::Stream(reader) => Ok(*reader),
            _ => File::open(&slot.path).and_then(|file| {
                InputReader::open(slot.path.clone(), Box::new(file), false, self.hashing)
            }),
        };
        match opened {
            Ok(reader) => self.active.push(Active { index, reader }),
            Err(error) => {
                let mut summary = InputSummary::new(slot.path.clone());
                summary.ending = Ending::Unreadable { offset: 0, reason: error.to_string() };
                slot.content = Content::Done(Box::new(summary));
            }
        }
        true
    }

    /// Takes an active input out.
    fn close(&mut self, position: usize) {
        let Active { index, reader } = self.active.remove(position);
        self.store(index, reader.into_summary());
    }

    fn store(&mut self, index: usize, summary: InputSummary) {
        self.ended_bytes += summary.size;
        if let Some(slot) = self.slots.get_mut(index) {
            slot.content = Content::Done(Box::new(summary));
        }
    }
}

/// What the beginning of a file shows.
enum Look {
    Capture(Slot),
    /// A file of a folder that is no capture, and why not.
    Other(String),
}

/// Reads the beginning of a file.
fn look_at(file: &Found, hashing: Hashing) -> io::Result<Look> {
    let path = file.path.clone();
    if is_stdin(&path) {
        return open_stream(path, Box::new(io::stdin()), hashing).map(Look::Capture);
    }
    let opened = File::open(&path)?;
    if !file.is_regular {
        return open_stream(path, Box::new(opened), hashing).map(Look::Capture);
    }
    let size = Some(opened.metadata()?.len());
    let mut reader = InputReader::look_at(path.clone(), Box::new(opened))?;
    let first = reader.peek();
    if file.folder.is_some() && !reader.is_capture() {
        return Ok(Look::Other(match reader.into_summary().ending {
            Ending::Unreadable { reason, .. } => reason,
            other => other.to_string(),
        }));
    }
    Ok(Look::Capture(Slot { path, size, first, earliest: first, content: Content::File }))
}

/// Opens a source that can be read only once.
fn open_stream(path: PathBuf, source: Source, hashing: Hashing) -> io::Result<Slot> {
    let mut reader = InputReader::open(path.clone(), source, true, hashing)?;
    let first = reader.peek();
    let content = Content::Stream(Box::new(reader));
    Ok(Slot { path, size: None, first, earliest: first, content })
}

/// Puts inputs into the order of reading: those without packets last.
fn order(slots: &mut [Slot]) {
    slots.sort_by(|a, b| {
        a.first.is_none().cmp(&b.first.is_none()).then_with(|| natural_order(&a.path, &b.path))
    });
    let mut latest = None;
    let follow_each_other = slots.iter().filter_map(|slot| slot.first).all(|first| {
        let follows = latest.is_none_or(|latest: Timestamp| first.since(latest) >= -TOLERANCE);
        merge::most(&mut latest, Some(first));
        follows
    });
    if !follow_each_other {
        // Stable, so inputs that begin together keep the order of their names.
        slots.sort_by_key(|slot| (slot.first.is_none(), slot.first));
    }
}
