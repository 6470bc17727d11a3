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
}

impl Truth {
    /// Whether a name is right for the flow.
    pub fn allows(&self, name: &str) -> bool {
        self.label == name || self.alt.contains(name)
    }

    /// Whether nobody was sure what the flow is.
    fn is_unsettled(&self) -> bool {
        matches!(self.basis.as_str(), "disputed" | "weak") || self.label == "disputed"
    }
}

/// A flow of the truth table by file, protocol number and ordered ends.
pub type Row = (String, u8, String, String);

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
        if !matches!(row["ip_proto"], "6" | "17" | "132") {
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
        };
        let protocol = row["ip_proto"].parse().expect("a number");
        truth.insert((row["file"].to_owned(), protocol, a, b), value);
    }
    truth
}

pub fn row_of(file: &str, key: &FlowKey) -> Row {
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

/// Labels that this table answers for.
const LABELS: &[&str] = &[
    "tls",
    "smb",
    "ssh",
    "rfb",
    "http",
    "rtsp",
    "xmpp",
    "rdp",
    "h323",
    "dcerpc",
    "tds",
    "kerberos",
    "kpasswd",
    "ldap",
    "skinny",
    "mysql",
    "postgres",
    "oracle",
    "sunrpc",
    "nbss",
    "socks",
    "smtp",
    "ftp",
    "pop3",
    "imap",
    "irc",
    "tip",
    "telnet",
    "link-state",
];

/// A flow on which recognition and truth differ.
struct Exception {
    file: &'static str,
    /// The name claimed against the truth, or not claimed.
    name: &'static str,
    /// How many flows of the file.
    flows: usize,
    reason: &'static str,
}

const fn exception(
    file: &'static str,
    name: &'static str,
    flows: usize,
    reason: &'static str,
) -> Exception {
    Exception { file, name, flows, reason }
}

/// Claims against the truth, each for a reason that the bytes show.
const CLAIMED: &[Exception] = &[
    exception(
        "protocols/arkime__dcerpc_synthetic.pcap",
        "dcerpc",
        1,
        "05 00 0b 03 10 .. on 445: a bind without SMB or session framing, named nbss by its port",
    ),
    exception(
        "protocols/arkime__smb-port80.pcap",
        "smb",
        1,
        "00 00 00 a4 ff 'SMB' 72 on 80: a negotiate request that other tools do not look for there",
    ),
    exception(
        "encaps/zeek__ipv4-fragmented-3.pcap",
        "ftp",
        1,
        "'PORT 210,54,213,247,4,248' to 21, weak, in one damaged segment",
    ),
];

const ENCRYPTED: &str = "caught in its middle, no record begins with a segment: named by its port";

/// Flows of a label that nothing in their bytes shows.
const UNCLAIMED: &[Exception] = &[
    exception(
        "formats/ndpi__KakaoTalk_chat.pcap",
        "tls",
        1,
        "26 00 00 00 ..: not TLS, named by port",
    ),
    exception(
        "protocols/ndpi__KakaoTalk_talk.pcap",
        "tls",
        1,
        "26 00 00 00 ..: not TLS, named by port",
    ),
    exception(
        "formats/ndpi__KakaoTalk_chat.pcap",
        "http",
        1,
        "3a 00 00 00 ..: not HTTP, named by port",
    ),
    exception(
        "protocols/ndpi__KakaoTalk_talk.pcap",
        "http",
        1,
        "3a 00 00 00 ..: not HTTP, named by port",
    ),
    exception("protocols/ndpi__anyconnect-vpn.pcap", "tls", 1, ENCRYPTED),
    exception("protocols/ndpi__wechat.pcap", "tls", 1, ENCRYPTED),
    exception("formats/pcpp__pcapng-example.pcapng", "ssh", 1, ENCRYPTED),
    exception(
        "protocols/ndpi__whatsapp_voice_and_message.pcap",
        "xmpp",
        1,
        "'WA' 01 05 ..: a binary protocol on 5222, named by port",
    ),
    exception(
        "malformed/ndpi__fuzz-2006-06-26-2594.pcap",
        "ftp",
        8,
        "single segments of one damaged line each, named by port",
    ),
    exception(
        "malformed/ndpi__kerberos_fuzz.pcapng",
        "kerberos",
        1,
        "one damaged segment of the middle of a ticket, named by port",
    ),
    exception(
        "malformed/zeek__smb-smb1-OSS-fuzz-54883.pcap",
        "smb",
        1,
        "both streams begin with damaged framing, so that no message is found",
    ),
    exception(
        "protocols/arkime__dcerpc_synthetic.pcap",
        "nbss",
        1,
        "the bind on 445 of the list above",
    ),
    exception("protocols/ndpi__netbios.pcap", "nbss", 1, "one byte 00: a keep-alive of TCP"),
    exception("protocols/pcpp__IgmpPackets.pcap", "nbss", 1, "one byte 00: a keep-alive of TCP"),
];

/// Right, wrong and missing flows of one label.
#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    missed: u32,
}

