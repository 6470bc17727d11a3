//! Session initiation protocol (RFC 3261 section 7), over UDP and TCP.
//!
//! A request starts with `METHOD SP URI SP SIP/2.0 CRLF`, a response with `SIP/2.0 ddd reason
//! CRLF`. Header lines follow up to an empty line, then a body of the length that
//! `Content-Length` (short `l`) gives. Line ends and zero bytes between messages keep a path open
//! (RFC 5626 section 3.5.1) and say nothing. Strong: one start line, or as much of it as the
//! capture left if that is method and scheme of the address.
//!
//! [`SipFollower`] finds where media are to be received, in bodies that describe a session (`sdp`).

use serde::{Deserialize, Serialize};

use super::Recogniser;
use super::announcement::{Announcement, Follower};
use super::details::Details;
use super::evidence::{Carriage, End};
use super::header_lines::header;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use super::sdp;

/// The recogniser of SIP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Sip,
    carriage: &[Carriage::Tcp, Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Sip, read).framed(frame).detailed(details);

const VERSION: &[u8] = b"SIP/2.0";

/// Methods of RFC 3261, 3262, 3311, 3428, 3515, 3903, 6086 and 6665.
const METHODS: [&[u8]; 14] = [
    b"INVITE",
    b"ACK",
    b"BYE",
    b"CANCEL",
    b"OPTIONS",
    b"REGISTER",
    b"PRACK",
    b"UPDATE",
    b"INFO",
    b"SUBSCRIBE",
    b"NOTIFY",
    b"REFER",
    b"MESSAGE",
    b"PUBLISH",
];

/// Longest name of a method that is believed.
const LONGEST_METHOD: usize = 20;

/// Longest datagram that is taken for a keepalive.
const KEEPALIVE: usize = 8;

/// How many bytes between messages the bytes start with.
fn filling(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count()
}

fn read(message: Message<'_>) -> Reading {
    let skipped = filling(message.bytes);
    let bytes = message.bytes.get(skipped..).unwrap_or_default();
    if bytes.is_empty() {
        let neutral = message.is_cut() || message.wire <= KEEPALIVE;
        return if neutral { Reading::OPEN } else { Reading::NO };
    }
    let reading = read_start(bytes, message.is_cut());
    Reading { proof: reading.proof + skipped, ..reading }
}

/// Reads the start of a message without what stands before it.
fn read_start(bytes: &[u8], cut: bool) -> Reading {
    if bytes.first().is_some_and(|first| !first.is_ascii_graphic()) {
        return Reading::NO;
    }
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let complete = line.len() < bytes.len();
    if let Some(rest) = line.strip_prefix(VERSION) {
        return read_status(rest, complete, cut);
    }
    let is_start = |of: &[u8]| of.starts_with(line) && !complete && cut;
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    let Some(target) = words.next() else {
        let possible = is_start(VERSION) || line.iter().all(u8::is_ascii_uppercase) && cut;
        let possible = possible && !complete && line.len() <= LONGEST_METHOD;
        return if possible { Reading::OPEN } else { Reading::NO };
    };
    let known = METHODS.contains(&method);
    if !is_token(method) {
        return Reading::NO;
    }
    let request = |proof| Reading::strong(proof).from(Role::Client);
    if complete {
        let ends = target.strip_suffix(VERSION).and_then(|uri| uri.strip_suffix(b" "));
        let addressed = ends.is_some_and(|uri| uri.contains(&b':') && !uri.contains(&b' '));
        return if addressed { request(line.len()) } else { Reading::NO };
    }
    match cut {
        true if known && has_scheme(target) => request(line.len()),
        true => Reading::OPEN,
        false => Reading::NO,
    }
}

/// Reads what follows the version in a response.
fn read_status(rest: &[u8], complete: bool, cut: bool) -> Reading {
    match rest {
        [b' ', b'1'..=b'6', b'0'..=b'9', b'0'..=b'9']
        | [b' ', b'1'..=b'6', b'0'..=b'9', b'0'..=b'9', b' ', ..] => {
            Reading::strong(VERSION.len() + 4).from(Role::Server)
        }
        _ if rest.len() < 4 && !complete && cut => Reading::OPEN,
        _ => Reading::NO,
    }
}

/// A method: capital letters, or of an extension.
fn is_token(method: &[u8]) -> bool {
    (3..=LONGEST_METHOD).contains(&method.len()) && method.iter().all(u8::is_ascii_uppercase)
}

