//! What each header must give, and what its near misses must not.

use super::capture_walker::meta;
use super::frames::{
    MAC, SCTP, TCP, UDP, decode, decode_ethernet, ethernet, flow, hex, ipv4, ipv4_fragment, ipv6,
    samples, unit,
};
use portolan::base::{IpProto, LinkType};
use portolan::decode::{
    Decoded, Direction, Layer, Stop, StopReason, Transport, dissect, hides_ip, non_ip_name,
};

/// The stop of a frame that was not understood.
fn stop(decoded: Decoded) -> Stop {
    match decoded {
        Decoded::Stopped(stop) => stop,
        other => panic!("decoded: {other:?}"),
    }
}

/// The name of a frame that carries no IP.
fn non_ip(decoded: Decoded) -> &'static str {
    match decoded {
        Decoded::NonIp(layer, value) => non_ip_name(layer, value).unwrap(),
        other => panic!("not a non-IP frame: {other:?}"),
    }
}

#[test]
fn every_form_gives_its_flow_and_its_payload() {
    for sample in samples() {
        let unit = unit(decode(sample.link, &sample.bytes));
        assert_eq!(flow((unit.key, unit.direction)), sample.flow, "{}", sample.name);
        let start = unit.payload_offset as usize;
        let payload = &sample.bytes[start..start + unit.payload_captured as usize];
        assert_eq!(payload, sample.payload, "{}", sample.name);
        assert_eq!(unit.payload_bytes, unit.payload_captured, "{}", sample.name);
        assert_eq!(unit.frame_bytes as usize, sample.bytes.len(), "{}", sample.name);
        assert!(!unit.cut && !unit.link_group, "{}", sample.name);
        assert_eq!(unit.first_fragment(), None, "{}", sample.name);
    }
}

#[test]
fn transport_facts_are_read() {
    let tcp = unit(decode(LinkType::RAW, &hex(&ipv4(6, TCP))));
    let facts = Transport::Tcp { sequence: 1, acknowledgement: 2, flags: 0x18 };
    assert_eq!(tcp.transport, facts);
    assert_eq!(tcp.ip_bytes, 44);
    let sctp = unit(decode(LinkType::RAW, &hex(&ipv4(132, SCTP))));
    assert_eq!(sctp.transport, Transport::Sctp { first_chunk: 0 });
    let empty = unit(decode(LinkType::RAW, &hex(&ipv4(132, &SCTP[..28]))));
    assert_eq!(empty.transport, Transport::Sctp { first_chunk: 255 });
    let echo = unit(decode(LinkType::RAW, &hex(&ipv4(1, "0800 0000 0007 0001"))));
    assert_eq!(echo.transport, Transport::Icmp { kind: 8, code: 0 });
}

#[test]
fn groups_are_told_from_stations() {
    let ip = ipv4(17, UDP);
    let group = |link, frame: &str| unit(decode(link, &hex(frame))).link_group;
    let source = &MAC[16..];
    assert!(group(LinkType::ETHERNET, &format!("ffffffffffff {source} 0800 {ip}")));
    assert!(group(LinkType::ETHERNET, &format!("01005e000001 {source} 0800 {ip}")));
    assert!(!group(LinkType::ETHERNET, &format!("{MAC} 0800 {ip}")));
    // Packet type: to us, broadcast, multicast, to somebody else, from us.
    for (packet_type, expected) in [(0, false), (1, true), (2, true), (3, false), (4, false)] {
        let sll = format!("000{packet_type} 0001 0006 020000000001 0000 0800 {ip}");
        assert_eq!(group(LinkType::LINUX_SLL, &sll), expected);
        let sll2 = format!("0800 0000 00000001 0001 0{packet_type} 06 020000000001 0000 {ip}");
        assert_eq!(group(LinkType::LINUX_SLL2, &sll2), expected);
    }
}

