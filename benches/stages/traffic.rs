//! Traffic to measure with: made here, so that nothing need be at hand, or read from the file that
//! `PORTOLAN_BENCH_CAPTURE` names.
//!
//! What is made fits the site of the quick start: calls are few flows of many packets, lookups many
//! flows of two. Captures of other mixes and sizes come from `scripts/make-bench-captures.py`.

use std::fmt;
use std::sync::LazyLock;

/// Names a capture to be measured besides.
const FILE: &str = "PORTOLAN_BENCH_CAPTURE";

/// Packets of what is made.
const PACKETS: u32 = 200_000;

/// Calls at a time.
const CALLS: u32 = 50;

/// What is measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// RTP between the voice mail and telephones: few flows.
    Calls,
    /// DNS between the voice mail and its server: many flows.
    Lookups,
    /// The file that the environment names.
    File,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Input::Calls => "calls",
            Input::Lookups => "lookups",
            Input::File => "file",
        })
    }
}

/// All inputs that there are.
pub(crate) fn inputs() -> impl Iterator<Item = Input> {
    let file = std::env::var_os(FILE).is_some();
    [Input::Calls, Input::Lookups].into_iter().chain(file.then_some(Input::File))
}

impl Input {
    /// The bytes of the capture.
    pub(crate) fn capture(self) -> &'static [u8] {
        static CALLS: LazyLock<Vec<u8>> = LazyLock::new(calls);
        static LOOKUPS: LazyLock<Vec<u8>> = LazyLock::new(lookups);
        static FROM_FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let path = std::env::var_os(FILE).unwrap_or_default();
            std::fs::read(&path).unwrap_or_else(|error| panic!("{FILE}: {error}"))
        });
        match self {
            Input::Calls => &CALLS,
            Input::Lookups => &LOOKUPS,
            Input::File => &FROM_FILE,
        }
    }
}

const UNITY: [u8; 4] = [10, 20, 1, 10];
const DNS: [u8; 4] = [10, 20, 2, 53];

/// A packet of 20 ms of each call both ways, again and again (RFC 3550 section 5.1).
fn calls() -> Vec<u8> {
    let mut capture = Capture::default();
    for number in 0..PACKETS / (2 * CALLS) {
        for call in 0..CALLS {
            let phone = [10, 20, 50, 1 + call as u8];
            let ports = (22_800 + 2 * call as u16, 24_000 + 2 * call as u16);
            let mut speech = [0xd5; 172];
            speech[..2].copy_from_slice(&[0x80, 0]);
            speech[2..4].copy_from_slice(&(number as u16).to_be_bytes());
            speech[4..8].copy_from_slice(&(160 * number).to_be_bytes());
            speech[8..12].copy_from_slice(&call.to_be_bytes());
            capture.udp((UNITY, phone), ports, &speech);
            speech[8] = 1;
            capture.udp((phone, UNITY), (ports.1, ports.0), &speech);
        }
    }
    capture.bytes
}

/// Questions for a name, each from a port of its own, and their answers (RFC 1035 section 4).
fn lookups() -> Vec<u8> {
    let mut capture = Capture::default();
    for number in 0..PACKETS / 2 {
        let port = 1024 + (number % 64_000) as u16;
        let client = [10, 20, 1, if number < 64_000 { 10 } else { 11 }];
        let [.., high, low] = number.to_be_bytes();
        let name = b"\x02dc\x07example\x00\x00\x01\x00\x01";
        let ask = [&[high, low, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], name].concat();
        let address = [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 10, 20, 2, 10];
        let told = [&[high, low, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0][..], name, &address].concat();
        capture.udp((client, DNS), (port, 53), &ask);
        capture.udp((DNS, client), (53, port), &told);
    }
    capture.bytes
}

/// A pcap file with nanoseconds, little-endian, Ethernet, a packet every ten microseconds.
struct Capture {
    bytes: Vec<u8>,
    packets: u64,
}

impl Default for Capture {
    fn default() -> Self {
        let words = [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, 1];
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Capture { bytes, packets: 0 }
    }
}

impl Capture {
    /// Appends a UDP datagram (RFC 768) over IPv4 (RFC 791), without a checksum of its own.
    fn udp(&mut self, (from, to): ([u8; 4], [u8; 4]), ports: (u16, u16), payload: &[u8]) {
        let length = payload.len() as u16;
        let mut header = [0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        header[2..4].copy_from_slice(&(28 + length).to_be_bytes());
        header[4..6].copy_from_slice(&(self.packets as u16).to_be_bytes());
        header[12..16].copy_from_slice(&from);
        header[16..20].copy_from_slice(&to);
        let sum = header.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
        let sum: u32 = sum.sum();
        header[10..12].copy_from_slice(&(!((sum & 0xffff) + (sum >> 16)) as u16).to_be_bytes());
        let time = 1_772_499_600_000_000_000 + self.packets * 10_000;
        let size = 42 + u32::from(length);
        let record = [(time / 1_000_000_000) as u32, (time % 1_000_000_000) as u32, size, size];
        self.bytes.extend(record.iter().flat_map(|word| word.to_le_bytes()));
        self.bytes.extend([2, 0, to[0], to[1], to[2], to[3], 2, 0, from[0], from[1]]);
        self.bytes.extend([from[2], from[3], 8, 0]);
        self.bytes.extend(header);
        self.bytes.extend([ports.0, ports.1, 8 + length, 0].iter().flat_map(|w| w.to_be_bytes()));
        self.bytes.extend(payload);
        self.packets += 1;
    }
}
