//! SQL Server resolution protocol: the SQL Server browser (MC-SQLR section 2.2).
//!
//! Requests: `02` and `03`, one byte, ask for all instances; `04` and an instance name, ended by
//! 00, for one; `0F 01` and a name for its administrator connection. Answers start with `05`, then
//! the little-endian length of the rest: a text of names and values parted by semicolons from
//! `ServerName` on, or `06 00 01` with a port for `0F`. Strong: an answer whose length fits.
//!
//! An answer announces: `tcp;PORT` is where an instance listens (section 2.2.5).

use serde::{Deserialize, Serialize};

use super::Recogniser;
use super::announcement::{Announcement, Follower, Source, Trust};
use super::claim::Detail;
use super::details::Details;
use super::evidence::{Carriage, End};
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};

/// The recogniser of the SQL Server browser.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Ssrp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Ssrp, read).detailed(details);

/// Bytes of an instance name with its final zero byte (section 2.2.3).
const NAME: usize = 33;

/// Bytes before the text of an answer.
const ANSWER_HEADER: usize = 3;

const TEXT_START: &[u8] = b"ServerName;";

fn read(message: Message<'_>) -> Reading {
    match message.bytes {
        [] if message.is_cut() => Reading::OPEN,
        [0x02 | 0x03] if message.wire == 1 => Reading::weak(1).from(Role::Client).in_exchange(0),
        [0x04, name @ ..] => read_name(message, name),
        [0x0F, 0x01, name @ ..] => read_name(message, name),
        [0x05, rest @ ..] => read_answer(message, rest),
        _ => Reading::NO,
    }
}

fn read_name(message: Message<'_>, name: &[u8]) -> Reading {
    if name.len() > NAME || message.wire > NAME + 2 {
        return Reading::NO;
    }
    if message.is_cut() {
        return Reading::OPEN;
    }
    match name.split_last() {
        Some((0, text)) if !text.is_empty() && text.iter().all(|byte| *byte >= 0x20) => {
            Reading::weak(message.bytes.len()).from(Role::Client).in_exchange(0)
        }
        _ => Reading::NO,
    }
}

fn read_answer(message: Message<'_>, rest: &[u8]) -> Reading {
    let Some((length, text)) = rest.split_first_chunk() else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let length = usize::from(u16::from_le_bytes(*length));
    if let [0x01, _, _] = text
        && length == 6
        && message.wire == 6
    {
        return Reading::weak(6).from(Role::Server).in_exchange(0);
    }
    if length + ANSWER_HEADER != message.wire {
        return Reading::NO;
    }
    let known = text.len().min(TEXT_START.len());
    let starts = text.get(..known) == TEXT_START.get(..known);
    match starts {
        false => Reading::NO,
        true if known < TEXT_START.len() => Reading::OPEN,
        true => {
            let proof = ANSWER_HEADER + TEXT_START.len();
            Reading::strong(proof).from(Role::Server).in_exchange(0)
        }
    }
}

/// The fields of an answer, in order: names and values alternate.
fn fields(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    answer.get(ANSWER_HEADER..).unwrap_or_default().split(|byte| *byte == b';')
}

fn details(message: Message<'_>, details: &mut Details) {
    if message.bytes.first() != Some(&0x05) {
        return;
    }
    let mut fields = fields(message.bytes);
    while let Some(name) = fields.next() {
        let name = match name {
            b"ServerName" => "server-name",
            b"InstanceName" => "instance-name",
            b"Version" => "version",
            b"tcp" => "tcp-port",
            _ => continue,
        };
        details.add_text(name, fields.next().unwrap_or_default());
    }
}

/// Reads the answers of a browser for the ports of its instances. Each datagram stands for itself,
/// so nothing is kept.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct SsrpFollower;

impl Follower for SsrpFollower {
    fn feed(
        &mut self,
        end: End,
        bytes: &[u8],
        _at_message_start: bool,
        out: &mut dyn FnMut(Announcement),
    ) {
        let message = Message { bytes, wire: bytes.len() };
        if bytes.first() != Some(&0x05) || !read(message).is_possible() {
            return;
        }
        let mut fields = fields(bytes);
        let mut instance = None;
        while let Some(name) = fields.next() {
            match name {
                b"InstanceName" => instance = fields.next().map(named),
                b"tcp" => {
                    let port = fields.next().and_then(|port| std::str::from_utf8(port).ok());
                    let port = port.and_then(|port| port.parse().ok()).filter(|port| *port != 0);
                    if let Some(port) = port {
                        out(announced(end, port, instance.clone().flatten()));
                    }
                }
                _ => {}
            }
        }
    }

    fn gap(&mut self, _end: End, _missing: usize) {}

    fn weight(&self) -> usize {
        0
    }
}

/// The name of an instance as a detail.
fn named(name: &[u8]) -> Option<Detail> {
    let mut details = Details::default();
    details.add_text("instance-name", name);
    details.into_sorted().pop()
}

fn announced(by: End, port: u16, detail: Option<Detail>) -> Announcement {
    Announcement {
        protocol: Protocol::Tds,
        by,
        address: None,
        carriage: Carriage::Tcp,
        port,
        detail,
        source: Source::SqlBrowser,
        trust: Trust::Strong,
    }
}
