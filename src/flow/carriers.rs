//! The tunnels through which packets came, by their outer ends.
//!
//! What a tunnel carries is judged by the packets inside. Who ran the tunnel is kept here: a
//! governed host that ends one is worth a look, and the sequence numbers of a mirror tell what it
//! lost.

use std::collections::BTreeMap;

use crate::base::{Endpoint, IpProto, Merge, Timestamp};
use crate::capture::{FrameMeta, FrameRef};
use crate::decode::{Carrier, Outer};

/// Most tunnels that are told apart; see [`CarrierLog`].
const CARRIERS: usize = 4096;

/// One direction of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CarrierKey {
    /// Which kind.
    pub outer: Outer,
    /// Who sends, port 0: tunnels over UDP take their source port from the flow inside.
    pub source: Endpoint,
    /// Who receives, with the port of tunnels over UDP.
    pub destination: Endpoint,
    /// Protocol of the outer packets.
    pub protocol: IpProto,
    /// Network identifier, session, key or tunnel endpoint identifier; 0 when there is none.
    pub identifier: u32,
}

/// Place, time and sequence number of a packet of a tunnel.
type Passage = (FrameRef, Timestamp, Option<u32>);

/// What went through one direction of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarrierUse {
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames on the wire.
    pub frame_bytes: u64,
    /// Bytes of outer IP packets.
    pub ip_bytes: u64,
    /// The first packet.
    pub first: Passage,
    /// The last packet.
    pub last: Passage,
}

impl CarrierUse {
    /// Packets that are missing between the first and the last, by their sequence numbers
    /// (RFC 2890 section 2.2); 0 where the tunnel numbers nothing.
    pub fn lost(&self) -> u64 {
        match (self.first.2, self.last.2) {
            (Some(first), Some(last)) => {
                let sent = u64::from(last.wrapping_sub(first)) + 1;
                sent.saturating_sub(self.packets)
            }
            _ => 0,
        }
    }
}

impl CarrierUse {
    fn add(&mut self, other: CarrierUse) {
        let CarrierUse { packets, frame_bytes, ip_bytes, first, last } = other;
        self.packets += packets;
        self.frame_bytes += frame_bytes;
        self.ip_bytes += ip_bytes;
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }
}

/// The tunnels met.
///
/// The wire decides how many there are, so only the least 4096 are told apart; the packets of
/// the others are counted as lost detail. A tunnel that is kept at the end was kept from its
/// first packet on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CarrierLog {
    carriers: BTreeMap<CarrierKey, CarrierUse>,
    untold: u64,
}

impl CarrierLog {
    /// Notes a packet that came through a tunnel.
    pub fn note(&mut self, carrier: &Carrier, frame: &FrameMeta) {
        let key = CarrierKey {
            outer: carrier.outer,
            source: carrier.source.with_port(0),
            destination: carrier.destination,
            protocol: carrier.protocol,
            identifier: carrier.identifier,
        };
        let passage = (frame.source, frame.time, carrier.sequence);
        let passed = CarrierUse {
            packets: 1,
            frame_bytes: frame.original.into(),
            ip_bytes: carrier.ip_bytes.into(),
            first: passage,
            last: passage,
        };
        self.add(key, passed);
    }

    /// The same tunnels between other ends.
    pub fn with_ends(self, mut other: impl FnMut(Endpoint) -> Endpoint) -> CarrierLog {
        let CarrierLog { carriers, untold } = self;
        let mut changed = CarrierLog { carriers: BTreeMap::new(), untold };
        for (key, passed) in carriers {
            let (source, destination) = (other(key.source), other(key.destination));
            changed.add(CarrierKey { source, destination, ..key }, passed);
        }
        changed
    }

    /// Tunnels with what went through them, in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&CarrierKey, &CarrierUse)> {
        self.carriers.iter()
    }

    /// Packets whose tunnel is not told for want of room.
    pub fn untold(&self) -> u64 {
        self.untold
    }

    /// Whether no packet came through a tunnel.
    pub fn is_empty(&self) -> bool {
        self.carriers.is_empty()
    }

    fn add(&mut self, key: CarrierKey, passed: CarrierUse) {
        self.carriers.entry(key).and_modify(|kept| kept.add(passed)).or_insert(passed);
        if self.carriers.len() > CARRIERS
            && let Some((_, dropped)) = self.carriers.pop_last()
        {
            self.untold += dropped.packets;
        }
    }
}

impl Merge for CarrierLog {
    fn merge(&mut self, other: Self) {
        let CarrierLog { carriers, untold } = other;
        self.untold += untold;
        for (key, passed) in carriers {
            self.add(key, passed);
        }
    }
}
