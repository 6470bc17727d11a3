//! The page: it has the numbers of the JSON report, it is well formed, and nothing in it acts.

mod blocks;
mod hostile;
mod markup;

use std::collections::BTreeMap;

use base64::Engine;
use portolan::report::model::{Evidence, Finding, Report};
use portolan::report::{self, StoredReport, html};
use sha2::{Digest, Sha256};

use self::markup::{Element, read};
use crate::runs::{Rules, check, repository, text};

/// Fixture, site.
const FIXTURES: [(&str, &str); 3] = [
    ("quickstart", "site.toml"),
    ("voicemail", "site.toml"),
    ("voicemail", "site-roles-only.toml"),
];

fn fixture(fixture: &str, site: &str) -> Report {
    let capture = repository(&format!("fixtures/{fixture}/capture.pcap"));
    check(&[capture], &Rules::at(&text(&format!("fixtures/{fixture}/{site}"))), 1).report
}

fn page(report: &Report) -> String {
    let mut page = Vec::new();
    html::write(&mut page, report, &report::sha256(report).unwrap()).unwrap();
    String::from_utf8(page).unwrap()
}

/// The elements that carry an attribute, by its value, which must be there once.
fn by<'a>(elements: &'a [Element], attribute: &str) -> BTreeMap<&'a str, &'a Element> {
    let mut found = BTreeMap::new();
    for element in elements {
        if let Some(value) = element.get(attribute) {
            assert!(found.insert(value, element).is_none(), "{attribute}={value} twice");
        }
    }
    found
}

/// Asserts that the elements with an attribute are those of a list, each with the numbers given.
#[track_caller]
fn assert_listed<'a>(
    elements: &[Element],
    attribute: &str,
    expected: impl Iterator<Item = (&'a str, Vec<(&'static str, u64)>)>,
) {
    let found = by(elements, attribute);
    let mut count = 0;
    for (id, numbers) in expected {
        let element = found.get(id).unwrap_or_else(|| panic!("{attribute} {id} is missing"));
        for (name, number) in numbers {
            assert_eq!(element.number(name), number, "{name} of {id}");
            // What a person reads is the same number, with a space between groups of digits.
            let digits = element.text.replace('\u{202f}', "");
            let shown = digits.contains(&number.to_string());
            let in_other_units = matches!(name, "data-bytes" | "data-attempts" | "data-packets");
            assert!(shown || number == 0 || in_other_units, "{name} {number} of {id}: {digits}");
        }
        count += 1;
    }
    assert_eq!(found.len(), count, "{attribute}: more than the report has");
}

#[test]
fn every_finding_and_every_row_is_in_the_page_with_equal_numbers() {
    for (name, site) in FIXTURES {
        let report = fixture(name, site);
        let elements = read(&page(&report));
        let findings: Vec<&Element> =
            elements.iter().filter(|element| element.get("class") == Some("finding")).collect();
        assert_eq!(findings.len(), report.findings.len());
        let ids = by(&elements, "id");
        for finding in &report.findings {
            let element = ids[finding.id.as_str()];
            assert_eq!(element.get("class"), Some("finding"));
            assert_eq!(element.get("data-severity"), Some(finding.severity.as_str()));
            assert_eq!(element.number("data-flows"), finding.volume.flows);
            assert_eq!(element.number("data-packets"), finding.volume.packets);
            assert_eq!(element.number("data-bytes"), finding.volume.frame_bytes);
            assert_eq!(element.number("data-attempts"), finding.icmp_only_attempts);
            let said = [&finding.title, &finding.expected, &finding.remediation];
            let ports = finding.service.ports.split(", ").filter(|port| *port != "none");
            for port in ports {
                assert!(element.text.contains(port), "port {port} in {}", finding.id);
            }
            let rows = finding.nearest.iter().map(|near| &near.rule);
            for words in said.into_iter().chain(rows).chain(&finding.missing) {
                assert!(element.text.contains(words.as_str()), "{words} in {}", finding.id);
            }
        }
        let rules = report.rules.iter().map(|rule| {
            let numbers = vec![
                ("data-flows", rule.flows),
                ("data-answered", rule.answered_flows),
                ("data-also", rule.also_covers),
                ("data-contradicting", rule.contradicting_flows),
                ("data-packets", rule.packets),
                ("data-bytes", rule.frame_bytes),
            ];
            (rule.id.as_str(), numbers)
        });
        assert_listed(&elements, "data-rule", rules);
        let rows = by(&elements, "data-rule");
        for rule in &report.rules {
            let row = rows[rule.id.as_str()];
            assert_eq!(row.get("data-status"), Some(rule.status.as_str()));
            for words in [&rule.status, &rule.printed, &rule.ports] {
                assert!(row.text.contains(words.as_str()), "{words} in {}", rule.id);
            }
        }
        let order: Vec<_> = elements.iter().filter_map(|row| row.get("data-rule")).collect();
        let document: Vec<_> = report.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(order, document, "in document order");
    }
}

