//! The walk through one frame: where it stands and what the headers read so far have said.
//!
//! In: a frame, then each step's findings. Out: the [`Decoded`] classes, built in one place, once
//! all headers are read, so that lengths mean the same for every header. Not here: the layout of any
//! header.

use super::checksum;
use super::dispatch::On;
use super::fields::HeaderFormat;
use super::fingerprint::{self, Fingerprint};
use super::observer::Carrier;
use super::path::{Outer, Path};
use super::stop::{Layer, Stop, StopReason};
use super::unit::{Aside, DatagramId, Decoded, FragmentUnit, Oddities, Transport, Unit};
use super::{Direction, FlowKey};
use crate::base::{Endpoint, IpProto};
use crate::capture::FrameMeta;

/// What reading one header led to.
#[derive(Debug)]
pub(super) enum Step {
    /// Another header follows.
    Next(On),
    /// What IP carries is a tunnel, or by its port may be one: its header follows. When there is
    /// nothing to be read in it, the packet is what [`FlowPacket`] says.
    Enter(On, FlowPacket),
    /// It is no tunnel after all, or an empty one.
    NoTunnel,
    /// The class of the frame is known.
    Done(Ending),
}

/// Where the headers of a frame end. Small, because each step hands it on;
/// [`Packet::decoded`] makes the whole of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// At a packet of a flow, positioned at its transport payload.
    Flow(FlowPacket),
    /// At a fragment that is not the first of its datagram, positioned at its payload.
    Fragment {
        /// Ties it to the others of its datagram.
        identification: u32,
        /// Bytes of the datagram that lie before it.
        offset: u32,
        /// Whether it is the last of the datagram.
        is_last: bool,
    },
    /// At a protocol that carries no IP.
    NonIp(Layer, u64),
    /// Before a flow was known.
    Stopped(Stop),
}

/// What the transport header of a packet said, of a tunnel packet too.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowPacket {
    /// Of sender and receiver.
    pub(super) ports: (u16, u16),
    /// Bytes of transport payload on the wire.
    pub(super) payload: usize,
    /// What its transport header said.
    pub(super) transport: Transport,
}

/// What the innermost IP header has said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IpFacts {
    /// Sender, port 0.
    pub(super) source: Endpoint,
    /// Receiver, port 0.
    pub(super) destination: Endpoint,
    /// What the next header is.
    pub(super) protocol: IpProto,
    /// Whether it is IPv6, where extension headers may follow.
    pub(super) version_6: bool,
    /// Header and payload as declared.
    pub(super) bytes: usize,
    /// Where the header begins, from the start of the frame.
    pub(super) start: usize,
    /// The datagram of which this packet is the first fragment, and where the fragment's payload
    /// begins, from the start of the frame.
    pub(super) first_fragment: Option<(DatagramId, usize)>,
}

/// One frame and the position in it.
#[derive(Clone, Debug)]
pub(super) struct Packet<'a> {
    frame: &'a FrameMeta,
    /// The captured bytes from the start of the frame, without frame check sequence and without
    /// what lies behind a declared length.
    bytes: &'a [u8],
    /// Where the next header begins, from the start of the frame.
    offset: usize,
    /// Where the present layer ends on the wire, from the start of the frame. Lies beyond
    /// `bytes` when the capture was cut or a header declares more than there is.
    end: usize,
    /// Whether the destination in the innermost link header was a group.
    pub(super) link_group: bool,
    /// Whether this is the packet quoted by an ICMP error.
    quoted: bool,
    /// For an ICMP error: the flow of the packet that it quotes.
    pub(super) about: Option<(FlowKey, Direction)>,
    /// The innermost IP header.
    pub(super) ip: IpFacts,
    /// The headers outside the innermost IP header.
    pub(super) path: Path,
    /// Identifier of the innermost VLAN tag.
    pub(super) vlan: Option<u16>,
    /// The tunnel whose header was just read, for whoever looks on.
    pub(super) carrier: Option<Carrier>,
    /// What kind of header was read last.
    pub(super) format: Option<&'static HeaderFormat>,
    /// Ports of the innermost tunnel entered; 0 unless it runs over UDP.
    tunnel_ports: (u16, u16),
    /// The datagram of which the innermost tunnel packet is the first fragment. What it carries
    /// goes on in the later ones.
    tunnel_fragment: Option<(DatagramId, usize)>,
    /// Whether the innermost tunnel is the transport of a mirror port.
    pub(super) mirrored: bool,
    /// Whether a mirror port says that it cut the frame.
    pub(super) cut_by_mirror: bool,
}

