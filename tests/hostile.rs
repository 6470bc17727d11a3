//! Traffic made to look like something it is not, and honest traffic that must not be taken for
//! it. Every case was once judged wrongly.

mod shown;
mod tunnels;

use portolan::capture::{Hashing, Inputs};

use crate::frames;
use crate::runs::{Rules, Run, check_frames, pcap, run};

const SITE: &str = r#"
schema = 1
[conditions]
web-admin = "yes"
[[host]]
name = "unity"
addresses = ["10.0.0.1"]
roles = ["unity"]
[[host]]
name = "dc"
addresses = ["10.0.0.11"]
roles = ["domain-controller"]
[[host]]
name = "exchange"
addresses = ["10.0.0.31"]
roles = ["exchange-partner"]
[[host]]
name = "admin"
addresses = ["10.0.0.71"]
roles = ["admin-workstation"]
[[host]]
name = "phones"
prefixes = ["10.0.1.0/25", "10.0.1.128/25"]
roles = ["phone"]
[[host]]
name = "cucm"
addresses = ["10.0.1.10"]
roles = ["cucm"]
"#;

const UNITY: [u8; 4] = [10, 0, 0, 1];
const DC: [u8; 4] = [10, 0, 0, 11];
const EXCHANGE: [u8; 4] = [10, 0, 0, 31];
const ADMIN: [u8; 4] = [10, 0, 0, 71];
const STRANGER: [u8; 4] = [192, 0, 2, 77];
const SECOND: i64 = 1_000_000_000;

/// Judges frames that come a tenth of a second apart, `late` seconds into the capture.
fn judged_at(rules: &Rules, late: i64, frames: &[Vec<u8>]) -> Run {
    let start = 1_772_488_800 * SECOND;
    let mut packets = vec![(start, frames::arp())];
    let times = (0..).map(|tenth| start + late * SECOND + tenth * SECOND / 10);
    packets.extend(times.zip(frames.iter().cloned()));
    check_frames(&packets, rules)
}

fn judged(frames: &[Vec<u8>]) -> Run {
    judged_at(&Rules::at(SITE), 120, frames)
}

fn only(run: &Run) -> (&str, &str, &str) {
    let [line] = run.lines.as_slice() else { panic!("{} flows", run.lines.len()) };
    (&line.verdict, &line.src_ip, &line.direction_basis)
}

#[test]
fn other_ip_protocols_are_no_way_out() {
    for protocol in [4, 47, 50, 99] {
        let run = judged(&[frames::other((UNITY, STRANGER), protocol, &[0; 40])]);
        assert_eq!(only(&run).0, "unknown-peer", "protocol {protocol}");
        let run = judged(&[frames::other((UNITY, DC), protocol, &[0; 40])]);
        assert_eq!(only(&run).0, "violation", "protocol {protocol}");
    }
}

#[test]
fn infrastructure_is_what_its_pack_lists() {
    let run = judged(&[frames::udp((UNITY, [239, 1, 2, 3]), (40_001, 4444), b"data")]);
    assert_eq!(only(&run).0, "unknown-peer");
    let [finding] = run.report.findings.as_slice() else { panic!("{:#?}", run.report.findings) };
    assert_eq!((finding.severity.as_str(), finding.responders.class.as_str()), ("low", "group"));
    // DHCP speaks from its own ports.
    for to in [STRANGER, EXCHANGE] {
        let run = judged(&[frames::udp((UNITY, to), (40_001, 67), b"data")]);
        assert_ne!(only(&run).0, "infrastructure");
    }
    let run = judged(&[frames::udp((UNITY, STRANGER), (68, 67), b"data")]);
    assert_eq!(only(&run).0, "infrastructure");
    let listed: u64 = run.report.infrastructure.iter().map(|row| row.packets).sum();
    assert_eq!(listed, run.report.accounting.packets_read);
}