#[test]
fn protocols_beside_ip_are_named() {
    let ethernet = |rest| non_ip(decode_ethernet(rest));
    assert_eq!(ethernet("0806 0001 0800 0604 0001"), "arp");
    assert_eq!(ethernet("8100 0064 88cc 0207"), "lldp");
    assert_eq!(ethernet("0026 424203 0000 00"), "stp");
    assert_eq!(ethernet("0003 424203"), "stp");
    // The response bit of the source access point does not change the protocol.
    assert_eq!(ethernet("0004 f0f1 0000"), "netbeui");
    assert_eq!(ethernet("0020 aaaa03 00000c 2000 02b4"), "cdp");
    assert_eq!(ethernet("0020 ffff 0020 0011"), "ipx");
    assert_eq!(non_ip(decode(LinkType::PPP, &hex("ff03 c021 0101 0004"))), "lcp");
    let arp = "0001 0001 0006 020000000001 0000 0806 0001 0800";
    assert_eq!(non_ip(decode(LinkType::LINUX_SLL, &hex(arp))), "arp");
}

#[test]
fn what_may_hide_ip_is_not_understood() {
    let value = 0x88bb;
    let place = Stop { layer: Layer::Ethernet, reason: StopReason::Unknown, value };
    assert_eq!(stop(decode_ethernet("88bb 0000")), place);
    assert_eq!(non_ip_name(Layer::Ethernet, value), Some("lwapp"));
    assert!(hides_ip(Layer::Ethernet, value));
}

#[test]
fn unknown_numbers_are_kept() {
    let unknown = |decoded, layer, value| {
        assert_eq!(stop(decoded), Stop { layer, reason: StopReason::Unknown, value });
    };
    unknown(decode(LinkType(147), &[1, 2, 3]), Layer::LinkType, 147);
    unknown(decode_ethernet("1234 0000"), Layer::Ethernet, 0x1234);
    unknown(decode_ethernet("0003 021203"), Layer::Llc, 0x0212);
    // IP needs unnumbered information; this is a TEST command.
    unknown(decode_ethernet("0003 0606e3"), Layer::Llc, 0x0606);
    unknown(decode_ethernet("0008 aaaa03 123456 0800"), Layer::Llc, 0x12_3456_0800);
    unknown(decode(LinkType::NULL, &hex("07000000 4500")), Layer::Loopback, 7);
    unknown(decode(LinkType::PPP, &hex("ff03 1235 00")), Layer::Ppp, 0x1235);
    let sll = "0000 0001 0006 020000000001 0000 0003 00";
    unknown(decode(LinkType::LINUX_SLL, &hex(sll)), Layer::LinuxCooked, 3);
}

#[test]
fn fields_that_contradict_the_standard_stop_decoding() {
    let bad = |decoded, layer, value| {
        assert_eq!(stop(decoded), Stop { layer, reason: StopReason::BadField, value });
    };
    // Neither a length (up to 1500) nor an EtherType (from 1536).
    bad(decode_ethernet("05dd 0000"), Layer::Ethernet, 0x05dd);
    bad(decode_ethernet("8100 0001 05ff 0000"), Layer::Vlan, 0x05ff);
    assert_eq!(stop(decode_ethernet("0600 0000")).reason, StopReason::Unknown);
    let ip = ipv4(17, UDP);
    bad(decode(LinkType::IPV4, &hex(&ip.replacen("45", "55", 1))), Layer::Ipv4, 5);
    bad(decode(LinkType::IPV4, &hex(&ip.replacen("45", "44", 1))), Layer::Ipv4, 4);
    bad(decode(LinkType::IPV4, &hex(&ip.replacen("0020", "0013", 1))), Layer::Ipv4, 0x13);
    bad(decode(LinkType::IPV6, &hex(&ipv6(17, UDP).replacen("60", "40", 1))), Layer::Ipv6, 4);
    bad(decode(LinkType::RAW, &hex("5500 0000")), Layer::RawIp, 5);
}

