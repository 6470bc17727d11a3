//! Cisco metadata (CMD), which carries the security group tag between TrustSec switches: version
//! 1, length 1, then options of a length and type 2 and a value 2, then the EtherType 2 (D4.1).
//!
//! The length counts the options in words of four bytes.

use super::ethernet::type_or_length;
use crate::base::Cursor;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "cmd", fields };
static IN_GRE: HeaderFormat = HeaderFormat { name: "cmd", fields: in_gre_fields };

/// The only version there is.
const VERSION: u8 = 1;
/// Bytes of one option.
const OPTION: usize = 4;

/// Walks over the options in an Ethernet frame.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let version = options(&mut header);
    let kind = header.u16_be();
    walk(packet, version.zip(kind), header.position(), &FORMAT)
}

/// Walks over the options behind GRE, where the EtherType comes first.
pub(in crate::decode) fn in_gre(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let kind = header.u16_be();
    let version = options(&mut header);
    walk(packet, version.zip(kind), header.position(), &IN_GRE)
}

/// The version; all options are skipped.
fn options(header: &mut Cursor<'_>) -> Option<u8> {
    let version = header.u8()?;
    let options = header.u8()?;
    header.skip(usize::from(options) * OPTION)?;
    Some(version)
}

fn walk(
    packet: &mut Packet<'_>,
    version_and_type: Option<(u8, u16)>,
    length: usize,
    format: &'static HeaderFormat,
) -> Step {
    let Some((version, kind)) = version_and_type else {
        return packet.missing(Layer::CiscoMetadata);
    };
    if version != VERSION {
        return packet.stop(Layer::CiscoMetadata, StopReason::BadField, version);
    }
    packet.path.push(Outer::CiscoMetadata);
    packet.advance(format, length);
    type_or_length(packet, kind, Layer::CiscoMetadata)
}

fn fields(header: &mut FieldReader<'_>) {
    option_fields(header);
    header.skip(header.left().saturating_sub(2));
    header.code("type", 2);
}

fn in_gre_fields(header: &mut FieldReader<'_>) {
    header.code("type", 2);
    option_fields(header);
}

fn option_fields(header: &mut FieldReader<'_>) {
    header.number("version", 1);
    header.number("length", 1);
    header.bits("option length", 2, 0xf000);
    header.bits("option type", 2, 0x0fff);
    header.skip(2);
    header.number("security group tag", 2);
}
