//! Payload that means harm, through the whole fold: noise is no protocol, and what connections
//! send, announce or withhold takes a bounded amount of memory.

use portolan::base::{LinkType, Timestamp};
use portolan::capture::{FrameBatch, FrameMeta, FrameRef};
use portolan::engine::{Evaluated, Fold};
use portolan::identify::{Grade, Protocol};

use crate::frames;
use crate::sites::Numbers;

/// Frames of one stream, one tenth of a millisecond apart, in batches.
struct Stream {
    fold: Fold,
    batch: FrameBatch,
    packets: u64,
}

/// Frames of one batch.
const BATCH: usize = 1024;

impl Stream {
    /// With room for so many runs in the flow table.
    fn new(most_runs: u64) -> Stream {
        let fold = Fold::new(foldhash::fast::RandomState::default(), most_runs);
        Stream { fold, batch: FrameBatch::default(), packets: 0 }
    }

    fn push(&mut self, frame: &[u8]) {
        let time = 1_700_000_000_000_000_000 + self.packets as i64 * 100_000;
        self.batch.frames.push(FrameMeta {
            offset: self.batch.bytes.len(),
            captured: frame.len() as u32,
            original: frame.len() as u32,
            time: Timestamp::from_nanos(time),
            source: FrameRef { ordinal: self.packets, input: 0, number: self.packets + 1 },
            link: LinkType::ETHERNET,
            fcs_bytes: 0,
            stored_at: 0,
            interface: 0,
        });
        self.batch.bytes.extend_from_slice(frame);
        self.packets += 1;
        if self.batch.frames.len() == BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.fold.push(&[std::mem::take(&mut self.batch)]);
    }

    /// Bytes of memory in use for what payload tells.
    fn kept(&mut self) -> u64 {
        self.flush();
        self.fold.kept()
    }

    fn evaluate(mut self) -> Evaluated {
        self.flush();
        self.fold.finish().evaluate()
    }
}

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];

/// Ports at which recognisers are asked first, and others.
const PORTS: [u16; 24] = [
    53, 69, 88, 123, 135, 137, 138, 139, 161, 389, 443, 445, 464, 500, 1433, 1434, 1812, 2000,
    3389, 5060, 5353, 5900, 23_000, 40_000,
];

/// Bytes of any value, printable text, or small numbers as headers have them.
fn noise(numbers: &mut Numbers, kind: usize) -> Vec<u8> {
    let most = if numbers.below(8) == 0 { 1400 } else { 120 };
    let length = 1 + numbers.below(most);
    let mut byte = || match kind {
        0 => numbers.below(256),
        1 => match numbers.below(20) {
            0 => usize::from(*numbers.one_of(b"\r\n\t")),
            _ => 0x20 + numbers.below(95),
        },
        _ => match numbers.below(8) {
            0..3 => 0,
            3..6 => numbers.below(8),
            _ => numbers.below(256),
        },
    };
    (0..length).map(|_| byte() as u8).collect()
}

/// A conversation of noise between two ends.
fn converse(numbers: &mut Numbers, kind: usize, flow: u32, stream: &mut Stream) {
    let [_, a, b, c] = flow.to_be_bytes();
    let hosts = ([11, a, b, c], SERVER);
    let ports = (1024 + numbers.below(60_000) as u16, *numbers.one_of(&PORTS));
    let tcp = numbers.below(2) == 0;
    let mut sequences = [numbers.below(1 << 31) as u32, numbers.below(1 << 31) as u32];
    if tcp && numbers.below(2) == 0 {
        let [client, server] = sequences;
        let (back, down) = ((hosts.1, hosts.0), (ports.1, ports.0));
        let first = client.wrapping_sub(1);
        stream.push(&frames::tcp(hosts, ports, first, 0, 0x02, b""));
        stream.push(&frames::tcp(back, down, server.wrapping_sub(1), client, 0x12, b""));
    }
    for _ in 0..1 + numbers.below(12) {
        let data = noise(numbers, kind);
        let by = numbers.below(2);
        let (hosts, ports) =
            if by == 0 { (hosts, ports) } else { ((hosts.1, hosts.0), (ports.1, ports.0)) };
        if tcp {
            let [sequence, ack] = [sequences[by], sequences[1 - by]];
            stream.push(&frames::tcp(hosts, ports, sequence, ack, 0x18, &data));
            sequences[by] = sequence.wrapping_add(data.len() as u32);
        } else {
            stream.push(&frames::udp(hosts, ports, &data));
        }
    }
}