#[test]
fn outcome_verdicts_and_measures_are_in_the_page_with_equal_numbers() {
    for (name, site) in FIXTURES {
        let report = fixture(name, site);
        let elements = read(&page(&report));
        let outcome = by(&elements, "data-result")[report.outcome.result.as_str()];
        assert_eq!(outcome.get("data-grade"), Some(report.outcome.grade.as_str()));
        assert_eq!(outcome.number("data-failing"), report.outcome.failing_findings);
        let verdicts = report.summary.verdicts.iter();
        let verdicts = verdicts.map(|(name, v)| {
            let numbers = [
                ("data-flows", v.flows),
                ("data-packets", v.packets),
                ("data-bytes", v.frame_bytes),
            ];
            (name.as_str(), numbers.to_vec())
        });
        assert_listed(&elements, "data-verdict", verdicts);
        let strengths = report.summary.strengths.iter();
        let strengths = strengths.map(|(name, v)| (name.as_str(), vec![("data-flows", v.flows)]));
        assert_listed(&elements, "data-strength", strengths);
        let measures = report.outcome.measures.iter();
        let measures = measures.map(|one| {
            (one.measure.as_str(), vec![("data-part", one.part), ("data-whole", one.whole)])
        });
        assert_listed(&elements, "data-measure", measures);
        let said = report.outcome.cannot_say.iter().map(|said| (said.code.as_str(), Vec::new()));
        assert_listed(&elements, "data-cannot-say", said);
    }
}

#[test]
fn hours_hosts_and_peers_are_in_the_page_with_equal_numbers() {
    for (name, site) in FIXTURES {
        let report = fixture(name, site);
        let elements = read(&page(&report));
        let hours = report.window.hours.iter();
        let hours = hours.map(|hour| (hour.hour.as_str(), vec![("data-packets", hour.packets)]));
        assert_listed(&elements, "data-hour", hours);
        let hosts = report.hosts.iter();
        let hosts = hosts.map(|h| (h.name.as_str(), vec![("data-addresses", h.address_count)]));
        let silent: Vec<_> = hosts.clone().filter(|(_, numbers)| numbers[0].1 == 0).collect();
        assert_eq!(silent.len(), report.site.silent_hosts.len());
        let shown = by(&elements, "data-host");
        assert_eq!(shown.len(), report.hosts.len());
        hosts.for_each(|(name, numbers)| {
            assert_eq!(shown[name].number("data-addresses"), numbers[0].1);
        });
        let hardening = report.hosts.iter().flat_map(|host| &host.hardening);
        let mut said: Vec<_> =
            hardening.map(|one| (one.service.as_str(), one.flows_outside, &one.sentence)).collect();
        for element in elements.iter().filter(|one| one.get("data-hardening").is_some()) {
            let (service, flows, sentence) = said.remove(0);
            assert_eq!(element.get("data-hardening"), Some(service));
            assert_eq!(element.number("data-flows"), flows);
            assert!(element.text.contains(sentence.as_str()), "{sentence}");
        }
        assert!(said.is_empty(), "{said:?}");
        let peers = report.unknown_peers.iter();
        let peers = peers.map(|peer| {
            let v = &peer.volume;
            (peer.address.as_str(), vec![("data-flows", v.flows), ("data-packets", v.packets)])
        });
        assert_listed(&elements, "data-peer", peers);
        for peer in &report.unknown_peers {
            let element = by(&elements, "data-peer")[peer.address.as_str()];
            assert!(element.text.contains(&peer.site_lines), "{}", element.text);
        }
        let rows = report.infrastructure.iter();
        let rows = rows.map(|row| (row.id.as_str(), vec![("data-packets", row.packets)]));
        assert_listed(&elements, "data-infrastructure", rows);
    }
}

