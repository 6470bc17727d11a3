//! A stack of MPLS labels (RFC 3032 section 2.1: label 20 bits, traffic class 3, bottom of stack
//! 1, time to live 8) and what lies below it.
//!
//! Nothing says what that is. IP is known by its version (RFC 4928), a control word by its first
//! four bits 0 (RFC 4385 section 3), the frame of an Ethernet pseudowire (RFC 4448) by an
//! EtherType that makes sense.

use crate::base::Cursor;
use crate::decode::dispatch::On;
use crate::decode::fields::{FieldReader, HeaderFormat};
use crate::decode::packet::{Ending, Packet, Step};
use crate::decode::path::Outer;
use crate::decode::plausible;
use crate::decode::stop::{Layer, StopReason};

static FORMAT: HeaderFormat = HeaderFormat { name: "mpls", fields };
static CONTROL_WORD: HeaderFormat =
    HeaderFormat { name: "control-word", fields: control_word_fields };

/// Marks the last label of the stack.
const BOTTOM: u32 = 0x100;
/// First four bits of a channel for operation and maintenance (RFC 4385 section 5).
const ASSOCIATED_CHANNEL: u8 = 1;
/// Bytes of a control word.
const CONTROL_WORD_BYTES: usize = 4;

/// Walks over all labels.
pub(in crate::decode) fn step(packet: &mut Packet<'_>) -> Step {
    let Some((_, length)) = stack(packet.rest()) else {
        return packet.missing(Layer::Mpls);
    };
    packet.path.push(Outer::Mpls);
    packet.advance(&FORMAT, length);
    Step::Next(On::BelowLabels)
}

/// The bottom label and the bytes of the whole stack; `None` when it has no bottom.
pub(in crate::decode) fn stack(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut labels = Cursor::new(bytes);
    loop {
        let entry = labels.u32_be()?;
        if entry & BOTTOM != 0 {
            return Some((entry >> 12, labels.position()));
        }
    }
}

/// Finds out what follows the stack.
pub(in crate::decode) fn below(packet: &mut Packet<'_>) -> Step {
    let Some(first) = packet.rest().first().copied() else {
        return packet.missing(Layer::Mpls);
    };
    if plausible::ip(packet, 0) != Some(false) {
        return Step::Next(On::AnyIp);
    }
    let kind = first >> 4;
    if kind == 0 {
        match plausible::ethernet(packet, CONTROL_WORD_BYTES) {
            Some(true) => {
                packet.advance(&CONTROL_WORD, CONTROL_WORD_BYTES);
                return Step::Next(On::Ethernet);
            }
            Some(false) => {}
            None => return packet.missing(Layer::Mpls),
        }
    }
    if plausible::ethernet(packet, 0) == Some(true) {
        return Step::Next(On::Ethernet);
    }
    match kind {
        4 | 6 => Step::Next(On::AnyIp),
        ASSOCIATED_CHANNEL => Step::Done(Ending::NonIp(Layer::Mpls, ASSOCIATED_CHANNEL.into())),
        _ => packet.stop(Layer::Mpls, StopReason::Unknown, kind),
    }
}

/// Whether the packet may be a stack with something known below it.
pub(in crate::decode) fn is_plausible(packet: &Packet<'_>) -> bool {
    let Some((_, length)) = stack(packet.rest()) else { return false };
    plausible::ip(packet, length) == Some(true)
        || plausible::ethernet(packet, length) == Some(true)
        || plausible::ethernet(packet, length.saturating_add(CONTROL_WORD_BYTES)) == Some(true)
}

fn fields(header: &mut FieldReader<'_>) {
    while header.left() >= 4 {
        header.bits("label", 3, 0xff_fff0);
        header.skip(2);
        header.bits("traffic class", 1, 0x0e);
        header.bits("bottom of stack", 1, 0x01);
        header.skip(1);
        header.number("time to live", 1);
    }
}

fn control_word_fields(header: &mut FieldReader<'_>) {
    header.code("flags and length", 2);
    header.number("sequence", 2);
}
