//! What capture tools put before an IEEE 802.11 frame: radiotap (radiotap.org), Prism and AVS
//! (tcpdump.org, LINKTYPE_IEEE802_11_PRISM, LINKTYPE_IEEE802_11_AVS).
//!
//! Radiotap, little-endian: version 1, padding 1, length 2, present bits in words of 4, then the
//! fields that they announce. Only the flags matter here: whether padding follows the 802.11
//! header. AVS, big-endian: version 4, length 4. Prism: message code 4, length 4, in the byte order
//! of the capturing host.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "radiotap", fields };
static AVS: HeaderFormat = HeaderFormat { name: "avs", fields: avs_fields };
static PRISM: HeaderFormat = HeaderFormat { name: "prism", fields: prism_fields };

/// Present bits: a time stamp of 8 bytes, the flags, another word of present bits.
const TIME: u32 = 0x1;
const FLAGS: u32 = 0x2;
const MORE: u32 = 0x8000_0000;
/// Flag: the 802.11 header is padded to a multiple of 4.
const PADDED: u8 = 0x20;
/// An AVS header begins with this and a version; Prism tools write both.
const AVS_COOKIE: [u8; 3] = [0x80, 0x21, 0x10];

/// Walks over a radiotap header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(version), Some(()), Some(length)) = (header.u8(), header.skip(1), header.u16_le())
    else {
        return packet.missing(Layer::Radiotap);
    };
    if version != 0 {
        return packet.stop(Layer::Radiotap, StopReason::BadField, version);
    }
    let Some(whole) = packet.rest().get(..length.into()) else {
        return packet.missing(Layer::Radiotap);
    };
    let padded = flags(whole).is_some_and(|flags| flags & PADDED != 0);
    packet.advance(&FORMAT, whole.len());
    Step::Next(On::Wlan { padded })
}

/// The flags field of a whole header, if it has one.
fn flags(whole: &[u8]) -> Option<u8> {
    let mut header = Cursor::new(whole);
    header.skip(4)?;
    let present = header.u32_le()?;
    let mut word = present;
    while word & MORE != 0 {
        word = header.u32_le()?;
    }
    if present & TIME != 0 {
        let position = header.position();
        header.skip(position.next_multiple_of(8) - position + 8)?;
    }
    if present & FLAGS != 0 { header.u8() } else { None }
}

/// Walks over a Prism or AVS header.
pub(in crate::decode) fn prism_or_avs(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(code), Some(length)) = (header.array::<4>(), header.array::<4>()) else {
        return packet.missing(Layer::Radiotap);
    };
    let is_avs = code.starts_with(&AVS_COOKIE);
    let big_endian = u32::from_be_bytes(length);
    // The larger reading of a length has its meaningful bytes at the wrong end.
    let length = if is_avs { big_endian } else { big_endian.min(u32::from_le_bytes(length)) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length < header.position() || packet.rest().len() < length {
        return packet.missing(Layer::Radiotap);
    }
    packet.advance(if is_avs { &AVS } else { &PRISM }, length);
    Step::Next(On::Wlan { padded: false })
}

fn fields(header: &mut FieldReader<'_>) {
    header.number("version", 1);
}

fn avs_fields(header: &mut FieldReader<'_>) {
    header.code("version", 4);
    header.number("length", 4);
}

fn prism_fields(header: &mut FieldReader<'_>) {
    header.code("message code", 4);
}
