//! `--pseudonymise`: no original in any output, and the same verdicts.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;

/// What may not be found: addresses of unicast hosts, and names.
struct Secrets {
    addresses: BTreeSet<IpAddr>,
    names: BTreeSet<String>,
}

/// Pieces of a text that could be addresses: runs of what addresses are made of, with ports and
/// prefix lengths taken off in every way.
fn addresses_in(text: &str) -> BTreeSet<IpAddr> {
    let mut found = BTreeSet::new();
    let part = |c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':');
    for piece in text.split(part) {
        let ends = piece.match_indices([':', '.']).map(|(at, _)| at).chain([piece.len()]);
        for end in ends {
            found.extend(piece[..end].parse::<IpAddr>());
        }
        found.extend(piece.trim_matches([':', '.']).parse::<IpAddr>());
    }
    found
}

fn secrets(bench: &Bench, site: &str, names: &[&str]) -> Secrets {
    let flows = std::fs::read_to_string(bench.path("plain.ndjson")).unwrap();
    let mut addresses = addresses_in(site);
    for line in flows.lines() {
        let flow: serde_json::Value = serde_json::from_str(line).unwrap();
        for field in ["src_ip", "dst_ip"] {
            addresses.insert(flow[field].as_str().unwrap().parse().unwrap());
        }
    }
    addresses.retain(|address| match address {
        IpAddr::V4(v4) => !v4.is_multicast() && !v4.is_broadcast() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_multicast() && !v6.is_unspecified(),
    });
    Secrets { addresses, names: names.iter().map(|name| (*name).to_owned()).collect() }
}

#[test]
fn no_output_holds_an_original_address_or_name() {
    let bench = Bench::new();
    let original = text("fixtures/voicemail/site.toml");
    // Names that stand in no sentence of their own.
    let mut site = original.clone();
    let mut names = vec!["voice-of-acme.pcap".to_owned(), "acme-berlin.toml".to_owned()];
    let marked: Vec<String> = original
        .lines()
        .filter_map(|line| line.strip_prefix("name = \""))
        .map(|name| name.trim_end_matches('"').to_owned())
        .collect();
    for name in &marked {
        site = site.replace(&format!("\"{name}\""), &format!("\"acme {name}\""));
        names.push(format!("acme {name}"));
    }
    names.push("acme".to_owned());
    bench.write("acme-berlin.toml", &site);
    let capture = std::fs::read(repository("fixtures/voicemail/capture.pcap")).unwrap();
    bench.write("voice-of-acme.pcap", capture);
    bench.write("key", "a key that nobody can guess at all");
    let common = ["check", "voice-of-acme.pcap", "--site", "acme-berlin.toml"];
    let plain = ["--report", "plain.json", "--flows", "plain.ndjson", "--quiet"];
    assert_eq!(bench.run(&[&common[..], &plain].concat()).status, 1);
    let hidden = ["--pseudonymise", "key", "--report", "r.json", "--flows", "f.ndjson"];
    let ended = bench.run(&[&common[..], &hidden, &["--html", "r.html"]].concat());
    assert_eq!(ended.status, 1, "{}", ended.err);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let secrets = secrets(&bench, &site, &names);
    assert!(secrets.addresses.len() > 30);

    let stdout = ended.out.replace("acme-berlin.toml", "");
    let mut outputs = vec![("standard output".to_owned(), stdout)];
    for name in ["r.json", "f.ndjson", "r.html"] {
        let content = std::fs::read_to_string(bench.path(name)).unwrap();
        outputs.push((name.to_owned(), content));
    }
    for form in ["csv", "github", "sarif", "oscal"] {
        outputs.push((form.to_owned(), bench.run(&["report", form, "r.json"]).out));
    }
    for (name, content) in &outputs {
        let leaked: Vec<_> =
            addresses_in(content).intersection(&secrets.addresses).copied().collect();
        assert!(leaked.is_empty(), "{name} holds {leaked:?}");
        let leaked: Vec<_> = secrets.names.iter().filter(|one| content.contains(*one)).collect();
        assert!(leaked.is_empty(), "{name} holds {leaked:?}");
    }
    let (plain, hidden) = (bench.json("plain.json"), bench.json("r.json"));
    assert_eq!(plain["summary"], hidden["summary"]);
    assert_eq!(plain["outcome"], hidden["outcome"]);
    assert_eq!(plain["site"]["sha256"], hidden["site"]["sha256"]);
    let ids = |report: &serde_json::Value| -> BTreeSet<String> {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|f| format!("{} {}", f["code"], f["volume"])).collect()
    };
    assert_eq!(ids(&plain), ids(&hidden));
}

#[test]
fn waivers_hold_under_pseudonyms() {
    let bench = Bench::new();
    bench.write("site.toml", SITE);
    bench.write("a.pcap", conversation(4444));
    bench.write("key", [9; 32]);
    let waivers = r#"
schema = 1
[[waiver]]
id = "W-secret-project"
owner = "Jane Roe"
reason = "secret plan"
ticket = "SECRET-1"
created = "2020-01-01"
expires = "2030-01-01"
[waiver.match]
initiators = ["unity"]
responders = ["10.0.0.0/24"]
ports = "4444"
"#;
    bench.write("waivers.toml", waivers);
    let mut arguments = vec!["check", "a.pcap", "--site", "site.toml", "--waivers", "waivers.toml"];
    arguments.extend(["--pseudonymise", "key", "--report", "r.json", "--quiet"]);
    let ended = bench.run(&arguments);
    assert!(ended.err.is_empty(), "{}", ended.err);
    let report = bench.json("r.json");
    assert_eq!(report["summary"]["verdicts"]["waived"]["flows"], 1);
    let content = report.to_string();
    for secret in ["secret", "SECRET", "Jane", "10.0.0.1", "10.0.0.2"] {
        assert!(!content.contains(secret), "{secret}");
    }
}

#[test]
fn a_key_that_can_be_guessed_is_refused() {
    let bench = Bench::new();
    bench.write("a.pcap", conversation(389));
    bench.write("key", "short");
    let ended = bench.run(&["check", "a.pcap", "--pseudonymise", "key"]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("can be guessed"), "{}", ended.err);
}
