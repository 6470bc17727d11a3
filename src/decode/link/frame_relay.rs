//! Frame Relay: an address of 2 to 4 bytes (Q.922, the last has its lowest bit set), then
//! either control 03 and a network-layer protocol identifier (RFC 2427 section 3), or an EtherType,
//! as Cisco has it.

use super::llc;
use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "frame-relay", fields };

/// The last byte of the address.
const LAST: u8 = 0x01;
/// Unnumbered information.
const UNNUMBERED_INFORMATION: u8 = 0x03;
/// Identifier of a SNAP header.
const SNAP: u8 = 0x80;

/// Reads address and protocol.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(hook) = address(&mut header).and_then(|()| protocol(&mut header)) else {
        return packet.missing(Layer::FrameRelay);
    };
    packet.advance(&FORMAT, header.position());
    Step::Next(hook)
}

fn address(header: &mut Cursor<'_>) -> Option<()> {
    for _ in 0..4 {
        if header.u8()? & LAST != 0 {
            break;
        }
    }
    Some(())
}

fn protocol(header: &mut Cursor<'_>) -> Option<On> {
    if header.rest().first() != Some(&UNNUMBERED_INFORMATION) {
        return header.u16_be().map(On::EtherType);
    }
    header.skip(1)?;
    // A byte of padding may come before the identifier.
    let mut identifier = header.u8()?;
    if identifier == 0 {
        identifier = header.u8()?;
    }
    if identifier == SNAP { llc::snap(header) } else { Some(On::NetworkLayer(identifier)) }
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("address", 2);
}
