//! The law of the fold: for any cut of the packets, merging the parts evaluates to what the
//! whole evaluates to; and neither batch size nor the number of threads changes anything.

mod stored;

use portolan::base::{LinkType, Timestamp};
use portolan::capture::{FrameBatch, FrameMeta, FrameRef, Hashing, Inputs};
use portolan::engine::{Evaluated, Fold, Partial};
use proptest::prelude::*;

use crate::capture::corpus_folder;
use crate::frames;
use crate::sites::Numbers;

/// One packet of a generated stream.
#[derive(Clone, Debug)]
struct Packet {
    time: i64,
    frame: Vec<u8>,
}

/// What happens next in a generated stream.
#[derive(Clone, Debug)]
struct Step {
    kind: u8,
    ends: (u8, u8, u16),
    back: bool,
    sequence: u32,
    acknowledgement: u32,
    flags: u8,
    length: usize,
    /// Nanoseconds since the step before.
    pause: i64,
    /// Nanoseconds by which the packet is late in the stream.
    late: i64,
    pick: usize,
}

/// Small spaces of addresses, ports and sequence numbers make five-tuples and their SYNs meet
/// often; pauses lie around the times after which fragments, SYNs and runs part.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause = prop_oneof![
        8 => 0_i64..2_000_000_000,
        6 => prop::sample::select(vec![0, 10_000, 999_999, 1_000_001, 30_000_000, 50_000_001]),
        2 => 20_000_000_000_i64..40_000_000_000,
        1 => prop::sample::select(vec![30_000_000_000, 30_000_000_001, 32_000_000_000]),
        2 => 100_000_000_000_i64..250_000_000_000,
        1 => Just(90_000_000_000_000),
    ];
    let late = prop_oneof![4 => Just(0), 1 => 0_i64..=2_000_000_000, 1 => 0_i64..5];
    let flags = prop::sample::select(vec![0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0, 0x29, 6]);
    let number = || prop_oneof![12 => 0_u32..3, 1 => Just(1 << 27), 1 => Just(1 << 30)];
    let tcp = (number(), number(), flags, 0_usize..4);
    let ends = (0_u8..2, 0_u8..2, 0_u16..2);
    let step = (0_u8..9, ends, any::<bool>(), tcp, pause, late, 0_usize..12).prop_map(
        |(kind, ends, back, tcp, pause, late, pick)| {
            let (sequence, acknowledgement, flags, length) = tcp;
            Step { kind, ends, back, sequence, acknowledgement, flags, length, pause, late, pick }
        },
    );
    prop::collection::vec(step, 1..60)
}

/// Streams of TCP, UDP, ICMP errors, copies, and fragments that are spread over time, mixed and
/// in any order.
fn packets() -> impl Strategy<Value = Vec<Packet>> {
    steps().prop_map(|steps| {
        let mut time = 1_700_000_000_000_000_000;
        let mut identification = 0;
        let mut held: Vec<Vec<u8>> = Vec::new();
        let mut copied = frames::arp();
        let mut packets = Vec::new();
        for step in steps {
            time += step.pause;
            let (source, destination, port) = step.ends;
            let hosts = ([10, 0, 0, 1 + source], [10, 0, 1, 1 + destination]);
            let ports = (40_000 + port, 88);
            let (hosts, ports) =
                if step.back { ((hosts.1, hosts.0), (ports.1, ports.0)) } else { (hosts, ports) };
            let payload = vec![0xab; step.length];
            let Step { sequence, acknowledgement, flags, .. } = step;
            let tcp = frames::tcp(hosts, ports, sequence, acknowledgement, flags, &payload);
            let mut frames = match step.kind {
                0..=2 => vec![tcp],
                3 => vec![frames::udp(hosts, ports, &payload)],
                4 => {
                    identification += 1;
                    held.extend(if step.pick % 2 == 0 {
                        frames::fragmented_udp(hosts, ports, identification, 3)
                    } else {
                        let invite = frames::invite([192, 0, 2, step.pick as u8], step.sequence);
                        let size = 8 * (10 + step.length as u16 * 4);
                        frames::fragments_of(hosts, ports, identification, &invite, size)
                    });
                    vec![]
                }
                5 => {
                    let receiver = if step.pick == 0 { [192, 0, 2, 1] } else { hosts.0 };
                    vec![frames::icmp_unreachable((hosts.1, receiver), &tcp), frames::arp()]
                }
                6 => {
                    // The copy of a packet, or what a router made of it.
                    copied[22] = copied[22].wrapping_sub((step.pick % 2) as u8);
                    vec![copied.clone(); 1 + step.pick % 3]
                }
                _ => vec![],
            };
            if let 0..=3 = step.kind {
                copied.clone_from(&frames[0]);
            }
            if !held.is_empty() {
                frames.push(held.remove(step.pick % held.len()));
            }
            let time = time - step.late;
            packets.extend(frames.into_iter().map(|frame| Packet { time, frame }));
        }
        packets.push(Packet { time, frame: frames::arp() });
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
            stored_at: 0,
            interface: 0,
            link: LinkType::ETHERNET,
            fcs_bytes: 0,
        });
        batch.bytes.extend_from_slice(&packet.frame);
    }
    batch
}

