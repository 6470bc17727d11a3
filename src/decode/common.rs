//! The commonest frames, read in one go: Ethernet with at most one VLAN tag, IPv4 without options
//! that is whole and captured, TCP or UDP that is no tunnel.
//!
//! In: a frame. Out: the packet of a flow, or nothing where anything is less common: the frame is
//! then peeled header by header. That would come to the same here too, with more work for each
//! header, and the tests below compare the two.

use super::dispatch::over_udp;
use super::fields::HeaderFormat;
use super::observer::{Header, Observer};
use super::path::{Outer, Path};
use super::transport::tcp::SHORTEST_HEADER;
use super::transport::udp::HEADER;
use super::unit::{Aside, Transport, Unit};
use super::{FlowKey, checksum, fingerprint, link, net, transport};
use crate::base::{Endpoint, IpProto, LinkType};
use crate::capture::FrameMeta;

/// Bytes of the headers of Ethernet and IPv4, and of a VLAN tag.
const ETHERNET: usize = 14;
const TAG: usize = 4;
const IPV4: usize = 20;

/// What the transport header says.
struct Segment {
    ports: (u16, u16),
    transport: Transport,
    format: &'static HeaderFormat,
    /// Bytes of the header, and of the payload behind it.
    header: usize,
    payload: usize,
}

/// Reads a frame whose every header is of the commonest form.
#[inline]
pub(super) fn read(frame: &FrameMeta, bytes: &[u8], observer: &mut impl Observer) -> Option<Unit> {
    if frame.link != LinkType::ETHERNET || frame.fcs_bytes != 0 {
        return None;
    }
    let [first, _, _, _, _, _, _, _, _, _, _, _, outer @ ..] = bytes.first_chunk::<ETHERNET>()?;
    let (mut kind, mut start) = (u16::from_be_bytes(*outer), ETHERNET);
    let (mut path, mut vlan) = (Path::default(), None);
    if kind == 0x8100 {
        let [high, low, inner @ ..] = bytes.get(start..)?.first_chunk::<TAG>()?;
        let identifier = u16::from_be_bytes([*high, *low]) & 0x0fff;
        vlan = (identifier != 0).then_some(identifier);
        path.push(Outer::Vlan);
        (kind, start) = (u16::from_be_bytes(*inner), start + TAG);
    }
    let packet = bytes.get(start..)?;
    let [0x45, _, a, b, _, _, c, d, _, protocol, _, _, ends @ ..] = packet.first_chunk::<IPV4>()?
    else {
        return None;
    };
    let is_fragment = u16::from_be_bytes([*c, *d]) & 0x3fff != 0;
    if kind != 0x0800 || is_fragment {
        return None;
    }
    let ip_bytes = u16::from_be_bytes([*a, *b]);
    let packet = packet.get(..ip_bytes.into())?;
    let segment = Segment::read(IpProto(*protocol), packet.get(IPV4..)?)?;

    let Segment { ports, transport, format, header, payload } = segment;
    observer.header(Header { format: &link::ethernet::FORMAT, offset: 0, length: ETHERNET });
    if start > ETHERNET {
        observer.header(Header { format: &link::vlan::FORMAT, offset: ETHERNET, length: TAG });
    }
    observer.header(Header { format: &net::ipv4::FORMAT, offset: start, length: IPV4 });
    observer.header(Header { format, offset: start + IPV4, length: header });

    let [e, f, g, h, i, j, k, l] = *ends;
    let source = Endpoint::v4([e, f, g, h], ports.0);
    let destination = Endpoint::v4([i, j, k, l], ports.1);
    let (key, direction) = FlowKey::new(source, destination, IpProto(*protocol));
    Some(Unit {
        key,
        direction,
        time: frame.time,
        source: frame.source,
        frame_bytes: frame.original,
        ip_bytes: ip_bytes.into(),
        payload_bytes: payload as u32,
        payload_offset: (start + IPV4 + header) as u32,
        payload_captured: payload as u32,
        transport,
        link_group: first & link::ethernet::GROUP != 0,
        cut: false,
        path,
        vlan,
        fingerprint: fingerprint::ipv4(packet),
        oddities: checksum::oddities(packet, IpProto(*protocol), ip_bytes.into()),
        aside: Aside::None,
    })
}

impl Segment {
    #[inline]
    fn read(protocol: IpProto, segment: &[u8]) -> Option<Self> {
        match protocol {
            IpProto::TCP => Segment::tcp(segment),
            IpProto::UDP => Segment::udp(segment),
            _ => None,
        }
    }

