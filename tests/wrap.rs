//! Ethernet frames put into every encapsulation, byte by byte as the standards and D4.1 have it.

mod links;

pub use links::LINKS;

/// Bytes of the two addresses of an Ethernet header.
const ADDRESSES: usize = 12;

/// Makes of a frame, the number of which is given, the same frame in an encapsulation. Frames
/// without an IP header stay as they are where the encapsulation carries nothing else.
pub type Wrapper = fn(&[u8], u32) -> Vec<u8>;

/// Every encapsulation, and some of them in each other.
pub const WRAPPERS: &[(&str, Wrapper)] = &[
    ("802.1Q", |frame, _| tagged(frame, &[0x81, 0, 0x20, 77])),
    ("802.1ad over 802.1Q", |frame, _| tagged(frame, &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 77])),
    ("four tags", |frame, _| {
        let tags = [0x91, 0, 0, 1, 0x92, 0, 0, 2, 0x93, 0, 0, 3, 0x81, 0, 0, 4];
        tagged(frame, &tags)
    }),
    ("CMD with a security group", |frame, _| {
        tagged(frame, &[0x81, 0, 0, 9, 0x89, 0x09, 1, 1, 0, 1, 0, 42])
    }),
    ("VN-Tag", |frame, _| tagged(frame, &[0x89, 0x26, 0x80, 1, 0, 2])),
    ("E-Tag", |frame, _| tagged(frame, &[0x89, 0x3f, 0xe0, 0, 0x10, 1, 0, 0])),
    ("timestamp tag", |frame, _| tagged(frame, &[0x89, 0x88, 1, 2, 3, 4, 5, 6])),
    ("HSR", |frame, number| {
        let sequence = (number as u16).to_be_bytes();
        tagged(frame, &[0x89, 0x2f, 0, 0x26, sequence[0], sequence[1]])
    }),
    ("802.1CB", |frame, number| {
        let sequence = (number as u16).to_be_bytes();
        tagged(frame, &[0xf1, 0xc1, 0, 0, sequence[0], sequence[1]])
    }),
    ("802.3 with SNAP", |frame, _| {
        let payload = snap(frame);
        let length = (payload.len() as u16).to_be_bytes();
        if payload.len() > 1500 {
            return frame.to_vec();
        }
        joined(&[&frame[..ADDRESSES], &length, &payload])
    }),
    ("MACsec without encryption", |frame, number| {
        let tag = tagged(frame, &[&[0x88, 0xe5, 0, 0], number.to_be_bytes().as_slice()].concat());
        joined(&[&tag, &[0; 16]])
    }),
    ("PBB", |frame, _| outer_ethernet(0x88e7, &[&[0, 0, 0, 100], frame])),
    ("TRILL", |frame, _| outer_ethernet(0x22f3, &[&[0, 0x3f, 0, 1, 0, 2], frame])),
    ("NSH", |frame, _| {
        outer_ethernet(0x894f, &[&[0x0f, 0xc6, 1, 3, 0, 0, 100, 255], &[0; 16], frame])
    }),
    ("FabricPath", |frame, _| outer_ethernet(0x8903, &[&[0x04, 0x05], frame])),
    ("MPLS", |frame, _| layer_3(frame, |packet, _| outer_ethernet(0x8847, &[&LABEL, packet]))),
    ("MPLS, two labels", |frame, _| {
        layer_3(frame, |packet, _| {
            outer_ethernet(0x8847, &[&[0, 1, 0x10, 64, 0, 1, 0x21, 64], packet])
        })
    }),
    ("MPLS pseudowire with control word", |frame, _| {
        outer_ethernet(0x8847, &[&LABEL, &[0, 0, 0, 0], frame])
    }),
    ("PPPoE", |frame, _| {
        layer_3(frame, |packet, version| {
            let length = (packet.len() as u16 + 2).to_be_bytes();
            let protocol = if version == 6 { [0, 0x57] } else { [0, 0x21] };
            outer_ethernet(0x8864, &[&[0x11, 0, 0, 7], &length, &protocol, packet])
        })
    }),
    ("GRE", |frame, _| {
        layer_3(frame, |packet, version| ipv4(47, &[&[0, 0], &ethertype(version), packet]))
    }),
    ("GRE with checksum, key and sequence", |frame, number| {
        layer_3(frame, |packet, version| {
            let sequence = number.to_be_bytes();
            let flags = [0xb0, 0];
            ipv4(47, &[&flags, &ethertype(version), &[0; 4], &[0, 0, 0, 9], &sequence, packet])
        })
    }),
    ("GRE with Ethernet", |frame, _| ipv4(47, &[&[0, 0, 0x65, 0x58], frame])),
    ("NVGRE", |frame, _| ipv4(47, &[&[0x20, 0, 0x65, 0x58, 0, 0x10, 1, 7], frame])),
    ("ERSPAN I", |frame, _| ipv4(47, &[&[0, 0, 0x88, 0xbe], frame])),
    ("ERSPAN II", |frame, number| erspan_2(frame, number)),
    ("ERSPAN III", |frame, number| erspan_3(frame, number, &[])),
    ("ERSPAN III with subheader", |frame, number| {
        erspan_3(frame, number, &[0x0c, 0, 0, 0, 0, 0, 0, 0])
    }),
    ("PPTP", |frame, number| {
        layer_3(frame, |packet, version| {
            let length = (packet.len() as u16 + 4).to_be_bytes();
            let protocol = if version == 6 { [0, 0x57] } else { [0, 0x21] };
            let header = [&[0x30, 1, 0x88, 0x0b], length.as_slice(), &[0, 9]].concat();
            ipv4(47, &[&header, &number.to_be_bytes(), &[0xff, 3], &protocol, packet])
        })
    }),
    ("EtherIP", |frame, _| ipv4(97, &[&[0x30, 0], frame])),
    ("L2TPv3", |frame, _| ipv4(115, &[&[0, 0, 0, 66], frame])),
    ("L2TPv2", |frame, number| {
        layer_3(frame, |packet, version| {
            let protocol = if version == 6 { [0, 0x57] } else { [0, 0x21] };
            udp(1701, number, &[&[0, 2, 0, 2, 0, 3, 0xff, 3], &protocol, packet])
        })
    }),
    ("MPLS in IP", |frame, _| layer_3(frame, |packet, _| ipv4(137, &[&LABEL, packet]))),
    ("authentication header in tunnel mode", |frame, number| {
        layer_3(frame, |packet, version| {
            let next = if version == 6 { 41 } else { 4 };
            let header = [&[next, 4, 0, 0, 0, 0, 0, 1], number.to_be_bytes().as_slice()].concat();
            ipv4(51, &[&header, &[0; 12], packet])
        })
    }),
    ("VXLAN", |frame, number| vxlan(frame, number)),
    ("VXLAN-GPE", |frame, number| {
        layer_3(frame, |packet, version| {
            let next = if version == 6 { 2 } else { 1 };
            udp(4790, number, &[&[0x0c, 0, 0, next, 0, 0, 100, 0], packet])
        })
    }),
    ("LISP", |frame, number| {
        layer_3(frame, |packet, _| {
            udp(4341, number, &[&[0xc8, 0x12, 0x34, 0x56, 0, 0, 100, 1], packet])
        })
    }),
    ("AYIYA", |frame, number| {
        layer_3(frame, |packet, version| match version {
            6 => {
                let header = [0x41, 0x52, 0x11, 0x29, 0x5f, 0, 0, 0];
                udp(5072, number, &[&header, &[0x11; 16], &[0x22; 20], packet])
            }
            _ => frame.to_vec(),
        })
    }),
    ("CAPWAP", |frame, number| udp(5247, number, &[&[0, 0x10, 0x42, 0, 0, 0, 0, 0], frame])),
    ("CAPWAP with 802.11", |frame, number| {
        let mut wlan = wlan(frame);
        // Controllers send the two bytes of frame control the wrong way round.
        wlan.swap(0, 1);
        udp(5247, number, &[&[0, 0x10, 0x43, 0, 0, 0, 0, 0], &wlan])
    }),
    ("Geneve with options", |frame, number| {
        let header = [1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 0];
        udp(6081, number, &[&header, frame])
    }),
    ("GTP-U", |frame, number| {
        layer_3(frame, |packet, _| {
            let length = (packet.len() as u16).to_be_bytes();
            udp(2152, number, &[&[0x30, 0xff], &length, &[0, 0, 0, 9], packet])
        })
    }),
    ("IP in IP", |frame, _| {
        layer_3(frame, |packet, version| ipv4(if version == 6 { 41 } else { 4 }, &[packet]))
    }),
    ("IP in IPv6", |frame, _| {
        layer_3(frame, |packet, version| ipv6(if version == 6 { 41 } else { 4 }, packet))
    }),
    ("TZSP", |frame, number| udp(37008, number, &[&[1, 0, 0, 1, 0, 10, 1, 200, 1], frame])),
    ("TZSP with 802.11", |frame, number| udp(37008, number, &[&[1, 0, 0, 18, 1], &wlan(frame)])),
    ("MPLS over UDP", |frame, number| {
        layer_3(frame, |packet, _| udp(6635, number, &[&LABEL, packet]))
    }),
    ("VXLAN in ERSPAN II in 802.1Q", |frame, number| {
        tagged(&erspan_2(&vxlan(frame, number), number), &[0x81, 0, 0, 66])
    }),
    ("802.1Q in ERSPAN III in GRE", |frame, number| {
        let inner = erspan_3(&tagged(frame, &[0x81, 0, 0, 66]), number, &[]);
        ipv4(47, &[&[0, 0, 0x65, 0x58], &inner])
    }),
];

