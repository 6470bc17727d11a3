//! The log header of the BSD packet filter (tcpdump.org, LINKTYPE_PFLOG): length 1, address
//! family 1, action 1, reason 1, interface name 16, rule set 16, rule 4 and more. The length leaves
//! out the padding to a multiple of 4.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "pflog", fields };

/// Walks over the header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(length), Some(family)) = (header.u8(), header.u8()) else {
        return packet.missing(Layer::Pflog);
    };
    let length = usize::from(length).next_multiple_of(4).max(4);
    if packet.rest().len() < length {
        return packet.missing(Layer::Pflog);
    }
    packet.advance(&FORMAT, length);
    Step::Next(On::Family(family.into()))
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("length", 1);
    header.number("address family", 1);
    header.number("action", 1);
    header.number("reason", 1);
}
