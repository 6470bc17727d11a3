//! One frame with a link type: decoded whole and cut. Two bytes say the link type, one how many
//! bytes the capture lacks, one where it is cut besides.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portolan::base::{LinkType, Timestamp};
use portolan::capture::{FrameMeta, FrameRef};
use portolan::decode::{Carrier, Decoded, Header, Observer, StopReason, Transport, dissect};
use portolan_fuzz::take::Take;

#[derive(Default)]
struct Met {
    headers: Vec<Header>,
    carriers: Vec<Carrier>,
}

impl Observer for Met {
    fn header(&mut self, header: Header) {
        self.headers.push(header);
    }

    fn carrier(&mut self, carrier: Carrier) {
        self.carriers.push(carrier);
    }
}

fn decoded(link: u16, bytes: &[u8], original: usize) -> (Decoded, Met) {
    let meta = FrameMeta {
        offset: 0,
        captured: bytes.len() as u32,
        original: original as u32,
        time: Timestamp::from_nanos(0),
        source: FrameRef::default(),
        stored_at: 0,
        interface: 0,
        link: LinkType(link),
        fcs_bytes: 0,
    };
    let mut met = Met::default();
    (dissect(&meta, bytes, &mut met), met)
}

/// Headers follow each other inside the frame, and so do their fields and the payload.
fn lies_inside(bytes: &[u8], decoded: &Decoded, met: &Met) {
    for header in &met.headers {
        for field in header.fields(bytes) {
            let end = field.offset + field.length;
            assert!(end <= bytes.len(), "{} {field:?} of {}", header.name(), bytes.len());
        }
    }
    let (offset, captured, payload) = match decoded {
        Decoded::Unit(unit) => (unit.payload_offset, unit.payload_captured, unit.payload_bytes),
        Decoded::Fragment(part) => (part.payload_offset, part.payload_captured, part.payload_bytes),
        Decoded::NonIp(..) | Decoded::Stopped(_) => return,
    };
    assert!(u64::from(offset) + u64::from(captured) <= bytes.len() as u64, "{decoded:?}");
    assert!(captured <= payload, "{decoded:?}");
}

/// A frame that was cut is the flow of the whole frame, or of a tunnel around it, or unknown.
fn is_no_other_flow(whole: &(Decoded, Met), cut: &(Decoded, Met)) {
    let Decoded::Unit(part) = &cut.0 else { return };
    let of_tunnel = whole.1.carriers.iter().any(|carrier| {
        let ends = [carrier.source.address(), carrier.destination.address()];
        ends.contains(&part.key.a().address()) && ends.contains(&part.key.b().address())
    });
    if of_tunnel || part.transport == Transport::Incomplete {
        return;
    }
    match &whole.0 {
        Decoded::Unit(unit) => assert_eq!(unit.key, part.key, "{unit:?} was cut to {part:?}"),
        Decoded::Stopped(stop) => assert_eq!(stop.reason, StopReason::CutHeader, "{part:?}"),
        whole => panic!("{whole:?} was cut to {part:?}"),
    }
}

fuzz_target!(|input: &[u8]| {
    let mut take = Take(input);
    let (link, lacks, cut) = (take.word(), take.byte(), take.byte());
    let bytes = take.0;
    let original = bytes.len() + usize::from(lacks);
    let whole = decoded(link, bytes, original);
    lies_inside(bytes, &whole.0, &whole.1);
    let captured = bytes.len() * usize::from(cut) / 256;
    let part = decoded(link, &bytes[..captured], original);
    lies_inside(&bytes[..captured], &part.0, &part.1);
    is_no_other_flow(&whole, &part);
});