#[test]
fn declared_lengths_bound_the_payload() {
    let payload = |frame: &str| unit(decode(LinkType::RAW, &hex(frame))).payload_bytes;
    let ip = ipv4(17, UDP);
    // Total length 0 and IPv6 payload length 0: the packet fills the frame.
    assert_eq!(payload(&ip.replacen("0020", "0000", 1)), 4);
    assert_eq!(payload(&ipv6(17, UDP).replacen("000c", "0000", 1)), 4);
    // A UDP length within, below its header, and beyond the packet.
    for (length, expected) in [("000a", 2), ("0008", 0), ("0007", 4), ("0000", 4), ("ffff", 4)] {
        assert_eq!(payload(&ip.replacen("000c", length, 1)), expected, "UDP length {length}");
    }
    // A TCP header of 16 bytes, and one longer than its packet.
    for header in ["4018", "f018"] {
        let tcp = unit(decode(LinkType::RAW, &hex(&ipv4(6, &TCP.replacen("5018", header, 1)))));
        assert_eq!((tcp.payload_bytes, tcp.payload_captured), (0, 0));
        assert!(tcp.payload_offset >= 40, "the payload begins within the header");
        assert_eq!(flow((tcp.key, tcp.direction)), "tcp 10.0.0.1:1234 > 10.0.0.2:5060");
    }
    // A packet without a payload is not filled up by the padding of its frame.
    let padded = format!("86dd {} 00000000", ipv6(59, ""));
    let nothing = unit(decode_ethernet(&padded));
    assert_eq!((nothing.payload_bytes, nothing.ip_bytes), (0, 40));
    // Nor are ports made of padding.
    let portless = unit(decode_ethernet(&format!("0800 {} 04d2 13c4", ipv4(6, "04d2"))));
    assert_eq!((portless.key.a().port(), portless.transport), (0, Transport::Incomplete));
    // A total length beyond the frame is no cut of the capture.
    let long = unit(decode(LinkType::RAW, &hex(&ip.replacen("0020", "0100", 1))));
    assert!(!long.cut);
    assert_eq!((long.ip_bytes, long.payload_captured), (256, 4));
}

#[test]
fn short_frames_are_told_from_cut_ones() {
    let short = |layer, reason, value| Stop { layer, reason, value };
    let bytes = ethernet("0800 45");
    let runt = decode(LinkType::ETHERNET, &bytes[..10]);
    assert_eq!(stop(runt), short(Layer::Ethernet, StopReason::ShortHeader, 10));
    let cut = dissect(&meta(LinkType::ETHERNET, 10, 60, 1), &bytes[..10], &mut ());
    assert_eq!(stop(cut), short(Layer::Ethernet, StopReason::CutHeader, 10));
    let ip = decode(LinkType::ETHERNET, &bytes);
    assert_eq!(stop(ip), short(Layer::Ipv4, StopReason::ShortHeader, 1));
    // What lies behind an 802.3 length is padding.
    let llc = decode_ethernet("0002 4242 0300 0000");
    assert_eq!(stop(llc), short(Layer::Llc, StopReason::ShortHeader, 2));
}

#[test]
fn the_frame_check_sequence_is_no_payload() {
    let gre =
        ethernet(&format!("0800 {} 01020304", ipv4(47, "deadbeef").replacen("0018", "0000", 1)));
    let mut frame = meta(LinkType::ETHERNET, gre.len(), 0, 1);
    assert_eq!(unit(dissect(&frame, &gre, &mut ())).payload_bytes, 8);
    frame.fcs_bytes = 4;
    let without = unit(dissect(&frame, &gre, &mut ()));
    assert_eq!((without.payload_bytes, without.payload_captured), (4, 4));
    assert_eq!(without.frame_bytes as usize, gre.len());
    // Snapped in front of it: nothing of the payload is lost.
    let snapped = unit(dissect(&frame_of(&gre, gre.len() - 4, 4), &gre[..gre.len() - 4], &mut ()));
    assert_eq!((snapped.payload_bytes, snapped.payload_captured, snapped.cut), (4, 4, false));
}