#[test]
fn pairs_classes_and_what_was_judged_against_are_in_the_page() {
    for (name, site) in FIXTURES {
        let report = fixture(name, site);
        let elements = read(&page(&report));
        let inputs = report.inputs.iter();
        let inputs = inputs.map(|one| (one.name.as_str(), vec![("data-packets", one.packets)]));
        assert_listed(&elements, "data-input", inputs);
        for (attribute, ids) in [
            ("data-condition", report.policy.conditions.iter().map(|c| &c.id).collect::<Vec<_>>()),
            ("data-parameter", report.policy.parameters.iter().map(|p| &p.id).collect()),
            ("data-reading", report.policy.readings.iter().map(|r| &r.id).collect()),
            ("data-pack", report.policy.packs.iter().map(|p| &p.id).collect()),
        ] {
            let ids = ids.into_iter().map(|id| (id.as_str(), Vec::new()));
            assert_listed(&elements, attribute, ids);
        }
        let pairs = elements.iter().filter(|element| element.get("data-pair").is_some());
        let pairs: Vec<_> = pairs.map(|pair| pair.number("data-flows")).collect();
        assert_eq!(pairs.len(), report.summary.matrix.len());
        let flows = report.summary.matrix.iter().flat_map(|pair| pair.verdicts.values());
        assert_eq!(pairs.iter().sum::<u64>(), flows.sum::<u64>());
        let classes = elements.iter().filter(|element| element.get("data-class").is_some());
        let classes: Vec<_> = classes.map(|class| class.number("data-packets")).collect();
        let counted = report.accounting.classes.iter().map(|class| class.packets);
        assert_eq!(classes, counted.collect::<Vec<_>>());
    }
}

#[test]
fn every_link_leads_somewhere_and_every_region_has_a_name() {
    for (name, site) in FIXTURES {
        let elements = read(&page(&fixture(name, site)));
        let ids = by(&elements, "id");
        for element in &elements {
            let anchors =
                [element.get("href"), element.get("for").or(element.get("aria-labelledby"))];
            let [href, label] = anchors;
            if let Some(anchor) = href.filter(|href| *href != "data:,") {
                let id = anchor.strip_prefix('#').unwrap_or_else(|| panic!("{anchor} leaves"));
                assert!(ids.contains_key(id), "{anchor} leads nowhere");
            }
            if let Some(id) = label {
                assert!(ids.contains_key(id), "no label {id}");
            }
            let named = |element: &Element| {
                element.get("aria-label").or(element.get("aria-labelledby")).is_some()
            };
            match element.name.as_str() {
                "section" | "nav" => assert!(named(element), "{element:?}"),
                "svg" => assert!(named(element) && element.get("role") == Some("img")),
                _ if element.get("role") == Some("region") => assert!(named(element)),
                _ => {}
            }
        }
        let count = |name: &str| elements.iter().filter(|element| element.name == name).count();
        assert_eq!((count("h1"), count("main"), count("nav")), (1, 1, 1));
        assert_eq!(count("table"), count("caption"), "every table says what it is");
        let levels = elements.iter().filter_map(|element| match element.name.as_bytes() {
            [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
            _ => None,
        });
        // The contents stand before the outcome.
        let levels: Vec<_> = levels.skip(1).collect();
        assert_eq!(levels[0], 1);
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    }
}

#[test]
fn the_page_may_do_nothing_but_what_it_was_written_to_do() {
    let page = page(&fixture("quickstart", "site.toml"));
    let elements = read(&page);
    let policy = elements
        .iter()
        .find(|element| element.get("http-equiv") == Some("Content-Security-Policy"))
        .and_then(|element| element.get("content"))
        .unwrap();
    let hash = |name: &str| {
        let mut parts = elements.iter().filter(|element| element.name == name);
        let part = parts.next().unwrap();
        assert!(parts.next().is_none() && part.attributes.is_empty());
        let digest = Sha256::digest(part.text.as_bytes());
        format!("{name}-src 'sha256-{}'", base64::prelude::BASE64_STANDARD.encode(digest))
    };
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for rule in
        [hash("style"), hash("script"), "base-uri 'none'".into(), "form-action 'none'".into()]
    {
        assert!(policy.contains(&rule), "{rule} in {policy}");
    }
    for element in &elements {
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && name != "style" && name != "src", "{element:?}");
            assert!(!value.contains("://") || name == "content", "{element:?}");
        }
    }
}

