//! One input from its first byte to its last: pieces of the stream in, frames and a summary out.
//!
//! Packets are parsed where they were read: a batch takes over the piece, and only the partial
//! record at its end is copied to the next one. Not here: which input comes when.

use std::io;
use std::path::PathBuf;

use super::arrivals::weight;
use super::batch::{FrameBatch, FrameMeta, FrameRef};
use super::clock::is_orderly;
use super::compression::{Decompressor, Hashing, Source};
use super::container::{Opening, Record, RecordReader, Step, open_container};
use super::feed::{Failure, Feed, FeedEnd, Message, Window};
use super::interface::Interface;
use super::summary::{Ending, InputSummary};
use crate::base::Timestamp;

/// Reads one input.
pub(super) struct InputReader {
    feed: Feed,
    window: Window,
    /// Offset in the stream of the first unread byte.
    offset: u64,
    /// Bytes that the next record needs, and what it is.
    need: (usize, &'static str),
    records: Option<RecordReader>,
    /// Whether the first bytes are those of a capture, be it one that is refused.
    is_capture: bool,
    /// Time of the packet before the next.
    time: Timestamp,
    state: State,
    summary: InputSummary,
}

enum State {
    /// In the middle.
    Reading,
    /// Records have ended in zero bytes.
    Padding,
    /// Records have ended like this, there may be bytes left.
    Stopped(Ending),
    /// The summary is complete.
    Ended,
}

/// What the window holds next.
enum Next {
    Packet(Record),
    /// Nothing until more is read.
    Exhausted,
    /// No more packets.
    Stopped,
}

/// How far [`InputReader::fill`] came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Filled {
    /// The batch has frames.
    Frames,
    /// No frames, because the next packet is beyond the limit.
    Limit,
    /// No frames, because there are no more.
    End,
}

/// Where the frames of an input come in the whole stream.
pub(super) struct Place<'a> {
    /// Index of the input.
    pub(super) input: u32,
    /// Number of the next frame over all inputs, in order of arrival.
    pub(super) ordinal: &'a mut u64,
}

/// How far an input is read before the next one is opened.
pub(super) struct Limit {
    /// Where the next input begins.
    pub(super) begin: Timestamp,
    /// Packets later than this are never read.
    pub(super) end: Timestamp,
    /// Bytes of packets, as the reorder buffer counts them, that may still be read between the
    /// two.
    pub(super) ahead: u64,
}

impl Limit {
    /// Whether a packet may still be read.
    #[inline]
    fn admits(&mut self, record: &Record) -> bool {
        match record.time {
            Some(time) if time > self.begin => time <= self.end && self.run_ahead(record.captured),
            _ => true,
        }
    }

    #[cold]
    fn run_ahead(&mut self, captured: u32) -> bool {
        let left = self.ahead.checked_sub(weight(captured));
        self.ahead = left.unwrap_or(self.ahead);
        left.is_some()
    }
}

impl InputReader {
    /// Reads the whole of `source`. `live` takes what a pipe has at once.
    ///
    /// # Errors
    /// When the first bytes cannot be read or there is no thread to be had.
    pub(super) fn open(
        path: PathBuf,
        source: Source,
        live: bool,
        hashing: Hashing,
    ) -> io::Result<Self> {
        let decompressor = Decompressor::open(source, hashing)?;
        let mut summary = InputSummary::new(path);
        summary.compression = decompressor.compression();
        Ok(InputReader::new(summary, Feed::whole(decompressor, live)?))
    }

