//! Frames to transport units. Never fails: every frame ends in exactly one [`Decoded`] class
//! and says how far it was understood.
//!
//! In: one captured frame, its link type and its lengths. Out: the packet of a flow, a later
//! fragment, the name of a non-IP protocol, or where and why decoding stopped. Nothing is
//! allocated and no payload is looked at. Not here: joining fragments to their first (`flow`
//! keeps that table), checksums (offload makes them wrong in most captures) and what the
//! payload means (`identify`).
//!
//! A header family is one file with one `step`; `dispatch` is the one list that says what
//! follows what.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

mod checksum;
mod common;
mod dispatch;
mod fields;
mod fingerprint;
mod key;
mod link;
mod net;
mod non_ip;
mod observer;
mod packet;
mod path;
mod plausible;
mod stop;
mod transport;
mod tunnel;
mod unit;

use crate::capture::FrameMeta;
use dispatch::On;
use packet::{Ending, FlowPacket, Packet, Step};

pub use fields::{Field, FieldValue};
pub use fingerprint::{Distinction, Fingerprint};
pub use key::{Direction, FlowKey};
pub use non_ip::{hides_ip, non_ip_name};
pub use observer::{Carrier, Header, Observer};
pub use path::{Outer, Path};
pub use stop::{Layer, Stop, StopReason};
pub use transport::sctp::sctp_messages;
pub use unit::{Aside, DatagramId, Decoded, FragmentUnit, Oddities, Transport, Unit};

/// How many headers of one frame are followed. Real frames have fewer than twenty; the limit only
/// bounds the work on frames made to be deep. Extension headers behind an IP header do not count:
/// hosts walk over any number of them, so whoever stopped would let traffic hide behind them.
const HEADER_LIMIT: u32 = 64;
/// How many tunnels of one frame are entered.
const TUNNEL_LIMIT: u32 = 16;

/// Decodes one frame. `bytes` are its captured bytes; of `frame`, only the lengths, the link
/// type and the provenance are used.
///
/// A packet that came through tunnels counts for its innermost five-tuple. When what a tunnel
/// carries cannot be read or is no IP packet, the frame counts for the tunnel itself, so that
/// nothing hides in it; only a mirrored frame without IP is a frame without IP.
pub fn dissect(frame: &FrameMeta, bytes: &[u8], observer: &mut impl Observer) -> Decoded {
    if let Some(unit) = common::read(frame, bytes, observer) {
        return Decoded::Unit(unit);
    }
    let mut packet = Packet::new(frame, bytes);
    let ending = follow(&mut packet, On::Link(frame.link), observer);
    packet.decoded(ending)
}

/// Peels headers off `packet` from the one found on `hook` until its class is known. Leaves it
/// where they end.
fn follow<'a>(packet: &mut Packet<'a>, hook: On, observer: &mut impl Observer) -> Ending {
    let mut hook = hook;
    let mut outside: Option<Outside<'a>> = None;
    let mut tunnels = 0;
    let mut headers = 0;
    while headers < HEADER_LIMIT {
        headers += u32::from(!dispatch::is_extension(hook));
        let start = packet.offset();
        let step = dispatch::step(hook, packet);
        if let Some(format) = packet.format.filter(|_| packet.offset() > start) {
            observer.header(Header { format, offset: start, length: packet.offset() - start });
        }
        if let Some(carrier) = packet.carrier.take() {
            observer.carrier(carrier);
            if let Some(outside) = &mut outside {
                outside.carrier = Some(carrier);
            }
        }
        match step {
            Step::Next(next) => hook = next,
            Step::Enter(inside, carrying) => {
                outside = Some(Outside { packet: packet.clone(), carrying, carrier: None });
                tunnels += 1;
                if tunnels > TUNNEL_LIMIT {
                    return settle(too_deep(inside, TUNNEL_LIMIT), packet, outside, observer);
                }
                packet.enter(carrying);
                hook = inside;
            }
            Step::NoTunnel => {
                return match outside {
                    Some(outside) => outside.own_flow(packet, observer),
                    None => unknown(hook),
                };
            }
            Step::Done(ending) => return settle(ending, packet, outside, observer),
        }
    }
    settle(too_deep(hook, HEADER_LIMIT), packet, outside, observer)
}

/// Where the headers of a frame end, of which decoding came to `ending` and `outside` is the
/// innermost tunnel.
fn settle<'a>(
    ending: Ending,
    packet: &mut Packet<'a>,
    outside: Option<Outside<'a>>,
    observer: &mut impl Observer,
) -> Ending {
    let Some(outside) = outside else { return ending };
    match ending {
        Ending::Flow(_) | Ending::Fragment { .. } => ending,
        Ending::NonIp(..) if packet.mirrored => ending,
        Ending::NonIp(..) => outside.own_flow(packet, observer),
        Ending::Stopped(stop) => {
            observer.unread_inside(stop);
            outside.own_flow(packet, observer)
        }
    }
}

/// The innermost tunnel that was entered.
struct Outside<'a> {
    /// The packet before it was.
    packet: Packet<'a>,
    /// That packet as one of its own flow.
    carrying: FlowPacket,
    /// What its header said of it, once that was read.
    carrier: Option<Carrier>,
}

impl<'a> Outside<'a> {
    /// Goes back to the tunnel packet as one of its own flow.
    fn own_flow(self, packet: &mut Packet<'a>, observer: &mut impl Observer) -> Ending {
        if let Some(carrier) = self.carrier {
            observer.own_flow(carrier);
        }
        *packet = self.packet;
        Ending::Flow(self.carrying)
    }
}

fn too_deep(hook: On, limit: u32) -> Ending {
    let (layer, _) = hook.place();
    Ending::Stopped(Stop { layer, reason: StopReason::TooDeep, value: limit.into() })
}

fn unknown(hook: On) -> Ending {
    let (layer, value) = hook.place();
    Ending::Stopped(Stop { layer, reason: StopReason::Unknown, value })
}
