//! Doubts about packs and sites: what each says, and that sound data raise none.

use portolan::judge::model::{Lint, Policy};
use portolan::judge::policy::{PolicySource, load_policy};
use portolan::judge::site::load_site;

use super::{EXAMPLE_POLICY, EXAMPLE_SITE, example, shipped, sound};

fn codes_and_subjects(lints: &[Lint]) -> Vec<(&str, &str)> {
    lints.iter().map(|lint| (lint.code.as_str(), lint.subject.as_str())).collect()
}

/// The doubts about the example pack with one passage replaced.
fn policy_lints(from: &str, to: &str) -> Vec<Lint> {
    assert!(EXAMPLE_POLICY.contains(from), "{from}");
    let text = EXAMPLE_POLICY.replacen(from, to, 1);
    sound(load_policy(&[PolicySource { name: "policy.toml", text: &text }])).lints
}

/// The doubts of one code about the example site with one passage replaced.
fn site_lints(policy: &Policy, code: &str, from: &str, to: &str) -> Vec<Lint> {
    assert!(EXAMPLE_SITE.contains(from), "{from}");
    let text = EXAMPLE_SITE.replacen(from, to, 1);
    let site = sound(load_site(&text, "site.toml", policy));
    site.lints.into_iter().filter(|lint| lint.code == code).collect()
}

#[test]
fn the_cisco_pack_is_doubtful_only_where_the_document_is() {
    let expected = [
        // Port 5000 was the last source port of the Windows releases of that time.
        ("range-overlaps-ephemeral", "dcom-range"),
        ("wide-row", "CM-U.rtp.udp"),
        ("wide-row", "SIP-U.rtp.udp"),
        ("wide-row", "U-CM.rtp.udp"),
        ("wide-row", "U-SIP.rtp.udp"),
        ("wide-row", "X-U.notify.udp"),
    ];
    let policy = shipped();
    assert_eq!(codes_and_subjects(&policy.lints), expected);
    let notify = policy.lints.iter().find(|lint| lint.subject == "X-U.notify.udp").unwrap();
    assert!(notify.message.contains("64512 ports"), "65535 - 1024 + 1: {}", notify.message);
}

#[test]
fn the_example_pack_raises_no_doubt() {
    assert_eq!(example().lints, []);
}

#[test]
fn rows_that_say_nothing_new_are_pointed_out() {
    let row = "  { id = \"PBX-PBX.repl.tcp\", transport = \"tcp\", port = \"7000-7003\"";
    let with = |id: &str, port: &str, more: &str| {
        format!(
            "  {{ id = \"{id}\", transport = \"tcp\", port = \"{port}\", service = \"replication\", \
             printed = \"R\"{more} }},\n{row}"
        )
    };
    let same = policy_lints(row, &with("SAME", "7000-7003", ""));
    assert_eq!(codes_and_subjects(&same), [("duplicate-row", "PBX-PBX.repl.tcp")]);
    let narrower = policy_lints(row, &with("NARROW", "7001", ""));
    assert_eq!(codes_and_subjects(&narrower), [("shadowed-row", "NARROW")]);
    let of_a_kind = policy_lints(row, &with("KIND", "7001", ", initiator = [\"media-node\"]"));
    assert_eq!(codes_and_subjects(&of_a_kind), [("shadowed-row", "KIND")]);
    let conditional =
        policy_lints(row, &with("WHEN", "7000-7003", ", when = { signalling = [\"tls\"] }"));
    assert_eq!(codes_and_subjects(&conditional), [("shadowed-row", "WHEN")]);

    for (port, more) in [
        ("7003-7004", ""),
        ("7000", ", responder = [\"phone\"]"),
        ("7000", ", relation = \"registrar\""),
    ] {
        let new = policy_lints(row, &with("NEW", port, more));
        assert_eq!(codes_and_subjects(&new), [], "{port}{more}");
    }
    let weak = policy_lints("port = \"7000-7003\"", "weak = true, port = \"1-65535\"");
    assert_eq!(codes_and_subjects(&weak), [("wide-row", "PBX-PBX.repl.tcp")]);
}

