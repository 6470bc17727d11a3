//! VXLAN (RFC 7348 section 5): flags 1, reserved 3, network identifier 3, reserved 1, then an
//! Ethernet frame. With the group policy extension the first reserved bytes hold a policy, with
//! the generic protocol extension (RFC 9732 appendix, draft-ietf-nvo3-vxlan-gpe section 3) the last of
//! them names the protocol inside.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;

static FORMAT: HeaderFormat = HeaderFormat { name: "vxlan", fields };

/// The identifier is valid; must be set.
const IDENTIFIER: u8 = 0x08;
/// A group policy is there.
const GROUP_POLICY: u8 = 0x80;
/// Generic protocol extension: the protocol is there; flags that have no influence.
const PROTOCOL: u8 = 0x04;
const BROADCAST_AND_OAM: u8 = 0x03;
/// Bytes of the header.
const HEADER: usize = 8;

/// An Ethernet frame in VXLAN.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let Some([flags, policy, group_high, group_low, a, b, c, 0]) = header(packet) else {
        return Step::NoTunnel;
    };
    let plain = flags == IDENTIFIER && [policy, group_high, group_low] == [0; 3];
    if !plain && flags != IDENTIFIER | GROUP_POLICY {
        return Step::NoTunnel;
    }
    enter(packet, Outer::Vxlan, [a, b, c], On::Ethernet)
}

/// Any protocol in VXLAN-GPE.
pub(in crate::decode) fn generic(packet: &mut Packet<'_>) -> Step {
    let Some([flags, 0, 0, protocol, a, b, c, 0]) = header(packet) else {
        return Step::NoTunnel;
    };
    match flags & !BROADCAST_AND_OAM {
        IDENTIFIER => enter(packet, Outer::VxlanGpe, [a, b, c], On::Ethernet),
        flags if flags == IDENTIFIER | PROTOCOL => {
            enter(packet, Outer::VxlanGpe, [a, b, c], On::ServiceProtocol(protocol))
        }
        _ => Step::NoTunnel,
    }
}

fn header(packet: &Packet<'_>) -> Option<[u8; HEADER]> {
    Cursor::new(packet.rest()).array()
}

fn enter(packet: &mut Packet<'_>, outer: Outer, [a, b, c]: [u8; 3], inside: On) -> Step {
    packet.carried(outer, u32::from_be_bytes([0, a, b, c]), None);
    packet.advance(&FORMAT, HEADER);
    Step::Next(inside)
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("flags", 1);
    header.code("policy or protocol", 3);
    header.number("network identifier", 3);
}
