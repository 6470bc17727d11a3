//! Cuts a byte stream, fed in stretches of any size, into length-prefixed messages.

use serde::{Deserialize, Serialize};

use super::messages::Look;

/// Cuts one end's stream. Holds at most one message of at most the room given; longer ones are
/// skipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Framing {
    /// The beginning of a message whose rest is still to come.
    buffer: Vec<u8>,
    /// Bytes still to come of a message that is not wanted.
    skip: usize,
    /// Longest message kept, in bytes.
    room: usize,
}

impl Framing {
    /// Starts at the first byte of a stream, with room for messages of that many bytes.
    pub(super) fn new(room: usize) -> Self {
        Framing { buffer: Vec::new(), skip: 0, room }
    }

    /// Forgets what is kept: a message may begin with the next bytes.
    pub(super) fn restart(&mut self) {
        self.buffer.clear();
        self.skip = 0;
    }

    /// Bytes of memory in use beside the struct itself.
    pub(super) fn weight(&self) -> usize {
        self.buffer.capacity()
    }

    /// Takes note of bytes that were not captured. Where the message begun reaches over them, the
    /// next one is found by its length; otherwise one is tried at the next bytes fed.
    pub(super) fn gap<T>(&mut self, missing: usize, look: fn(&[u8]) -> Look<T>) {
        let left = match look(&self.buffer) {
            Look::Fits { length, .. } => length.saturating_sub(self.buffer.len()),
            Look::Open | Look::Differs => self.skip,
        };
        self.buffer.clear();
        self.skip = left.saturating_sub(missing);
    }

    /// Takes the next bytes and shows each message that is complete with them. Where `look` finds
    /// no message, the rest of these bytes is dropped, and the next are tried.
    pub(super) fn feed<T>(
        &mut self,
        bytes: &[u8],
        look: fn(&[u8]) -> Look<T>,
        message: &mut impl FnMut(T, &[u8]),
    ) {
        let mut rest = bytes.get(self.skip..).unwrap_or_default();
        self.skip = self.skip.saturating_sub(bytes.len());
        while !rest.is_empty() {
            rest = if self.buffer.is_empty() {
                self.direct(rest, look, message)
            } else {
                self.buffered(rest, look, message)
            };
        }
    }

    /// Takes a message from the bytes alone.
    fn direct<'a, T>(
        &mut self,
        rest: &'a [u8],
        look: fn(&[u8]) -> Look<T>,
        message: &mut impl FnMut(T, &[u8]),
    ) -> &'a [u8] {
        match look(rest) {
            Look::Fits { length, what } => match rest.split_at_checked(length.max(1)) {
                Some((whole, rest)) => {
                    message(what, whole);
                    return rest;
                }
                None if length > self.room => self.skip = length - rest.len(),
                None => self.buffer.extend_from_slice(rest),
            },
            Look::Open if rest.len() < self.room => self.buffer.extend_from_slice(rest),
            Look::Open | Look::Differs => {}
        }
        &[]
    }

    /// Completes the message begun.
    fn buffered<'a, T>(
        &mut self,
        rest: &'a [u8],
        look: fn(&[u8]) -> Look<T>,
        message: &mut impl FnMut(T, &[u8]),
    ) -> &'a [u8] {
        match look(&self.buffer) {
            Look::Fits { length, .. } if length > self.room => {
                self.skip = length - self.buffer.len();
                self.buffer.clear();
                let skipped = rest.get(self.skip..).unwrap_or_default();
                self.skip = self.skip.saturating_sub(rest.len());
                skipped
            }
            Look::Fits { length, what } => {
                let wanted = length.saturating_sub(self.buffer.len()).min(rest.len());
                let (taken, rest) = rest.split_at_checked(wanted).unwrap_or((rest, &[]));
                self.buffer.extend_from_slice(taken);
                if self.buffer.len() >= length {
                    message(what, &self.buffer);
                    self.buffer.clear();
                }
                rest
            }
            // A header is a few bytes: it is completed byte by byte.
            Look::Open if self.buffer.len() < self.room => {
                let (taken, rest) = rest.split_at_checked(1).unwrap_or((rest, &[]));
                self.buffer.extend_from_slice(taken);
                rest
            }
            Look::Open | Look::Differs => {
                self.buffer.clear();
                &[]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of a magic byte, their whole length, and filling.
    fn look(bytes: &[u8]) -> Look<u8> {
        match bytes {
            [] | [0xaa] => Look::Open,
            [0xaa, length, ..] if *length > 1 => {
                Look::Fits { length: usize::from(*length), what: *length }
            }
            _ => Look::Differs,
        }
    }

    fn cut(framing: &mut Framing, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        framing.feed(bytes, look, &mut |_, message: &[u8]| messages.push(message.to_vec()));
        messages
    }

    const STREAM: &[u8] = &[0xaa, 3, 1, 0xaa, 4, 2, 2, 0xaa, 2, 0xaa, 5, 3, 3, 3];

    #[test]
    fn messages_are_the_same_however_the_stream_is_cut() {
        let whole = cut(&mut Framing::new(64), STREAM);
        assert_eq!(whole.len(), 4);
        for size in 1..STREAM.len() {
            let mut framing = Framing::new(64);
            let parts = STREAM.chunks(size).flat_map(|part| cut(&mut framing, part));
            assert_eq!(parts.collect::<Vec<_>>(), whole, "in parts of {size}");
        }
    }

    #[test]
    fn a_hole_inside_a_message_loses_only_that_message() {
        let mut framing = Framing::new(64);
        assert_eq!(cut(&mut framing, &STREAM[..5]).len(), 1);
        framing.gap(1, look);
        assert_eq!(cut(&mut framing, &STREAM[6..]).len(), 2);
    }

    #[test]
    fn a_message_beyond_the_room_is_skipped() {
        let mut framing = Framing::new(4);
        assert_eq!(cut(&mut framing, &[0xaa, 9, 0xaa, 3]), Vec::<Vec<u8>>::new());
        assert_eq!(cut(&mut framing, &[1, 0, 0, 0, 0, 0xaa, 2]), [[0xaa, 2]]);
    }

    #[test]
    fn foreign_bytes_are_dropped_until_a_stretch_begins_with_a_message() {
        let mut framing = Framing::new(64);
        assert!(cut(&mut framing, &[1, 2, 0xaa, 2]).is_empty());
        assert_eq!(cut(&mut framing, &[0xaa, 2]), [[0xaa, 2]]);
    }
}
