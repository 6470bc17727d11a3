//! Every kind of record, built field by field. What tshark 4.0.17 makes of the same bytes is the
//! expected value wherever it reads them.

use super::build::Builder;
use super::*;

const ORDERS: [Builder; 2] = [Builder::LITTLE, Builder::BIG];

const DATA: [u8; 60] = [0x5a; 60];

/// Time in nanoseconds, original and captured length of each packet.
fn packets(frames: &[Frame]) -> Vec<(i64, u32, usize)> {
    frames.iter().map(|frame| (frame.time.nanos(), frame.original, frame.data.len())).collect()
}

/// Section header and one Ethernet interface.
fn start(build: Builder) -> Vec<u8> {
    [build.section(1, 0), build.interface(1, 0, &[])].concat()
}

fn reason(ending: &Ending) -> &str {
    match ending {
        Ending::Corrupt { reason, .. } | Ending::Unreadable { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn classic_pcap_in_all_its_magics() {
    let cases = [
        (0xa1b2_c3d4_u32, 1_000_002_000, 16, "pcap"),
        (0xa1b2_3c4d, 1_000_000_002, 16, "pcap"),
        (0xa1b2_cd34, 1_000_002_000, 24, "modified pcap"),
    ];
    for build in ORDERS {
        for (magic, nanos, header, container) in cases {
            let mut file = build.u32(magic).to_vec();
            file.extend([build.u16(2), build.u16(4)].concat());
            file.extend([0, 0, 65_535, 1].map(|field| build.u32(field)).concat());
            for _ in 0..2 {
                file.extend([1, 2, 60, 90].map(|field| build.u32(field)).concat());
                file.extend(vec![7; header - 16]);
                file.extend(DATA);
            }
            let (frames, summary) = read_bytes(&file);
            assert_eq!(packets(&frames), [(nanos, 90, 60); 2], "{magic:#x}");
            assert_eq!(frames[1].data, DATA);
            assert_eq!(frames[0].link, LinkType::ETHERNET);
            assert_eq!(summary.container.unwrap().to_string(), container);
            assert_eq!((summary.captured_bytes, summary.original_bytes), (120, 180));
            assert_eq!(summary.cut_packets, 2);
            assert_eq!(summary.interfaces[0].snaplen, 65_535);
            assert_eq!(summary.ending, Ending::Complete);
        }
    }
}

/// A little-endian pcap header of another version.
fn header_of_version(major: u16, minor: u16) -> Vec<u8> {
    let mut header = pcap_header(1).to_vec();
    header[4..8].copy_from_slice(&[major.to_le_bytes(), minor.to_le_bytes()].concat());
    header
}

#[test]
fn old_versions_swap_the_lengths() {
    let lengths =
        |first: u32, second: u32| [1_u32, 2, first, second].map(u32::to_le_bytes).concat();
    for (major, minor, first, second) in [
        (2, 0, 90, 60),
        (2, 2, 90, 60),
        (2, 3, 90, 60),
        (2, 3, 60, 90),
        (2, 4, 60, 90),
        (543, 0, 90, 60),
        (3, 0, 60, 90),
    ] {
        let file =
            [header_of_version(major, minor), lengths(first, second), DATA.to_vec()].concat();
        let (frames, summary) = read_bytes(&file);
        assert_eq!(packets(&frames), [(1_000_002_000, 90, 60)], "version {major}.{minor}");
        assert_eq!(summary.ending, Ending::Complete);
    }
    let (frames, summary) = read_bytes(&header_of_version(1, 2));
    assert!(frames.is_empty());
    assert!(reason(&summary.ending).contains("version 1.2"));
}

#[test]
fn the_link_type_field_of_pcap() {
    let open = |network: u32| {
        let file = [&pcap_header(network)[..], &pcap(&[(1, 0, &DATA)])[24..]].concat();
        read_bytes(&file)
    };
    let (frames, summary) = open(0x2400_0001);
    assert_eq!((frames[0].link, frames[0].fcs_bytes), (LinkType::ETHERNET, 4));
    assert_eq!(summary.interfaces[0].fcs_bytes, 4);
    // Without the bit that says so, the length means nothing.
    assert_eq!(open(0x2000_0001).0[0].fcs_bytes, 0);
    let (frames, summary) = open(0x0010_0001);
    assert!(frames.is_empty());
    assert!(reason(&summary.ending).contains("0x00100001"));
}

#[test]
fn captured_lengths_have_a_bound() {
    let most = vec![0; 262_144];
    let more = vec![0; 262_145];
    let file = pcap(&[(1, 2, &most), (3, 4, &more)]);
    let (frames, summary) = read_bytes(&file);
    assert_eq!(packets(&frames), [(1_000_002_000, 262_144, 262_144)]);
    assert!(matches!(summary.ending, Ending::Corrupt { offset: 262_184, .. }));
    assert_eq!(summary.size, file.len() as u64);

    // D-Bus messages may be longer.
    let mut file = pcap(&[(1, 2, &more), (3, 4, &most)]);
    file[20] = 231;
    let (frames, summary) = read_bytes(&file);
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0].data, more);
    assert_eq!(summary.ending, Ending::Complete);
}

#[test]
fn packets_of_any_length_pass_the_borders_of_pieces() {
    let data: Vec<u8> = (0..200_000_u32).map(|index| (index % 251) as u8).collect();
    let lengths = (0..400_usize).map(|index| index * 7919 % 200_000);
    let list: Vec<_> =
        lengths.zip(0..).map(|(length, second)| (second, 1, &data[..length])).collect();
    let (frames, summary) = read_bytes(&pcap(&list));
    assert_eq!(frames.len(), list.len());
    for (frame, (second, _, data)) in frames.iter().zip(&list) {
        assert_eq!(frame.time, Timestamp::from_parts(i64::from(*second), 1000));
        assert!(frame.data == *data, "packet at {second} s");
    }
    assert_eq!(summary.ending, Ending::Complete);
}

#[test]
fn enhanced_packets() {
    for build in ORDERS {
        let options = [
            build.option(2, &build.u32(4 << 5)),
            build.option(4, &build.u64(3)),
            build.option(1, b"a comment"),
            build.option(0, &[]),
        ]
        .concat();
        let file = [
            start(build),
            build.enhanced(0, 1_000_000, &DATA, &[]),
            build.enhanced_of_lengths(0, 2_000_000, [57, 1500], &DATA[..57], &options),
        ]
        .concat();
        let (frames, summary) = read_bytes(&file);
        assert_eq!(packets(&frames), [(1_000_000_000, 60, 60), (2_000_000_000, 1500, 57)]);
        assert_eq!(frames.iter().map(|frame| frame.fcs_bytes).collect::<Vec<_>>(), [0, 4]);
        assert_eq!(summary.interfaces[0].dropped_between, 3);
        assert_eq!(summary.interfaces[0].packets, 2);
        assert_eq!(summary.ending, Ending::Complete);
    }
}

#[test]
fn simple_packets_have_the_time_of_the_packet_before() {
    for build in ORDERS {
        let file = [
            build.section(1, 0),
            build.interface(1, 40, &[]),
            build.simple(60, &DATA[..40]),
            build.enhanced(0, 5_000_000, &DATA[..30], &[]),
            build.simple(20, &DATA[..20]),
        ]
        .concat();
        let (frames, summary) = read_bytes(&file);
        assert_eq!(
            packets(&frames),
            [(0, 60, 40), (5_000_000_000, 30, 30), (5_000_000_000, 20, 20)]
        );
        assert_eq!(summary.untimed_packets, 2);
        assert_eq!(summary.first, Some(Timestamp::from_parts(5, 0)));
        assert_eq!(summary.first, summary.last);
        assert_eq!(summary.cut_packets, 1);
        assert_eq!(summary.clock.regressions.count, 0);
    }
    let file = [start(Builder::LITTLE), Builder::LITTLE.simple(60, &DATA[..40])].concat();
    assert!(reason(&read_bytes(&file).1.ending).contains("too short"));
}

#[test]
fn obsolete_packets() {
    for build in ORDERS {
        let file = [
            start(build),
            build.obsolete(0, 3, 5_000_000, &DATA),
            build.obsolete(0, u16::MAX, 6_000_000, &DATA),
            build.obsolete(3, 0, 7_000_000, &DATA),
        ]
        .concat();
        let (frames, summary) = read_bytes(&file);
        assert_eq!(packets(&frames), [(5_000_000_000, 60, 60), (6_000_000_000, 60, 60)]);
        assert_eq!(summary.interfaces[0].dropped_between, 3);
        assert!(reason(&summary.ending).contains("interface 3"));
    }
}

#[test]
fn interfaces_differ_in_everything() {
    for build in ORDERS {
        let options = |resolution: u8, offset: i64| {
            let offset = build.u64(offset.cast_unsigned());
            [build.option(9, &[resolution]), build.option(14, &offset), build.option(0, &[])]
                .concat()
        };
        let named = [
            build.option(2, b"eth0"),
            build.option(3, b"the span port"),
            build.option(11, b"\0tcp port 80"),
            build.option(13, &[4]),
        ]
        .concat();
        let bytecode = build.option(11, &[1, 0, 0, 0, 0, 0, 0, 0, 6]);
        let file = [
            build.section(1, 2),
            build.interface(1, 96, &named),
            build.interface(113, 0, &options(9, -5)),
            build.interface(276, 0, &[options(0x80 | 10, 0), bytecode.clone()].concat()),
            build.interface(101, 0, &bytecode),
            build.enhanced(0, 1_000_000, &DATA, &[]),
            build.enhanced(1, 10_000_000_001, &DATA, &[]),
            build.enhanced(2, (17 << 10) | 5, &DATA, &[]),
        ]
        .concat();
        let (frames, summary) = read_bytes(&file);
        let found: Vec<_> =
            frames.iter().map(|f| (f.time.nanos(), f.link.0, f.fcs_bytes)).collect();
        let expected = [(1_000_000_000, 1, 4), (5_000_000_001, 113, 0), (17_004_882_812, 276, 0)];
        assert_eq!(found, expected);
        let [first, second, third, fourth] = summary.interfaces.as_slice() else { panic!() };
        assert_eq!(first.name.as_deref(), Some("eth0"));
        assert_eq!(first.description.as_deref(), Some("the span port"));
        assert_eq!(first.filter.as_deref(), Some("tcp port 80"));
        assert_eq!((first.snaplen, first.fcs_bytes), (96, 4));
        assert_eq!((second.resolution, second.time_offset), (Resolution::NANOSECONDS, -5));
        assert_eq!((third.resolution, third.index), (Resolution::Binary(10), 2));
        // Options after the end of options are none.
        assert_eq!(third.filter, None);
        assert_eq!(fourth.filter.as_deref(), Some("8 bytes of BPF bytecode"));
        let links: Vec<_> = summary.link_types().iter().map(|(link, n)| (link.0, *n)).collect();
        assert_eq!(links, [(1, 1), (101, 0), (113, 1), (276, 1)]);
    }
}

#[test]
fn statistics_of_interfaces() {
    for build in ORDERS {
        let counters = |base: u64| {
            let counter = |code: u16| build.option(code, &build.u64(base + u64::from(code)));
            (4..=8).flat_map(counter).collect::<Vec<_>>()
        };
        let file = [
            start(build),
            build.interface(1, 0, &[]),
            build.statistics(1, &counters(100)),
            build.statistics(1, &counters(200)),
            build.statistics(9, &counters(300)),
            build.enhanced(0, 1, &DATA, &[]),
        ]
        .concat();
        let (frames, summary) = read_bytes(&file);
        assert_eq!(frames.len(), 1);
        assert_eq!(summary.interfaces[0].statistics, InterfaceStatistics::default());
        let statistics = summary.interfaces[1].statistics;
        assert_eq!(statistics.received, Some(204));
        assert_eq!(statistics.dropped_by_interface, Some(205));
        assert_eq!(statistics.accepted_by_filter, Some(206));
        assert_eq!(statistics.dropped_by_system, Some(207));
        assert_eq!(statistics.delivered, Some(208));
    }
}

#[test]
fn losses_add_up_over_interfaces_and_sections() {
    for build in ORDERS {
        let counter = |code: u16, value: u64| build.option(code, &build.u64(value));
        let interface = || build.interface(1, 0, &[]);
        let packet = |dropped| build.enhanced(0, 1, &DATA, &counter(4, dropped));
        let file = [
            // Counters of the whole capture: the interface lost 3, the system 4; the packets tell
            // of the same losses.
            build.section(1, 0),
            interface(),
            packet(2),
            build.statistics(0, &counter(5, 1)),
            packet(5),
            build.statistics(0, &[counter(5, 3), counter(7, 4)].concat()),
            // The packets tell of more than the counters.
            build.section(1, 0),
            interface(),
            packet(10),
            packet(11),
            build.statistics(0, &counter(5, 20)),
            // A counter of zero tells that nothing was lost; no counter tells nothing.
            build.section(1, 0),
            interface(),
            interface(),
            packet(0),
            build.statistics(0, &counter(7, 0)),
        ]
        .concat();
        let (_, summary) = read_bytes(&file);
        let lost: Vec<_> = summary.interfaces.iter().map(Interface::lost).collect();
        assert_eq!(lost, [Some(7), Some(21), Some(0), None]);
    }
}

#[test]
fn sections_begin_anew_in_their_own_byte_order() {
    let (little, big) = (Builder::LITTLE, Builder::BIG);
    let file = [
        start(little),
        little.interface(113, 0, &[]),
        little.enhanced(1, 1_000_000, &DATA, &[]),
        big.section(1, 0),
        big.interface(101, 0, &[]),
        big.enhanced(0, 2_000_000, &DATA, &[]),
        big.enhanced(1, 3_000_000, &DATA, &[]),
    ]
    .concat();
    let (frames, summary) = read_bytes(&file);
    assert_eq!(packets(&frames), [(1_000_000_000, 60, 60), (2_000_000_000, 60, 60)]);
    assert_eq!(frames.iter().map(|frame| frame.link.0).collect::<Vec<_>>(), [113, 101]);
    let places: Vec<_> = summary.interfaces.iter().map(|i| (i.section, i.index)).collect();
    assert_eq!(places, [(0, 0), (0, 1), (1, 0)]);
    assert!(reason(&summary.ending).contains("interface 1"));
    assert_eq!(summary.byte_order.unwrap().to_string(), "little-endian");
}

#[test]
fn other_blocks_are_passed_over() {
    for build in ORDERS {
        // Name resolution, secrets, journal, custom (both kinds), unknown; the last ones are as
        // short as a block can be, not padded, and longer than a piece of the file.
        let mut odd = build.block(0x1234, &[7; 8]);
        odd[4..8].copy_from_slice(&build.u32(19));
        odd[16..20].copy_from_slice(&build.u32(19));
        let kinds = [4, 10, 9, 0xbad, 0x4000_0bad, 0x7777];
        let others = kinds.map(|kind| build.block(kind, &[7; 24])).concat();
        let long = build.block(0x9999, &vec![7; 3 << 20]);
        let file = [
            start(build),
            build.enhanced(0, 1_000_000, &DATA, &[]),
            others,
            build.block(0x8888, &[]),
            odd,
            long,
            build.enhanced(0, 2_000_000, &DATA, &[]),
        ]
        .concat();
        let (frames, summary) = read_bytes(&file);
        assert_eq!(packets(&frames), [(1_000_000_000, 60, 60), (2_000_000_000, 60, 60)]);
        assert_eq!(summary.ending, Ending::Complete);
    }
}

/// Blocks that contradict the format, and a word of the reason. tshark stops at each of them.
#[test]
fn broken_blocks_end_the_file() {
    for build in ORDERS {
        let mut lengths_differ = build.block(99, &[0; 8]);
        lengths_differ[16..20].copy_from_slice(&build.u32(24));
        let mut unknown_magic = build.section(1, 0);
        unknown_magic[8] ^= 1;
        let too_long = [build.u32(99), build.u32(0x2000_0000)].concat();
        let bad_option = [&build.u16(2)[..], &build.u16(40), &[0; 4]].concat();
        let cases = [
            (lengths_differ, "at its end"),
            (unknown_magic, "byte-order magic"),
            (build.section(7, 0), "version 7.0"),
            (build.section(1, 1), "version 1.1"),
            ([build.u32(99), build.u32(8)].concat(), "length of 8"),
            (too_long, "length of 536870912"),
            (build.block(6, &[0; 12]), "fixed fields"),
            (build.block(1, &[0; 4]), "fixed fields"),
            (build.block(5, &[0; 4]), "fixed fields"),
            (build.enhanced(1, 5, &DATA, &[]), "interface 1"),
            (build.enhanced_of_lengths(0, 5, [100, 100], &DATA, &[]), "too short"),
            (build.enhanced_of_lengths(0, 5, [262_145, 262_145], &DATA, &[]), "262145"),
            (build.enhanced(0, 5, &DATA, &bad_option), "option 2 of 40"),
        ];
        let before = [start(build), build.enhanced(0, 1_000_000, &DATA, &[])].concat();
        for (block, word) in cases {
            let after = build.enhanced(0, 2_000_000, &DATA, &[]);
            let (frames, summary) = read_bytes(&[before.clone(), block, after].concat());
            assert_eq!(packets(&frames), [(1_000_000_000, 60, 60)], "{word}");
            let Ending::Corrupt { offset, reason } = &summary.ending else { panic!("{word}") };
            assert_eq!(*offset, before.len() as u64, "{word}");
            assert!(reason.contains(word), "{reason}");
        }
    }
}

#[test]
fn descriptions_of_interfaces_have_a_bound() {
    let build = Builder::LITTLE;
    let named = build.interface(1, 0, &build.option(2, &[b'x'; 60_000]));
    let packet = build.enhanced(0, 1_000_000, &DATA, &[]);
    let many = build.interface(1, 0, &[]).repeat(20_000);
    let (frames, summary) = read_bytes(&[build.section(1, 0), named, packet, many].concat());
    assert_eq!(frames.len(), 1);
    assert!(summary.interfaces[0].name.as_ref().is_some_and(|name| name.len() < 10_000));
    assert!(summary.interfaces.len() < 20_000);
    assert!(reason(&summary.ending).contains("interfaces"));
}

#[test]
fn what_is_no_capture_is_named() {
    let cases: [(&[u8], &str); 7] = [
        (b"", "empty"),
        (b"\xd4\xc3", "2 bytes"),
        (&pcap_header(1)[..20], "20 bytes"),
        (b"Hello, this is text", "no known magic"),
        (b"snoop\0\0\0\0\0\0\x02", "snoop"),
        (b"GMBU\0\0\0\0", "Network Monitor"),
        (b"\xfd7zXZ\0", "xz"),
    ];
    for (bytes, word) in cases {
        let (frames, summary) = read_bytes(bytes);
        assert!(frames.is_empty());
        assert!(matches!(summary.ending, Ending::Unreadable { offset: 0, .. }), "{word}");
        assert!(reason(&summary.ending).contains(word), "{}", summary.ending);
        assert!(summary.ending.is_failure());
        assert_eq!(summary.size, bytes.len() as u64);
    }
}