/// Distances in packets at which copies are looked for: none at all, so near that the lead of a
/// part ends within it, and so far that a part is nothing but lead.
const REACHES: [u64; 5] = [0, 1, 2, 5, 2048];

fn fold(
    hasher: &foldhash::fast::RandomState,
    packets: &[Packet],
    first: usize,
    batch_size: usize,
    reach: u64,
) -> Partial {
    let mut fold = Fold::with_reach(hasher.clone(), u64::MAX, reach);
    for (index, part) in packets.chunks(batch_size).enumerate() {
        fold.push(&[batch(part, first + index * batch_size)]);
    }
    fold.finish()
}

fn whole(packets: &[Packet], batch_size: usize, reach: u64) -> Evaluated {
    fold(&foldhash::fast::RandomState::default(), packets, 0, batch_size, reach).evaluate()
}

fn reach() -> impl Strategy<Value = u64> {
    prop::sample::select(REACHES.to_vec())
}

proptest! {
    #[test]
    fn any_cut_merges_to_the_whole(
        packets in packets(),
        cuts in prop::collection::vec(0.0_f64..1.0, 1..4),
        order in any::<prop::sample::Index>(),
        reach in reach(),
    ) {
        let expected = whole(&packets, packets.len(), reach);
        let mut places: Vec<usize> =
            cuts.iter().map(|cut| (cut * packets.len() as f64) as usize).collect();
        places.extend([0, packets.len()]);
        places.sort_unstable();
        let hasher = foldhash::fast::RandomState::default();
        let mut parts: Vec<Partial> = places
            .windows(2)
            .map(|pair| fold(&hasher, &packets[pair[0]..pair[1]], pair[0], 16, reach))
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
    fn merging_is_commutative(packets in packets(), cut in 0.0_f64..1.0, reach in reach()) {
        let hasher = foldhash::fast::RandomState::default();
        let at = (cut * packets.len() as f64) as usize;
        let parts = || {
            (
                fold(&hasher, &packets[..at], 0, 16, reach),
                fold(&hasher, &packets[at..], at, 16, reach),
            )
        };
        let (mut early, late) = parts();
        early.merge(late);
        let (early_again, mut late_again) = parts();
        late_again.merge(early_again);
        prop_assert_eq!(early.evaluate(), late_again.evaluate());
    }

    #[test]
    fn batch_size_changes_nothing(packets in packets(), size in 1_usize..20, reach in reach()) {
        prop_assert_eq!(whole(&packets, size, reach), whole(&packets, packets.len(), reach));
    }

    #[test]
    fn an_empty_part_is_the_identity(packets in packets(), reach in reach()) {
        let hasher = foldhash::fast::RandomState::default();
        let mut left = Partial::new(hasher.clone(), reach);
        left.merge(fold(&hasher, &packets, 0, 16, reach));
        let mut right = fold(&hasher, &packets, 0, 16, reach);
        right.merge(Partial::new(hasher, reach));
        let expected = whole(&packets, 16, reach);
        prop_assert_eq!(left.evaluate(), expected.clone());
        prop_assert_eq!(right.evaluate(), expected);
    }

    #[test]
    fn every_packet_ends_in_one_class(packets in packets(), reach in reach()) {
        let evaluated = whole(&packets, 16, reach);
        let bytes: u64 = packets.iter().map(|packet| packet.frame.len() as u64).sum();
        let total = evaluated.accounting.total();
        prop_assert_eq!((total.packets, total.frame_bytes), (packets.len() as u64, bytes));
        let in_flows: u64 = evaluated.records.iter().map(|record| record.packets()).sum();
        let counted = evaluated.accounting.of(portolan::flow::Class::Flow).packets;
        prop_assert_eq!(in_flows, counted);
        let copied = evaluated.accounting.of(portolan::flow::Class::Copy).packets;
        let copies = evaluated.facts.copies;
        prop_assert_eq!(copies.exact + copies.routed, copied);
        prop_assert_eq!(copies.spacing.iter().sum::<u64>(), copied);
    }
}

/// Frames at seconds after the begin.
fn at(seconds: &[(i64, &Vec<u8>)]) -> Vec<Packet> {
    let begin = 1_700_000_000_000_000_000;
    let packet = |(time, frame): &(i64, &Vec<u8>)| Packet {
        time: begin + time * 1_000_000_000,
        frame: (*frame).clone(),
    };
    seconds.iter().map(packet).collect()
}

/// Checks every batch size and every cut, and answers the packets of each flow.
fn the_same_however_cut(packets: &[Packet]) -> Vec<u64> {
    let expected = whole(packets, packets.len(), 2048);
    for reach in REACHES {
        let expected = whole(packets, packets.len(), reach);
        for at in 1..packets.len() {
            assert_eq!(whole(packets, at, reach), expected, "batches of {at}");
            let hasher = foldhash::fast::RandomState::default();
            let mut merged = fold(&hasher, &packets[..at], 0, 16, reach);
            merged.merge(fold(&hasher, &packets[at..], at, 16, reach));
            assert_eq!(merged.evaluate(), expected, "cut before {at}, reach {reach}");
        }
    }
    expected.records.iter().rev().map(|record| record.packets()).collect()
}

#[test]
fn a_fragment_that_waited_goes_where_its_first_is() {
    let ends = (([10, 0, 0, 1], [10, 0, 1, 1]), (40_000, 88));
    let whole = frames::udp(ends.0, ends.1, &[1]);
    let parts = frames::fragmented_udp(ends.0, ends.1, 1, 2);
    // UDP ends after 180 s of silence: the fragment at 170 s is no packet of the flow before.
    let packets = at(&[(0, &whole), (170, &parts[1]), (181, &whole), (182, &parts[0])]);
    assert_eq!(the_same_however_cut(&packets), [1, 3]);
}

#[test]
fn a_fragment_that_is_late_in_the_stream_finds_its_first() {
    let parts = frames::fragmented_udp(([10, 0, 0, 1], [10, 0, 1, 1]), (40_000, 88), 1, 3);
    let others = frames::fragmented_udp(([10, 0, 0, 2], [10, 0, 1, 2]), (40_000, 88), 2, 2);
    // A first fragment at 35 s, one that belongs to another datagram at 66 s, and then, late in
    // the stream, one at 65 s: thirty seconds after its first.
    let packets = at(&[(0, &others[0]), (35, &parts[0]), (66, &others[1]), (65, &parts[1])]);
    assert_eq!(the_same_however_cut(&packets), [1, 2]);
}

#[test]
fn a_run_begins_at_the_time_of_its_first_packet() {
    let packet = frames::udp(([10, 0, 0, 1], [10, 0, 1, 1]), (40_000, 88), &[1]);
    let packets = at(&[(0, &packet), (181, &packet), (179, &packet)]);
    assert_eq!(the_same_however_cut(&packets), [1, 2]);
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
    let mut fold = Fold::with_reach(hasher, 30, 0);
    for (index, part) in packets.chunks(10).enumerate() {
        fold.push(&[batch(part, index * 10)]);
    }
    let evaluated = fold.finish().evaluate();
    assert_eq!(evaluated.records.len(), 30);
    assert_eq!(evaluated.accounting.of(portolan::flow::Class::TableFull).packets, 70);
    assert_eq!(evaluated.accounting.total().packets, 100);
}

/// The packets of a capture file.
pub fn captured(path: &std::path::Path) -> Vec<(FrameMeta, Vec<u8>)> {
    let mut inputs = Inputs::open(&[path.to_owned()], Hashing::Off).expect("a capture");
    let (mut batch, mut packets) = (FrameBatch::default(), Vec::new());
    while inputs.fill(&mut batch) {
        packets.extend(batch.frames.iter().map(|meta| (*meta, batch.data(meta).to_vec())));
    }
    packets
}

/// Packets of a capture folded as a stretch of a stream that begins with number `first`.
pub fn fold_captured(
    hasher: &foldhash::fast::RandomState,
    packets: &[(FrameMeta, Vec<u8>)],
    first: usize,
    reach: u64,
) -> Partial {
    let mut batch = FrameBatch::default();
    for ((meta, bytes), index) in packets.iter().zip(first..) {
        let source = FrameRef { ordinal: index as u64, ..meta.source };
        batch.frames.push(FrameMeta { offset: batch.bytes.len(), source, ..*meta });
        batch.bytes.extend_from_slice(bytes);
    }
    let mut fold = Fold::with_reach(hasher.clone(), u64::MAX, reach);
    fold.push(&[batch]);
    fold.finish()
}

/// Packets and bytes of one stretch: fewer than a part holds of one flow, so that no cap is hit.
const STRETCH: usize = 240;
const STRETCH_BYTES: usize = 1 << 17;

/// The first packets that make a stretch.
pub fn stretch(packets: &[(FrameMeta, Vec<u8>)]) -> &[(FrameMeta, Vec<u8>)] {
    let mut bytes = 0;
    let fits = |(_, packet): &&(FrameMeta, Vec<u8>)| {
        bytes += packet.len();
        bytes < STRETCH_BYTES
    };
    let count = packets.iter().take(STRETCH).take_while(fits).count();
    packets.split_at(count).0
}

/// What real protocols say is the same in parts: what is spoken, and what was announced.
#[test]
fn real_captures_merge_to_the_whole() {
    let Some(folder) = corpus_folder() else { return };
    let files = std::fs::read_dir(folder.join("protocols")).expect("captures of protocols");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let (mut compared, mut speaking, mut announcing) = (0, 0, 0);
    for (number, file) in (0..).zip(&files) {
        let packets = captured(file);
        for seed in 0..6 {
            let mut numbers = Numbers::seeded(number * 6 + seed);
            let begin = if seed == 0 { 0 } else { numbers.below(packets.len().max(1)) };
            let packets = stretch(packets.get(begin..).unwrap_or_default());
            let reach = *numbers.one_of(&REACHES);
            let hasher = foldhash::fast::RandomState::default();
            let whole = fold_captured(&hasher, packets, 0, reach).evaluate();
            let mut cuts: Vec<usize> =
                (0..=numbers.below(4)).map(|_| numbers.below(packets.len() + 1)).collect();
            cuts.extend([0, packets.len()]);
            cuts.sort_unstable();
            let mut parts: Vec<Partial> = cuts
                .windows(2)
                .filter(|pair| pair[0] < pair[1])
                .map(|pair| fold_captured(&hasher, &packets[pair[0]..pair[1]], pair[0], reach))
                .collect();
            while parts.len() > 1 {
                let at = numbers.below(parts.len() - 1);
                let later = parts.remove(at + 1);
                parts[at].merge(later);
            }
            let Some(merged) = parts.pop().map(Partial::evaluate) else { continue };
            for (one, other) in whole.records.iter().zip(&merged.records) {
                assert_eq!(one, other, "{file:?} from {begin}, cut at {cuts:?}, reach {reach}");
                let content = one.content.iter();
                speaking += content.clone().filter(|one| one.identity.is_some()).count();
                announcing += content.filter(|one| !one.announced.is_empty()).count();
            }
            let same = merged == whole;
            assert!(same, "{file:?} from {begin}, cut at {cuts:?}, reach {reach}");
            compared += 1;
        }
    }
    println!("{compared} stretches, {speaking} flows known, {announcing} that announce");
    assert!(compared > 500 && speaking > 1000 && announcing > 50);
}