#[test]
fn the_page_of_a_stored_report_is_that_of_the_run() {
    for (name, site) in FIXTURES {
        let report = fixture(name, site);
        let mut written = Vec::new();
        report::write(&mut written, &report).unwrap();
        let stored = StoredReport::read(&written).unwrap();
        let mut again = Vec::new();
        html::write(&mut again, &stored.report, &stored.sha256).unwrap();
        assert!(page(&report).into_bytes() == again);
    }
}

#[test]
fn five_thousand_findings_stay_below_ten_megabytes() {
    let mut report = fixture("voicemail", "site.toml");
    let some = report.findings.clone();
    let mut ids = 0_u64..;
    report.findings = some
        .iter()
        .cycle()
        .zip(ids.by_ref().take(5_000))
        .map(|(finding, id)| {
            let mut finding = finding.clone();
            finding.id = format!("F-{id:012x}");
            finding
        })
        .collect();
    let slice = |finding: &Finding| Evidence {
        finding: finding.id.clone(),
        file: format!("{}.pcapng", finding.id),
        size: 1 << 20,
        sha256: "5a".repeat(32),
        flows: 3,
        packets: 60,
        flow_packets: 6_000,
    };
    report.evidence = report.findings.iter().map(slice).collect();
    let page = page(&report);
    assert!(page.len() < 10_000_000, "{} bytes", page.len());
    let elements = read(&page);
    let shown = elements.iter().filter(|element| element.get("class") == Some("finding"));
    assert_eq!(shown.count(), 5_000);
    let slices = report.evidence.iter();
    let slices = slices.map(|slice| (slice.file.as_str(), vec![("data-packets", slice.packets)]));
    assert_listed(&elements, "data-slice", slices);
    let text = &elements[0].text;
    for finding in report.findings[..1_000].iter().step_by(100) {
        assert!(text.contains(&finding.display_filter), "the filter of {}", finding.id);
    }
}

#[test]
fn times_copies_and_tunnels_are_in_the_page_with_equal_numbers() {
    for (name, site) in FIXTURES {
        let report = fixture(name, site);
        let elements = read(&page(&report));
        let times = &report.capture_health.times;
        let steps = [
            ("regressions", &times.regressions),
            ("jumps-backward", &times.jumps_backward),
            ("jumps-forward", &times.jumps_forward),
        ];
        let steps = steps.map(|(name, steps)| (name, vec![("data-count", steps.count)]));
        assert_listed(&elements, "data-times", steps.into_iter());
        for (attribute, stops) in [
            ("data-undecoded", &report.capture_health.undecoded),
            ("data-undecoded-inside", &report.capture_health.undecoded_inside),
        ] {
            let found = elements.iter().filter(|element| element.get(attribute).is_some());
            let packets: Vec<_> = found.map(|element| element.number("data-packets")).collect();
            assert_eq!(packets, stops.iter().map(|stop| stop.packets).collect::<Vec<_>>());
        }
    }
}