/// Label 16, bottom of the stack, time to live 64.
const LABEL: [u8; 4] = [0, 1, 1, 64];

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Bytes put between the addresses and the rest of a frame.
fn tagged(frame: &[u8], tags: &[u8]) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(ADDRESSES);
    joined(&[addresses, tags, rest])
}

fn outer_ethernet(ethertype: u16, parts: &[&[u8]]) -> Vec<u8> {
    let mut frame = vec![0x02, 0, 0, 0, 0, 0x0a, 0x02, 0, 0, 0, 0, 0x0b];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(parts.concat());
    frame
}

fn ethertype(version: u8) -> [u8; 2] {
    if version == 6 { [0x86, 0xdd] } else { [0x08, 0] }
}

/// The IP packet of an untagged Ethernet frame, without padding, in what `wrap` makes of it and
/// its version.
fn layer_3(frame: &[u8], wrap: impl Fn(&[u8], u8) -> Vec<u8>) -> Vec<u8> {
    ip(frame).map_or_else(|| frame.to_vec(), |(packet, version)| wrap(packet, version))
}

/// The IP packet of an untagged Ethernet frame, without padding, and its version.
fn ip(frame: &[u8]) -> Option<(&[u8], u8)> {
    let packet = &frame[ADDRESSES + 2..];
    let length = |high: usize| usize::from(u16::from_be_bytes([packet[high], packet[high + 1]]));
    match frame[ADDRESSES..ADDRESSES + 2] {
        [0x08, 0] => Some((&packet[..length(2).min(packet.len())], 4)),
        [0x86, 0xdd] => Some((&packet[..(40 + length(4)).min(packet.len())], 6)),
        _ => None,
    }
}