    /// Reads the beginning of `source` only.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub(super) fn look_at(path: PathBuf, source: Source) -> io::Result<Self> {
        let decompressor = Decompressor::open(source, Hashing::Off)?;
        let mut summary = InputSummary::new(path);
        summary.compression = decompressor.compression();
        Ok(InputReader::new(summary, Feed::direct(decompressor)))
    }

    fn new(summary: InputSummary, feed: Feed) -> Self {
        InputReader {
            feed,
            window: Window::default(),
            offset: 0,
            need: (0, "nothing"),
            records: None,
            is_capture: false,
            time: Timestamp::default(),
            state: State::Reading,
            summary,
        }
    }

    /// Whether the first bytes read so far are those of a capture.
    pub(super) fn is_capture(&self) -> bool {
        self.is_capture
    }

    /// Bytes of the input as stored that have been read.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.feed.stored_bytes()
    }

    /// Interfaces described so far; those of all packets that have been read are among them.
    pub(super) fn interfaces(&self) -> &[Interface] {
        self.records.as_ref().map_or(&self.summary.interfaces, RecordReader::described)
    }

    /// What is known of the input; complete once it has ended.
    pub(super) fn into_summary(mut self) -> InputSummary {
        if let State::Ended = self.state {
            return self.summary;
        }
        self.describe();
        self.summary.size = self.feed.stored_bytes();
        self.summary.ending = Ending::NotRead { offset: self.offset };
        self.summary
    }

    /// Puts the next frames into `batch`, which must hold none; stops before the first packet
    /// beyond `limit`. The batch takes over the memory in which they were read.
    pub(super) fn fill(
        &mut self,
        batch: &mut FrameBatch,
        place: &mut Place<'_>,
        limit: &mut Limit,
    ) -> Filled {
        loop {
            let next = loop {
                match self.next() {
                    Next::Packet(record) => {
                        if !limit.admits(&record) {
                            break Next::Packet(record);
                        }
                        let offset = self.window.start + record.data;
                        batch.frames.push(self.account(&record, offset, place));
                        self.consume(record.length);
                    }
                    other => break other,
                }
            };
            if !batch.frames.is_empty() {
                self.hand_over(batch);
                return Filled::Frames;
            }
            match next {
                Next::Packet(_) => return Filled::Limit,
                Next::Exhausted => self.read_on(),
                Next::Stopped => {
                    self.conclude();
                    return Filled::End;
                }
            }
        }
    }

    /// Time of the next packet; `None` when there are no more.
    pub(super) fn peek(&mut self) -> Option<Timestamp> {
        loop {
            match self.next() {
                Next::Packet(record) => return Some(record.time.unwrap_or(self.time)),
                Next::Exhausted => self.read_on(),
                Next::Stopped => {
                    self.conclude();
                    return None;
                }
            }
        }
    }

    /// Copies the next packet into `batch`. To be called after [`InputReader::peek`] found one.
    pub(super) fn take(&mut self, batch: &mut FrameBatch, place: &mut Place<'_>) {
        let Next::Packet(record) = self.next() else {
            return;
        };
        let frame = self.account(&record, batch.bytes.len(), place);
        let unread = self.window.unread();
        let data = unread.get(record.data..).and_then(|data| data.get(..record.captured as usize));
        batch.bytes.extend_from_slice(data.unwrap_or_default());
        batch.frames.push(frame);
        self.consume(record.length);
    }

    /// Finds the next packet in the window. Inlined, so that what is found of each packet need not
    /// go through memory.
    #[inline(always)]
    fn next(&mut self) -> Next {
        loop {
            if !matches!(self.state, State::Reading) {
                return Next::Stopped;
            }
            let Some(records) = &mut self.records else {
                if self.begin() {
                    continue;
                }
                return Next::Exhausted;
            };
            match records.step(self.window.unread()) {
                Step::Packet(record) => return Next::Packet(record),
                Step::Skip(bytes) => self.consume(bytes),
                Step::Need { bytes, what } => {
                    self.need = (bytes, what);
                    return Next::Exhausted;
                }
                Step::Padding => self.state = State::Padding,
                Step::Corrupt(reason) => self.state = State::Stopped(self.corrupt(reason)),
            }
        }
    }

    /// Finds out which container this is; false when that takes more bytes.
    fn begin(&mut self) -> bool {
        match open_container(self.window.unread(), false) {
            Opening::Capture(records, header) => {
                self.is_capture = true;
                self.records = Some(records);
                self.consume(header);
            }
            Opening::Refused { is_capture, reason } => {
                self.is_capture = is_capture;
                self.state = State::Stopped(Ending::Unreadable { offset: 0, reason });
            }
            Opening::Need(bytes) => {
                self.need = (bytes, "a file header");
                return false;
            }
        }
        true
    }

    /// Damage at the read position. When not even the first record can be read, the input is
    /// not a capture that could be used.
    fn corrupt(&self, reason: String) -> Ending {
        match self.offset {
            0 => Ending::Unreadable { offset: 0, reason },
            offset => Ending::Corrupt { offset, reason },
        }
    }

    #[inline]
    fn consume(&mut self, bytes: usize) {
        self.window.start += bytes;
        self.offset += bytes as u64;
    }

    /// Counts a packet and describes its frame, whose bytes begin at `offset` in the arena.
    #[inline]
    fn account(&mut self, record: &Record, offset: usize, place: &mut Place<'_>) -> FrameMeta {
        let summary = &mut self.summary;
        let original = record.original.max(record.captured);
        summary.packets += 1;
        summary.captured_bytes += u64::from(record.captured);
        summary.original_bytes += u64::from(original);
        summary.cut_packets += u64::from(record.captured < original);
        summary.overlong_packets += u64::from(record.original < record.captured);
        if let Some(time) = record.time {
            let step = time.since(self.time);
            if !is_orderly(step) && summary.first.is_some() {
                summary.clock.count(summary.packets, step);
            }
            summary.extend_span(time);
            self.time = time;
        } else {
            summary.untimed_packets += 1;
        }
        if let Some(records) = &mut self.records
            && let Some(interface) = records.interfaces().get_mut(record.interface)
        {
            interface.packets += 1;
            interface.dropped_between += u64::from(record.dropped);
        }
        let ordinal = *place.ordinal;
        *place.ordinal += 1;
        FrameMeta {
            offset,
            captured: record.captured,
            original,
            time: self.time,
            source: FrameRef { ordinal, input: place.input, number: self.summary.packets },
            stored_at: self.offset + record.data as u64,
            interface: record.interface as u32,
            link: record.link,
            fcs_bytes: record.fcs_bytes,
        }
    }

    /// Lets `batch` have the memory of the window, and keeps what is unread of it in the memory
    /// that the batch had.
    fn hand_over(&mut self, batch: &mut FrameBatch) {
        let rest = Window::over(std::mem::take(&mut batch.bytes), self.window.unread());
        let used = std::mem::replace(&mut self.window, rest);
        batch.bytes = used.bytes;
    }

    /// Reads until the next record can be whole, or the input ends.
    fn read_on(&mut self) {
        loop {
            match self.feed.next() {
                Message::Piece(piece) => {
                    let window = std::mem::take(&mut self.window);
                    let (window, free) = window.join(piece);
                    self.window = window;
                    self.feed.recycle(free);
                    if self.window.len() >= self.need.0 {
                        return;
                    }
                }
                Message::End(end) => {
                    let ending = self.ending(end.failure.as_ref());
                    return self.close(ending, end);
                }
            }
        }
    }

    /// Passes over everything that is left, so that the whole input is hashed.
    fn conclude(&mut self) {
        if let State::Ended = self.state {
            return;
        }
        if let Feed::Direct(decompressor) = &mut self.feed {
            *decompressor = None;
        }
        let mut zeros = self.window.unread().iter().all(|byte| *byte == 0);
        let mut bytes = self.window.len() as u64;
        let end = loop {
            match self.feed.next() {
                Message::Piece(piece) => {
                    zeros = zeros && piece.unread().iter().all(|byte| *byte == 0);
                    bytes += piece.len() as u64;
                    self.feed.recycle(piece.bytes);
                }
                Message::End(end) => break end,
            }
        };
        let offset = self.offset;
        let ending = match std::mem::replace(&mut self.state, State::Ended) {
            State::Stopped(ending) => ending,
            _ if zeros => Ending::IncompleteTail { offset, bytes, what: "zero padding" },
            _ => self.corrupt("zero bytes where a record should begin".to_owned()),
        };
        self.close(ending, end);
    }

    /// How the input ends where its stream does.
    fn ending(&self, failure: Option<&Failure>) -> Ending {
        let (offset, left) = (self.offset, self.window.unread());
        let bytes = left.len() as u64;
        let (_, what) = self.need;
        match failure {
            Some(Failure::Unreadable(reason)) => {
                Ending::Unreadable { offset, reason: reason.clone() }
            }
            Some(Failure::Damaged(reason)) => self.corrupt(format!(
                "the {} stream is damaged after {} decompressed bytes: {reason}",
                self.summary.compression,
                offset + bytes
            )),
            _ if self.offset == 0 && left.is_empty() => {
                Ending::Unreadable { offset, reason: "the input is empty".to_owned() }
            }
            _ if self.offset == 0 => {
                let reason = match open_container(left, true) {
                    Opening::Refused { reason, .. } => reason,
                    _ => format!("the input ends after {bytes} bytes, inside {what}"),
                };
                Ending::Unreadable { offset, reason }
            }
            Some(Failure::Cut) => {
                Ending::IncompleteTail { offset, bytes, what: "a cut compressed stream" }
            }
            None if left.is_empty() => Ending::Complete,
            None if left.iter().all(|byte| *byte == 0) => {
                Ending::IncompleteTail { offset, bytes, what: "zero padding" }
            }
            None => Ending::IncompleteTail { offset, bytes, what },
        }
    }

    fn close(&mut self, ending: Ending, end: FeedEnd) {
        self.describe();
        self.summary.size = end.size;
        self.summary.sha256 = end.sha256;
        self.summary.ending = ending;
        self.state = State::Ended;
    }

    /// Takes over what the container says of itself.
    fn describe(&mut self) {
        if let Some(mut records) = self.records.take() {
            self.summary.container = Some(records.container());
            self.summary.byte_order = Some(records.byte_order());
            self.summary.interfaces = std::mem::take(records.interfaces());
            self.summary.resolution = self.summary.interfaces.first().map(|i| i.resolution);
        }
    }
}
