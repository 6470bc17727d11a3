//! What running programs send that no capture at hand holds, made here from the standards.

use portolan::identify::{Carriage, End, Grade, Start};

use super::samples::claims;

use Carriage::{Tcp, Udp};

/// An element of the Basic Encoding Rules, of fewer than 128 bytes.
fn ber(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    [&[tag, contents.len() as u8], &contents[..]].concat()
}

/// A message of SNMP version 2c with one PDU (RFC 1901 section 3).
fn snmp_2c(pdu: u8) -> Vec<u8> {
    let variable = ber(0x30, &[&ber(0x06, &[&[0x2b, 6, 1, 2, 1]]), &ber(0x05, &[])]);
    let numbers = [0x02, 1, 7, 0x02, 1, 0, 0x02, 1, 0];
    let pdu = ber(pdu, &[&numbers, &ber(0x30, &[&variable])]);
    ber(0x30, &[&[0x02, 1, 1], &ber(0x04, &[b"public"]), &pdu])
}

/// A message of SNMP version 3 (RFC 3412 section 6); `scoped` is its context and PDU.
fn snmp_3(identifier: u8, flags: u8, scoped: &[u8]) -> Vec<u8> {
    let numbers = [0x02, 1, identifier, 0x02, 2, 5, 0xdc, 0x04, 1, flags, 0x02, 1, 3];
    let security = ber(0x04, &[&ber(0x30, &[&ber(0x04, &[&[0x80; 9]])])]);
    ber(0x30, &[&[0x02, 1, 3], &ber(0x30, &[&numbers]), &security, scoped])
}

#[test]
fn snmp_over_tcp() {
    // RFC 3430 section 2.1: one message behind the other, with nothing between.
    let asked = [snmp_2c(0xa0), snmp_2c(0xa5)].concat();
    let answered = [snmp_2c(0xa2), snmp_2c(0xa2)].concat();
    let found = claims(Tcp, Start::Message, [(&asked, 0), (&answered, 0)]);
    assert_eq!(found, [("snmp", Grade::Confirmed, Some(End::A))]);
    let found = claims(Tcp, Start::Midstream, [(&[], 0), (&answered, 0)]);
    assert_eq!(found, [("snmp", Grade::Strong, Some(End::A))], "an answer alone");
    let longer = [&asked[..], b"more"].concat();
    let found = claims(Tcp, Start::Message, [(&longer, 0), (b"220 ready\r\n", 0)]);
    assert!(found.iter().all(|(name, grade, _)| *name != "snmp" || *grade < Grade::Confirmed));
}

#[test]
fn who_asks_in_snmp_version_3() {
    // RFC 3412 section 6.4: a request may be answered by a report, and says so; answers may not.
    let encrypted = ber(0x04, &[&[0x5a; 40]]);
    let (request, response) = (snmp_3(9, 0x07, &encrypted), snmp_3(9, 0x03, &encrypted));
    let found = claims(Udp, Start::Message, [(&response, 0), (&request, 0)]);
    assert_eq!(found, [("snmp", Grade::Confirmed, Some(End::B))]);
    let found = claims(Udp, Start::Message, [(&response, 0), (&[], 0)]);
    assert_eq!(found, [("snmp", Grade::Strong, None)], "a response or a trap");
    let pdu = ber(0xa2, &[&[0x02, 1, 7, 0x02, 1, 0, 0x02, 1, 0], &ber(0x30, &[])]);
    let plain = ber(0x30, &[&ber(0x04, &[]), &ber(0x04, &[]), &pdu]);
    let found = claims(Udp, Start::Message, [(&snmp_3(9, 0x01, &plain), 0), (&[], 0)]);
    assert_eq!(found, [("snmp", Grade::Strong, Some(End::B))], "a response in the clear");
}

#[test]
fn a_vnc_client_caught_midway() {
    // RFC 6143 section 7.1.1: the server speaks first, so its version went by before the client's.
    let (client, server) = (b"RFB 003.008\n\x01", [1, 1, 0, 0, 0, 0]);
    let found = claims(Tcp, Start::Midstream, [(client, 0), (&server, 0)]);
    assert_eq!(found, [("rfb", Grade::Strong, Some(End::A))]);
    let found = claims(Tcp, Start::Midstream, [(&server, 0), (client, 0)]);
    assert_eq!(found, [("rfb", Grade::Strong, Some(End::B))]);
}

