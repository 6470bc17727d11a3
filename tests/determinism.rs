//! The same packets give the same bytes: whatever the number of threads, the number of files,
//! the container and the compression.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use portolan::base::LinkType;
use portolan::capture::{FrameBatch, Hashing, Inputs};
use tempfile::TempDir;

use crate::capture::build::Builder;
use crate::capture::{corpus_folder, files_of};
use crate::corpus::addresses;
use crate::runs::{Rules, Run, check, repository, text};
use crate::sites;

/// The bytes of report and flow list, without what tells how the packets were stored.
fn bytes(run: &Run) -> (String, String) {
    let mut report = serde_json::to_value(&run.report).unwrap();
    let object = report.as_object_mut().unwrap();
    for block in ["run", "inputs", "inputs_skipped", "packet_index"] {
        assert!(object.remove(block).is_some(), "{block}");
    }
    let mut lines = String::new();
    for line in &run.lines {
        let mut line = serde_json::to_value(line).unwrap();
        let object = line.as_object_mut().unwrap();
        for field in ["file", "file_packet"] {
            assert!(object.remove(field).is_some(), "{field}");
        }
        lines.push_str(&format!("{line}\n"));
    }
    (serde_json::to_string_pretty(&report).unwrap(), lines)
}

fn assert_same(what: &str, expected: &(String, String), run: &Run) {
    let found = bytes(run);
    for (expected, found) in [(&expected.0, &found.0), (&expected.1, &found.1)] {
        let mut lines = expected.lines().zip(found.lines());
        let first = lines.find(|(expected, found)| expected != found);
        assert!(expected == found, "{what}: {first:?}");
    }
}

/// A packet as any container can hold it.
struct Packet {
    nanos: i64,
    original: u32,
    link: LinkType,
    data: Vec<u8>,
}

/// The packets of a capture in the order of the file. `None` when a container would have to say more of them than time,
/// lengths and link type, or when their times run back so far that a cut changes their order.
fn packets(path: &Path) -> Option<Vec<Packet>> {
    let mut inputs = Inputs::open(&[path.to_owned()], Hashing::Off).unwrap();
    let mut packets = Vec::new();
    let mut batch = FrameBatch::default();
    let mut plain = true;
    while inputs.fill(&mut batch) {
        for frame in &batch.frames {
            plain &= frame.fcs_bytes == 0 && frame.time.nanos() >= 0;
            let packet = Packet {
                nanos: frame.time.nanos(),
                original: frame.original,
                link: frame.link,
                data: batch.data(frame).to_vec(),
            };
            packets.push((frame.source.number, packet));
        }
    }
    packets.sort_by_key(|(number, _)| *number);
    let packets = packets.into_iter().map(|(_, packet)| packet).collect();
    let summary = inputs.finish().remove(0);
    let counted = summary
        .interfaces
        .iter()
        .any(|interface| interface.lost().is_some() || interface.filter.is_some());
    let orderly = summary.clock.regressions.widest < 1_000_000_000;
    (plain && orderly && !counted && summary.untimed_packets == 0).then_some(packets)
}

/// Classic pcap with nanoseconds. Holds one link type and times until 2106.
fn pcap(packets: &[Packet], big_endian: bool) -> Option<Vec<u8>> {
    let link = packets.first().map_or(LinkType::ETHERNET, |packet| packet.link);
    let mut file = Vec::new();
    let words = |words: &[u32], file: &mut Vec<u8>| {
        for word in words {
            let bytes = if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
            file.extend_from_slice(&bytes);
        }
    };
    words(&[0xa1b2_3c4d], &mut file);
    for half in [2_u16, 4] {
        file.extend(if big_endian { half.to_be_bytes() } else { half.to_le_bytes() });
    }
    words(&[0, 0, 262_144, u32::from(link.0)], &mut file);
    for packet in packets {
        let seconds = u32::try_from(packet.nanos / 1_000_000_000).ok()?;
        let nanos = (packet.nanos % 1_000_000_000) as u32;
        if packet.link != link {
            return None;
        }
        words(&[seconds, nanos, packet.data.len() as u32, packet.original], &mut file);
        file.extend_from_slice(&packet.data);
    }
    Some(file)
}

/// pcapng with nanoseconds and one interface for each link type.
fn pcapng(packets: &[Packet]) -> Vec<u8> {
    let build = Builder::LITTLE;
    let nanoseconds = [build.option(9, &[9]), build.option(0, b"")].concat();
    let mut file = build.section(1, 0);
    let mut links: Vec<LinkType> = Vec::new();
    for packet in packets {
        let interface = links.iter().position(|link| *link == packet.link).unwrap_or_else(|| {
            links.push(packet.link);
            file.extend(build.interface(packet.link.0, 0, &nanoseconds));
            links.len() - 1
        });
        let lengths = [packet.data.len() as u32, packet.original];
        let (interface, time) = (interface as u32, packet.nanos as u64);
        file.extend(build.enhanced_of_lengths(interface, time, lengths, &packet.data, b""));
    }
    file
}