#[test]
fn the_last_address_of_a_block_is_a_host() {
    let phone = [10, 0, 1, 127];
    let run = judged(&[frames::udp((UNITY, phone), (40_001, 4444), b"data")]);
    assert_eq!(only(&run).0, "violation");
    let syn = frames::tcp((UNITY, phone), (40_001, 4444), 1, 0, 0x02, b"");
    assert_eq!(only(&judged(&[syn])).0, "violation");
}

#[test]
fn a_documented_source_port_carries_no_bulk() {
    let bulk: Vec<_> = (0..50).map(|_| frames::udp((DC, UNITY), (88, 4444), &[0; 1000])).collect();
    assert_eq!(only(&judged(&bulk)).0, "not-assessable");
    // An answer whose request was not captured is one.
    let answer = frames::udp((DC, UNITY), (88, 40_001), &[0; 1000]);
    assert_eq!(only(&judged(&[answer])), ("documented", "10.0.0.1", "port-role"));
}

#[test]
fn a_lost_request_does_not_turn_a_poll_round() {
    let poll = [
        frames::udp((DC, UNITY), (123, 123), &[0; 48]),
        frames::udp((UNITY, DC), (123, 123), &[0; 48]),
    ];
    assert_eq!(only(&judged(&poll)), ("documented", "10.0.0.1", "port-role"));
}

#[test]
fn an_ephemeral_port_inside_a_range_is_no_service() {
    // The capture begins inside a connection from Unity's port 5010 to SSH on a workstation.
    let middle = [
        frames::tcp((UNITY, ADMIN), (5010, 22), 1, 1, 0x18, b"data"),
        frames::tcp((ADMIN, UNITY), (22, 5010), 1, 5, 0x18, b"data"),
    ];
    let run = judged(&middle);
    assert_eq!(only(&run), ("violation", "10.0.0.1", "port-heuristic"));
    // Between two unremarkable ports the range is the best there is.
    let middle = [
        frames::tcp((UNITY, EXCHANGE), (1055, 5003), 1, 1, 0x18, b"data"),
        frames::tcp((EXCHANGE, UNITY), (5003, 1055), 1, 5, 0x18, b"data"),
    ];
    assert_eq!(only(&judged(&middle)), ("documented", "10.0.0.1", "port-role"));
}

#[test]
fn a_group_never_opens_anything() {
    let rules = Rules::at(&format!("{SITE}\n[site]\nsubnets = [\"10.0.1.0/24\"]\n"));
    let cast = frames::broadcast(frames::udp((UNITY, [10, 0, 1, 255]), (22_800, 5353), b"data"));
    let run = judged_at(&rules, 0, &[cast]);
    assert_eq!(only(&run).1, "10.0.0.1");
    assert_ne!(only(&run).0, "documented");
}

#[test]
fn a_waiver_for_a_block_is_not_one_for_a_host_inside() {
    let waiver = |ends: &str| {
        format!(
            "schema = 1\n[[waiver]]\nid = \"W\"\nowner = \"o\"\nreason = \"r\"\nticket = \"t\"\n\
             created = \"2026-01-01\"\nexpires = \"2027-01-01\"\n[waiver.match]\n{ends}\n"
        )
    };
    let from = |host: [u8; 4], text: &str| {
        let rules = Rules::at(SITE).waiving(text);
        let syn = frames::tcp((host, UNITY), (40_001, 445), 1, 0, 0x02, b"");
        only(&judged_at(&rules, 120, &[syn])).0.to_owned()
    };
    let block = waiver("initiators = [\"phones\"]");
    assert_eq!(from([10, 0, 1, 21], &block), "waived");
    assert_eq!(from([10, 0, 1, 10], &block), "violation");
    assert_eq!(from([10, 0, 1, 10], &waiver("initiators = [\"10.0.1.0/24\"]")), "waived");
}

