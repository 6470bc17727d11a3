//! TCP (RFC 9293 section 3.1): ports 2 + 2, sequence 4, acknowledgement 4, data offset and
//! reserved 1, flags 1, window 2, checksum 2, urgent pointer 2, options. The checksum is not
//! verified.

use crate::base::Cursor;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;
use crate::decode::unit::Transport;

pub(in crate::decode) static FORMAT: HeaderFormat = HeaderFormat { name: "tcp", fields };

/// The header without options.
pub(in crate::decode) const SHORTEST_HEADER: usize = 20;

/// Reads ports, numbers and flags. The options need not have been captured.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(source), Some(destination)) = (header.u16_be(), header.u16_be()) else {
        return packet.incomplete(Layer::Tcp);
    };
    let Some((length, transport)) = numbers_and_flags(&mut header) else {
        return packet.unit((source, destination), 0, Transport::Incomplete);
    };
    packet.advance(&FORMAT, length.max(SHORTEST_HEADER));
    // Behind a header that claims to be shorter than it can be, payload and options cannot be
    // told apart.
    let payload = if length < SHORTEST_HEADER { 0 } else { packet.wire_rest() };
    packet.unit((source, destination), payload, transport)
}

/// Header length as declared, and the facts; `None` when the header ends before the flags.
fn numbers_and_flags(header: &mut Cursor<'_>) -> Option<(usize, Transport)> {
    let sequence = header.u32_be()?;
    let acknowledgement = header.u32_be()?;
    let data_offset = header.u8()? >> 4;
    let flags = header.u8()?;
    Some((usize::from(data_offset) * 4, Transport::Tcp { sequence, acknowledgement, flags }))
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("source port", 2);
    header.number("destination port", 2);
    header.number("sequence", 4);
    header.number("acknowledgement", 4);
    header.bits("header length in words", 1, 0xf0);
    header.skip(1);
    header.code("flags", 1);
    header.number("window", 2);
    header.code("checksum", 2);
    header.number("urgent pointer", 2);
}
