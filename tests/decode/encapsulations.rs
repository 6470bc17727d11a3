//! One frame of every encapsulation, written out from the standards, and what decoding must say of
//! it. Each of them is read by tshark as well; see `tshark`.

use super::frames::{MAC, Sample, TCP, UDP, UDP_FLOW, UDP6_FLOW, hex, ipv4, ipv6};
use portolan::base::LinkType;

/// A frame that came through other headers.
pub(crate) struct Wrapped {
    pub(crate) name: &'static str,
    pub(crate) link: LinkType,
    pub(crate) bytes: Vec<u8>,
    /// Protocol, sender and receiver of the innermost packet.
    pub(crate) flow: &'static str,
    /// The headers outside it.
    pub(crate) path: &'static str,
    pub(crate) vlan: Option<u16>,
    /// The tunnels: ends, identifier and sequence number.
    pub(crate) carriers: Vec<&'static str>,
}

const PAYLOAD: &[u8] = &[0xde, 0xad, 0xbe, 0xef];

/// The same as samples of any frame.
pub(crate) fn samples() -> Vec<Sample> {
    let sample = |wrapped: Wrapped| Sample {
        name: wrapped.name,
        link: wrapped.link,
        bytes: wrapped.bytes,
        flow: wrapped.flow,
        payload: PAYLOAD,
    };
    wrapped().into_iter().map(sample).collect()
}

pub(crate) fn wrapped() -> Vec<Wrapped> {
    let mut all = tags();
    all.extend(labels());
    all.extend(links());
    all.extend(tunnels_over_ip());
    all.extend(mirrors());
    all.extend(tunnels_over_udp());
    all.extend(nested());
    all
}

fn link(number: u16, name: &'static str, frame: &str) -> Wrapped {
    Wrapped {
        name,
        link: LinkType(number),
        bytes: hex(frame),
        flow: UDP_FLOW,
        path: "",
        vlan: None,
        carriers: vec![],
    }
}

/// The flow of what Teredo carries here.
const TEREDO_FLOW: &str = "udp [fd00::1]:1234 > [2001::2]:5060";

/// An Ethernet frame from the EtherType on.
fn ethernet(name: &'static str, path: &'static str, rest: &str) -> Wrapped {
    Wrapped { path, ..link(1, name, &format!("{MAC} {rest}")) }
}

/// The whole inner frame, without and with a tag of VLAN 101.
fn inner() -> String {
    format!("0200 0000 0004 0200 0000 0003 0800 {}", ipv4(17, UDP))
}

fn inner_tagged() -> String {
    format!("0200 0000 0004 0200 0000 0003 8100 0065 0800 {}", ipv4(17, UDP))
}

/// An IPv4 packet between the ends of a tunnel, 192.0.2.1 to 192.0.2.2.
fn outer(protocol: u8, payload: &str) -> String {
    ipv4(protocol, payload).replacen("0a000001 0a000002", "c0000201 c0000202", 1)
}

/// An Ethernet frame of a tunnel packet.
fn over_ip(
    name: &'static str,
    path: &'static str,
    carrier: &'static str,
    protocol: u8,
    payload: &str,
) -> Wrapped {
    let frame = format!("0800 {}", outer(protocol, payload));
    Wrapped { carriers: vec![carrier], ..ethernet(name, path, &frame) }
}

/// A UDP datagram from port 50000.
fn datagram(port: u16, payload: &str) -> String {
    format!("c350 {port:04x} {:04x} 0000 {payload}", hex(payload).len() + 8)
}

fn over_udp(
    name: &'static str,
    path: &'static str,
    carrier: &'static str,
    port: u16,
    payload: &str,
) -> Wrapped {
    over_ip(name, path, carrier, 17, &datagram(port, payload))
}

