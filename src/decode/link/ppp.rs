//! PPP, with or without the HDLC address and control bytes (RFC 1661 section 2, RFC 1662
//! section 3.1), and Cisco HDLC, which shares the link type PPP_HDLC (tcpdump.org).

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;

static PPP: HeaderFormat = HeaderFormat { name: "ppp", fields };
static CISCO: HeaderFormat = HeaderFormat { name: "cisco-hdlc", fields: cisco_fields };

/// HDLC all-stations address and unnumbered-information control.
const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];
/// Cisco HDLC: unicast or broadcast address and control 0; an EtherType follows.
const CISCO_HDLC: [[u8; 2]; 2] = [[0x0f, 0x00], [0x8f, 0x00]];

/// Reads address, control and protocol.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let mut after_address = header;
    let Some(address) = after_address.array::<2>() else {
        return packet.missing(Layer::Ppp);
    };
    let is_cisco = CISCO_HDLC.contains(&address);
    if is_cisco || address == ADDRESS_AND_CONTROL {
        header = after_address;
    }
    let hook = if is_cisco {
        header.u16_be().map(On::EtherType)
    } else {
        protocol(&mut header).map(On::Ppp)
    };
    let Some(hook) = hook else {
        return packet.missing(Layer::Ppp);
    };
    packet.advance(if is_cisco { &CISCO } else { &PPP }, header.position());
    Step::Next(hook)
}

/// The protocol number: two bytes, or one when its first byte is odd (RFC 1661 section 6.5,
/// Protocol-Field-Compression).
fn protocol(header: &mut Cursor<'_>) -> Option<u16> {
    let first = header.u8()?;
    if first & 1 == 1 {
        return Some(first.into());
    }
    Some(u16::from_be_bytes([first, header.u8()?]))
}

fn fields(header: &mut FieldReader<'_>) {
    if header.left() > 2 {
        header.code("address and control", 2);
    }
    header.code("protocol", header.left());
}

fn cisco_fields(header: &mut FieldReader<'_>) {
    header.code("address", 1);
    header.code("control", 1);
    header.code("type", 2);
}
