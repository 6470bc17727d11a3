//! The same packets as other link types show them. Frames that a link type cannot carry are left
//! out.

use super::{ethertype, snap, wlan};

/// A frame of a link type made of an Ethernet frame; `None` where there is none.
pub type Link = fn(&[u8]) -> Option<Vec<u8>>;

/// Link types by their LINKTYPE number.
pub const LINKS: &[(&str, u32, Link)] = &[
    ("BSD loopback", 0, |frame| {
        ip(frame, |packet, version| [family(version).to_le_bytes().as_slice(), packet].concat())
    }),
    ("OpenBSD loopback", 108, |frame| {
        ip(frame, |packet, version| [family(version).to_be_bytes().as_slice(), packet].concat())
    }),
    ("raw IP", 101, |frame| ip(frame, |packet, _| packet.to_vec())),
    ("raw IP of BSD", 12, |frame| ip(frame, |packet, _| packet.to_vec())),
    ("raw IP of OpenBSD", 14, |frame| ip(frame, |packet, _| packet.to_vec())),
    ("PPP", 9, |frame| ip(frame, ppp)),
    ("PPP with direction", 204, |frame| {
        ip(frame, |packet, version| [&[1], ppp(packet, version).as_slice()].concat())
    }),
    ("PPP over Ethernet", 51, |frame| {
        ip(frame, |packet, version| {
            let length = (packet.len() as u16 + 2).to_be_bytes();
            [&[0x11, 0, 0, 7], length.as_slice(), &ppp(packet, version)[2..]].concat()
        })
    }),
    ("Cisco HDLC", 104, |frame| ip(frame, hdlc)),
    ("PPP or Cisco HDLC", 50, |frame| ip(frame, hdlc)),
    ("Frame Relay", 107, |frame| {
        ip(frame, |packet, version| [&[4, 1], &ethertype(version), packet].concat())
    }),
    ("Linux cooked", 113, |frame| {
        let (kind, source) = (cooked_kind(frame).to_be_bytes(), &frame[6..12]);
        Some([&kind, &[0, 1, 0, 6][..], source, &[0, 0], &frame[12..]].concat())
    }),
    ("Linux cooked, version 2", 276, |frame| {
        let kind = cooked_kind(frame).to_be_bytes()[1];
        let link = [0, 0, 0, 0, 0, 2, 0, 1, kind, 6];
        Some([&frame[12..14], &link, &frame[6..12], &[0, 0], &frame[14..]].concat())
    }),
    ("ATM with LLC", 100, |frame| Some(snap(frame))),
    ("Token Ring", 6, |frame| Some([&[0x10, 0x40], &frame[..12], &snap(frame)].concat())),
    ("FDDI", 10, |frame| Some([&[0x50], &frame[..12], &snap(frame)].concat())),
    ("802.11", 105, |frame| Some(wlan(frame))),
    ("802.11 with radiotap", 127, |frame| {
        // A time stamp, then flags without padding.
        let radiotap = [0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0];
        Some([&radiotap, wlan(frame).as_slice()].concat())
    }),
    ("802.11 with PPI", 192, |frame| {
        Some([&[0, 0, 8, 0, 105, 0, 0, 0], wlan(frame).as_slice()].concat())
    }),
    ("802.11 with Prism", 119, |frame| {
        let prism = [&[0x41, 0, 0, 0, 0x90, 0, 0, 0][..], &[0; 136]].concat();
        Some([prism, wlan(frame)].concat())
    }),
    ("OpenBSD packet filter", 117, |frame| {
        ip(frame, |packet, version| {
            [&[61, family(version) as u8, 0, 0][..], &[0; 60], packet].concat()
        })
    }),
    ("Ethernet with preemption", 274, |frame| {
        let start = [0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5];
        Some([&start, frame, &[0; 4]].concat())
    }),
];

/// The IP packet of a frame, without its VLAN tags, in what `wrap` makes of it and its version.
fn ip(frame: &[u8], wrap: impl Fn(&[u8], u8) -> Vec<u8>) -> Option<Vec<u8>> {
    let mut frame = frame.to_vec();
    while matches!(frame[12..14], [0x81, 0] | [0x88, 0xa8]) {
        frame.drain(12..16);
    }
    super::ip(&frame).map(|(packet, version)| wrap(packet, version))
}

/// AF_INET, and AF_INET6 of OpenBSD.
fn family(version: u8) -> u32 {
    if version == 6 { 24 } else { 2 }
}

fn ppp(packet: &[u8], version: u8) -> Vec<u8> {
    let protocol = if version == 6 { [0, 0x57] } else { [0, 0x21] };
    [&[0xff, 3], &protocol, packet].concat()
}

/// A unicast frame of Cisco HDLC.
fn hdlc(packet: &[u8], version: u8) -> Vec<u8> {
    [&[0x0f, 0], &ethertype(version), packet].concat()
}

/// To us, to all, or to a group.
fn cooked_kind(frame: &[u8]) -> u16 {
    match frame[0] {
        0xff => 1,
        first if first & 1 == 1 => 2,
        _ => 0,
    }
}