/// The flows of a file with everything that is claimed of them.
pub fn flows(folder: &Path, file: &str) -> BTreeMap<Row, Vec<Claim>> {
    let mut flows: BTreeMap<Row, Vec<Claim>> = BTreeMap::new();
    for conversation in conversations(&folder.join(file)) {
        let flow = flows.entry(row_of(file, &conversation.key)).or_default();
        flow.extend(claims(&conversation));
    }
    flows
}

/// Differences by file and name, and the flows behind them.
#[derive(Default)]
struct Differences(BTreeMap<(String, String), Vec<String>>);

impl Differences {
    fn note(&mut self, row: &Row, name: &str, truth: &Truth) {
        let said = self.0.entry((row.0.clone(), name.to_owned())).or_default();
        said.push(format!("{row:?} {truth:?}"));
    }

    /// Every difference is an exception, and every exception is met.
    fn assert_are(&self, what: &str, exceptions: &[Exception]) {
        let mut left = self.0.clone();
        for Exception { file, name, flows, reason } in exceptions {
            let found = left.remove(&(file.to_string(), name.to_string())).unwrap_or_default();
            assert_eq!(found.len(), *flows, "{what}: {file}: {name}: {reason}: {found:#?}");
        }
        assert!(left.is_empty(), "{what}: {left:#?}");
    }
}

#[test]
fn recognised_protocols_are_those_of_the_truth() {
    let Some(folder) = corpus_folder() else { return };
    let truth = truth(&folder);
    let files: BTreeSet<&String> = truth.keys().map(|(file, ..)| file).collect();
    let mut scores: BTreeMap<&str, Score> =
        LABELS.iter().map(|label| (*label, Score::default())).collect();
    let (mut claimed, mut unclaimed) = (Differences::default(), Differences::default());
    for file in files {
        for (row, claims) in flows(&folder, file) {
            let Some(truth) = truth.get(&row) else { continue };
            let names = names(&claims);
            let unsettled = truth.is_unsettled();
            for name in &names {
                let Some(score) = scores.get_mut(name) else { continue };
                if truth.allows(name) {
                    score.right += 1;
                } else if unsettled {
                    println!("unsettled: {name} claimed on {row:?} {truth:?}");
                } else {
                    score.wrong += 1;
                    claimed.note(&row, name, truth);
                }
            }
            let found = names.iter().any(|name| truth.allows(name));
            let Some(score) = scores.get_mut(truth.label.as_str()).filter(|_| !found) else {
                continue;
            };
            if unsettled {
                println!("unsettled: {} not claimed on {row:?} {truth:?}", truth.label);
            } else {
                score.missed += 1;
                unclaimed.note(&row, &truth.label, truth);
            }
        }
    }
    println!("{:<14}{:>7}{:>7}{:>7}", "label", "right", "wrong", "missed");
    for (label, Score { right, wrong, missed }) in &scores {
        println!("{label:<14}{right:>7}{wrong:>7}{missed:>7}");
    }
    claimed.assert_are("claimed", CLAIMED);
    unclaimed.assert_are("not claimed", UNCLAIMED);
}

/// Interfaces, and dialects of SMB, against the finer facts of the truth.
#[test]
fn details_are_those_of_the_truth() {
    let Some(folder) = corpus_folder() else { return };
    let truth = truth(&folder);
    let files: BTreeSet<&String> = truth.keys().map(|(file, ..)| file).collect();
    let mut compared = 0;
    for file in files {
        for (row, claims) in flows(&folder, file) {
            let Some(truth) = truth.get(&row) else { continue };
            let of_label = claims.iter().filter(|claim| claim.protocol.name() == truth.label);
            let details: BTreeSet<(&str, &str)> = of_label
                .clone()
                .flat_map(|claim| &claim.details)
                .map(|detail| (detail.name, detail.value.as_str()))
                .collect();
            if of_label.count() == 0 {
                continue;
            }
            let has = |name: &str, value: &str| {
                details.iter().any(|(n, v)| *n == name && v.starts_with(value))
            };
            for fact in &truth.detail {
                let known = match (truth.label.as_str(), fact.as_str()) {
                    ("dcerpc", "-" | "mapi-port") => continue,
                    // The asynchronous print interface, which is of the same service.
                    ("dcerpc", "spoolss") => {
                        has("interface-name", "spoolss") || has("interface-name", "IRemoteWinspool")
                    }
                    ("dcerpc", "dcom") => has("interface-class", "dcom"),
                    ("dcerpc", fact) => match fact.strip_prefix("if:") {
                        Some(uuid) => has("interface", uuid),
                        None => has("interface-name", fact),
                    },
                    ("smb", "smb1" | "smb2") => {
                        has("dialect", fact) || (fact == "smb2" && has("dialect", "smb3"))
                    }
                    _ => continue,
                };
                compared += 1;
                assert!(known, "{row:?}: {fact} is not among {details:?}");
            }
        }
    }
    println!("{compared} facts compared");
    assert!(compared > 40);
}
