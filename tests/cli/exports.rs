//! The report in other forms. The published schemas are looked for in the folder that the
//! environment variable `PORTOLAN_SCHEMAS` names, and applied by the `jsonschema` of Python;
//! `scripts/published-schemas.py` fills such a folder.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

/// A report of the voicemail fixture.
fn reported() -> Bench {
    let bench = Bench::new();
    let fixture = |name: &str| argument(&repository(&format!("fixtures/voicemail/{name}")));
    let (capture, site) = (fixture("capture.pcap"), fixture("site.toml"));
    let mut arguments = vec!["check", &capture, "--site", &site, "--report", "report.json"];
    arguments.extend(["--flows", "flows.ndjson", "--quiet"]);
    assert_eq!(bench.run(&arguments).status, 1);
    bench
}

/// Findings of a report that are at or above the limit, by identifier.
fn identifiers(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that a document is valid under a published schema, and that it is not with `wrong`
/// values at some places, or without one of them; says so when that cannot be told.
#[allow(clippy::print_stdout, reason = "a test that is left out says so")]
fn assert_valid(document: &str, schema: &str, wrong: &[(&str, Value)]) {
    let Some(folder) = std::env::var_os("PORTOLAN_SCHEMAS").map(PathBuf::from) else {
        println!("skipped: PORTOLAN_SCHEMAS names no folder with {schema}");
        return;
    };
    let whole: Value = serde_json::from_str(document).unwrap();
    let mut instances = vec![whole.clone()];
    for (place, value) in wrong {
        let mut other = whole.clone();
        *other.pointer_mut(place).expect(place) = value.clone();
        instances.push(other);
        let mut without = whole.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        instances.push(without);
    }
    let mut more = whole;
    more["unheard-of"] = 1.into();
    instances.push(more);
    let refused = vec![false; instances.len() - 1];
    assert_eq!(valid(&folder, schema, &instances), [vec![true], refused].concat());
}

/// Judges the documents of a list by a schema: prints whether each is valid, and as errors what is
/// wrong with the first. Python's `re` knows no classes of letters and of numbers.
const VALIDATOR: &str = r"
import json, sys, jsonschema
text = open(sys.argv[1]).read().replace(r'\\p{L}', r'[^\\W\\d_]').replace(r'\\p{N}', r'\\d')
schema = json.loads(text)
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
judge = kind(schema, format_checker=kind.FORMAT_CHECKER)
found = [list(judge.iter_errors(document)) for document in json.load(sys.stdin)]
for error in found[0][:5]:
    print(error.json_path, error.message[:200], file=sys.stderr)
print(json.dumps([not errors for errors in found]))
";

/// Which documents are valid, by the `jsonschema` of Python.
fn valid(folder: &Path, schema: &str, documents: &[Value]) -> Vec<bool> {
    let mut command = assert_cmd::Command::new("python3");
    command.env("PYTHONPATH", folder.join("python")).args(["-c", VALIDATOR]);
    let output = command.arg(folder.join(schema)).write_stdin(Value::from(documents).to_string());
    let output = output.output().expect("python3 runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{schema}: {}", &errors[errors.len().saturating_sub(2000)..]);
    let answers: Vec<bool> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answers[0], "{schema}: {errors}");
    answers
}

#[test]
fn sarif_has_every_finding_and_fits_its_schema() {
    let bench = reported();
    let ended = bench.run(&["report", "sarif", "report.json"]);
    assert_eq!(ended.status, 0, "{}", ended.err);
    let wrong = [
        ("/version", json!("2.0.0")),
        ("/runs/0/tool/driver/name", json!(5)),
        ("/runs/0/results/0/message", json!("only text")),
        ("/runs/0/tool/driver/rules/0/id", json!(["no", "text"])),
    ];
    assert_valid(&ended.out, "sarif-2.1.0.json", &wrong);
    let log: Value = serde_json::from_str(&ended.out).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|result| result["partialFingerprints"]["portolanFinding/v1"].as_str().unwrap())
        .collect();
    let report = bench.json("report.json");
    assert_eq!(told, identifiers(&report));
    let errors = results.iter().filter(|result| result["level"] == "error").count();
    assert_eq!(report["outcome"]["failing_findings"], errors);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn oscal_never_calls_an_open_question_satisfied_and_fits_its_schema() {
    let bench = reported();
    let text = std::fs::read_to_string(bench.path("report.json")).unwrap();
    for (result, state) in
        [("fail", "not-satisfied"), ("inconclusive", "not-satisfied"), ("pass", "satisfied")]
    {
        let told = text.replacen("\"result\": \"fail\"", &format!("\"result\": \"{result}\""), 1);
        bench.write("told.json", told);
        let ended = bench.run(&["report", "oscal", "told.json"]);
        assert_eq!(ended.status, 0, "{}", ended.err);
        let first = "/assessment-results/results/0";
        let wrong = [
            ("/assessment-results/uuid", json!("not one")),
            ("/assessment-results/metadata/last-modified", json!("yesterday")),
            (&format!("{first}/start"), json!(5)),
            (&format!("{first}/findings/0/target/status/state"), json!("open")),
        ];
        assert_valid(&ended.out, "oscal_assessment-results_schema.json", &wrong);
        let document: Value = serde_json::from_str(&ended.out).unwrap();
        let assessed = &document["assessment-results"]["results"][0];
        let whole = &assessed["findings"][0]["target"];
        assert_eq!(whole["target-id"], "documented-port-matrix");
        assert_eq!(whole["status"]["state"], state);
        assert_eq!(whole["status"]["remarks"].is_string(), result == "inconclusive");
        let report = bench.json("report.json");
        let observed = assessed["observations"].as_array().unwrap();
        assert_eq!(observed.len(), identifiers(&report).len() + 1);
    }
}

