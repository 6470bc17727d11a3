//! L2TP data packets. Version 2 (RFC 2661 section 3.1): flags and version 2, length 2 if L,
//! tunnel 2, session 2, sequence numbers 2 + 2 if S, offset 2 and padding if O, then PPP. Version 3
//! (RFC 3931 section 4.1): over UDP flags and version 2 and reserved 2; then session 4, a cookie of
//! 0, 4 or 8 bytes, often a sublayer of 4 bytes, then a frame.
//!
//! Nothing in a version 3 packet tells how long the cookie is: it is where an Ethernet frame
//! makes sense. Control packets stay packets of their own flow.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::plausible;

static VERSION_2: HeaderFormat = HeaderFormat { name: "l2tp-2", fields: version_2_fields };
static VERSION_3: HeaderFormat = HeaderFormat { name: "l2tp-3", fields: version_3_fields };
static VERSION_3_UDP: HeaderFormat = HeaderFormat { name: "l2tp-3", fields: version_3_udp_fields };

/// A control packet.
const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;
const VERSION: u16 = 0x000f;
/// Bits that are 0 in every version 2 packet.
const RESERVED: u16 = 0x34f0;
/// Bytes of cookie and sublayer together.
const COOKIES: [usize; 4] = [0, 4, 8, 12];

/// What a version 2 header says.
#[derive(Debug)]
struct Session {
    tunnel: u16,
    session: u16,
    sequence: Option<u16>,
    length: Option<u16>,
}

/// A packet behind a UDP header.
pub(in crate::decode) fn over_udp(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let Some(flags) = header.u16_be().filter(|flags| flags & CONTROL == 0) else {
        return Step::NoTunnel;
    };
    match flags & VERSION {
        2 if flags & RESERVED == 0 => version_2(packet, header, flags).unwrap_or(Step::NoTunnel),
        3 if flags & !VERSION == 0 && header.u16_be() == Some(0) => {
            version_3(packet, header, &VERSION_3_UDP)
        }
        _ => Step::NoTunnel,
    }
}

/// A packet behind an IP header. Session 0 is that of control packets.
pub(in crate::decode) fn over_ip(packet: &mut Packet<'_>) -> Step {
    version_3(packet, Cursor::new(packet.rest()), &VERSION_3)
}

/// `None` when lengths or the header inside do not agree with a version 2 packet.
fn version_2(packet: &mut Packet<'_>, mut header: Cursor<'_>, flags: u16) -> Option<Step> {
    let Session { tunnel, session, sequence, length } = session(&mut header, flags)?;
    let length = length.map_or(packet.wire_rest(), usize::from);
    if length < header.position() || !packet.fits(length) || !is_ppp(header.rest()) {
        return None;
    }
    packet.declare(length.min(packet.wire_rest()));
    let identifier = u32::from(tunnel) << 16 | u32::from(session);
    packet.carried(Outer::L2tp2, identifier, sequence.map(u32::from));
    packet.advance(&VERSION_2, header.position());
    Some(Step::Next(On::PppFrame))
}

fn session(header: &mut Cursor<'_>, flags: u16) -> Option<Session> {
    let length = if flags & LENGTH != 0 { Some(header.u16_be()?) } else { None };
    let (tunnel, session) = (header.u16_be()?, header.u16_be()?);
    let mut sequence = None;
    if flags & SEQUENCE != 0 {
        sequence = Some(header.u16_be()?);
        header.skip(2)?;
    }
    if flags & OFFSET != 0 {
        let padding = header.u16_be()?;
        header.skip(padding.into())?;
    }
    Some(Session { tunnel, session, sequence, length })
}

/// Whether a PPP frame may begin here: address and control, or a protocol number, whose first
/// byte is even, unless it is compressed to one odd byte.
fn is_ppp(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0x03, ..] => true,
        [0x21 | 0x57, ..] => true,
        [first, second, ..] => first & 1 == 0 && second & 1 == 1,
        _ => false,
    }
}

/// A version 3 packet from its session on.
fn version_3(
    packet: &mut Packet<'_>,
    mut header: Cursor<'_>,
    format: &'static HeaderFormat,
) -> Step {
    let Some(session) = header.u32_be().filter(|session| *session != 0) else {
        return Step::NoTunnel;
    };
    let Some(length) = before_ethernet(packet, header.position()) else {
        return Step::NoTunnel;
    };
    packet.carried(Outer::L2tp3, session, None);
    packet.advance(format, length);
    Step::Next(On::Ethernet)
}

/// Bytes before the first place behind `session` where an Ethernet frame makes sense; `None` when
/// there is none, or one before it was cut off.
fn before_ethernet(packet: &Packet<'_>, session: usize) -> Option<usize> {
    for cookie in COOKIES {
        if plausible::ethernet(packet, session + cookie)? {
            return Some(session + cookie);
        }
    }
    None
}

fn version_2_fields(header: &mut FieldReader<'_>) {
    let flags = header.code("flags and version", 2).unwrap_or_default() as u16;
    if flags & LENGTH != 0 {
        header.number("length", 2);
    }
    header.number("tunnel", 2);
    header.number("session", 2);
    if flags & SEQUENCE != 0 {
        header.number("sequence", 2);
        header.number("expected sequence", 2);
    }
}

fn version_3_fields(header: &mut FieldReader<'_>) {
    header.code("session", 4);
    let cookie = header.left();
    if cookie > 0 {
        header.code("cookie and sublayer", cookie.min(8));
    }
}

fn version_3_udp_fields(header: &mut FieldReader<'_>) {
    header.code("flags and version", 2);
    header.skip(2);
    version_3_fields(header);
}
