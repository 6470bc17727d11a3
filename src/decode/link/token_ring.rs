//! Token Ring (IEEE 802.5): access control 1, frame control 1, destination 6, source 6, then
//! routing information if the first bit of the source says so, then LLC.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "token-ring", fields };

/// The bits of the frame control that tell its type, and the value that means LLC.
const TYPE_BITS: u8 = 0xc0;
const LLC_TYPE: u8 = 0x40;
/// A group as destination; routing information behind a source.
const FIRST_BIT: u8 = 0x80;
/// Length of the routing information, itself included, in its first byte.
const ROUTING_LENGTH: u8 = 0x1f;

/// Reads the header of an LLC frame.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some((control, destination)) = addresses(&mut header) else {
        return packet.missing(Layer::TokenRing);
    };
    packet.link_group = destination & FIRST_BIT != 0;
    if control & TYPE_BITS != LLC_TYPE {
        return packet.stop(Layer::TokenRing, StopReason::Unknown, control);
    }
    packet.advance(&FORMAT, header.position());
    Step::Next(On::Llc)
}

/// Frame control and the first byte of the destination; the routing information is skipped.
fn addresses(header: &mut Cursor<'_>) -> Option<(u8, u8)> {
    header.skip(1)?;
    let control = header.u8()?;
    let destination = header.u8()?;
    header.skip(5)?;
    let source = header.u8()?;
    header.skip(5)?;
    if source & FIRST_BIT != 0 {
        let length = usize::from(header.u8()? & ROUTING_LENGTH);
        header.skip(length.saturating_sub(1))?;
    }
    Some((control, destination))
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("access control", 1);
    header.code("frame control", 1);
    header.station("destination");
    header.station("source");
}
