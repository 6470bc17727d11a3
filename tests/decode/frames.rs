//! Frames written out from the standards, each with the flow it belongs to.

use super::capture_walker::meta;
use super::encapsulations;
use portolan::base::LinkType;
use portolan::decode::{Decoded, Direction, FlowKey, Unit, dissect};

/// A well-formed frame of one packet.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) link: LinkType,
    pub(crate) bytes: Vec<u8>,
    /// Protocol, sender and receiver.
    pub(crate) flow: &'static str,
    /// Bytes of transport payload.
    pub(crate) payload: &'static [u8],
}

/// Port 1234 to port 5060, length 12.
pub(crate) const UDP: &str = "04d2 13c4 000c 0000  deadbeef";
/// Port 1234 to port 5060, sequence 1, acknowledgement 2, PSH and ACK, no options.
pub(crate) const TCP: &str = "04d2 13c4 00000001 00000002 5018 ffff 0000 0000  deadbeef";
/// The same with 12 bytes of options.
const TCP_OPTIONS: &str = "04d2 13c4 00000001 00000002 8018 ffff 0000 0000 \
                           0101080a 00000001 00000002  deadbeef";
/// Port 1234 to port 5060, a DATA chunk (RFC 9260 section 3.3.1).
pub(crate) const SCTP: &str = "04d2 13c4 11223344 00000000  0003 0014";
/// Echo request, identifier 7, sequence 1.
const ECHO: &str = "0800 0000 0007 0001  deadbeef";

/// From station 1 to station 2.
pub(crate) const MAC: &str = "0200 0000 0002  0200 0000 0001";
pub(crate) const UDP_FLOW: &str = "udp 10.0.0.1:1234 > 10.0.0.2:5060";
pub(crate) const UDP6_FLOW: &str = "udp [fd00::1]:1234 > [fd00::2]:5060";
const DATA: &[u8] = &[0xde, 0xad, 0xbe, 0xef];

/// Bytes from hexadecimal digits; spaces are ignored.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {text}");
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// An IPv4 packet from 10.0.0.1 to 10.0.0.2, identification 1, offset field 0.
pub(crate) fn ipv4(protocol: u8, payload: &str) -> String {
    ipv4_fragment("0000", protocol, payload)
}

/// The same with `flags_and_offset` as given.
pub(crate) fn ipv4_fragment(flags_and_offset: &str, protocol: u8, payload: &str) -> String {
    let total = 20 + hex(payload).len();
    format!(
        "4500 {total:04x} 0001 {flags_and_offset} 40{protocol:02x} 0000 0a000001 0a000002 {payload}"
    )
}

/// An IPv6 packet from fd00::1 to fd00::2.
pub(crate) fn ipv6(next_header: u8, payload: &str) -> String {
    let length = hex(payload).len();
    let address = |last: u8| format!("fd00 0000 0000 0000 0000 0000 0000 00{last:02x}");
    format!("60000000 {length:04x} {next_header:02x}40 {} {} {payload}", address(1), address(2))
}

/// An Ethernet frame around what an EtherType or length and a payload make.
pub(crate) fn ethernet(type_and_payload: &str) -> Vec<u8> {
    hex(&format!("{MAC} {type_and_payload}"))
}

/// Decodes a frame captured whole.
pub(crate) fn decode(link: LinkType, bytes: &[u8]) -> Decoded {
    dissect(&meta(link, bytes.len(), 0, 1), bytes, &mut ())
}

/// Decodes an Ethernet frame captured whole.
pub(crate) fn decode_ethernet(type_and_payload: &str) -> Decoded {
    decode(LinkType::ETHERNET, &ethernet(type_and_payload))
}

/// The packet that a frame was decoded to.
pub(crate) fn unit(decoded: Decoded) -> Unit {
    match decoded {
        Decoded::Unit(unit) => unit,
        other => panic!("not a packet of a flow: {other:?}"),
    }
}