/// Headers between Ethernet and what it carries.
fn tags() -> Vec<Wrapped> {
    let ip = ipv4(17, UDP);
    let cmd = format!("8909 01 01 0001 0064 0800 {ip}");
    let zeros = "00".repeat(16);
    let tagged = |vlan, wrapped: Wrapped| Wrapped { vlan: Some(vlan), ..wrapped };
    vec![
        tagged(300, ethernet("vlan", "vlan", &format!("8100 a12c 0800 {ip}"))),
        tagged(101, ethernet("qinq 9300", "vlan/vlan", &format!("9300 0064 8100 0065 0800 {ip}"))),
        ethernet("cmd", "cmd", &cmd),
        tagged(300, ethernet("cmd in vlan", "vlan/cmd", &format!("8100 012c {cmd}"))),
        ethernet("ttag", "ttag", &format!("8988 0123456789ab 0800 {ip}")),
        tagged(
            101,
            ethernet("vn-tag", "vn-tag/vlan", &format!("8926 8001 0002 8100 0065 0800 {ip}")),
        ),
        ethernet("e-tag", "e-tag", &format!("893f 0001 1002 00 00 0800 {ip}")),
        ethernet("hsr", "redundancy-tag", &format!("892f 0026 0001 0800 {ip}")),
        ethernet("r-tag", "redundancy-tag", &format!("f1c1 0000 0001 0800 {ip}")),
        tagged(101, ethernet("pbb", "pbb/vlan", &format!("88e7 00000064 {}", inner_tagged()))),
        tagged(
            101,
            ethernet("fabricpath", "fabricpath/vlan", &format!("8903 0060 {}", inner_tagged())),
        ),
        ethernet("trill", "trill", &format!("22f3 003f 0001 0002 {}", inner())),
        ethernet("macsec", "macsec", &format!("88e5 00 00 00000001 0800 {ip} {zeros}")),
        ethernet(
            "macsec with channel",
            "macsec",
            &format!("88e5 20 00 00000001 0200000000010001 0800 {ip} {zeros}"),
        ),
        ethernet("pppoe", "pppoe", &format!("8864 1100 0001 0022 0021 {ip} 0000 0000")),
        Wrapped {
            flow: UDP6_FLOW,
            ..ethernet(
                "pppoe, ipv6",
                "pppoe",
                &format!("8864 1100 0001 0036 0057 {}", ipv6(17, UDP)),
            )
        },
        ethernet("nsh", "nsh", &format!("894f 0fc6 01 03 000064ff {zeros} {}", inner())),
        ethernet("nsh, ipv4", "nsh", &format!("894f 0fc2 02 01 000064ff {ip}")),
    ]
}

/// MPLS and what may lie below it. Label 200 is a pseudowire with control word, 201 one without.
fn labels() -> Vec<Wrapped> {
    let ip = ipv4(17, UDP);
    let low = format!("0000 0000 0004 0000 0000 0003 0800 {ip}");
    vec![
        ethernet("mpls", "mpls", &format!("8847 00064140 {ip}")),
        ethernet("mpls, three labels", "mpls", &format!("8848 00064040 00065040 00066140 {ip}")),
        Wrapped {
            flow: UDP6_FLOW,
            ..ethernet("mpls, ipv6", "mpls", &format!("8847 00064140 {}", ipv6(17, UDP)))
        },
        ethernet(
            "pseudowire with control word",
            "mpls",
            &format!("8847 000c8140 00000000 {}", inner()),
        ),
        ethernet("pseudowire without control word", "mpls", &format!("8847 000c9140 {}", inner())),
        Wrapped {
            vlan: Some(101),
            ..ethernet(
                "pseudowire with vlan",
                "mpls/vlan",
                &format!("8847 000c8140 00000007 {}", inner_tagged()),
            )
        },
        ethernet(
            "pseudowire, control word and low addresses",
            "mpls",
            &format!("8847 000c8140 00000000 {low}"),
        ),
        ethernet("pseudowire, low addresses", "mpls", &format!("8847 000c9140 {low}")),
    ]
}

