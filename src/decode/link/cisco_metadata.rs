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

/// The only version there is.
const VERSION: u8 = 1;
/// Bytes of one option.
const OPTION: usize = 4;

/// Walks over the options.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(version), Some(options)) = (header.u8(), header.u8()) else {
        return packet.missing(Layer::CiscoMetadata);
    };
    if version != VERSION {
        return packet.stop(Layer::CiscoMetadata, StopReason::BadField, version);
    }
    let skipped = header.skip(usize::from(options) * OPTION);
    let Some(kind) = skipped.and_then(|()| header.u16_be()) else {
        return packet.missing(Layer::CiscoMetadata);
    };
    packet.path.push(Outer::CiscoMetadata);
    packet.advance(&FORMAT, header.position());
    type_or_length(packet, kind, Layer::CiscoMetadata)
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("version", 1);
    header.number("length", 1);
    header.bits("option length", 2, 0xf000);
    header.bits("option type", 2, 0x0fff);
    header.skip(2);
    header.number("security group tag", 2);
    header.skip(header.left().saturating_sub(2));
    header.code("type", 2);
}
