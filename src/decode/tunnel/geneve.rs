//! Geneve (RFC 8926 section 3.4): version 2 bits, option length in words 6 bits, flags 1, EtherType
//! 2, network identifier 3, reserved 1, options.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;

static FORMAT: HeaderFormat = HeaderFormat { name: "geneve", fields };

/// The first byte holds version 0 and the option length.
const OPTION_WORDS: u8 = 0x3f;
/// Flag bits that must be 0.
const RESERVED: u8 = 0x3f;

/// Reads the header and walks over its options.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some([first @ ..=OPTION_WORDS, flags, high, low, a, b, c, 0]) = header.array() else {
        return Step::NoTunnel;
    };
    if flags & RESERVED != 0 || header.skip(usize::from(first) * 4).is_none() {
        return Step::NoTunnel;
    }
    packet.carried(Outer::Geneve, u32::from_be_bytes([0, a, b, c]), None);
    packet.advance(&FORMAT, header.position());
    Step::Next(On::EtherType(u16::from_be_bytes([high, low])))
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("version", 1, 0xc0);
    header.bits("options length in words", 1, 0x3f);
    header.skip(1);
    header.code("flags", 1);
    header.code("protocol", 2);
    header.number("network identifier", 3);
}
