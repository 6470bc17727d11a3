//! Messages of standards and of real captures: each is recognised by its own recogniser and by no
//! other, whole; none refuses a part of it; and noise is nobody's.

use portolan::base::Timestamp;
use portolan::identify::{Announcement, Follower, Protocol, mapi_notification, ssrp};
use portolan::identify::{Answer, Carriage, End, Evidence, Grade, Piece, RECOGNISERS, Start};

/// What one or both ends sent, in hexadecimal digits or, after a quotation mark, as text.
struct Sample {
    name: &'static str,
    grade: Grade,
    a: &'static [&'static str],
    b: &'static [&'static str],
}

const fn sample(
    name: &'static str,
    grade: Grade,
    a: &'static [&'static str],
    b: &'static [&'static str],
) -> Sample {
    Sample { name, grade, a, b }
}

use Grade::{Confirmed, Strong, Weak};

/// From the capture of the same name where no standard is named.
const SAMPLES: &[Sample] = &[
    // LINKTYPE_RAW_ipv6 and others: an ordinary query, and its answer made by RFC 1035.
    sample(
        "dns",
        Confirmed,
        &["1a2b 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001"],
        &["1a2b 8180 0001 0001 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001
           c00c 0001 0001 00000e10 0004 5db8d822"],
    ),
    // A service of Active Directory, whose labels start with underscores.
    sample(
        "dns",
        Strong,
        &["8a01 0100 0001 0000 0000 0000 05 5f6c646170 04 5f746370 05 636f72706f 00 0021 0001"],
        &[],
    ),
    // suricata__sip-method: a router that sets no flag but QR answers between the same ports.
    sample(
        "dns",
        Strong,
        &["abd2000000010000000000000131013001300331323707696e2d61646472046172706100000c0001"],
        &["abd2800000010001000000000131013001300331323707696e2d61646472046172706100000c0001
           c00c 000c 0001 00002710 000b 096c6f63616c686f7374 00"],
    ),
    sample(
        "mdns",
        Strong,
        &["000000000001000000000000105f73706f746966792d636f6e6e656374045f746370056c6f63616c00
           000c0001"],
        &[],
    ),
    // pcpp__IgmpPackets: a host asks for another by a name of one label.
    sample(
        "llmnr",
        Strong,
        &["1934000000010000000000000f63686d757468752d77372d7473743300001c0001"],
        &[],
    ),
    sample(
        "nbns",
        Strong,
        &["86640110000100000000000020454a464146474447434f4548455045504548454d4546434f45444550454e
           41410000200001"],
        &[],
    ),
    sample(
        "nbdgm",
        Strong,
        &["11028661c0a80210008a00bb0000204546464446464643454f454a4643434e454d45424641464545504641
           434143410020454e464445494550454e45464341434143414341434143414341434143
           41424f00ff534d4225000000000000000000000000000000000000000000000000000000110000210000000
           00000000000e803000000000000000021005600030001000000020032005c4d41494c534c4f545c42524f57
           5345000f0080fc0a00455355524e49522d4c4150544f50002c0501031207000f0155aa00"],
        &[],
    ),
    // RFC 5905 figure 8: a client that tells nothing but its time, and the answer that repeats it.
    sample(
        "ntp",
        Confirmed,
        &["d9000afa000000000001029000000000000000000000000000000000000000000000000000000000c50204ec
           ec42ee92"],
        &["1c0103e900000000000001004750530 0c50204e000000000c50204ecec42ee92c50204eceb000000
           c50204eceb100000"],
    ),
    // suricata__snmp-v2c-get
    sample(
        "snmp",
        Confirmed,
        &["3027020101040b5b52305f4340637469215da11502042b133f85020100020100300730050601010500"],
        &["3031020101040b5b52305f4340637469215da21f02042b133f850201000201003011300f060a28c46201010
           101010100020102"],
    ),
    // suricata__snmp-v3-encrypted
    sample(
        "snmp",
        Strong,
        &["3040020103300f02030091c8020205dc040104020103041530130400020100020100040561646d696e0400
           0400301304000400a00d02030091c80201000201003000"],
        &[],
    ),
    // MC-SQLR section 4.1 in its layout: all instances are asked for and one answers.
    sample(
        "ssrp",
        Confirmed,
        &["02"],
        &["05 5800 \"ServerName;ILSUNG1;InstanceName;YUKONSTD;IsClustered;No;Version;9.00.1399.06;\
           tcp;57137;;"],
    ),
    // RFC 3261 section 24.2, first message, shortened.
    sample(
        "sip",
        Confirmed,
        &["\"INVITE sip:bob@biloxi.example.com SIP/2.0\r\nVia: SIP/2.0/TCP client.atlanta.example\
           .com:5060;branch=z9hG4bK74bf9\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"],
        &["\"SIP/2.0 180 Ringing\r\nVia: SIP/2.0/TCP client.atlanta.example.com:5060\r\n\
           Content-Length: 0\r\n\r\n"],
    ),
    // heplify__rtp_rtcp_sip: a sender and a receiver report.
    sample(
        "rtcp",
        Strong,
        &["81c8000cd2bd4e3ec59286d4e6e978d5000001400000000200000140d2bd4e3e00000000000200020000000
           086d4e6e90000000181c90007d2bd4e3e0000000000000000000000000000000086d4e6e900000001"],
        &[],
    ),
    // RFC 5769 section 2.1: a binding request with all kinds of attributes.
    sample(
        "stun",
        Strong,
        &["000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400
           046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb
           56781ef2b5b2d3f249c1b571a280280004e57a3bcf"],
        &[],
    ),
    sample(
        "dtls",
        Strong,
        &["160100000000000000000000560100004a000000000000004a0100ed89c4699ea16489a68421ebd0951f08
           172d595bf2c2507bd49467c65ee6238a209bb071c8a80440614f8347a2ce2efe01540c7af53be22e1eac07
           398729e026ef00000200390100"],
        &[],
    ),
    // RFC 8415 sections 8 and 21 in zeek__pppoe.
    sample(
        "dhcpv6",
        Confirmed,
        &["01fc24ab0008000205e90001000a00030001cc050e880000000600060019001700180019000c00090001000
           0000000000000",
          "01fc24ac0008000205e90001000a00030001cc050e880000000600060019001700180019000c00090001000
           0000000000000",
          "01fc24ad0008000205e90001000a00030001cc050e880000000600060019001700180019000c00090001000
           0000000000000"],
        &[],
    ),
    // zeek__radius: a request, and a challenge for it.
    sample(
        "radius",
        Confirmed,
        &["0167005740b664dbf5d681b2adbd1769515118c8010773746576650212dbc6c4b758be14f005b3877c9e2fb
           6010406c0a8001c05060000007b50125f0f8647e8c89bd881364268fcd045324f0c0266000a0173746576
           65"],
        &["0b67008383ece707a2f31bb65badfb22a64023d90606000000020706000000010806ac1003210906ffffff00
           0a06000000030b097374642e7070700c06000005dc0d06000000014f18016700160410ff0bf1d6e401a9cbe
           5b46eb943e5549a50126e794a020c45c66f4247ba8c5ff04ed11812736f868573088277414ae3f31eac34e9
           "],
    ),
    // RFC 1350 section 5, and the option acknowledgement of ndpi__tftp.
    sample("tftp", Strong, &["0001 \"boot.cfg\0octet\0blksize\x001468\0"], &[]),
    sample("tftp", Strong, &["0006626c6b73697a650031343638007473697a650031303030303000"], &[]),
    // UPnP device architecture 2.0 section 1.3.2.
    sample(
        "ssdp",
        Strong,
        &["\"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\
           \r\nST: ssdp:all\r\n\r\n"],
        &[],
    ),
    // RFC 5424 section 6.5, and RFC 3164 section 5.4, first examples.
    sample(
        "syslog",
        Strong,
        &["\"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed"],
        &[],
    ),
    sample("syslog", Strong, &["\"<34>Oct 11 22:14:15 mymachine su: 'su root' failed"], &[]),
    sample("syslog", Weak, &["\"<34>something happened"], &[]),
    // RFC 3435 section 3.2.2, and an answer.
    sample(
        "mgcp",
        Confirmed,
        &["\"RQNT 1201 endpoint/1@rgw-2567.whatever.net MGCP 1.0\r\nX: 0123456789AB\r\n"],
        &["\"200 1201 OK\r\n"],
    ),
    // RFC 3525 appendix I.1.1.
    sample(
        "megaco",
        Strong,
        &["\"MEGACO/1 [124.124.124.222]\r\nTransaction = 9998 {\r\nContext = - {\r\n"],
        &[],
    ),
    sample("megaco", Strong, &["\"!/1 [124.124.124.222]:2944\nT=9998{C=-{"], &[]),
    sample(
        "netflow",
        Strong,
        &["0005 0001 00003039 5f5e1000 00000000 00000001 00 00 0000
           0a000001 0a000002 00000000 0001 0002 00000005 00000100 00000001 00000002 1f90 c000
           00 18 06 00 0000 0000 18 18 0000"],
        &[],
    ),
    sample(
        "ike",
        Strong,
        &["e5bc67550fd4d3ea0000000000000000212022080000000000000020 00000004"],
        &[],
    ),
    // RFC 2453 sections 4 and 3.6, in zeek__tunnels-gre-within-gre.
    sample(
        "rip",
        Strong,
        &["020200000002000009090900ffffff000000000000000002000200000a0a0b00fffffffc00000000000000
           01"],
        &[],
    ),
    // RFC 2281 section 5.1: hello of an active router, password cisco.
    sample("hsrp", Strong, &["0000 10 03 0a 78 01 00 636973636f000000 c0a80101"], &[]),
    // RFC 2661 section 6.1: the request for a control connection.
    sample(
        "l2tp",
        Strong,
        &["c802 0022 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100
           8006 0000 0007"],
        &[],
    ),
    // TS 29.281 sections 4.4.2 and 5.1: a user packet of 20 bytes.
    sample(
        "gtp",
        Strong,
        &["30 ff 0014 00000001 45000014 00010000 40060000 0a000001 0a000002"],
        &[],
    ),
    sample("gtp", Strong, &["32 01 0004 00000000 0007 0000"], &["32 02 0006 00000000 0007 0000
           0e05"]),
    // RFC 5456 section 8.1.1 and 8.6.10: NEW with the version.
    sample("iax2", Strong, &["8001 0000 00000000 00 00 06 01 0b020002 0103313030"], &[]),
    sample("nat-pmp", Strong, &["0000"], &["00800000002b3add0ac9d5ae"]),
    sample(
        "bittorrent",
        Strong,
        &["\"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"],
        &[],
    ),
    sample("bittorrent", Strong, &["0000041727101980 00000000 12345678"], &[]),
    // BEP 29: the first packet of a connection, and its acknowledgement.
    sample(
        "bittorrent",
        Strong,
        &["41 00 1234 00000001 00000000 000f0000 0001 0000"],
        &["21 00 1234 00000002 00000001 000f0000 5555 0001"],
    ),
    // The resets of OpenVPN without authentication: the answer names the session of the first.
    sample(
        "openvpn",
        Strong,
        &["38 0102030405060708 00 00000000"],
        &["40 1112131415161718 01 00000000 0102030405060708 00000000"],
    ),
    // The paper on WireGuard, section 5.4: data under one index, counted.
    sample(
        "wireguard",
        Strong,
        &["04000000 98c83e7a 0000000000000000 00112233445566778899aabbccddeeff",
          "04000000 98c83e7a 0100000000000000 ff112233445566778899aabbccddeeff"],
        &[],
    ),
    sample(
        "ws-discovery",
        Strong,
        &["\"<?xml version=\"1.0\"?><soap:Envelope xmlns:wsd=\"http://schemas.xmlsoap.org/ws/2005/\
           04/discovery\"><soap:Body><wsd:Probe/></soap:Body></soap:Envelope>"],
        &[],
    ),
];

/// The bytes of a text: digits in pairs up to a quotation mark, characters behind it.
fn bytes(text: &str) -> Vec<u8> {
    let (digits, characters) = text.split_once('"').unwrap_or((text, ""));
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |digit: u8| char::from(digit).to_digit(16).expect("a digit") as u8;
    let pairs = digits.chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1]));
    pairs.chain(characters.bytes()).collect()
}

/// A client hello of QUIC version 1 and other messages that are long but regular.
fn long_samples() -> Vec<(&'static str, Grade, Vec<u8>)> {
    // RFC 9000 section 17.2.2: version 1, identifiers of 8 and 0 bytes, no token, 1182 bytes.
    let mut quic = bytes("c3 00000001 08 8394c8f03e515708 00 00 449e");
    quic.resize(1200, 0xAA);
    // RFC 2131 section 2: a discovery.
    let mut dhcp = bytes("01 01 06 00 3903f326 0000 0000");
    dhcp.resize(28, 0);
    dhcp.extend(bytes("00059a3c7800"));
    dhcp.resize(236, 0);
    dhcp.extend(bytes("63825363 350101 ff"));
    // The worm: its head, and code that is not repeated here.
    let mut slammer = vec![0x04];
    slammer.resize(97, 0x01);
    slammer.extend(bytes("dcc9b042eb0e"));
    slammer.resize(376, 0x90);
    // The paper on WireGuard, section 5.4.2: an initiation without cookie.
    let mut wireguard = bytes("01000000 d8dbe8b4");
    wireguard.resize(132, 0x5C);
    wireguard.resize(148, 0);
    // RFC 5415 section 4.5.1: a discovery request with one element, the kind of discovery.
    let capwap = bytes("00100200 00000000 00000001 01 0008 00 00140001 00");
    vec![
        ("quic", Strong, quic),
        ("dhcp", Strong, dhcp),
        ("slammer", Strong, slammer),
        ("wireguard", Strong, wireguard),
        ("capwap", Strong, capwap),
    ]
}

type Sent = Vec<Vec<u8>>;

fn all_samples() -> Vec<(&'static str, Grade, Sent, Sent)> {
    let own = |sent: &[&str]| sent.iter().map(|text| bytes(text)).collect();
    let short = SAMPLES.iter().map(|sample| {
        let Sample { name, grade, a, b } = *sample;
        (name, grade, own(a), own(b))
    });
    let long = long_samples().into_iter().map(|(name, grade, a)| (name, grade, vec![a], vec![]));
    short.chain(long).collect()
}

/// Datagrams of which at most `keep` bytes were captured.
fn pieces(sent: &Sent, keep: usize) -> Vec<Piece<'_>> {
    let piece = |bytes: &Vec<u8>| -> (usize, usize) { (bytes.len().min(keep), bytes.len()) };
    sent.iter()
        .map(|bytes| {
            let (kept, wire) = piece(bytes);
            let time = Timestamp::from_nanos(0);
            Piece { bytes: &bytes[..kept], wire, start: Start::Message, segments: &[], time }
        })
        .collect()
}

/// What each recogniser of datagrams answers.
fn answers(a: &Sent, b: &Sent, keep: usize) -> Vec<(&'static str, Answer)> {
    let (a, b) = (pieces(a, keep), pieces(b, keep));
    let evidence = Evidence { carriage: Carriage::Udp, a: &a, b: &b };
    let of_udp = RECOGNISERS.iter().filter(|one| one.carriage.contains(&Carriage::Udp));
    of_udp.map(|one| (one.protocol.name(), (one.recognise)(&evidence))).collect()
}

#[test]
fn every_sample_is_recognised_and_by_its_own_alone() {
    for (name, grade, a, b) in all_samples() {
        let mut found = None;
        for (by, answer) in answers(&a, &b, usize::MAX) {
            let Answer::Match(claim) = answer else { continue };
            if by == name {
                found = Some(claim.grade);
                assert!(!claim.proofs.is_empty(), "{name}");
            } else {
                assert_eq!(claim.grade, Weak, "{name} {a:02x?} is claimed by {by}");
            }
        }
        assert_eq!(found, Some(grade), "{name} {a:02x?} {b:02x?}");
    }
}

#[test]
fn no_part_of_a_sample_is_refused() {
    for (name, _, a, b) in all_samples() {
        let longest = a.iter().chain(&b).map(Vec::len).max().unwrap_or(0);
        for keep in 0..longest.min(400) {
            let (_, answer) = answers(&a, &b, keep)
                .into_iter()
                .find(|(by, answer)| *by == name && *answer == Answer::No)
                .unwrap_or((name, Answer::Undecided));
            assert_ne!(answer, Answer::No, "{name} cut to {keep}");
        }
    }
}

/// A seeded generator (xorshift), so that a failure repeats.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Bytes of any value, or mostly small ones, or letters.
    fn bytes(&mut self) -> Vec<u8> {
        let kind = self.next() % 3;
        let length = self.next() % if self.next().is_multiple_of(4) { 600 } else { 64 };
        let byte = |value: u64| match kind {
            0 => value as u8,
            1 => [0, 0, 0, 1, 2, value as u8, (value % 8) as u8][(value >> 8) as usize % 7],
            _ => b' ' + (value % 95) as u8,
        };
        (0..length).map(|_| byte(self.next() >> 16)).collect()
    }
}

/// Datagrams of noise; the number comes from `PORTOLAN_NOISE`, which release builds can afford to
/// set to millions.
#[test]
fn noise_is_nobodys() {
    let count = std::env::var("PORTOLAN_NOISE").ok().and_then(|count| count.parse().ok());
    let count: u64 = count.unwrap_or(40_000);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut fed = 0;
    while fed < count {
        let mut sent = || -> Sent { (0..random.next() % 8).map(|_| random.bytes()).collect() };
        let (a, b) = (sent(), sent());
        fed += (a.len() + b.len()) as u64;
        for (by, answer) in answers(&a, &b, usize::MAX) {
            if let Answer::Match(claim) = answer {
                let proof = claim.proofs.first().expect("a proof");
                let shown = if proof.end == End::A { &a } else { &b };
                let shown = &shown[proof.piece];
                assert_eq!(claim.grade, Weak, "{by} claims {shown:02x?} in {a:02x?} {b:02x?}");
            }
        }
    }
}

/// Samples with bytes changed: whatever is answered, nothing panics, and details stay short.
#[test]
fn damaged_samples_do_no_harm() {
    let mut random = Random(42);
    for (_, _, a, b) in all_samples() {
        for _ in 0..200 {
            let mut damaged = a.clone();
            for bytes in damaged.iter_mut().filter(|bytes| !bytes.is_empty()) {
                let at = random.next() as usize % bytes.len();
                bytes[at] = random.next() as u8;
            }
            for (_, answer) in answers(&damaged, &b, random.next() as usize % 700) {
                let Answer::Match(claim) = answer else { continue };
                assert!(claim.details.len() <= 16 && claim.proofs.len() <= 4);
                assert!(claim.details.iter().all(|detail| detail.value.len() <= 255));
            }
        }
    }
}

/// The answer of MC-SQLR section 4.1 names a port other than 1433; one without `tcp` names none.
#[test]
fn the_browser_announces_ports() {
    let announced = |text: &str| {
        let mut all: Vec<Announcement> = Vec::new();
        ssrp::SsrpFollower.feed(End::B, &bytes(text), true, &mut |one| all.push(one));
        let port = |one: &Announcement| (one.protocol, one.port, one.address, one.carriage);
        all.iter().map(port).collect::<Vec<_>>()
    };
    let answer = "05 5800 \"ServerName;ILSUNG1;InstanceName;YUKONSTD;IsClustered;No;\
                  Version;9.00.1399.06;tcp;57137;;";
    assert_eq!(announced(answer), [(Protocol::Tds, 57137, None, Carriage::Tcp)]);
    let piped = "05 3d00 \"ServerName;A;InstanceName;B;Version;8.00.194;np;\\\\A\\pipe\\sql;;  ";
    assert_eq!(announced(piped), []);
}

/// Section 2.11 of the domain reference: known by what was registered, else only a shape.
#[test]
fn a_notification_is_what_was_registered() {
    let context = bytes("0a0b0c0d0e0f1011");
    let sent = vec![context.clone(), context.clone()];
    let same = pieces(&sent, usize::MAX);
    let one_way = |pieces| Evidence { carriage: Carriage::Udp, a: &[], b: pieces };
    let grade =
        |registered: Option<&[u8]>, evidence: &Evidence<'_>| match mapi_notification::recognise(
            registered, evidence,
        ) {
            Answer::Match(claim) => Some(claim.grade),
            Answer::Undecided | Answer::No => None,
        };
    assert_eq!(grade(Some(&context), &one_way(&same)), Some(Confirmed));
    assert_eq!(grade(Some(b"another"), &one_way(&same)), None);
    assert_eq!(grade(None, &one_way(&same)), Some(Weak));
    let answered = Evidence { carriage: Carriage::Udp, a: &same, b: &same };
    assert_eq!(grade(Some(&context), &answered), None, "it is never answered");
}
