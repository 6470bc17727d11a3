//! The LISP data plane (RFC 9300 section 5.3): flags 1, nonce or map versions 3, instance
//! identifier or locator bits 4, then an IP packet.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::plausible;

static FORMAT: HeaderFormat = HeaderFormat { name: "lisp", fields };

/// The flag of an instance identifier, 24 bits of the last word.
const INSTANCE: u8 = 0x08;
/// Bytes of the header.
const HEADER: usize = 8;

/// Reads the header. Nothing in it tells it from other payload, so the packet inside must be just
/// as long as the datagram.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(flags), Some(()), Some(word)) = (header.u8(), header.skip(3), header.u32_be()) else {
        return Step::NoTunnel;
    };
    if plausible::ip_alone(packet, HEADER) != Some(true) {
        return Step::NoTunnel;
    }
    packet.carried(Outer::Lisp, if flags & INSTANCE == 0 { 0 } else { word >> 8 }, None);
    packet.advance(&FORMAT, HEADER);
    Step::Next(On::AnyIp)
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("flags", 1);
    header.code("nonce or map versions", 3);
    header.code("instance or locator bits", 4);
}