/// Protocol, sender and receiver.
pub(crate) fn flow((key, direction): (FlowKey, Direction)) -> String {
    format!("{} {} > {}", key.protocol(), key.sender(direction), key.receiver(direction))
}

/// One frame of every form that is decoded.
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = link_samples();
    samples.extend(net_samples());
    samples.extend(encapsulations::samples());
    samples
}

fn sample(name: &'static str, link: LinkType, frame: &str) -> Sample {
    Sample { name, link, bytes: hex(frame), flow: UDP_FLOW, payload: DATA }
}

/// Link headers around the same datagram.
fn link_samples() -> Vec<Sample> {
    let ip = ipv4(17, UDP);
    let ip6 = ipv6(17, UDP);
    let snap = format!("aaaa03 000000 0800 {ip}");
    let snap_length = format!("{:04x}", hex(&snap).len());
    let ethernet = |name, rest: String| sample(name, LinkType::ETHERNET, &format!("{MAC} {rest}"));
    let v6 = |name, link, rest: String| Sample { flow: UDP6_FLOW, ..sample(name, link, &rest) };
    vec![
        ethernet("ethernet ii", format!("0800 {ip}")),
        ethernet("padded", format!("0800 {ip} 00000000 00000000")),
        ethernet("802.1q", format!("8100 0064 0800 {ip}")),
        ethernet("priority tag", format!("8100 e000 0800 {ip}")),
        ethernet("qinq", format!("88a8 0064 8100 0065 0800 {ip}")),
        ethernet("old qinq", format!("9100 0001 9200 0002 9300 0003 0800 {ip}")),
        ethernet("ten tags", format!("{} 0800 {ip}", "8100 0001 ".repeat(10))),
        ethernet("snap", format!("{snap_length} {snap} 0000")),
        ethernet("snap in 802.1q", format!("8100 0064 {snap_length} {snap}")),
        ethernet("802.1h", format!("{snap_length} aaaa03 0000f8 0800 {ip}")),
        ethernet("ip over llc", format!("{:04x} 060603 {ip}", hex(&ip).len() + 3)),
        sample(
            "sll",
            LinkType::LINUX_SLL,
            &format!("0000 0001 0006 {} 0000 0800 {ip}", &MAC[..14]),
        ),
        sample(
            "sll, 802.2",
            LinkType::LINUX_SLL,
            &format!("0000 0001 0006 {} 0000 0004 {snap}", &MAC[..14]),
        ),
        sample(
            "sll2",
            LinkType::LINUX_SLL2,
            &format!("0800 0000 00000001 0001 04 06 {} 0000 {ip}", &MAC[..14]),
        ),
        sample("null, little-endian", LinkType::NULL, &format!("02000000 {ip}")),
        sample("null, ethertype", LinkType::NULL, &format!("0f000800 {ip}")),
        sample("null, big-endian", LinkType::NULL, &format!("00000002 {ip}")),
        sample("loop", LinkType::LOOP, &format!("00000002 {ip}")),
        v6("null, bsd", LinkType::NULL, format!("18000000 {ip6}")),
        v6("null, freebsd", LinkType::NULL, format!("1c000000 {ip6}")),
        v6("null, darwin", LinkType::NULL, format!("1e000000 {ip6}")),
        v6("loop, openbsd", LinkType::LOOP, format!("00000018 {ip6}")),
        sample("ppp", LinkType::PPP, &format!("ff03 0021 {ip}")),
        sample("ppp, no address", LinkType::PPP, &format!("0021 {ip}")),
        sample("ppp, short protocol", LinkType::PPP, &format!("ff03 21 {ip}")),
        sample("ppp in hdlc", LinkType::PPP_HDLC, &format!("ff03 0021 {ip}")),
        sample("cisco hdlc", LinkType::PPP_HDLC, &format!("0f00 0800 {ip}")),
        v6("ppp, ipv6", LinkType::PPP, format!("ff03 0057 {ip6}")),
        sample("raw", LinkType::RAW, &ip),
        sample("raw, 12", LinkType::RAW_DLT12, &ip),
        sample("raw, 14", LinkType::RAW_DLT14, &ip),
        sample("ipv4", LinkType::IPV4, &ip),
        v6("raw, ipv6", LinkType::RAW, ip6.clone()),
        v6("ipv6", LinkType::IPV6, ip6),
    ]
}

