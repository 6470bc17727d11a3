//! What became of the rows.

use portolan::report::model::Rule;

use crate::frames;
use crate::runs::{Rules, Run, check_frames};

const SITE: &str = r#"
schema = 1
[conditions]
failover = "no"
[[host]]
name = "unity"
addresses = ["10.0.0.1"]
roles = ["unity"]
[[host]]
name = "dns"
addresses = ["10.0.0.2"]
roles = ["dns-server"]
[[host]]
name = "phone"
addresses = ["10.0.0.3"]
roles = ["phone"]
"#;

const UNITY: [u8; 4] = [10, 0, 0, 1];
const DNS: [u8; 4] = [10, 0, 0, 2];
const PHONE: [u8; 4] = [10, 0, 0, 3];

fn judged(frames: impl IntoIterator<Item = Vec<u8>>) -> Run {
    let times = (0..).map(|index| 1_700_000_000_000_000_000 + index * 1_000_000);
    check_frames(&times.zip(frames).collect::<Vec<_>>(), &Rules::at(SITE))
}

fn rule<'a>(run: &'a Run, id: &str) -> &'a Rule {
    run.report.rules.iter().find(|rule| rule.id == id).unwrap()
}

/// Whoever closes a firewall to the ports seen must see all of them.
#[test]
fn every_port_that_was_used_is_told() {
    let media =
        (0..3_000).map(|index| frames::udp((PHONE, UNITY), (17_000, 22_800 + 2 * index), b"m"));
    let run = judged(media);
    let seen = &rule(&run, "CM-U.rtp.udp").ports_seen;
    assert!(seen.starts_with("22800,") || seen.starts_with("22800, "), "{seen}");
    assert!(seen.ends_with("28798"), "{seen}");
    assert_eq!(seen.split(',').count(), 3_000);
}

#[test]
fn a_question_without_answer_was_tried_and_media_need_none() {
    let query = |index: u16| frames::udp((UNITY, DNS), (41_000 + index, 53), b"who is it?");
    let row = "U-DNS.dns.udp";
    let run = judged((0..20).map(query));
    let tried = rule(&run, row);
    assert_eq!((tried.status.as_str(), tried.flows, tried.answered_flows), ("blocked?", 20, 0));
    let answer = frames::udp((DNS, UNITY), (53, 41_000), b"it is me");
    let run = judged([query(0), answer]);
    assert_eq!(rule(&run, row).status, "exercised");
    let run = judged([frames::udp((PHONE, UNITY), (17_000, 22_800), b"media")]);
    let media = rule(&run, "CM-U.rtp.udp");
    assert_eq!((media.status.as_str(), media.answered_flows), ("exercised", 1));
}

/// The pack: section S14b demands `uses-pca` and the answer `pca`, its row on port 443 `https-pca`
/// as well, and names three readings.
#[test]
fn rows_tell_what_they_demand_and_sections_what_the_document_prints() {
    let run = judged([]);
    let row = rule(&run, "PCA-U.https.tcp");
    assert_eq!(row.demands, ["the initiator carries uses-pca", "https-pca is on", "pca is yes"]);
    assert_eq!(row.readings, ["A-26", "A-28", "A-35"]);
    let sections = &run.report.policy.sections;
    let notifications = sections.iter().find(|section| section.id == "S15").unwrap();
    assert_eq!(notifications.citation, "Network Traffic from Exchange to Cisco Unity");
    assert_eq!(notifications.pack, "cisco-unity-5x-exchange");
    assert_eq!(notifications.revised, "2008-04-17");
    assert!(notifications.caution.starts_with("No firewall may stand"));
    let mut named: Vec<_> = run.report.rules.iter().map(|rule| &rule.section).collect();
    named.dedup();
    assert_eq!(named, sections.iter().map(|section| &section.id).collect::<Vec<_>>());
}
