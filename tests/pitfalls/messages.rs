//! Messages of the protocols, written byte by byte from their standards.

use std::net::Ipv4Addr;

use super::*;

/// Interfaces of DCE/RPC (C706, MS-DCOM, MS-OXCRPC, MS-SRVS, IEC 61158-6-10).
pub const ENDPOINT_MAPPER: &str = "e1af8308-5d1f-11c9-91a4-08002b14a0fa";

pub const REM_UNKNOWN_2: &str = "00000143-0000-0000-c000-000000000046";
pub const EMSMDB: &str = "a4f1db00-ca47-1067-b31f-00dd010662da";
pub const SERVER_SERVICE: &str = "4b324fc8-1670-01d3-1278-5a47bf6ee188";
pub const PROFINET: &str = "dea00001-6c97-11d1-8271-00a02442df7d";

/// Transfer syntaxes: NDR, NDR64, and the offer of bind-time features (MS-RPCE section 3.3.1.5.3).
pub const NDR: (&str, u32) = ("8a885d04-1ceb-11c9-9fe8-08002b104860", 2);
pub const NDR64: (&str, u32) = ("71710533-beba-4937-8319-b5dbef9ccc36", 1);
pub const FEATURES: (&str, u32) = ("6cb71c2c-9812-4540-0300-000000000000", 1);

