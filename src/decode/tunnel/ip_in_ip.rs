//! IP in IP, of either version in either (RFC 2003, RFC 2473, RFC 4213): no header between them.

use crate::base::IpProto;
use crate::decode::dispatch::On;
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;

/// IP protocol number of an IPv6 packet; that of an IPv4 packet is 4.
const IPV6: IpProto = IpProto(41);

/// Notes the outer header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let (outer, inner) = match (packet.ip.version_6, packet.ip.protocol) {
        (false, IPV6) => (Outer::Ip6InIp4, 0x86dd),
        (true, IPV6) => (Outer::Ip6InIp6, 0x86dd),
        (false, _) => (Outer::Ip4InIp4, 0x0800),
        (true, _) => (Outer::Ip4InIp6, 0x0800),
    };
    packet.carried(outer, 0, None);
    Step::Next(On::EtherType(inner))
}
