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
    // A flow is kept for an hour, and for a turn of the table more.
    let held = report.accounting.flows;
    assert!((u64::from(FLOWS)..u64::from(2 * FLOWS) + 100).contains(&held), "{held} flows");
    let third = resident_kib.len() / 3;
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    let (middle, last) = (most(&resident_kib[third..2 * third]), most(&resident_kib[2 * third..]));
    println!("{middle} KiB, then {last} KiB in {} samples", resident_kib.len());
    assert!(third > 20, "too few samples: {}", resident_kib.len());
    assert!(last < middle + middle / 5, "from {middle} to {last} KiB");
}