/// What follows the addresses of a frame, with LLC and SNAP for its EtherType.
fn snap(frame: &[u8]) -> Vec<u8> {
    joined(&[&[0xaa, 0xaa, 3, 0, 0, 0], &frame[ADDRESSES..]])
}

/// A data frame of 802.11 from an access point: receiver, access point, sender.
fn wlan(frame: &[u8]) -> Vec<u8> {
    let point = [2, 0, 0, 0, 0, 0x0c];
    let (receiver, sender) = frame[..ADDRESSES].split_at(6);
    joined(&[&[0x08, 0x02, 0, 0], receiver, &point, sender, &[0x10, 0], &snap(frame)])
}

/// From 192.0.2.1 to 192.0.2.2.
fn ipv4(protocol: u8, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let length = (20 + payload.len() as u16).to_be_bytes();
    let header = [0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
    let ends = [192, 0, 2, 1, 192, 0, 2, 2];
    outer_ethernet(0x0800, &[&header, &ends, &payload])
}

/// From 2001:db8::1 to 2001:db8::2.
fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    let end = |last| [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let header = [0x60, 0, 0, 0, length[0], length[1], next, 64];
    outer_ethernet(0x86dd, &[&header, &end(1), &end(2), payload])
}

/// A datagram from a port that depends on the packet, as tunnels over UDP choose it.
fn udp(port: u16, number: u32, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let source = (0xc000 | (number as u16 & 0x3fff)).to_be_bytes();
    let length = (8 + payload.len() as u16).to_be_bytes();
    ipv4(17, &[&source, &port.to_be_bytes(), &length, &[0, 0], &payload])
}

fn vxlan(frame: &[u8], number: u32) -> Vec<u8> {
    udp(4789, number, &[&[8, 0, 0, 0, 0, 0x10, 1, 0], frame])
}

/// ERSPAN II with the given sequence number.
pub fn erspan_2(frame: &[u8], number: u32) -> Vec<u8> {
    let gre = [0x10, 0, 0x88, 0xbe];
    // Version 1, VLAN 0, session 100, index 1.
    let header = [0x10, 0, 0, 100, 0, 0, 0, 1];
    ipv4(47, &[&gre, &number.to_be_bytes(), &header, frame])
}

fn erspan_3(frame: &[u8], number: u32, subheader: &[u8]) -> Vec<u8> {
    let gre = [0x10, 0, 0x22, 0xeb];
    // Version 2, VLAN 0, session 100, timestamp, no group, frame type Ethernet; the last bit
    // announces a subheader.
    let last = u8::from(!subheader.is_empty());
    let header = [0x20, 0, 0, 100, 0, 0, 0, 7, 0, 0, 0, last];
    ipv4(47, &[&gre, &number.to_be_bytes(), &header, subheader, frame])
}
