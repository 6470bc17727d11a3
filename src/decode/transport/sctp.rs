//! SCTP (RFC 9260 section 3): ports 2 + 2, verification tag 4, checksum 4, then chunks that
//! begin with their type.

use crate::base::Cursor;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;
use crate::decode::unit::Transport;

static FORMAT: HeaderFormat = HeaderFormat { name: "sctp", fields };

/// The common header.
const HEADER: usize = 12;
/// Stands for a first chunk that was not captured; RFC 9260 reserves the number.
const NO_CHUNK: u8 = 255;

/// Reads ports and the type of the first chunk.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(source), Some(destination)) = (header.u16_be(), header.u16_be()) else {
        return packet.incomplete(Layer::Sctp);
    };
    packet.advance(&FORMAT, HEADER);
    let first_chunk = packet.rest().first().copied().unwrap_or(NO_CHUNK);
    packet.unit((source, destination), packet.wire_rest(), Transport::Sctp { first_chunk })
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("source port", 2);
    header.number("destination port", 2);
    header.code("verification tag", 4);
    header.code("checksum", 4);
}