impl<'a> Packet<'a> {
    /// A frame of which no header has been read.
    pub(super) fn new(frame: &'a FrameMeta, bytes: &'a [u8]) -> Self {
        let wire = bytes.len().max(frame.original as usize);
        let end = wire.saturating_sub(frame.fcs_bytes.into());
        let bytes = bytes.get(..end).unwrap_or(bytes);
        Packet {
            frame,
            bytes,
            offset: 0,
            end,
            link_group: false,
            quoted: false,
            about: None,
            ip: IpFacts::default(),
            path: Path::default(),
            vlan: None,
            carrier: None,
            format: None,
            tunnel_ports: (0, 0),
            tunnel_fragment: None,
            mirrored: false,
            cut_by_mirror: false,
        }
    }

    /// The packet that an ICMP error quotes from the present position on; `None` within a
    /// quotation, which never quotes again.
    pub(super) fn quotation(&self) -> Option<Self> {
        (!self.quoted).then(|| Packet { quoted: true, ip: IpFacts::default(), ..self.clone() })
    }

    /// Where the next header begins, from the start of the frame.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// The captured bytes of the present layer, from the next header on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// Bytes of the present layer on the wire, from the next header on.
    pub(super) fn wire_rest(&self) -> usize {
        self.end.saturating_sub(self.offset)
    }

    /// Whether less of the present layer was captured than was on the wire.
    fn is_cut(&self) -> bool {
        self.bytes.len() < self.end || self.cut_by_mirror
    }

    /// Whether it was the capture that left bytes out, and not a header that declares too many.
    fn was_cut(&self) -> bool {
        self.is_cut() && (self.frame.captured < self.frame.original || self.cut_by_mirror)
    }

    /// Bytes of the innermost IP packet that are in this packet: the rest of it comes in the later
    /// fragments of a tunnel packet.
    fn ip_bytes(&self) -> usize {
        match self.tunnel_fragment {
            Some(_) => self.ip.bytes.min(self.end.saturating_sub(self.ip.start)),
            None => self.ip.bytes,
        }
    }

    /// Moves behind a header of `length` bytes.
    pub(super) fn advance(&mut self, format: &'static HeaderFormat, length: usize) {
        self.format = Some(format);
        self.offset = self.offset.saturating_add(length);
    }

    /// Sets the length of the present layer, counted from the next header on, to what a header
    /// declares. What was captured behind it is padding or a trailer.
    pub(super) fn declare(&mut self, length: usize) {
        let end = self.offset.saturating_add(length);
        // Within a first fragment nothing reaches further than the fragment.
        self.end = if self.tunnel_fragment.is_some() { end.min(self.end) } else { end };
        self.bytes = self.bytes.get(..self.end).unwrap_or(self.bytes);
    }

    /// Whether a packet of `length` bytes from the next header on fits into the present layer. A
    /// first fragment may hold the beginning of a longer one.
    pub(super) fn fits(&self, length: usize) -> bool {
        length <= self.wire_rest() || self.tunnel_fragment.is_some()
    }

    /// Whether a packet of `length` bytes from the next header on takes all of the present layer. A
    /// first fragment holds less.
    pub(super) fn is_filled_by(&self, length: usize) -> bool {
        let rest = self.wire_rest();
        length == rest || length > rest && self.tunnel_fragment.is_some()
    }