#[test]
fn a_service_can_be_waived_over_the_other_transport() {
    let text = "schema = 1\n[[waiver]]\nid = \"W\"\nowner = \"o\"\nreason = \"r\"\nticket = \"t\"\n\
                created = \"2026-01-01\"\nexpires = \"2027-01-01\"\n[waiver.match]\n\
                service = \"sccp\"\n";
    let rules = Rules::at(SITE).waiving(text);
    let datagram = frames::udp((UNITY, [10, 0, 1, 10]), (40_001, 2000), b"data");
    assert_eq!(only(&judged_at(&rules, 120, &[datagram])).0, "waived");
}

#[test]
fn probes_from_a_documented_port_are_the_probers() {
    for (flags, answer) in [(0x12, 0x04), (0x01, 0x14), (0x00, 0x14), (0x29, 0x14)] {
        let probe = [
            frames::tcp((DC, UNITY), (445, 1040), 1, 1, flags, b""),
            frames::tcp((UNITY, DC), (1040, 445), 1, 2, answer, b""),
        ];
        let run = judged(&probe);
        assert_eq!((only(&run).0, only(&run).1), ("violation", "10.0.0.11"), "flags {flags:#x}");
        let from_outside = [
            frames::tcp((STRANGER, UNITY), (445, 1040), 1, 1, flags, b""),
            frames::tcp((UNITY, STRANGER), (1040, 445), 1, 2, answer, b""),
        ];
        let run = judged(&from_outside);
        assert_eq!((only(&run).0, only(&run).1), ("unknown-peer", "192.0.2.77"));
    }
}

#[test]
fn packets_cut_before_their_ports_are_not_judged_by_port_0() {
    let start = 1_772_488_800 * SECOND;
    let syn = frames::tcp((UNITY, DC), (40_001, 88), 1, 0, 0x02, b"");
    // The capture kept the Ethernet and the IP header: captured length 34, wire length as it was.
    let mut file = pcap(&[(start, syn[..34].to_vec())]);
    file[36..40].copy_from_slice(&(syn.len() as u32).to_le_bytes());
    let file: Box<dyn std::io::Read + Send> = Box::new(std::io::Cursor::new(file));
    let inputs = Inputs::from_streams(vec![("cut.pcap".to_owned(), file)], Hashing::Off).unwrap();
    let run = run(inputs, &Rules::at(SITE), 1);
    assert_eq!(only(&run).0, "not-assessable");
}

#[test]
fn icmp_errors_between_strangers_say_nothing_of_others() {
    let attempt = frames::udp((UNITY, STRANGER), (40_001, 4444), b"data");
    let rumour = frames::icmp_unreachable(([192, 0, 2, 66], [192, 0, 2, 67]), &attempt);
    let run = judged(&[rumour]);
    assert_eq!(only(&run).0, "out-of-scope");
    assert!(run.report.findings.is_empty(), "{:#?}", run.report.findings);
}

#[test]
fn a_packet_without_a_clock_does_not_age_the_capture() {
    let start = 1_772_488_800 * SECOND;
    // Both run when the capture begins: the answer comes first. The range of DCOM is no single
    // port, so only the first minute of the capture tells.
    let flow = [
        (start + SECOND, frames::udp((EXCHANGE, UNITY), (5003, 1055), b"answer")),
        (start + 2 * SECOND, frames::udp((UNITY, EXCHANGE), (1055, 5003), b"request")),
    ];
    let clockless = (0, frames::udp((STRANGER, [192, 0, 2, 78]), (1, 2), b"boot"));
    let packets = [(start, frames::arp()), clockless, flow[0].clone(), flow[1].clone()];
    let run = check_frames(&packets, &Rules::at(SITE));
    let line = run.lines.iter().find(|line| line.proto == "udp" && line.src_ip.starts_with("10."));
    let line = line.expect("the flow is there");
    assert_eq!((line.verdict.as_str(), line.src_ip.as_str()), ("documented", "10.0.0.1"));
}

