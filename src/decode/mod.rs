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
mod dispatch;
mod fingerprint;
mod key;
mod link;
mod net;
mod non_ip;
mod observer;
mod packet;
mod path;
mod stop;
mod transport;
mod unit;

use crate::capture::FrameMeta;
use dispatch::On;
use packet::{Packet, Step};

pub use fingerprint::{Distinction, Fingerprint};
pub use key::{Direction, FlowKey};
pub use non_ip::{hides_ip, non_ip_name};
pub use observer::{Carrier, Header, Observer};
pub use path::{Outer, Path};
pub use stop::{Layer, Stop, StopReason};
pub use unit::{Aside, DatagramId, Decoded, FragmentUnit, Oddities, Transport, Unit};

/// How many headers of one frame are followed. Real frames have fewer than ten; the limit only
/// bounds the work on frames made to be deep.
const HEADER_LIMIT: u32 = 64;

/// Decodes one frame. `bytes` are its captured bytes; of `frame`, only the lengths, the link
/// type and the provenance are used.
pub fn dissect(frame: &FrameMeta, bytes: &[u8], observer: &mut impl Observer) -> Decoded {
    follow(&mut Packet::new(frame, bytes), On::Link(frame.link), observer)
}

/// Peels headers off `packet` from the one found on `hook` until its class is known.
fn follow(packet: &mut Packet<'_>, hook: On, observer: &mut impl Observer) -> Decoded {
    let mut hook = hook;
    for _ in 0..HEADER_LIMIT {
        let step = dispatch::step(hook, packet);
        if let Some(carrier) = packet.carrier.take() {
            observer.carrier(carrier);
        }
        match step {
            Step::Next(next) => hook = next,
            Step::Done(decoded) => return decoded,
        }
    }
    let (layer, _) = hook.place();
    Decoded::Stopped(Stop { layer, reason: StopReason::TooDeep, value: HEADER_LIMIT.into() })
}