/// Folds so many packets of noise, and answers what was recognised at a grade or better.
fn recognised(packets: u64, kind: usize, least: Grade, seed: u64) -> Vec<String> {
    let mut numbers = Numbers::seeded(seed);
    let mut found = Vec::new();
    let mut left = packets;
    while left > 0 {
        let mut stream = Stream::new(u64::MAX);
        let mut flow = 0;
        while stream.packets < left.min(200_000) {
            flow += 1;
            converse(&mut numbers, kind, flow, &mut stream);
        }
        left = left.saturating_sub(stream.packets);
        for record in stream.evaluate().records {
            let identity = record.content.and_then(|content| content.identity.clone());
            found.extend(
                identity
                    .filter(|identity| identity.grade >= least)
                    .map(|identity| format!("{:?} {identity:02x?}", record.key)),
            );
        }
    }
    found
}

/// Of bytes of any value and of text nothing is believed; numbers that look like headers prove
/// nothing.
const KINDS: [(usize, Grade); 3] = [(0, Grade::Strong), (1, Grade::Strong), (2, Grade::Confirmed)];

#[test]
fn noise_is_no_protocol() {
    for (kind, least) in KINDS {
        let found = recognised(20_000, kind, least, 7 + kind as u64);
        assert!(found.is_empty(), "noise {kind}: {} {:#?}", found.len(), found.first());
    }
}

/// Twelve million packets: minutes.
#[test]
#[ignore = "takes long"]
fn much_noise_is_no_protocol() {
    for (kind, least) in KINDS {
        let found = recognised(4_000_000, kind, least, 1000 + kind as u64);
        assert!(found.is_empty(), "noise {kind}: {} {:#?}", found.len(), found.first());
    }
}

/// Bytes of one run in the flow table without its payload: the unit of its room.
const RUN: u64 = 768;

/// Flows that each begin like something are given up where memory ends, and that is told.
#[test]
fn undecided_flows_take_no_more_memory_than_there_is() {
    const MOST: u64 = 4000;
    let mut stream = Stream::new(MOST);
    let begin = b"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for number in 0..40_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        let hosts = ([11, a, b, c], SERVER);
        stream.push(&frames::tcp(hosts, (50_000, 80), 1, 1, 0x18, begin));
        if number % 8192 == 0 {
            // A batch may pass the limit by what it brings.
            let used = stream.fold.runs() + stream.kept() / RUN;
            assert!(used < MOST + 8 * BATCH as u64, "{used} runs' worth in use");
        }
    }
    let used = stream.fold.runs() + stream.kept() / RUN;
    assert!(used < MOST + 8 * BATCH as u64, "{used} runs' worth in use");
    let evaluated = stream.evaluate();
    let full = evaluated.accounting.of(portolan::flow::Class::TableFull).packets;
    assert_eq!(evaluated.records.len() as u64 + full, 40_000);
    assert!(full > 30_000);
}

/// A connection is said what belongs to its begin, so that it is followed.
fn followed(stream: &mut Stream, port: u16, begin: &[u8], answer: &[u8]) -> (u32, u32) {
    let (there, back) = ((CLIENT, SERVER), (SERVER, CLIENT));
    let (up, down) = ((50_000, port), (port, 50_000));
    stream.push(&frames::tcp(there, up, 1000, 0, 0x02, b""));
    stream.push(&frames::tcp(back, down, 9000, 1001, 0x12, b""));
    stream.push(&frames::tcp(there, up, 1001, 9001, 0x18, begin));
    stream.push(&frames::tcp(back, down, 9001, 1001 + begin.len() as u32, 0x18, answer));
    (1001 + begin.len() as u32, 9001 + answer.len() as u32)
}

const OPTIONS: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n";
const OK: &[u8] = b"SIP/2.0 200 OK\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n";