/// A UUID as little-endian senders write it.
pub fn uuid(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
    let bytes: Vec<u8> =
        pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a pair of digits")).collect();
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    order.map(|place: usize| bytes[place]).to_vec()
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A connection-oriented data unit (C706 section 12.6.3.1): kind, flags, body.
fn unit(kind: u8, flags: u8, call: u32, body: &[u8]) -> Vec<u8> {
    let mut unit = vec![5, 0, kind, flags, 0x10, 0, 0, 0];
    unit.extend((16 + body.len() as u16).to_le_bytes());
    unit.extend([0, 0]);
    unit.extend(call.to_le_bytes());
    unit.extend_from_slice(body);
    unit
}

/// A bind of one interface in one context for each transfer syntax.
pub fn bind(interface: &str, syntaxes: &[(&str, u32)]) -> Vec<u8> {
    let mut body = vec![0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, syntaxes.len() as u8, 0, 0, 0];
    for (context, (syntax, version)) in syntaxes.iter().enumerate() {
        body.extend([context as u8, 0, 1, 0]);
        body.extend(uuid(interface));
        body.extend([0, 0, 0, 0]);
        body.extend(uuid(syntax));
        body.extend(version.to_le_bytes());
    }
    unit(0x0b, 3, 1, &body)
}

/// Its acknowledgement: what the server calls itself, and the context that it accepts of so many.
pub fn bind_ack(name: &str, accepted: usize, syntaxes: &[(&str, u32)]) -> Vec<u8> {
    let mut body = vec![0xb8, 0x10, 0xb8, 0x10, 7, 0, 0, 0];
    body.extend((name.len() as u16 + 1).to_le_bytes());
    body.extend(name.as_bytes());
    body.push(0);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([syntaxes.len() as u8, 0, 0, 0]);
    for (context, (syntax, version)) in syntaxes.iter().enumerate() {
        if context == accepted {
            body.extend([0, 0, 0, 0]);
            body.extend(uuid(syntax));
            body.extend(version.to_le_bytes());
        } else {
            // Provider rejection: the transfer syntax is not supported.
            body.extend([2, 0, 2, 0]);
            body.extend([0; 20]);
        }
    }
    unit(0x0c, 3, 1, &body)
}

/// A call of an operation in a context.
pub fn request(context: u16, operation: u16, stub: &[u8]) -> Vec<u8> {
    let mut body = (stub.len() as u32).to_le_bytes().to_vec();
    body.extend(context.to_le_bytes());
    body.extend(operation.to_le_bytes());
    body.extend_from_slice(stub);
    unit(0, 3, 2, &body)
}

/// The answer to a call in a context.
pub fn response(context: u16, stub: &[u8]) -> Vec<u8> {
    let mut body = (stub.len() as u32).to_le_bytes().to_vec();
    body.extend(context.to_le_bytes());
    body.extend([0, 0]);
    body.extend_from_slice(stub);
    unit(2, 3, 2, &body)
}

/// The tower of an interface over TCP (C706 appendix L): the port is big-endian.
pub fn tower(interface: &str, port: u16, address: [u8; 4]) -> Vec<u8> {
    let mut tower = vec![5, 0, 19, 0, 0x0d];
    tower.extend(uuid(interface));
    tower.extend([0, 0, 2, 0, 0, 0, 19, 0, 0x0d]);
    tower.extend(uuid(NDR.0));
    tower.extend([2, 0, 2, 0, 0, 0]);
    tower.extend([1, 0, 0x0b, 2, 0, 0, 0, 1, 0, 0x07, 2, 0]);
    tower.extend(port.to_be_bytes());
    tower.extend([1, 0, 0x09, 4, 0]);
    tower.extend(address);
    tower
}

/// Arguments of `ept_map`: object, tower, handle, most towers.
pub fn map_question(tower: &[u8]) -> Vec<u8> {
    let mut stub = words(&[1, 0, 0, 0, 0, 2]);
    stub.extend(words(&[tower.len() as u32, tower.len() as u32]));
    stub.extend_from_slice(tower);
    stub.resize(stub.len().next_multiple_of(4), 0);
    stub.extend([0; 20]);
    stub.extend(words(&[4]));
    stub
}

/// Results of `ept_map`: handle, towers, status.
pub fn map_answer(tower: &[u8], status: u32) -> Vec<u8> {
    let mut stub = vec![0; 20];
    stub.extend(words(&[1, 4, 0, 1, 3]));
    stub.extend(words(&[tower.len() as u32, tower.len() as u32]));
    stub.extend_from_slice(tower);
    stub.resize(stub.len().next_multiple_of(4), 0);
    stub.extend(words(&[status]));
    stub
}

/// The same under NDR64, whose counts and pointers have eight bytes (MS-RPCE section 2.2.5).
pub fn wide_map_answer(tower: &[u8]) -> Vec<u8> {
    let mut stub = vec![0; 20];
    stub.extend(words(&[1]));
    stub.extend(words(&[4, 0, 0, 0, 1, 0, 3, 0]));
    stub.extend(words(&[tower.len() as u32, 0, tower.len() as u32]));
    stub.extend_from_slice(tower);
    stub.resize(stub.len().next_multiple_of(4), 0);
    stub.extend(words(&[0]));
    stub
}

/// A connectionless request (C706 section 12.5.1).
pub fn datagram_request(interface: &str, body: &[u8]) -> Vec<u8> {
    let mut unit = vec![4, 0, 0x20, 0, 0x10, 0, 0, 0];
    unit.extend(uuid("dea00000-6c97-11d1-8271-000100010001"));
    unit.extend(uuid(interface));
    unit.extend(uuid("01020304-0506-1708-890a-0b0c0d0e0f10"));
    unit.extend(words(&[0, 1, 0]));
    unit.extend([0, 0, 0xff, 0xff, 0xff, 0xff]);
    unit.extend((body.len() as u16).to_le_bytes());
    unit.extend([0, 0, 0, 0]);
    unit.extend_from_slice(body);
    unit
}

/// A message of Skinny call control (D2.15): header version, identifier, body.
pub fn skinny(version: u32, message: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = words(&[4 + body.len() as u32, version, message]);
    bytes.extend_from_slice(body);
    bytes
}

/// Start media transmission to an address, in the form of the header version.
pub fn start_media(version: u32, address: [u8; 4], port: u16) -> Vec<u8> {
    let mut body = words(&[1, 2]);
    if version > 0x10 {
        body.extend(words(&[0]));
    }
    body.extend(address);
    if version > 0x10 {
        body.extend([0; 12]);
    }
    body.extend(words(&[port.into(), 20, 4, 0, 0, 0]));
    skinny(version, 0x8a, &body)
}

/// Open receive channel, which ends with a source whose port is a placeholder.
pub fn open_receive_channel(address: [u8; 4]) -> Vec<u8> {
    let mut body = words(&[1, 2, 20, 4, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    body.extend(words(&[0]));
    body.extend(address);
    body.extend([0; 12]);
    body.extend(words(&[4000]));
    skinny(0x14, 0x105, &body)
}

/// A packet of 20 ms of speech (RFC 3550 section 5.1).
pub fn rtp(kind: u8, number: u16, ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, kind];
    bytes.extend((700 + number).to_be_bytes());
    bytes.extend((160 * u32::from(number)).to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend([0xd5; 160]);
    bytes
}

/// A datagram of fax: UDPTL with one data packet and no redundancy (ITU-T T.38 section 9.1).
pub fn udptl(number: u16) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend([4, 0xc0, 1, 0x80, 0, 0, 0]);
    bytes
}

/// A query for a name (RFC 1035 section 4.1).
pub fn dns_query(identifier: u16, name: &str) -> Vec<u8> {
    let mut bytes = identifier.to_be_bytes().to_vec();
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

/// Its answer: that the name does not exist.
pub fn dns_answer(identifier: u16, name: &str) -> Vec<u8> {
    let mut bytes = dns_query(identifier, name);
    bytes[2..4].copy_from_slice(&[0x81, 0x83]);
    bytes
}

/// A session description with these media lines (RFC 4566).
pub fn sdp(address: [u8; 4], media: &[&str]) -> String {
    let address = Ipv4Addr::from(address);
    let mut text =
        format!("v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n");
    for line in media {
        text += line;
        text += "\r\n";
    }
    text
}

fn sip_message(first: &str, description: &str) -> Vec<u8> {
    let length = description.len();
    format!(
        "{first}\r\nVia: SIP/2.0/TCP 10.0.0.51:5060;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;\
         tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: 1@a.example\r\nCSeq: 1 INVITE\r\n\
         Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{description}"
    )
    .into_bytes()
}

/// An invitation with a description (RFC 3261 section 24.2).
pub fn invite(description: &str) -> Vec<u8> {
    sip_message("INVITE sip:b@b.example SIP/2.0", description)
}

/// Its acceptance.
pub fn accepted(description: &str) -> Vec<u8> {
    sip_message("SIP/2.0 200 OK", description)
}

/// A message of SMB 2 over TCP, answered or not (MS-SMB2 section 2.2.1).
pub fn smb2(command: u8, answer: bool, body: &[u8]) -> Vec<u8> {
    let mut bytes = ((64 + body.len()) as u32).to_be_bytes().to_vec();
    bytes.extend([0xfe, b'S', b'M', b'B', 64, 0, 0, 0, 0, 0, 0, 0, command, 0, 1, 0]);
    bytes.extend([u8::from(answer), 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0; 32]);
    bytes.extend_from_slice(body);
    bytes
}

/// A client hello without extensions (RFC 2246 section 7.4.1.2).
pub fn client_hello() -> Vec<u8> {
    let mut body = vec![3, 1];
    body.extend([0x5a; 32]);
    body.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    let mut bytes = vec![0x16, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    bytes.extend(body);
    bytes
}

/// A client hello that names the server it wants (RFC 6066 section 3).
pub fn client_hello_to(name: &str) -> Vec<u8> {
    let length = |more: usize| ((name.len() + more) as u16).to_be_bytes();
    let mut body = vec![3, 1];
    body.extend([0x5a; 32]);
    body.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    body.extend(length(9));
    body.extend([0, 0]);
    body.extend(length(5));
    body.extend(length(3));
    body.push(0);
    body.extend(length(0));
    body.extend(name.as_bytes());
    let mut bytes = vec![0x16, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    bytes.extend(body);
    bytes
}

/// A server hello that answers it.
pub fn server_hello() -> Vec<u8> {
    let mut body = vec![3, 1];
    body.extend([0xa5; 32]);
    body.extend([0, 0, 0x2f, 0]);
    let mut bytes = vec![0x16, 3, 1, 0, body.len() as u8 + 4, 2, 0, 0, body.len() as u8];
    bytes.extend(body);
    bytes
}

/// A pre-login of TDS with a version and no encryption (MS-TDS section 2.2.6.5), or its answer.
pub fn tds_prelogin(kind: u8) -> Vec<u8> {
    let mut bytes = vec![kind, 1, 0, 26, 0, 0, 0, 0];
    bytes.extend([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff]);
    bytes.extend([9, 0, 0, 0, 0, 0, 2]);
    bytes
}

/// An answer of the SQL Server browser for an instance on a port (MC-SQLR section 2.2.5).
pub fn browser_answer(port: u16) -> Vec<u8> {
    let text = format!(
        "ServerName;UNITY2;InstanceName;UNITY;IsClustered;No;Version;8.00.194;tcp;{port};;"
    );
    let mut bytes = vec![5];
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// Who sends the next bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Client,
    Server,
}

/// A complete connection in which each stretch of bytes is a segment of its own.
pub fn talk(hosts: Hosts, ports: (u16, u16), said: &[(By, Vec<u8>)]) -> Vec<Vec<u8>> {
    let (there, back) = (hosts, (hosts.1, hosts.0));
    let (up, down) = (ports, (ports.1, ports.0));
    let (mut client, mut server) = (1001_u32, 9001_u32);
    let mut frames = vec![
        frames::tcp(there, up, 1000, 0, SYN, b""),
        frames::tcp(back, down, 9000, 1001, SYN_ACK, b""),
        frames::tcp(there, up, 1001, 9001, ACK, b""),
    ];
    for (by, bytes) in said {
        if *by == By::Client {
            frames.push(frames::tcp(there, up, client, server, PUSH, bytes));
            client += bytes.len() as u32;
        } else {
            frames.push(frames::tcp(back, down, server, client, PUSH, bytes));
            server += bytes.len() as u32;
        }
    }
    frames.push(frames::tcp(there, up, client, server, FIN, b""));
    frames.push(frames::tcp(back, down, server, client + 1, FIN, b""));
    frames.push(frames::tcp(there, up, client + 1, server + 1, ACK, b""));
    frames
}

/// A connection over which one interface is bound and called.
pub fn rpc(hosts: Hosts, ports: (u16, u16), interface: &str) -> Vec<Vec<u8>> {
    let name = ports.1.to_string();
    talk(
        hosts,
        ports,
        &[
            (By::Client, bind(interface, &[NDR])),
            (By::Server, bind_ack(&name, 0, &[NDR])),
            (By::Client, request(0, 5, &[0; 24])),
            (By::Server, response(0, &[0; 24])),
        ],
    )
}

/// A conversation with the endpoint mapper that maps an interface once.
pub fn mapping(hosts: Hosts, question: &[u8], answer: &[u8]) -> Vec<Vec<u8>> {
    talk(
        hosts,
        (50_000, 135),
        &[
            (By::Client, bind(ENDPOINT_MAPPER, &[NDR])),
            (By::Server, bind_ack("135", 0, &[NDR])),
            (By::Client, request(0, 3, question)),
            (By::Server, response(0, answer)),
        ],
    )
}

/// Forty packets of speech in one direction.
pub fn speech(hosts: Hosts, ports: (u16, u16), ssrc: u32) -> Vec<Vec<u8>> {
    (0..40).map(|number| frames::udp(hosts, ports, &rtp(0, number, ssrc))).collect()
}
