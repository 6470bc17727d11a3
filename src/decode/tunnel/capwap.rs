//! The CAPWAP data channel between access points and their controller (RFC 5415 section 4.3):
//! preamble 1, then header length in words 5 bits, radio 5, binding 5, the flags T, F, L, W, M, K
//! and three reserved bits, fragment identifier 2, fragment offset 13 bits and three reserved
//! bits, optional addresses; then an 802.11 frame if T is set, else an 802.3 frame.
//!
//! Keepalives and encrypted packets stay packets of their own flow, and so do later fragments.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;

static FORMAT: HeaderFormat = HeaderFormat { name: "capwap", fields };

/// Version 0, not encrypted.
const PREAMBLE: u32 = 0;
/// The frame inside is one of the binding and not Ethernet.
const NATIVE: u32 = 0x100;
const KEEPALIVE: u32 = 0x008;
const RESERVED: u32 = 0x007;
/// The binding to IEEE 802.11.
const WLAN: u32 = 1;
/// Bytes that every header has.
const SHORTEST: usize = 8;
/// Bits of the first byte of an 802.11 frame that hold its version, which is 0.
const WLAN_VERSION: u8 = 0x03;

/// Reads the header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(first), Some(fragment)) = (header.u32_be(), header.u32_be()) else {
        return Step::NoTunnel;
    };
    let length = (first >> 19 & 0x1f) as usize * 4;
    let radio = first >> 14 & 0x1f;
    let binding = first >> 9 & 0x1f;
    let offset = fragment & 0xffff;
    let is_data = first >> 24 == PREAMBLE && first & (KEEPALIVE | RESERVED) == 0 && offset == 0;
    let native = first & NATIVE != 0;
    let Some(frame) = packet.rest().get(length..).filter(|_| is_data && length >= SHORTEST) else {
        return Step::NoTunnel;
    };
    let inside = match (native, binding, frame) {
        (false, ..) => On::Ethernet,
        (true, WLAN, [one, other, ..]) if one & WLAN_VERSION != 0 && other & WLAN_VERSION == 0 => {
            On::SwappedWlan
        }
        (true, WLAN, _) => On::Wlan { padded: false },
        _ => return Step::NoTunnel,
    };
    packet.carried(Outer::Capwap, radio, None);
    packet.advance(&FORMAT, length);
    Step::Next(inside)
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("preamble", 1);
    header.bits("header length in words", 3, 0x00f8_0000);
    header.bits("radio", 3, 0x0007_c000);
    header.bits("binding", 3, 0x0000_3e00);
    header.bits("flags", 3, 0x0000_01f8);
    header.skip(3);
    header.code("fragment", 2);
    header.bits("fragment offset", 2, 0xfff8);
}
