//! Tunnels that are to hide who runs them, and what is to look like a tunnel.

use super::*;

/// A VXLAN packet (RFC 7348 section 5) of network 7 that carries `inside`.
fn vxlan(hosts: frames::Hosts, inside: &[u8]) -> Vec<u8> {
    frames::udp(hosts, (5555, 4789), &[&[8, 0, 0, 0, 0, 0, 7, 0], inside].concat())
}

#[test]
fn a_tunnel_packet_without_a_packet_inside_counts_once() {
    let inside = frames::tcp((UNITY, DC), (1025, 445), 1, 0, 0x02, b"");
    let unreadable = vxlan((DC, UNITY), &[0xff; 30]);
    for (frames, packets) in [
        (vec![unreadable.clone()], 1),
        (vec![vxlan((DC, UNITY), &inside)], 1),
        (vec![unreadable, vxlan((DC, UNITY), &inside)], 2),
    ] {
        let run = judged(&frames);
        let [finding] = run.report.findings.as_slice() else { panic!("one finding") };
        assert_eq!(finding.volume.packets, packets, "{}", finding.title);
        let of_tunnel = frames.len() == 1 && frames[0].len() > 100;
        assert_eq!(finding.title.ends_with("(a tunnel)"), of_tunnel, "{}", finding.title);
    }
}

#[test]
fn a_flood_of_tunnels_does_not_hide_one_unnoticed() {
    let inside = frames::tcp((UNITY, DC), (1025, 445), 1, 0, 0x02, b"");
    let flood = (0..4_100_u32).map(|network| {
        let mut frame = vxlan((DC, UNITY), &inside);
        frame[46..49].copy_from_slice(&network.to_be_bytes()[1..]);
        frame
    });
    let run = judged(&flood.collect::<Vec<_>>());
    let limits: Vec<_> = run.report.limits.iter().map(|limit| limit.code.as_str()).collect();
    assert!(limits.contains(&"tunnels-untold"), "{limits:?}");
    let said = &run.report.outcome.cannot_say;
    assert!(said.iter().any(|said| said.code == "tunnels-untold"), "{said:?}");
    let lost = run.report.outcome.measures.iter().find(|found| found.measure == "detail-lost");
    assert_eq!(lost.map(|found| (found.part, found.grade.as_str())), Some((4, "C")));
}

#[test]
fn a_gap_in_a_mirror_counts_as_loss() {
    let inside = frames::tcp((UNITY, DC), (1025, 445), 1, 0, 0x02, b"");
    let mirrored = |sequence: u32| {
        let header =
            [&[0x10, 0, 0x88, 0xbe][..], &sequence.to_be_bytes(), &[0x10, 1, 0, 1, 0, 0, 0, 0]];
        frames::other((STRANGER, [192, 0, 2, 78]), 47, &[&header.concat()[..], &inside].concat())
    };
    let run = judged(&[mirrored(5), mirrored(6), mirrored(9)]);
    let said = run.report.outcome.cannot_say.iter().find(|said| said.code == "lost-by-mirrors");
    let text = said.map(|said| said.text.as_str());
    assert_eq!(
        text,
        Some("mirrors lost 2 packets on the way, by the sequence numbers of their tunnels")
    );
    let measures = &run.report.outcome.measures;
    let loss = measures.iter().find(|measure| measure.measure == "loss").expect("a measure");
    assert_eq!((loss.part, loss.whole, loss.grade.as_str()), (2, 6, "D"));
    assert!(run.report.outcome.cannot_say.iter().any(|said| said.code == "unnamed-collectors"));
    let run = judged(&[mirrored(5), mirrored(6), mirrored(7)]);
    assert!(run.report.outcome.cannot_say.iter().all(|said| said.code != "lost-by-mirrors"));
}

/// Who ran a tunnel is certain, also where the capture shows one direction only.
#[test]
fn a_tunnel_is_laid_to_its_sender() {
    let (stranger, other) = (STRANGER, [192, 0, 2, 78]);
    let mut packets: Vec<_> = [(100, 0, 0x02), (101, 77, 0x10)]
        .map(|(sequence, ack, flags)| {
            frames::tcp((stranger, other), (1025, 80), sequence, ack, flags, b"")
        })
        .into();
    packets.push(vxlan((DC, UNITY), &frames::tcp((UNITY, DC), (1025, 445), 1, 0, 0x02, b"")));
    let run = judged(&packets);
    assert!(run.report.outcome.cannot_say.iter().any(|said| said.code == "one-sided"));
    let [tunnel] = run.assessment.tunnel_flows.as_slice() else { panic!("one tunnel") };
    assert_eq!(tunnel.initiator().to_string(), "10.0.0.11:0");
    assert_eq!(tunnel.responder().to_string(), "10.0.0.1:4789");
}

#[test]
fn a_query_from_the_port_of_a_tunnel_is_a_query() {
    // Identifier 6123, one question (RFC 1035 section 4.1), in reach of what 3544 may carry.
    let header = [0x61, 0x23, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let name = b"\x05_ldap\x04_tcp\x02dc\x06_msdcs\x07example\x03com\x00\x00\x21\x00\x01";
    let query = frames::udp((UNITY, DC), (3544, 53), &[&header[..], name].concat());
    let run = judged(&[query]);
    let line = &run.lines[0];
    assert_eq!((line.src_port, line.dst_port, line.path.as_str()), (3544, 53, ""));
}
