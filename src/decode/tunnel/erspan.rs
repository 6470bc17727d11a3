//! ERSPAN types II and III, behind a GRE header with a sequence number (D4.1).
//!
//! Type II, 8 bytes: version 1 in four bits, VLAN 12, class of service 3, encapsulation 2,
//! truncated 1, session 10, reserved 12, index 20. Type III, 12 bytes: version 2, VLAN 12, class
//! of service 3, bad or short 2, truncated 1, session 10, time stamp 4 bytes, security group 2
//! bytes, then P 1, frame type 5, hardware 6, direction 1, granularity 2, O 1; with O follow 8
//! bytes for the platform.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::{Layer, StopReason};

static TYPE_2: HeaderFormat = HeaderFormat { name: "erspan-2", fields: type_2_fields };
static TYPE_3: HeaderFormat = HeaderFormat { name: "erspan-3", fields: type_3_fields };

/// The mirror cut the frame.
const TRUNCATED: u16 = 0x0400;
/// Type III: the frame was bad, short or longer than the mirror takes.
const BAD_OR_SHORT: u16 = 0x1800;
const SESSION: u16 = 0x03ff;
const VLAN: u16 = 0x0fff;
/// Type III: what kind of frame follows.
const FRAME_TYPE: u16 = 0x7c00;
const ETHERNET: u16 = 0;
const IP: u16 = 2 << 10;
/// Type III: a platform header follows.
const PLATFORM: u16 = 0x0001;

/// Reads the header, whose type is its version.
pub(in crate::decode) fn step(packet: &mut Packet<'_>, sequence: Option<u32>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(version_and_vlan), Some(flags_and_session)) = (header.u16_be(), header.u16_be())
    else {
        return packet.missing(Layer::Erspan);
    };
    let (outer, next) = match version_and_vlan >> 12 {
        1 => (Outer::Erspan2, header.skip(4).map(|()| Some(On::Ethernet))),
        2 => (Outer::Erspan3, type_3(&mut header)),
        version => return packet.stop(Layer::Erspan, StopReason::BadField, version),
    };
    let Some(next) = next else {
        return packet.missing(Layer::Erspan);
    };
    let cut = if outer == Outer::Erspan2 { TRUNCATED } else { TRUNCATED | BAD_OR_SHORT };
    packet.cut_by_mirror |= flags_and_session & cut != 0;
    packet.mirrored = true;
    let vlan = version_and_vlan & VLAN;
    if vlan != 0 {
        packet.vlan = Some(vlan);
    }
    packet.carried(outer, (flags_and_session & SESSION).into(), sequence);
    packet.advance(if outer == Outer::Erspan2 { &TYPE_2 } else { &TYPE_3 }, header.position());
    match next {
        Some(next) => Step::Next(next),
        None => packet.stop(Layer::Erspan, StopReason::Unknown, 0),
    }
}

/// Reads the rest of a type III header: what follows it, `None` when its number is not known.
fn type_3(header: &mut Cursor<'_>) -> Option<Option<On>> {
    header.skip(6)?;
    let flags = header.u16_be()?;
    if flags & PLATFORM != 0 {
        header.skip(8)?;
    }
    Some(match flags & FRAME_TYPE {
        ETHERNET => Some(On::Ethernet),
        IP => Some(On::AnyIp),
        _ => None,
    })
}

fn type_2_fields(header: &mut FieldReader<'_>) {
    header.bits("version", 2, 0xf000);
    header.bits("vlan", 2, 0x0fff);
    header.skip(2);
    header.bits("class of service", 2, 0xe000);
    header.bits("encapsulation", 2, 0x1800);
    header.bits("truncated", 2, 0x0400);
    header.bits("session", 2, 0x03ff);
    header.skip(2);
    header.bits("index", 4, 0x000f_ffff);
}

fn type_3_fields(header: &mut FieldReader<'_>) {
    header.bits("version", 2, 0xf000);
    header.bits("vlan", 2, 0x0fff);
    header.skip(2);
    header.bits("class of service", 2, 0xe000);
    header.bits("bad or short", 2, 0x1800);
    header.bits("truncated", 2, 0x0400);
    header.bits("session", 2, 0x03ff);
    header.skip(2);
    header.code("time stamp", 4);
    header.number("security group tag", 2);
    header.bits("frame type", 2, 0x7c00);
    header.bits("hardware", 2, 0x03f0);
    header.bits("direction", 2, 0x0008);
    header.bits("granularity", 2, 0x0006);
    let platform = header.bits("platform header", 2, 0x0001);
    header.skip(2);
    if platform == Some(1) {
        header.bits("platform", 1, 0xfc);
    }
}