fn frame_of(bytes: &[u8], captured: usize, fcs_bytes: u8) -> portolan::capture::FrameMeta {
    let original = u32::try_from(bytes.len()).unwrap();
    portolan::capture::FrameMeta { fcs_bytes, ..meta(LinkType::ETHERNET, captured, original, 1) }
}

#[test]
fn fragments_name_their_datagram() {
    let first = unit(decode(LinkType::RAW, &hex(&ipv4_fragment("2000", 17, UDP))));
    let datagram = first.first_fragment().unwrap();
    assert_eq!((datagram.identification, datagram.protocol), (1, IpProto::UDP));
    assert_eq!((datagram.source.port(), datagram.destination.port()), (0, 0));
    assert_eq!(first.key.a().port(), 1234);
    // The last fragment, at offset 16: its bytes are not ports.
    let last = decode(LinkType::RAW, &hex(&ipv4_fragment("0002", 17, UDP)));
    let Decoded::Fragment(last) = last else { panic!("{last:?}") };
    assert_eq!(last.datagram, datagram);
    assert_eq!((last.payload_bytes, last.ip_bytes, last.cut), (12, 32, false));
    let bytes = hex(&ipv4_fragment("0002", 17, UDP));
    let cut = dissect(&meta(LinkType::RAW, 24, 32, 1), &bytes[..24], &mut ());
    let Decoded::Fragment(cut) = cut else { panic!("{cut:?}") };
    assert_eq!((cut.payload_bytes, cut.frame_bytes, cut.cut), (12, 32, true));

    let first = unit(decode(LinkType::RAW, &hex(&ipv6(44, &format!("1100 0001 00000009 {UDP}")))));
    let last = decode(LinkType::RAW, &hex(&ipv6(44, &format!("1100 0010 00000009 {UDP}"))));
    let Decoded::Fragment(last) = last else { panic!("{last:?}") };
    assert_eq!(Some(last.datagram), first.first_fragment());
    assert_eq!((last.payload_bytes, last.ip_bytes), (12, 60));
}

#[test]
fn a_first_fragment_without_ports_is_tiny_only_when_sent_so() {
    let tiny = hex(&ipv4_fragment("2000", 6, "04d2"));
    let expected = Stop { layer: Layer::Tcp, reason: StopReason::TinyFragment, value: 2 };
    assert_eq!(stop(decode(LinkType::RAW, &tiny)), expected);
    let whole = hex(&ipv4_fragment("2000", 6, TCP));
    let cut = unit(dissect(&meta(LinkType::RAW, 22, whole.len() as u32, 1), &whole[..22], &mut ()));
    assert_eq!((cut.key.a().port(), cut.transport), (0, Transport::Incomplete));
    assert!(cut.first_fragment().is_some());
}

#[test]
fn icmp_errors_hand_on_the_flow_they_are_about() {
    // 10.0.0.2 says that port 5060 is unreachable; only 8 bytes of the TCP header are quoted.
    let quoted = ipv4(6, TCP);
    let eight = &hex(&quoted)[..28];
    let eight: String = eight.iter().map(|byte| format!("{byte:02x}")).collect();
    let error = format!("0303 0000 00000000 {eight}");
    let swapped = ipv4(1, &error).replacen("0a000001 0a000002", "0a000002 0a000001", 1);
    let unreachable = unit(decode(LinkType::RAW, &hex(&swapped)));
    assert_eq!(flow((unreachable.key, unreachable.direction)), "icmp 10.0.0.2:0 > 10.0.0.1:0");
    assert_eq!(unreachable.transport, Transport::Icmp { kind: 3, code: 3 });
    let about = unreachable.quoted().unwrap();
    assert_eq!(flow(about), "tcp 10.0.0.1:1234 > 10.0.0.2:5060");
    assert_eq!((unreachable.direction, about.1), (Direction::BToA, Direction::AToB));
}