/// A file under every compression that is read.
fn compressed(plain: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(plain).unwrap();
    let zstd = zstd::encode_all(plain, 1).unwrap();
    [("gz", gzip.finish().unwrap()), ("zst", zstd), ("lz4", lz4.finish().unwrap())]
}

/// A folder for files that a test makes.
struct Forms {
    folder: TempDir,
}

impl Forms {
    fn new() -> Forms {
        Forms { folder: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The packets in `count` files, named so that the order of names is that of time.
    fn rotated(&self, packets: &[Packet], count: usize) -> Vec<PathBuf> {
        let size = packets.len().div_ceil(count).max(1);
        let parts = packets.chunks(size).enumerate();
        parts
            .map(|(index, part)| {
                let name = format!("in-{count}/night_{index}.pcap");
                match pcap(part, index % 2 == 1).filter(|_| index % 3 != 2) {
                    Some(file) => self.file(&name, &file),
                    None => self.file(&format!("{name}ng"), &pcapng(part)),
                }
            })
            .collect()
    }
}

/// Checks every form in which the packets of a capture may arrive.
fn assert_every_form(name: &str, packets: &[Packet], expected: &(String, String), rules: &Rules) {
    let forms = Forms::new();
    let plain = pcap(packets, false);
    let mut single = vec![("form.pcapng".to_owned(), pcapng(packets))];
    single.extend(pcap(packets, true).map(|file| ("form-big-endian.pcap".to_owned(), file)));
    for (suffix, file) in compressed(plain.as_ref().unwrap_or(&single[0].1)) {
        single.push((format!("form.{suffix}"), file));
    }
    single.extend(plain.map(|file| ("form.pcap".to_owned(), file)));
    for (form, file) in single {
        let path = forms.file(&form, &file);
        assert_same(&format!("{name} as {form}"), expected, &check(&[path], rules, 2));
    }
    for count in [2, 3, 7] {
        let mut parts = forms.rotated(packets, count);
        let folder = parts.first().and_then(|part| part.parent()).map(Path::to_owned);
        // The order on the command line does not matter.
        parts.reverse();
        assert_same(&format!("{name} in {count} parts"), expected, &check(&parts, rules, 2));
        if let Some(folder) = folder {
            let run = check(&[folder], rules, 1);
            assert_same(&format!("{name} in a folder of {count}"), expected, &run);
        }
    }
}

fn assert_every_thread_count(name: &str, capture: &Path, rules: &Rules) -> (String, String) {
    let capture = [capture.to_owned()];
    let one = bytes(&check(&capture, rules, 1));
    for threads in [2, 8] {
        assert_same(&format!("{name}, {threads} threads"), &one, &check(&capture, rules, threads));
    }
    one
}

#[test]
fn fixtures_give_the_same_bytes_in_every_form() {
    let sites = [
        ("quickstart", "site.toml"),
        ("voicemail", "site.toml"),
        ("voicemail", "site-roles-only.toml"),
    ];
    for (fixture, site) in sites {
        let capture = repository(&format!("fixtures/{fixture}/capture.pcap"));
        let rules = Rules::at(&text(&format!("fixtures/{fixture}/{site}")));
        let expected = assert_every_thread_count(fixture, &capture, &rules);
        assert!(expected.1.lines().count() > 20);
        let packets = packets(&capture).expect("a plain capture");
        assert_every_form(fixture, &packets, &expected, &rules);
    }
}

#[test]
fn real_captures_give_the_same_bytes_at_sites_made_up() {
    let Some(folder) = corpus_folder() else { return };
    let policy = Rules::at("").policy;
    let mut reshaped = 0;
    for (seed, capture) in (0..).zip(files_of(&folder.join("protocols"))) {
        let name = capture.file_name().unwrap().to_string_lossy();
        let without = check(std::slice::from_ref(&capture), &Rules::at(""), 1);
        let rules = Rules::at(&sites::random(&policy, &addresses(&without), seed));
        let expected = assert_every_thread_count(&name, &capture, &rules);
        if let Some(packets) = packets(&capture) {
            reshaped += 1;
            assert_every_form(&name, &packets, &expected, &rules);
        }
    }
    println!("{reshaped} captures in every form");
    assert!(reshaped > 150, "only {reshaped} captures were reshaped");
}
