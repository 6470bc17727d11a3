//! Frames to transport units. Never fails: every frame ends in exactly one [`Decoded`] class
//! and says how far it was understood.

mod key;
mod unit;

pub use key::{Direction, FlowKey};
pub use unit::{DatagramId, Decoded, FragmentUnit, Layer, Stop, StopReason, Transport, Unit};
