//! Tags of frames that are sent twice on two ways: HSR (IEC 62439-3: path and size 2, sequence
//! number 2, EtherType 2) and the R-tag (IEEE 802.1CB clause 7.8: reserved 2, sequence number 2,
//! EtherType 2).

use super::ethernet::type_or_length;
use crate::base::Cursor;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "redundancy-tag", fields };

/// Walks over the tag.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(kind) = header.skip(4).and_then(|()| header.u16_be()) else {
        return packet.missing(Layer::RedundancyTag);
    };
    packet.path.push(Outer::RedundancyTag);
    packet.advance(&FORMAT, header.position());
    type_or_length(packet, kind, Layer::RedundancyTag)
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("path and size", 2);
    header.number("sequence", 2);
    header.code("type", 2);
}
