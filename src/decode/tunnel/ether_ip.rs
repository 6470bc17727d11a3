//! Ethernet in IP (RFC 3378 section 3): version 3 in four bits, reserved 0 in twelve, then an
//! Ethernet frame.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "etherip", fields };

/// Version 3, nothing else.
const VERSION: u16 = 0x3000;

/// Reads the header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let Some(version) = Cursor::new(packet.rest()).u16_be() else {
        return packet.missing(Layer::EtherIp);
    };
    if version != VERSION {
        return packet.stop(Layer::EtherIp, StopReason::BadField, version);
    }
    packet.carried(Outer::EtherIp, 0, None);
    packet.advance(&FORMAT, 2);
    Step::Next(On::Ethernet)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("version", 2, 0xf000);
}
