//! Damage never panics and never costs the packets before it.

use super::build::Builder;
use super::*;

/// A small file of every kind, the packets in it, and where each record ends.
struct Sample {
    name: &'static str,
    bytes: Vec<u8>,
    /// Offset behind each packet's record.
    ends: Vec<usize>,
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut file = pcap_header(1).to_vec();
    let mut ends = Vec::new();
    for index in 1..=4_u8 {
        let data = vec![index; usize::from(index) * 7];
        file.extend_from_slice(&pcap(&[(u32::from(index), 5, &data)])[24..]);
        ends.push(file.len());
    }
    samples.push(Sample { name: "pcap", bytes: file, ends });

    let build = Builder::LITTLE;
    let mut file = build.section(1, 0);
    let mut ends = Vec::new();
    file.extend(build.interface(1, 0, &[build.option(9, &[9]), build.option(0, &[])].concat()));
    for index in 1..=4_u8 {
        let data = vec![index; usize::from(index) * 7];
        let dropped = build.option(4, &[0; 8]);
        file.extend(build.enhanced(0, u64::from(index), &data, &dropped));
        ends.push(file.len());
        file.extend(build.block(0x0bad, &[7; 12]));
    }
    samples.push(Sample { name: "pcapng", bytes: file, ends });
    samples
}

#[test]
fn every_truncation_keeps_the_complete_records() {
    for Sample { name, bytes, ends } in samples() {
        let (all, summary) = read_bytes(&bytes);
        assert_eq!((all.len(), &summary.ending), (4, &Ending::Complete), "{name}");
        for length in 0..bytes.len() {
            let (frames, summary) = read_bytes(&bytes[..length]);
            let whole = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(frames, all[..whole], "{name} cut to {length}");
            assert_eq!(summary.size, length as u64);
            assert!(!matches!(summary.ending, Ending::Corrupt { .. }), "{name} cut to {length}");
            if let Ending::IncompleteTail { offset, bytes, .. } = summary.ending {
                assert_eq!(offset + bytes, length as u64, "{name} cut to {length}");
            }
        }
    }
}

#[test]
fn every_damaged_byte_keeps_the_records_before_it() {
    for Sample { name, bytes, ends } in samples() {
        let (all, _) = read_bytes(&bytes);
        for position in 0..bytes.len() {
            for change in [0x01, 0x10, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[position] ^= change;
                let (frames, summary) = read_bytes(&damaged);
                let before = ends.iter().filter(|end| **end <= position).count();
                let kept = frames.get(..before).expect("packets before the damage");
                assert_eq!(kept, &all[..before], "{name}, byte {position} ^ {change:#x}");
                if let Ending::Corrupt { offset, .. } = summary.ending {
                    assert!(offset as usize >= before.checked_sub(1).map_or(0, |i| ends[i]));
                }
            }
        }
    }
}

#[test]
fn every_truncation_of_a_compressed_file_keeps_a_beginning() {
    let data: Vec<_> = (0..2000_u32).map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let packets: Vec<_> =
        data.iter().zip(0..).map(|(data, second)| (second, 0, &data[..])).collect();
    let plain = pcap(&packets);
    let (all, _) = read_bytes(&plain);
    for (name, stored) in compressed(&plain) {
        let (frames, summary) = read_bytes(&stored);
        assert_eq!((frames.len(), &summary.ending), (2000, &Ending::Complete), "{name}");
        let mut longest = 0;
        for length in (0..stored.len()).step_by(97) {
            let (frames, summary) = read_bytes(&stored[..length]);
            assert_eq!(frames, all[..frames.len()], "{name} cut to {length}");
            assert!(summary.ending != Ending::Complete, "{name} cut to {length}");
            assert_eq!(summary.size, length as u64);
            assert!(frames.len() >= longest, "{name} cut to {length}");
            longest = frames.len();
        }
        assert!(longest > 500, "{name}: only {longest} packets before the cut");
    }
}

/// The bytes under every compression that is read, the frames small enough to be cut between.
fn compressed(plain: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain).unwrap();
    let mut zstd = Vec::new();
    let mut lz4 = Vec::new();
    for chunk in plain.chunks(10_000) {
        zstd.extend(zstd::encode_all(chunk, 1).unwrap());
        let mut encoder = lz4_flex::frame::FrameEncoder::new(&mut lz4);
        encoder.write_all(chunk).unwrap();
        encoder.finish().unwrap();
    }
    vec![("gzip", gzip.finish().unwrap()), ("zstd", zstd), ("lz4", lz4)]
}

#[test]
fn compression_changes_nothing_but_the_input_as_stored() {
    let plain = samples().remove(1).bytes;
    let (expected, _) = read_bytes(&plain);
    for (name, stored) in compressed(&plain) {
        let (frames, summary) = read_bytes(&stored);
        assert_eq!(frames, expected, "{name}");
        assert_eq!(summary.compression.to_string(), name);
        assert_eq!(summary.size, stored.len() as u64);
    }
}

#[test]
fn zero_bytes_at_the_end_are_a_file_not_yet_written() {
    for Sample { name, bytes, ends } in samples() {
        for zeros in [1, 15, 16, 17, 100, 1 << 20] {
            let mut padded = bytes.clone();
            padded.resize(bytes.len() + zeros, 0);
            let (frames, summary) = read_bytes(&padded);
            assert_eq!(frames.len(), ends.len(), "{name}");
            let what = "zero padding";
            assert_eq!(
                summary.ending,
                Ending::IncompleteTail { offset: bytes.len() as u64, bytes: zeros as u64, what },
                "{name} and {zeros} zeros"
            );
            if zeros >= 100 {
                padded.push(1);
                let (frames, summary) = read_bytes(&padded);
                assert_eq!(frames.len(), ends.len(), "{name}");
                assert!(
                    matches!(summary.ending, Ending::Corrupt { offset, .. } if offset == bytes.len() as u64),
                    "{name} and {zeros} zeros and a one: {}",
                    summary.ending
                );
            }
        }
    }
}

#[test]
fn real_files_survive_a_cut_anywhere() {
    let Some(folder) = corpus_folder() else { return };
    for path in files_of(&folder.join("formats")) {
        let bytes = fs::read(&path).unwrap();
        // In the order of the file: a packet that belongs before them may be cut off.
        let by_number = |mut frames: Vec<Frame>| {
            frames.sort_by_key(|frame| frame.number);
            frames
        };
        let all = by_number(read_bytes(&bytes).0);
        let step = (bytes.len() / 40).max(1);
        for length in (0..bytes.len()).step_by(step) {
            let frames = by_number(read_bytes(&bytes[..length]).0);
            assert_eq!(frames, all[..frames.len()], "{} cut to {length}", path.display());
        }
    }
}
