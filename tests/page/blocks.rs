//! The page shows every value of the report, but for those that are listed here with a reason.
//!
//! A report in which every field has a value is made from the published schema. Then each value is
//! changed in turn: what a person reads must change with it.

use std::collections::BTreeSet;

use portolan::report::model::Report;
use serde_json::{Map, Value, json};

use super::markup::read;
use crate::runs::text;

/// Values that the page does not show, and why a reader does not miss them.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("/attestation/sha256", "the page has the hash of the whole file instead"),
    ("/capture_health/vlans/directions/limit_ppm", "the same as of all flows"),
    ("/findings/initiators/class", "says what a side without roles is"),
    ("/findings/responders/class", "says what a side without roles is"),
    ("/hosts/hardening/service", "the sentence names it"),
    ("/inputs/first_jump_backward", "shown of the whole stream"),
    ("/inputs/first_jump_forward", "shown of the whole stream"),
    ("/inputs/first_regression", "shown of the whole stream"),
    ("/inputs/first_regression_ns", "shown of the whole stream"),
    ("/inputs/widest_regression_ns", "shown of the whole stream"),
    ("/inputs/interfaces/index", "the order shows it"),
    ("/inputs/interfaces/section", "the order shows it"),
    ("/inputs/interfaces/link_type", "the name is shown where it has one"),
    ("/limits/code", "for programs; the text says it"),
    ("/outcome/cannot_say/code", "for programs; the text says it"),
    ("/outcome/measures/measure", "for programs; the text says it"),
    ("/outcome/reasons", "the texts of cannot_say, which are shown"),
    ("/policy/packs/kind", "a document is what has tables"),
    ("/policy/sections/number", "the identifier of the table begins with it"),
    ("/rules/citation", "the heading of the table of the row"),
    ("/site/silent_hosts", "each is called silent in the table of hosts"),
];

/// Makes a value for each part of a schema, every one another.
struct Maker<'a> {
    definitions: &'a Value,
    made: u64,
}

impl Maker<'_> {
    fn value(&mut self, name: &str, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let definition = reference.rsplit('/').next().unwrap();
            return self.value(name, &self.definitions[definition].clone());
        }
        if let Some(one) = schema["anyOf"].get(0) {
            return self.value(name, one);
        }
        self.made += 1;
        match schema["type"].as_str().or(schema["type"][0].as_str()) {
            Some("object") => self.object(name, schema),
            Some("array") => {
                let count = schema["minItems"].as_u64().unwrap_or(1);
                (0..count).map(|_| self.value(name, &schema["items"])).collect()
            }
            Some("integer") => self.made.into(),
            Some("boolean") => true.into(),
            Some("string") if is_time(name) => time(self.made).into(),
            Some("string") => format!("w{}", self.made).into(),
            other => panic!("a schema of type {other:?} for {name}"),
        }
    }

    fn object(&mut self, name: &str, schema: &Value) -> Value {
        let Some(properties) = schema["properties"].as_object() else {
            // A map; one of its keys is the name of a verdict.
            return json!({ "violation": self.value(name, &schema["additionalProperties"]) });
        };
        let fields =
            properties.iter().map(|(name, schema)| (name.clone(), self.value(name, schema)));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

fn is_time(name: &str) -> bool {
    let times = ["first", "last", "after", "hour", "first_seen", "last_seen", "at"];
    times.contains(&name) || ["created", "expires"].contains(&name)
}

fn time(number: u64) -> String {
    format!("20{:02}-01-01T{:02}:00:00.000000000Z", 10 + number / 24 % 80, number % 24)
}

/// A report in which everything has a value, and what refers to something finds it.
fn full() -> Value {
    let schema: Value = serde_json::from_str(&text("docs/schema/report.json")).unwrap();
    let mut report = Maker { definitions: &schema["$defs"], made: 0 }.value("report", &schema);
    let same = [
        ("/policy/sections/0/pack", "/policy/packs/0/id"),
        ("/rules/0/section", "/policy/sections/0/id"),
        ("/rules/0/readings/0", "/policy/readings/0/id"),
        ("/evidence/0/finding", "/findings/0/id"),
        ("/findings/0/samples/0/packet", "/packet_index/0/packet"),
    ];
    for (one, other) in same {
        *report.pointer_mut(one).unwrap() = report.pointer(other).unwrap().clone();
    }
    *report.pointer_mut("/packet_index/0/input").unwrap() = 0.into();
    report
}

/// Where the values of a report lie, as pointers.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
        }
        _ => return found.push(path.to_owned()),
    };
    for (name, value) in inner {
        leaves(value, &format!("{path}/{name}"), found);
    }
}

fn changed(path: &str, value: &Value) -> Value {
    match value {
        Value::Bool(truth) => (!truth).into(),
        Value::Number(time) if path.ends_with("_ns") => {
            (time.as_u64().unwrap() + 7_000_000_000).into()
        }
        // Seen in binary units and in parts per million alike, and no more than sixteen bits.
        Value::Number(number) => (number.as_u64().unwrap() + 40_000).into(),
        Value::String(text) if text.ends_with('Z') => "2099-12-31T23:59:59.000000000Z".into(),
        Value::String(text) => format!("other {text}").into(),
        other => panic!("{other} is no leaf"),
    }
}

/// What a person reads of the page of a report.
fn seen(report: &Value) -> String {
    let report: Report = serde_json::from_value(report.clone()).unwrap();
    read(&super::page(&report))[0].text.clone()
}

#[test]
fn every_value_is_on_the_page_or_listed_with_a_reason() {
    let report = full();
    let before = seen(&report);
    let mut paths = Vec::new();
    leaves(&report, "", &mut paths);
    let mut unseen = BTreeSet::new();
    for path in &paths {
        let mut other = report.clone();
        let value = other.pointer_mut(path).unwrap();
        *value = changed(path, value);
        // The page bears the hash of the whole report.
        let hash = |report: &Value| {
            let report: Report = serde_json::from_value(report.clone()).unwrap();
            portolan::report::sha256(&report).unwrap()
        };
        if seen(&other).replace(&hash(&other), "") == before.replace(&hash(&report), "") {
            unseen.insert(path.replace("/0", "").replace("/1", "").replace("/violation", ""));
        }
    }
    let listed: BTreeSet<_> = NOT_SHOWN.iter().map(|(path, _)| (*path).to_owned()).collect();
    let missing: Vec<_> = unseen.difference(&listed).collect();
    assert!(missing.is_empty(), "not on the page: {missing:#?}");
    let stale: Vec<_> = listed.difference(&unseen).collect();
    assert!(stale.is_empty(), "listed, and on the page: {stale:?}");
    assert!(paths.len() > 300, "only {} values", paths.len());
}
