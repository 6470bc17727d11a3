//! The capture layer over real files and over files built byte by byte.
//!
//! The real captures are found through `PORTOLAN_CORPUS`; what they must give stands in their
//! `counts.tsv`, made by tshark and capinfos.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use portolan::base::{LinkType, Timestamp};
use portolan::capture::{
    ClockSteps, Compression, Container, Ending, FrameBatch, Hashing, InputSummary, Inputs,
    Interface, InterfaceStatistics, LatePackets, OpenError, Resolution, TimeHealth,
};

mod blocks;
pub mod build;
pub mod corpus;
mod damage;
mod order;
mod reorder;

/// A frame outside its batch.
#[derive(Clone, Debug, PartialEq)]
struct Frame {
    input: u32,
    number: u64,
    time: Timestamp,
    original: u32,
    link: LinkType,
    fcs_bytes: u8,
    data: Vec<u8>,
}

impl Frame {
    /// What must stay the same wherever the packet is read from.
    fn packet(&self) -> (Timestamp, u32, LinkType, &[u8]) {
        (self.time, self.original, self.link, &self.data)
    }
}

/// Reads everything, and checks what holds for every stream.
fn read(inputs: Inputs) -> (Vec<Frame>, Vec<InputSummary>) {
    let (frames, summaries, _) = read_with_health(inputs);
    (frames, summaries)
}

/// The same, and what is told of the times of the whole stream.
fn read_with_health(mut inputs: Inputs) -> (Vec<Frame>, Vec<InputSummary>, TimeHealth) {
    let mut frames = Vec::new();
    let mut batch = FrameBatch::default();
    let mut numbers: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    while inputs.fill(&mut batch) {
        assert!(!batch.frames.is_empty(), "a batch without frames");
        for meta in &batch.frames {
            assert_eq!(meta.source.ordinal, frames.len() as u64);
            numbers.entry(meta.source.input).or_default().push(meta.source.number);
            assert!(meta.captured <= meta.original);
            let data = batch.data(meta).to_vec();
            assert_eq!(data.len(), meta.captured as usize);
            frames.push(Frame {
                input: meta.source.input,
                number: meta.source.number,
                time: meta.time,
                original: meta.original,
                link: meta.link,
                fcs_bytes: meta.fcs_bytes,
                data,
            });
        }
    }
    assert!(batch.frames.is_empty());
    let health = inputs.health();
    let summaries = inputs.finish();
    for (index, summary) in summaries.iter().enumerate() {
        let mut numbers = numbers.remove(&(index as u32)).unwrap_or_default();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..=summary.packets), "{}", summary.name);
    }
    let late = |count: fn(LatePackets) -> u64| summaries.iter().map(|s| count(s.late)).sum::<u64>();
    assert_eq!(health.late.reordered, late(|late| late.reordered));
    assert_eq!(health.late.out_of_reach, late(|late| late.out_of_reach));
    (frames, summaries, health)
}

/// Reads files or folders that must open.
fn read_paths(paths: &[PathBuf]) -> (Vec<Frame>, Vec<InputSummary>) {
    read(
        Inputs::open(paths, Hashing::Sha256)
            .unwrap_or_else(|errors| panic!("{paths:?}: {errors:?}")),
    )
}

/// Reads one input out of memory.
fn read_bytes(bytes: &[u8]) -> (Vec<Frame>, InputSummary) {
    let (frames, mut summaries) = read_all_bytes(&[bytes]);
    (frames, summaries.remove(0))
}

/// Reads several inputs out of memory, named `part1`, `part2` and so on.
fn read_all_bytes(parts: &[&[u8]]) -> (Vec<Frame>, Vec<InputSummary>) {
    let streams = parts.iter().enumerate().map(|(index, bytes)| {
        let source: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.to_vec()));
        (format!("part{}", index + 1), source)
    });
    read(Inputs::from_streams(streams.collect(), Hashing::Sha256).expect("memory can be read"))
}

/// Gives a few bytes at a time, like a slow pipe.
struct Trickle(Cursor<Vec<u8>>, usize);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

/// A classic pcap file, little-endian, microseconds, Ethernet.
fn pcap(packets: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let mut file = pcap_header(1).to_vec();
    for (seconds, micros, data) in packets {
        let length = data.len() as u32;
        for field in [*seconds, *micros, length, length] {
            file.extend(field.to_le_bytes());
        }
        file.extend_from_slice(data);
    }
    file
}

fn pcap_header(link: u32) -> [u8; 24] {
    let mut header = [0; 24];
    header[..4].copy_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
    header[4..6].copy_from_slice(&2_u16.to_le_bytes());
    header[6..8].copy_from_slice(&4_u16.to_le_bytes());
    header[16..20].copy_from_slice(&65_535_u32.to_le_bytes());
    header[20..24].copy_from_slice(&link.to_le_bytes());
    header
}

/// The folder of real captures, unless the environment names none.
pub fn corpus_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("PORTOLAN_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        #[expect(clippy::print_stderr, reason = "tells why nothing was tested")]
        {
            eprintln!("skipped: PORTOLAN_CORPUS does not name a folder of captures");
        }
    }
    folder
}

pub fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    files
}