/// Link types.
fn links() -> Vec<Wrapped> {
    let ip = ipv4(17, UDP);
    let snap = format!("aaaa03 000000 0800 {ip}");
    let (one, two, three) = ("020000000001", "020000000002", "020000000003");
    let data = format!("0801 0000 {one} {two} {three} 1000");
    let qos = format!("8802 0000 {one} {two} {three} 1000 0000");
    let radiotap = "00 00 0800 00000000";
    // A time stamp, then flags that announce padding.
    let padded = "00 00 1100 03000000 0000000000000000 20";
    let netfilter = format!("0800 0100 08000300 0c00 0900 {ip}");
    vec![
        link(6, "token ring", &format!("10 40 {two} {one} {snap}")),
        link(6, "token ring, source routed", &format!("10 40 {two} 82{} 0270 {snap}", &one[2..])),
        link(10, "fddi", &format!("50 {two} {one} {snap}")),
        Wrapped {
            path: "pppoe",
            ..link(51, "ppp over ethernet", &format!("1100 0001 0022 0021 {ip}"))
        },
        link(100, "atm, llc", &snap),
        link(104, "cisco hdlc", &format!("0f00 0800 {ip}")),
        link(105, "802.11", &format!("{data} {snap}")),
        link(105, "802.11 qos", &format!("{qos} {snap}")),
        link(
            105,
            "802.11, four addresses",
            &format!("0803 0000 {one} {two} {three} 1000 {one} {snap}"),
        ),
        link(107, "frame relay, cisco", &format!("0401 0800 {ip}")),
        link(107, "frame relay, nlpid", &format!("0401 03 cc {ip}")),
        link(107, "frame relay, snap", &format!("0401 03 00 80 000000 0800 {ip}")),
        link(109, "enc", &format!("02000000 00000001 00000000 {ip}")),
        link(117, "pflog", &format!("3d 02 00 00 {} {ip}", "00".repeat(60))),
        link(119, "prism", &format!("41000000 90000000 {} {data} {snap}", "00".repeat(136))),
        link(127, "radiotap", &format!("{radiotap} {data} {snap}")),
        link(127, "radiotap, padded", &format!("{padded} {qos} 0000 {snap}")),
        link(163, "avs", &format!("80211001 00000040 {} {data} {snap}", "00".repeat(56))),
        link(192, "ppi", &format!("00 00 0800 69000000 {data} {snap}")),
        link(204, "ppp with direction", &format!("00 ff03 0021 {ip}")),
        link(205, "cisco hdlc with direction", &format!("01 0f00 0800 {ip}")),
        link(206, "frame relay with direction", &format!("00 0401 03 cc {ip}")),
        link(239, "nflog", &format!("02 00 0000 {}", &netfilter.replacen("0c00", "2400", 1))),
        link(242, "ipoib", &format!("{} 0800 0000 {ip}", "00".repeat(40))),
        link(
            258,
            "pktap",
            &format!("6c000000 01000000 01000000 {} {MAC} 0800 {ip}", "00".repeat(96)),
        ),
        link(274, "mpacket", &format!("55555555555555d5 {MAC} 0800 {ip} b9e79010")),
    ]
}