#[test]
fn a_reply_code_is_no_tag_of_imap() {
    for reply in
        ["530 Login incorrect.\r\n", "250 OK\r\n", "211 Status of server\r\n", "200 NOOP\r\n"]
    {
        for start in [Start::Message, Start::Midstream] {
            let found = claims(Tcp, start, [(b"QUIT\r\n", 0), (reply.as_bytes(), 0)]);
            assert!(found.iter().all(|(name, ..)| *name != "imap"), "{reply}: {found:?}");
        }
    }
    let found = claims(Tcp, Start::Midstream, [(b"7 LOGIN a b\r\n", 0), (b"7 OK done\r\n", 0)]);
    assert_eq!(found, [("imap", Grade::Confirmed, Some(End::A))], "a tag of digits");
}

#[test]
fn redis_is_no_pop3() {
    // The Redis protocol: simple strings begin with a plus sign, errors with a minus sign.
    let answers = b"+OK\r\n-ERR unknown command 'bad'\r\n+OK\r\n";
    let asked: &[u8] = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
    for start in [Start::Message, Start::Midstream] {
        for client in [asked, b""] {
            assert_eq!(claims(Tcp, start, [(client, 0), (answers, 0)]), [], "{start:?}");
        }
    }
    let found = claims(Tcp, Start::Message, [(b"", 0), (b"+OK POP3 ready\r\n", 0)]);
    assert_eq!(found, [("pop3", Grade::Weak, Some(End::A))], "a greeting has text");
}

#[test]
fn commands_of_pop3_alone() {
    // RFC 2449 section 5, RFC 1939 section 7: `CAPA` and `UIDL` are of POP3 alone.
    let found = claims(Tcp, Start::Message, [(b"CAPA\r\nUSER a\r\nPASS b\r\n", 0), (b"", 0)]);
    assert_eq!(found, [("pop3", Grade::Weak, Some(End::A))]);
    let found =
        claims(Tcp, Start::Message, [(b"USER a\r\nPASS b\r\nLIST\r\nQUIT\r\n", 0), (b"", 0)]);
    assert!(found.iter().all(|(name, ..)| *name != "pop3"), "FTP has these: {found:?}");
}

#[test]
fn security_of_ftp_agreed_on_at_once() {
    // RFC 2228 section 5.1, RFC 4217 section 4: behind 234 everything is TLS.
    let client = b"AUTH TLS\r\n\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let server = b"220 ready\r\n234 go on\r\n\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03";
    let found = claims(Tcp, Start::Message, [(client, 600), (server, 900)]);
    assert_eq!(found, [("ftp", Grade::Strong, Some(End::A))]);
}

#[test]
fn a_pre_login_cut_within_its_options() {
    // MS-TDS section 2.2.6.5: five options and the end make a table of 26 bytes, values follow.
    let header = [0x12, 1, 0, 0x2f, 0, 0, 1, 0];
    let options = [0, 0, 26, 0, 6, 1, 0, 32, 0, 1, 2, 0, 33, 0, 1, 3, 0, 34, 0, 4, 4, 0];
    let cut = [&header[..], &options].concat();
    let found = claims(Tcp, Start::Message, [(&cut, 47), (b"", 0)]);
    assert_eq!(found, [("tds", Grade::Strong, Some(End::A))]);
    for (at, value) in [(10, 25), (15, 31), (20, 34)] {
        let mut other = cut.clone();
        other[at] = value;
        let found = claims(Tcp, Start::Message, [(&other, 47), (b"", 0)]);
        assert!(found.is_empty(), "byte {at} is {value}: {found:?}");
    }
}

/// A packet of RTCP (RFC 3550 section 6): count or subtype, type, source, and what follows.
fn rtcp(count: u8, kind: u8, source: u32, rest: &[u8]) -> Vec<u8> {
    let words = 1 + rest.len() as u16 / 4;
    [&[0x80 | count, kind], &words.to_be_bytes()[..], &source.to_be_bytes(), rest].concat()
}

#[test]
fn control_of_media_without_reports() {
    // RFC 5506 section 4.1: packets may go alone. Names of applications are text.
    let opening = rtcp(0, 204, 0x1234_5678, b"PINGPONG");
    let found = claims(Udp, Start::Message, [(&opening, 0), (&[], 0)]);
    assert_eq!(found, [("rtcp", Grade::Weak, None)]);
    let goodbye = rtcp(1, 203, 0x1234_5678, b"\x04Adio\0\0\0");
    let name = rtcp(1, 202, 0x1234_5678, b"\x01\x05a@b.c\0");
    let found = claims(Udp, Start::Message, [(&[goodbye, name].concat(), 0), (&[], 0)]);
    assert_eq!(found, [("rtcp", Grade::Strong, None)]);
    let binary = rtcp(0, 204, 0x1234_5678, &[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(claims(Udp, Start::Message, [(&binary, 0), (&[], 0)]), []);
}
