//! The message layout that DNS, mDNS, LLMNR and the NetBIOS name service share, and which of the
//! four a message is.
//!
//! In: one message. Out: its header, its first name, and whether its records add up to its
//! length. Not here: how sure that makes anybody; each of the four has its own file.
//!
//! Layout (RFC 1035 section 4.1, big-endian): 0 identifier · 2 flags (QR 8000, opcode 7800, AA
//! 0400, TC 0200, RD 0100, RA 0080, Z 0040, AD 0020, CD 0010, RCODE 000F) · 4 questions · 6
//! answers · 8 authority · 10 additional · 12 records: name, type, class, and outside the
//! question section TTL and length-prefixed data.

use super::reading::Message;
use crate::base::Cursor;

/// Bytes of the header.
pub(super) const HEADER: usize = 12;

const QR: u16 = 0x8000;
const AA: u16 = 0x0400;
const TC: u16 = 0x0200;

/// Longest name, and longest label (RFC 1035 section 2.3.4).
const NAME_BYTES: usize = 255;
const LABEL_BYTES: u8 = 63;

/// Types of NetBIOS records (RFC 1002 section 4.2.1.3).
const NB: u16 = 0x0020;
const NBSTAT: u16 = 0x0021;

/// The type that maps an address to a name.
const PTR: u16 = 12;

/// Bytes of an encoded NetBIOS name (RFC 1001 section 14.1).
pub(super) const ENCODED: usize = 32;

/// Which of the protocols with this layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Dns,
    Mdns,
    Llmnr,
    Nbns,
    /// A question for the name of an address and its answer, as iterating resolvers and hosts on
    /// the link put them.
    DnsOrLlmnr,
}

/// How the records compare with the length of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// They fill it.
    Whole,
    /// The capture ends among them.
    Cut,
    /// Bytes follow them.
    Trailing,
}

/// The first name of a message, and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct First<'a> {
    /// The name as sent: labels with their length bytes, without the final zero byte.
    pub(super) name: &'a [u8],
    /// Type of the record.
    pub(super) kind: u16,
    /// Class of the record, the top bit of mDNS included.
    pub(super) class: u16,
    /// Offset behind type and class.
    pub(super) end: usize,
}

/// A message that nothing speaks against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parsed<'a> {
    pub(super) id: u16,
    pub(super) flags: u16,
    /// Questions, answers, authority records, additional records.
    pub(super) counts: [u16; 4],
    /// The first record, when it was captured.
    pub(super) first: Option<First<'a>>,
    pub(super) extent: Extent,
    message: Message<'a>,
}

/// Reads a message. `None` when it cannot be one.
pub(super) fn parse<'a>(message: Message<'a>) -> Option<Parsed<'a>> {
    if message.wire < HEADER {
        return None;
    }
    let mut cursor = Cursor::new(message.bytes);
    let mut parsed =
        Parsed { id: 0, flags: 0, counts: [0; 4], first: None, extent: Extent::Cut, message };
    let header = (|| {
        parsed.id = cursor.u16_be()?;
        parsed.flags = cursor.u16_be()?;
        for count in &mut parsed.counts {
            *count = cursor.u16_be()?;
        }
        Some(())
    })();
    if header.is_none() {
        return Some(parsed);
    }
    parsed.walk(cursor)
}

/// Why a record could not be read.
enum Stop {
    /// The captured bytes end.
    End,
    /// It is not a record.
    Broken,
}

impl<'a> Parsed<'a> {
    /// Reads the records behind the header.
    fn walk(mut self, mut cursor: Cursor<'a>) -> Option<Self> {
        let questions = u32::from(self.counts[0]);
        let records: u32 = self.counts.iter().map(|count| u32::from(*count)).sum();
        for number in 0..records {
            match self.record(&mut cursor, number < questions) {
                Ok(first) => self.first = self.first.or(Some(first)),
                Err(Stop::End) if self.message.is_cut() => return Some(self),
                Err(_) => return None,
            }
        }
        self.extent = match cursor.position() {
            end if end == self.message.wire => Extent::Whole,
            _ => Extent::Trailing,
        };
        Some(self)
    }

    fn record(&self, cursor: &mut Cursor<'a>, question: bool) -> Result<First<'a>, Stop> {
        let start = cursor.position();
        let length = name(cursor)?;
        let mut head = Cursor::new(cursor.rest());
        let kind = head.u16_be().ok_or(Stop::End)?;
        let class = head.u16_be().ok_or(Stop::End)?;
        cursor.skip(4).ok_or(Stop::End)?;
        let end = cursor.position();
        if !question {
            cursor.skip(4).ok_or(Stop::End)?;
            let data = usize::from(cursor.u16_be().ok_or(Stop::End)?);
            if cursor.position().saturating_add(data) > self.message.wire {
                return Err(Stop::Broken);
            }
            cursor.skip(data).ok_or(Stop::End)?;
        }
        Ok(First { name: self.name_at(start, length), kind, class, end })
    }

    /// The bytes of a name that was read; empty once the first one is known.
    fn name_at(&self, start: usize, length: usize) -> &'a [u8] {
        match self.first {
            Some(_) => &[],
            None => self.message.bytes.get(start..start.saturating_add(length)).unwrap_or_default(),
        }
    }

