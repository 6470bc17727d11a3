//! Headers of fixed length that a capture device puts before a frame, and that say little
//! (tcpdump.org, the link types named below).

use crate::base::{Cursor, LinkType};
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "capture-header", fields };

/// A direction byte (PPP_WITH_DIR, C_HDLC_WITH_DIR, FRELAY_WITH_DIR), then a frame of `link`.
pub(in crate::decode) fn direction(packet: &mut Packet<'_>, link: LinkType) -> Step {
    skip(packet, 1, On::Link(link))
}

/// OpenBSD ENC: address family in host order, security parameter index and flags, 4 bytes each.
pub(in crate::decode) fn enc(packet: &mut Packet<'_>) -> Step {
    skip(packet, 12, On::AnyIp)
}

/// IPOIB: 40 bytes that hold the hardware addresses, EtherType 2, reserved 2.
pub(in crate::decode) fn ipoib(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    match header.skip(40).and_then(|()| header.u16_be()) {
        Some(kind) => skip(packet, 44, On::EtherType(kind)),
        None => packet.missing(Layer::CaptureHeader),
    }
}

/// Darwin's PKTAP, little-endian: length of the header 4, type 4, link type of what follows 4.
pub(in crate::decode) fn pktap(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(length), Some(_type), Some(link)) =
        (header.u32_le(), header.u32_le(), header.u32_le())
    else {
        return packet.missing(Layer::CaptureHeader);
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX).max(header.position());
    // A number beyond 16 bits is no link type; 65535 is not assigned.
    let link = u16::try_from(link).unwrap_or(u16::MAX);
    skip(packet, length, On::Link(LinkType(link)))
}

fn skip(packet: &mut Packet<'_>, length: usize, next: On) -> Step {
    if packet.rest().len() < length {
        return packet.missing(Layer::CaptureHeader);
    }
    packet.advance(&FORMAT, length);
    Step::Next(next)
}

fn fields(_header: &mut FieldReader<'_>) {}