fn tunnels_over_ip() -> Vec<Wrapped> {
    let (ip, ip6) = (ipv4(17, UDP), ipv6(17, UDP));
    let v6 = |wrapped: Wrapped| Wrapped { flow: UDP6_FLOW, ..wrapped };
    let ends = "gre 192.0.2.1:0 > 192.0.2.2:0 id 0";
    let gre = |name, flags: &str| over_ip(name, "gre", ends, 47, &format!("{flags} {ip}"));
    let with = |carrier, wrapped: Wrapped| Wrapped { carriers: vec![carrier], ..wrapped };
    let outer6 = |next, payload: &str| {
        ipv6(next, payload).replacen("fd00", "2001", 1).replacen("fd00", "2001", 1)
    };
    vec![
        over_ip("4in4", "4in4", "ipip 192.0.2.1:0 > 192.0.2.2:0 id 0", 4, &ip),
        v6(over_ip("6in4", "6in4", "ipv6 192.0.2.1:0 > 192.0.2.2:0 id 0", 41, &ip6)),
        with(
            "ipip [2001::1]:0 > [2001::2]:0 id 0",
            ethernet("4in6", "4in6", &format!("86dd {}", outer6(4, &ip))),
        ),
        v6(with(
            "ipv6 [2001::1]:0 > [2001::2]:0 id 0",
            ethernet("6in6", "6in6", &format!("86dd {}", outer6(41, &ip6))),
        )),
        over_ip(
            "ah in tunnel mode",
            "ah/4in4",
            "ipip 192.0.2.1:0 > 192.0.2.2:0 id 0",
            51,
            &format!("0404 0000 00000001 00000001 {} {ip}", "00".repeat(12)),
        ),
        gre("gre", "0000 0800"),
        v6(over_ip("gre, ipv6", "gre", ends, 47, &format!("0000 86dd {ip6}"))),
        gre("gre, checksum", "8000 0800 1234 0000"),
        with("gre 192.0.2.1:0 > 192.0.2.2:0 id 100", gre("gre, key", "2000 0800 00000064")),
        with(
            "gre 192.0.2.1:0 > 192.0.2.2:0 id 0 seq 7",
            gre("gre, sequence", "1000 0800 00000007"),
        ),
        with(
            "gre 192.0.2.1:0 > 192.0.2.2:0 id 100 seq 7",
            gre("gre, checksum, key, sequence", "b000 0800 1234 0000 00000064 00000007"),
        ),
        gre("gre, routing", "4000 0800 0000 0000 0800 00 04 c0000203 0000 00 00"),
        over_ip("gre, ethernet", "gre", ends, 47, &format!("0000 6558 {}", inner())),
        over_ip("gre, mpls", "gre/mpls", ends, 47, &format!("0000 8847 00064140 {ip}")),
        over_ip("gre, cmd", "gre/cmd", ends, 47, &format!("0000 8909 0800 01 01 0001 0064 {ip}")),
        over_ip("gre, wccp", "gre", ends, 47, &format!("0000 883e 00000000 {ip}")),
        over_ip(
            "pptp",
            "pptp",
            "gre 192.0.2.1:0 > 192.0.2.2:0 id 9 seq 7",
            47,
            &format!("3081 880b 0024 0009 00000007 00000006 ff03 0021 {ip}"),
        ),
        over_ip(
            "pptp, short protocol",
            "pptp",
            "gre 192.0.2.1:0 > 192.0.2.2:0 id 9 seq 7",
            47,
            &format!("3001 880b 0021 0009 00000007 21 {ip}"),
        ),
        over_ip(
            "nvgre",
            "nvgre",
            "gre 192.0.2.1:0 > 192.0.2.2:0 id 5000",
            47,
            &format!("2000 6558 00138801 {}", inner()),
        ),
        over_ip(
            "etherip",
            "etherip",
            "97 192.0.2.1:0 > 192.0.2.2:0 id 0",
            97,
            &format!("3000 {}", inner()),
        ),
        over_ip(
            "l2tp 3",
            "l2tp-3",
            "l2tp 192.0.2.1:0 > 192.0.2.2:0 id 66",
            115,
            &format!("00000042 {}", inner()),
        ),
        over_ip(
            "l2tp 3, cookie and sublayer",
            "l2tp-3",
            "l2tp 192.0.2.1:0 > 192.0.2.2:0 id 66",
            115,
            &format!("00000042 1122334455667788 40000001 {}", inner()),
        ),
        over_ip(
            "mpls in ip",
            "mpls-in-ip/mpls",
            "137 192.0.2.1:0 > 192.0.2.2:0 id 100",
            137,
            &format!("00064140 {ip}"),
        ),
    ]
}

/// Transports of mirror ports.
fn mirrors() -> Vec<Wrapped> {
    let vlan = |vlan, wrapped: Wrapped| Wrapped { vlan: Some(vlan), ..wrapped };
    let session = "gre 192.0.2.1:0 > 192.0.2.2:0 id 101 seq 9";
    let type_3 = |name, path, flags: &str, rest: &str| {
        let header = format!("1000 22eb 00000009 200a 0065 00000001 0064 {flags}");
        over_ip(name, path, session, 47, &format!("{header} {rest}"))
    };
    vec![
        over_ip(
            "erspan 1",
            "erspan-1",
            "gre 192.0.2.1:0 > 192.0.2.2:0 id 0",
            47,
            &format!("0000 88be {}", inner()),
        ),
        vlan(
            10,
            over_ip(
                "erspan 2",
                "erspan-2",
                session,
                47,
                &format!("1000 88be 00000009 100a 1065 00000001 {}", inner()),
            ),
        ),
        vlan(
            101,
            over_ip(
                "erspan 2, tagged",
                "erspan-2/vlan",
                session,
                47,
                &format!("1000 88be 00000009 100a 1865 00000001 {}", inner_tagged()),
            ),
        ),
        vlan(10, type_3("erspan 3", "erspan-3", "0000", &inner())),
        vlan(
            101,
            type_3(
                "erspan 3, platform",
                "erspan-3/vlan",
                "0001",
                &format!("0c00000000000000 {}", inner_tagged()),
            ),
        ),
        vlan(10, type_3("erspan 3, ip", "erspan-3", "0800", &ipv4(17, UDP))),
        over_udp(
            "tzsp",
            "tzsp",
            "udp 192.0.2.1:50000 > 192.0.2.2:37008 id 0",
            37008,
            &format!("01 00 0001 00 0a 02 ffff 01 {}", inner()),
        ),
    ]
}

