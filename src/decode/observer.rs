//! What can be told of a frame besides its class: the headers met, and the tunnels it came
//! through.

use super::fields::{Field, FieldReader, HeaderFormat};
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
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// What kind of header.
    pub(super) format: &'static HeaderFormat,
    /// Offset of its first byte in the frame.
    pub offset: usize,
    /// Bytes of it as its fields declare them; a cut frame may hold less.
    pub length: usize,
}

impl Header {
    /// Stable name in kebab case, such as `ipv4`.
    pub fn name(&self) -> &'static str {
        self.format.name
    }

    /// The main fields, as far as `frame`, the captured bytes, holds them.
    pub fn fields(&self, frame: &[u8]) -> Vec<Field> {
        let end = self.offset.saturating_add(self.length).min(frame.len());
        let header = frame.get(self.offset..end).unwrap_or_default();
        FieldReader::read(self.format, header, self.offset)
    }
}

/// Looks on while a frame is decoded. `()` sees nothing and costs nothing.
pub trait Observer {
    /// A header was read.
    fn header(&mut self, _header: Header) {}

    /// The packet came through a tunnel. Outermost first.
    fn carrier(&mut self, _carrier: Carrier) {}

    /// The frame counts for a flow of the tunnel that was told of last, because it carried no
    /// packet that could be read.
    fn own_flow(&mut self, _carrier: Carrier) {}

    /// What a tunnel carried could not be read: the frame counts for the tunnel itself.
    fn unread_inside(&mut self, _stop: Stop) {}
}

impl Observer for () {}
