//! What the site says against what is seen: of whom an announcement may speak (D2.21), which form of
//! Skinny is used (D1.6 A-07). And payload that comes over SCTP.

use super::messages::*;
use super::recognised::{all, app};
use super::*;

const LEARNED: [&str; 3] = ["rtp", "signalling", "learned"];
const PHONE2: [u8; 4] = [10, 0, 1, 22];

/// A call whose answer places the media, and one datagram to where it does.
fn placed(by: [u8; 4], at: [u8; 4], port: u16) -> Run {
    let offer = invite(&sdp(UNITY1, &["m=audio 23000 RTP/AVP 0"]));
    let answer = accepted(&sdp(at, &[&format!("m=audio {port} RTP/AVP 0")]));
    let call = talk((UNITY1, by), (50_000, 5060), &[(By::Client, offer), (By::Server, answer)]);
    judged(&all(vec![call, vec![frames::udp((UNITY1, at), (23_000, port), b"?")]]))
}

/// A proxy of the site speaks for the phones behind it, and a stranger for itself.
#[test]
fn call_control_of_the_site_places_media_at_its_hosts() {
    assert_eq!(app(&placed(PIMG1, PHONE1, 17_000), 17_000), LEARNED);
    assert_ne!(app(&placed(STRANGER, PHONE1, 17_000), 17_000)[1], "signalling");
    assert_eq!(app(&placed(STRANGER, STRANGER, 17_000), 17_000), LEARNED);
    // Media has no business at the port of a service.
    assert_ne!(app(&placed(PIMG1, PHONE1, 500), 500)[1], "signalling");
}

/// Two phones of one block are two hosts.
#[test]
fn a_mapper_does_not_speak_for_its_neighbours() {
    let answer = map_answer(&tower(REM_UNKNOWN_2, 1028, PHONE2), 0);
    let silent = |to| connection_of(UNITY1, to, (50_001, 1028), 1000);
    let mapped = || mapping((UNITY1, PHONE1), &answer, &answer);
    let run = judged(&all(vec![mapped(), silent(PHONE2)]));
    assert_eq!(app(&run, 1028)[1], "none");
    // What it said holds for itself.
    let run = judged(&all(vec![mapped(), silent(PHONE1)]));
    assert_eq!(app(&run, 1028), ["dcerpc", "signalling", "learned"]);
}

/// RFC 2577 section 3: the port of a third host is how FTP is made to attack it.
#[test]
fn a_file_transfer_goes_to_the_two_that_speak() {
    let named = |host: [u8; 4]| {
        let [a, b, c, d] = host;
        let said = [
            (By::Server, b"220 ready\r\n".to_vec()),
            (By::Client, b"USER anonymous\r\n".to_vec()),
            (By::Server, b"331 name okay\r\n".to_vec()),
            (By::Client, format!("PORT {a},{b},{c},{d},4,5\r\n").into_bytes()),
            (By::Server, b"200 okay\r\n".to_vec()),
        ];
        let control = talk((WS1, EXCH1), (50_000, 21), &said);
        let data = connection_of(EXCH1, host, (50_001, 1029), 1000);
        app(&judged(&all(vec![control, data])), 1029).map(str::to_owned)
    };
    assert_eq!(named(WS1), ["ftp-data", "signalling", "learned"]);
    assert_eq!(named(DC1)[1], "none");
}

/// A registration for notifications in NDR (MS-OXCRPC section 3.1.4.5).
fn registration(address: [u8; 4], port: u16) -> Vec<u8> {
    let mut stub = vec![0; 24];
    stub.extend(8_u32.to_le_bytes());
    stub.extend(*b"new mail");
    stub.extend(8_u16.to_le_bytes());
    stub.extend([0; 2]);
    stub.extend([0xff; 4]);
    stub.extend(16_u32.to_le_bytes());
    stub.extend([2, 0]);
    stub.extend(port.to_be_bytes());
    stub.extend(address);
    stub.extend([0; 8]);
    stub.extend(16_u16.to_le_bytes());
    stub
}

/// A notification is documented by more than its wide row where its receiver asked its sender for
/// it, and by nobody else's word.
#[test]
fn a_registration_is_for_its_client_and_its_server() {
    let notified = |client, address, server| {
        let said = [
            (By::Client, bind(EMSMDB, &[NDR])),
            (By::Server, bind_ack("5001", 0, &[NDR])),
            (By::Client, request(0, 4, &registration(address, 3456))),
            (By::Server, response(0, &[0; 8])),
        ];
        let asked = talk((client, EXCH1), (50_000, 5001), &said);
        let told = vec![frames::udp((server, UNITY1), (2107, 3456), b"new mail")];
        judged(&all(vec![asked, told])).verdict(3456)
    };
    const CONFIRMED: [&str; 3] = ["documented", "", "confirmed"];
    const WEAK: [&str; 3] = ["documented", "", "weak"];
    assert_eq!(notified(UNITY1, UNITY1, EXCH1), CONFIRMED);
    assert_eq!(notified(WS1, UNITY1, EXCH1), WEAK);
    assert_eq!(notified(UNITY1, UNITY1, EXCH2), WEAK);
}

