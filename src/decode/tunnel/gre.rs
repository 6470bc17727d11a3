//! GRE. Version 0 (RFC 2784, RFC 2890, RFC 1701): flags and version 2, protocol 2, checksum and
//! offset 4 if C or R, key 4 if K, sequence number 4 if S, routing if R. Version 1, that of PPTP (RFC
//! 2637 section 4.1): flags and version 2, protocol 2, payload length and call 2 + 2, sequence
//! number 4 if S, acknowledgement 4 if A, then PPP.
//!
//! The protocol is an EtherType, or one of a few numbers that mean something in GRE alone.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Packet, Step};
use crate::decode::path::Outer;
use crate::decode::plausible;
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "gre", fields };
static REDIRECT: HeaderFormat = HeaderFormat { name: "wccp-redirect", fields: redirect_fields };

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

/// An Ethernet frame.
const ETHERNET: u16 = 0x6558;
/// ERSPAN types I and II, told apart by the sequence number; type III.
const ERSPAN: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;
/// PPP.
const PPP: u16 = 0x880b;
/// Cisco metadata, laid out in another way than behind Ethernet.
const CISCO_METADATA: u16 = 0x8909;
/// A packet that a router redirected to a cache.
const WCCP: u16 = 0x883e;
/// The smallest identifier of a virtual subnet (RFC 7637 section 3.2).
const FIRST_SUBNET: u32 = 0x1000;

/// What the flags announce.
#[derive(Debug, Default)]
struct Optional {
    key: Option<u32>,
    sequence: Option<u32>,
}

/// Reads the header.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let mut header = Cursor::new(packet.rest());
    let (Some(flags), Some(protocol)) = (header.u16_be(), header.u16_be()) else {
        return packet.missing(Layer::Gre);
    };
    let optional = match flags & VERSION {
        0 => version_0(&mut header, flags),
        1 => version_1(&mut header, flags),
        version => return packet.stop(Layer::Gre, StopReason::BadField, version),
    };
    let Some(optional) = optional else {
        return packet.missing(Layer::Gre);
    };
    packet.advance(&FORMAT, header.position());
    if packet.wire_rest() == 0 {
        // A keepalive, or an acknowledgement alone.
        return Step::NoTunnel;
    }
    inside(packet, flags, protocol, &optional)
}

fn version_0(header: &mut Cursor<'_>, flags: u16) -> Option<Optional> {
    let mut optional = Optional::default();
    if flags & (CHECKSUM | ROUTING) != 0 {
        header.skip(4)?;
    }
    if flags & KEY != 0 {
        optional.key = Some(header.u32_be()?);
    }
    if flags & SEQUENCE != 0 {
        optional.sequence = Some(header.u32_be()?);
    }
    if flags & ROUTING != 0 {
        skip_routing(header)?;
    }
    Some(optional)
}

/// Walks over source route entries: address family 2, offset 1, length 1, addresses. One of
/// family and length 0 is the last.
fn skip_routing(header: &mut Cursor<'_>) -> Option<()> {
    loop {
        let family = header.u16_be()?;
        header.skip(1)?;
        let length = header.u8()?;
        if family == 0 && length == 0 {
            return Some(());
        }
        header.skip(length.into())?;
    }
}

fn version_1(header: &mut Cursor<'_>, flags: u16) -> Option<Optional> {
    header.skip(2)?;
    let call = header.u16_be()?;
    let mut optional = Optional { key: Some(call.into()), sequence: None };
    if flags & SEQUENCE != 0 {
        optional.sequence = Some(header.u32_be()?);
    }
    if flags & ACKNOWLEDGEMENT != 0 {
        header.skip(4)?;
    }
    Some(optional)
}

/// What the protocol field says follows, and what kind of tunnel that makes.
fn inside(packet: &mut Packet<'_>, flags: u16, protocol: u16, optional: &Optional) -> Step {
    let Optional { key, sequence } = *optional;
    let identifier = key.unwrap_or_default();
    match protocol {
        ERSPAN_3 => return Step::Next(On::Erspan { sequence }),
        ERSPAN if sequence.is_some() => return Step::Next(On::Erspan { sequence }),
        ERSPAN => {
            packet.carried(Outer::Erspan1, identifier, None);
            packet.mirrored = true;
            return Step::Next(On::Ethernet);
        }
        _ => {}
    }
    let subnet = key.map(|key| key >> 8).filter(|subnet| *subnet >= FIRST_SUBNET);
    match (flags & VERSION, protocol, subnet) {
        (1, ..) => packet.carried(Outer::Pptp, identifier, sequence),
        (_, ETHERNET, Some(subnet)) if flags == KEY => packet.carried(Outer::Nvgre, subnet, None),
        _ => packet.carried(Outer::Gre, identifier, sequence),
    }
    match protocol {
        PPP => Step::Next(On::PppFrame),
        WCCP => redirected(packet),
        CISCO_METADATA => Step::Next(On::GreMetadata),
        protocol => Step::Next(On::EtherType(protocol)),
    }
}

/// A redirected packet may have a header of 4 bytes (WCCP version 2): flags, service group,
/// buckets.
fn redirected(packet: &mut Packet<'_>) -> Step {
    if plausible::ip(packet, 0) == Some(false) {
        packet.advance(&REDIRECT, 4);
    }
    Step::Next(On::AnyIp)
}

fn fields(header: &mut FieldReader<'_>) {
    let flags = header.code("flags and version", 2).unwrap_or_default() as u16;
    header.code("protocol", 2);
    let version_1 = flags & VERSION == 1;
    if version_1 {
        header.number("payload length", 2);
        header.number("call", 2);
    } else if flags & (CHECKSUM | ROUTING) != 0 {
        header.code("checksum", 2);
        header.number("offset", 2);
    }
    if flags & KEY != 0 && !version_1 {
        header.code("key", 4);
    }
    if flags & SEQUENCE != 0 {
        header.number("sequence", 4);
    }
    if flags & ACKNOWLEDGEMENT != 0 && version_1 {
        header.number("acknowledgement", 4);
    }
}

fn redirect_fields(header: &mut FieldReader<'_>) {
    header.code("flags", 1);
    header.number("service", 1);
}
