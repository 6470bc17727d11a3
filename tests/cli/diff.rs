//! `report diff` and `--baseline`: what is new, gone or changed, and why.

use super::*;

/// Reports of `captures` at `site` under `policy`, as `name`.
fn report(bench: &Bench, name: &str, captures: &[&str], site: &str, more: &[&str]) {
    let file = bench.write("site.toml", site);
    let mut arguments = vec!["check", "--site", &file, "--report", name, "--quiet"];
    arguments.extend(captures);
    arguments.extend(more);
    let ended = bench.run(&arguments);
    assert!(ended.err.is_empty(), "{}", ended.err);
}

/// Status and causes of each finding that differs.
fn changes(bench: &Bench) -> Vec<(String, String, Vec<String>)> {
    report_with_baseline(bench)["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let causes = change["causes"].as_array().unwrap().iter().map(text).collect();
            (text(&change["status"]), text(&change["code"]), causes)
        })
        .collect()
}

fn report_with_baseline(bench: &Bench) -> serde_json::Value {
    bench.json("later.json")["diff"].clone()
}

fn change(status: &str, code: &str, cause: &str) -> (String, String, Vec<String>) {
    (status.to_owned(), code.to_owned(), vec![cause.to_owned()])
}

const BASELINE: [&str; 2] = ["--baseline", "earlier.json"];

#[test]
fn the_same_run_differs_in_nothing() {
    let bench = Bench::new();
    bench.write("a.pcap", conversation(4444));
    report(&bench, "earlier.json", &["a.pcap"], SITE, &[]);
    report(&bench, "later.json", &["a.pcap"], SITE, &BASELINE);
    assert_eq!(changes(&bench), []);
    let diff = report_with_baseline(&bench);
    assert_eq!(diff["same"], 1);
    assert_eq!(diff["changed_between"].as_array().unwrap().len(), 0);
    assert_eq!(bench.run(&["report", "diff", "earlier.json", "later.json"]).status, 0);
}

#[test]
fn other_traffic_other_roles_and_other_rows_are_told_apart() {
    let bench = Bench::new();
    bench.write("a.pcap", conversation(4444));
    bench.write("b.pcap", conversation(5555));
    report(&bench, "earlier.json", &["a.pcap"], SITE, &[]);

    report(&bench, "later.json", &["b.pcap"], SITE, &BASELINE);
    let traffic = [
        change("new", "undocumented-service", "traffic"),
        change("gone", "undocumented-service", "traffic"),
    ];
    assert_eq!(changes(&bench), traffic);
    let told = bench.run(&["report", "diff", "earlier.json", "later.json"]);
    assert_eq!(told.status, 1);
    assert!(told.out.starts_with("1 new, 1 gone, 0 changed, 0 the same"), "{}", told.out);

    let moved = SITE.replace("\"domain-controller\"", "\"dns-server\"");
    let moved = moved.replace("attributes = [\"monitored-by-unity\"]", "");
    report(&bench, "later.json", &["a.pcap"], &moved, &BASELINE);
    let site = changes(&bench);
    assert!(!site.is_empty());
    assert!(site.iter().all(|(.., causes)| causes == &["site"]), "{site:?}");

    let row = "id = \"U-DC.ldap.tcp\",     transport = \"tcp\", port = ";
    let pack = text("rules/cisco-unity-5x-exchange.toml");
    let pack = pack.replace(&format!("{row}\"389\""), &format!("{row}\"4444\""));
    assert!(pack.contains("4444"));
    bench.write("pack.toml", pack);
    let more = [&BASELINE[..], &["--policy", "pack.toml"]].concat();
    report(&bench, "later.json", &["a.pcap"], SITE, &more);
    assert_eq!(changes(&bench), [change("gone", "undocumented-service", "policy")]);
}

#[test]
fn more_flows_of_a_finding_are_a_change() {
    let bench = Bench::new();
    bench.write("a.pcap", conversation(4444));
    let later: Vec<_> = connection(4444)
        .into_iter()
        .map(|(time, frame)| (time + 3_600_000_000_000, frame))
        .collect();
    bench.write("b.pcap", pcap(&later));
    report(&bench, "earlier.json", &["a.pcap"], SITE, &[]);
    report(&bench, "later.json", &["a.pcap", "b.pcap"], SITE, &BASELINE);
    assert_eq!(changes(&bench), [change("changed", "undocumented-service", "traffic")]);
    let diff = report_with_baseline(&bench);
    assert_eq!(diff["findings"][0]["fields"][0], "flows: 1 -> 2");
}

#[test]
fn a_baseline_without_pseudonyms_is_refused_beside_them() {
    let bench = Bench::new();
    bench.write("a.pcap", conversation(4444));
    bench.write("key", [5; 32]);
    report(&bench, "earlier.json", &["a.pcap"], SITE, &[]);
    let hidden = ["--pseudonymise", "key"];
    let all = ["check", "a.pcap", "--site", "site.toml", "--baseline", "earlier.json"];
    let ended = bench.run(&[&all[..], &hidden].concat());
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("has no pseudonyms"), "{}", ended.err);
    report(&bench, "earlier.json", &["a.pcap"], SITE, &hidden);
    report(&bench, "later.json", &["a.pcap"], SITE, &[&BASELINE[..], &hidden].concat());
    assert_eq!(changes(&bench), []);
}