    #[inline]
    fn tcp(segment: &[u8]) -> Option<Self> {
        let [a, b, c, d, numbers @ .., offset, flags, _, _, _, _, _, _] =
            segment.first_chunk::<SHORTEST_HEADER>()?;
        let [e, f, g, h, i, j, k, l] = *numbers;
        let header = usize::from(offset >> 4) * 4;
        let payload = segment.len().checked_sub(header).filter(|_| header >= SHORTEST_HEADER)?;
        Some(Segment {
            ports: (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])),
            transport: Transport::Tcp {
                sequence: u32::from_be_bytes([e, f, g, h]),
                acknowledgement: u32::from_be_bytes([i, j, k, l]),
                flags: *flags,
            },
            format: &transport::tcp::FORMAT,
            header,
            payload,
        })
    }

    #[inline]
    fn udp(segment: &[u8]) -> Option<Self> {
        let [a, b, c, d, e, f, _, _] = *segment.first_chunk::<HEADER>()?;
        let ports = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        if over_udp(ports.1).or_else(|| over_udp(ports.0)).is_some() {
            return None;
        }
        let declared = usize::from(u16::from_be_bytes([e, f])).checked_sub(HEADER)?;
        Some(Segment {
            ports,
            transport: Transport::Udp,
            format: &transport::udp::FORMAT,
            header: HEADER,
            payload: declared.min(segment.len() - HEADER),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::dispatch::On;
    use super::super::packet::Packet;
    use super::super::{Decoded, follow};
    use super::*;
    use crate::base::Timestamp;
    use crate::capture::FrameRef;

    #[derive(Default, PartialEq, Debug)]
    struct Headers(Vec<(&'static str, usize, usize)>);

    impl Observer for Headers {
        fn header(&mut self, header: Header) {
            self.0.push((header.name(), header.offset, header.length));
        }
    }

    /// The frames of a fixture: a pcap of little-endian records.
    fn frames(name: &str) -> Vec<(Vec<u8>, u32)> {
        let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::read(path).expect("a fixture");
        let mut rest = &file[24..];
        let mut frames = Vec::new();
        while let Some((header, more)) = rest.split_first_chunk::<16>() {
            let word = |at: usize| {
                u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
            };
            let (data, next) = more.split_at(word(8) as usize);
            frames.push((data.to_vec(), word(12)));
            rest = next;
        }
        frames
    }

    /// Whether the frame is of the commonest form. It is then the same peeled header by header.
    fn agrees(bytes: &[u8], original: u32) -> bool {
        let frame = FrameMeta {
            offset: 0,
            captured: bytes.len() as u32,
            original: original.max(bytes.len() as u32),
            time: Timestamp::from_nanos(7),
            source: FrameRef { ordinal: 1, input: 2, number: 3 },
            stored_at: 0,
            interface: 0,
            link: LinkType::ETHERNET,
            fcs_bytes: 0,
        };
        let (mut quick, mut slow) = (Headers::default(), Headers::default());
        let Some(unit) = read(&frame, bytes, &mut quick) else {
            assert_eq!(quick, Headers::default());
            return false;
        };
        let mut packet = Packet::new(&frame, bytes);
        let ending = follow(&mut packet, On::Link(frame.link), &mut slow);
        let Decoded::Unit(peeled) = packet.decoded(ending) else {
            panic!("no packet of a flow: {bytes:02x?}")
        };
        assert_eq!(format!("{unit:?}"), format!("{peeled:?}"), "{bytes:02x?}");
        assert_eq!(quick, slow);
        true
    }

    fn tagged(frame: &[u8], tag: [u8; 2]) -> Vec<u8> {
        let (addresses, rest) = frame.split_at(12);
        [addresses, &[0x81, 0x00], &tag, rest].concat()
    }

    #[test]
    fn peeling_header_by_header_comes_to_the_same() {
        let frames = frames("voicemail/capture.pcap");
        let common: Vec<_> =
            frames.iter().filter(|(bytes, original)| agrees(bytes, *original)).collect();
        assert!(common.len() * 10 > frames.len() * 9, "{} of {}", common.len(), frames.len());
        let untagged = common.iter().filter(|(bytes, _)| bytes[12..14] == [0x08, 0x00]);
        for (bytes, original) in untagged {
            assert!(agrees(&tagged(bytes, [0x20, 0x63]), original + 4), "{bytes:02x?}");
            assert!(agrees(&tagged(bytes, [0xe0, 0x00]), original + 4), "{bytes:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn damage_and_cuts_change_nothing_of_that(
            place in 0..usize::MAX,
            damage in proptest::collection::vec((0..64_usize, proptest::num::u8::ANY), 0..4),
            cut in 0..2000_usize,
            padding in 0..20_usize,
            tag: Option<[u8; 2]>,
        ) {
            let frames = frames("quickstart/capture.pcap");
            let (bytes, original) = &frames[place % frames.len()];
            let mut bytes = tag.map_or(bytes.clone(), |tag| tagged(bytes, tag));
            for (at, value) in damage {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            bytes.truncate(cut);
            bytes.extend(std::iter::repeat_n(0, padding));
            agrees(&bytes, *original);
        }
    }
}
