//! Several inputs are one stream: cut files read like the uncut one, overlapping ones by time.

use proptest::prelude::*;

use super::*;

/// Times in milliseconds; the packet is its own name.
fn packets(milliseconds: &[u32], name: u8) -> Vec<u8> {
    let data: Vec<_> = (0..milliseconds.len()).map(|index| [name, index as u8]).collect();
    let packets: Vec<_> = milliseconds
        .iter()
        .zip(&data)
        .map(|(ms, data)| (ms / 1000, ms % 1000 * 1000, data.as_slice()))
        .collect();
    pcap(&packets)
}

fn milliseconds(frames: &[Frame]) -> Vec<i64> {
    frames.iter().map(|frame| frame.time.nanos() / 1_000_000).collect()
}

/// Cuts a classic pcap file before the given packets.
fn cut(file: &[u8], at: &[usize]) -> Vec<Vec<u8>> {
    let (header, mut rest) = file.split_at(24);
    let mut parts = vec![header.to_vec()];
    let mut packet = 0;
    while !rest.is_empty() {
        if at.contains(&packet) {
            parts.push(header.to_vec());
        }
        let length = 16 + u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (record, after) = rest.split_at(length);
        parts.last_mut().unwrap().extend_from_slice(record);
        rest = after;
        packet += 1;
    }
    parts
}

#[test]
fn a_capture_cut_anywhere_reads_like_the_uncut_one() {
    // Slightly out of order, with equal times and with a long pause.
    let times = [1000, 1000, 1400, 1300, 2900, 2100, 9000, 8500, 9400, 60_000];
    let whole = packets(&times, 0);
    let (expected, _) = read_bytes(&whole);
    assert_eq!(expected.len(), times.len());
    let packets = |frames: &[Frame]| {
        frames.iter().map(|f| (f.time, f.original, f.data.clone())).collect::<Vec<_>>()
    };
    for cuts in 0..1_u32 << (times.len() - 1) {
        let at: Vec<_> = (1..times.len()).filter(|index| cuts >> (index - 1) & 1 == 1).collect();
        let parts = cut(&whole, &at);
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        let (frames, summaries) = read_all_bytes(&parts);
        assert_eq!(packets(&frames), packets(&expected), "cut before packets {at:?}");
        assert_eq!(summaries.len(), at.len() + 1);
    }
}

#[test]
fn a_real_capture_cut_anywhere_reads_like_the_uncut_one() {
    let Some(folder) = corpus_folder() else { return };
    let file = fs::read(folder.join("formats/ndpi__KakaoTalk_chat.pcap")).unwrap();
    let (expected, _) = read_bytes(&file);
    for at in 1..expected.len() {
        let parts = cut(&file, &[at, at + at / 2]);
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        let (frames, _) = read_all_bytes(&parts);
        assert!(
            frames.iter().map(Frame::packet).eq(expected.iter().map(Frame::packet)),
            "cut before packet {at}"
        );
    }
}

#[test]
fn overlapping_inputs_are_interleaved_by_time() {
    let a = packets(&[0, 2000, 4000, 6000, 8000], b'a');
    let b = packets(&[3000, 4000, 5000, 7000], b'b');
    let c = packets(&[4500, 20_000], b'c');
    let (frames, summaries) = read_all_bytes(&[&c, &a, &b]);
    let order: String = frames.iter().map(|frame| char::from(frame.data[0])).collect();
    // A tie goes to the input that is read first.
    assert_eq!(
        milliseconds(&frames),
        [0, 2000, 3000, 4000, 4000, 4500, 5000, 6000, 7000, 8000, 20_000]
    );
    assert_eq!(order, "aababcbabac");
    let gaps: Vec<_> = summaries.iter().map(|summary| summary.gap_to_previous).collect();
    assert_eq!(gaps, [None, Some(-5_000_000_000), Some(-3_500_000_000)]);
    let overlaps: Vec<_> = summaries.iter().map(|summary| summary.overlap_with_previous).collect();
    assert_eq!(overlaps, [None, Some(4_000_000_000), Some(3_500_000_000)]);
    assert!(summaries.iter().all(|summary| summary.clock == ClockSteps::default()));
}

