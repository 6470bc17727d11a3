//! What is said of every flow of the real captures, against the truth table beside them: what the
//! flow speaks, and that no verdict for its protocol rests on a wrong one.
//!
//! The folder is named by the environment variable `PORTOLAN_CORPUS`. The rows on which we differ
//! are listed one by one here, and with their bytes in docs/accuracy.md.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use portolan::capture::{Hashing, Inputs};
use portolan::engine::{Evaluated, Limits, fold_stream};
use portolan::identify::Protocol;
use portolan::judge::model::Site;
use portolan::judge::{
    Evidence, Grade, JudgedFlow, ReadingMode, Reason, Severity, Terms, Told, assess, identity,
    load_site,
};

use crate::capture::corpus_folder;
use crate::identify::corpus::{Row, Truth, row_of, truth};
use crate::runs::{Rules, Run, check};
use crate::sites;

/// A folded capture, which can be judged again and again.
struct Folded {
    stream: Evaluated,
    evidence: Evidence,
}

fn fold(path: &Path) -> Folded {
    let mut inputs = Inputs::open(&[path.to_owned()], Hashing::Off).expect("a capture");
    // The truth counts every copy of a packet.
    let limits = Limits { threads: 1, max_memory: 1 << 30, keep_copies: true };
    let partial = fold_stream(|batch| inputs.fill(batch), limits, |_| {}).expect("threads");
    let stream = partial.evaluate();
    let times = inputs.health();
    let evidence = stream.evidence(&inputs.finish(), times);
    Folded { stream, evidence }
}

impl Folded {
    fn addresses(&self) -> BTreeSet<IpAddr> {
        let keys = self.stream.records.iter().map(|record| record.key);
        keys.flat_map(|key| [key.a().address(), key.b().address()]).collect()
    }

    fn judge(&self, rules: &Rules, site: &Site) -> Vec<JudgedFlow> {
        let terms = Terms {
            policy: &rules.policy,
            site,
            waivers: &rules.waivers,
            reading: ReadingMode::Inferred,
            fail_on: Severity::Low,
            min_grade: Grade::B,
        };
        let Evaluated { records, accounting, carriers, .. } = &self.stream;
        assess(records.clone(), accounting, carriers, terms, self.evidence.clone()).flows
    }
}

/// The name that the truth table uses for a protocol.
fn label(protocol: Protocol) -> &'static str {
    match protocol.name() {
        "bittorrent-dht" => "bittorrent",
        name => name,
    }
}

/// A flow on which a name and the truth differ.
struct Exception {
    file: &'static str,
    /// What the truth says, and what we say; empty for nothing.
    names: (&'static str, &'static str),
    /// How many flows of the file.
    flows: usize,
    reason: &'static str,
}

const fn exception(
    file: &'static str,
    names: (&'static str, &'static str),
    flows: usize,
    reason: &'static str,
) -> Exception {
    Exception { file, names, flows, reason }
}

const NAMED_BY_PORT: &str = "nothing in its bytes, or the middle of an encrypted stream: by port";

