//! ICMP (RFC 792, RFC 1191) and ICMPv6 (RFC 4443): type 1, code 1, checksum 2, then 4 bytes by
//! type, then in error messages the packet that caused them.
//!
//! The message itself belongs to the two hosts that exchange it, without ports; whom it is about
//! is handed on with it.

use crate::base::{Cursor, IpProto};
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Ending, Packet, Step};
use crate::decode::stop::Layer;
use crate::decode::unit::Transport;
use crate::decode::{Direction, FlowKey, follow};

static FORMAT: HeaderFormat = HeaderFormat { name: "icmp", fields };

/// Bytes before the quoted packet.
const HEADER: usize = 8;

/// Reads type and code and, in an error message, whose packet is quoted.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(kind), Some(code)) = (header.u8(), header.u8()) else {
        return packet.incomplete(Layer::Icmp);
    };
    packet.advance(&FORMAT, HEADER);
    if is_error(packet.ip.protocol, kind) {
        packet.about = quoted_flow(packet);
    }
    packet.unit((0, 0), packet.wire_rest(), Transport::Icmp { kind, code })
}

/// Whether the message quotes a packet: destination unreachable, source quench, redirect, time
/// exceeded, parameter problem; in ICMPv6 types 1 to 4, packet too big among them.
fn is_error(protocol: IpProto, kind: u8) -> bool {
    match protocol {
        IpProto::ICMPV6 => matches!(kind, 1..=4),
        _ => matches!(kind, 3 | 4 | 5 | 11 | 12),
    }
}

/// The flow of the quoted packet, when its ports are readable.
fn quoted_flow(packet: &Packet<'_>) -> Option<(FlowKey, Direction)> {
    let mut quoted = packet.quotation()?;
    match follow(&mut quoted, On::AnyIp, &mut ()) {
        Ending::Flow(flow) => Some(quoted.flow(flow.ports)),
        _ => None,
    }
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("type", 1);
    header.number("code", 1);
    header.code("checksum", 2);
    header.code("rest", 4);
}
