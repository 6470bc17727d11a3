//! Pitfalls of what flows speak: the right protocol on any port, and no other.

use super::messages::*;
use super::*;
use crate::capture::build::Builder;
use crate::runs;

const RESOLVER: [u8; 4] = DC1;

/// The line of the only flow to a responder port.
fn line(run: &Run, port: u16) -> &portolan::report::FlowLine {
    let mut lines = run.lines.iter().filter(|line| line.dst_port == port);
    let line = lines.next().unwrap_or_else(|| panic!("no flow to port {port}"));
    assert!(lines.next().is_none(), "several flows to port {port}");
    line
}

/// Name, basis and confidence of what is spoken in the only flow to a port.
pub fn app(run: &Run, port: u16) -> [&str; 3] {
    let line = line(run, port);
    [&line.app, &line.app_basis, &line.app_confidence]
}

fn facts<'a>(run: &'a Run, port: u16, name: &str) -> Vec<&'a str> {
    let facts = line(run, port).app_facts.iter();
    facts.filter_map(|fact| fact.strip_prefix(name)?.strip_prefix('=')).collect()
}

/// Frames of several conversations, one after the other.
pub fn all(parts: Vec<Vec<Vec<u8>>>) -> Vec<Vec<u8>> {
    parts.concat()
}

const OUTSIDE: [&str; 3] = ["violation", "port-outside-range", ""];
const MISMATCH: [&str; 3] = ["violation", "protocol-mismatch", ""];
const UNDOCUMENTED: [&str; 3] = ["violation", "undocumented-service", ""];
const CONFIRMED: [&str; 3] = ["documented", "", "confirmed"];
const PORT_ONLY: [&str; 3] = ["documented", "", "port-only"];

#[test]
fn pitfall_05_sip_is_known_by_its_messages() {
    let call = invite(&sdp(PIMG1, &["m=audio 24000 RTP/AVP 0"]));
    let answer = accepted(&sdp(UNITY1, &["m=audio 23000 RTP/AVP 0"]));
    let run = judged(&[
        frames::udp((PIMG1, UNITY1), (5060, 5060), &call),
        frames::udp((UNITY1, PIMG1), (5060, 5060), &answer),
    ]);
    assert_eq!(run.verdict(5060), ["violation", "wrong-transport", ""]);
    assert_eq!(app(&run, 5060), ["sip", "content", "confirmed"]);
    let said = [(By::Client, call), (By::Server, answer)];
    let run = judged(&talk((PIMG1, UNITY1), (50_000, 5060), &said));
    assert_eq!(run.verdict(5060), CONFIRMED);
    let run = judged(&talk((PIMG1, UNITY1), (50_000, 5070), &said));
    assert_eq!(run.verdict(5070), OUTSIDE);
}

