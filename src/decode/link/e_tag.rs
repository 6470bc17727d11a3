//! The E-tag of a bridge port extender (IEEE 802.1BR clause 7.5): priority and ingress channel 2,
//! group and channel 2, their extensions 1 + 1, EtherType 2.

use super::ethernet::type_or_length;
use crate::base::Cursor;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "e-tag", fields };

/// Walks over the tag.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(kind) = header.skip(6).and_then(|()| header.u16_be()) else {
        return packet.missing(Layer::ETag);
    };
    packet.path.push(Outer::ETag);
    packet.advance(&FORMAT, header.position());
    type_or_length(packet, kind, Layer::ETag)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("priority", 2, 0xe000);
    header.bits("ingress channel", 2, 0x0fff);
    header.skip(2);
    header.bits("group", 2, 0x3000);
    header.bits("channel", 2, 0x0fff);
    header.skip(2);
    header.number("ingress extension", 1);
    header.number("channel extension", 1);
    header.code("type", 2);
}