fn tunnels_over_udp() -> Vec<Wrapped> {
    let (ip, ip6) = (ipv4(17, UDP), ipv6(17, UDP));
    let v6 = |wrapped: Wrapped| Wrapped { flow: UDP6_FLOW, ..wrapped };
    // One end of what Teredo carries has an address of its prefix (RFC 4380 section 2.6).
    let teredo6 =
        ip6.replace("fd00 0000 0000 0000 0000 0000 0000 0002", &format!("20010000{:024x}", 2));
    let teredo = |wrapped: Wrapped| Wrapped { flow: TEREDO_FLOW, ..wrapped };
    let snap = format!("aaaa03 000000 0800 {ip}");
    let (one, two, three) = ("020000000001", "020000000002", "020000000003");
    vec![
        over_udp(
            "vxlan",
            "vxlan",
            "udp 192.0.2.1:50000 > 192.0.2.2:4789 id 100",
            4789,
            &format!("08000000 00006400 {}", inner()),
        ),
        Wrapped {
            vlan: Some(101),
            ..over_udp(
                "vxlan of linux, tagged",
                "vxlan/vlan",
                "udp 192.0.2.1:50000 > 192.0.2.2:8472 id 100",
                8472,
                &format!("08000000 00006400 {}", inner_tagged()),
            )
        },
        over_udp(
            "vxlan, group policy",
            "vxlan",
            "udp 192.0.2.1:50000 > 192.0.2.2:4789 id 100",
            4789,
            &format!("88000007 00006400 {}", inner()),
        ),
        over_udp(
            "vxlan-gpe",
            "vxlan-gpe",
            "udp 192.0.2.1:50000 > 192.0.2.2:4790 id 100",
            4790,
            &format!("0c000001 00006400 {ip}"),
        ),
        over_udp(
            "vxlan-gpe, nsh",
            "vxlan-gpe/nsh",
            "udp 192.0.2.1:50000 > 192.0.2.2:4790 id 100",
            4790,
            &format!("0c000004 00006400 0fc2 02 03 000064ff {}", inner()),
        ),
        over_udp(
            "geneve",
            "geneve",
            "udp 192.0.2.1:50000 > 192.0.2.2:6081 id 100",
            6081,
            &format!("00 00 6558 00006400 {}", inner()),
        ),
        v6(over_udp(
            "geneve, options and ipv6",
            "geneve",
            "udp 192.0.2.1:50000 > 192.0.2.2:6081 id 100",
            6081,
            &format!("02 40 86dd 00006400 0102 80 01 00000001 {ip6}"),
        )),
        over_udp(
            "gtp-u",
            "gtp-u",
            "udp 192.0.2.1:50000 > 192.0.2.2:2152 id 256",
            2152,
            &format!("30 ff 0020 00000100 {ip}"),
        ),
        over_udp(
            "gtp-u, sequence and extensions",
            "gtp-u",
            "udp 192.0.2.1:50000 > 192.0.2.2:2152 id 256 seq 5",
            2152,
            &format!("36 ff 002c 00000100 0005 00 c0 01 0001 85 01 1009 00 {ip}"),
        ),
        over_udp(
            "lisp",
            "lisp",
            "udp 192.0.2.1:50000 > 192.0.2.2:4341 id 100",
            4341,
            &format!("c8123456 00006401 {ip}"),
        ),
        teredo(over_udp(
            "teredo",
            "teredo",
            "udp 192.0.2.1:50000 > 192.0.2.2:3544 id 0",
            3544,
            &teredo6,
        )),
        teredo(over_udp(
            "teredo, authentication and origin",
            "teredo",
            "udp 192.0.2.1:50000 > 192.0.2.2:3544 id 0",
            3544,
            &format!("0001 00 00 0102030405060708 00  0000 3caf 3ffffdfd {teredo6}"),
        )),
        v6(over_udp(
            "ayiya",
            "ayiya",
            "udp 192.0.2.1:50000 > 192.0.2.2:5072 id 0",
            5072,
            &format!("41 52 11 29 5f000000 {} {} {ip6}", "11".repeat(16), "22".repeat(20)),
        )),
        over_udp(
            "mpls in udp",
            "mpls-in-udp/mpls",
            "udp 192.0.2.1:50000 > 192.0.2.2:6635 id 100",
            6635,
            &format!("00064140 {ip}"),
        ),
        over_udp(
            "l2tp 2",
            "l2tp-2",
            "udp 192.0.2.1:50000 > 192.0.2.2:1701 id 131075",
            1701,
            &format!("0002 0002 0003 ff03 0021 {ip}"),
        ),
        over_udp(
            "l2tp 2, length, sequence and offset",
            "l2tp-2",
            "udp 192.0.2.1:50000 > 192.0.2.2:1701 id 131075 seq 5",
            1701,
            &format!("4a02 0034 0002 0003 0005 0006 0002 0000 ff03 0021 {ip}"),
        ),
        over_udp(
            "l2tp 3 over udp",
            "l2tp-3",
            "udp 192.0.2.1:50000 > 192.0.2.2:1701 id 66",
            1701,
            &format!("0003 0000 00000042 11223344 {}", inner()),
        ),
        over_udp(
            "capwap, 802.3",
            "capwap",
            "udp 192.0.2.1:50000 > 192.0.2.2:5247 id 1",
            5247,
            &format!("00 104200 00000000 {}", inner()),
        ),
        over_udp(
            "capwap, 802.11",
            "capwap",
            "udp 192.0.2.1:50000 > 192.0.2.2:5247 id 1",
            5247,
            &format!("00 104300 00000000 0108 0000 {one} {two} {three} 1000 {snap}"),
        ),
    ]
}