#[test]
fn ranges_outside_their_limits_are_pointed_out() {
    let range = "default = \"16384-16583\"";
    let doubts = |value: &str| policy_lints(range, &format!("default = \"{value}\""));
    let few = doubts("16384-16482");
    assert_eq!(codes_and_subjects(&few), [("too-few-ports", "media-range")]);
    assert!(few[0].message.contains("99 ports"), "{}", few[0].message);
    assert_eq!(codes_and_subjects(&doubts("16384-16483")), [], "100 ports are enough");
    assert_eq!(
        codes_and_subjects(&doubts("901-1023, 1025")),
        [("low-ports", "media-range"), ("range-overlaps-ephemeral", "media-range"),]
    );
    let wide = doubts("5062-6062");
    assert_eq!(codes_and_subjects(&wide), [("wide-row", "PH-PBX.rtp.udp")], "1001 ports");
    assert_eq!(codes_and_subjects(&doubts("5060-5260")), [], "SIP has another responder role");
}

#[test]
fn a_reading_must_have_an_effect() {
    let idle = policy_lints("literal = { initiator = [\"media-node\"] }\n", "");
    assert_eq!(codes_and_subjects(&idle), [("reading-without-effect", "R-1")]);
}

#[test]
fn the_example_site_is_doubtful_where_it_says_so() {
    let policy = shipped();
    let site = sound(load_site(EXAMPLE_SITE, "site.toml", &policy));
    let expected = [
        ("prefix-swallows-host", "cucm-1"),
        ("prefix-swallows-host", "helpdesk"),
        ("range-overlaps-ephemeral", "unity-2"),
        ("role-without-host", "bridge"),
        ("role-without-host", "exchange-voice-connector"),
        ("role-without-host", "gateway"),
        ("role-without-host", "sip-endpoint"),
        ("role-without-host", "smtp-relay"),
        ("role-without-host", "snmp-manager"),
        ("role-without-host", "vnc-client"),
        ("role-without-host", "voice-messaging-peer"),
    ];
    assert_eq!(codes_and_subjects(&site.lints), expected);
}

#[test]
fn what_a_site_leaves_open_is_pointed_out() {
    let policy = shipped();
    let cases = [
        ("condition-unanswered", "https-admin = \"on\"\n", "", "https-admin"),
        (
            "condition-unanswered",
            "exchange-aware-firewall = \"none\"\n",
            "",
            "exchange-aware-firewall",
        ),
        ("parameter-unbound", "exchange-static-udp = \"\" ", "", "exchange-static-udp"),
        ("attribute-missing", "\"monitored-by-unity\", ", "", "monitored-by-unity"),
        (
            "relation-missing",
            "type = \"mailbox-home\"\nof = [\"workstations\"]\nis = [\"exchange-1\"]",
            "type = \"dns-server\"\nof = [\"workstations\"]\nis = [\"dc-1\"]",
            "mailbox-home",
        ),
        ("host-without-role", "roles = [\"cucm\"]\n", "", "cucm-1"),
        ("role-without-host", "roles = [\"cucm\"]\n", "", "cucm"),
        ("usual-role-missing", "\"domain-controller\", ", "", "dc-1"),
        (
            "misplaced-attribute",
            "roles = [\"cucm\"]\n",
            "roles = [\"cucm\"]\nattributes = [\"secondary\"]\n",
            "cucm-1",
        ),
        (
            "misplaced-relation",
            "members = [\"unity-1\", \"unity-2\"]",
            "members = [\"unity-1\", \"unity-2\", \"cucm-1\"]",
            "cucm-1",
        ),
        ("too-few-ports", "\"5000-5039\"", "\"5001-5019\"", "unity-2"),
        ("low-ports", "\"5000-5039\"", "\"1000-1024\"", "unity-2"),
        ("range-overlaps-row", "\"5000-5039\"", "\"5041-5060\"", "unity-2"),
        ("range-overlaps-row", "\"5000-5039\"", "\"3372-3399\"", "unity-2"),
    ];
    for (code, from, to, subject) in cases {
        let before = site_lints(&policy, code, "schema", "schema");
        let after = site_lints(&policy, code, from, to);
        let subjects = |lints: &[Lint]| lints.iter().filter(|lint| lint.subject == subject).count();
        assert_eq!(subjects(&before), 0, "{code} {subject} in the example");
        assert!(subjects(&after) > 0, "{code} {subject}: {after:?}");
    }
    let fine = site_lints(&policy, "range-overlaps-row", "\"5000-5039\"", "\"5061-5099\"");
    assert_eq!(fine, []);
}
