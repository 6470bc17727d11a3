//! The tunnels through which packets came, by their outer ends.
//!
//! What a tunnel carries is judged by the packets inside. Who ran the tunnel is kept here: a
//! governed host that ends one is worth a look, and the sequence numbers of a mirror tell what it
//! lost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Endpoint, IpProto, Merge, Timestamp};
use crate::capture::{FrameMeta, FrameRef};
use crate::decode::{Carrier, Outer};

/// Most tunnels that are told apart; see [`CarrierLog`].
const CARRIERS: usize = 4096;

/// Most by which a sequence number may be behind that of the packet before, if it is that of a
/// late packet.
const LATE: i64 = 1024;

/// One direction of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Sequence numbers skipped between neighbours, less those made up for by late packets.
    skipped: i64,
}

/// Packets of a tunnel and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    fn of(carrier: &Carrier, frame: &FrameMeta) -> Self {
        let passage = (frame.source, frame.time, carrier.sequence);
        let Amount { packets, frame_bytes, ip_bytes } = Amount::of(carrier, frame);
        CarrierUse {
            packets,
            frame_bytes,
            ip_bytes,
            first: passage,
            last: passage,
            own_flow: Amount::default(),
            skipped: 0,
        }
    }

    /// Packets that are missing by their sequence numbers (RFC 2890 section 2.2); 0 where the
    /// tunnel numbers nothing.
    pub fn lost(&self) -> u64 {
        u64::try_from(self.skipped).unwrap_or(0)
    }

    fn add(&mut self, other: CarrierUse) {
        let (earlier, later) =
            if other.first < self.first { (&other, &*self) } else { (&*self, &other) };
        let skipped = skipped(earlier.last.2, later.first.2);
        let mut own_flow = self.own_flow;
        own_flow.add(other.own_flow);
        *self = CarrierUse {
            packets: self.packets + other.packets,
            frame_bytes: self.frame_bytes + other.frame_bytes,
            ip_bytes: self.ip_bytes + other.ip_bytes,
            first: earlier.first,
            last: later.last,
            own_flow,
            skipped: self.skipped + skipped + other.skipped,
        };
    }
}

/// Sequence numbers between those of two neighbours; less than none when the second is late. A
/// number that repeats is that of a copy, and one far behind begins the numbering anew.
fn skipped(one: Option<u32>, next: Option<u32>) -> i64 {
    let (Some(one), Some(next)) = (one, next) else { return 0 };
    match i64::from(next.wrapping_sub(one).cast_signed()) {
        0 => 0,
        step if step < -LATE => 0,
        step => step - 1,
    }
}

/// The tunnels met.
///
/// The wire decides how many there are, so only the least 4096 are told apart; the packets of
/// the others are counted as lost detail. A tunnel that is kept at the end was kept from its
/// first packet on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierLog {
    carriers: BTreeMap<CarrierKey, CarrierUse>,
    untold: u64,
}

impl CarrierLog {
    /// Notes a packet that came through a tunnel.
    pub fn note(&mut self, carrier: &Carrier, frame: &FrameMeta) {
        self.add(CarrierKey::of(carrier), CarrierUse::of(carrier, frame));
    }

    /// Notes that the packet noted last counts for a flow of its own.
    pub fn note_own_flow(&mut self, carrier: &Carrier, frame: &FrameMeta) {
        // A tunnel that found no room is not there, nor is what it carried.
        if let Some(kept) = self.carriers.get_mut(&CarrierKey::of(carrier)) {
            kept.own_flow.add(Amount::of(carrier, frame));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(numbers: &[u32], begin: u64) -> CarrierUse {
        let packets = (begin..).zip(numbers).map(|(ordinal, number)| {
            let source = FrameRef { ordinal, input: 0, number: ordinal + 1 };
            let passage = (source, Timestamp::default(), Some(*number));
            CarrierUse {
                packets: 1,
                frame_bytes: 0,
                ip_bytes: 0,
                first: passage,
                last: passage,
                own_flow: Amount::default(),
                skipped: 0,
            }
        });
        packets.reduce(joined).expect("a packet")
    }

    fn joined(mut one: CarrierUse, other: CarrierUse) -> CarrierUse {
        one.add(other);
        one
    }

    #[test]
    fn missing_sequence_numbers_are_lost_packets_however_the_stream_is_cut() {
        for (numbers, lost) in [
            (&[7][..], 0),
            (&[7, 8, 9], 0),
            (&[7, 9, 10, 14], 4),
            // Late packets are not lost, and neither are copies.
            (&[7, 9, 8, 10], 0),
            (&[7, 7, 8, 8, 10], 1),
            // A mirror that numbers all packets alike numbers nothing.
            (&[0, 0, 0], 0),
            // The numbers wrap, and the mirror begins anew.
            (&[u32::MAX - 1, u32::MAX, 1], 1),
            (&[500_000, 500_002, 0, 1, 3], 2),
        ] {
            let whole = passed(numbers, 0);
            assert_eq!(whole.lost(), lost, "{numbers:?}");
            for cut in 1..numbers.len() {
                let parts = || [passed(&numbers[..cut], 0), passed(&numbers[cut..], cut as u64)];
                let [one, other] = parts();
                assert_eq!(joined(one, other), whole, "{numbers:?} cut at {cut}");
                assert_eq!(joined(other, one), whole, "{numbers:?} cut at {cut}");
            }
        }
    }
}