#[test]
fn identifiers_of_oscal_are_name_based_and_distinct() {
    let bench = reported();
    let oscal = || bench.run(&["report", "oscal", "report.json"]).out;
    assert_eq!(oscal(), oscal());
    let document: Value = serde_json::from_str(&oscal()).unwrap();
    let assessed = &document["assessment-results"]["results"][0];
    let lists = [&assessed["observations"], &assessed["findings"]];
    let all: Vec<_> = lists.into_iter().flat_map(|list| list.as_array().unwrap()).collect();
    let distinct: BTreeSet<_> = all.iter().map(|entry| entry["uuid"].as_str().unwrap()).collect();
    assert_eq!(distinct.len(), all.len());
    // Version 5 and the variant of RFC 9562 section 4.
    assert!(distinct.iter().all(|id| {
        let bytes = id.as_bytes();
        id.len() == 36 && bytes[14] == b'5' && b"89ab".contains(&bytes[19])
    }));
}

#[test]
fn csv_and_annotations_have_a_line_for_each_finding() {
    let bench = reported();
    let ids = identifiers(&bench.json("report.json"));
    let csv = bench.run(&["report", "csv", "report.json"]).out;
    let lines: Vec<_> = csv.split_terminator("\r\n").collect();
    assert!(lines[0].starts_with("\"id\",\"severity\","));
    let told: Vec<_> = lines[1..].iter().map(|line| line.split('"').nth(1).unwrap()).collect();
    assert_eq!(told, ids);
    let github = bench.run(&["report", "github", "report.json"]).out;
    let (outcome, lines) = {
        let mut lines: Vec<_> = github.lines().collect();
        (lines.pop().unwrap(), lines)
    };
    assert!(outcome.starts_with("::error title=portolan::fail"), "{outcome}");
    assert_eq!(lines.len(), ids.len());
    for (line, id) in lines.iter().zip(&ids) {
        let (command, rest) = line.split_once(" title=").unwrap();
        assert!(["::error", "::warning", "::notice"].contains(&command), "{line}");
        assert!(rest.starts_with(id.as_str()), "{line}");
    }
}

#[test]
fn flows_in_ecs_names_say_the_same() {
    let bench = reported();
    let fixture = |name: &str| argument(&repository(&format!("fixtures/voicemail/{name}")));
    let (capture, site) = (fixture("capture.pcap"), fixture("site.toml"));
    let mut arguments = vec!["check", &capture, "--site", &site, "--report", "other.json"];
    arguments.extend(["--flows", "ecs.ndjson", "--flows-format", "ecs", "--quiet"]);
    assert_eq!(bench.run(&arguments).status, 1);
    let read = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(bench.path(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (native, ecs) = (read("flows.ndjson"), read("ecs.ndjson"));
    assert_eq!(native.len(), ecs.len());
    for (own, ecs) in native.iter().zip(&ecs) {
        let same = [
            ("src_ip", "/source/ip"),
            ("dst_ip", "/destination/ip"),
            ("proto", "/network/transport"),
            ("packets", "/network/packets"),
            ("bytes", "/network/bytes"),
            ("src_bytes", "/source/bytes"),
            ("dst_packets", "/destination/packets"),
            ("first_seen", "/event/start"),
            ("last_seen", "/event/end"),
            ("verdict", "/portolan/verdict"),
        ];
        for (name, pointer) in same {
            assert_eq!(Some(&own[name]), ecs.pointer(pointer), "{name}");
        }
        let id = own["community_id"].as_str().filter(|id| !id.is_empty());
        assert_eq!(ecs["network"]["community_id"].as_str(), id);
    }
    let capture = argument(&repository("fixtures/voicemail"));
    let ended = bench.run(&["report", "verify", "other.json", &capture]);
    assert_eq!(ended.status, 0, "{}", ended.out);
}
