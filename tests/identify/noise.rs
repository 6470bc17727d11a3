//! What no recogniser may do: claim noise, refuse a message because it was cut, or panic.

use std::collections::BTreeSet;

use portolan::base::Timestamp;
use portolan::identify::{Answer, Carriage, Evidence, Grade, Piece, RECOGNISERS, Start};
use proptest::prelude::*;

use super::assemble::{OwnedPiece, conversations};
use super::corpus::truth;
use crate::capture::corpus_folder;

fn piece(bytes: &[u8], wire: usize, start: Start) -> Piece<'_> {
    let time = Timestamp::from_nanos(0);
    Piece { bytes, wire: wire.max(bytes.len()), start, segments: &[], time }
}

fn views(pieces: &[OwnedPiece]) -> Vec<Piece<'_>> {
    pieces.iter().map(OwnedPiece::view).collect()
}

/// Claims of a grade or better on evidence that is noise.
fn claims(evidence: &Evidence<'_>, least: Grade) -> Vec<String> {
    let of_carriage = RECOGNISERS.iter().filter(|r| r.carriage.contains(&evidence.carriage));
    let answers = of_carriage.map(|recogniser| (recogniser.recognise)(evidence));
    answers
        .filter_map(|answer| match answer {
            Answer::Match(claim) if claim.grade >= least => Some(format!("{claim:?}")),
            _ => None,
        })
        .collect()
}

fn assert_no_claim(a: &[Vec<u8>], b: &[Vec<u8>], extra: usize, least: Grade) {
    for carriage in [Carriage::Tcp, Carriage::Udp] {
        for start in [Start::Message, Start::Midstream] {
            let pieces = |sent: &[Vec<u8>]| -> Vec<OwnedPiece> {
                // A stream has one start.
                let owned = |(index, bytes): (usize, &Vec<u8>)| OwnedPiece {
                    bytes: bytes.clone(),
                    wire: bytes.len() + extra,
                    start: if index == 0 { start } else { Start::Midstream },
                    segments: vec![3, 9],
                    time: Timestamp::from_nanos(0),
                };
                sent.iter().enumerate().map(owned).collect()
            };
            let (a, b) = (pieces(a), pieces(b));
            let (a, b) = (views(&a), views(&b));
            let evidence = Evidence { carriage, a: &a, b: &b };
            let claims = claims(&evidence, least);
            assert!(claims.is_empty(), "{claims:?} on {evidence:?}");
        }
    }
}

/// Bytes of any value, and text.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..600),
        "[ -~\r\n]{0,80}".prop_map(String::into_bytes),
    ]
}

/// Bytes that favour small numbers, as binary headers do. Now and then they are a header.
fn small_numbers() -> impl Strategy<Value = Vec<u8>> {
    let small = prop_oneof![3 => Just(0_u8), 3 => 0..8_u8, 2 => any::<u8>()];
    prop::collection::vec(small, 0..96)
}

fn pieces(one: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(one, 0..4)
}

/// Bytes that were cut off behind each piece.
fn extra() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0_usize), 0..2000_usize]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2048,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn noise_is_not_claimed(a in pieces(noise()), b in pieces(noise()), extra in extra()) {
        assert_no_claim(&a, &b, extra, Grade::Strong);
    }

    #[test]
    fn small_numbers_confirm_nothing(
        a in pieces(small_numbers()),
        b in pieces(small_numbers()),
        extra in extra(),
    ) {
        assert_no_claim(&a, &b, extra, Grade::Confirmed);
    }
}

/// Real flows with all but the first bytes of each piece cut away by the capture: what the whole
/// matches, no part refuses.
#[test]
fn a_cut_conversation_is_not_refused() {
    let Some(folder) = corpus_folder() else { return };
    let mut compared = 0;
    let truth = truth(&folder);
    let files: BTreeSet<&String> = truth.keys().map(|(file, ..)| file).collect();
    for file in files.into_iter().map(|file| folder.join(file)) {
        for conversation in conversations(&file) {
            let [a, b] = conversation.pieces();
            let view = |pieces: &[OwnedPiece], keep: usize| -> Vec<OwnedPiece> {
                let cut = |piece: &OwnedPiece| OwnedPiece {
                    bytes: piece.bytes[..piece.bytes.len().min(keep)].to_vec(),
                    segments: piece
                        .segments
                        .iter()
                        .copied()
                        .filter(|s| (*s as usize) < keep)
                        .collect(),
                    ..piece.clone()
                };
                pieces.iter().map(cut).collect()
            };
            for recogniser in RECOGNISERS {
                if !recogniser.carriage.contains(&conversation.carriage) {
                    continue;
                }
                let answer = |keep: usize| {
                    let (a, b) = (view(&a, keep), view(&b, keep));
                    let (a, b) = (views(&a), views(&b));
                    let evidence = Evidence { carriage: conversation.carriage, a: &a, b: &b };
                    (recogniser.recognise)(&evidence)
                };
                if !matches!(answer(usize::MAX), Answer::Match(_)) {
                    continue;
                }
                compared += 1;
                for keep in (0..64).chain([96, 128, 200, 400]) {
                    let name = recogniser.protocol.name();
                    assert_ne!(answer(keep), Answer::No, "{file:?}: {name} cut to {keep} bytes");
                }
            }
        }
    }
    println!("{compared} conversations cut");
    assert!(compared > 500);
}

/// A header that is there again and again in single segments is no chain.
#[test]
fn headers_of_few_bits_do_not_add_up() {
    // The beginning of a frame of AMQP 0-9-1, which looks like a packet of TDS.
    let frame = [1, 0, 3, 0, 0, 0, 0x29, 0, 0x3c, 0, 0x3c];
    let pieces = [piece(&frame, 448, Start::Midstream); 8];
    let evidence = Evidence { carriage: Carriage::Tcp, a: &pieces, b: &[] };
    assert_eq!(claims(&evidence, Grade::Strong), Vec::<String>::new());
}
