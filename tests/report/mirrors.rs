//! Mirrors as they are: tunnels to a collector that lose packets, and tunnels that are no mirrors
//! although they look like one.

use portolan::report::model::{Report, Tunnel};

use super::evidence::{BEGIN, DC, SITE, UNITY, WHOLE, codes, measure, part, status, timed};
use crate::frames;
use crate::runs::{Rules, check_frames, check_stream, pcap_cut};
use crate::wrap::{self, WRAPPERS};

/// Somewhere on the Internet (RFC 5737).
const STRANGER: [u8; 4] = [198, 51, 100, 7];

fn named(collector: &str) -> String {
    SITE.replace(
        "[conditions]",
        &format!("[capture]\ncollectors = [\"{collector}\"]\n[conditions]"),
    )
}

/// Connections in ERSPAN II, without the packets whose sequence numbers are `lost`.
fn mirrored(connections: u16, lost: &[u32], site: &str) -> Report {
    let frames = (0..connections).flat_map(|index| part(20_000 + index, WHOLE));
    let wrapped = (0..).zip(frames).map(|(number, frame)| wrap::erspan_2(&frame, number));
    let packets = (0..).zip(timed(wrapped)).filter(|(number, _)| !lost.contains(number));
    let packets: Vec<_> = packets.map(|(_, packet)| packet).collect();
    check_frames(&packets, &Rules::at(site)).report
}

fn tunnels(report: &Report) -> Vec<(&str, bool, u64)> {
    fn told(tunnel: &Tunnel) -> (&str, bool, u64) {
        (&tunnel.kind, tunnel.mirror, tunnel.lost_packets)
    }
    report.capture_health.tunnels.iter().map(told).collect()
}

/// D4.4: what the sequence numbers miss was lost, and so nothing was proved to be absent.
#[test]
fn what_a_mirror_lost_lowers_the_grade() {
    // A retransmission is no loss to anybody, so acknowledgements without data are left out: one
    // of 1,000 packets is 0.1 %, eleven are 1.1 %.
    let acknowledgements: Vec<u32> = (0..11).map(|connection| 500 + 5 * connection + 2).collect();
    for (lost, grade, result) in
        [(0, "A", "pass"), (1, "B", "pass"), (2, "C", "inconclusive"), (11, "D", "inconclusive")]
    {
        let report = mirrored(200, &acknowledgements[..lost], &named("192.0.2.2"));
        let loss = measure(&report, "loss");
        assert_eq!((loss.part, loss.grade.as_str()), (lost as u64, grade), "{lost} lost");
        assert_eq!(report.outcome.result, result, "{lost} lost");
        assert_eq!(tunnels(&report), [("erspan-2", true, lost as u64)]);
        assert_eq!(codes(&report).contains(&"lost-by-mirrors"), lost > 0);
        let unused = if lost > 0 { "not-seen" } else { "unexercised" };
        assert_eq!(status(&report, "U-DC.smb.tcp"), unused, "{lost} lost");
    }
}

#[test]
fn a_mirror_to_a_collector_that_nobody_named_is_told() {
    let unnamed = mirrored(3, &[], SITE);
    assert_eq!(tunnels(&unnamed), [("erspan-2", true, 0)]);
    let said = unnamed.outcome.cannot_say.iter().find(|said| said.code == "unnamed-collectors");
    let said = said.expect("nobody named 192.0.2.2");
    assert!(said.text.starts_with("1 mirror tunnel is to"), "{}", said.text);
    let other = mirrored(3, &[], &named("192.0.2.3"));
    assert!(codes(&other).contains(&"unnamed-collectors"));
    let named = mirrored(3, &[], &named("192.0.2.2"));
    assert!(!codes(&named).contains(&"unnamed-collectors"));
    assert_eq!(named.findings.len() + unnamed.findings.len(), 0);
}

/// The outer IPv4 addresses of a wrapped frame.
fn between(mut frame: Vec<u8>, source: [u8; 4], destination: [u8; 4]) -> Vec<u8> {
    frame[26..30].copy_from_slice(&source);
    frame[30..34].copy_from_slice(&destination);
    frame
}