/// Mixtures.
fn nested() -> Vec<Wrapped> {
    let tcp = "tcp 10.0.0.1:1234 > 10.0.0.2:5060";
    let frame = format!("0200 0000 0004 0200 0000 0003 8100 0065 0800 {}", ipv4(6, TCP));
    let vxlan = datagram(4789, &format!("08000000 00006400 {frame}"));
    let overlay = format!("0200 0000 0006 0200 0000 0005 0800 {}", outer(17, &vxlan));
    let mirrored = format!("1000 88be 00000009 100a 1065 00000001 {overlay}");
    vec![
        Wrapped {
            flow: tcp,
            vlan: Some(101),
            carriers: vec![
                "gre 192.0.2.1:0 > 192.0.2.2:0 id 101 seq 9",
                "udp 192.0.2.1:50000 > 192.0.2.2:4789 id 100",
            ],
            ..ethernet(
                "mirrored overlay",
                "vlan/erspan-2/vxlan/vlan",
                &format!("8100 0007 0800 {}", outer(47, &mirrored)),
            )
        },
        Wrapped {
            flow: tcp,
            carriers: vec![
                "gre 192.0.2.1:0 > 192.0.2.2:0 id 0",
                "ipip 192.0.2.1:0 > 192.0.2.2:0 id 0",
            ],
            ..ethernet(
                "4in4 in gre in pppoe in mpls",
                "mpls/pppoe/gre/4in4",
                &format!(
                    "8847 000c8140 00000000 {MAC} 8864 1100 0001 {:04x} 0021 {}",
                    hex(&ipv4(6, TCP)).len() + 20 + 24 + 2,
                    outer(47, &format!("0000 0800 {}", outer(4, &ipv4(6, TCP))))
                ),
            )
        },
    ]
}
