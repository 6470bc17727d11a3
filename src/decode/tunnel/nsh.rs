//! The network service header (RFC 8300 section 2.2): version 2 bits, flags, time to live 6 bits,
//! length in words 6 bits, metadata type 4 bits, next protocol 1 byte, service path 3, service
//! index 1, then metadata.
//!
//! It names what follows by the numbers that VXLAN-GPE uses too.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "nsh", fields };

/// Bytes before the metadata.
const SHORTEST: usize = 8;

/// Reads the header and walks over the metadata.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(first), Some(()), Some(protocol)) = (header.u16_be(), header.skip(1), header.u8())
    else {
        return packet.missing(Layer::Nsh);
    };
    let length = usize::from(first & 0x3f) * 4;
    if first >> 14 != 0 || length < SHORTEST {
        return packet.stop(Layer::Nsh, StopReason::BadField, first);
    }
    if packet.rest().len() < length {
        return packet.missing(Layer::Nsh);
    }
    packet.path.push(Outer::Nsh);
    packet.advance(&FORMAT, length);
    Step::Next(On::ServiceProtocol(protocol))
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("version", 2, 0xc000);
    header.bits("time to live", 2, 0x0fc0);
    header.bits("length in words", 2, 0x003f);
    header.skip(2);
    header.bits("metadata type", 1, 0x0f);
    header.skip(1);
    header.number("next protocol", 1);
    header.number("service path", 3);
    header.number("service index", 1);
}
