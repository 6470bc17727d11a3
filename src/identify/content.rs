//! What the payload of a flow told, once nothing more is read of it.
//!
//! In: the best claim, or the tracks of media. Out: [`Content`], which can be appended to, turned
//! round and stripped of names. Not here: how it was found out.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::claim::{Claim, Detail, Grade};
use super::evidence::{End, Evidence};
use super::follow::Announced;
use super::protocol::Protocol;
use super::rtp::Track;

/// Bytes of memory that one announcement takes, about.
pub(super) const ANNOUNCEMENT: usize = 192;

/// Bytes kept of those that show what is spoken.
pub(super) const SHOWN: usize = 24;

/// What a flow speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The protocol.
    pub protocol: Protocol,
    /// How sure that is.
    pub grade: Grade,
    /// The end that acts as the client, where content tells.
    pub client: Option<End>,
    /// Finer facts, sorted by name and value, at most sixteen.
    pub details: Box<[Detail]>,
    /// Who sent the bytes that show it, and the first of them; at most 24.
    pub shown: (End, Box<[u8]>),
}

/// What the payload of a flow tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What is spoken, if anything recognised it.
    pub identity: Option<Identity>,
    /// What the flow announced of others, with the times at which it did first and last.
    pub announced: Announced,
    /// Announcements for which there was no room.
    pub announcements_lost: u32,
    /// Whether payload was not read for want of room.
    pub unread: bool,
}

/// Facts that tell of a protocol and its versions, and never of a host or a person.
const NAMELESS: &[&str] = &[
    "application-protocol",
    "dialect",
    "interface",
    "interface-class",
    "interface-name",
    "message",
    "method",
    "object-calls",
    "part",
    "payload-type",
    "program",
    "ssrc",
    "start-tls",
    "transfer-syntax",
    "version",
];

impl Content {
    /// Replaces the addresses that were announced.
    pub fn replace_addresses(&mut self, mut other: impl FnMut(IpAddr) -> IpAddr) {
        let announced = std::mem::take(&mut self.announced).into_iter();
        self.announced = announced
            .map(|(mut announcement, times)| {
                announcement.address = announcement.address.map(&mut other);
                (announcement, times)
            })
            .collect();
    }

    /// Forgets every byte of payload, and every fact that may tell of a host or a person.
    pub fn forget_names(&mut self) {
        if let Some(identity) = &mut self.identity {
            let facts = std::mem::take(&mut identity.details).into_vec();
            identity.details =
                facts.into_iter().filter(|fact| NAMELESS.contains(&fact.name)).collect();
            identity.shown.1 = Box::default();
        }
        let announced = std::mem::take(&mut self.announced).into_iter();
        self.announced = announced
            .map(|(mut announcement, times)| {
                announcement.detail.take_if(|fact| !NAMELESS.contains(&fact.name));
                (announcement, times)
            })
            .collect();
    }

    /// Takes the one end of the flow for the other.
    pub fn swap_ends(&mut self) {
        if let Some(identity) = &mut self.identity {
            identity.client = identity.client.map(End::other);
            identity.shown.0 = identity.shown.0.other();
        }
        let announced = std::mem::take(&mut self.announced).into_iter();
        self.announced = announced
            .map(|(mut announcement, times)| {
                announcement.by = announcement.by.other();
                (announcement, times)
            })
            .collect();
    }

    /// Bytes of memory in use.
    pub(super) fn weight(&self) -> usize {
        let details = self.identity.iter().flat_map(|identity| identity.details.iter());
        let details: usize = details.map(|one| size_of::<Detail>() + one.value.len()).sum();
        size_of::<Content>() + details + self.announced.len() * ANNOUNCEMENT
    }

    /// Joins what the same flow showed later.
    pub(super) fn append(&mut self, later: Content) {
        let Content { identity, announced, announcements_lost, unread } = later;
        let grade = |identity: &Option<Identity>| identity.as_ref().map(|one| one.grade);
        if grade(&identity) > grade(&self.identity) {
            self.identity = identity;
        }
        for (announcement, (first, last)) in announced {
            let known = self.announced.entry(announcement).or_insert((first, last));
            *known = (first.min(known.0), last.max(known.1));
        }
        self.announcements_lost = self.announcements_lost.saturating_add(announcements_lost);
        self.unread |= unread;
    }
}

impl Identity {
    /// What a claim says, with the first of the bytes that show it.
    pub(super) fn of(claim: Claim, evidence: &Evidence<'_>) -> Self {
        let Claim { protocol, grade, client, proofs, details } = claim;
        let shown = proofs.first().map_or((End::A, Box::default()), |proof| {
            let piece = evidence.sent_by(proof.end).get(proof.piece);
            let bytes = piece.and_then(|piece| piece.bytes.get(proof.offset..)).unwrap_or_default();
            let length = proof.length.min(SHOWN);
            (proof.end, bytes.get(..length).unwrap_or(bytes).into())
        });
        Identity { protocol, grade, client, details: details.into(), shown }
    }

    /// Media, as the tracks of both ends show it; `end` is the one that shows it best.
    pub(super) fn of_media(end: End, grade: Grade, tracks: &[Track; 2]) -> Self {
        let mut details: Vec<Detail> = Vec::new();
        for source in tracks.iter().flat_map(Track::sources).filter(|one| one.is_stream()) {
            details.push(Detail { name: "ssrc", value: format!("{:08x}", source.ssrc()) });
            details.extend(
                source
                    .payload_types()
                    .iter()
                    .map(|kind| Detail { name: "payload-type", value: kind.to_string() }),
            );
        }
        details.sort();
        details.dedup();
        details.truncate(16);
        let shown = (end, Box::default());
        Identity { protocol: Protocol::Rtp, grade, client: None, details: details.into(), shown }
    }
}