/// Most stacks walk over any number of empty destination options (RFC 8200 section 4.6).
#[test]
fn no_number_of_extension_headers_hides_two_hosts() {
    let site = SITE.replace("10.0.0.11\"", "10.0.0.11\", \"fd00::11\"");
    let rules = Rules::at(&site.replace("10.0.0.1\"", "10.0.0.1\", \"fd00::1\""));
    let address = |last| {
        let mut bytes = [0; 16];
        (bytes[0], bytes[15]) = (0xfd, last);
        bytes
    };
    let plain = frames::tcp6((address(0x11), address(0x01)), (40_000, 445), 1, 0x02);
    for headers in [1, 60, 62, 63, 100] {
        let mut frame = plain.clone();
        let options = |next| [next, 0, 1, 4, 0, 0, 0, 0];
        let chain = (1..headers).flat_map(|_| options(60)).chain(options(6));
        frame.splice(54..54, chain);
        let length = u16::try_from(frame.len() - 54).expect("a short chain");
        frame[18..20].copy_from_slice(&length.to_be_bytes());
        frame[20] = 60;
        let run = judged_at(&rules, 120, &[frame]);
        assert_eq!(only(&run).0, "violation", "{headers} headers");
    }
}

/// What a capture holds of a transfer: segments of the opener by sequence number and length, and
/// the acknowledgements of the answerer in between, as `Err`.
fn unseen(steps: &[Result<(u32, usize), u32>]) -> u64 {
    let (syn, syn_ack, ack) = (0x02, 0x12, 0x10);
    let ports = (40_000, 80);
    let mut all = vec![
        frames::tcp((ADMIN, UNITY), ports, 999, 0, syn, b""),
        frames::tcp((UNITY, ADMIN), (80, 40_000), 4_999, 1_000, syn_ack, b""),
    ];
    all.extend(steps.iter().map(|step| match *step {
        Ok((sequence, length)) => {
            frames::tcp((ADMIN, UNITY), ports, sequence, 5_000, ack, &vec![1; length])
        }
        Err(number) => frames::tcp((UNITY, ADMIN), (80, 40_000), 5_000, number, ack, b""),
    }));
    let run = judged(&all);
    let [line] = run.lines.as_slice() else { panic!("{} flows", run.lines.len()) };
    line.src_unseen_bytes
}

/// Each transfer is written with its gaps, so what is missing is known.
#[test]
fn missing_segments_are_counted_and_strange_numbers_are_none() {
    assert_eq!(unseen(&[Ok((1_000, 100)), Ok((1_100, 100)), Err(1_200)]), 0);
    assert_eq!(unseen(&[Ok((1_000, 100)), Ok((1_300, 100))]), 200, "a gap");
    assert_eq!(unseen(&[Ok((1_000, 100)), Err(1_500)]), 400, "acknowledged and not there");
    assert_eq!(unseen(&[Ok((1_100, 100)), Ok((1_000, 100)), Err(1_200)]), 0, "out of order");
    assert_eq!(unseen(&[Ok((1_000, 100)), Ok((1_000, 100)), Err(1_100)]), 0, "sent again");
    // A device on the way that guesses numbers, and an acknowledgement of what nobody sent.
    let far = 1_000_u32.wrapping_add(1 << 30);
    assert_eq!(unseen(&[Ok((1_000, 100)), Ok((far, 0)), Ok((1_100, 100)), Err(1_200)]), 0);
    assert_eq!(unseen(&[Ok((1_000, 100)), Ok((far, 0)), Err(1_100)]), 0);
    assert_eq!(unseen(&[Ok((1_000, 100)), Err(1_100), Err(far)]), 0);
}

#[test]
fn a_length_that_is_only_claimed_makes_no_super_frame() {
    let mut frame = frames::udp((DC, UNITY), (5555, 9999), b"short");
    frame[16..18].copy_from_slice(&60_000_u16.to_be_bytes());
    let run = judged(&[frame]);
    assert_eq!(run.report.capture_health.ip_packets.over_9216, 0);
}

