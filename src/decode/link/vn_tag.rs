//! The VN-Tag between a Cisco switch and its fabric extenders: direction and pointer bits with
//! the destination interface 2, looped bit, version and source interface 2, EtherType 2.

use super::ethernet::type_or_length;
use crate::base::Cursor;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "vn-tag", fields };

/// Walks over the tag.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(kind) = header.skip(4).and_then(|()| header.u16_be()) else {
        return packet.missing(Layer::VnTag);
    };
    packet.path.push(Outer::VnTag);
    packet.advance(&FORMAT, header.position());
    type_or_length(packet, kind, Layer::VnTag)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("direction", 2, 0x8000);
    header.bits("pointer", 2, 0x4000);
    header.bits("destination interface", 2, 0x3fff);
    header.skip(2);
    header.bits("looped", 2, 0x8000);
    header.bits("version", 2, 0x3000);
    header.bits("source interface", 2, 0x0fff);
    header.skip(2);
    header.code("type", 2);
}
