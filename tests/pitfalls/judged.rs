//! Pitfalls of roles, ports, direction and conditions.

use super::*;

#[test]
fn pitfall_01_ports_do_not_match_in_both_directions() {
    let run = judged(&connection(DC1, UNITY1, 445));
    assert_eq!(run.verdict(445), ["violation", "wrong-direction", ""]);
    let run = judged(&connection(UNITY1, DC1, 445));
    assert_eq!(run.verdict(445), ["documented", "", "port-only"]);
    assert_eq!(rows(&run, 445), ["U-DC.smb.tcp"]);
}

#[test]
fn pitfall_02_a_source_port_is_no_service() {
    let run = judged(&[frames::tcp((UNITY1, STRANGER), (5005, 4444), 1, 0, SYN, b"")]);
    assert_eq!(run.verdict(4444), ["unknown-peer", "", ""]);
    // The same between known hosts: 5005 lies in the DCOM range of the side that opens.
    let run = judged(&connection_of(UNITY1, EXCH1, (5005, 4444), 1));
    assert_eq!(run.verdict(4444)[0], "violation");
}

#[test]
fn pitfall_03_a_dynamic_client_port_inside_a_range_grants_nothing() {
    let run = judged(&[frames::udp((UNITY1, PHONE1), (23_000, 17_000), b"voice")]);
    assert_eq!(run.verdict(17_000), ["violation", "undocumented-service", ""]);
    let run = judged(&[frames::udp((PHONE1, UNITY1), (17_000, 23_000), b"voice")]);
    assert_eq!(run.verdict(23_000), ["documented", "", "port-only"]);
    assert_eq!(rows(&run, 23_000), ["CM-U.rtp.udp"]);
}

#[test]
fn pitfall_04_neither_end_is_the_media_server() {
    // One five-tuple, two streams: the one towards the phone is outside, whoever spoke first.
    for hosts in [(UNITY1, PHONE1), (PHONE1, UNITY1)] {
        let ports = if hosts.0 == UNITY1 { (23_000, 17_000) } else { (17_000, 23_000) };
        let run = judged(&exchange(hosts, ports));
        assert_eq!(run.verdict(17_000), ["violation", "undocumented-service", ""]);
        assert_eq!(run.lines[0].src_ip, "10.0.0.1");
        // Whoever stands as the initiator: what is said of it is true.
        let basis = if hosts.0 == UNITY1 { "first-packet" } else { "media" };
        assert_eq!(run.lines[0].direction_basis, basis);
    }
    let run = judged(&exchange((UNITY1, PHONE1), (23_000, 24_000)));
    assert_eq!(run.verdict(24_000), ["documented", "", "port-only"]);
}

#[test]
fn pitfall_05_sip_is_documented_over_tcp_alone() {
    for hosts in [(PIMG1, UNITY1), (UNITY1, PIMG1)] {
        let run = judged(&exchange(hosts, (5060, 5060)));
        assert_eq!(run.verdict(5060), ["violation", "wrong-transport", ""]);
        let run = judged(&connection(hosts.0, hosts.1, 5060));
        assert_eq!(run.verdict(5060), ["documented", "", "port-only"]);
    }
}

#[test]
fn pitfall_07_dcom_off_its_range_is_outside() {
    let run = judged(&connection(UNITY1, EXCH1, 1027));
    assert_eq!(run.verdict(1027), ["violation", "undocumented-service", ""]);
}

#[test]
fn pitfall_08_static_exchange_ports_are_a_fact_of_the_site() {
    let run = judged(&connection(UNITY1, EXCH1, 6500));
    assert_eq!(run.verdict(6500), ["documented", "", "port-only"]);
    assert_eq!(rows(&run, 6500), ["U-PX.static.tcp"]);
    let none =
        Rules::at(&SITE.replace("exchange-static-tcp = \"6500\"", "exchange-static-tcp = \"\""));
    let run = judged_at(&none, &connection(UNITY1, EXCH1, 6500));
    assert_eq!(run.verdict(6500), ["violation", "undocumented-service", ""]);
    // Where nothing is stated nothing is guessed, and the line to add is named.
    let silent = Rules::at(&SITE.replace("exchange-static-tcp = \"6500\"\n", ""));
    let run = judged_at(&silent, &connection(UNITY1, EXCH1, 6500));
    assert_eq!(run.verdict(6500), ["not-assessable", "", ""]);
    assert!(run.report.findings[0].missing[0].contains("exchange-static-tcp"));
}