#[test]
fn an_input_that_reaches_into_the_next_is_interleaved_with_it() {
    let b = packets(&[2000, 3000], b'b');
    for a in [&[0, 1000, 2900][..], &[0, 1000, 2900, 3001, 3100]] {
        let (frames, _) = read_all_bytes(&[&b, &packets(a, b'a')]);
        let mut expected = [a, &[2000, 3000]].concat();
        expected.sort_unstable();
        assert!(milliseconds(&frames).into_iter().eq(expected.into_iter().map(i64::from)));
    }
}

#[test]
fn many_batches_of_overlapping_inputs_keep_the_order() {
    let times = |start: u32| (0..30_000).map(|i| start + i * 3).collect::<Vec<_>>();
    let (a, b) = (packets(&times(0), b'a'), packets(&times(5001), b'b'));
    let (frames, _) = read_all_bytes(&[&a, &b]);
    assert_eq!(frames.len(), 60_000);
    assert!(frames.is_sorted_by_key(|frame| frame.time));
}

#[test]
fn files_are_found_ordered_and_described() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    };
    write("set/ring_10.pcap", &packets(&[3000], 10));
    write("set/ring_9.pcap", &packets(&[2000], 9));
    let tenth = write("set/deep/ring_8.pcap", &packets(&[1000], 8));
    write("set/readme.txt", b"not a capture");
    let text = write("notes.txt", b"not a capture either");
    let paths = [folder.path().join("set"), text.clone()];
    let inputs = Inputs::open(&paths, Hashing::Sha256).unwrap();
    let skipped: Vec<_> = inputs.skipped().iter().map(|s| s.path.file_name().unwrap()).collect();
    assert_eq!(skipped, ["readme.txt"]);
    assert_eq!(inputs.total_bytes(), Some(3 * (24 + 16 + 2) + 20));
    assert_eq!(inputs.path(0), Some(tenth.as_path()));
    let (frames, summaries) = read(inputs);
    assert_eq!(frames.iter().map(|frame| frame.data[0]).collect::<Vec<_>>(), [8, 9, 10]);
    let names: Vec<_> = summaries.iter().map(|summary| summary.name.as_str()).collect();
    assert_eq!(names, ["ring_8.pcap", "ring_9.pcap", "ring_10.pcap", "notes.txt"]);
    assert_eq!(summaries[2].gap_to_previous, Some(1_000_000_000));
    assert!(matches!(summaries[3].ending, Ending::Unreadable { offset: 0, .. }));
}

