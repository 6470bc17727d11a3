//! The decompressed stream of one input in pieces.
//!
//! Decompressing costs more than everything else, so a thread of its own does it ahead. Stored
//! bytes are read and hashed by who walks their records, while they are in its cache. Pieces are
//! handed over, not copied; each has room in front for the partial record that the piece before
//! it left.

use std::io::{self, Read};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::compression::Decompressor;
use super::summary::Compression;

/// Bytes read at a time. Fits into a second-level cache.
pub(super) const PIECE: usize = 256 << 10;
/// Bytes read at a time when only the beginning of an input is wanted.
const FIRST_PIECE: usize = 32 << 10;
/// Room in front of a piece for what is left of the piece before it.
const HEADROOM: usize = 64 << 10;
/// Pieces read ahead.
const AHEAD: usize = 3;

/// Bytes of a buffer that are yet to be used.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) bytes: Vec<u8>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Window {
    /// The bytes yet to be used.
    #[inline]
    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Bytes yet to be used.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// A window over a copy of `bytes` in the memory of `buffer`.
    pub(super) fn over(mut buffer: Vec<u8>, bytes: &[u8]) -> Self {
        if buffer.len() < bytes.len() {
            buffer.resize(bytes.len(), 0);
        }
        if let Some(front) = buffer.get_mut(..bytes.len()) {
            front.copy_from_slice(bytes);
        }
        Window { bytes: buffer, start: 0, end: bytes.len() }
    }

    /// Puts `self` in front of `next`. Gives the joined window and a buffer that is free again.
    pub(super) fn join(mut self, mut next: Window) -> (Window, Vec<u8>) {
        let left = self.unread();
        let room = next.start.checked_sub(left.len());
        if let Some(start) = room
            && let Some(front) = next.bytes.get_mut(start..next.start)
        {
            front.copy_from_slice(left);
            next.start = start;
            return (next, self.bytes);
        }
        self.bytes.truncate(self.end);
        self.bytes.extend_from_slice(next.unread());
        self.end = self.bytes.len();
        (self, next.bytes)
    }
}

/// What a feed delivers.
pub(super) enum Message {
    /// The next bytes of the stream; never empty.
    Piece(Window),
    /// There are no more.
    End(FeedEnd),
}

/// What is known of the stored bytes in the end.
pub(super) struct FeedEnd {
    /// Stored bytes read.
    pub(super) size: u64,
    /// Their SHA-256 in hexadecimal, if they were read to the end.
    pub(super) sha256: Option<String>,
    /// Why the stream ended early.
    pub(super) failure: Option<Failure>,
}

/// Why a stream ended early.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    /// A compressed stream ends in its middle.
    Cut,
    /// A compressed stream contradicts its format.
    Damaged(String),
    /// The system refused to read on.
    Unreadable(String),
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        if error.raw_os_error().is_some() {
            Failure::Unreadable(error.to_string())
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            Failure::Cut
        } else {
            Failure::Damaged(error.to_string())
        }
    }
}

/// The stream of one input.
pub(super) enum Feed {
    /// Only the beginning, a little at a time.
    Direct(Option<Box<Decompressor>>),
    /// Read when asked.
    Inline { decompressor: Option<Box<Decompressor>>, live: bool, spare: Vec<Vec<u8>> },
    /// Read ahead.
    Ahead { pieces: Receiver<(Message, u64)>, spare: Sender<Vec<u8>>, stored_bytes: u64 },
}

impl Feed {
    /// A feed for looking at the beginning of an input.
    pub(super) fn direct(decompressor: Decompressor) -> Self {
        Feed::Direct(Some(Box::new(decompressor)))
    }

    /// A feed for the whole of an input. `live` delivers what a pipe has instead of waiting for
    /// a full piece.
    ///
    /// # Errors
    /// When a thread is needed and the system gives none.
    pub(super) fn whole(decompressor: Decompressor, live: bool) -> io::Result<Self> {
        if decompressor.compression() == Compression::None {
            let decompressor = Some(Box::new(decompressor));
            return Ok(Feed::Inline { decompressor, live, spare: Vec::new() });
        }
        let (piece_sender, pieces) = bounded(AHEAD);
        let (spare, spare_buffers) = bounded(AHEAD + 1);
        thread::Builder::new()
            .name("capture-feed".to_owned())
            .spawn(move || read_ahead(decompressor, &piece_sender, &spare_buffers))?;
        Ok(Feed::Ahead { pieces, spare, stored_bytes: 0 })
    }

