//! Packets come in the order of their times, however they lie in the files.

use std::io::Write;

use proptest::prelude::*;

use super::build::Builder;
use super::*;
use crate::runs::repository;

const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;

/// A packet to be written into files.
type Packet = (i64, Vec<u8>);

/// Packets of these times, named by their place in the list.
fn named(nanos: impl IntoIterator<Item = i64>) -> Vec<Packet> {
    (0_u32..).zip(nanos).map(|(name, nanos)| (nanos, name.to_be_bytes().to_vec())).collect()
}

/// Classic pcap with nanoseconds.
fn nanosecond_pcap(packets: &[Packet]) -> Vec<u8> {
    let mut file = pcap_header(1).to_vec();
    file[..4].copy_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
    for (nanos, data) in packets {
        let length = data.len() as u32;
        for field in [(nanos / SECOND) as u32, (nanos % SECOND) as u32, length, length] {
            file.extend(field.to_le_bytes());
        }
        file.extend_from_slice(data);
    }
    file
}

/// Times and bytes of frames.
fn content(frames: &[Frame]) -> Vec<Packet> {
    frames.iter().map(|frame| (frame.time.nanos(), frame.data.clone())).collect()
}

/// The places in the file that the packets of [`named`] had.
fn names(frames: &[Frame]) -> Vec<u32> {
    frames.iter().map(|f| u32::from_be_bytes(f.data[..4].try_into().unwrap())).collect()
}

fn sorted(packets: &[Packet]) -> Vec<Packet> {
    let mut packets = packets.to_vec();
    packets.sort_by_key(|(nanos, _)| *nanos);
    packets
}