/// Differences in the captures of application protocols, each for a reason that the bytes show.
#[rustfmt::skip]
const DIFFERENCES: &[Exception] = &[
    exception("protocols/arkime__dcerpc_synthetic.pcap", ("nbss", "dcerpc"), 1, "05 00 0b 03 00 .. on 445: a bind without SMB or session framing"),
    exception("protocols/arkime__smb-port80.pcap", ("unknown", "smb"), 1, "00 00 00 a4 ff 'SMB' 72 on 80: a negotiate request"),
    exception("protocols/heplify__rtp_rtcp_sip_ipv4_udp.pcap", ("telnet", ""), 2, NAMED_BY_PORT),
    exception("protocols/ndpi__KakaoTalk_talk.pcap", ("http", ""), 1, NAMED_BY_PORT),
    exception("protocols/ndpi__KakaoTalk_talk.pcap", ("tls", ""), 1, NAMED_BY_PORT),
    exception("protocols/ndpi__KakaoTalk_talk.pcap", ("kakaotalk_voice", "rtcp"), 2, "81 c8 00 0c, 81 c9 00 07 and one SSRC: reports of SRTCP"),
    exception("protocols/ndpi__anyconnect-vpn.pcap", ("tls", ""), 1, NAMED_BY_PORT),
    exception("protocols/ndpi__netbios.pcap", ("nbss", ""), 1, "one byte 00: a keep-alive of TCP"),
    exception("protocols/pcpp__IgmpPackets.pcap", ("nbss", ""), 1, "one byte 00: a keep-alive of TCP"),
    exception("protocols/ndpi__syslog.pcap", ("unknown", "syslog"), 1, "<22>1 2021-04-18T14:51:28+04:00: the header of RFC 5424, over TCP"),
    exception("protocols/ndpi__wechat.pcap", ("tls", ""), 1, NAMED_BY_PORT),
    exception("protocols/ndpi__whatsapp_voice_and_message.pcap", ("tls", ""), 2, "'WA' 01 ..: a protocol of its own on 443"),
    exception("protocols/ndpi__whatsapp_voice_and_message.pcap", ("xmpp", ""), 1, "'WA' 01 05 ..: a protocol of its own on 5222"),
    exception("protocols/ppa__wrongdissector.pcapng", ("unknown", "ftp-data"), 1, "announced by a PORT command of the same capture"),
    exception("protocols/suricata__sip-method-sip.pcap", ("none", "ftp-data"), 1, "announced by a PORT command of the same capture"),
    exception("protocols/zeek__ftp-ipv4.pcap", ("unknown", "ftp-data"), 2, "announced by a PORT command of the same capture"),
];

/// Differences by file and names, and the flows behind them.
#[derive(Default)]
struct Differences(BTreeMap<(String, String, String), Vec<String>>);

impl Differences {
    fn note(&mut self, row: &Row, truth: &Truth, name: &str) {
        let key = (row.0.clone(), truth.label.clone(), name.to_owned());
        self.0.entry(key).or_default().push(format!("{row:?} {truth:?}"));
    }

    /// Every difference is an exception, and every exception is met.
    fn assert_are(mut self, exceptions: &[Exception]) {
        for Exception { file, names: (wanted, found), flows, reason } in exceptions {
            let key = ((*file).to_owned(), (*wanted).to_owned(), (*found).to_owned());
            let met = self.0.remove(&key).unwrap_or_default();
            assert_eq!(met.len(), *flows, "{file}: {wanted} {found}: {reason}: {met:#?}");
        }
        assert!(self.0.is_empty(), "{:#?}", self.0);
    }
}

/// What the flow list names the flows of a file, by their rows in the truth table.
fn named(run: &Run, file: &str) -> BTreeMap<Row, BTreeSet<&'static str>> {
    let mut names: BTreeMap<Row, BTreeSet<_>> = BTreeMap::new();
    for flow in &run.assessment.flows {
        let of_row = names.entry(row_of(file, &flow.record.key)).or_default();
        of_row.extend(flow.judgement.spoken.map(|spoken| label(spoken.protocol)));
    }
    names
}

