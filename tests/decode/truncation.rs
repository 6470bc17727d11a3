//! A frame cut anywhere gives the flow of the whole frame, or says that it does not know.

use super::capture_walker::{frames, meta};
use super::frames::samples;
use super::tunnels::{Told, told};
use portolan::base::LinkType;
use portolan::decode::{Carrier, Decoded, FlowKey, StopReason, Transport, Unit, dissect};
use proptest::prelude::*;

/// What a prefix may be decoded to, given what the whole frame was. The capture may cut a frame
/// within a tunnel: it then counts for that tunnel, which the whole frame came through too.
fn check(whole: &Told, prefix: &Told, context: &str) {
    let known = prefix.carriers.len() <= whole.carriers.len();
    assert!(known && whole.carriers.starts_with(&prefix.carriers), "{context}: {prefix:?}");
    match (&whole.decoded, &prefix.decoded) {
        (_, Decoded::Stopped(stop)) => {
            let known = matches!(&whole.decoded, Decoded::Stopped(same) if same == stop);
            assert!(known || stop.reason == StopReason::CutHeader, "{context}: {stop:?}");
        }
        (_, Decoded::Unit(prefix)) if is_tunnel(whole, prefix) => {}
        (Decoded::Unit(whole), Decoded::Unit(prefix)) => check_unit(whole, prefix, context),
        (Decoded::Fragment(whole), Decoded::Fragment(prefix)) => {
            assert_eq!(whole.datagram, prefix.datagram, "{context}");
            assert_eq!(whole.payload_bytes, prefix.payload_bytes, "{context}");
        }
        (Decoded::Fragment(whole), Decoded::Unit(prefix)) => {
            assert_eq!(prefix.transport, Transport::Incomplete, "{context}");
            assert_eq!(prefix.ip_bytes, whole.ip_bytes, "{context}");
        }
        (Decoded::NonIp(..), Decoded::NonIp(..)) => {}
        (whole, prefix) => panic!("{context}: {whole:?} became {prefix:?}"),
    }
}

/// Whether a cut frame counts for a tunnel that it came through. The header that leads to the
/// tunnel may be cut itself.
fn is_tunnel(whole: &Told, prefix: &Unit) -> bool {
    whole.carriers.iter().any(|carrier| {
        let Carrier { source, destination, protocol, ip_bytes, .. } = *carrier;
        let (key, direction) = FlowKey::new(source, destination, protocol);
        let same = match prefix.transport {
            Transport::Incomplete => agrees(&key, &prefix.key),
            _ => (key, direction) == (prefix.key, prefix.direction),
        };
        same && prefix.ip_bytes == ip_bytes
    })
}

/// Whether the key of an incomplete packet has the hosts of `whole`, and its ports or none.
fn agrees(whole: &FlowKey, incomplete: &FlowKey) -> bool {
    let hosts = |key: &FlowKey| [key.a().address(), key.b().address()];
    let ports = |key: &FlowKey| [key.a().port(), key.b().port()];
    hosts(whole) == hosts(incomplete) && [[0, 0], ports(whole)].contains(&ports(incomplete))
}

fn check_unit(whole: &Unit, prefix: &Unit, context: &str) {
    assert_eq!(whole.frame_bytes, prefix.frame_bytes, "{context}");
    assert_eq!(whole.ip_bytes, prefix.ip_bytes, "{context}");
    assert!(prefix.payload_captured <= whole.payload_captured, "{context}");
    if prefix.transport != Transport::Incomplete {
        assert_eq!((whole.key, whole.direction), (prefix.key, prefix.direction), "{context}");
        assert_eq!(whole.payload_bytes, prefix.payload_bytes, "{context}");
        return;
    }
    assert!(agrees(&whole.key, &prefix.key), "{context}: {:?}", prefix.key);
}

#[test]
fn no_prefix_of_a_valid_frame_gives_another_flow() {
    for sample in samples() {
        let whole = told(sample.link, &sample.bytes, sample.bytes.len());
        for captured in 0..sample.bytes.len() {
            let context = format!("{} cut to {captured}", sample.name);
            check(&whole, &told(sample.link, &sample.bytes, captured), &context);
        }
    }
}

/// The place in its frame of what a unit calls payload.
fn payload_is_inside(decoded: &Decoded, captured: usize) -> bool {
    match decoded {
        Decoded::Unit(unit) => {
            u64::from(unit.payload_offset) + u64::from(unit.payload_captured) <= captured as u64
                && unit.payload_captured <= unit.payload_bytes
        }
        _ => true,
    }
}

/// Every link type that is decoded.
const LINK_TYPES: [u16; 33] = [
    0, 1, 6, 9, 10, 12, 14, 50, 51, 100, 101, 104, 105, 106, 107, 108, 109, 113, 117, 119, 127,
    163, 192, 204, 205, 206, 228, 229, 239, 242, 258, 274, 276,
];

proptest! {
    #[test]
    fn any_bytes_give_one_class_with_the_payload_inside(
        link in prop::sample::select(LINK_TYPES.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        beyond in 0_u32..100,
        fcs_bytes in 0_u8..8,
    ) {
        let mut frame = meta(LinkType(link), bytes.len(), bytes.len() as u32 + beyond, 1);
        frame.fcs_bytes = fcs_bytes;
        prop_assert!(payload_is_inside(&dissect(&frame, &bytes, &mut ()), bytes.len()));
    }

    #[test]
    fn damaged_frames_give_one_class_with_the_payload_inside(
        sample in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let samples = samples();
        let sample = sample.get(&samples);
        let mut bytes = sample.bytes.clone();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let decoded = dissect(&meta(sample.link, bytes.len(), 0, 1), &bytes, &mut ());
        prop_assert!(payload_is_inside(&decoded, bytes.len()));
    }
}

#[test]
fn no_prefix_of_a_captured_frame_gives_another_flow() {
    let Some(folder) = std::env::var_os("PORTOLAN_CORPUS") else {
        println!("skipped: PORTOLAN_CORPUS is not set");
        return;
    };
    let mut checked = 0;
    for kind in ["encaps", "formats", "malformed", "protocols"] {
        let entries = std::fs::read_dir(std::path::Path::new(&folder).join(kind)).unwrap();
        for path in entries.map(|entry| entry.unwrap().path()) {
            for frame in frames(&path).iter().take(40) {
                checked += 1;
                check_prefixes(frame.meta.link, &frame.bytes, &path.display().to_string());
            }
        }
    }
    assert!(checked > 5000, "only {checked} frames were read");
}

/// Headers end within the first 120 bytes of nearly every frame.
fn check_prefixes(link: LinkType, bytes: &[u8], path: &str) {
    let whole = told(link, bytes, bytes.len());
    assert!(payload_is_inside(&whole.decoded, bytes.len()), "{path}");
    for captured in 0..bytes.len().min(120) {
        let cut = told(link, bytes, captured);
        assert!(payload_is_inside(&cut.decoded, captured), "{path}");
        check(&whole, &cut, &format!("{path} cut to {captured}"));
    }
}
