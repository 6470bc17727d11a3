//! Whether bytes can be the header they would have to be, where nothing but their structure says
//! what follows: behind an MPLS stack, in L2TP, behind a UDP port that may mean something else.
//!
//! In: a packet and a place in it. Out: yes or no. What is read here is read again by the step of
//! the header; nothing is kept.

use super::non_ip::non_ip_name;
use super::packet::Packet;
use super::stop::Layer;
use crate::base::Cursor;

/// The IPv6 header, which its payload length leaves out.
const IPV6_HEADER: usize = 40;
/// The longest 802.3 payload.
const LONGEST_LENGTH: u16 = 1500;
/// LLC access points of SNAP and of IP.
const CARRY_IP: [u16; 2] = [0xaaaa, 0x0606];
/// The response bit of the source access point.
const RESPONSE: u16 = 0x0001;
/// Both addresses of an Ethernet header.
const ADDRESSES: usize = 12;
/// Tags that are looked through.
const TAGS: usize = 4;

/// Whether an IP packet may begin `skipped` bytes behind the next header: version, header length
/// and total length agree with what there is. `None` when too little was captured to tell.
pub(super) fn ip(packet: &Packet<'_>, skipped: usize) -> Option<bool> {
    let end = |length| skipped.saturating_add(length);
    Some(ip_length(packet, skipped)?.is_some_and(|length| packet.fits(end(length))))
}

/// Whether an IP packet may lie `skipped` bytes behind the next header and nothing behind it.
pub(super) fn ip_alone(packet: &Packet<'_>, skipped: usize) -> Option<bool> {
    let end = |length| skipped.saturating_add(length);
    Some(ip_length(packet, skipped)?.is_some_and(|length| packet.is_filled_by(end(length))))
}

/// Bytes of the IP packet that may begin `skipped` bytes behind the next header, as its header
/// declares them; `Some(None)` when that can be no IP header.
fn ip_length(packet: &Packet<'_>, skipped: usize) -> Option<Option<usize>> {
    let mut header = Cursor::new(packet.rest());
    header.skip(skipped)?;
    let first = header.u8()?;
    let (least, length) = match first {
        0x45..=0x4f => {
            header.skip(1)?;
            let least = usize::from(first & 0x0f) * 4;
            // A total length of 0 means that offload left it open.
            let total = usize::from(header.u16_be()?);
            (least, if total == 0 { least } else { total })
        }
        0x60..=0x6f => {
            header.skip(3)?;
            (IPV6_HEADER, IPV6_HEADER + usize::from(header.u16_be()?))
        }
        _ => return Some(None),
    };
    Some((least <= length).then_some(length))
}

/// Whether the first byte `skipped` bytes behind the next header is that of an IP header.
pub(super) fn ip_version(packet: &Packet<'_>, skipped: usize) -> Option<bool> {
    packet.rest().get(skipped).map(|first| matches!(first, 0x45..=0x4f | 0x60..=0x6f))
}

/// Whether an Ethernet frame may begin `skipped` bytes behind the next header: its type is known,
/// and an IP header in it fits. `None` when too little was captured to tell.
pub(super) fn ethernet(packet: &Packet<'_>, skipped: usize) -> Option<bool> {
    let mut header = Cursor::new(packet.rest());
    header.skip(skipped)?;
    header.skip(ADDRESSES)?;
    for _ in 0..=TAGS {
        let value = header.u16_be()?;
        match value {
            0x0800 | 0x86dd => return ip(packet, header.position()),
            0x8100 | 0x88a8 => header.skip(2)?,
            ..=LONGEST_LENGTH => {
                let fits = packet.fits(header.position() + usize::from(value));
                return Some(fits && is_access_point_pair(header.u16_be()?));
            }
            _ => return Some(non_ip_name(Layer::Ethernet, value.into()).is_some()),
        }
    }
    Some(false)
}

/// Whether these are access points that somebody uses.
fn is_access_point_pair(pair: u16) -> bool {
    let pair = pair & !RESPONSE;
    CARRY_IP.contains(&pair) || non_ip_name(Layer::Llc, pair.into()).is_some()
}
