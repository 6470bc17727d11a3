//! IEEE 802.11 data frames (clause 9.2 and 9.3.2): frame control 2, duration 2, addresses 6 + 6 +
//! 6, sequence control 2, a fourth address 6 between access points, QoS control 2 in QoS frames,
//! HT control 4 where announced; then LLC.
//!
//! Management and control frames carry no IP. A protected frame hides what it carries; fragments
//! and aggregates of frames are not put together or taken apart.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Ending, Packet, Step};
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "wlan", fields };

/// Frame control, first byte: version, type and subtype bits.
const VERSION: u8 = 0x03;
const TYPE: u8 = 0x0c;
const DATA: u8 = 0x08;
const NO_DATA: u8 = 0x40;
const QOS: u8 = 0x80;
/// Frame control, second byte.
const TO_DISTRIBUTION: u8 = 0x01;
const FROM_DISTRIBUTION: u8 = 0x02;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;
/// QoS control, first byte: the frame holds several.
const AGGREGATE: u8 = 0x80;
/// Sequence control, first byte: number of the fragment.
const FRAGMENT: u8 = 0x0f;
/// The bit of the first address byte that marks a group.
const GROUP: u8 = 0x01;
/// What an unknown stop calls a fragment and an aggregate; see `non_ip`.
pub(in crate::decode) const LATER_FRAGMENT: u64 = 0x100;
pub(in crate::decode) const SEVERAL_FRAMES: u64 = 0x101;

/// What the header of a data frame says.
struct Data {
    destination: u8,
    fragment: u8,
    quality: u8,
}

/// Reads a frame. `padded` says whether its header is padded to a multiple of four bytes;
/// `swapped`, whether the bytes of the frame control have changed places, as some access points
/// send it in CAPWAP.
pub(in crate::decode) fn step(packet: &mut Packet<'_>, padded: bool, swapped: bool) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some([one, other]) = header.array::<2>() else {
        return packet.missing(Layer::Wlan);
    };
    let (kind, flags) = if swapped { (other, one) } else { (one, other) };
    if kind & VERSION != 0 {
        return packet.stop(Layer::Wlan, StopReason::BadField, kind);
    }
    if kind & TYPE != DATA || kind & NO_DATA != 0 {
        return Step::Done(Ending::NonIp(Layer::Wlan, (kind & TYPE).into()));
    }
    let Some(data) = data(&mut header, kind, flags) else {
        return packet.missing(Layer::Wlan);
    };
    packet.link_group = data.destination & GROUP != 0;
    if flags & PROTECTED != 0 {
        return packet.stop(Layer::Wlan, StopReason::Encrypted, PROTECTED);
    }
    // Such access points fill the sequence control with something else, and send no fragments.
    if data.fragment != 0 && !swapped {
        return packet.stop(Layer::Wlan, StopReason::Unknown, LATER_FRAGMENT);
    }
    if data.quality & AGGREGATE != 0 {
        return packet.stop(Layer::Wlan, StopReason::Unknown, SEVERAL_FRAMES);
    }
    let length = header.position();
    packet.advance(&FORMAT, if padded { length.next_multiple_of(4) } else { length });
    Step::Next(On::Llc)
}

/// Reads the header of a data frame behind its frame control.
fn data(header: &mut Cursor<'_>, kind: u8, flags: u8) -> Option<Data> {
    header.skip(2)?;
    let receiver = header.u8()?;
    header.skip(11)?;
    let third = header.u8()?;
    header.skip(5)?;
    let fragment = header.u8()? & FRAGMENT;
    header.skip(1)?;
    if flags & TO_DISTRIBUTION != 0 && flags & FROM_DISTRIBUTION != 0 {
        header.skip(6)?;
    }
    let mut quality = 0;
    if kind & QOS != 0 {
        quality = header.u8()?;
        header.skip(1)?;
        if flags & HT_CONTROL != 0 {
            header.skip(4)?;
        }
    }
    let destination = if flags & TO_DISTRIBUTION == 0 { receiver } else { third };
    Some(Data { destination, fragment, quality })
}

fn fields(header: &mut FieldReader<'_>) {
    header.code("frame control", 2);
    header.skip(2);
    header.station("receiver");
    header.station("transmitter");
    header.station("third address");
    header.code("sequence control", 2);
}
