//! Follows a control connection over its whole life for what it announces, and a call for fax.
//!
//! In: segments or datagrams in order of arrival. Each end's stream is put in order, within a
//! bound, before its [`Follower`] reads it. Out: what was announced, and when first and last.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use super::announcement::{Announcement, Follower};
use super::content::{ANNOUNCEMENT, Content};
use super::dcerpc::RpcFollower;
use super::evidence::{Carriage, End};
use super::ftp::FtpFollower;
use super::head::Arrival;
use super::protocol::Protocol;
use super::sccp::SccpFollower;
use super::sip::SipFollower;
use super::ssrp::SsrpFollower;
use super::t38::FaxWatch;
use crate::base::Timestamp;

/// Announcements kept of one connection.
const ANNOUNCEMENTS: usize = 1024;

/// Segments, and bytes of them, that wait for one that should come before, and for how long in
/// nanoseconds of capture time (D2.1 rule 5).
const WAITING: usize = 32;
const WAITING_BYTES: usize = 1 << 16;
const PATIENCE: i64 = 2_000_000_000;

/// When something was announced first and last.
pub type Announced = BTreeMap<Announcement, (Timestamp, Timestamp)>;

/// What reads the connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Reader {
    Rpc(Box<RpcFollower>),
    Sccp(Box<SccpFollower>),
    Sip(Box<SipFollower>),
    Ftp(Box<FtpFollower>),
    Ssrp(SsrpFollower),
    /// Speech, which may turn to fax.
    Media(Box<FaxWatch>),
}

impl Reader {
    fn follower(&mut self) -> &mut dyn Follower {
        match self {
            Reader::Rpc(follower) => follower.as_mut(),
            Reader::Sccp(follower) => follower.as_mut(),
            Reader::Sip(follower) => follower.as_mut(),
            Reader::Ftp(follower) => follower.as_mut(),
            Reader::Ssrp(follower) => follower,
            Reader::Media(follower) => follower.as_mut(),
        }
    }

    /// Bytes of memory in use.
    fn weight(&self) -> usize {
        match self {
            Reader::Rpc(follower) => size_of::<RpcFollower>() + follower.weight(),
            Reader::Sccp(follower) => size_of::<SccpFollower>() + follower.weight(),
            Reader::Sip(follower) => size_of::<SipFollower>() + follower.weight(),
            Reader::Ftp(follower) => size_of::<FtpFollower>() + follower.weight(),
            Reader::Ssrp(follower) => follower.weight(),
            Reader::Media(follower) => size_of::<FaxWatch>() + follower.weight(),
        }
    }
}

/// A connection that is followed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Followed {
    reader: Reader,
    carriage: Carriage,
    streams: [Stream; 2],
    announced: Announced,
    /// Announcements for which there was no room.
    lost: u32,
}

/// What one end sent of a stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Stream {
    /// Sequence number of the next byte to read.
    next: Option<u32>,
    waiting: Vec<Waiting>,
}

/// A segment that came too early.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    sequence: u32,
    bytes: Vec<u8>,
    wire: u32,
    time: Timestamp,
}

impl Followed {
    /// Follows a connection of a protocol that announces, or that may become another; `None` for
    /// all others.
    pub(super) fn new(protocol: Protocol, carriage: Carriage) -> Option<Self> {
        let reader = match (protocol, carriage) {
            (Protocol::DceRpc, Carriage::Tcp) => Reader::Rpc(Box::default()),
            (Protocol::Skinny, _) => Reader::Sccp(Box::default()),
            (Protocol::Sip, _) => Reader::Sip(Box::default()),
            (Protocol::Ftp, _) => Reader::Ftp(Box::default()),
            (Protocol::Ssrp, _) => Reader::Ssrp(SsrpFollower),
            (Protocol::Rtp, Carriage::Udp) => Reader::Media(Box::default()),
            _ => return None,
        };
        let streams = Default::default();
        Some(Followed { reader, carriage, streams, announced: Announced::new(), lost: 0 })
    }

    /// Reads the next arrival of one end; `start` is where its stream began, if that is known.
    pub(super) fn read(&mut self, end: End, arrival: Arrival<'_>, start: Option<u32>) {
        if self.carriage == Carriage::Udp {
            let missing = (arrival.wire as usize).saturating_sub(arrival.bytes.len());
            self.feed(end, arrival.bytes, true, arrival.time);
            return self.gap(end, missing);
        }
        let stream = self.stream(end);
        let next = *stream.next.get_or_insert(start.unwrap_or(arrival.sequence));
        let ahead = arrival.sequence.wrapping_sub(next) as i32;
        if ahead > 0 {
            let Arrival { sequence, bytes, wire, time, joined: _ } = arrival;
            stream.waiting.push(Waiting { sequence, bytes: bytes.to_vec(), wire, time });
            return self.give_up(end, time);
        }
        self.take(end, arrival, start.unwrap_or(arrival.sequence));
        self.drain(end);
    }

