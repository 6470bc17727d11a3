//! Every recogniser on every flow of the real captures, against the truth table beside them.
//!
//! The folder is named by the environment variable `PORTOLAN_CORPUS`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portolan::decode::FlowKey;
use portolan::identify::{Answer, Claim, Grade, RECOGNISERS};

use super::assemble::{Conversation, conversations};
use crate::capture::corpus_folder;

/// What the truth table says of a flow.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub label: String,
    pub alt: BTreeSet<String>,
    pub detail: BTreeSet<String>,
    pub basis: String,
    pub flags: BTreeSet<String>,
}

impl Truth {
    /// Whether a name is right for the flow.
    fn allows(&self, name: &str) -> bool {
        self.label == name || self.alt.contains(name)
    }

    /// Whether nobody was sure what the flow is.
    fn is_unsettled(&self) -> bool {
        matches!(self.basis.as_str(), "disputed" | "weak") || self.label == "disputed"
    }
}

/// A flow of the truth table by file, protocol number and ordered ends.
type Row = (String, u8, String, String);

fn ends(one: (&str, &str), other: (&str, &str)) -> (String, String) {
    let [one, other] = [one, other].map(|(address, port)| {
        let address: std::net::IpAddr = address.parse().expect("an address");
        portolan::base::Endpoint::new(address, port.parse().expect("a port"))
    });
    (one.min(other).to_string(), one.max(other).to_string())
}

pub fn truth(folder: &Path) -> BTreeMap<Row, Truth> {
    let text = std::fs::read_to_string(folder.join("truth.tsv")).expect("the truth table");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let mut truth = BTreeMap::new();
    for line in lines {
        let row: BTreeMap<&str, &str> = names.iter().copied().zip(line.split('\t')).collect();
        if !matches!(row["ip_proto"], "6" | "17") {
            continue;
        }
        let (a, b) = ends(
            (row["initiator_ip"], row["initiator_port"]),
            (row["responder_ip"], row["responder_port"]),
        );
        let set = |name: &str| row[name].split(',').map(str::to_owned).collect();
        let value = Truth {
            label: row["label"].to_owned(),
            alt: set("alt"),
            detail: set("detail"),
            basis: row["basis"].to_owned(),
            flags: set("flags"),
        };
        let protocol = row["ip_proto"].parse().expect("a number");
        truth.insert((row["file"].to_owned(), protocol, a, b), value);
    }
    truth
}

fn row_of(file: &str, key: &FlowKey) -> Row {
    (file.to_owned(), key.protocol().0, key.a().to_string(), key.b().to_string())
}

/// What every recogniser claims of a conversation.
pub fn claims(conversation: &Conversation) -> Vec<Claim> {
    conversation.with_evidence(|evidence| {
        let of_carriage = RECOGNISERS
            .iter()
            .filter(|recogniser| recogniser.carriage.contains(&evidence.carriage));
        of_carriage
            .filter_map(|recogniser| match (recogniser.recognise)(evidence) {
                Answer::Match(claim) => {
                    assert_eq!(claim.protocol, recogniser.protocol);
                    assert!(claim.proofs.len() <= 4 && claim.details.len() <= 16);
                    Some(claim)
                }
                Answer::Undecided | Answer::No => None,
            })
            .collect()
    })
}

/// The names that the claims give a flow: those of at least strong grade, or the first weak one.
pub fn names(claims: &[Claim]) -> BTreeSet<&'static str> {
    let strong: BTreeSet<_> = claims
        .iter()
        .filter(|claim| claim.grade >= Grade::Strong)
        .map(|claim| claim.protocol.name())
        .collect();
    match claims.first() {
        Some(weak) if strong.is_empty() => BTreeSet::from([weak.protocol.name()]),
        _ => strong,
    }
}

/// Right, wrong and missing flows of one label.
#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    missed: u32,
}

#[test]
fn recognised_protocols_are_those_of_the_truth() {
    let Some(folder) = corpus_folder() else { return };
    let truth = truth(&folder);
    let files: BTreeSet<&String> = truth.keys().map(|(file, ..)| file).collect();
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut said = Vec::new();
    let known: BTreeSet<&str> = RECOGNISERS.iter().map(|r| r.protocol.name()).collect();
    for file in files {
        let mut flows: BTreeMap<Row, Vec<Claim>> = BTreeMap::new();
        for conversation in conversations(&folder.join(file)) {
            let flow = flows.entry(row_of(file, &conversation.key)).or_default();
            flow.extend(claims(&conversation));
        }
        for (row, claims) in &flows {
            let Some(truth) = truth.get(row) else { continue };
            let names = names(claims);
            let unsettled = truth.is_unsettled();
            for name in &names {
                let score = scores.entry(name.to_string()).or_default();
                let grade = claims.iter().map(|claim| claim.grade).max();
                if truth.allows(name) {
                    score.right += 1;
                } else if unsettled {
                    said.push(format!("unsettled {name} {grade:?} on {row:?} {truth:?}"));
                } else {
                    score.wrong += 1;
                    said.push(format!("WRONG {name} {grade:?} on {row:?} {truth:?}"));
                }
            }
            let found = names.iter().any(|name| truth.allows(name));
            if !found && known.contains(truth.label.as_str()) {
                if unsettled {
                    said.push(format!("unsettled missing {} on {row:?} {truth:?}", truth.label));
                } else {
                    scores.entry(truth.label.clone()).or_default().missed += 1;
                    said.push(format!("MISSED {} on {row:?} {truth:?}", truth.label));
                }
            }
        }
    }
    for line in &said {
        println!("{line}");
    }
    println!("{:<14}{:>7}{:>7}{:>7}", "label", "right", "wrong", "missed");
    for (label, Score { right, wrong, missed }) in &scores {
        println!("{label:<14}{right:>7}{wrong:>7}{missed:>7}");
    }
}
