//! First bytes of messages from the standards and from the real software that the domain reference
//! lists, each with what it must be taken for and the neighbours that it must not be taken for.

use portolan::base::Timestamp;
use portolan::identify::{Answer, Carriage, End, Evidence, Grade, Piece, RECOGNISERS, Start};

/// Bytes written as hexadecimal pairs, with text in quotes.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend(part.replace('$', "\r\n").into_bytes());
        } else {
            let pairs = part.split_whitespace();
            bytes.extend(pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a pair")));
        }
    }
    bytes
}

/// Every claim on what two ends sent: name, grade, client.
pub(super) fn claims(
    carriage: Carriage,
    start: Start,
    sent: [(&[u8], usize); 2],
) -> Vec<(&'static str, Grade, Option<End>)> {
    let pieces = sent.map(|(bytes, wire)| {
        let wire = wire.max(bytes.len());
        [Piece { bytes, wire, start, segments: &[], time: Timestamp::from_nanos(0) }]
    });
    let [a, b] = &pieces;
    let said = |piece: &'_ [Piece<'_>; 1]| !piece[0].bytes.is_empty();
    let evidence =
        Evidence { carriage, a: if said(a) { a } else { &[] }, b: if said(b) { b } else { &[] } };
    let of_carriage = RECOGNISERS.iter().filter(|r| r.carriage.contains(&carriage));
    of_carriage
        .filter_map(|recogniser| match (recogniser.recognise)(&evidence) {
            Answer::Match(claim) => Some((claim.protocol.name(), claim.grade, claim.client)),
            Answer::Undecided | Answer::No => None,
        })
        .collect()
}

use Carriage::{Tcp, Udp};

/// One end's first bytes, of so many on the wire.
#[rustfmt::skip]
const SINGLE: &[(Carriage, &str, usize, &[&str])] = &[
    // Domain reference 2.3.
    (Udp, "6a 81 b8 30 81 b5 a1 03 02 01 05 a2 03 02 01 0a", 187, &["kerberos"]),
    (Udp, "7e 82 01 31 30 82 01 2d a0 03 02 01 05 a1 03 02 01 1e", 309, &["kerberos"]),
    (Udp, "6a 81 b8 30 81 b5 a1 03 02 01 05 a2 03 02 01 0c", 187, &[]),
    (Udp, "6a 81 b8 30 81 b5 a1 03 02 01 05 a2 03 02 01 0a", 188, &[]),
    (Tcp, "00 00 01 0b 6a 82 01 07 30 82 01 03 a1 03 02 01 05 a2 03 02 01 0a", 271, &["kerberos"]),
    (Tcp, "00 00 05 91 05 91 00 01 05 30 6e 82 05 2c 30", 1429, &["kpasswd"]),
    (Tcp, "00 00 01 49 01 49 00 01 00 5d 6f 5b 30", 333, &["kpasswd"]),
    (Tcp, "00 00 01 49 01 49 00 01 00 5e 6f 5b 30", 333, &[]),
    // 2.4, and SNMP, which has the same envelope.
    (Tcp, "30 0c 02 01 01 60 07 02 01 03 04 00 80 00", 0, &["ldap"]),
    (Tcp, "30 84 00 00 00 10 02 01 01 60 84 00 00 00 07 02 01 03 04 00 80 00", 0, &["ldap"]),
    (Udp, "30 19 02 01 01 04 06 'public' a0 0c 02 01 01 02 01 00 02 01 00 30 01 05", 0, &[]),
    // 2.5: a client hello of version 3.1 and one in the form of SSL 2.
    (Tcp, "16 03 01 00 73 01 00 00 6f 03 01", 120, &["tls"]),
    (Tcp, "80 2e 01 03 00 00 15 00 00 00 10", 48, &["tls"]),
    (Tcp, "80 2f 01 03 00 00 15 00 00 00 10", 49, &[]),
    (Tcp, "17 03 04 00 20", 2000, &["tls"]),
    // 2.7.
    (Tcp, "00 00 00 ea fe 'SMB' 40 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", 238, &["smb"]),
    (Tcp, "00 00 00 54 ff 'SMB' 72 00 00 00 00 18 53 c8", 88, &["smb"]),
    (Tcp, "81 00 00 44 20 'EEEPEMEDEACACACACACACACACACACACA' 00 20 'EEEPEMEDEACACACACACACACACACACAAA' 00", 0, &["nbss"]),
    // 2.9: a big-endian and a little-endian bind; a connectionless header is below.
    (Tcp, "05 00 0b 03 10 00 00 00 48 00 00 00 01 00 00 00", 72, &["dcerpc"]),
    (Tcp, "05 00 0b 03 00 00 00 00 00 48 00 00 00 00 00 01", 72, &["dcerpc"]),
    (Tcp, "05 00 0b 03 10 00 00 00 48 00 41 00 01 00 00 00", 72, &[]),
    (Tcp, "'ncacn_http/1.0'", 0, &["dcerpc"]),
    // 2.12: a pre-login, in full; and what only begins like one.
    (Tcp, "12 01 00 14 00 00 00 00 00 00 06 00 06 ff 09 00 00 00 00 00", 0, &["tds"]),
    (Tcp, "12 01 00 3a 00 00 00 00 00 00 06 00 07 ff", 58, &[]),
    // 2.15: keep-alives, alone and two.
    (Tcp, "04 00 00 00 00 00 00 00 00 00 00 00", 0, &["skinny"]),
    // 2.18.
    (Tcp, "'RFB 003.008' 0a", 0, &["rfb"]),
    (Tcp, "03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 0b 00 00 00", 0, &["rdp"]),
    (Tcp, "03 00 00 13 0e d0 00 00 12 34 00 02 1f 08 00 02 00 00 00", 0, &["rdp"]),
    (Tcp, "03 00 00 0b 06 e0 00 00 00 00 00", 0, &["rdp"]),
    (Tcp, "'GET / HTTP/1.1$Host: a$$'", 0, &["http"]),
    (Tcp, "'RPC_IN_DATA /rpc/rpcproxy.dll?a:593 HTTP/1.1$'", 0, &["http"]),
    (Tcp, "'GET / HTTP/2.0$'", 0, &[]),
    // 2.19.
    (Tcp, "'SSH-2.0-OpenSSH_9.2$'", 0, &["ssh"]),
    (Tcp, "ff fd 18 ff fd 20 ff fd 23 ff fd 27", 0, &["telnet"]),
    (Tcp, "00 00 00 08 04 d2 16 2f", 0, &["postgres"]),
    (Tcp, "13 'BitTorrent protocol' 00 00 00 00 00 00 00 00", 68, &["bittorrent"]),
    (Tcp, "80 00 00 28 12 34 56 78 00 00 00 00 00 00 00 02 00 01 86 a0 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", 0, &["sunrpc"]),
    // 2.13, 2.14.
    (Tcp, "'691 Available$'", 0, &["link-state"]),
    (Tcp, "'IDENTIFY 3 3 a.example:3372 b.example:3372$'", 0, &["tip"]),
    (Tcp, "'IDENTIFY yourself$'", 0, &[]),
];