/// Some hosts mark their frames with a priority, and the other direction comes without a tag.
#[test]
fn a_priority_tag_is_no_vlan() {
    let frame = frames::tcp((UNITY, DC), (1025, 445), 1, 0, 0x02, b"");
    for (tagged, vlan) in [
        (frames::tagged(0, &frame), None),
        (frames::tagged(7, &frame), Some(7)),
        (frames::tagged(7, &frames::tagged(0, &frame)), Some(7)),
    ] {
        let run = judged(&[tagged]);
        assert_eq!(run.lines[0].src_vlan, vlan);
    }
}

/// Fragments whose first lies among the first packets of the stream go to a flow of many runs. Put
/// in one by one, they would take minutes.
#[test]
fn fragments_of_a_flow_of_many_runs_are_put_in_together() {
    let start = 1_772_488_800 * SECOND;
    let mut packets: Vec<(i64, Vec<u8>)> = Vec::new();
    let mut later = Vec::new();
    for datagram in 0..40 {
        let fragments = frames::fragmented_udp((DC, UNITY), (5555, 9999), datagram, 100);
        let mut fragments = fragments.into_iter().map(|frame| (start, frame));
        packets.extend(fragments.next());
        later.extend(fragments);
    }
    // Silences of three minutes part the runs (D3.7).
    let again = frames::udp((DC, UNITY), (5555, 9999), b"again");
    packets.extend(vec![(start, frames::arp()); 5_000]);
    let count = later.len();
    packets.append(&mut later);
    packets.extend((1..20_000).map(|run| (start + run * 181 * SECOND, again.clone())));
    let run = check_frames(&packets, &Rules::at(SITE));
    assert_eq!(run.lines.len(), 20_000);
    assert_eq!(run.lines[0].packets, 40 + count as u64);
}

#[test]
fn bulk_is_no_attempt_whatever_is_said_of_it() {
    let severity = |datagrams: u16, refused: bool| {
        let sent = (0..datagrams).map(|number| {
            let mut frame = frames::udp((DC, UNITY), (5555, 9999), &[7; 1000]);
            frame[18..20].copy_from_slice(&number.to_be_bytes());
            frame
        });
        let mut sent: Vec<_> = sent.collect();
        if refused {
            let error = frames::icmp_unreachable((UNITY, DC), &sent[0]);
            sent.push(error);
        }
        let run = judged(&sent);
        let [finding] = run.report.findings.as_slice() else { panic!("one finding") };
        finding.severity.clone()
    };
    assert_eq!(severity(8, true), "low");
    assert_eq!(severity(9, false), "medium");
    assert_eq!(severity(9, true), "medium");
}

#[test]
fn data_byte_by_byte_is_data_and_a_keep_alive_is_none() {
    let state = |steps: &[(u32, &[u8])]| {
        let (ports, back) = ((40_000, 80), (80, 40_000));
        let mut all = vec![
            frames::tcp((ADMIN, UNITY), ports, 999, 0, 0x02, b""),
            frames::tcp((UNITY, ADMIN), back, 4_999, 1_000, 0x12, b""),
        ];
        for (sequence, data) in steps {
            all.push(frames::tcp((ADMIN, UNITY), ports, *sequence, 5_000, 0x18, data));
        }
        all.push(frames::tcp((UNITY, ADMIN), back, 5_000, 1_003, 0x11, b""));
        judged(&all).lines[0].state.clone()
    };
    let keep_alive: (u32, &[u8]) = (999, &[0]);
    assert_eq!(state(&[(1_000, b"")]), "handshake-only");
    assert_eq!(state(&[(1_000, b""), keep_alive, keep_alive, keep_alive]), "handshake-only");
    assert_eq!(state(&[(1_000, b"a"), (1_001, b"b"), (1_002, b"c")]), "established");
}
