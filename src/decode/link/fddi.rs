//! FDDI (ISO 9314-2): frame control 1, destination 6, source 6, then LLC.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "fddi", fields };

/// The bits of the frame control that tell its format, and the value that means LLC.
const FORMAT_BITS: u8 = 0x30;
const LLC_FORMAT: u8 = 0x10;
/// The bit of the first address byte that marks a group.
const GROUP: u8 = 0x01;

/// Reads the header of an LLC frame.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let control = header.u8();
    let first = header.u8();
    let (Some(control), Some(first), Some(())) = (control, first, header.skip(11)) else {
        return packet.missing(Layer::Fddi);
    };
    packet.link_group = first & GROUP != 0;
    if control & FORMAT_BITS != LLC_FORMAT {
        return packet.stop(Layer::Fddi, StopReason::Unknown, control);
    }
    packet.advance(&FORMAT, header.position());
    Step::Next(On::Llc)
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("frame control", 1);
    header.station("destination");
    header.station("source");
}
