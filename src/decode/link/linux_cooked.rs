//! Linux cooked capture, what the kernel leaves of a link header it does not want to show
//! (tcpdump.org, LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2).
//!
//! Version 1, 16 bytes: packet type 2, ARP hardware type 2, address length 2, address 8,
//! protocol 2. Version 2, 20 bytes: protocol 2, reserved 2, interface 4, hardware type 2, packet
//! type 1, address length 1, address 8. All big-endian.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;

static VERSION_1: HeaderFormat = HeaderFormat { name: "linux-cooked", fields: version_1_fields };
static VERSION_2: HeaderFormat = HeaderFormat { name: "linux-cooked-2", fields: version_2_fields };

/// Packet types of frames sent to a group: broadcast, multicast.
const GROUP_TYPES: [u16; 2] = [1, 2];
/// The smallest protocol value that is an EtherType.
const FIRST_ETHERTYPE: u16 = 0x0600;
/// Protocol value of an 802.2 LLC frame (Linux `ETH_P_802_2`).
const LLC: u16 = 0x0004;

/// Reads a version 1 header.
pub(in crate::decode) fn version_1(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let packet_type = header.u16_be();
    let hardware_and_address = header.skip(12);
    let protocol = header.u16_be();
    let (Some(packet_type), Some(()), Some(protocol)) =
        (packet_type, hardware_and_address, protocol)
    else {
        return packet.missing(Layer::LinuxCooked);
    };
    packet.advance(&VERSION_1, header.position());
    carry_on(packet, packet_type, protocol)
}

/// Reads a version 2 header.
pub(in crate::decode) fn version_2(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let protocol = header.u16_be();
    let interface_and_hardware = header.skip(8);
    let packet_type = header.u8();
    let address = header.skip(9);
    let (Some(protocol), Some(()), Some(packet_type), Some(())) =
        (protocol, interface_and_hardware, packet_type, address)
    else {
        return packet.missing(Layer::LinuxCooked);
    };
    packet.advance(&VERSION_2, header.position());
    carry_on(packet, packet_type.into(), protocol)
}

fn carry_on(packet: &mut Packet<'_>, packet_type: u16, protocol: u16) -> Step {
    packet.link_group = GROUP_TYPES.contains(&packet_type);
    Step::Next(match protocol {
        FIRST_ETHERTYPE.. => On::EtherType(protocol),
        LLC => On::Llc,
        _ => On::Cooked(protocol),
    })
}

fn version_1_fields(header: &mut FieldReader<'_>) {
    header.number("packet type", 2);
    header.number("hardware type", 2);
    header.number("address length", 2);
    header.station("source");
    header.skip(2);
    header.code("protocol", 2);
}

fn version_2_fields(header: &mut FieldReader<'_>) {
    header.code("protocol", 2);
    header.skip(2);
    header.number("interface", 4);
    header.number("hardware type", 2);
    header.number("packet type", 1);
    header.number("address length", 1);
    header.station("source");
}