    /// The next piece, or the end; after the end, the end again.
    pub(super) fn next(&mut self) -> Message {
        match self {
            Feed::Direct(decompressor) => {
                let Some(mut reading) = decompressor.take() else {
                    return lost();
                };
                let (window, failure) = read_piece(&mut reading, Vec::new(), FIRST_PIECE, true);
                if window.len() > 0 && failure.is_none() {
                    *decompressor = Some(reading);
                    return Message::Piece(window);
                }
                // Only the beginning is of interest here, so the rest need not be hashed.
                Message::End(FeedEnd { size: 0, sha256: None, failure })
            }
            Feed::Inline { decompressor, live, spare } => {
                let Some(mut reading) = decompressor.take() else {
                    return lost();
                };
                let buffer = spare.pop().unwrap_or_default();
                let (window, failure) = read_piece(&mut reading, buffer, PIECE, *live);
                if window.len() > 0 && failure.is_none() {
                    *decompressor = Some(reading);
                    return Message::Piece(window);
                }
                let (size, sha256) = reading.finish();
                Message::End(FeedEnd { size, sha256, failure })
            }
            Feed::Ahead { pieces, stored_bytes, .. } => match pieces.recv() {
                Ok((message, stored)) => {
                    *stored_bytes = stored;
                    message
                }
                Err(_) => lost(),
            },
        }
    }

    /// Stored bytes that went into the pieces delivered.
    pub(super) fn stored_bytes(&self) -> u64 {
        match self {
            Feed::Direct(_) => 0,
            Feed::Inline { decompressor, .. } => {
                decompressor.as_ref().map_or(0, |reading| reading.stored_bytes())
            }
            Feed::Ahead { stored_bytes, .. } => *stored_bytes,
        }
    }

    /// Gives a buffer back for another piece.
    pub(super) fn recycle(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() == 0 {
            return;
        }
        match self {
            Feed::Direct(_) => {}
            Feed::Inline { spare, .. } => {
                if spare.len() < AHEAD {
                    spare.push(buffer);
                }
            }
            Feed::Ahead { spare, .. } => {
                // A buffer that nobody waits for is freed.
                let _ = spare.try_send(buffer);
            }
        }
    }
}

/// The end of a feed that is no longer there.
fn lost() -> Message {
    let failure = Failure::Unreadable("the reading thread has ended".to_owned());
    Message::End(FeedEnd { size: 0, sha256: None, failure: Some(failure) })
}

/// The reading thread: pieces until the end of the stream, then what is known of it.
fn read_ahead(
    mut decompressor: Decompressor,
    pieces: &Sender<(Message, u64)>,
    spare: &Receiver<Vec<u8>>,
) {
    let failure = loop {
        let buffer = spare.try_recv().unwrap_or_default();
        let (window, failure) = read_piece(&mut decompressor, buffer, PIECE, false);
        let ended = window.len() == 0;
        if !ended {
            let stored = decompressor.stored_bytes();
            if pieces.send((Message::Piece(window), stored)).is_err() {
                return;
            }
        }
        if ended || failure.is_some() {
            break failure;
        }
    };
    let (size, sha256) = decompressor.finish();
    // Nobody listens when the input was given up.
    let _ = pieces.send((Message::End(FeedEnd { size, sha256, failure }), size));
}

/// Reads up to `size` bytes behind the headroom of `buffer`.
fn read_piece(
    decompressor: &mut Decompressor,
    mut buffer: Vec<u8>,
    size: usize,
    live: bool,
) -> (Window, Option<Failure>) {
    if buffer.capacity() < HEADROOM + size {
        // Zeroed by the system, page by page when touched.
        buffer = vec![0; HEADROOM + size];
    } else if buffer.len() < HEADROOM + size {
        buffer.resize(HEADROOM + size, 0);
    }
    let mut end = HEADROOM;
    let mut failure = None;
    while let Some(free) = buffer.get_mut(end..HEADROOM + size)
        && !free.is_empty()
    {
        match decompressor.read(free) {
            Ok(0) => break,
            Ok(count) => end += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                failure = Some(Failure::of(&error));
                break;
            }
        }
        if live {
            break;
        }
    }
    (Window { bytes: buffer, start: HEADROOM, end }, failure)
}
