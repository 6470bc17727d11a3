//! libpcap as a second opinion: every real capture that it reads gives the same packets here.
//!
//! Run with `PORTOLAN_CORPUS=... cargo test --features live --test libpcap_oracle`.

use std::fs;
use std::path::{Path, PathBuf};

use portolan::capture::{
    Compression, Container, Ending, FrameBatch, Hashing, InputSummary, Inputs,
};

/// A packet as both sides see it.
#[derive(Debug, PartialEq)]
struct Packet {
    nanos: i64,
    original: u32,
    data: Vec<u8>,
}

/// What libpcap makes of a file: its packets, and the error that ended them.
struct Oracle {
    packets: Vec<Packet>,
    error: Option<String>,
}

/// Reads a file with libpcap; `None` when it does not open the file.
fn libpcap(path: &Path) -> Option<Oracle> {
    let mut capture = pcap::Capture::from_file_with_precision(path, pcap::Precision::Nano).ok()?;
    let mut packets = Vec::new();
    loop {
        match capture.next_packet() {
            Ok(packet) => packets.push(Packet {
                // At this precision the field for microseconds holds nanoseconds.
                nanos: packet.header.ts.tv_sec * 1_000_000_000 + packet.header.ts.tv_usec,
                original: packet.header.len,
                data: packet.data.to_vec(),
            }),
            Err(pcap::Error::NoMorePackets) => return Some(Oracle { packets, error: None }),
            Err(error) => return Some(Oracle { packets, error: Some(error.to_string()) }),
        }
    }
}

/// Reads a file with the library.
fn portolan(path: &Path) -> (Vec<Packet>, InputSummary) {
    let mut inputs = Inputs::open(&[path.to_owned()], Hashing::Off).expect("opens");
    let mut batch = FrameBatch::default();
    let mut packets = Vec::new();
    while inputs.fill(&mut batch) {
        packets.extend(batch.frames.iter().map(|frame| {
            (
                frame.source.number,
                Packet {
                    nanos: frame.time.nanos(),
                    original: frame.original,
                    data: batch.data(frame).to_vec(),
                },
            )
        }));
    }
    // libpcap keeps the order of the file.
    packets.sort_by_key(|(number, _)| *number);
    let packets = packets.into_iter().map(|(_, packet)| packet).collect();
    (packets, inputs.finish().remove(0))
}

type Change = fn(&mut [Packet]);

/// Files in which libpcap sees something else: why, and what makes our packets its own.
const EXCEPTIONS: [(&str, &str, Change); 5] = [
    (
        "formats/hadrielk__output_be-basic-test016.pcapng",
        "packets without a time stamp have the time 0 in libpcap, here that of the packet before",
        |packets| packets[2].nanos = 0,
    ),
    ("formats/hadrielk__output_le-basic-test018.pcapng", "the same", |packets| {
        packets[2].nanos = 0
    }),
    (
        "malformed/tcpdump__timestamp_invalid_micro.pcap",
        "a fraction of 2147483648 us is taken for a negative number by libpcap",
        |packets| packets[2].nanos -= (1 << 32) * 1000,
    ),
    (
        "malformed/libpcap__slip-sliplink_print-oobr.pcap",
        "the wire length is below the captured length; here it is raised to it",
        |packets| packets[0].original = 225,
    ),
    ("malformed/tcpdump__icmp-icmp_print-oobr-2.pcap", "the same", |packets| {
        packets[0].original = 34;
        packets[1].original = 0;
    }),
];

/// Turns our packets into what libpcap is known to make of the same file.
fn as_libpcap_sees(file: &str, summary: &InputSummary, packets: &mut [Packet]) {
    if summary.container != Some(Container::Pcapng) {
        // It cuts packets to the snapshot length of the file header, unless that is 0. Here they
        // stay whole.
        let snaplen = match summary.interfaces[0].snaplen {
            0 => usize::MAX,
            snaplen => snaplen as usize,
        };
        packets.iter_mut().for_each(|packet| packet.data.truncate(snaplen));
    }
    if let Some((.., change)) = EXCEPTIONS.iter().find(|(name, ..)| *name == file) {
        change(packets);
    }
}

/// Why libpcap may refuse a file as a whole.
fn may_refuse(summary: &InputSummary) -> bool {
    summary.compression != Compression::None
        || matches!(summary.ending, Ending::Unreadable { .. })
        // It asks for an interface, even where there are no packets.
        || (summary.container == Some(Container::Pcapng) && summary.interfaces.is_empty())
}

fn compare(file: &str, path: &Path) -> Result<(), String> {
    let (mut ours, summary) = portolan(path);
    let Some(mut oracle) = libpcap(path) else {
        let allowed = may_refuse(&summary);
        return if allowed { Ok(()) } else { Err("libpcap does not open it".to_owned()) };
    };
    if summary.container.is_none() {
        // Link-type fields with reserved bits: tshark and we refuse them, libpcap does not.
        let known = file == "malformed/libpcap__linktype-reserved-field-not-zero.pcap";
        return if known { Ok(()) } else { Err(summary.ending.to_string()) };
    }
    as_libpcap_sees(file, &summary, &mut ours);
    match oracle.error.as_deref() {
        None if summary.ending != Ending::Complete => return Err(summary.ending.to_string()),
        // A file with interfaces of two kinds is too much for its interface.
        Some(error) if error.contains("different from the") => ours.truncate(oracle.packets.len()),
        Some(error) if summary.ending == Ending::Complete => return Err(error.to_owned()),
        _ => {}
    }
    if ours.len() != oracle.packets.len() {
        return Err(format!("{} packets, libpcap {}", ours.len(), oracle.packets.len()));
    }
    for (number, (ours, theirs)) in (1..).zip(ours.iter().zip(oracle.packets.drain(..))) {
        if *ours != theirs {
            let show = |p: &Packet| (p.nanos, p.original, p.data.len());
            return Err(format!("packet {number}: {:?}, libpcap {:?}", show(ours), show(&theirs)));
        }
    }
    Ok(())
}

#[test]
fn libpcap_sees_the_same_packets() {
    let Some(folder) = std::env::var_os("PORTOLAN_CORPUS").map(PathBuf::from) else {
        {
            eprintln!("skipped: PORTOLAN_CORPUS does not name a folder of captures");
        }
        return;
    };
    let mut problems = Vec::new();
    let mut files = 0;
    for part in ["encaps", "formats", "malformed", "protocols"] {
        for entry in fs::read_dir(folder.join(part)).expect("folder") {
            let path = entry.expect("entry").path();
            let file = format!("{part}/{}", path.file_name().unwrap().to_string_lossy());
            files += 1;
            if let Err(problem) = compare(&file, &path) {
                problems.push(format!("{file}: {problem}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(files > 0, "no files");
}