/// Network and transport headers without a link header.
fn net_samples() -> Vec<Sample> {
    let ip = |name, flow, protocol, payload: &str| Sample {
        flow,
        ..sample(name, LinkType::RAW, &ipv4(protocol, payload))
    };
    let ip6 = |name, flow, next_header, payload: String| Sample {
        flow,
        ..sample(name, LinkType::RAW, &ipv6(next_header, &payload))
    };
    let options = format!("4600 0024 0001 0000 4011 0000 0a000001 0a000002 94040000 {UDP}");
    // Next header, length in 8 bytes without the first 8, options; a routing header of type 0.
    let extensions = format!("3c00 01040000 0000 2b00 01040000 0000 1100 00000000 0000 {UDP}");
    let mut samples = vec![
        sample("ipv4 options", LinkType::RAW, &options),
        ip("tcp", "tcp 10.0.0.1:1234 > 10.0.0.2:5060", 6, TCP),
        ip("tcp options", "tcp 10.0.0.1:1234 > 10.0.0.2:5060", 6, TCP_OPTIONS),
        Sample {
            payload: &[0x00, 0x03, 0x00, 0x14],
            ..ip("sctp", "sctp 10.0.0.1:1234 > 10.0.0.2:5060", 132, SCTP)
        },
        ip("echo", "icmp 10.0.0.1:0 > 10.0.0.2:0", 1, ECHO),
        ip("esp", "esp 10.0.0.1:0 > 10.0.0.2:0", 50, "deadbeef"),
        ip("unassigned", "200 10.0.0.1:0 > 10.0.0.2:0", 200, "deadbeef"),
        ip("hop-by-hop number in ipv4", "hopopt 10.0.0.1:0 > 10.0.0.2:0", 0, "deadbeef"),
        ip("ah", UDP_FLOW, 51, &format!("1104 0000 00000001 00000001 {} {UDP}", "00".repeat(12))),
        ip6("extensions", UDP6_FLOW, 0, extensions),
        ip6("atomic fragment", UDP6_FLOW, 44, format!("1100 0000 00000001 {UDP}")),
        Sample {
            link: LinkType::ETHERNET,
            bytes: ethernet(&format!("86dd {} 00000000", ipv6(6, TCP))),
            ..ip6("padded", "tcp [fd00::1]:1234 > [fd00::2]:5060", 6, TCP.to_string())
        },
        ip6("icmpv6 echo", "icmpv6 [fd00::1]:0 > [fd00::2]:0", 58, ECHO.replacen("08", "80", 1)),
        Sample {
            payload: &[],
            ..ip6("no next header", "59 [fd00::1]:0 > [fd00::2]:0", 59, String::new())
        },
    ];
    samples.extend(routed_samples());
    samples
}

/// Packets that their sender routes over other hosts (RFC 791 section 3.1): 10.0.0.9
/// is next, and 10.0.0.2 the last.
fn routed_samples() -> Vec<Sample> {
    let ip = |name, words: u8, next: &str, options: &str| {
        let length = 4 * words + 12;
        let head = format!("4{words:x}00 00{length:02x} 0001 0000 4011 0000 0a000001");
        sample(name, LinkType::RAW, &format!("{head} {next} {options} {UDP}"))
    };
    let (via, last) = ("0a000009", "0a000002");
    vec![
        ip("loose source route", 8, via, &format!("830b04 0a000008 {last} 00")),
        ip("loose source route, half way", 8, via, &format!("830b08 0a000008 {last} 00")),
        ip("strict source route", 7, via, &format!("01 890704 {last}")),
        ip("source route, done", 7, last, &format!("830708 {via} 00")),
    ]
}