/// The flow quoted behind an ICMP or ICMPv6 header.
fn quoted(protocol: u8, icmp: &str) -> Option<String> {
    let frame = if protocol == 58 { ipv6(58, icmp) } else { ipv4(protocol, icmp) };
    let unit = unit(decode(LinkType::RAW, &hex(&frame)));
    assert!(matches!(unit.transport, Transport::Icmp { .. }), "{unit:?}");
    unit.quoted().map(flow)
}

#[test]
fn only_icmp_errors_quote() {
    let udp = "udp 10.0.0.1:1234 > 10.0.0.2:5060";
    let packet = ipv4(17, UDP);
    for (kind, expected) in [(3, true), (4, true), (5, true), (11, true), (12, true)] {
        let quoted = quoted(1, &format!("{kind:02x}00 0000 00000000 {packet}"));
        assert_eq!(quoted.as_deref() == Some(udp), expected, "type {kind}");
    }
    for kind in [0, 1, 2, 8, 9, 13] {
        assert_eq!(quoted(1, &format!("{kind:02x}00 0000 00000000 {packet}")), None, "type {kind}");
    }
    let packet = ipv6(17, UDP);
    for kind in 0..=5 {
        let expected = (1..=4).contains(&kind).then_some("udp [fd00::1]:1234 > [fd00::2]:5060");
        let quoted = quoted(58, &format!("{kind:02x}00 0000 00000000 {packet}"));
        assert_eq!(quoted.as_deref(), expected, "type {kind}");
    }
}

#[test]
fn a_quotation_without_ports_names_no_flow() {
    let unreachable = |packet: &str| quoted(1, &format!("0301 0000 00000000 {packet}"));
    assert_eq!(unreachable(&ipv4(17, "04d2")), None);
    assert_eq!(unreachable(&ipv4_fragment("0002", 17, UDP)), None);
    assert_eq!(unreachable("45000020"), None);
    // Four bytes of the transport header hold the ports, whatever else was left out.
    for (protocol, transport) in [(6, TCP), (17, UDP), (132, SCTP)] {
        let whole = hex(&ipv4(protocol, transport));
        for length in 24..=28 {
            let quoted: String = whole[..length].iter().map(|byte| format!("{byte:02x}")).collect();
            let flow = unreachable(&quoted).unwrap_or_default();
            assert!(flow.ends_with("10.0.0.1:1234 > 10.0.0.2:5060"), "{length}: {flow}");
        }
    }
    // An error about an echo request has no ports to quote, and two hosts to name.
    assert_eq!(
        unreachable(&ipv4(1, "0800 0000 00070001")).as_deref(),
        Some("icmp 10.0.0.1:0 > 10.0.0.2:0")
    );
    // A quotation that quotes is followed once, however often it is nested.
    let error = "4500 0000 0001 0000 4001 0000 0a000001 0a000002  0301 0000 00000000";
    let nested = format!("{} {}", error.repeat(9000), ipv4(17, UDP));
    let outer = unit(decode(LinkType::RAW, &hex(&nested)));
    assert_eq!(flow(outer.quoted().unwrap()), "icmp 10.0.0.1:0 > 10.0.0.2:0");
}

#[test]
fn ah_in_front_of_esp_counts_as_ah() {
    let frame = ipv4(51, &format!("3204 0000 00000001 00000001 {} 00000007", "00".repeat(12)));
    let ah = unit(decode(LinkType::RAW, &hex(&frame)));
    assert_eq!((ah.key.protocol(), ah.transport), (IpProto(51), Transport::Other));
}

#[test]
fn endless_headers_end() {
    let tags =
        |count| decode_ethernet(&format!("{} 0800 {}", "8100 0001 ".repeat(count), ipv4(17, UDP)));
    // Ethernet, tags, IPv4 and UDP.
    assert_eq!(unit(tags(61)).key.protocol(), IpProto::UDP);
    assert_eq!(stop(tags(62)).reason, StopReason::TooDeep);
}