#[test]
fn all_problems_with_the_paths_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("empty")).unwrap();
    fs::write(path("a.pcap"), packets(&[1], 0)).unwrap();
    let paths = [path("missing.pcap"), path("empty"), path("a.pcap"), path("empty/../a.pcap")];
    let Err(errors) = Inputs::open(&paths, Hashing::Sha256) else { panic!("opened") };
    let kinds: Vec<_> = errors
        .iter()
        .map(|error| match error {
            OpenError::Unreachable { path, .. } => ("unreachable", path.clone()),
            OpenError::NoCapture { path, .. } => ("no capture", path.clone()),
            OpenError::Duplicate { second, .. } => ("duplicate", second.clone()),
            _ => panic!("{error}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("unreachable", path("missing.pcap")),
            ("duplicate", path("empty/../a.pcap")),
            ("no capture", path("empty"))
        ]
    );
    assert!(
        matches!(Inputs::open(&[], Hashing::Sha256), Err(errors) if matches!(errors[..], [OpenError::NoPath]))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever overlaps with whatever: no packet is lost, and all are in the order of their times.
    #[test]
    fn any_inputs_in_order_make_a_stream_in_order(
        mut inputs in proptest::collection::vec(
            proptest::collection::vec(0..20_000_u32, 0..40), 1..6),
    ) {
        inputs.iter_mut().for_each(|times| times.sort_unstable());
        let files: Vec<_> = (0..).zip(&inputs).map(|(name, times)| packets(times, name)).collect();
        let files: Vec<_> = files.iter().map(Vec::as_slice).collect();
        let (frames, _) = read_all_bytes(&files);
        prop_assert!(frames.is_sorted_by_key(|frame| frame.time));
        for (name, times) in (0..).zip(&inputs) {
            let own: Vec<_> = frames.iter().filter(|f| f.data[0] == name).cloned().collect();
            let indices: Vec<_> = own.iter().map(|frame| frame.data[1]).collect();
            prop_assert_eq!(indices, (0..times.len() as u8).collect::<Vec<_>>());
        }
    }
}

#[test]
fn short_reads_change_nothing() {
    let file = packets(&(0..200).map(|i| i * 10).collect::<Vec<_>>(), 3);
    let (expected, _) = read_bytes(&file);
    for count in [1, 2, 7, 23, 1000] {
        let source = Box::new(Trickle(Cursor::new(file.clone()), count));
        let streams: Vec<(String, Box<dyn Read + Send>)> = vec![("pipe".to_owned(), source)];
        let (frames, summaries) = read(Inputs::from_streams(streams, Hashing::Off).unwrap());
        assert_eq!(frames, expected, "{count} bytes at a time");
        assert_eq!((&summaries[0].ending, &summaries[0].sha256), (&Ending::Complete, &None));
    }
}

/// Fails with an error of the system after some bytes.
struct Broken(Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            // EIO.
            0 => Err(std::io::Error::from_raw_os_error(5)),
            count => Ok(count),
        }
    }
}

#[test]
fn an_error_of_the_system_keeps_what_came_before() {
    let file = packets(&[1, 2, 3], 3);
    let streams: Vec<(String, Box<dyn Read + Send>)> =
        vec![("disk".to_owned(), Box::new(Broken(Cursor::new(file.clone()))))];
    let (frames, summaries) = read(Inputs::from_streams(streams, Hashing::Sha256).unwrap());
    assert_eq!(frames.len(), 3);
    assert!(
        matches!(summaries[0].ending, Ending::Unreadable { offset, .. } if offset == file.len() as u64)
    );
    assert_eq!(summaries[0].sha256, None);
}

#[test]
fn inputs_not_read_to_the_end_say_so() {
    let file = packets(&(0..50_000).collect::<Vec<_>>(), 3);
    let later = packets(&[90_000_000], 4);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), &file).unwrap();
    fs::write(folder.path().join("b"), later).unwrap();
    let mut inputs = Inputs::open(&[folder.path().to_owned()], Hashing::Sha256).unwrap();
    let mut batch = FrameBatch::default();
    assert!(inputs.fill(&mut batch));
    assert!(inputs.read_bytes() > 0);
    let read = batch.frames.len() as u64;
    let summaries = inputs.finish();
    // More are held than were delivered.
    let packets = summaries[0].packets;
    assert!((read..50_000).contains(&packets));
    assert_eq!(summaries[0].ending, Ending::NotRead { offset: 24 + 18 * packets });
    assert_eq!(summaries[1].ending, Ending::NotRead { offset: 0 });
    assert!(summaries.iter().all(|summary| summary.sha256.is_none()));
}

#[test]
fn a_file_that_vanishes_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a"), packets(&[1], 1)).unwrap();
    fs::write(path("b"), packets(&[2], 2)).unwrap();
    let inputs = Inputs::open(&[folder.path().to_owned()], Hashing::Sha256).unwrap();
    fs::remove_file(path("a")).unwrap();
    let (frames, summaries) = read(inputs);
    assert_eq!(frames.iter().map(|frame| frame.data[0]).collect::<Vec<_>>(), [2]);
    assert!(matches!(summaries[0].ending, Ending::Unreadable { offset: 0, .. }));
}