/// A chunk of SCTP (RFC 9260 section 3.2), filled up to four bytes.
fn chunk(kind: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut chunk = vec![kind, flags];
    chunk.extend((4 + body.len() as u16).to_be_bytes());
    chunk.extend_from_slice(body);
    chunk.resize(chunk.len().next_multiple_of(4), 0);
    chunk
}

/// A DATA chunk: number, stream, place in the stream, protocol, and a message or its part.
fn data(flags: u8, message: &[u8]) -> Vec<u8> {
    chunk(0, flags, &[&[0; 12][..], message].concat())
}

/// RFC 4168: SIP over SCTP. The document grants it over TCP alone.
#[test]
fn messages_in_chunks_are_recognised() {
    let call = invite(&sdp(UNITY1, &["m=audio 24000 RTP/AVP 0"]));
    let answer = accepted(&sdp(PIMG1, &["m=audio 17000 RTP/AVP 0"]));
    let (whole, acknowledgement) = (data(3, &call), chunk(3, 0, &[0; 12]));
    let (first, last) = call.split_at(call.len() / 2);
    for asked in [
        vec![whole.clone()],
        vec![[acknowledgement, whole].concat()],
        // In two parts, of which the first tells.
        vec![data(2, first), data(1, last)],
    ] {
        let packet = |ports: (u16, u16), chunks: &[u8]| {
            let [from, to] = [ports.0, ports.1].map(u16::to_be_bytes);
            [&from[..], &to, &[0; 8], chunks].concat()
        };
        let mut sent: Vec<Vec<u8>> = asked
            .iter()
            .map(|chunks| frames::other((PIMG1, UNITY1), 132, &packet((5060, 5060), chunks)))
            .collect();
        let reply = packet((5060, 5060), &data(3, &answer));
        sent.push(frames::other((UNITY1, PIMG1), 132, &reply));
        sent.push(frames::udp((UNITY1, PIMG1), (24_000, 17_000), b"?"));
        let run = judged(&sent);
        assert_eq!(app(&run, 5060), ["sip", "content", "confirmed"]);
        assert_eq!(run.verdict(5060), ["violation", "wrong-transport", ""]);
        // What is called the answer's media is announced by Unity of its peer.
        assert_eq!(app(&run, 17_000), LEARNED);
    }
}

/// D1.6 A-07: the security mode decides which port is used, and each port has its own form.
#[test]
fn skinny_and_its_security_mode_agree() {
    let clear = || {
        let said = [(By::Client, skinny(0, 0, &[])), (By::Server, skinny(0, 0x100, &[]))];
        [said.clone(), said].concat()
    };
    let secure = || vec![(By::Client, client_hello()), (By::Server, server_hello())];
    let verdict = |mode: &str, port, said: &[(By, Vec<u8>)]| {
        let site = SITE.replace("sip = \"yes\"", &format!("sip = \"yes\"\n{mode}"));
        let run = judged_at(&Rules::at(&site), &talk((UNITY1, CUCM1), (50_000, port), said));
        let [verdict, reason, _] = run.verdict(port);
        [verdict, reason]
    };
    const DOCUMENTED: [&str; 2] = ["documented", ""];
    const OFF: [&str; 2] = ["violation", "condition-off"];
    const MISMATCH: [&str; 2] = ["violation", "protocol-mismatch"];
    for (mode, on_2000, on_2443) in [
        ("sccp-security = \"clear\"", DOCUMENTED, OFF),
        ("sccp-security = \"tls\"", OFF, DOCUMENTED),
        ("sccp-security = \"mixed\"", DOCUMENTED, DOCUMENTED),
        ("", DOCUMENTED, DOCUMENTED),
    ] {
        assert_eq!(verdict(mode, 2000, &clear()), on_2000, "{mode}");
        assert_eq!(verdict(mode, 2443, &secure()), on_2443, "{mode}");
    }
    for mode in ["sccp-security = \"mixed\"", ""] {
        assert_eq!(verdict(mode, 2000, &secure()), MISMATCH, "{mode}");
        assert_eq!(verdict(mode, 2443, &clear()), MISMATCH, "{mode}");
    }
}
