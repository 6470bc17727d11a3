//! One shard of the fold: the flows whose keys hash to it, and the packets among which their
//! copies are looked for. Shards share nothing, so each is updated on its own.

use super::routed::{Chunk, shard_of};
use crate::base::Merge;
use crate::decode::{FlowKey, Unit};
use crate::flow::{
    CopyCounts, CopyWindow, FlowTable, Found, GROUP, Packet, PacketCopy, Pushed, Room, Tally,
};

/// One shard.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    pub(super) table: FlowTable,
    pub(super) window: CopyWindow,
}

/// What updating one shard counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// Packets that are in flows.
    pub(super) in_flows: Tally,
    /// Packets whose flow found no room.
    pub(super) no_room: Tally,
    /// Packets that joined an older run for want of room.
    pub(super) blurred: Tally,
    /// Packets left out as copies.
    pub(super) copied: Tally,
    /// How the copies lay.
    pub(super) copies: CopyCounts,
}

impl Merge for Outcome {
    fn merge(&mut self, other: Self) {
        let Outcome { in_flows, no_room, blurred, copied, copies } = other;
        self.in_flows.merge(in_flows);
        self.no_room.merge(no_room);
        self.blurred.merge(blurred);
        self.copied.merge(copied);
        self.copies.merge(copies);
    }
}

impl Outcome {
    fn count(&mut self, unit: &Unit, pushed: Option<Pushed>) {
        match pushed {
            Some(Pushed::JoinedForWantOfRoom) => {
                self.in_flows.add(unit.frame_bytes, unit.source);
                self.blurred.add(unit.frame_bytes, unit.source);
            }
            Some(_) => self.in_flows.add(unit.frame_bytes, unit.source),
            None => self.no_room.add(unit.frame_bytes, unit.source),
        }
    }
}

impl Shard {
    /// An empty shard; see [`CopyWindow::new`].
    pub(super) fn new(copy_reach: u64) -> Self {
        Shard { table: FlowTable::default(), window: CopyWindow::new(copy_reach) }
    }

    /// A copy that shares the flows until one is changed.
    pub(super) fn snapshot(&mut self) -> Shard {
        Shard { table: self.table.snapshot(), window: self.window.clone() }
    }

    /// A copy with flows alone that were changed and not asked for since, about `most` of them,
    /// those that units in `new` will change among them. Answers the flows too that begin in `new`,
    /// in no order; some more than once.
    pub(super) fn changed<'a>(
        &mut self,
        new: impl Iterator<Item = &'a (u64, Unit)>,
        most: usize,
    ) -> (Shard, Vec<FlowKey>) {
        let begins = |(hash, unit): &&(u64, Unit)| !self.table.note_flow(*hash, &unit.key);
        let begun = new.filter(begins).map(|(_, unit)| unit.key).collect();
        (Shard { table: self.table.changed(most), window: self.window.clone() }, begun)
    }

    /// Adds the packets of shard `number` in arrival order; `late` are fragments that take their
    /// place among them. None has its place in an earlier batch.
    pub(super) fn update(
        &mut self,
        chunks: &[Chunk<'_>],
        number: usize,
        late: &[(u64, Found)],
        room: Room,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut late = late.iter().filter(|(hash, _)| shard_of(*hash) == number).peekable();
        for (chunk, group) in chunks.iter().flat_map(|chunk| chunk.groups(number)) {
            let copies = self.copies(group, &mut outcome);
            if late.peek().is_none() {
                let tell = |unit: &Unit, pushed| outcome.count(unit, pushed);
                self.table.push_group(group, &copies, |unit| chunk.packet(unit), room, tell);
                continue;
            }
            for (packet, copy) in group.iter().zip(&copies) {
                // One in the place of its first fragment comes right behind it.
                while let Some(fragment) = late.next_if(|(_, late)| late.source() < packet.1.source)
                {
                    self.push_fragment(fragment, room, &mut outcome);
                }
                self.push(packet.0, chunk.packet(&packet.1), *copy, room, &mut outcome);
            }
        }
        for fragment in late {
            self.push_fragment(fragment, room, &mut outcome);
        }
        outcome
    }

    fn push(
        &mut self,
        hash: u64,
        packet: Packet<'_>,
        copy: Option<PacketCopy>,
        room: Room,
        outcome: &mut Outcome,
    ) {
        match copy {
            Some(copy) => self.table.push_copy(hash, packet.unit, copy.original, room.grow),
            None => outcome.count(packet.unit, self.table.push(hash, packet, room)),
        }
    }

    /// Adds a later fragment to its flow, or the payload of the datagram that it completed.
    fn push_fragment(&mut self, (hash, found): &(u64, Found), room: Room, outcome: &mut Outcome) {
        match found {
            Found::Packet(unit) => {
                let packet = Packet { unit, payload: &[], wire: 0 };
                self.push(*hash, packet, None, room, outcome);
            }
            Found::Datagram(datagram) => self.table.read_datagram(*hash, datagram, room),
        }
    }

    /// Which packets of a group are copies.
    fn copies(
        &mut self,
        group: &[(u64, Unit)],
        outcome: &mut Outcome,
    ) -> [Option<PacketCopy>; GROUP] {
        let mut copies = [None; GROUP];
        for (hash, unit) in group {
            self.window.touch(*hash, unit.fingerprint);
        }
        for (copy, (hash, unit)) in copies.iter_mut().zip(group) {
            *copy = self.window.note(*hash, unit.fingerprint, unit.source.ordinal, unit.time);
            if let Some(copy) = copy {
                outcome.copied.merge(Tally::of(unit.frame_bytes, unit.source));
                outcome.copies.count(*copy);
            }
        }
        copies
    }

    /// Notes packets whose originals are not known yet.
    pub(super) fn prime(&mut self, units: &[(u64, Unit)]) {
        for (hash, unit) in units {
            let _ = self.window.note(*hash, unit.fingerprint, unit.source.ordinal, unit.time);
        }
    }
}