#[test]
fn pitfall_25_notifications_have_one_direction() {
    let run = judged(&[frames::udp((UNITY1, EXCH1), (1900, 40_000), b"0123456789")]);
    assert_eq!(run.verdict(40_000)[0], "violation");
    let run = judged(&[frames::udp((EXCH1, UNITY1), (1900, 40_000), b"0123456789")]);
    assert_eq!(run.verdict(40_000), ["documented", "", "weak"]);
    assert_eq!(rows(&run, 40_000), ["X-U.notify.udp"]);
}

#[test]
fn pitfall_26_a_notification_channel_has_many_source_ports() {
    let sources = [1900, 2101, 2307];
    let run =
        judged(&sources.map(|port| frames::udp((EXCH1, UNITY1), (port, 3456), b"0123456789")));
    assert_eq!(run.lines.len(), 3);
    for line in &run.lines {
        assert_eq!((line.verdict.as_str(), line.strength.as_str()), ("documented", "weak"));
    }
    let row = run.report.rules.iter().find(|rule| rule.id == "X-U.notify.udp").unwrap();
    assert_eq!((row.flows, row.initiators_seen, row.ports_seen.as_str()), (3, 1, "3456"));
    assert_eq!(row.status, "weak-only");
    assert!(run.report.findings.is_empty());
}

#[test]
fn pitfall_33_a_broadcast_is_judged_by_no_row() {
    let to = [10, 0, 0, 255];
    for frame in [frames::udp((UNITY1, to), (137, 137), b"registration")] {
        for frame in [frame.clone(), frames::broadcast(frame)] {
            let run = judged(&[frame]);
            assert_eq!(run.verdict(137), ["infrastructure", "", ""]);
        }
    }
}

#[test]
fn pitfall_34_a_reply_between_equal_ports_is_no_new_initiator() {
    let query = frames::udp((UNITY1, GC1), (137, 137), b"query");
    let reply = frames::udp((GC1, UNITY1), (137, 137), b"reply");
    let run = judged(&[query, reply.clone()]);
    assert_eq!(run.verdict(137), ["documented", "", "port-only"]);
    assert_eq!((run.lines[0].src_ip.as_str(), run.lines[0].packets), ("10.0.0.1", 2));
    assert_eq!(rows(&run, 137), ["U-GC.nbns.udp"]);
    // Only the reply was captured.
    let run = judged(&[reply]);
    assert_eq!(run.verdict(137), ["documented", "", "port-only"]);
    assert_eq!(run.lines[0].src_ip, "10.0.0.1");
}

/// A question of the name service (RFC 1002 section 4.2.12) for the name UNITY, and a mail slot
/// message of the datagram service (section 4.4.2) between two such names.
fn netbios() -> [(u16, Vec<u8>); 2] {
    let name = [&[0x20][..], b"FFEOEJFEFJCACACACACACACACACACAAA", &[0]].concat();
    let question = [&[0x86, 0x64, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0], &name[..], &[0, 0x20, 0, 1]];
    let data = [&b"\xffSMB\x25"[..], &[0; 59]].concat();
    let length = (2 * name.len() + data.len()) as u16;
    let head = [0x10, 0x0a, 0x5f, 0xe2, 10, 0, 0, 4, 0, 138];
    let message = [&head[..], &length.to_be_bytes(), &[0, 0], &name, &name, &data];
    [(137, question.concat()), (138, message.concat())]
}

/// Both ends use the port, so that a row names it says nothing of who asked: the document lets
/// Unity ask, and not the other way round.
#[test]
fn pitfall_34_a_port_of_both_ends_does_not_say_who_asks() {
    for (port, payload) in netbios() {
        let ask = |hosts| frames::udp(hosts, (port, port), &payload);
        let run = judged(&[ask((UNITY1, GC1))]);
        assert_eq!(run.verdict(port)[0], "documented", "{port}");
        let run = judged(&[ask((GC1, UNITY1))]);
        assert_eq!(run.verdict(port), ["violation", "wrong-direction", ""], "{port}");
        assert_eq!(run.lines[0].src_ip, std::net::Ipv4Addr::from(GC1).to_string());
    }
}

#[test]
fn pitfall_38_roles_add_up_and_do_not_mix() {
    let run = judged(&connection(WS1, EXCH2, 3268));
    assert_eq!(run.verdict(3268), ["violation", "undocumented-service", ""]);
    let run = judged(&connection(EXCH1, EXCH2, 3268));
    assert_eq!(run.verdict(3268), ["documented", "", "port-only"]);
    assert_eq!(rows(&run, 3268), ["X-GC.gc.tcp"]);
}

