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

impl CarrierKey {
    fn of(carrier: &Carrier) -> CarrierKey {
        CarrierKey {
            outer: carrier.outer,
            source: carrier.source.with_port(0),
            destination: carrier.destination,
            protocol: carrier.protocol,
            identifier: carrier.identifier,
        }
    }
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
    /// Those of the packets that count for flows of their own, because what they carried could
    /// not be read.
    pub own_flow: Amount,
}

/// Packets of a tunnel and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Packets.
    pub packets: u64,
    /// Bytes of whole frames on the wire.
    pub frame_bytes: u64,
    /// Bytes of outer IP packets.
    pub ip_bytes: u64,
}

impl Amount {
    fn of(carrier: &Carrier, frame: &FrameMeta) -> Amount {
        let (frame_bytes, ip_bytes) = (frame.original.into(), carrier.ip_bytes.into());
        Amount { packets: 1, frame_bytes, ip_bytes }
    }

    fn add(&mut self, other: Amount) {
        self.packets += other.packets;
        self.frame_bytes += other.frame_bytes;
        self.ip_bytes += other.ip_bytes;
    }
}

impl CarrierUse {
    /// What the packets carried that could be read, by the packets themselves.
    pub fn read(&self) -> Amount {
        let CarrierUse { packets, frame_bytes, ip_bytes, own_flow, .. } = *self;
        Amount {
            packets: packets.saturating_sub(own_flow.packets),
            frame_bytes: frame_bytes.saturating_sub(own_flow.frame_bytes),
            ip_bytes: ip_bytes.saturating_sub(own_flow.ip_bytes),
        }
    }

    /// Packets that are missing between the first and the last, by their sequence numbers
    /// (RFC 2890 section 2.2); 0 where the tunnel numbers nothing, or began to count anew.
    pub fn lost(&self, outer: Outer) -> u64 {
        let (Some(first), Some(last)) = (self.first.2, self.last.2) else { return 0 };
        let most = outer.last_sequence();
        let steps = last.wrapping_sub(first) & most;
        // Whoever is behind where it was has begun anew.
        if steps > most / 2 { 0 } else { (u64::from(steps) + 1).saturating_sub(self.packets) }
    }
}

impl CarrierUse {
    fn add(&mut self, other: CarrierUse) {
        let CarrierUse { packets, frame_bytes, ip_bytes, first, last, own_flow } = other;
        self.packets += packets;
        self.frame_bytes += frame_bytes;
        self.ip_bytes += ip_bytes;
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        self.own_flow.add(own_flow);
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
        let passage = (frame.source, frame.time, carrier.sequence);
        let Amount { packets, frame_bytes, ip_bytes } = Amount::of(carrier, frame);
        let passed = CarrierUse {
            packets,
            frame_bytes,
            ip_bytes,
            first: passage,
            last: passage,
            own_flow: Amount::default(),
        };
        self.add(CarrierKey::of(carrier), passed);
    }

    /// Notes that the packet noted last counts for a flow of its own.
    pub fn note_own_flow(&mut self, carrier: &Carrier, frame: &FrameMeta) {
        // A tunnel that found no room is not there, nor is what it carried.
        if let Some(kept) = self.carriers.get_mut(&CarrierKey::of(carrier)) {
            kept.own_flow.add(Amount::of(carrier, frame));
        }
    }

    /// Tunnels with what went through them, in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&CarrierKey, &CarrierUse)> {
        self.carriers.iter()
    }

    /// Packets that mirrors sent and the capture does not hold, by their sequence numbers.
    pub fn lost_by_mirrors(&self) -> u64 {
        let mirrors = self.carriers.iter().filter(|(key, _)| key.outer.is_mirror());
        mirrors.map(|(key, passed)| passed.lost(key.outer)).fold(0, u64::saturating_add)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A tunnel of so many packets, by the sequence numbers of the first and the last.
    fn lost(outer: Outer, first: u32, last: u32, packets: u64) -> u64 {
        let passage = |ordinal, sequence| {
            let source = FrameRef { ordinal, input: 0, number: ordinal + 1 };
            (source, Timestamp::from_nanos(0), Some(sequence))
        };
        let passed = CarrierUse {
            packets,
            frame_bytes: 0,
            ip_bytes: 0,
            first: passage(0, first),
            last: passage(packets - 1, last),
            own_flow: Amount::default(),
        };
        passed.lost(outer)
    }

    #[test]
    fn gaps_in_the_sequence_are_losses_and_a_new_count_is_none() {
        assert_eq!(lost(Outer::Erspan2, 7, 16, 10), 0);
        assert_eq!(lost(Outer::Erspan2, 7, 19, 10), 3);
        assert_eq!(lost(Outer::Erspan2, u32::MAX, 3, 3), 2);
        assert_eq!(lost(Outer::Erspan2, 1_000, 5, 300), 0, "a switch that began anew");
        assert_eq!(lost(Outer::GtpU, 65_535, 3, 3), 2, "16 bits");
        assert_eq!(lost(Outer::GtpU, 9, 2, 65_529), 0);
    }
}
