//! Whether bytes can be the header they would have to be, where nothing but their structure says
//! what follows: behind an MPLS stack, in L2TP, behind a UDP port that may mean something else.
//!
//! In: a packet and a place in it. Out: yes or no. What is read here is read again by the step of
//! the header; nothing is kept.

use super::non_ip::non_ip_name;
use super::packet::Packet;
use super::stop::Layer;
use crate::base::Cursor;

/// The smallest value that is an EtherType (IEEE 802.3 clause 3.2.6).
const FIRST_ETHERTYPE: u16 = 0x0600;
/// The longest 802.3 payload.
const LONGEST_LENGTH: u16 = 1500;
/// Both addresses of an Ethernet header.
const ADDRESSES: usize = 12;
/// Tags that are looked through.
const TAGS: usize = 4;

/// Whether an IP packet may begin `skipped` bytes behind the next header: version, header length
/// and total length agree with what there is.
pub(super) fn ip(packet: &Packet<'_>, skipped: usize) -> bool {
    let mut header = Cursor::new(packet.rest());
    let Some(first) = header.skip(skipped).and_then(|()| header.u8()) else { return false };
    let least_and_length = match first {
        0x45..=0x4f => ipv4_lengths(first, &mut header),
        0x60..=0x6f => header.skip(3).and_then(|()| header.u16_be()).map(|payload| {
            let length = usize::from(payload) + 40;
            (40, length)
        }),
        _ => None,
    };
    least_and_length.is_some_and(|(least, length)| {
        least <= length && packet.fits(skipped.saturating_add(length))
    })
}

/// Whether the first byte `skipped` bytes behind the next header is that of an IP header.
pub(super) fn ip_version(packet: &Packet<'_>, skipped: usize) -> bool {
    matches!(packet.rest().get(skipped), Some(0x45..=0x4f | 0x60..=0x6f))
}

/// Header length and total length. A total length of 0 means that offload left it open.
fn ipv4_lengths(first: u8, header: &mut Cursor<'_>) -> Option<(usize, usize)> {
    let least = usize::from(first & 0x0f) * 4;
    header.skip(1)?;
    let total = usize::from(header.u16_be()?);
    Some((least, if total == 0 { least } else { total }))
}

/// Whether an Ethernet frame may begin `skipped` bytes behind the next header: its type is known,
/// and an IP header in it fits.
pub(super) fn ethernet(packet: &Packet<'_>, skipped: usize) -> bool {
    let mut header = Cursor::new(packet.rest());
    if header.skip(skipped).and_then(|()| header.skip(ADDRESSES)).is_none() {
        return false;
    }
    for _ in 0..=TAGS {
        let Some(value) = header.u16_be() else { return false };
        match value {
            0x0800 | 0x86dd => return ip(packet, header.position()),
            0x8100 | 0x88a8 if header.skip(2).is_some() => {}
            ..=LONGEST_LENGTH => return packet.fits(header.position() + usize::from(value)),
            FIRST_ETHERTYPE.. => return non_ip_name(Layer::Ethernet, value.into()).is_some(),
            _ => return false,
        }
    }
    false
}
