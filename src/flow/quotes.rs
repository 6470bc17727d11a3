//! ICMP errors quote the packet that caused them: what they say belongs to the quoted flow and
//! never makes a flow of its own (D3.6).
//!
//! An error goes to the host that sent the quoted packet (RFC 792, RFC 4443 section 2.2). One
//! that goes elsewhere was made up, or quotes what a translator rewrote: it is only counted.
//! Errors are kept per five-tuple and direction, not per use of the five-tuple.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{IpProto, Merge, Timestamp, merge::least, merge::most};
use crate::capture::FrameRef;
use crate::decode::{Direction, FlowKey, Transport, Unit};

/// Most quoted five-tuples that are remembered.
const QUOTED_FLOWS: usize = 65_536;

/// What ICMP errors said of packets that one end had sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Error messages.
    pub messages: u64,
    /// Of them: administratively prohibited (ICMP type 3 codes 9, 10, 13; ICMPv6 type 1 codes
    /// 1, 5, 6).
    pub prohibited: u64,
    /// Of them: destination, protocol or port unreachable.
    pub unreachable: u64,
    /// The first message.
    pub source: Option<FrameRef>,
    /// Time of the first message.
    pub earliest: Option<Timestamp>,
    /// Time of the last message.
    pub latest: Option<Timestamp>,
}

impl Quote {
    fn of(unit: &Unit, kind: u8, code: u8) -> Quote {
        let v6 = unit.key.protocol() == IpProto::ICMPV6;
        let prohibited = if v6 {
            kind == 1 && matches!(code, 1 | 5 | 6)
        } else {
            kind == 3 && matches!(code, 9 | 10 | 13)
        };
        let unreachable = !prohibited && kind == if v6 { 1 } else { 3 };
        // Fragmentation needed (type 3 code 4) says nothing about reachability.
        let unreachable = unreachable && (v6 || code != 4);
        Quote {
            messages: 1,
            prohibited: u64::from(prohibited),
            unreachable: u64::from(unreachable),
            source: Some(unit.source),
            earliest: Some(unit.time),
            latest: Some(unit.time),
        }
    }
}

impl Merge for Quote {
    fn merge(&mut self, other: Self) {
        let Quote { messages, prohibited, unreachable, source, earliest, latest } = other;
        self.messages += messages;
        self.prohibited += prohibited;
        self.unreachable += unreachable;
        least(&mut self.source, source);
        least(&mut self.earliest, earliest);
        most(&mut self.latest, latest);
    }
}

/// What ICMP errors said, by quoted flow and the way the quoted packet travelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLog {
    quotes: BTreeMap<(FlowKey, Direction), Quote>,
    lost: u64,
    misdirected: u64,
}

impl QuoteLog {
    /// Errors that were counted as packets but whose quoted flow was not kept for want of room.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Errors that were counted as packets but went to another host than the one whose packet
    /// they quote.
    pub fn misdirected(&self) -> u64 {
        self.misdirected
    }

    /// Notes what an ICMP error quotes; other units are left alone.
    pub fn note(&mut self, unit: &Unit) {
        let (Transport::Icmp { kind, code }, Some(quoted)) = (unit.transport, unit.quoted()) else {
            return;
        };
        let (key, direction) = quoted;
        let receiver = unit.key.receiver(unit.direction);
        if receiver.address() == key.sender(direction).address() {
            self.add(quoted, Quote::of(unit, kind, code));
        } else {
            self.misdirected += 1;
        }
    }

    fn add(&mut self, quoted: (FlowKey, Direction), quote: Quote) {
        let full = self.quotes.len() >= QUOTED_FLOWS;
        match self.quotes.get_mut(&quoted) {
            Some(kept) => kept.merge(quote),
            None if full => self.lost += quote.messages,
            None => {
                self.quotes.insert(quoted, quote);
            }
        }
    }

    /// Gives up what was said last more than `keep` nanoseconds before `now`.
    pub fn forget(&mut self, now: Timestamp, keep: i64) {
        let recent = |latest| now.apart(latest) <= keep.unsigned_abs();
        self.quotes.retain(|_, quote| quote.latest.is_some_and(recent));
    }

    /// Takes out what was said of packets of `key` that travelled in `direction`.
    pub fn take(&mut self, key: &FlowKey, direction: Direction) -> Option<Quote> {
        self.quotes.remove(&(*key, direction))
    }

    /// What was said of some five-tuples.
    pub fn only(&self, wanted: impl Fn(&FlowKey) -> bool) -> QuoteLog {
        let quotes = self.quotes.iter().filter(|((key, _), _)| wanted(key));
        QuoteLog {
            quotes: quotes.map(|(quoted, quote)| (*quoted, *quote)).collect(),
            ..QuoteLog::default()
        }
    }

    /// What is left, in order of the five-tuple.
    pub fn into_rest(self) -> impl Iterator<Item = ((FlowKey, Direction), Quote)> {
        self.quotes.into_iter()
    }
}

impl Merge for QuoteLog {
    fn merge(&mut self, other: Self) {
        let QuoteLog { quotes, lost, misdirected } = other;
        self.lost += lost;
        self.misdirected += misdirected;
        for (quoted, quote) in quotes {
            self.add(quoted, quote);
        }
    }
}