#[test]
fn first_bytes_of_one_end() {
    for (carriage, text, wire, wanted) in SINGLE {
        let bytes = bytes(text);
        for start in [Start::Message, Start::Midstream] {
            for ends in [[(&bytes[..], *wire), (&[], 0)], [(&[], 0), (&bytes[..], *wire)]] {
                let found = claims(*carriage, start, ends);
                let names: Vec<&str> = found.iter().map(|(name, ..)| *name).collect();
                let own: Vec<&str> = names.into_iter().filter(|name| *name != "snmp").collect();
                assert_eq!(own, *wanted, "{text} {start:?}");
            }
        }
    }
}

/// A client's bytes, a server's bytes, what they are and how sure that is.
type Pair = (&'static str, &'static str, &'static [(&'static str, Grade)]);

#[rustfmt::skip]
const PAIRS: &[Pair] = &[
    ("'EHLO a.example$'", "'220 mail ESMTP$250 hello$'", &[("smtp", Grade::Confirmed)]),
    ("'USER a$PASS b$SYST$'", "'220 ready$331 password$230 in$215 UNIX$'", &[("ftp", Grade::Confirmed)]),
    ("'USER a$PASS b$STAT$'", "'+OK ready$+OK$+OK$'", &[("pop3", Grade::Confirmed)]),
    ("'MODE READER$LIST$'", "'200 news$200 hello$215 list$'", &[]),
    ("'a1 LOGIN x y$'", "'* OK ready$a1 OK done$'", &[("imap", Grade::Confirmed)]),
    ("'NICK a$USER a 0 * :a$'", "':irc.example 001 a :Welcome$'", &[("irc", Grade::Confirmed)]),
    ("05 02 00 01 05 01 00 01 5d b8 d8 77 01 bb", "05 00 05 00 00 01 0a b4 9c f9 99 b6", &[("socks", Grade::Confirmed)]),
    ("04 01 00 50 0a 00 00 01 'u' 00", "00 5a 00 00 00 00 00 00", &[("socks", Grade::Confirmed)]),
    ("'*1$$4$PING$'", "'+OK$+OK$'", &[]),
    ("16 03 01 00 73 01 00 00 6f 03 01", "'HTTP/1.1 400 Bad Request$'", &[("tls", Grade::Strong), ("http", Grade::Weak)]),
    ("05 00 0b 03 10 00 00 00 10 00 00 00 01 00 00 00", "05 00 0c 03 10 00 00 00 10 00 00 00 01 00 00 00", &[]),
    ("'IDENTIFY 3 3 - -$'", "'IDENTIFIED 3$'", &[("tip", Grade::Confirmed)]),
];

#[test]
fn both_ends() {
    for (client, server, wanted) in PAIRS {
        let (client, server) = (bytes(client), bytes(server));
        for (index, end) in [End::A, End::B].into_iter().enumerate() {
            let mut sent = [(&client[..], 300), (&server[..], 0)];
            sent.rotate_left(index);
            let found = claims(Tcp, Start::Message, sent);
            let graded: Vec<_> = found.iter().map(|(name, grade, _)| (*name, *grade)).collect();
            assert_eq!(graded, *wanted, "{:?}", String::from_utf8_lossy(&client));
            for (name, _, told) in found {
                assert!(told == Some(end) || told.is_none(), "{name}: client");
            }
        }
    }
}