fn read_files(files: &[Vec<u8>]) -> (Vec<Frame>, Vec<InputSummary>) {
    read_all_bytes(&files.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn health(files: &[Vec<u8>]) -> TimeHealth {
    let source = |file: &Vec<u8>| -> Box<dyn Read + Send> { Box::new(Cursor::new(file.clone())) };
    let streams = files.iter().map(|file| (String::new(), source(file)));
    read_with_health(Inputs::from_streams(streams.collect(), Hashing::Off).unwrap()).2
}

fn trickled(file: &[u8], count: usize) -> Vec<Frame> {
    let source = Box::new(Trickle(Cursor::new(file.to_vec()), count));
    let streams: Vec<(String, Box<dyn Read + Send>)> = vec![("pipe".to_owned(), source)];
    read(Inputs::from_streams(streams, Hashing::Off).unwrap()).0
}

/// The packets of a fixture many times over, each up to `disorder` nanoseconds late in the list.
fn shuffled(disorder: i64) -> Vec<Packet> {
    let capture = fs::read(repository("fixtures/voicemail/capture.pcap")).unwrap();
    let mut state = 1_u32;
    let mut delay = || {
        // Numerical Recipes, section 7.1.4.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i64::from(state >> 8) % disorder
    };
    let packets = content(&read_bytes(&capture).0);
    let count = 30 * packets.len();
    let repeated = (0..).zip(packets.iter().cycle().take(count));
    let mut packets: Vec<_> = repeated
        .map(|(place, (_, data))| {
            // Close enough to each other for many to lie within the disorder.
            let nanos = 1_700_000_000 * SECOND + place * 20_000;
            (nanos + delay(), (nanos, data.clone()))
        })
        .collect();
    packets.sort_by_key(|(arrival, _)| *arrival);
    packets.into_iter().map(|(_, packet)| packet).collect()
}

#[test]
fn packets_out_of_order_by_milliseconds_come_in_order_of_time() {
    let packets = shuffled(5 * MILLISECOND);
    assert!(packets.len() > 20_000);
    let expected = sorted(&packets);
    assert_ne!(packets, expected);
    let whole = nanosecond_pcap(&packets);
    let (frames, summary) = read_bytes(&whole);
    assert!(content(&frames) == expected);
    let greatest = packets.iter().scan(0, |latest, (nanos, _)| {
        *latest = (*latest).max(*nanos);
        Some(*latest)
    });
    let late = packets.iter().zip(greatest).filter(|((nanos, _), latest)| nanos < latest).count();
    assert_eq!(summary.late, LatePackets { reordered: late as u64, out_of_reach: 0 });
    let steps = packets.windows(2).map(|pair| pair[0].0 - pair[1].0).filter(|step| *step > 0);
    assert_eq!(summary.clock.regressions.count, steps.clone().count() as u64);
    assert_eq!(summary.clock.regressions.widest, steps.max().unwrap());
    for parts in [2, 3, 17, 500] {
        let files: Vec<_> =
            packets.chunks(packets.len().div_ceil(parts)).map(nanosecond_pcap).collect();
        assert!(content(&read_files(&files).0) == expected, "{parts} parts");
        let (cut, uncut) = (health(&files), health(std::slice::from_ref(&whole)));
        assert_eq!(cut, uncut, "{parts} parts");
    }
}

#[test]
fn neither_compression_nor_the_size_of_reads_changes_the_order() {
    let packets = shuffled(5 * MILLISECOND);
    let expected = sorted(&packets);
    let file = nanosecond_pcap(&packets);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&file).unwrap();
    for file in [gzip.finish().unwrap(), zstd::encode_all(file.as_slice(), 1).unwrap()] {
        assert!(content(&read_bytes(&file).0) == expected);
    }
    for count in [70, 999, 20_000, 1 << 20] {
        assert!(content(&trickled(&file, count)) == expected, "{count} bytes at a time");
    }
}

#[test]
fn interfaces_that_overlap_in_one_file_are_interleaved() {
    // Two interfaces with clocks of other resolution; each is written a block at a time.
    let build = Builder::LITTLE;
    let options = |digits| [build.option(9, &[digits]), build.option(0, b"")].concat();
    let packets = sorted(&shuffled(MILLISECOND));
    let mut file = [
        build.section(1, 0),
        build.interface(1, 0, &options(6)),
        build.interface(1, 0, &options(9)),
    ]
    .concat();
    for chunk in packets.chunks(100) {
        for interface in 0..2 {
            for (nanos, data) in chunk.iter().skip(interface as usize).step_by(2) {
                let units = *nanos as u64 / if interface == 0 { 1000 } else { 1 };
                file.extend(build.enhanced(interface, units, data, b""));
            }
        }
    }
    let (frames, summary) = read_bytes(&file);
    assert!(content(&frames) == packets);
    assert!(summary.late.reordered > packets.len() as u64 / 3);
    assert_eq!(summary.late.out_of_reach, 0);
}

#[test]
fn blocks_without_packets_do_not_change_the_order() {
    // A packet for every 100,000 bytes of another kind, so that batches are nearly empty.
    let build = Builder::LITTLE;
    let mut file = [build.section(1, 0), build.interface(1, 0, &[])].concat();
    let packets =
        named((0..600).map(|index| {
            if index % 3 == 2 { (index - 2) * MILLISECOND } else { index * MILLISECOND }
        }));
    for (nanos, data) in &packets {
        file.extend(build.block(0xbad, &vec![0; 100_000]));
        file.extend(build.enhanced(0, *nanos as u64 / 1000, data, b""));
    }
    assert_eq!(content(&read_bytes(&file).0), sorted(&packets));
}

#[test]
fn packets_out_of_reach_stay_where_they_arrived() {
    let times = [5000, 4000, 4500, 3999, 1000, 4999, 9000].map(|ms| ms * MILLISECOND);
    let (frames, summary) = read_bytes(&nanosecond_pcap(&named(times)));
    assert_eq!(names(&frames), [1, 2, 5, 0, 3, 4, 6]);
    assert_eq!(summary.late, LatePackets { reordered: 3, out_of_reach: 2 });
    let regressions = summary.clock.regressions;
    assert_eq!((regressions.count, regressions.first_packet), (3, 2));
    assert_eq!((regressions.first, regressions.widest), (SECOND, 2999 * MILLISECOND));
    assert_eq!(summary.first, Some(Timestamp::from_parts(1, 0)));
    assert_eq!(summary.last, Some(Timestamp::from_parts(9, 0)));
}

#[test]
fn a_packet_is_late_by_a_bounded_number_of_bytes() {
    // One packet at 10.4 s, then 1000 bytes at a time at 10.5 s, then one at 10.45 s.
    let between = |bytes: usize| {
        let mut packets = vec![(10_400 * MILLISECOND, vec![0; 1000])];
        packets.resize(bytes / (1000 + 128), (10_500 * MILLISECOND, vec![0; 1000]));
        packets.push((10_450 * MILLISECOND, vec![1]));
        let (frames, summary) = read_bytes(&nanosecond_pcap(&packets));
        let place = frames.iter().position(|frame| frame.data == [1]).unwrap();
        (place, packets.len() - 1, summary.late)
    };
    let (place, _, late) = between(4 << 20);
    assert_eq!((place, late), (1, LatePackets { reordered: 1, out_of_reach: 0 }));
    let (place, last, late) = between(5 << 20);
    assert_eq!((place, late), (last, LatePackets { reordered: 0, out_of_reach: 1 }));
}

#[test]
fn nothing_is_put_back_across_a_jump_of_the_clock() {
    // A minute back is disorder, more is a jump; an hour forward is a pause, more is a jump.
    let seconds = [1000, 1001, 941, 1002, 941, 940, 940, 4540, 8141, 8140];
    let times = seconds.map(|seconds| seconds * SECOND);
    let packets = named(times);
    let (frames, summary) = read_bytes(&nanosecond_pcap(&packets));
    assert_eq!(names(&frames), [0, 1, 2, 3, 5, 6, 4, 7, 9, 8]);
    let clock = summary.clock;
    assert_eq!((clock.jumps_backward.count, clock.jumps_backward.first_packet), (1, 5));
    assert_eq!((clock.jumps_forward.count, clock.jumps_forward.first_packet), (1, 9));
    assert_eq!((clock.regressions.count, clock.regressions.first_packet), (4, 3));
    assert_eq!(summary.late, LatePackets { reordered: 3, out_of_reach: 1 });
    // In files of one day after the other the same steps are found in the stream.
    let files: Vec<_> = packets.chunks(8).map(nanosecond_pcap).collect();
    assert_eq!(health(&files).clock, clock);
    let (_, summaries) = read_files(&files);
    assert_eq!(summaries[1].clock.jumps_forward.count, 0);
}

#[test]
fn equal_times_stay_in_order_of_arrival() {
    let times = [7, 5, 7, 5, 6, 5, 7].map(|ms| ms * MILLISECOND);
    let packets = named(times);
    let expected = [1, 3, 5, 4, 0, 2, 6];
    assert_eq!(names(&read_bytes(&nanosecond_pcap(&packets)).0), expected);
    for at in 1..packets.len() {
        let (first, second) = packets.split_at(at);
        let files = [nanosecond_pcap(first), nanosecond_pcap(second)];
        assert_eq!(names(&read_files(&files).0), expected, "cut before {at}");
    }
    let zeros = named(vec![0; 100_000]);
    assert!(names(&read_bytes(&nanosecond_pcap(&zeros)).0).into_iter().eq(0..100_000));
}

#[test]
fn overlapping_captures_of_much_traffic_are_in_order_from_the_first_packet() {
    // 80 MB a second in each, so a second is more than is ever held.
    let capture = |start: i64, packets: i64| {
        let times = (0..packets).map(|index| start + index * 18_000);
        nanosecond_pcap(&times.map(|nanos| (nanos, vec![0; 1400])).collect::<Vec<_>>())
    };
    let files = [capture(10 * SECOND, 30_000), capture(10 * SECOND + 100_000_007, 30_000)];
    let (frames, summaries) = read_files(&files);
    assert!(frames.is_sorted_by_key(|frame| frame.time));
    assert!(summaries.iter().all(|summary| summary.late.out_of_reach == 0));
    assert!(summaries.iter().all(|summary| summary.clock == ClockSteps::default()));
    assert_eq!(summaries[1].overlap_with_previous, Some(29_999 * 18_000 - 100_000_007));
}

/// Reads a file of `packets` with 20 bytes of data each. Answers the greatest number of packets
/// that were read and not yet delivered.
fn most_held(times: impl Iterator<Item = i64>) -> u64 {
    const RECORD: u64 = 16 + 20;
    let packets: Vec<_> = times.map(|nanos| (nanos, vec![0; 20])).collect();
    let source: Box<dyn Read + Send> = Box::new(Cursor::new(nanosecond_pcap(&packets)));
    let streams = vec![("part1".to_owned(), source)];
    let mut inputs = Inputs::from_streams(streams, Hashing::Off).unwrap();
    let (mut batch, mut delivered, mut most) = (FrameBatch::default(), 0, 0);
    let mut seen = vec![false; packets.len()];
    while inputs.fill(&mut batch) {
        most = most.max((inputs.read_bytes() - 24) / RECORD - delivered);
        for frame in &batch.frames {
            assert_eq!(frame.source.ordinal, delivered);
            delivered += 1;
            let number = frame.source.number as usize - 1;
            assert_eq!(frame.time.nanos(), packets[number].0);
            assert!(!std::mem::replace(&mut seen[number], true), "packet {number} twice");
        }
    }
    assert_eq!(delivered, packets.len() as u64);
    most
}

#[test]
fn no_times_make_the_reader_hold_more_than_its_window() {
    const PACKETS: i64 = 400_000;
    type Time = fn(i64) -> i64;
    let day = 86_400 * SECOND;
    let hostile: [(&str, Time); 7] = [
        ("all at once", |_| 0),
        ("past and future", |index| index % 2 * 4_000_000_000 * SECOND),
        ("descending", |index| 9_000_000_000_000 - index * 1000),
        ("descending by minutes", |index| 86_400 * SECOND * 300 - index * 61 * SECOND),
        ("every other late", |index| index * 1000 + (index % 2) * 900 * MILLISECOND),
        ("saw", |index| 1000 * SECOND + index % 1000 * MILLISECOND),
        ("every other out of reach", |index| index * 1000 + (index % 2) * 50 * SECOND),
    ];
    for (name, time) in hostile {
        let most = most_held((0..PACKETS).map(|index| day + time(index)));
        // The window, two pieces of 256 KiB on their way, and the block that is being filled.
        assert!(most * (20 + 128) < 8 << 20, "{name}: {most} packets held");
    }
}

/// The order that is promised for packets of so many bytes, by the words of the contract: the
/// places of the packets in the file.
fn promised(times: &[i64], bytes: u64) -> Vec<u32> {
    const BLOCK: u64 = 128 << 10;
    let mut order = Vec::new();
    let mut epoch: Vec<(i64, u32)> = Vec::new();
    let (mut blocks, mut filled) = (Vec::new(), 0);
    let mut flush = |epoch: &mut Vec<(i64, u32)>| {
        epoch.sort();
        order.extend(epoch.drain(..).map(|(_, name)| name));
    };
    for (index, time) in times.iter().enumerate() {
        let step = if index == 0 { 0 } else { time - times[index - 1] };
        if !(-60 * SECOND..=3600 * SECOND).contains(&step) {
            flush(&mut epoch);
            (blocks, filled) = (Vec::new(), 0);
        }
        let latest = epoch.iter().map(|(place, _)| *place).max().unwrap_or(*time);
        let passed = blocks.iter().rev().nth(32).copied().unwrap_or(i64::MIN);
        let place = if *time >= (latest - SECOND).max(passed) { *time } else { latest };
        epoch.push((place, index as u32));
        filled += bytes + 128;
        while filled >= BLOCK {
            filled -= BLOCK;
            blocks.push(place.max(latest));
        }
    }
    flush(&mut epoch);
    order
}

#[test]
fn more_packets_than_the_window_holds_are_put_back_as_far_as_it_reaches() {
    const BYTES: usize = 20_000;
    let mut state = 1_u32;
    let times = (0..3000).map(|index| {
        // Numerical Recipes, section 7.1.4.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1_700_000_000 * SECOND + index * MILLISECOND / 10 + i64::from(state >> 2) % (SECOND / 2)
    });
    let mut packets = named(times);
    packets.iter_mut().for_each(|(_, data)| data.resize(BYTES, 0));
    let times: Vec<_> = packets.iter().map(|(nanos, _)| *nanos).collect();
    let expected = promised(&times, BYTES as u64);
    let file = nanosecond_pcap(&packets);
    let (frames, summary) = read_bytes(&file);
    assert!(names(&frames) == expected);
    assert!(summary.late.reordered > 300 && summary.late.out_of_reach > 300);
    let compressed = zstd::encode_all(file.as_slice(), 1).unwrap();
    assert!(names(&read_bytes(&compressed).0) == expected);
    for count in [30_000, 200_000] {
        assert!(names(&trickled(&file, count)) == expected, "{count} bytes at a time");
    }
}

fn times() -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![
        8 => 0..20 * MILLISECOND,
        8 => -20 * MILLISECOND..20 * MILLISECOND,
        2 => Just(0),
        1 => -2 * SECOND..2 * SECOND,
        1 => prop::sample::select(vec![-SECOND, SECOND, -60 * SECOND, 3600 * SECOND]),
        1 => prop::sample::select(vec![-60 * SECOND - 1, 3600 * SECOND + 1, -500 * SECOND]),
    ];
    prop::collection::vec(step, 0..300).prop_map(|steps| {
        let mut now = 1_700_000_000 * SECOND;
        steps
            .into_iter()
            .map(|step| {
                now += step;
                now
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_times_give_the_order_that_is_promised(
        times in times(),
        bytes_at_a_time in 20_usize..3000,
    ) {
        let file = nanosecond_pcap(&named(times.iter().copied()));
        let expected = promised(&times, 4);
        prop_assert_eq!(&names(&read_bytes(&file).0), &expected);
        prop_assert_eq!(&names(&trickled(&file, bytes_at_a_time)), &expected);
    }

    /// Large packets, so that places are found in other batches than the one that arrives.
    #[test]
    fn any_times_give_the_same_order_over_many_batches(times in times()) {
        let mut packets = named(times.iter().copied());
        packets.iter_mut().for_each(|(_, data)| data.resize(10_000, 0));
        let (frames, _) = read_bytes(&nanosecond_pcap(&packets));
        prop_assert!(frames.iter().all(|frame| frame.data.len() == 10_000));
        prop_assert_eq!(names(&frames), promised(&times, 10_000));
    }

    /// As long as nothing is later than a second, files may be cut anywhere.
    #[test]
    fn any_cut_of_a_disordered_capture_reads_like_the_uncut_one(
        delays in prop::collection::vec(0..SECOND, 1..100),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let mut packets: Vec<_> = delays
            .iter()
            .enumerate()
            .map(|(index, delay)| {
                let time = 1_700_000_000 * SECOND + index as i64 * 70 * MILLISECOND;
                (time + delay, time)
            })
            .collect();
        packets.sort_unstable();
        let packets = named(packets.into_iter().map(|(_, time)| time));
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(packets.len())).collect();
        cuts.extend([0, packets.len()]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).map(|ends| &packets[ends[0]..ends[1]]);
        let files: Vec<_> = parts.filter(|part| !part.is_empty()).map(nanosecond_pcap).collect();
        let whole = [nanosecond_pcap(&packets)];
        prop_assert_eq!(content(&read_files(&files).0), sorted(&packets));
        prop_assert_eq!(content(&read_files(&whole).0), sorted(&packets));
        prop_assert_eq!(health(&files), health(&whole));
    }
}
