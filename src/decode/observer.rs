//! What can be told of a frame besides its class: the headers met, and the tunnels it came
//! through.

use super::path::Outer;
use super::stop::Stop;
use crate::base::{Endpoint, IpProto};

/// A tunnel that carried a packet: the IP header outside the tunnel header, and what the tunnel
/// header says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Which kind of tunnel.
    pub outer: Outer,
    /// Sender of the outer packet; its port is 0 unless the tunnel runs over UDP.
    pub source: Endpoint,
    /// Receiver of the outer packet.
    pub destination: Endpoint,
    /// Protocol of the outer packet: UDP, or the number of the tunnel itself.
    pub protocol: IpProto,
    /// Network identifier, session, key or tunnel endpoint identifier; 0 when there is none.
    pub identifier: u32,
    /// Sequence number of the tunnel header, by which lost mirror packets are counted.
    pub sequence: Option<u32>,
    /// Bytes of the outer IP packet as its header declares them.
    pub ip_bytes: u32,
}

/// A header met on the way through a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Stable name in kebab case, such as `ipv4`.
    pub name: &'static str,
    /// Offset of its first byte in the frame.
    pub offset: usize,
    /// Bytes of it that decoding walked over.
    pub length: usize,
}

/// Looks on while a frame is decoded. `()` sees nothing and costs nothing.
pub trait Observer {
    /// A header was read.
    fn header(&mut self, _header: Header) {}

    /// The packet came through a tunnel. Outermost first.
    fn carrier(&mut self, _carrier: Carrier) {}

    /// What a tunnel carried could not be read: the frame counts for the tunnel itself.
    fn unread_inside(&mut self, _stop: Stop) {}
}

impl Observer for () {}