#[test]
fn pitfall_39_https_switches_http_off() {
    let run = judged(&connection(ADMIN1, UNITY1, 80));
    assert_eq!(run.verdict(80), ["violation", "condition-off", ""]);
    assert_eq!(rows(&run, 80), ["ADM-U.http.tcp"]);
    let run = judged(&connection(ADMIN1, UNITY1, 443));
    assert_eq!(run.verdict(443), ["documented", "", "port-only"]);
    // Unanswered, both are documented by assumption.
    let open = Rules::at(&SITE.replace("https-admin = \"on\"\n", ""));
    for port in [80, 443] {
        let run = judged_at(&open, &connection(ADMIN1, UNITY1, port));
        assert_eq!(run.verdict(port), ["documented", "", "assumed"]);
    }
}

#[test]
fn pitfall_42_ranges_include_their_ends() {
    let ranges = [
        (UNITY1, EXCH1, true, [(4999, false), (5000, true), (5020, true), (5021, false)]),
        (UNITY1, EXCH1, false, [(4999, false), (5000, true), (5020, true), (5021, false)]),
        (UNITY1, PHONE1, false, [(22_799, false), (22_800, true), (32_767, true), (32_768, false)]),
        (PHONE1, UNITY1, false, [(22_799, false), (22_800, true), (32_767, true), (32_768, false)]),
    ];
    for (from, to, tcp, ports) in ranges {
        for (port, inside) in ports {
            let frames = if tcp {
                connection(from, to, port)
            } else {
                vec![frames::udp((from, to), (50_001, port), b"voice")]
            };
            let verdict = if inside { "documented" } else { "violation" };
            assert_eq!(judged(&frames).verdict(port)[0], verdict, "{port}");
        }
    }
}

#[test]
fn pitfall_43_a_range_over_another_service_is_doubtful() {
    let site = SITE.replace("[parameters]", "[parameters]\ndcom-range = \"5000-5100\"");
    let lints = Rules::at(&site).site.lints;
    let about = |text: &str| {
        lints.iter().any(|lint| lint.subject == "dcom-range" && lint.message.contains(text))
    };
    assert!(about("5060"), "{lints:#?}");
    assert!(!RULES.site.lints.iter().any(|lint| lint.subject == "dcom-range"));
}

#[test]
fn pitfall_46_vnc_that_calls_back_is_opened_by_the_server() {
    let run = judged(&connection(UNITY1, ADMIN1, 5500));
    assert_eq!(run.verdict(5500)[0], "violation");
    assert_eq!(run.lines[0].src_ip, "10.0.0.1");
    let run = judged(&connection(ADMIN1, UNITY1, 5900));
    assert_eq!(run.verdict(5900), ["documented", "", "port-only"]);
}

#[test]
fn pitfall_50_an_exact_address_overrides_a_prefix() {
    let run = judged(&connection(UNITY1, CUCM1, 8443));
    assert_eq!(run.verdict(8443)[0], "documented");
    let run = judged(&connection(UNITY1, PHONE1, 8443));
    assert_eq!(run.verdict(8443)[0], "violation");
    let run = judged(&exchange((UNITY1, PHONE1), (23_100, 23_000)));
    assert_eq!(run.verdict(23_000)[0], "documented");
    // The order of the entries does not matter.
    let (before, after) = SITE.split_once("[[host]]\nname = \"phones\"").unwrap();
    let (phones, after) = after.split_once("[[host]]\n").unwrap();
    let swapped = format!("{before}[[host]]\n{after}\n[[host]]\nname = \"phones\"{phones}");
    let run = judged_at(&Rules::at(&swapped), &connection(UNITY1, CUCM1, 8443));
    assert_eq!(run.verdict(8443)[0], "documented");
}

#[test]
fn pitfall_51_a_host_is_known_by_its_ipv6_address() {
    let mut unity = [0; 16];
    unity[..2].copy_from_slice(&[0xfd, 0x00]);
    let mut dc = unity;
    (unity[15], dc[15]) = (0x01, 0x11);
    let frames = [
        frames::tcp6((unity, dc), (50_001, 389), 1, SYN),
        frames::tcp6((dc, unity), (389, 50_001), 9, SYN_ACK),
    ];
    let run = judged(&frames);
    assert_eq!(run.verdict(389), ["documented", "", "port-only"]);
    assert_eq!(run.lines[0].src_ip, "fd00::1");
    let run = judged(&[frames::tcp6((dc, unity), (50_001, 389), 1, SYN)]);
    assert_eq!(run.verdict(389), ["violation", "wrong-direction", ""]);
}
