//! Packets whose clock is set, as the packets of a capture that is played back say.

use super::*;

/// Datagrams of the quick start a second apart: two minutes at noon, two an hour before, two on the
/// next day; the last to a port that is not documented.
fn stepping() -> Vec<(i64, Vec<u8>)> {
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let second = 1_000_000_000;
    let begin = 1_700_000_000 * second;
    let stretch = |offset: i64| {
        (0..120)
            .map(move |number| (begin + (offset + number) * second, udp(hosts, (40_000, 53), b"?")))
    };
    let mut packets: Vec<_> = stretch(0).chain(stretch(-3600)).chain(stretch(24 * 3600)).collect();
    packets.push((begin + (24 * 3600 + 200) * second, udp(hosts, (40_001, 9999), b"?")));
    packets
}

#[test]
fn a_clock_that_jumps_is_told_and_ends_nothing() {
    let post = Post::new();
    let packets = stepping();
    post.write("in.pcap", pcap(&packets));
    let site = site("quickstart", "site.toml");
    // A jump by a day is longer than flows are kept: none of them shall go for that alone.
    let arguments = ["--replay", "in.pcap", "--report", "r.json", "--keep", "48", "--site"];
    let (_, said) = post.watch(&[&arguments[..], &[site.to_str().unwrap()]].concat()).end();
    assert_eq!(said, "");
    let jumps = |event: &Event| match event {
        Event::Clock { jumps_backward, jumps_forward } => Some((*jumps_backward, *jumps_forward)),
        _ => None,
    };
    assert_eq!(post.events().iter().filter_map(jumps).next_back(), Some((1, 1)));
    assert!(post.events().iter().filter_map(finding).any(|(_, one)| one.ports == "9999"));
    let mut watched = post.report("r.json");
    assert_eq!(watched.accounting.packets_read, packets.len() as u64);
    let checked = post.check(&post.path("in.pcap"), &site);
    make_like(&mut watched, &checked);
    let texts = [&watched, &checked].map(|report| serde_json::to_string(report).unwrap());
    assert_eq!(texts[0], texts[1]);
}

/// A clock that jumps to and fro with every packet.
#[test]
fn a_clock_that_never_settles_is_counted() {
    let post = Post::new();
    let hosts = ([10, 20, 1, 10], [10, 20, 2, 10]);
    let begin = 1_700_000_000_000_000_000;
    let time = |number: i64| begin + number % 2 * 7_200_000_000_000 + number * 1_000_000;
    let packets: Vec<_> =
        (0..2000).map(|number| (time(number), udp(hosts, (40_000, 53), b"?"))).collect();
    post.write("in.pcap", pcap(&packets));
    post.watch(&["--replay", "in.pcap", "--report", "r.json"]).end();
    let report = post.report("r.json");
    assert_eq!(report.accounting.packets_read, 2000);
    assert!(report.accounting.mismatches.is_empty());
    let told = post.events().into_iter().rev().find_map(|event| match event {
        Event::Clock { jumps_backward, jumps_forward } => Some((jumps_backward, jumps_forward)),
        _ => None,
    });
    // From each even number to the next odd one it jumps forward, from each odd one back.
    assert_eq!(told, Some((999, 1000)));
}