    /// Goes over from the headers around a tunnel to the tunnel itself.
    pub(super) fn enter(&mut self, carrying: FlowPacket) {
        self.tunnel_ports = carrying.ports;
        self.tunnel_fragment = self.ip.first_fragment.or(self.tunnel_fragment);
        self.mirrored = false;
        self.declare(carrying.payload);
    }

    /// Hands over to the tunnel whose header follows. A quoted packet names the flow that met an
    /// error, so its tunnels stay closed.
    pub(super) fn tunnel(&self, hook: On, carrying: FlowPacket) -> Step {
        if self.quoted { Step::Done(Ending::Flow(carrying)) } else { Step::Enter(hook, carrying) }
    }

    /// Notes that the packet came through a tunnel, of which the header was just read.
    pub(super) fn carried(&mut self, outer: Outer, identifier: u32, sequence: Option<u32>) {
        self.path.push(outer);
        self.carrier = Some(Carrier {
            outer,
            source: self.ip.source.with_port(self.tunnel_ports.0),
            destination: self.ip.destination.with_port(self.tunnel_ports.1),
            protocol: self.ip.protocol,
            identifier,
            sequence,
            ip_bytes: saturate(self.ip.bytes),
        });
    }

    /// Stops at a header of which not enough was captured.
    pub(super) fn missing(&self, layer: Layer) -> Step {
        let cut = self.frame.captured < self.frame.original || self.cut_by_mirror;
        let reason = if cut { StopReason::CutHeader } else { StopReason::ShortHeader };
        self.stop(layer, reason, self.rest().len())
    }

    /// Stops at a header.
    pub(super) fn stop(&self, layer: Layer, reason: StopReason, value: impl TryInto<u64>) -> Step {
        let value = value.try_into().unwrap_or(u64::MAX);
        Step::Done(Ending::Stopped(Stop { layer, reason, value }))
    }

    /// Hands over to the header that the IP protocol number names.
    pub(super) fn next_protocol(&mut self, protocol: IpProto) -> Step {
        self.ip.protocol = protocol;
        Step::Next(On::Ip(protocol))
    }

    /// Fingerprint of the innermost IP packet.
    fn fingerprint(&self) -> Fingerprint {
        let packet = self.bytes.get(self.ip.start..).unwrap_or_default();
        if self.ip.version_6 { fingerprint::ipv6(packet) } else { fingerprint::ipv4(packet) }
    }

    /// What is odd about the innermost IP packet.
    fn oddities(&self) -> Oddities {
        let packet = self.bytes.get(self.ip.start..).unwrap_or_default();
        checksum::oddities(packet, self.ip.protocol, self.ip.bytes)
    }

    /// The datagram of which the packet is a fragment.
    fn datagram(&self, identification: u32) -> DatagramId {
        let IpFacts { source, destination, protocol, .. } = self.ip;
        DatagramId { source, destination, protocol, identification }
    }

    /// Hands over from a fragment, positioned at its payload, to the header that the IP protocol
    /// number names, if it is the first of its datagram. `offset` is how many bytes of the datagram
    /// lie before it.
    pub(super) fn fragment(
        &mut self,
        protocol: IpProto,
        identification: u32,
        offset: u32,
        goes_on: bool,
    ) -> Step {
        self.ip.protocol = protocol;
        if offset != 0 {
            return Step::Done(Ending::Fragment { identification, offset, is_last: !goes_on });
        }
        if goes_on {
            self.ip.first_fragment = Some((self.datagram(identification), self.offset));
        }
        Step::Next(On::Ip(protocol))
    }

    /// Ends at a packet of a flow, positioned at its transport payload of `payload` bytes on the
    /// wire. `ports` are those of sender and receiver.
    pub(super) fn unit(&self, ports: (u16, u16), payload: usize, transport: Transport) -> Step {
        Step::Done(Ending::Flow(FlowPacket { ports, payload, transport }))
    }