/// Announcements without end: a bounded number is kept, and the rest is counted.
#[test]
fn endless_announcements_are_counted() {
    let mut stream = Stream::new(u64::MAX);
    let (mut sequence, ack) = followed(&mut stream, 5060, OPTIONS, OK);
    let before = stream.kept();
    for port in 10_000..30_000_u16 {
        let body = format!("v=0\r\nc=IN IP4 10.0.0.1\r\nm=image {port} udptl t38\r\n");
        let message = format!(
            "INVITE sip:a@b SIP/2.0\r\nCall-ID: 1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.push(&frames::tcp(
            (CLIENT, SERVER),
            (50_000, 5060),
            sequence,
            ack,
            0x18,
            message.as_bytes(),
        ));
        sequence = sequence.wrapping_add(message.len() as u32);
    }
    let kept = stream.kept() - before;
    assert!(kept < 512 * 1024, "{kept} bytes for the announcements of one connection");
    let evaluated = stream.evaluate();
    let content = evaluated.records[0].content.as_ref().expect("payload");
    assert_eq!(content.identity.as_ref().map(|one| one.protocol), Some(Protocol::Sip));
    // Each port is announced at the address written and at the sender.
    let announced = content.announced.len() as u64;
    assert_eq!(announced + u64::from(content.announcements_lost), 40_000);
    assert!((1..=4096).contains(&announced));
}

/// Segments that wait for one that never comes.
#[test]
fn holes_without_end_take_bounded_memory() {
    let mut stream = Stream::new(u64::MAX);
    let (mut sequence, ack) = followed(&mut stream, 5060, OPTIONS, OK);
    let before = stream.kept();
    let mut most = 0;
    let mut numbers = Numbers::seeded(3);
    for number in 0..20_000 {
        sequence = sequence.wrapping_add(1 + numbers.below(3000) as u32);
        let hosts = (CLIENT, SERVER);
        stream.push(&frames::tcp(hosts, (50_000, 5060), sequence, ack, 0x18, &[b'a'; 1400]));
        if number % 256 == 0 {
            most = most.max(stream.kept().saturating_sub(before));
        }
    }
    assert!(most < 256 * 1024, "{most} bytes wait");
    assert_eq!(stream.evaluate().records.len(), 1);
}

/// A message that is begun and not ended is kept, within a bound, and counts as memory in use.
#[test]
fn messages_that_never_end_are_weighed() {
    let mut stream = Stream::new(u64::MAX);
    // A bind and its acknowledgement, each of one context without a syntax (C706 12.6.4.3).
    let mut bind = vec![5, 0, 0x0b, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0];
    bind.extend([0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
    bind.extend([0x43, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46, 0, 0, 0, 0]);
    bind.extend([0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 8, 0]);
    bind.extend([0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0]);
    let mut acknowledged = vec![5, 0, 0x0c, 3, 0x10, 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0];
    acknowledged.extend([0xb8, 0x10, 0xb8, 0x10, 7, 0, 0, 0, 4, 0]);
    acknowledged.extend(b"135\0\0\0");
    acknowledged.extend([1, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11]);
    acknowledged.extend([0x9f, 0xe8, 8, 0, 0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0]);
    let (mut sequence, ack) = followed(&mut stream, 135, &bind, &acknowledged);
    let header = [5, 0, 0, 3, 0x10, 0, 0, 0, 0xff, 0xff, 0, 0, 2, 0, 0, 0];
    let request = [&header[..], &[0; 60_000]].concat();
    let before = stream.kept();
    for part in request.chunks(1400) {
        let hosts = (CLIENT, SERVER);
        stream.push(&frames::tcp(hosts, (50_000, 135), sequence, ack, 0x18, part));
        sequence = sequence.wrapping_add(part.len() as u32);
    }
    let kept = stream.kept() - before;
    assert!((60_000..200_000).contains(&kept), "{kept} bytes for a message of 60000");
    let evaluated = stream.evaluate();
    let identity = evaluated.records[0].content.as_ref().and_then(|one| one.identity.as_ref());
    assert_eq!(identity.map(|one| one.protocol), Some(Protocol::DceRpc));
}
