//! A PPPoE session (RFC 2516 section 4): version and type 1, code 1, session 2, length 2, then
//! PPP without address and control.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "pppoe", fields };

/// Version 1, type 1, code 0 (session data).
const SESSION_DATA: u16 = 0x1100;

/// Reads the header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(kind), Some(_session), Some(length)) =
        (header.u16_be(), header.u16_be(), header.u16_be())
    else {
        return packet.missing(Layer::Pppoe);
    };
    if kind != SESSION_DATA {
        return packet.stop(Layer::Pppoe, StopReason::BadField, kind);
    }
    packet.path.push(Outer::Pppoe);
    packet.advance(&FORMAT, header.position());
    packet.declare(packet.wire_rest().min(length.into()));
    Step::Next(On::PppFrame)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("version", 1, 0xf0);
    header.bits("type", 1, 0x0f);
    header.skip(1);
    header.code("code", 1);
    header.code("session", 2);
    header.number("length", 2);
}
