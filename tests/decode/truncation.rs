//! A frame cut anywhere gives the flow of the whole frame, or says that it does not know.

use super::capture_walker::{frames, meta};
use super::frames::samples;
use portolan::base::LinkType;
use portolan::decode::{Decoded, StopReason, Transport, Unit, dissect};
use proptest::prelude::*;

/// What a prefix may be decoded to, given what the whole frame was.
fn check(whole: &Decoded, prefix: &Decoded, context: &str) {
    match (whole, prefix) {
        (_, Decoded::Stopped(stop)) => {
            let known = matches!(whole, Decoded::Stopped(same) if same == stop);
            assert!(known || stop.reason == StopReason::CutHeader, "{context}: {stop:?}");
        }
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

fn check_unit(whole: &Unit, prefix: &Unit, context: &str) {
    assert_eq!(whole.frame_bytes, prefix.frame_bytes, "{context}");
    assert_eq!(whole.ip_bytes, prefix.ip_bytes, "{context}");
    assert!(prefix.payload_captured <= whole.payload_captured, "{context}");
    if prefix.transport != Transport::Incomplete {
        assert_eq!((whole.key, whole.direction), (prefix.key, prefix.direction), "{context}");
        assert_eq!(whole.payload_bytes, prefix.payload_bytes, "{context}");
        return;
    }
    let hosts = |unit: &Unit| [unit.key.a().address(), unit.key.b().address()];
    assert_eq!(hosts(whole), hosts(prefix), "{context}");
    let ports = (prefix.key.a().port(), prefix.key.b().port());
    let whole_ports = (whole.key.a().port(), whole.key.b().port());
    assert!(ports == (0, 0) || ports == whole_ports, "{context}: {ports:?}");
}

/// Decodes the first `captured` bytes of a frame that had all of them.
fn prefix(link: LinkType, bytes: &[u8], captured: usize) -> Decoded {
    let original = u32::try_from(bytes.len()).unwrap();
    dissect(&meta(link, captured, original, 1), &bytes[..captured], &mut ())
}

#[test]
fn no_prefix_of_a_valid_frame_gives_another_flow() {
    for sample in samples() {
        let whole = prefix(sample.link, &sample.bytes, sample.bytes.len());
        for captured in 0..sample.bytes.len() {
            let context = format!("{} cut to {captured}", sample.name);
            check(&whole, &prefix(sample.link, &sample.bytes, captured), &context);
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

proptest! {
    #[test]
    fn any_bytes_give_one_class_with_the_payload_inside(
        link in prop::sample::select(vec![0_u16, 1, 9, 12, 14, 50, 101, 108, 113, 228, 229, 276]),
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
    let whole = prefix(link, bytes, bytes.len());
    assert!(payload_is_inside(&whole, bytes.len()), "{path}");
    for captured in 0..bytes.len().min(120) {
        let cut = prefix(link, bytes, captured);
        assert!(payload_is_inside(&cut, captured), "{path}");
        check(&whole, &cut, &format!("{path} cut to {captured}"));
    }
}