#[test]
fn pitfall_06_the_port_does_not_vouch_for_the_service() {
    // What a throughput test sends is nobody's protocol: the port alone documents it.
    let digits: Vec<u8> = (0..1000).map(|n: u32| b'0' + (n % 10) as u8).collect();
    let run = judged(&talk((UNITY1, EXCH1), (50_000, 5001), &[(By::Client, digits)]));
    assert_eq!(run.verdict(5001), PORT_ONLY);
    // What is known to be another protocol is not documented.
    let said = [
        (By::Client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        (By::Server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
    ];
    let run = judged(&talk((UNITY1, EXCH1), (50_000, 5001), &said));
    assert_eq!(run.verdict(5001), MISMATCH);
    assert_eq!(rows(&run, 5001), ["U-PX.dcom.tcp"]);
    let run = judged(&rpc((UNITY1, EXCH1), (50_000, 5001), REM_UNKNOWN_2));
    assert_eq!(run.verdict(5001), CONFIRMED);
}

#[test]
fn pitfall_07_dcom_is_known_by_its_interface() {
    let run = judged(&rpc((UNITY1, EXCH1), (50_000, 1027), REM_UNKNOWN_2));
    assert_eq!(run.verdict(1027), OUTSIDE);
    assert_eq!(app(&run, 1027), ["dcerpc", "content", "confirmed"]);
    assert_eq!(facts(&run, 1027, "interface"), [REM_UNKNOWN_2]);
    assert_eq!(facts(&run, 1027, "interface-class"), ["dcom"]);
    assert!(rows(&run, 1027).contains(&"U-PX.dcom.tcp".to_owned()));
}

#[test]
fn pitfall_08_exchange_interfaces_may_use_the_static_ports() {
    let frames = rpc((UNITY1, EXCH1), (50_000, 6500), EMSMDB);
    let run = judged(&frames);
    assert_eq!(run.verdict(6500), CONFIRMED);
    assert_eq!(rows(&run, 6500), ["U-PX.static.tcp"]);
    let none = SITE.replace("exchange-static-tcp = \"6500\"", "exchange-static-tcp = \"\"");
    let run = judged_at(&Rules::at(&none), &frames);
    assert_eq!(run.verdict(6500), OUTSIDE);
    assert_eq!(facts(&run, 6500, "interface-class"), ["exchange"]);
}

/// What the cited Microsoft article pins are services of Exchange (reading A-19).
#[test]
fn pitfall_08_other_interfaces_may_not_use_the_static_ports() {
    const SAMR: &str = "12345778-1234-abcd-ef00-0123456789ac";
    const TASK_SCHEDULER: &str = "86d35949-83c9-4044-b424-db363231fd0c";
    for interface in [REM_UNKNOWN_2, SAMR, TASK_SCHEDULER] {
        let run = judged(&rpc((UNITY1, EXCH1), (50_000, 6500), interface));
        assert_eq!(run.verdict(6500), OUTSIDE, "{interface}");
        assert_eq!(rows(&run, 6500), ["U-PX.epm.tcp", "U-PX.dcom.tcp", "U-PX.dcom.udp"]);
    }
    // One connection may bind several interfaces: one that is foreign is enough.
    let said = |interfaces: &[&str]| -> Vec<(By, Vec<u8>)> {
        let bound = |interface: &&str| {
            [(By::Client, bind(interface, &[NDR])), (By::Server, bind_ack("6500", 0, &[NDR]))]
        };
        interfaces.iter().flat_map(bound).collect()
    };
    let verdict = |interfaces: &[&str]| {
        judged(&talk((UNITY1, EXCH1), (50_000, 6500), &said(interfaces))).verdict(6500)
    };
    assert_eq!(verdict(&[EMSMDB, SAMR]), OUTSIDE);
    // Every server answers for its own management, and an interface without a name may be one of
    // Exchange: neither speaks for the row or against it.
    const MANAGEMENT: &str = "afa8bd80-7d8a-11c9-bef4-08002b102989";
    const UNNAMED: &str = "6d2b1a3c-5e4f-4a6b-8c7d-9e0f1a2b3c4d";
    assert_eq!(verdict(&[EMSMDB, MANAGEMENT]), CONFIRMED);
    assert_eq!(verdict(&[MANAGEMENT]), PORT_ONLY);
    assert_eq!(verdict(&[UNNAMED]), PORT_ONLY);
}

#[test]
fn pitfall_09_only_answers_with_status_0_announce() {
    let question = map_question(&tower(REM_UNKNOWN_2, 1027, EXCH1));
    let other = |port| connection_of(UNITY1, EXCH1, (50_001, port), 1000);
    let refused = map_answer(&tower(REM_UNKNOWN_2, 1028, EXCH1), 0x16c9_a0d6);
    let run =
        judged(&all(vec![mapping((UNITY1, EXCH1), &question, &refused), other(1027), other(1028)]));
    assert_eq!([run.verdict(1027), run.verdict(1028)], [UNDOCUMENTED; 2]);
    let granted = map_answer(&tower(REM_UNKNOWN_2, 1028, EXCH1), 0);
    let run =
        judged(&all(vec![mapping((UNITY1, EXCH1), &question, &granted), other(1027), other(1028)]));
    assert_eq!([run.verdict(1027), run.verdict(1028)], [UNDOCUMENTED, OUTSIDE]);
    assert_eq!(app(&run, 1028), ["dcerpc", "signalling", "learned"]);
    assert_eq!(run.verdict(135), CONFIRMED);
}

#[test]
fn pitfall_10_a_mapper_speaks_for_itself() {
    let question = map_question(&tower(REM_UNKNOWN_2, 0, [0; 4]));
    // 0.0.0.0, as Samba answers, and an address that the site does not know of the host.
    for address in [[0; 4], [192, 168, 7, 7], EXCH1] {
        let answer = map_answer(&tower(REM_UNKNOWN_2, 1028, address), 0);
        let silent = connection_of(UNITY1, EXCH1, (50_001, 1028), 1000);
        let run = judged(&all(vec![mapping((UNITY1, EXCH1), &question, &answer), silent]));
        assert_eq!(run.verdict(1028), OUTSIDE, "{address:?}");
        assert_eq!(app(&run, 1028), ["dcerpc", "signalling", "learned"]);
    }
}

#[test]
fn pitfall_11_the_port_of_a_tower_is_big_endian() {
    let tower = tower(REM_UNKNOWN_2, 5001, EXCH1);
    assert_eq!(tower.get(64..66), Some(&[0x13, 0x89][..]));
    let answer = map_answer(&tower, 0);
    let silent = |port| connection_of(UNITY1, EXCH1, (50_001, port), 1000);
    let frames =
        all(vec![mapping((UNITY1, EXCH1), &answer, &answer), silent(5001), silent(0x8913)]);
    let run = judged(&frames);
    assert_eq!(app(&run, 5001), ["dcerpc", "signalling", "learned"]);
    assert_eq!(run.verdict(5001)[0], "documented");
    assert_ne!(app(&run, 0x8913)[1], "signalling");
    assert_eq!(run.verdict(0x8913), UNDOCUMENTED);
}

#[test]
fn pitfall_12_an_interface_offered_in_several_syntaxes_is_one() {
    let offered = [NDR, NDR64, FEATURES];
    for (accepted, answer) in [
        (0, map_answer(&tower(REM_UNKNOWN_2, 1028, EXCH1), 0)),
        (1, wide_map_answer(&tower(REM_UNKNOWN_2, 1028, EXCH1))),
    ] {
        let said = [
            (By::Client, bind(ENDPOINT_MAPPER, &offered)),
            (By::Server, bind_ack("135", accepted, &offered)),
            (By::Client, request(accepted as u16, 3, &map_question(&tower(EMSMDB, 0, [0; 4])))),
            (By::Server, response(accepted as u16, &answer)),
        ];
        let silent = connection_of(UNITY1, EXCH1, (50_001, 1028), 1000);
        let run = judged(&all(vec![talk((UNITY1, EXCH1), (50_000, 135), &said), silent]));
        assert_eq!(facts(&run, 135, "interface"), [ENDPOINT_MAPPER]);
        assert_eq!(run.verdict(1028), OUTSIDE, "context {accepted}");
    }
}

#[test]
fn pitfall_13_a_data_unit_is_no_segment() {
    let bound = bind(REM_UNKNOWN_2, &[NDR]);
    let (first, second) = bound.split_at(20);
    let answers = [response(0, &[0; 24]), response(0, &[1; 40])].concat();
    let said = [
        (By::Client, first.to_vec()),
        (By::Client, second.to_vec()),
        (By::Server, bind_ack("1027", 0, &[NDR])),
        (By::Client, request(0, 5, &[0; 24])),
        (By::Server, answers),
    ];
    let run = judged(&talk((UNITY1, EXCH1), (50_000, 1027), &said));
    assert_eq!(run.verdict(1027), OUTSIDE);
    assert_eq!(app(&run, 1027), ["dcerpc", "content", "confirmed"]);
    assert_eq!(facts(&run, 1027, "interface"), [REM_UNKNOWN_2]);
}

#[test]
fn pitfall_14_rpc_in_a_pipe_is_smb() {
    let mut write = [0; 48];
    write[0] = 49;
    let said = [
        (By::Client, smb2(0, false, &[36, 0, 1, 0, 1, 0, 0, 0])),
        (By::Server, smb2(0, true, &[65, 0, 1, 0, 2, 2, 0, 0])),
        (By::Client, smb2(9, false, &[&write[..], &bind(SERVER_SERVICE, &[NDR])].concat())),
        (By::Server, smb2(8, true, &bind_ack("\\pipe\\srvsvc", 0, &[NDR]))),
    ];
    let run = judged(&talk((UNITY1, DC1), (50_000, 445), &said));
    assert_eq!(run.verdict(445), CONFIRMED);
    assert_eq!(rows(&run, 445), ["U-DC.smb.tcp"]);
    assert_eq!(app(&run, 445)[0], "smb");
    // Inside the range of DCOM it is not DCOM.
    let run = judged(&talk((UNITY1, EXCH1), (50_000, 5001), &said));
    assert_eq!(run.verdict(5001), MISMATCH);
    assert_eq!(app(&run, 5001)[0], "smb");
}

#[test]
fn pitfall_15_rpc_over_datagrams_is_not_all_dcom() {
    let connect = datagram_request(PROFINET, &[0; 40]);
    let strangers = (STRANGER, [192, 0, 2, 78]);
    let run = judged(&[frames::udp(strangers, (34_964, 34_964), &connect)]);
    assert_eq!(run.verdict(34_964)[0], "out-of-scope");
    assert_eq!(facts(&run, 34_964, "interface-class"), ["profinet"]);
    let frames: Vec<_> =
        (0..3).map(|_| frames::udp((UNITY1, DC1), (50_000, 34_964), &connect)).collect();
    let run = judged(&frames);
    assert_eq!(app(&run, 34_964)[..2], ["dcerpc", "content"]);
    assert_eq!(run.verdict(34_964), UNDOCUMENTED);
    // DCOM itself over datagrams is.
    let object = datagram_request(REM_UNKNOWN_2, &[0; 40]);
    let frames: Vec<_> =
        (0..3).map(|_| frames::udp((UNITY1, DC1), (50_000, 34_964), &object)).collect();
    assert_eq!(judged(&frames).verdict(34_964), OUTSIDE);
}

#[test]
fn pitfall_16_a_mirror_that_doubles_packets_does_not_hide_speech() {
    let once = speech((PHONE1, UNITY1), (17_000, 23_000), 0x1234_5678);
    let start = 1_772_488_920 * SECOND;
    let mut packets = vec![(start - 120 * SECOND, frames::arp())];
    for (number, frame) in once.iter().enumerate() {
        let time = start + number as i64 * SECOND / 50;
        packets.extend([(time, frame.clone()), (time + 2_000, frame.clone())]);
    }
    let run = check_frames(&packets, &RULES);
    assert_eq!(run.verdict(23_000), CONFIRMED);
    assert_eq!(app(&run, 23_000), ["rtp", "content", "confirmed"]);
    assert_eq!((run.lines[0].packets, run.lines[0].copies), (40, 40));
}

#[test]
fn pitfall_17_queries_are_no_speech() {
    for port in [53, 5300] {
        let frames: Vec<_> = [0x8001, 0x8011, 0x8021]
            .into_iter()
            .flat_map(|identifier| {
                let (to, from) = ((UNITY1, RESOLVER), (RESOLVER, UNITY1));
                [
                    frames::udp(to, (50_000, port), &dns_query(identifier, "unity.example")),
                    frames::udp(from, (port, 50_000), &dns_answer(identifier, "unity.example")),
                ]
            })
            .collect();
        assert_eq!(app(&judged(&frames), port), ["dns", "content", "confirmed"]);
    }
}

#[test]
fn pitfall_18_one_packet_is_no_speech() {
    for count in 1..=2 {
        let frames: Vec<_> = speech((UNITY1, WS1), (23_000, 40_000), 7)[..count].to_vec();
        let run = judged(&frames);
        assert_eq!(run.verdict(40_000)[0], "violation");
        assert_ne!(run.verdict(40_000)[1], "port-outside-range");
        assert_ne!(app(&run, 40_000)[0], "rtp");
    }
    // Inside the range of speech it is documented by its port.
    let run = judged(&speech((UNITY1, PHONE1), (23_000, 24_000), 7)[..2]);
    assert_eq!(run.verdict(24_000), PORT_ONLY);
    let run = judged(&speech((UNITY1, PHONE1), (23_000, 17_000), 7));
    assert_eq!(run.verdict(17_000), OUTSIDE);
}

#[test]
fn pitfall_19_tones_and_echoes_are_of_the_same_media() {
    let hosts = (PHONE1, UNITY1);
    let mut frames = Vec::new();
    for number in 0..60 {
        let (kind, ssrc) = if number % 6 == 5 { (101, 0xaaaa_aaaa) } else { (0, 0xbbbb_bbbb) };
        frames.push(frames::udp(hosts, (24_000, 23_000), &rtp(kind, number, ssrc)));
    }
    let run = judged(&frames);
    assert_eq!(run.lines.len(), 1);
    assert_eq!(run.verdict(23_000), CONFIRMED);
    // An echo returns the same packets, so both directions have one source.
    let there = speech((PHONE1, UNITY1), (24_000, 23_000), 9);
    let back = speech((UNITY1, PHONE1), (23_000, 24_000), 9);
    let both: Vec<_> = there.into_iter().zip(back).flat_map(|(a, b)| [a, b]).collect();
    // Ten milliseconds apart, so that the clock of each direction is that of speech.
    let start = 1_772_488_920 * SECOND;
    let mut packets = vec![(start - 120 * SECOND, frames::arp())];
    packets.extend((0..).map(|number| start + number * SECOND / 100).zip(both));
    let run = check_frames(&packets, &RULES);
    assert_eq!(run.lines.len(), 1);
    assert_eq!(run.lines[0].app_confidence, "confirmed");
    assert_eq!(run.verdict(run.lines[0].dst_port), CONFIRMED);
    assert_eq!(facts(&run, run.lines[0].dst_port, "ssrc"), ["00000009"]);
}

#[test]
fn pitfall_20_an_announcement_makes_no_fax() {
    let offer = invite(&sdp(UNITY1, &["m=audio 23000 RTP/AVP 8", "m=image 23000 udptl t38"]));
    let answer = accepted(&sdp(PIMG1, &["m=audio 24000 RTP/AVP 8"]));
    let call = talk((UNITY1, PIMG1), (50_000, 5060), &[(By::Client, offer), (By::Server, answer)]);
    let ends = (PIMG1, UNITY1);
    let run = judged(&all(vec![call.clone(), speech(ends, (24_000, 23_000), 5)]));
    assert_eq!(run.verdict(23_000), CONFIRMED);
    assert_eq!(app(&run, 23_000)[0], "rtp");
    let fax: Vec<_> =
        (0..40).map(|number| frames::udp(ends, (24_000, 23_000), &udptl(number))).collect();
    let severity = |run: &Run| {
        let of_media = run.report.findings.iter().find(|one| one.code == "protocol-mismatch");
        of_media.map(|finding| finding.severity.clone())
    };
    let run = judged(&all(vec![call.clone(), fax.clone()]));
    assert_eq!(run.verdict(23_000), MISMATCH);
    assert_eq!((app(&run, 23_000)[0], severity(&run).as_deref()), ("t38", Some("low")));
    // Fax after speech between the same ports.
    let run = judged(&all(vec![call, speech(ends, (24_000, 23_000), 5), fax]));
    assert_eq!(run.verdict(23_000), MISMATCH);
    assert_eq!((app(&run, 23_000)[0], severity(&run).as_deref()), ("t38", Some("low")));
}

#[test]
fn pitfall_21_rejected_and_held_media_are_not_announced() {
    let held = [0, 0, 0, 0];
    let first = sdp(PIMG1, &["m=audio 17010/2 RTP/AVP 0", "m=video 0 RTP/AVP 31"]);
    let second = sdp(held, &["m=audio 17020 RTP/AVP 0"]);
    let call = talk(
        (UNITY1, PIMG1),
        (50_000, 5060),
        &[
            (By::Client, invite(&sdp(UNITY1, &["m=audio 23000 RTP/AVP 0"]))),
            (By::Server, accepted(&first)),
            (By::Server, accepted(&second)),
        ],
    );
    // Behind the rejected port 0 there would be its control at port 1.
    let ports = [17_010, 17_012, 17_014, 17_020, 1];
    let silent = ports.map(|port| frames::udp((UNITY1, PIMG1), (23_000, port), b"?"));
    let run = judged(&all(vec![call, silent.to_vec()]));
    let told = ports.map(|port| app(&run, port)[1] == "signalling");
    assert_eq!(told, [true, true, false, false, false]);
    let verdicts = ports.map(|port| run.verdict(port)[1]);
    assert_eq!(verdicts[..2], ["port-outside-range"; 2]);
    assert_eq!(verdicts[2..], ["undocumented-service"; 3]);
}

/// A call that a call manager sets up for Unity, as Skinny messages of the manager.
fn skinny_call(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut said = vec![(By::Client, skinny(0, 0, &[])), (By::Server, skinny(0, 0x100, &[]))];
    said.extend(messages.iter().map(|message| (By::Server, message.clone())));
    talk((UNITY1, CUCM1), (50_000, 2000), &said)
}

#[test]
fn pitfall_22_a_placeholder_port_is_not_announced() {
    let call = skinny_call(&[open_receive_channel(PHONE1)]);
    let silent = vec![frames::udp((UNITY1, PHONE1), (23_000, 4000), b"?")];
    let run = judged(&all(vec![call, silent]));
    assert_eq!(app(&run, 2000), ["skinny", "content", "confirmed"]);
    assert_ne!(app(&run, 4000)[1], "signalling");
    assert_eq!(run.verdict(4000), UNDOCUMENTED);
}

#[test]
fn pitfall_23_the_header_version_says_how_long_addresses_are() {
    for version in [0x0b, 0x10, 0x11, 0x14] {
        let call = skinny_call(&[start_media(version, PHONE1, 17_000)]);
        let silent = vec![frames::udp((UNITY1, PHONE1), (23_000, 17_000), b"?")];
        let run = judged(&all(vec![call, silent]));
        assert_eq!(app(&run, 17_000), ["rtp", "signalling", "learned"], "version {version:x}");
        assert_eq!(run.verdict(17_000), OUTSIDE);
    }
}

#[test]
fn pitfall_24_the_wide_row_documents_no_speech() {
    let run = judged(&speech((EXCH1, UNITY1), (24_000, 23_456), 5));
    assert_eq!(app(&run, 23_456), ["rtp", "content", "confirmed"]);
    assert_eq!(run.verdict(23_456), ["violation", "protocol-mismatch", ""]);
}

#[test]
fn pitfall_36_a_mirror_tunnel_changes_no_verdict() {
    let plain = rpc((UNITY1, EXCH1), (50_000, 1027), REM_UNKNOWN_2);
    // GRE of protocol 88BE: without a sequence number Ethernet follows at once.
    let ends = ([172, 16, 0, 1], [172, 16, 0, 2]);
    let first = |frame: &Vec<u8>| [&[0, 0, 0x88, 0xbe][..], frame].concat();
    let second = |frame: &Vec<u8>| {
        let header = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0x0a, 0, 0x65, 0, 0, 0, 0];
        [&header[..], frame].concat()
    };
    let mirrored: [Vec<_>; 2] = [
        plain.iter().map(first).map(|payload| frames::other(ends, 47, &payload)).collect(),
        plain.iter().map(second).map(|payload| frames::other(ends, 47, &payload)).collect(),
    ];
    for (frames, path) in [(&plain, ""), (&mirrored[0], "erspan-1"), (&mirrored[1], "erspan-2")] {
        let run = judged(frames);
        assert_eq!(run.verdict(1027), OUTSIDE);
        assert_eq!(line(&run, 1027).path.rsplit('/').next(), Some(path));
        assert_eq!(app(&run, 1027), ["dcerpc", "content", "confirmed"]);
    }
}

#[test]
fn pitfall_40_each_use_of_a_port_speaks_for_itself() {
    let mut frames = rpc((UNITY1, EXCH1), (1100, 5001), REM_UNKNOWN_2);
    let said = [
        (By::Client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        (By::Server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
    ];
    let mut second = talk((UNITY1, EXCH1), (1100, 5001), &said);
    for frame in &mut second {
        // Another initial sequence number of the client, 0x00010000 further on.
        let sent_by_client = frame[26..30] == UNITY1;
        let place = if sent_by_client { 39 } else { 43 };
        frame[place] = 1;
    }
    frames.append(&mut second);
    let run = judged(&frames);
    let said: Vec<_> = run.assessment.flows.iter().map(runs::said).collect();
    assert_eq!(said, [CONFIRMED, MISMATCH]);
}

#[test]
fn pitfall_44_ldap_that_turns_to_tls_is_ldap() {
    // The extended request of RFC 4511 section 4.14 and its answer.
    let oid = b"1.3.6.1.4.1.1466.20037";
    let mut start = vec![0x30, oid.len() as u8 + 7, 2, 1, 1, 0x77, oid.len() as u8 + 2, 0x80];
    start.push(oid.len() as u8);
    start.extend(oid);
    let success = vec![0x30, 12, 2, 1, 1, 0x78, 7, 0x0a, 1, 0, 4, 0, 4, 0];
    let said = [
        (By::Client, start),
        (By::Server, success),
        (By::Client, client_hello()),
        (By::Server, server_hello()),
    ];
    let frames = talk((UNITY1, DC1), (50_000, 389), &said);
    let run = judged(&frames);
    assert_eq!(run.verdict(389), CONFIRMED);
    assert_eq!(app(&run, 389)[0], "ldap");
    // Seen from the middle on, the TLS inside contradicts nothing.
    let record = [&[0x17, 3, 1, 0, 200][..], &[0x99; 200]].concat();
    let records = record.repeat(3);
    let run = judged(&[
        frames::tcp((UNITY1, DC1), (50_000, 389), 5000, 7000, PUSH, &records),
        frames::tcp((DC1, UNITY1), (389, 50_000), 7000, 5615, PUSH, &records),
    ]);
    assert_eq!(run.verdict(389)[0], "documented");
}

#[test]
fn pitfall_45_an_old_hello_is_tls() {
    let mut old = vec![0x80, 0x2e, 1, 3, 0, 0, 0x15, 0, 0, 0, 0x10];
    old.extend([0; 37]);
    let said = [(By::Client, old), (By::Server, server_hello())];
    let run = judged(&talk((ADMIN1, UNITY1), (50_000, 443), &said));
    // The answer alone would be strong.
    assert_eq!(app(&run, 443), ["tls", "content", "confirmed"]);
    // Anything may run inside TLS.
    assert_eq!(run.verdict(443), ["documented", "", "port-only"]);
}

#[test]
fn pitfall_48_the_browser_tells_where_the_database_is() {
    let asked = vec![
        frames::udp((UNITY1, UNITY2), (50_000, 1434), &[2]),
        frames::udp((UNITY2, UNITY1), (1434, 50_000), &browser_answer(1741)),
    ];
    let silent = connection_of(UNITY1, UNITY2, (50_001, 1741), 1000);
    let run = judged(&all(vec![asked.clone(), silent]));
    assert_eq!(run.verdict(1434), CONFIRMED);
    assert_eq!(app(&run, 1741), ["tds", "signalling", "learned"]);
    assert_eq!(run.verdict(1741), OUTSIDE);
    let said = [(By::Client, tds_prelogin(0x12)), (By::Server, tds_prelogin(4))];
    let run = judged(&all(vec![asked, talk((UNITY1, UNITY2), (50_001, 1741), &said)]));
    assert_eq!(app(&run, 1741)[..2], ["tds", "content"]);
    assert_eq!(run.verdict(1741), OUTSIDE);
    // The worm of 2003 on the same port is no question to the browser.
    let mut worm = vec![1; 376];
    worm[0] = 4;
    worm[97..103].copy_from_slice(&[0xdc, 0xc9, 0xb0, 0x42, 0xeb, 0x0e]);
    let run = judged(&[frames::udp((UNITY1, UNITY2), (50_000, 1434), &worm)]);
    assert_eq!(run.verdict(1434), MISMATCH);
}

/// A connection in a pcapng file whose interface dropped so many packets (option 7 of its
/// statistics).
fn report_of_statistics(dropped: u64) -> portolan::report::model::Report {
    let build = Builder::LITTLE;
    let mut file = [build.section(1, 0), build.interface(1, 0, &[])].concat();
    for (number, frame) in (0..).zip(connection(UNITY1, DC1, 389)) {
        file.extend(build.enhanced(0, 1_772_488_800_000_000 + number, &frame, &[]));
    }
    file.extend(build.statistics(0, &build.option(7, &build.u64(dropped))));
    runs::check_stream("capture.pcapng", file, &RULES).report
}

#[test]
fn pitfall_52_lost_packets_forbid_to_speak_of_absence() {
    let status = |dropped: u64| {
        let report = report_of_statistics(dropped);
        let row = report.rules.iter().find(|rule| rule.id == "U-DC.smb.tcp").expect("a row");
        (report.capture_health.dropped_packets, row.status.clone())
    };
    assert_eq!(status(0), (Some(0), "unexercised".to_owned()));
    assert_eq!(status(3), (Some(3), "not-seen".to_owned()));
}

/// D2.16: a telephone keeps its way open for long before it says something.
#[test]
fn keepalives_use_up_no_patience() {
    let mut frames = vec![frames::udp((PIMG1, UNITY1), (5060, 5060), b"\r\n\r\n"); 300];
    let call = invite(&sdp(PIMG1, &["m=audio 24000 RTP/AVP 0"]));
    frames.push(frames::udp((PIMG1, UNITY1), (5060, 5060), &call));
    let run = judged(&frames);
    assert_eq!(app(&run, 5060)[..2], ["sip", "content"]);
}

/// D2.16: an address that a translator rewrote, and one that is nobody's of the call.
#[test]
fn an_announced_address_of_a_third_party_is_not_believed() {
    let private = [192, 168, 99, 5];
    let call = |address| {
        let offer = invite(&sdp(UNITY1, &["m=audio 23000 RTP/AVP 0"]));
        let answer = accepted(&sdp(address, &["m=audio 17000 RTP/AVP 0"]));
        talk((UNITY1, PIMG1), (50_000, 5060), &[(By::Client, offer), (By::Server, answer)])
    };
    let to = |address| vec![frames::udp((UNITY1, address), (23_000, 17_000), b"?")];
    // The sender itself, at the port that it names.
    let run = judged(&all(vec![call(private), to(PIMG1)]));
    assert_eq!(app(&run, 17_000), ["rtp", "signalling", "learned"]);
    // A stranger that it names.
    let run = judged(&all(vec![call(STRANGER), to(STRANGER)]));
    assert_ne!(app(&run, 17_000)[1], "signalling");
    assert_eq!(run.verdict(17_000)[0], "unknown-peer");
}

/// D2.21: what is announced names a port and documents nothing, and payload goes before it.
#[test]
fn an_announcement_excuses_no_port_and_payload_goes_before_it() {
    let answer = map_answer(&tower(REM_UNKNOWN_2, 5005, EXCH1), 0);
    let said = [
        (By::Client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        (By::Server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
    ];
    let run = judged(&all(vec![
        mapping((UNITY1, EXCH1), &answer, &answer),
        talk((UNITY1, EXCH1), (50_001, 5005), &said),
    ]));
    assert_eq!(app(&run, 5005), ["http", "content", "confirmed"]);
    assert_eq!(run.verdict(5005), MISMATCH);
}

/// D2.20: cut packets show less, and never another protocol.
#[test]
fn a_short_snaplen_hides_and_does_not_invent() {
    let frames = rpc((UNITY1, EXCH1), (50_000, 1027), REM_UNKNOWN_2);
    let start = 1_772_488_920 * SECOND;
    let mut packets = vec![(start - 120 * SECOND, frames::arp())];
    packets.extend((0..).map(|n| start + n * SECOND / 10).zip(frames));
    for (snaplen, reasons) in [
        (54, &["undocumented-service", ""][..]),
        (64, &["undocumented-service", ""]),
        // 42 bytes of payload hold the header of a data unit, 74 the interface too.
        (96, &["port-outside-range"]),
        (128, &["port-outside-range"]),
    ] {
        let run = runs::check_stream("cut.pcap", runs::pcap_cut(&packets, snaplen), &RULES);
        let [verdict, reason, _] = run.verdict(1027);
        assert!(matches!(verdict, "violation" | "not-assessable"), "{snaplen}: {verdict}");
        assert!(reasons.contains(&reason), "{snaplen}: {reason}");
        assert!(matches!(app(&run, 1027)[0], "" | "dcerpc"), "{snaplen}");
    }
}
