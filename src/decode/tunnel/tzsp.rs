//! TZSP (D4.1), by which wireless sensors and routers mirror frames: version 1, type 1, kind of
//! frame 2, then tags of type 1, length 1 and value; type 0 is padding, type 1 the end, both
//! without length.

use crate::base::{Cursor, LinkType};
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;

static FORMAT: HeaderFormat = HeaderFormat { name: "tzsp", fields };

const VERSION: u8 = 1;
/// A frame received, a frame to be sent.
const FRAME_TYPES: [u8; 2] = [0, 1];
const PADDING: u8 = 0;
const END: u8 = 1;

/// Reads the header and walks over the tags.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some((kind, ())) = kind(&mut header).zip(skip_tags(&mut header)) else {
        return Step::NoTunnel;
    };
    packet.mirrored = true;
    packet.carried(Outer::Tzsp, 0, None);
    packet.advance(&FORMAT, header.position());
    Step::Next(kind)
}

/// What kind of frame follows; `None` unless this is a TZSP frame.
fn kind(header: &mut Cursor<'_>) -> Option<On> {
    let [version, frame_type] = header.array()?;
    if version != VERSION || !FRAME_TYPES.contains(&frame_type) {
        return None;
    }
    Some(match header.u16_be()? {
        1 => On::Ethernet,
        18 => On::Wlan { padded: false },
        // Prism and AVS, by the numbers of their link types or nearly so.
        119 | 127 => On::Link(LinkType(119)),
        _ => return None,
    })
}

fn skip_tags(header: &mut Cursor<'_>) -> Option<()> {
    loop {
        match header.u8()? {
            PADDING => {}
            END => return Some(()),
            _ => {
                let length = header.u8()?;
                header.skip(length.into())?;
            }
        }
    }
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("version", 1);
    header.number("type", 1);
    header.number("encapsulation", 2);
}
