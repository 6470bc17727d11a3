//! A long time with many short flows: memory stays flat, and what is forgotten is counted.

use super::*;

/// Flows of an hour, and hours.
const FLOWS: u32 = 20_000;
const HOURS: u32 = 30;

/// DNS lookups, each from a port of its own, without an end. Two packets each.
fn lookups() -> impl Iterator<Item = (i64, Vec<u8>)> {
    (0..FLOWS * HOURS).flat_map(|number| {
        let time =
            1_700_000_000_000_000_000 + i64::from(number) * 3_600_000_000_000 / i64::from(FLOWS);
        let (server, client) = ([10, 20, 1, 10], [10, 20, 2, 10]);
        // No two within 64,512 flows are of one five-tuple.
        let port = 1024 + (number % 64_512) as u16;
        [
            (time, udp((server, client), (port, 53), b"?")),
            (time + 1_000_000, udp((client, server), (53, port), b"!")),
        ]
    })
}

/// Kilobytes in RAM (proc(5), `VmRSS`).
fn resident(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn a_day_of_churn_leaves_memory_flat_and_every_packet_counted() {
    if resident(std::process::id()).is_none() {
        println!("skipped: this system does not tell how much memory a process has");
        return;
    }
    let post = Post::new();
    post.write("in.pcap", pcap(&lookups().collect::<Vec<_>>()));
    let arguments = ["--replay", "in.pcap", "--keep", "1", "--report", "r.json", "--threads", "2"];
    let mut watching = post.watch(&arguments);
    let mut resident_kib = Vec::new();
    while watching.child.try_wait().unwrap().is_none() {
        resident_kib.extend(resident(watching.child.id()));
        pause(Duration::from_millis(5));
    }
    watching.end();
    let report = post.report("r.json");
    let packets = u64::from(2 * FLOWS * HOURS);
    assert_eq!(report.accounting.packets_read, packets);
    let class = |name: &str| {
        let found = report.accounting.classes.iter().find(|class| class.class == name);
        found.map_or(0, |class| class.packets)
    };
    assert_eq!(class("flow") + class("forgotten"), packets);
    assert!(report.accounting.mismatches.is_empty());
    // In the end, those of the last hour to the nanosecond: the first of them ended an hour before
    // the last packet.
    assert_eq!(report.accounting.flows, u64::from(FLOWS) + 1);
    let third = resident_kib.len() / 3;
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    let (middle, last) = (most(&resident_kib[third..2 * third]), most(&resident_kib[2 * third..]));
    println!("{middle} KiB, then {last} KiB in {} samples", resident_kib.len());
    assert!(third > 20, "too few samples: {}", resident_kib.len());
    assert!(last < middle + middle / 5, "from {middle} to {last} KiB");
}

/// A connection that is open and silent, one that was closed, and lookups all the time.
#[test]
fn an_open_connection_outlives_the_flows_that_ended() {
    const SYN: u8 = 0x02;
    const ACK: u8 = 0x10;
    const FIN_ACK: u8 = 0x11;
    const SYN_ACK: u8 = 0x12;
    let (there, back) = (([10, 20, 1, 10], [10, 20, 2, 10]), ([10, 20, 2, 10], [10, 20, 1, 10]));
    let at = |minute: i64| 1_700_000_000_000_000_000 + minute * 60_000_000_000;
    let handshake = |port: u16| {
        let (up, down) = ((port, 389), (389, port));
        [
            (at(0), frames::tcp(there, up, 1, 0, SYN, b"")),
            (at(0) + 1000, frames::tcp(back, down, 9, 2, SYN_ACK, b"")),
            (at(0) + 2000, frames::tcp(there, up, 2, 10, ACK, b"")),
        ]
    };
    let mut packets = [handshake(40_001), handshake(40_002)].concat();
    packets.sort_by_key(|(time, _)| *time);
    packets.push((at(1), frames::tcp(there, (40_002, 389), 2, 10, FIN_ACK, b"")));
    packets.push((at(1) + 1000, frames::tcp(back, (389, 40_002), 10, 3, FIN_ACK, b"")));
    packets.extend((2..300).map(|minute| (at(minute), udp(there, (50_000, 53), b"?"))));
    packets.push((at(300), frames::tcp(there, (40_001, 389), 2, 10, ACK, b"still here")));
    let count = packets.len() as u64;
    let post = Post::new();
    post.write("in.pcap", pcap(&packets));
    post.watch(&["--replay", "in.pcap", "--keep", "1", "--report", "r.json"]).end();
    let report = post.report("r.json");
    let states = &report.capture_health.tcp_states;
    assert_eq!(states.values().sum::<u64>(), 1, "{states:?}");
    assert_eq!(report.capture_health.mid_stream_flows, 0, "its handshake is remembered");
    let limit = report.limits.iter().find(|limit| limit.code == "flows-forgotten");
    // The closed connection had five packets; of the lookups, one run without a silence of three
    // minutes, none is forgotten.
    assert_eq!(limit.map(|limit| limit.count), Some(5));
    assert_eq!(report.accounting.packets_read, count);
    assert!(report.accounting.mismatches.is_empty());
}

/// More flows than there is room for: those that ended first go first, and none is refused.
#[test]
fn a_table_that_fills_forgets_earlier_before_it_refuses() {
    let post = Post::new();
    post.write("in.pcap", pcap(&lookups().take(200_000).collect::<Vec<_>>()));
    let arguments = ["--replay", "in.pcap", "--report", "r.json", "--max-memory", "20M"];
    post.watch(&arguments).end();
    let report = post.report("r.json");
    // As docs/watch.md has it.
    let room = 20 * 1024 * 1024 / 1280;
    assert!(report.accounting.flows <= room, "{} flows", report.accounting.flows);
    let class = |name: &str| {
        let found = report.accounting.classes.iter().find(|class| class.class == name);
        found.map_or(0, |class| class.packets)
    };
    assert_eq!(class("table-full"), 0);
    assert_eq!(class("flow") + class("forgotten"), 200_000);
    assert!(!post.events().iter().any(|event| matches!(event, Event::TableFull { .. })));
}
