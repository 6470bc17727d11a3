//! Ethernet frames written byte by byte.

/// Sender and receiver addresses.
pub type Hosts = ([u8; 4], [u8; 4]);
/// Sender and receiver ports.
pub type Ports = (u16, u16);

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2];
    frame.extend_from_slice(&ethertype.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// `fragment` holds the flags and the offset in units of eight bytes.
fn ipv4(hosts: Hosts, protocol: u8, identification: u16, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    header.extend_from_slice(&identification.to_be_bytes());
    header.extend_from_slice(&fragment.to_be_bytes());
    header.extend_from_slice(&[64, protocol, 0, 0]);
    header.extend_from_slice(&hosts.0);
    header.extend_from_slice(&hosts.1);
    header.extend_from_slice(payload);
    ethernet(0x0800, &header)
}

/// A TCP segment.
pub fn tcp(hosts: Hosts, ports: Ports, sequence: u32, ack: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend_from_slice(&ports.0.to_be_bytes());
    segment.extend_from_slice(&ports.1.to_be_bytes());
    segment.extend_from_slice(&sequence.to_be_bytes());
    segment.extend_from_slice(&ack.to_be_bytes());
    segment.extend_from_slice(&[0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    segment.extend_from_slice(data);
    ipv4(hosts, 6, 1, 0, &segment)
}

fn datagram(ports: Ports, data: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend_from_slice(&ports.0.to_be_bytes());
    datagram.extend_from_slice(&ports.1.to_be_bytes());
    datagram.extend_from_slice(&(8 + data.len() as u16).to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(data);
    datagram
}

/// A packet of any other IP protocol.
pub fn other(hosts: Hosts, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4(hosts, protocol, 1, 0, payload)
}

/// A UDP datagram.
pub fn udp(hosts: Hosts, ports: Ports, data: &[u8]) -> Vec<u8> {
    ipv4(hosts, 17, 1, 0, &datagram(ports, data))
}

/// A UDP datagram in fragments of 64 bytes.
pub fn fragmented_udp(hosts: Hosts, ports: Ports, identification: u16, count: u16) -> Vec<Vec<u8>> {
    fragments_of(hosts, ports, identification, &vec![0xcd; usize::from(count) * 64 - 8], 64)
}

/// A UDP datagram in fragments of `size` bytes, a multiple of 8.
pub fn fragments_of(hosts: Hosts, ports: Ports, id: u16, data: &[u8], size: u16) -> Vec<Vec<u8>> {
    let whole = datagram(ports, data);
    let count = whole.len().div_ceil(size.into()) as u16;
    let parts = whole.chunks(size.into()).zip(0_u16..);
    parts
        .map(|(part, index)| {
            let more = if index + 1 < count { 0x2000 } else { 0 };
            ipv4(hosts, 17, id, more | (index * size / 8), part)
        })
        .collect()
}

/// A SIP INVITE (RFC 3261) that announces where media is received (RFC 4566).
pub fn invite(media: [u8; 4], call: u32) -> Vec<u8> {
    let [a, b, c, d] = media;
    let body = format!(
        "v=0\r\no=- {call} 1 IN IP4 {a}.{b}.{c}.{d}\r\ns=-\r\nc=IN IP4 {a}.{b}.{c}.{d}\r\n\
         t=0 0\r\nm=audio {} RTP/AVP 0\r\n",
        20_000 + 2 * (call % 1000)
    );
    let message = format!(
        "INVITE sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{call}\r\n\
         From: <sip:alice@example.net>;tag=1\r\nTo: <sip:bob@example.net>\r\n\
         Call-ID: {call}@192.0.2.1\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.1>\r\n\
         Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    message.into_bytes()
}

/// ICMP port unreachable that quotes the IP packet of `cause`.
pub fn icmp_unreachable(hosts: Hosts, cause: &[u8]) -> Vec<u8> {
    let mut message = vec![3, 3, 0, 0, 0, 0, 0, 0];
    message.extend(cause.iter().skip(14).take(28));
    ipv4(hosts, 1, 1, 0, &message)
}

/// An ARP request.
pub fn arp() -> Vec<u8> {
    ethernet(0x0806, &[0; 46])
}

/// An Ethernet frame with one more 802.1Q tag around its payload.
pub fn tagged(vlan: u16, frame: &[u8]) -> Vec<u8> {
    let mut tagged = frame[..12].to_vec();
    tagged.extend([0x81, 0x00]);
    tagged.extend(vlan.to_be_bytes());
    tagged.extend_from_slice(&frame[12..]);
    tagged
}

/// A frame filled up to the 60 bytes that Ethernet demands.
pub fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().max(60), 0xee);
    frame
}

/// The frame to the link-layer broadcast address.
pub fn broadcast(mut frame: Vec<u8>) -> Vec<u8> {
    frame[..6].fill(0xff);
    frame
}

/// The frame as a sender with segmentation offload leaves it: no total length in its IPv4 header.
pub fn without_total_length(mut frame: Vec<u8>) -> Vec<u8> {
    frame[16..18].fill(0);
    frame
}

/// A TCP segment over IPv6.
pub fn tcp6(hosts: ([u8; 16], [u8; 16]), ports: Ports, sequence: u32, flags: u8) -> Vec<u8> {
    let segment = &tcp(([0; 4], [0; 4]), ports, sequence, 0, flags, b"")[34..];
    let mut header = vec![0x60, 0, 0, 0, 0, segment.len() as u8, 6, 64];
    header.extend(hosts.0);
    header.extend(hosts.1);
    header.extend_from_slice(segment);
    ethernet(0x86dd, &header)
}
