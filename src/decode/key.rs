//! The order-free key of a flow.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FlowKey {
    a: Endpoint,
    b: Endpoint,
    protocol: IpProto,
}

impl FlowKey {
    /// The key of a packet from `source` to `destination`, and which way it travels.
    ///
    /// A packet from an endpoint to itself counts as [`Direction::AToB`].
    pub fn new(source: Endpoint, destination: Endpoint, protocol: IpProto) -> (Self, Direction) {
        if source <= destination {
            (FlowKey { a: source, b: destination, protocol }, Direction::AToB)
        } else {
            (FlowKey { a: destination, b: source, protocol }, Direction::BToA)
        }
    }

    /// The IP protocol.
    pub fn protocol(&self) -> IpProto {
        self.protocol
    }

    /// The lower end.
    pub fn a(&self) -> Endpoint {
        self.a
    }

    /// The higher end.
    pub fn b(&self) -> Endpoint {
        self.b
    }

    /// The key as words, for hashing: every bit of it, and nothing else.
    pub fn words(&self) -> [u64; 5] {
        let ends = (u64::from(self.a.port()) << 16) | u64::from(self.b.port());
        let [a, b] = self.a.address_words();
        let [c, d] = self.b.address_words();
        [a, b, c, d, (ends << 8) | u64::from(self.protocol.0)]
    }

    /// The end that sends in `direction`.
    pub fn sender(&self, direction: Direction) -> Endpoint {
        match direction {
            Direction::AToB => self.a,
            Direction::BToA => self.b,
        }
    }

    /// The end that receives in `direction`.
    pub fn receiver(&self, direction: Direction) -> Endpoint {
        self.sender(direction.reverse())
    }
}
