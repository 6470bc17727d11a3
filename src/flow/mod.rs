//! Transport units folded into per-flow state that can be merged at any cut of the packets.
//!
//! In: [`Unit`](crate::decode::Unit)s in arrival order. Carried: one [`FlowHistory`] per
//! order-free five-tuple, the fragments that wait for their first, and the packet counts of
//! every accounting class. Out, once: [`FlowRecord`]s.
//!
//! Nothing is decided while packets arrive: who initiated, which state a connection reached and
//! where one use of a five-tuple ends are functions of the merged history. The fold only cuts
//! where a cut can be taken back: at every new SYN and at every long silence.

mod accounting;
mod aging;
mod carriers;
mod changes;
mod copies;
mod facts;
mod fragment;
mod fragments;
mod half;
mod history;
mod joining;
mod quotes;
mod record;
mod segment;
mod slab;
mod table;

pub use accounting::{Accounting, Class, Tally};
pub use carriers::{Amount, CarrierKey, CarrierLog, CarrierUse};
pub use copies::{CopyCounts, CopyWindow, PacketCopy, SPACINGS};
pub use facts::CaptureFacts;
pub use fragment::{FirstFragment, Found, FragmentEvent};
pub use fragments::FragmentPool;
pub use half::{Half, TcpSeen};
pub use history::{FlowHistory, Pushed};
pub use joining::Datagram;
pub use quotes::{Quote, QuoteLog};
pub use record::{ConnectionState, DirectionBasis, FlowRecord, IcmpNotice, records};
pub use segment::{Origin, Segment};
pub use table::{FlowTable, GROUP, Packet, Room};
