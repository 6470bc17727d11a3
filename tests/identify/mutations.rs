//! Damaged and spliced conversations: a recogniser may lose its claim, and none may confirm
//! another protocol.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portolan::base::Timestamp;
use portolan::identify::{Carriage, End, Grade, Payload, Protocol, Recognition};

use super::assemble::{Conversation, conversations};
use super::corpus::{row_of, truth};
use crate::capture::corpus_folder;
use crate::sites::Numbers;

/// Payloads of a conversation that are used.
const PAYLOADS: usize = 40;
/// Damaged forms of each conversation, and how often it is spliced to another one.
const FORMS: usize = 8;
const SPLICES: usize = 4;

/// A payload, who sent it, and how long it was on the wire.
#[derive(Clone)]
struct Said {
    end: End,
    bytes: Vec<u8>,
    wire: usize,
    time: Timestamp,
}

/// A conversation with its name in the truth table and those that the product gives it.
struct Known {
    carriage: Carriage,
    ports: [u16; 2],
    said: Vec<Said>,
    names: BTreeSet<String>,
    from: String,
}

/// The payloads of both ends in order of arrival, without what was sent again.
fn said(conversation: &Conversation) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    for (end, sent) in [End::A, End::B].into_iter().zip(&conversation.sent) {
        let mut seen = BTreeSet::new();
        for segment in &sent.segments {
            if conversation.carriage == Carriage::Udp || seen.insert(segment.sequence) {
                let (bytes, wire, time) = (segment.bytes.clone(), segment.wire, segment.time);
                said.push(Said { end, bytes, wire, time });
            }
        }
    }
    said.sort_by_key(|one| one.time);
    said.truncate(PAYLOADS);
    said
}

/// What the product makes of payloads that follow each other without a hole.
fn recognised(carriage: Carriage, ports: [u16; 2], said: &[Said]) -> Option<(Protocol, Grade)> {
    let mut recognition = Recognition::default();
    let mut next = [1000_u32; 2];
    recognition.begin(End::A, next[0]);
    recognition.begin(End::B, next[1]);
    for (place, Said { end, bytes, wire, time }) in (0..).zip(said) {
        let (end, wire, time) = (*end, *wire as u32, *time);
        let sequence = next[end as usize];
        next[end as usize] = sequence.wrapping_add(wire);
        let joined = false;
        let payload = Payload { end, carriage, sequence, bytes, wire, time, place, joined, ports };
        recognition.take(&payload, false, true);
    }
    let identity = Arc::unwrap_or_clone(recognition.content()?).identity?;
    Some((identity.protocol, identity.grade))
}

/// A conversation in which bytes are other ones, or are missing.
fn damaged(said: &[Said], numbers: &mut Numbers) -> Vec<Said> {
    let mut said = said.to_vec();
    let kind = numbers.below(4);
    for one in &mut said {
        let length = one.bytes.len();
        match kind {
            _ if length == 0 => {}
            // Bits of the first bytes, where headers are.
            0 => {
                for _ in 0..=numbers.below(3) {
                    one.bytes[numbers.below(length.min(32))] ^= 1 << numbers.below(8);
                }
            }
            // Any bytes.
            1 => {
                for _ in 0..=numbers.below(8) {
                    one.bytes[numbers.below(length)] = numbers.below(256) as u8;
                }
            }
            // An end that stops early.
            2 => {
                one.bytes.truncate(numbers.below(length) + 1);
                one.wire = one.bytes.len();
            }
            // A capture that does.
            _ => one.bytes.truncate(numbers.below(length) + 1),
        }
    }
    said
}

/// The beginning of one conversation, and another one behind it.
fn spliced(one: &Known, other: &Known, numbers: &mut Numbers) -> Vec<Said> {
    let cut = numbers.below(one.said.len().min(6) + 1);
    let mut said = one.said[..cut].to_vec();
    said.extend(other.said.iter().cloned());
    said
}

/// Forms of one protocol: which of them is meant is told by port and address alone.
fn form(name: &str) -> &str {
    match name {
        "mdns" | "llmnr" => "dns",
        other => other,
    }
}

fn known() -> Option<Vec<Known>> {
    let folder = corpus_folder()?;
    let truth = truth(&folder);
    let files: BTreeSet<&String> = truth.keys().map(|(file, ..)| file).collect();
    let mut known = Vec::new();
    for file in files.into_iter().filter(|file| file.starts_with("protocols/")) {
        for conversation in conversations(&folder.join(file)) {
            let Conversation { key, carriage, .. } = conversation;
            let (said, ports) = (said(&conversation), [key.a().port(), key.b().port()]);
            let ours = recognised(carriage, ports, &said).map(|(protocol, _)| protocol.name());
            let row = truth.get(&row_of(file, &key)).cloned().unwrap_or_default();
            let names = row.alt.into_iter().chain([row.label]).chain(ours.map(str::to_owned));
            let names = names.map(|name| form(&name).to_owned()).collect();
            if !said.is_empty() {
                known.push(Known { carriage, ports, said, names, from: format!("{file} {key:?}") });
            }
        }
    }
    Some(known)
}

/// Notes a confirmed protocol that none of the conversations behind it speaks.
fn note(wrong: &mut BTreeMap<String, u32>, what: &str, of: &[&Known], said: &[Said]) -> bool {
    let Some(first) = of.first() else { return false };
    let found = recognised(first.carriage, first.ports, said);
    let Some((protocol, Grade::Confirmed)) = found else { return false };
    if !of.iter().any(|one| one.names.contains(form(protocol.name()))) {
        let from: Vec<&str> = of.iter().map(|one| one.from.as_str()).collect();
        *wrong.entry(format!("{what}: {} of {from:?}", protocol.name())).or_default() += 1;
    }
    true
}

#[test]
fn damage_and_splices_confirm_no_other_protocol() {
    let Some(known) = known() else { return };
    let mut numbers = Numbers::seeded(4);
    let mut wrong = BTreeMap::new();
    let mut confirmed = 0;
    for one in &known {
        for _ in 0..FORMS {
            let said = damaged(&one.said, &mut numbers);
            confirmed += u32::from(note(&mut wrong, "damaged", &[one], &said));
        }
        for _ in 0..SPLICES {
            let other = numbers.one_of(&known);
            if other.carriage == one.carriage {
                let said = spliced(one, other, &mut numbers);
                confirmed += u32::from(note(&mut wrong, "spliced", &[one, other], &said));
            }
        }
    }
    println!("{} conversations, {confirmed} of their damaged forms confirmed", known.len());
    assert!(confirmed > 1000);
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}