/// Whether the address is of a kind that SIP asks for (RFC 3261 section 19, RFC 3966).
fn has_scheme(target: &[u8]) -> bool {
    [b"sip:".as_slice(), b"sips:", b"tel:"].iter().any(|scheme| {
        target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// A header of a message: where it ends, and the length of the body if it tells.
struct Head {
    end: usize,
    body: Option<usize>,
}

/// Reads the header lines of a message; `None` when they are not complete.
fn head(bytes: &[u8]) -> Option<Head> {
    let mut body = None;
    let mut end = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        let text = line.strip_suffix(b"\n")?;
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            return Some(Head { end, body });
        }
        if let Some(value) = header(text, "content-length").or_else(|| header(text, "l")) {
            body = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
        }
    }
    None
}

/// The messages of a stream.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let before = filling(bytes);
    let bytes = bytes.get(before..).filter(|bytes| !bytes.is_empty())?;
    match head(bytes) {
        Some(Head { end, body }) => Some((before, end.saturating_add(body.unwrap_or(0)))),
        // The length is not known yet: longer than what there is.
        None => Some((before, bytes.len() + 1)),
    }
}

fn details(message: Message<'_>, details: &mut Details) {
    for name in ["user-agent", "server"] {
        if let Some(value) = header(message.bytes, name) {
            details.add_text(name, value);
        }
    }
}

/// Bytes of a message that are kept until it is complete.
const ROOM: usize = 16 * 1024;

/// Reads the messages of both ends for the media that they announce.
///
/// After a gap that does not lie within one message the next start line is looked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SipFollower {
    a: Unfinished,
    b: Unfinished,
}

impl SipFollower {
    fn of(&mut self, end: End) -> &mut Unfinished {
        match end {
            End::A => &mut self.a,
            End::B => &mut self.b,
        }
    }
}

impl Follower for SipFollower {
    fn feed(
        &mut self,
        end: End,
        bytes: &[u8],
        at_message_start: bool,
        out: &mut dyn FnMut(Announcement),
    ) {
        let unfinished = self.of(end);
        if at_message_start {
            *unfinished = Unfinished::default();
        }
        unfinished.feed(end, bytes, out);
    }

    fn gap(&mut self, end: End, missing: usize) {
        self.of(end).lose(missing);
    }

    fn weight(&self) -> usize {
        self.a.kept.capacity() + self.b.kept.capacity()
    }
}

/// The unfinished message of one end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Unfinished {
    kept: Vec<u8>,
    /// Bytes to pass over: the rest of a message that is too long to keep, or lost.
    skip: usize,
}

impl Unfinished {
    fn feed(&mut self, end: End, bytes: &[u8], out: &mut dyn FnMut(Announcement)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let skipped = self.skip.min(rest.len());
            self.skip -= skipped;
            rest = rest.get(skipped..).unwrap_or_default();
            let room = ROOM.saturating_sub(self.kept.len()).min(rest.len());
            let (taken, left) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.kept.extend_from_slice(taken);
            rest = left;
            let used = self.read(end, out);
            self.kept.drain(..used.min(self.kept.len()));
            if self.kept.len() >= ROOM {
                self.kept.clear();
            }
        }
    }

    /// Some bytes were not captured: what was kept will not be finished.
    fn lose(&mut self, missing: usize) {
        let expected = head(&self.kept).map_or(0, |Head { end, body }| {
            end.saturating_add(body.unwrap_or(0)).saturating_sub(self.kept.len())
        });
        self.kept.clear();
        self.skip = self.skip.saturating_add(expected).saturating_sub(missing);
    }

    /// Reads the complete messages at hand. Answers how many bytes are done with.
    fn read(&mut self, by: End, out: &mut dyn FnMut(Announcement)) -> usize {
        let mut at = 0;
        loop {
            let rest = self.kept.get(at..).unwrap_or_default();
            at += filling(rest);
            let rest = self.kept.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return at;
            }
            if !read_start(rest, true).is_possible() {
                match rest.iter().position(|byte| *byte == b'\n') {
                    Some(line) => at += line + 1,
                    None => return self.kept.len(),
                }
                continue;
            }
            let Some(Head { end, body }) = head(rest) else { return at };
            let available = rest.get(end..).unwrap_or_default();
            // Without a length the body ends with the datagram.
            let length = body.unwrap_or(available.len());
            let Some(body) = available.get(..length) else {
                if end.saturating_add(length) > ROOM {
                    self.skip = length - available.len();
                    sdp::announce(by, available, out);
                    return self.kept.len();
                }
                return at;
            };
            sdp::announce(by, body, out);
            at += end + length;
        }
    }
}
