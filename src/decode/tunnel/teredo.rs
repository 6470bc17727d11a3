//! Teredo (RFC 4380 section 5.1.1): an IPv6 packet right behind UDP, or behind an authentication
//! header (0001, identifier length 1, value length 1, identifier, value, nonce 8, confirmation
//! 1), an origin (0000, port 2, address 4) or both.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::plausible;

static FORMAT: HeaderFormat = HeaderFormat { name: "teredo", fields };

const AUTHENTICATION: u16 = 0x0001;
const ORIGIN: u16 = 0x0000;
/// Nonce and confirmation.
const NONCE: usize = 9;
/// Port and address.
const ORIGIN_BYTES: usize = 6;
/// First four bits of an IPv6 packet.
const VERSION_6: u8 = 6;
/// What the addresses of an IPv6 packet begin with that Teredo carries (sections 2.6 and 5.2.1):
/// a Teredo address at one end at least, or link-local ones while a client qualifies.
const PREFIXES: [[u8; 4]; 2] = [[0x20, 0x01, 0, 0], [0xfe, 0x80, 0, 0]];
/// Where the addresses lie in an IPv6 packet.
const ADDRESSES: [usize; 2] = [8, 24];

/// Walks over what comes before the IPv6 packet.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let Some(length) = indications(packet.rest()) else {
        return Step::NoTunnel;
    };
    let version = packet.rest().get(length).map(|first| first >> 4);
    let plausible = version == Some(VERSION_6) && plausible::ip(packet, length) == Some(true);
    if !plausible || !has_address(packet.rest().get(length..).unwrap_or_default()) {
        return Step::NoTunnel;
    }
    packet.carried(Outer::Teredo, 0, None);
    packet.advance(&FORMAT, length);
    Step::Next(On::EtherType(0x86dd))
}

/// Whether an end of an IPv6 packet has an address that Teredo knows. Without it, a message of
/// another protocol from this port would do: one of DNS whose identifier begins with 6.
fn has_address(packet: &[u8]) -> bool {
    ADDRESSES.into_iter().any(|offset| {
        let address = packet.get(offset..).unwrap_or_default();
        PREFIXES.iter().any(|prefix| address.starts_with(prefix))
    })
}

/// Bytes before the IPv6 packet.
fn indications(bytes: &[u8]) -> Option<usize> {
    let mut header = Cursor::new(bytes);
    let mut kind = Cursor::new(header.rest()).u16_be()?;
    if kind == AUTHENTICATION {
        header.skip(2)?;
        let (identifier, value) = (header.u8()?, header.u8()?);
        header.skip(usize::from(identifier) + usize::from(value) + NONCE)?;
        kind = Cursor::new(header.rest()).u16_be()?;
    }
    if kind == ORIGIN {
        header.skip(2 + ORIGIN_BYTES)?;
    }
    Some(header.position())
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("indication", 2);
}