/// Precision and recall over the captures of application protocols: each name that we give is
/// that of the truth, and each label whose protocol we know is given, but for the listed rows.
#[test]
fn names_are_those_of_the_truth() {
    let Some(folder) = corpus_folder() else { return };
    let known: BTreeSet<&str> = Protocol::ALL.iter().map(|protocol| label(*protocol)).collect();
    let truth = truth(&folder);
    let files: BTreeSet<&String> = truth.keys().map(|(file, ..)| file).collect();
    let rules = Rules::at("").keeping_copies();
    let mut differences = Differences::default();
    let mut right: BTreeMap<&str, u32> = BTreeMap::new();
    for file in files.into_iter().filter(|file| file.starts_with("protocols/")) {
        let run = check(&[folder.join(file)], &rules, 1);
        for (row, names) in named(&run, file) {
            let Some(truth) = truth.get(&row).filter(|truth| truth.label != "disputed") else {
                continue;
            };
            let agrees = names.iter().find(|name| truth.allows(name));
            match (agrees, names.first()) {
                (Some(name), _) => *right.entry(*name).or_default() += 1,
                (None, Some(name)) => differences.note(&row, truth, name),
                (None, None) if known.contains(truth.label.as_str()) => {
                    differences.note(&row, truth, "");
                }
                (None, None) => {}
            }
        }
    }
    println!("{right:?}");
    differences.assert_are(DIFFERENCES);
    for label in ["dcerpc", "rtp", "sip", "skinny", "smb", "kerberos", "ldap", "tds", "tls", "dns"]
    {
        assert!(right.get(label).is_some_and(|count| *count > 10), "{label}: {right:?}");
    }
}

/// Site files made up for each capture.
const SITES: u64 = 24;

/// Verdicts for a protocol that the truth table does not name, each for what the bytes show.
const UNNAMED: &[(&str, &str)] = &[
    ("protocols/arkime__dcerpc_synthetic.pcap", "dcerpc"),
    ("protocols/arkime__smb-port80.pcap", "smb"),
    ("protocols/ndpi__KakaoTalk_talk.pcap", "rtcp"),
    ("formats/ndpi__KakaoTalk_chat.pcap", "rtcp"),
    ("protocols/ndpi__syslog.pcap", "syslog"),
    // Lengths of two bytes, each before a header of RTP that counts up (RFC 4571).
    ("malformed/ndpi__rtp-cut.pcapng", "rtp"),
    // Code, length of the whole datagram, authenticator, attributes up to the end: the capture is of
    // RADIUS with damaged addresses and ports.
    ("malformed/ndpi__fuzz-2020-02-16-11740.pcap", "radius"),
];

/// Whatever roles hosts have: a flow is called off its range, or foreign to its port, for a
/// protocol that it speaks.
#[test]
fn no_verdict_rests_on_a_wrong_protocol_at_any_site() {
    let Some(folder) = corpus_folder() else { return };
    let truth = truth(&folder);
    let files: BTreeSet<&String> = truth.keys().map(|(file, ..)| file).collect();
    let empty = Rules::at("");
    let mut found: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut wrong: BTreeMap<String, u32> = BTreeMap::new();
    for (number, file) in (0..).zip(files) {
        let folded = fold(&folder.join(file));
        for seed in 0..SITES {
            let make = if seed % 4 == 0 { sites::random } else { sites::crowded };
            let text = make(&empty.policy, &folded.addresses(), number * SITES + seed);
            let site = load_site(&text, "site.toml", &empty.policy).expect("a site");
            for flow in folded.judge(&empty, &site) {
                let reason = match flow.judgement.reason {
                    Some(reason @ (Reason::PortOutsideRange | Reason::ProtocolMismatch)) => reason,
                    _ => continue,
                };
                let spoken = flow.judgement.spoken.expect("a protocol behind the reason");
                let name = label(spoken.protocol);
                *found.entry((reason.name(), name)).or_default() += 1;
                let row = row_of(file, &flow.record.key);
                let truth = truth.get(&row).unwrap_or_else(|| panic!("no truth for {row:?}"));
                // What was announced for a port may be borne out by nothing but its use.
                let silent = matches!(spoken.told, Told::Signalling(_)) && truth.label == "none";
                let listed = UNNAMED.contains(&(file, name));
                if !truth.allows(name) && !silent && !listed {
                    let shown = identity(&flow.record).map(|identity| &identity.shown.1);
                    let told = spoken.told;
                    let what = format!(
                        "{}: {name} {told:?} {row:?} {truth:?} {shown:02x?}",
                        reason.name()
                    );
                    *wrong.entry(what).or_default() += 1;
                }
            }
        }
    }
    println!("{found:?}");
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    assert!(found.keys().filter(|(reason, _)| *reason == "port-outside-range").count() > 8);
}
