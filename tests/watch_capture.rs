//! What an interface delivers to a watch: evidence out of the ring, tags that cards and the kernel
//! take off, frames that they join, and loss that goes on.

use super::*;

/// The packets of a capture: time in nanoseconds, and bytes.
type Packets = Vec<(i64, Vec<u8>)>;

fn packets(file: &Path) -> Packets {
    let nanoseconds = pcap::Precision::Nano;
    let mut capture = pcap::Capture::from_file_with_precision(file, nanoseconds).unwrap();
    let mut all = Vec::new();
    while let Ok(packet) = capture.next_packet() {
        let time = packet.header.ts;
        all.push((time.tv_sec * 1_000_000_000 + time.tv_usec, packet.data.to_vec()));
    }
    all
}

/// The slices in a folder: name and packets.
fn slices(folder: &Path) -> Vec<(String, Packets)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut slices: Vec<_> = paths.map(|path| (name(&path), packets(&path))).collect();
    slices.sort();
    slices
}

#[test]
fn evidence_is_that_of_the_packets_recorded_beside() {
    let test = "evidence_is_that_of_the_packets_recorded_beside";
    let Some(lab) = Lab::new(test) else { return };
    let capture = repository("fixtures/quickstart/capture.pcap");
    let site = repository("fixtures/quickstart/site.toml");
    fs::copy(&site, lab.path("site.toml")).unwrap();
    let Some(mut recording) = lab.record(test) else { return };
    let mut watching = lab.watch(&["--site", "site.toml", "--evidence", "watched"]);
    lab.send(&capture, 1);
    let sent = packets_of(&capture);
    wait(|| (recorded(&lab.path("beside.pcap")) == Some(sent)).then_some(()));
    watching.stop();
    recording.stop();
    let arguments = ["check", "beside.pcap", "--site", "site.toml", "--report", "check.json"];
    let mut check = lab.command(env!("CARGO_BIN_EXE_portolan"));
    let output = check.args(arguments).args(["--evidence", "checked", "--quiet"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let (watched, checked) = (slices(&lab.path("watched")), slices(&lab.path("checked")));
    assert!(watched.iter().map(|(_, packets)| packets.len()).sum::<usize>() > 10);
    assert!(watched == checked, "{} slices and {}", watched.len(), checked.len());
    let (live, offline) = (lab.report("watch.json"), lab.report("check.json"));
    let entries = |report: &Report| {
        let entry = |slice: &portolan::report::model::Evidence| {
            (slice.finding.clone(), slice.flows, slice.packets, slice.flow_packets)
        };
        report.evidence.iter().map(entry).collect::<Vec<_>>()
    };
    assert_eq!(entries(&live), entries(&offline));
    let filters = |report: &Report| {
        report.findings.iter().map(|found| found.display_filter.clone()).collect::<Vec<_>>()
    };
    assert_eq!(filters(&live), filters(&offline));
}

/// Puts tag 100 (IEEE 802.1Q) into each packet of a capture.
fn tagged(lab: &Lab, capture: &Path) -> PathBuf {
    let mut source = pcap::Capture::from_file(capture).unwrap();
    let dead = pcap::Capture::dead(pcap::Linktype::ETHERNET).unwrap();
    let mut out = dead.savefile(lab.path("tagged.pcap")).unwrap();
    while let Ok(packet) = source.next_packet() {
        let (addresses, rest) = packet.data.split_at(12);
        let data = [addresses, &[0x81, 0, 0, 100], rest].concat();
        let length = data.len() as u32;
        let header = pcap::PacketHeader { ts: packet.header.ts, caplen: length, len: length };
        out.write(&pcap::Packet { header: &header, data: &data });
    }
    out.flush().unwrap();
    lab.path("tagged.pcap")
}

/// Tells all interfaces to handle tags as cards do, or to leave them in the packets.
fn set_offload(lab: &Lab, offload: &str) -> bool {
    ["host", "port", "span", "monitor"].into_iter().all(|link| {
        let mut ethtool = lab.command("ethtool");
        let set = ethtool.args(["-K", link, "rxvlan", offload, "txvlan", offload]).output();
        set.is_ok_and(|output| output.status.success())
    })
}

/// Whether the kernel made an interface that puts tag 100 on by itself.
fn add_vlan(lab: &Lab) -> bool {
    let add = "link add link host name tagged type vlan id 100";
    let mut ip = lab.command("ip");
    ip.args(add.split(' ')).output().is_ok_and(|output| output.status.success())
}

/// A tag travels inside the packet or beside it, as the sender put it on and as cards handle it.
#[test]
fn a_tag_is_seen_whether_cards_handle_it_or_not() {
    let test = "a_tag_is_seen_whether_cards_handle_it_or_not";
    let capture = repository("fixtures/quickstart/capture.pcap");
    for (offload, inside) in [("on", true), ("off", true), ("on", false), ("off", false)] {
        let Some(lab) = Lab::new(test) else { return };
        if !set_offload(&lab, offload) {
            return skip(test, "ethtool, and interfaces that can be told how to treat tags");
        }
        if !inside && !add_vlan(&lab) {
            return skip(test, "VLAN interfaces, for a tag that travels beside the packet");
        }
        let mut watching = lab.watch(&[]);
        if inside {
            lab.send(&tagged(&lab, &capture), 1);
        } else {
            lab.run("ip", &["link", "set", "tagged", "up"]);
            lab.send_on("tagged", &capture, 1);
        }
        pause(Duration::from_millis(300));
        watching.stop();
        let report = lab.report("watch.json");
        let sent = packets_of(&capture);
        let case = format!("offload {offload}, tag inside {inside}");
        assert_eq!(report.accounting.packets_read, sent, "{case}");
        let bytes = capture_bytes(&capture) + 4 * sent;
        assert_eq!(report.accounting.frame_bytes_read, bytes, "{case}: four each");
        let vlans = serde_json::to_value(&report.capture_health.vlans).unwrap();
        let numbers: Vec<_> = vlans.as_array().unwrap().iter().map(|vlan| &vlan["vlan"]).collect();
        assert_eq!(numbers, [100], "{case}");
    }
}

#[test]
fn a_frame_that_was_joined_before_it_was_captured_is_whole_and_counted() {
    let Some(lab) = Lab::new("a_frame_that_was_joined_before_it_was_captured") else { return };
    for link in ["host", "port", "bridge", "span", "monitor"] {
        lab.run("ip", &["link", "set", "dev", link, "mtu", "60000"]);
    }
    let dead = pcap::Capture::dead(pcap::Linktype::ETHERNET).unwrap();
    let mut out = dead.savefile(lab.path("joined.pcap")).unwrap();
    let payload = vec![b'x'; 40_000];
    let mut data = Vec::new();
    etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([10, 20, 1, 10], [10, 20, 2, 10], 64)
        .tcp(40_000, 445, 1, 512)
        .write(&mut data, &payload)
        .unwrap();
    let length = data.len() as u32;
    // Any time does.
    let mut other =
        pcap::Capture::from_file(repository("fixtures/quickstart/capture.pcap")).unwrap();
    let ts = other.next_packet().unwrap().header.ts;
    let header = pcap::PacketHeader { ts, caplen: length, len: length };
    out.write(&pcap::Packet { header: &header, data: &data });
    out.flush().unwrap();
    let mut watching = lab.watch(&[]);
    lab.send(&lab.path("joined.pcap"), 3);
    pause(Duration::from_millis(300));
    watching.stop();
    let report = lab.report("watch.json");
    assert_eq!(report.accounting.frame_bytes_read, 3 * u64::from(length));
    let packets = &report.capture_health.ip_packets;
    assert_eq!((packets.over_9216, packets.cut), (3, 0));
    // The IPv4 header and the TCP header have 20 bytes each.
    assert_eq!(packets.longest, 40_040);
}

/// A watch that is stopped most of the time, with a small ring, while packets keep coming.
#[test]
fn loss_is_told_while_it_goes_on_and_every_packet_is_received_or_dropped() {
    let Some(lab) = Lab::new("loss_is_told_while_it_goes_on") else { return };
    const TIMES: u32 = 3000;
    let capture = repository("fixtures/quickstart/capture.pcap");
    fs::copy(repository("fixtures/quickstart/site.toml"), lab.path("site.toml")).unwrap();
    let mut watching = lab.watch(&["--site", "site.toml", "--ring", "1M"]);
    let mut sending = lab.sender("host", &capture, TIMES).spawn().unwrap();
    let mut told_meanwhile = false;
    while sending.try_wait().unwrap().is_none() {
        watching.signal("-STOP");
        pause(Duration::from_millis(80));
        watching.signal("-CONT");
        pause(Duration::from_millis(20));
        told_meanwhile |= lab.events().iter().any(|event| matches!(event, Event::Loss { .. }));
    }
    assert!(told_meanwhile, "before the last packet was sent");
    pause(Duration::from_millis(500));
    watching.stop();
    let report = lab.report("watch.json");
    let dropped = report.capture_health.dropped_packets.unwrap();
    let sent = u64::from(TIMES) * packets_of(&capture);
    assert!(dropped > 0);
    assert_eq!(report.accounting.packets_read + dropped, sent, "{dropped} dropped");
    let losses = lab.events().into_iter().filter_map(|event| match event {
        Event::Loss { dropped_by_system, dropped_by_interface, .. } => {
            Some(dropped_by_system + dropped_by_interface)
        }
        _ => None,
    });
    assert_eq!(losses.sum::<u64>(), dropped);
    assert!(matches!(report.outcome.grade.as_str(), "C" | "D"), "{}", report.outcome.grade);
}
