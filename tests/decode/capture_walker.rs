//! Frames of a capture file, read with pcap-parser so that the decoder's tests do not stand on
//! the reader that the product uses.

use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
use portolan::base::{LinkType, Timestamp};
use portolan::capture::{FrameMeta, FrameRef};
use std::io::Read;
use std::path::Path;

/// A frame and its bytes.
pub(crate) struct Frame {
    pub(crate) meta: FrameMeta,
    pub(crate) bytes: Vec<u8>,
}

/// The frames of `path` up to the first block that cannot be read.
pub(crate) fn frames(path: &Path) -> Vec<Frame> {
    let mut frames = Vec::new();
    let contents = contents(path);
    let room = contents.len().max(1 << 16);
    let Ok(mut reader) = create_reader(room, std::io::Cursor::new(contents)) else {
        return frames;
    };
    let mut links = Vec::new();
    let mut snaplen = 0;
    loop {
        match reader.next() {
            Ok((length, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        links = vec![(header.network.0 & 0xffff) as u16];
                    }
                    PcapBlockOwned::Legacy(packet) => {
                        push(
                            &mut frames,
                            links.first(),
                            packet.data,
                            packet.caplen,
                            packet.origlen,
                        );
                    }
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => links.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        links.push((interface.linktype.0 & 0xffff) as u16);
                        snaplen = interface.snaplen;
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let link = links.get(packet.if_id as usize);
                        push(&mut frames, link, packet.data, packet.caplen, packet.origlen);
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                        let limit = if snaplen == 0 { u32::MAX } else { snaplen };
                        let captured = packet.origlen.min(limit);
                        push(&mut frames, links.first(), packet.data, captured, packet.origlen);
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(length);
            }
            Err(PcapError::Incomplete(_)) => {
                if reader.refill().is_err() || reader.reader_exhausted() {
                    return frames;
                }
            }
            Err(_) => return frames,
        }
    }
}

fn push(frames: &mut Vec<Frame>, link: Option<&u16>, data: &[u8], captured: u32, original: u32) {
    let Some(link) = link else { return };
    let bytes = data[..data.len().min(captured as usize)].to_vec();
    let number = frames.len() as u64 + 1;
    frames.push(Frame { meta: meta(LinkType(*link), bytes.len(), original, number), bytes });
}

/// The facts of the `number`th frame.
pub(crate) fn meta(link: LinkType, captured: usize, original: u32, number: u64) -> FrameMeta {
    let captured = u32::try_from(captured).unwrap();
    FrameMeta {
        offset: 0,
        captured,
        original: original.max(captured),
        time: Timestamp::from_parts(0, 0),
        source: FrameRef { ordinal: number - 1, input: 0, number },
        stored_at: 0,
        interface: 0,
        link,
        fcs_bytes: 0,
    }
}

fn contents(path: &Path) -> Vec<u8> {
    let file = std::fs::File::open(path).unwrap();
    let mut bytes = Vec::new();
    match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap(),
        Some("zst") => zstd::Decoder::new(file).unwrap().read_to_end(&mut bytes).unwrap(),
        _ => { file }.read_to_end(&mut bytes).unwrap(),
    };
    bytes
}
