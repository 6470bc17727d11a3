//! The log header of Linux netfilter (tcpdump.org, LINKTYPE_NFLOG): address family 1, version 1,
//! resource 2, then attributes of length 2, type 2 and value, padded to a multiple of 4. Length and
//! type are in the byte order of the capturing host.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "nflog", fields };

/// The only version.
const VERSION: u8 = 0;
/// Type of the attribute that holds the packet.
const PAYLOAD: u16 = 9;
/// Bytes of length and type.
const ATTRIBUTE: usize = 4;

/// Walks to the attribute that holds the packet.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(family), Some(version), Some(())) = (header.u8(), header.u8(), header.skip(2)) else {
        return packet.missing(Layer::Nflog);
    };
    if version != VERSION {
        return packet.stop(Layer::Nflog, StopReason::BadField, version);
    }
    let payload =
        payload(header, u16::from_le_bytes).or_else(|| payload(header, u16::from_be_bytes));
    let Some((position, length)) = payload else {
        return packet.missing(Layer::Nflog);
    };
    packet.advance(&FORMAT, position);
    packet.declare(packet.wire_rest().min(length));
    Step::Next(On::Family(family.into()))
}

/// Where the packet begins, and its bytes, with numbers read as `order` does.
fn payload(mut attributes: Cursor<'_>, order: fn([u8; 2]) -> u16) -> Option<(usize, usize)> {
    loop {
        let length = usize::from(order(attributes.array()?)).checked_sub(ATTRIBUTE)?;
        if order(attributes.array()?) == PAYLOAD {
            return Some((attributes.position(), length));
        }
        attributes.skip(length.next_multiple_of(4))?;
    }
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("address family", 1);
    header.number("version", 1);
    header.number("resource", 2);
}
