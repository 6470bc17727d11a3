//! What a recogniser answers.

use serde::{Deserialize, Serialize};

use super::evidence::End;
use super::protocol::Protocol;
use crate::base::{Name, read_name};

/// How sure a claim is (D2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// A pattern of few bits: names the protocol where nothing else does, contradicts nothing.
    Weak,
    /// Magic and a length or structure check over at least six significant bytes.
    Strong,
    /// Two independent strong signs: both ends, a sequence of states, or several coherent
    /// messages.
    Confirmed,
}

/// The bytes that carried a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Who sent them.
    pub end: End,
    /// Index of the piece among those of that end.
    pub piece: usize,
    /// Offset in the piece.
    pub offset: usize,
    /// How many bytes.
    pub length: usize,
}

/// A finer fact about a recognised conversation, such as an interface UUID or a host name. Text
/// from the wire stands as it was sent: whoever shows it escapes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Detail {
    /// Stable name of the fact in kebab case, such as `interface`, `server-name`, `dialect`.
    #[serde(deserialize_with = "read_name")]
    pub name: Name,
    /// Its value, at most 255 bytes.
    pub value: String,
}

/// A protocol claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub protocol: Protocol,
    /// How sure.
    pub grade: Grade,
    /// The end that acts as the client, where content tells.
    pub client: Option<End>,
    /// The bytes that show it, the most telling first; at most four.
    pub proofs: Vec<Proof>,
    /// Finer facts, sorted by name and value, at most sixteen.
    pub details: Vec<Detail>,
}

/// What a recogniser makes of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is this protocol.
    Match(Claim),
    /// What is there fits or is too little; more bytes could tell.
    Undecided,
    /// It is not, and more bytes will not change that. Never because a packet was cut.
    No,
}
