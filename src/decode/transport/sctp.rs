//! SCTP (RFC 9260 section 3): ports 2 + 2, verification tag 4, checksum 4, then chunks that
//! begin with type 1, flags 1 and length 2, and are filled up to a multiple of four bytes. A DATA
//! chunk goes on with its number 4, stream 2, place in the stream 2 and protocol 4, and then holds a
//! message or a part of one.

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

/// A chunk of data, and the flags of its first and its last part of a message (section 3.3.1).
const DATA: u8 = 0;
const FIRST: u8 = 0x02;
const LAST: u8 = 0x01;
/// Type, flags and length of a chunk, and what a DATA chunk has before its message.
const CHUNK_HEADER: usize = 4;
const DATA_HEADER: usize = 12;

/// The messages that begin in the chunks of a packet: the captured bytes of each, and its length on
/// the wire. Of a message in several chunks only the first part is shown, as if cut by one byte.
pub fn sctp_messages(chunks: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    let mut rest = Cursor::new(chunks);
    std::iter::from_fn(move || {
        loop {
            let (kind, flags, length) = (rest.u8()?, rest.u8()?, usize::from(rest.u16_be()?));
            let wire = length.checked_sub(CHUNK_HEADER)?;
            let captured = rest.rest();
            let body = captured.get(..wire).unwrap_or(captured);
            let _ = rest.skip(wire.next_multiple_of(4).min(captured.len()));
            if kind == DATA && flags & FIRST != 0 {
                let message = body.get(DATA_HEADER..)?;
                let goes_on = usize::from(flags & LAST == 0);
                return Some((message, wire - DATA_HEADER + goes_on));
            }
        }
    })
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("source port", 2);
    header.number("destination port", 2);
    header.code("verification tag", 4);
    header.code("checksum", 4);
}