/// What a governed host sends to a stranger in a tunnel is a conversation with the stranger,
/// whatever the packets inside claim.
#[test]
fn a_tunnel_of_a_governed_host_to_a_stranger_is_a_finding() {
    for (kind, name, transport) in
        [("erspan-2", "ERSPAN II", "gre"), ("gre", "GRE", "gre"), ("vxlan", "VXLAN", "udp")]
    {
        let (_, wrapper) = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name).expect(name);
        let tunnelled = |inner: Vec<Vec<u8>>| {
            let outer = (0..)
                .zip(inner)
                .map(|(number, frame)| between(wrapper(&frame, number), UNITY, STRANGER));
            timed(outer)
        };
        // Inside: a documented connection, and one between two hosts of nobody's interest.
        let aside = ([10, 9, 9, 1], [10, 9, 9, 2]);
        let inner = |documented: bool| match documented {
            true => part(20_000, WHOLE).collect(),
            false => vec![frames::udp(aside, (40_000, 40_001), b"secrets"); 1],
        };
        for documented in [true, false] {
            let packets = tunnelled(inner(documented));
            let stranger = check_frames(&packets, &Rules::at(SITE)).report;
            let [finding] = stranger.findings.as_slice() else {
                panic!("{kind}: {:?}", stranger.findings)
            };
            assert_eq!(finding.code, "unknown-peer", "{kind}");
            assert_eq!(
                (finding.severity.as_str(), finding.service.transport.as_str()),
                ("high", transport)
            );
            let sample = &finding.samples[0];
            assert!(sample.initiator.starts_with("10.0.0.1"), "{kind}: {}", sample.initiator);
            assert!(sample.responder.starts_with("198.51.100.7"), "{kind}: {}", sample.responder);
            assert_eq!(tunnels(&stranger), [(kind, false, 0)]);
            assert_eq!(stranger.outcome.result, "fail", "{kind}");
            assert_eq!(stranger.accounting.mismatches, [], "{kind}: no packet counts twice");

            let collector = named("198.51.100.7");
            let collected = check_frames(&packets, &Rules::at(&collector)).report;
            assert!(collected.findings.is_empty(), "{kind}: {:?}", collected.findings);
            assert_eq!(tunnels(&collected), [(kind, true, 0)]);
            assert_eq!(collected.accounting.mismatches, []);
        }
    }
}

#[test]
fn a_mirror_transport_from_a_listed_host_is_no_plumbing() {
    let frame = frames::udp(([10, 9, 9, 1], [10, 9, 9, 2]), (40_000, 40_001), b"anything");
    let packets = vec![(BEGIN, between(wrap::erspan_2(&frame, 0), UNITY, DC))];
    let report = check_frames(&packets, &Rules::at(SITE)).report;
    assert_eq!(tunnels(&report), [("erspan-2", false, 0)]);
    let found: Vec<&str> = report.findings.iter().map(|finding| finding.verdict.as_str()).collect();
    assert_eq!(found, ["violation"]);
}

/// What cannot be read inside a mirror is no conversation between its ends, but it is not forgotten.
#[test]
fn cut_packets_of_a_mirror_are_plumbing_and_undecoded() {
    let frames = (0..5).flat_map(|index| part(20_000 + index, WHOLE));
    let packets = timed(
        (0..)
            .zip(frames)
            .map(|(number, frame)| between(wrap::erspan_2(&frame, number), UNITY, STRANGER)),
    );
    // 64 bytes before the inner IP header.
    let judged =
        |site: &str| check_stream("cut.pcap", pcap_cut(&packets, 70), &Rules::at(site)).report;
    let stranger = judged(SITE);
    let codes_of: Vec<&str> = stranger.findings.iter().map(|found| found.code.as_str()).collect();
    assert_eq!(codes_of, ["unknown-peer"]);
    for report in [stranger, judged(&named("198.51.100.7"))] {
        let health = &report.capture_health;
        assert_eq!(health.unread_inside, 25);
        let inside: Vec<_> =
            health.undecoded_inside.iter().map(|stop| stop.layer.as_str()).collect();
        assert_eq!(inside, ["ipv4"]);
        assert_eq!(measure(&report, "undecoded-packets").part, 25);
        assert_eq!(measure(&report, "undecoded-packets").grade, "D");
        assert_eq!(report.accounting.mismatches, []);
        let named = health.tunnels[0].mirror;
        assert_eq!(report.findings.is_empty(), named, "{:?}", report.findings);
        assert_eq!(report.summary.verdicts["out-of-scope"].flows, u64::from(named));
    }
}

/// Every packet twice, as a mirror of both directions of all ports shows it.
#[test]
fn a_mirror_of_both_directions_is_told_with_its_remedy() {
    let told = |copied: usize| {
        let mut packets = Vec::new();
        let whole = timed((0..20).flat_map(|index| part(20_000 + index, WHOLE)));
        for (index, (time, frame)) in whole.into_iter().enumerate() {
            packets.push((time, frame.clone()));
            // Acknowledgements without data and without a timestamp have nothing to be told by.
            if index < copied && index % 5 != 2 {
                packets.push((time + 20_000, frame));
            }
        }
        let report = check_frames(&packets, &Rules::at(SITE)).report;
        let said = report.outcome.cannot_say.into_iter().find(|said| said.code == "copies");
        (report.capture_health.copies.exact, said.map(|said| (said.text, said.remedy)))
    };
    let (copies, said) = told(100);
    let (text, remedy) = said.expect("copies");
    assert!(copies >= 80 && text.contains("received and where it is sent"), "{copies}: {text}");
    assert!(remedy.contains("SPAN source to rx alone"), "{remedy}");
    let (copies, said) = told(40);
    let (text, _) = said.expect("copies");
    assert!((20..45).contains(&copies) && !text.contains("received"), "{copies}: {text}");
    assert_eq!(told(5).1, None);
}
