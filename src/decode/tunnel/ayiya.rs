//! AYIYA (draft-massar-v6ops-ayiya section 3): length and type of the identity 4 + 4 bits, length
//! of the signature in words and its method 4 + 4 bits, authentication and operation 4 + 4 bits,
//! next header 1, time 4, identity of 2 to the power of its length bytes, signature.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::plausible;

static FORMAT: HeaderFormat = HeaderFormat { name: "ayiya", fields };

/// Operation: forward the packet inside.
const FORWARD: u8 = 1;
/// Next header: an IPv4 or IPv6 packet.
const IP_IN_IP: [u8; 2] = [4, 41];

/// Reads the header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some([identity, signature, operation, next, _, _, _, _]) = header.array() else {
        return Step::NoTunnel;
    };
    let length = (1_usize << (identity >> 4)) + usize::from(signature >> 4) * 4;
    let whole = header.skip(length).is_some();
    let forwards = operation & 0x0f == FORWARD && IP_IN_IP.contains(&next);
    if !whole || !forwards || plausible::ip(packet, header.position()) != Some(true) {
        return Step::NoTunnel;
    }
    packet.carried(Outer::Ayiya, 0, None);
    packet.advance(&FORMAT, header.position());
    Step::Next(On::AnyIp)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("identity length", 1, 0xf0);
    header.bits("identity type", 1, 0x0f);
    header.skip(1);
    header.bits("signature length in words", 1, 0xf0);
    header.bits("hash method", 1, 0x0f);
    header.skip(1);
    header.bits("authentication method", 1, 0xf0);
    header.bits("operation", 1, 0x0f);
    header.skip(1);
    header.number("next header", 1);
    header.number("time", 4);
}
