//! The order-free key of a flow.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::base::{Endpoint, IpProto};

/// Which way a packet travels between the two ordered ends of a [`FlowKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// From the lower end to the higher.
    AToB,
    /// From the higher end to the lower.
    BToA,
}

impl Direction {
    /// The other way.
    pub fn reverse(self) -> Self {
        match self {
            Direction::AToB => Direction::BToA,
            Direction::BToA => Direction::AToB,
        }
    }
}

/// The two ends of a five-tuple in ascending order, and the IP protocol.
///
/// VLAN identifiers and outer headers are not part of it: a mirror port shows the two
/// directions of one flow under different tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FlowKey {
    /// Addresses of the lower and the higher end.
    a: [u64; 2],
    b: [u64; 2],
    /// Port of the lower end from bit 24 on, of the higher end from bit 8 on, and the protocol.
    rest: u64,
}

impl Ord for FlowKey {
    /// By the lower end, then the higher, then the protocol.
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |key: &FlowKey| (key.a(), key.b(), key.protocol());
        parts(self).cmp(&parts(other))
    }
}

impl PartialOrd for FlowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FlowKey {
    /// The key of a packet from `source` to `destination`, and which way it travels.
    ///
    /// A packet from an endpoint to itself counts as [`Direction::AToB`].
    pub fn new(source: Endpoint, destination: Endpoint, protocol: IpProto) -> (Self, Direction) {
        // One comparison instead of one for each half.
        let place = |end: &Endpoint| {
            let [high, low] = end.address_words();
            (u128::from(high) << 64 | u128::from(low), end.port())
        };
        let (a, b, direction) = if place(&source) <= place(&destination) {
            (source, destination, Direction::AToB)
        } else {
            (destination, source, Direction::BToA)
        };
        let ports = u64::from(a.port()) << 16 | u64::from(b.port());
        let rest = ports << 8 | u64::from(protocol.0);
        (FlowKey { a: a.address_words(), b: b.address_words(), rest }, direction)
    }

    /// The IP protocol.
    pub fn protocol(&self) -> IpProto {
        IpProto(self.rest as u8)
    }

    /// The lower end.
    pub fn a(&self) -> Endpoint {
        Endpoint::from_words(self.a, (self.rest >> 24) as u16)
    }

    /// The higher end.
    pub fn b(&self) -> Endpoint {
        Endpoint::from_words(self.b, (self.rest >> 8) as u16)
    }

    /// The key as words, for hashing: every bit of it, and nothing else.
    pub fn words(&self) -> [u64; 5] {
        let ([a, b], [c, d]) = (self.a, self.b);
        [a, b, c, d, self.rest]
    }

    /// The end that sends in `direction`.
    pub fn sender(&self, direction: Direction) -> Endpoint {
        match direction {
            Direction::AToB => self.a(),
            Direction::BToA => self.b(),
        }
    }

    /// The end that receives in `direction`.
    pub fn receiver(&self, direction: Direction) -> Endpoint {
        self.sender(direction.reverse())
    }
}