    /// Reads a segment that does not lie ahead. `start` is the sequence number at which the first
    /// message begins.
    fn take(&mut self, end: End, arrival: Arrival<'_>, start: u32) {
        let stream = self.stream(end);
        let next = stream.next.unwrap_or(arrival.sequence);
        let known = next.wrapping_sub(arrival.sequence) as usize;
        let wire = arrival.wire as usize;
        if known >= wire {
            return;
        }
        stream.next = Some(arrival.sequence.wrapping_add(arrival.wire));
        let fresh = arrival.bytes.get(known..).unwrap_or_default();
        self.feed(end, fresh, next == start, arrival.time);
        // What a stored fold says of a segment need not add up.
        self.gap(end, wire.saturating_sub(known + fresh.len()));
    }

    /// Reads what waited and now follows.
    fn drain(&mut self, end: End) {
        loop {
            let stream = self.stream(end);
            let Some(next) = stream.next else { return };
            let follows = |one: &Waiting| one.sequence.wrapping_sub(next) as i32 <= 0;
            let Some(place) = stream.waiting.iter().position(follows) else { return };
            let one = stream.waiting.remove(place);
            let Waiting { sequence, ref bytes, wire, time } = one;
            // No message is known to begin here.
            let start = next.wrapping_sub(1);
            self.take(end, Arrival { sequence, bytes, wire, time, joined: false }, start);
        }
    }

    /// Reads on behind a hole when too much waits for it, or for too long.
    fn give_up(&mut self, end: End, now: Timestamp) {
        let waiting = &self.stream(end).waiting;
        let bytes: usize = waiting.iter().map(|one| one.bytes.len()).sum();
        let oldest = waiting.iter().map(|one| one.time).min();
        let late = oldest.is_some_and(|oldest| now.since(oldest) > PATIENCE);
        if waiting.len() > WAITING || bytes > WAITING_BYTES || late {
            self.skip_hole(end);
        }
    }

    fn skip_hole(&mut self, end: End) {
        let stream = self.stream(end);
        let Some(next) = stream.next else { return };
        let nearest = stream.waiting.iter().map(|one| one.sequence.wrapping_sub(next)).min();
        let Some(missing) = nearest else { return };
        stream.next = Some(next.wrapping_add(missing));
        self.gap(end, missing as usize);
        self.drain(end);
    }

    /// Whether it is media, of which nothing matters that cannot [be fax](super::t38::may_be).
    pub(super) fn is_media(&self) -> bool {
        matches!(self.reader, Reader::Media(_))
    }

    /// Bytes of memory in use beside the struct itself.
    pub(super) fn weight(&self) -> usize {
        let waiting = self.streams.iter().flat_map(|stream| &stream.waiting);
        let waiting: usize = waiting.map(|one| size_of::<Waiting>() + one.bytes.len()).sum();
        let announced = self.announced.len() * ANNOUNCEMENT;
        size_of::<Followed>() + self.reader.weight() + waiting + announced
    }

    /// Ends the connection: reads what still waits, and adds what was learnt.
    pub(super) fn finish(mut self, content: &mut Content) {
        for end in [End::A, End::B] {
            while !self.stream(end).waiting.is_empty() {
                self.skip_hole(end);
            }
        }
        content.announced = self.announced;
        content.announcements_lost = self.lost;
        let Some(identity) = &mut content.identity else { return };
        match &self.reader {
            Reader::Rpc(follower) => {
                let mut details = follower.details();
                details.extend(std::mem::take(&mut identity.details));
                identity.details = details.into_sorted().into();
            }
            Reader::Media(watch) => {
                if let Some((grade, end, bytes)) = watch.found() {
                    identity.protocol = Protocol::T38;
                    identity.grade = grade;
                    identity.shown = (end, bytes.into());
                }
            }
            _ => {}
        }
    }

    fn stream(&mut self, end: End) -> &mut Stream {
        let [a, b] = &mut self.streams;
        match end {
            End::A => a,
            End::B => b,
        }
    }

    fn feed(&mut self, end: End, bytes: &[u8], at_message_start: bool, time: Timestamp) {
        let Followed { reader, announced, lost, .. } = self;
        reader.follower().feed(end, bytes, at_message_start, &mut |announcement| {
            let room = announced.len() < ANNOUNCEMENTS;
            match announced.entry(announcement) {
                Entry::Occupied(mut known) => {
                    let (first, last) = known.get_mut();
                    (*first, *last) = (time.min(*first), time.max(*last));
                }
                Entry::Vacant(new) if room => {
                    new.insert((time, time));
                }
                Entry::Vacant(_) => *lost = lost.saturating_add(1),
            }
        });
    }

    fn gap(&mut self, end: End, missing: usize) {
        if missing > 0 {
            self.reader.follower().gap(end, missing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stored fold may say that a segment is shorter than the bytes it brings.
    #[test]
    fn a_segment_with_more_bytes_than_it_claims_is_read() {
        let mut followed = Followed::new(Protocol::Sip, Carriage::Tcp).expect("SIP announces");
        let bytes: &[u8] = b"OPTIONS sip:a SIP/2.0\r\n\r\n";
        let time = Timestamp::default();
        let segment = Arrival { sequence: 1, bytes, wire: 5, time, joined: false };
        followed.read(End::A, segment, Some(1));
        assert_eq!(followed.stream(End::A).next, Some(6));
    }
}
