//! The timestamp tag (TTag) that Cisco Nexus switches put into mirrored frames: timestamp 6,
//! EtherType 2.

use super::ethernet::type_or_length;
use crate::base::Cursor;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "ttag", fields };

/// Bytes of the timestamp.
const TIMESTAMP: usize = 6;

/// Walks over the timestamp.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(kind) = header.skip(TIMESTAMP).and_then(|()| header.u16_be()) else {
        return packet.missing(Layer::TimestampTag);
    };
    packet.path.push(Outer::TimestampTag);
    packet.advance(&FORMAT, header.position());
    type_or_length(packet, kind, Layer::TimestampTag)
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("timestamp", TIMESTAMP);
    header.code("type", 2);
}
