//! The GTP user plane, version 1 (3GPP TS 29.281 section 5): flags 1, message type 1, length of
//! what follows the first 8 bytes 2, tunnel endpoint identifier 4; if any of the flags E, S, PN is
//! set, sequence number 2, N-PDU number 1, type of the next extension header 1; extension headers
//! with a length in words 1, content, and the type of the next 1. Then an IP packet.
//!
//! Messages other than user data stay packets of their own flow.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::plausible;

static FORMAT: HeaderFormat = HeaderFormat { name: "gtp-u", fields };

/// Version 1, protocol type GTP, reserved bit 0; the flags are left open.
const VERSION: u8 = 0x30;
const VERSION_BITS: u8 = 0xf8;
/// Any of the flags E, S, PN.
const OPTIONAL: u8 = 0x07;
const SEQUENCE: u8 = 0x02;
const EXTENSION: u8 = 0x04;
/// Message type of user data.
const USER_DATA: u8 = 0xff;
/// Bytes that the length leaves out.
const MANDATORY: usize = 8;

/// Reads the header and its extensions.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    user_data(packet).unwrap_or(Step::NoTunnel)
}

fn user_data(packet: &mut Packet<'_>) -> Option<Step> {
    let mut header = Cursor::new(packet.rest());
    let [flags, kind] = header.array()?;
    let length = usize::from(header.u16_be()?) + MANDATORY;
    let endpoint = header.u32_be()?;
    if flags & VERSION_BITS != VERSION || kind != USER_DATA || !packet.fits(length) {
        return None;
    }
    let mut sequence = None;
    if flags & OPTIONAL != 0 {
        sequence = Some(header.u16_be()?).filter(|_| flags & SEQUENCE != 0);
        header.skip(1)?;
        let next = header.u8()?;
        if flags & EXTENSION != 0 {
            skip_extensions(&mut header, next)?;
        }
    }
    // A length that is right to the byte is proof enough: what is inside may have been cut.
    let inside = if length == packet.wire_rest() { plausible::ip_version } else { plausible::ip };
    if length < header.position() || inside(packet, header.position()) != Some(true) {
        return None;
    }
    packet.declare(length.min(packet.wire_rest()));
    packet.carried(Outer::GtpU, endpoint, sequence.map(u32::from));
    packet.advance(&FORMAT, header.position());
    Some(Step::Next(On::AnyIp))
}

/// Walks over extension headers until one names no other.
fn skip_extensions(header: &mut Cursor<'_>, mut next: u8) -> Option<()> {
    while next != 0 {
        // Length and type of the next are part of the length.
        let content = (usize::from(header.u8()?) * 4).checked_sub(2)?;
        header.skip(content)?;
        next = header.u8()?;
    }
    Some(())
}

fn fields(header: &mut FieldReader<'_>) {
    let flags = header.code("flags", 1).unwrap_or_default() as u8;
    header.number("message type", 1);
    header.number("length", 2);
    header.code("tunnel endpoint", 4);
    if flags & OPTIONAL != 0 {
        header.number("sequence", 2);
        header.number("n-pdu", 1);
        header.code("next extension", 1);
    }
}
