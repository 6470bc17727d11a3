//! The law of the fold: for any cut of the packets, merging the parts evaluates to what the
//! whole evaluates to; and neither batch size nor the number of threads changes anything.

use portolan::base::{LinkType, Timestamp};
use portolan::capture::{FrameBatch, FrameMeta, FrameRef};
use portolan::engine::{Evaluated, Fold, Partial};
use proptest::prelude::*;

use crate::frames;

/// One packet of a generated stream.
#[derive(Clone, Debug)]
struct Packet {
    time: i64,
    frame: Vec<u8>,
}

/// Small address and port spaces make five-tuples meet often; long silences split them.
fn packets() -> impl Strategy<Value = Vec<Packet>> {
    let pause = prop_oneof![
        6 => 0_i64..2_000_000_000,
        2 => 100_000_000_000_i64..250_000_000_000,
        1 => -2_000_000_000_i64..0,
        1 => Just(90_000_000_000_000),
    ];
    let packet = (0_u8..6, 0_u8..3, 0_u8..3, 0_u16..3, 0_u32..3, any::<bool>(), 0_usize..4, pause);
    prop::collection::vec(packet, 1..60).prop_map(|steps| {
        let mut time = 1_700_000_000_000_000_000;
        let mut identification = 0;
        let mut packets = Vec::new();
        for (kind, source, destination, port, number, back, size, pause) in steps {
            time += pause;
            let hosts = ([10, 0, 0, 1 + source], [10, 0, 1, 1 + destination]);
            let ports = (40_000 + port, 88);
            let (hosts, ports) =
                if back { ((hosts.1, hosts.0), (ports.1, ports.0)) } else { (hosts, ports) };
            let payload = vec![0xab; size * 7];
            let flags =
                [0x02, 0x12, 0x10, 0x18, 0x11, 0x04][usize::from(port + u16::from(kind)) % 6];
            let frames = match kind {
                0..=2 => vec![frames::tcp(hosts, ports, number, number * 7, flags, &payload)],
                3 => vec![frames::udp(hosts, ports, &payload)],
                4 => {
                    identification += 1;
                    let mut parts = frames::fragmented_udp(hosts, ports, identification, 3);
                    parts.rotate_left(usize::from(port));
                    parts
                }
                _ => {
                    let cause = frames::udp(hosts, ports, &payload);
                    vec![frames::icmp_unreachable((hosts.1, hosts.0), &cause), frames::arp()]
                }
            };
            packets.extend(frames.into_iter().map(|frame| Packet { time, frame }));
        }
        packets
    })
}

fn batch(packets: &[Packet], first: usize) -> FrameBatch {
    let mut batch = FrameBatch::default();
    for (packet, index) in packets.iter().zip(first..) {
        batch.frames.push(FrameMeta {
            offset: batch.bytes.len(),
            captured: packet.frame.len() as u32,
            original: packet.frame.len() as u32,
            time: Timestamp::from_nanos(packet.time),
            source: FrameRef { ordinal: index as u64, input: 0, number: index as u64 + 1 },
            link: LinkType::ETHERNET,
            fcs_bytes: 0,
        });
        batch.bytes.extend_from_slice(&packet.frame);
    }
    batch
}

fn fold(
    hasher: &foldhash::fast::RandomState,
    packets: &[Packet],
    first: usize,
    batch_size: usize,
) -> Partial {
    let mut fold = Fold::new(hasher.clone(), u64::MAX);
    for (index, part) in packets.chunks(batch_size).enumerate() {
        fold.push(&[batch(part, first + index * batch_size)]);
    }
    fold.finish()
}

fn whole(packets: &[Packet], batch_size: usize) -> Evaluated {
    fold(&foldhash::fast::RandomState::default(), packets, 0, batch_size).evaluate()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_merges_to_the_whole(
        packets in packets(),
        cuts in prop::collection::vec(0.0_f64..1.0, 1..4),
        order in any::<prop::sample::Index>(),
    ) {
        let expected = whole(&packets, packets.len());
        let mut places: Vec<usize> =
            cuts.iter().map(|cut| (cut * packets.len() as f64) as usize).collect();
        places.extend([0, packets.len()]);
        places.sort_unstable();
        let hasher = foldhash::fast::RandomState::default();
        let mut parts: Vec<Partial> = places
            .windows(2)
            .map(|pair| fold(&hasher, &packets[pair[0]..pair[1]], pair[0], 16))
            .collect();
        // Neighbours join in any order: start anywhere, alternately to either side.
        let mut at = order.index(parts.len());
        let mut merged = parts.remove(at);
        while !parts.is_empty() {
            if at > 0 {
                at -= 1;
                let mut earlier = parts.remove(at);
                earlier.merge(merged);
                merged = earlier;
            }
            if at < parts.len() {
                merged.merge(parts.remove(at));
            }
        }
        prop_assert_eq!(merged.evaluate(), expected);
    }

    #[test]
    fn merging_is_commutative(packets in packets(), cut in 0.0_f64..1.0) {
        let hasher = foldhash::fast::RandomState::default();
        let at = (cut * packets.len() as f64) as usize;
        let parts = || {
            (fold(&hasher, &packets[..at], 0, 16), fold(&hasher, &packets[at..], at, 16))
        };
        let (mut early, late) = parts();
        early.merge(late);
        let (early_again, mut late_again) = parts();
        late_again.merge(early_again);
        prop_assert_eq!(early.evaluate(), late_again.evaluate());
    }

    #[test]
    fn batch_size_changes_nothing(packets in packets(), size in 1_usize..20) {
        prop_assert_eq!(whole(&packets, size), whole(&packets, packets.len()));
    }

    #[test]
    fn an_empty_part_is_the_identity(packets in packets()) {
        let hasher = foldhash::fast::RandomState::default();
        let mut left = Partial::new(hasher.clone());
        left.merge(fold(&hasher, &packets, 0, 16));
        let mut right = fold(&hasher, &packets, 0, 16);
        right.merge(Partial::new(hasher));
        let expected = whole(&packets, 16);
        prop_assert_eq!(left.evaluate(), expected.clone());
        prop_assert_eq!(right.evaluate(), expected);
    }

    #[test]
    fn every_packet_ends_in_one_class(packets in packets()) {
        let evaluated = whole(&packets, 16);
        let bytes: u64 = packets.iter().map(|packet| packet.frame.len() as u64).sum();
        let total = evaluated.accounting.total();
        prop_assert_eq!((total.packets, total.frame_bytes), (packets.len() as u64, bytes));
        let in_flows: u64 = evaluated.records.iter().map(|record| record.packets()).sum();
        let counted = evaluated.accounting.of(portolan::flow::Class::Flow).packets;
        prop_assert_eq!(in_flows, counted);
    }
}

#[test]
fn a_full_table_counts_what_it_cannot_hold() {
    let packets: Vec<Packet> = (0..100)
        .map(|index| Packet {
            time: 1_700_000_000_000_000_000 + i64::from(index),
            frame: frames::udp(([10, 0, 0, 1], [10, 0, 1, 1]), (40_000 + index as u16, 88), &[1]),
        })
        .collect();
    let hasher = foldhash::fast::RandomState::default();
    let mut fold = Fold::new(hasher, 30);
    for (index, part) in packets.chunks(10).enumerate() {
        fold.push(&[batch(part, index * 10)]);
    }
    let evaluated = fold.finish().evaluate();
    assert_eq!(evaluated.records.len(), 30);
    assert_eq!(evaluated.accounting.of(portolan::flow::Class::TableFull).packets, 70);
    assert_eq!(evaluated.accounting.total().packets, 100);
}
