//! TRILL (RFC 6325 section 3): version, multi-destination bit, options length and hop count 2,
//! egress nickname 2, ingress nickname 2, options in words of four bytes, then the whole frame of
//! the station.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "trill", fields };

/// Walks over the header and its options.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(first) = header.u16_be() else {
        return packet.missing(Layer::Trill);
    };
    let version = first >> 14;
    if version != 0 {
        return packet.stop(Layer::Trill, StopReason::BadField, version);
    }
    let options = usize::from(first >> 6 & 0x1f) * 4;
    if header.skip(4 + options).is_none() {
        return packet.missing(Layer::Trill);
    }
    packet.path.push(Outer::Trill);
    packet.advance(&FORMAT, header.position());
    Step::Next(On::Ethernet)
}

fn fields(header: &mut FieldReader<'_>) {
    header.bits("version", 2, 0xc000);
    header.bits("multi-destination", 2, 0x0800);
    header.bits("options length", 2, 0x07c0);
    header.bits("hop count", 2, 0x003f);
    header.skip(2);
    header.number("egress", 2);
    header.number("ingress", 2);
}
