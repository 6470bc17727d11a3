//! The security tag of IEEE 802.1AE (clause 9.3): control information and association number 1,
//! short length 1, packet number 4, secure channel identifier 8 if the SC bit is set; then the
//! EtherType of what is protected, and behind it an integrity check value.
//!
//! Without the E and C bits the frame is only authenticated, and is read.

use super::ethernet::type_or_length;
use crate::base::Cursor;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "macsec", fields };

/// The version bit; 0 is the only version.
const VERSION: u8 = 0x80;
/// A secure channel identifier follows the packet number.
const CHANNEL_PRESENT: u8 = 0x20;
/// The payload is encrypted (E), or changed otherwise (C).
const NOT_IN_CLEAR: u8 = 0x0c;

/// Reads the tag, and the EtherType when it is in the clear.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(control) = header.u8() else {
        return packet.missing(Layer::Macsec);
    };
    if control & VERSION != 0 {
        return packet.stop(Layer::Macsec, StopReason::BadField, control);
    }
    let channel = if control & CHANNEL_PRESENT == 0 { 0 } else { 8 };
    if header.skip(5 + channel).is_none() {
        return packet.missing(Layer::Macsec);
    }
    if control & NOT_IN_CLEAR != 0 {
        return packet.stop(Layer::Macsec, StopReason::Encrypted, control & NOT_IN_CLEAR);
    }
    let Some(kind) = header.u16_be() else {
        return packet.missing(Layer::Macsec);
    };
    packet.path.push(Outer::Macsec);
    packet.advance(&FORMAT, header.position());
    type_or_length(packet, kind, Layer::Macsec)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("end station", 1, 0x40);
    header.bits("encrypted", 1, 0x08);
    header.bits("changed", 1, 0x04);
    header.bits("association", 1, 0x03);
    header.skip(1);
    header.number("short length", 1);
    header.number("packet number", 4);
    if header.left() > 2 {
        header.code("secure channel", 8);
    }
    header.code("type", 2);
}
