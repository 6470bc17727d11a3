//! IEEE 802.2 LLC (destination and source access point, control) and SNAP (organisation 3,
//! protocol 2; IEEE 802 clause 9.5).

use crate::base::Cursor;
use crate::decode::dispatch::{On, undecoded};
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::Layer;

static FORMAT: HeaderFormat = HeaderFormat { name: "llc", fields };

/// The pair of access points that announces a SNAP header.
const SNAP: u16 = 0xaaaa;
/// Raw IPX: no LLC header at all, the packet begins with its unused checksum.
const RAW_IPX: u16 = 0xffff;
/// Response bit of the source access point; the pair names the same protocol without it.
const RESPONSE: u16 = 0x0001;
/// Control field of unnumbered information, the only form that carries IP.
const UNNUMBERED_INFORMATION: u8 = 0x03;
/// Organisations whose protocol identifier is an EtherType: RFC 1042, and IEEE 802.1H for
/// EtherTypes bridged to other media.
const ETHERTYPE_ORGANISATIONS: [u64; 2] = [0x00_0000, 0x00_00f8];

/// Reads the access points and, where they say so, the SNAP header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(pair), Some(control)) = (header.u16_be(), header.u8()) else {
        return packet.missing(Layer::Llc);
    };
    if pair == RAW_IPX {
        return undecoded(On::Sap(pair));
    }
    let pair = pair & !RESPONSE;
    if control != UNNUMBERED_INFORMATION {
        return undecoded(On::Sap(pair));
    }
    let hook = match pair {
        SNAP => match snap(&mut header) {
            Some(hook) => hook,
            None => return packet.missing(Layer::Llc),
        },
        pair => On::Sap(pair),
    };
    packet.advance(&FORMAT, header.position());
    Step::Next(hook)
}

/// What the SNAP header names; `None` when it is cut.
pub(super) fn snap(header: &mut Cursor<'_>) -> Option<On> {
    let [a, b, c] = header.array()?;
    let organisation = u64::from(u32::from_be_bytes([0, a, b, c]));
    let protocol = header.u16_be()?;
    if ETHERTYPE_ORGANISATIONS.contains(&organisation) {
        Some(On::EtherType(protocol))
    } else {
        Some(On::Snap(organisation << 16 | u64::from(protocol)))
    }
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("destination access point", 1);
    header.code("source access point", 1);
    header.code("control", 1);
    header.code("organisation", 3);
    header.code("type", 2);
}