    /// The flow of the packet, and which way it travels.
    pub(super) fn flow(&self, ports: (u16, u16)) -> (FlowKey, Direction) {
        let source = self.ip.source.with_port(ports.0);
        let destination = self.ip.destination.with_port(ports.1);
        FlowKey::new(source, destination, self.ip.protocol)
    }

    /// The class of the frame.
    pub(super) fn decoded(&self, ending: Ending) -> Decoded {
        match ending {
            Ending::Flow(packet) => Decoded::Unit(self.flow_unit(packet)),
            Ending::Fragment { identification, offset, is_last } => {
                Decoded::Fragment(self.fragment_unit(identification, offset, is_last))
            }
            Ending::NonIp(layer, value) => Decoded::NonIp(layer, value),
            Ending::Stopped(stop) => Decoded::Stopped(stop),
        }
    }

    fn fragment_unit(&self, identification: u32, offset: u32, is_last: bool) -> FragmentUnit {
        FragmentUnit {
            datagram: self.datagram(identification),
            datagram_offset: offset,
            is_last,
            time: self.frame.time,
            source: self.frame.source,
            frame_bytes: self.frame.original,
            ip_bytes: saturate(self.ip.bytes),
            payload_bytes: saturate(self.wire_rest()),
            payload_offset: saturate(self.offset.min(self.bytes.len())),
            payload_captured: saturate(self.rest().len()),
            link_group: self.link_group,
            cut: self.was_cut(),
            path: self.path,
            vlan: self.vlan,
            fingerprint: self.fingerprint(),
        }
    }

    fn flow_unit(&self, packet: FlowPacket) -> Unit {
        let FlowPacket { ports, payload, transport } = packet;
        let (key, direction) = self.flow(ports);
        let payload = payload.min(self.wire_rest());
        Unit {
            key,
            direction,
            time: self.frame.time,
            source: self.frame.source,
            frame_bytes: self.frame.original,
            ip_bytes: saturate(self.ip_bytes()),
            payload_bytes: saturate(payload),
            payload_offset: saturate(self.offset.min(self.bytes.len())),
            payload_captured: saturate(payload.min(self.rest().len())),
            transport,
            link_group: self.link_group,
            cut: self.was_cut(),
            path: self.path,
            vlan: self.vlan,
            fingerprint: self.fingerprint(),
            oddities: self.oddities(),
            aside: self.aside(),
        }
    }

    fn aside(&self) -> Aside {
        if let Some((datagram, start)) =
            self.ip.first_fragment.as_ref().or(self.tunnel_fragment.as_ref())
        {
            let before = self.offset.saturating_sub(*start);
            Aside::FirstFragment(*datagram, u16::try_from(before).unwrap_or(u16::MAX))
        } else if let Some((key, direction)) = self.about {
            Aside::Quotes(key, direction)
        } else {
            Aside::None
        }
    }

    /// Whether the packet goes on in later fragments.
    fn starts_datagram(&self) -> bool {
        self.ip.first_fragment.is_some() || self.tunnel_fragment.is_some()
    }

    /// Ends at a header behind the addresses that is too short to give the ports, or what follows
    /// it: the packet belongs to its two hosts, with port 0 and the protocol of that header. A
    /// first fragment sent that small has no honest sender, and a quotation without ports names no
    /// flow.
    pub(super) fn incomplete(&self, layer: Layer) -> Step {
        if self.quoted {
            self.missing(layer)
        } else if self.starts_datagram() && !self.is_cut() {
            self.stop(layer, StopReason::TinyFragment, self.rest().len())
        } else {
            self.unit((0, 0), 0, Transport::Incomplete)
        }
    }
}

/// Lengths reach 4 GiB only where a header lies.
fn saturate(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