    /// Whether it is an answer.
    pub(super) fn is_response(&self) -> bool {
        self.flags & QR != 0
    }

    /// The kind of operation (RFC 1035 section 4.1.1).
    pub(super) fn opcode(&self) -> u16 {
        self.flags >> 11 & 0x0F
    }

    /// The response code.
    pub(super) fn rcode(&self) -> u16 {
        self.flags & 0x0F
    }

    /// Which protocol of the family it is, as far as its content tells.
    pub(super) fn family(&self) -> Family {
        let Some(first) = self.first else { return Family::Dns };
        if is_encoded(first.name) && matches!(first.kind, NB | NBSTAT) {
            return Family::Nbns;
        }
        // Neither mDNS nor LLMNR asks for recursion, or sets what unicast resolvers set.
        if self.flags & !(QR | AA | TC) != 0 {
            return Family::Dns;
        }
        let multicast = is_link_local(first.name) || first.class & 0x8000 != 0;
        if self.id == 0 && multicast {
            return Family::Mdns;
        }
        let [questions, _, authority, additional] = self.counts;
        let alone = self.is_response() || authority == 0 && additional == 0;
        if questions != 1 || !alone {
            return Family::Dns;
        }
        if is_single_label(first.name) && asks_for_host(first.kind) {
            return Family::Llmnr;
        }
        if first.kind == PTR { Family::DnsOrLlmnr } else { Family::Dns }
    }

    /// What an answer shares with its question: identifier, name and type.
    pub(super) fn exchange(&self) -> Option<u64> {
        let first = self.first?;
        let mut hash = fnv(FNV_START, &self.id.to_be_bytes());
        for byte in first.name {
            hash = fnv(hash, &[byte.to_ascii_lowercase()]);
        }
        Some(fnv(hash, &first.kind.to_be_bytes()))
    }
}

/// Skips a name. Answers the bytes of its labels. A compression pointer must lead backwards
/// (RFC 1035 section 4.1.4); it is not followed.
fn name(cursor: &mut Cursor<'_>) -> Result<usize, Stop> {
    let start = cursor.position();
    loop {
        let at = cursor.position();
        let length = at - start;
        match cursor.u8().ok_or(Stop::End)? {
            0 => return Ok(length),
            label if label <= LABEL_BYTES => {
                cursor.skip(label.into()).ok_or(Stop::End)?;
                if cursor.position() - start >= NAME_BYTES {
                    return Err(Stop::Broken);
                }
            }
            high if high >= 0xC0 => {
                let low = cursor.u8().ok_or(Stop::End)?;
                let target = usize::from(high & 0x3F) << 8 | usize::from(low);
                return if (HEADER..at).contains(&target) { Ok(length) } else { Err(Stop::Broken) };
            }
            _ => return Err(Stop::Broken),
        }
    }
}

/// Whether a name starts with an encoded NetBIOS name: 32 letters from A to P.
pub(super) fn is_encoded(name: &[u8]) -> bool {
    name.first() == Some(&(ENCODED as u8))
        && name
            .get(1..=ENCODED)
            .is_some_and(|letters| letters.iter().all(|letter| (b'A'..=b'P').contains(letter)))
}

/// Whether a name belongs to the local link: it ends in `local`, or maps an address back, which
/// mDNS does for link-local addresses (RFC 6762 sections 3 and 4).
fn is_link_local(name: &[u8]) -> bool {
    let ends = |with: &[u8]| {
        name.len()
            .checked_sub(with.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(with))
    };
    ends(b"\x05local") || ends(b"\x04arpa")
}

fn is_single_label(name: &[u8]) -> bool {
    name.first().is_some_and(|label| usize::from(*label) + 1 == name.len())
}

/// A, AAAA or ANY, which is what hosts ask for over LLMNR.
fn asks_for_host(kind: u16) -> bool {
    matches!(kind, 1 | 28 | 255)
}

/// The labels of a name joined by dots.
pub(super) fn dotted(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len());
    let mut cursor = Cursor::new(name);
    while let Some(label) = cursor.u8().and_then(|length| cursor.take(length.into())) {
        if !text.is_empty() {
            text.push(b'.');
        }
        text.extend_from_slice(label);
    }
    text
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// Adds bytes to a Fowler-Noll-Vo hash (FNV-1a, 64 bits).
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
