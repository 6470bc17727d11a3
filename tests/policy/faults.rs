//! Every kind of fault, with the place and the advice that the author of the file gets.
//!
//! A case takes a sound example file, replaces one passage, and marks with `¦` where faults must
//! be reported, in order.

use std::collections::BTreeSet;

use portolan::judge::diagnostic::{Code, Diagnostic, Style};
use portolan::judge::policy::{PolicySource, load_policy};
use portolan::judge::site::load_site;
use portolan::judge::waiver::load_waivers;

use super::{EXAMPLE_POLICY, EXAMPLE_SITE, EXAMPLE_WAIVERS, shipped, sound};

struct Case {
    /// Passage of the example that is replaced.
    from: &'static str,
    /// What stands there instead.
    to: &'static str,
    /// The faults: code and advice.
    faults: &'static [(&'static str, &'static str)],
}

const fn case(
    from: &'static str,
    to: &'static str,
    faults: &'static [(&'static str, &'static str)],
) -> Case {
    Case { from, to, faults }
}

const SYNTAX: &str = "see https://toml.io for the notation; text stands in double quotes";

const POLICY: &[Case] = &[
    case("title = \"Example telephone system\"", "title = ¦telephone", &[("toml-syntax", SYNTAX)]),
    case(
        "schema = 1",
        "schema = ¦2",
        &[("unsupported-schema", "this build reads version 1: write `schema = 1`")],
    ),
    case(
        "schema = 1",
        "schema = ¦\"1\"",
        &[("wrong-type", "write a whole number, without quotes")],
    ),
    case(
        "[pack]\nid = \"example-pbx\"\nkind = \"document\"",
        "¦[pack]\nid = \"example-pbx\"",
        &[("missing-field", "add `kind = ...` to this entry")],
    ),
    case(
        "protocols = [\"ldap\"]",
        "protocols = [¦\"LDAP\"]",
        &[("unknown-protocol", "did you mean `ldap`?")],
    ),
    case("revision = ", "¦revison = ", &[("unknown-field", "did you mean `revision`?")]),
    case(
        "publisher = ",
        "¦x = 1\npublisher = ",
        &[(
            "unknown-field",
            "write one of: id, kind, title, publisher, release, revision, document, source-sha256",
        )],
    ),
    case(
        "[[role]]\nid = \"phone\"\ndefinition = \"A desk phone\"",
        "¦[[role]]\nid = \"phone\"",
        &[("missing-field", "add `definition = ...` to this entry")],
    ),
    case(
        "initiator = [\"phone\"]",
        "initiator = ¦\"phone\"",
        &[("wrong-type", "write a list in square brackets: [\"...\"]")],
    ),
    case("port = \"389\"", "port = ¦389", &[("wrong-type", "write it in double quotes")]),
    case(
        "symmetric = true",
        "symmetric = ¦\"yes\"",
        &[("wrong-type", "write `true` or `false`, without quotes")],
    ),
    case(
        "transport = \"udp\"",
        "transport = ¦\"upd\"",
        &[("invalid-value", "did you mean `udp`?")],
    ),
    case(
        "direction = \"<->\"",
        "direction = ¦\"both\"",
        &[("invalid-value", "write one of: ->, <->")],
    ),
    case(
        "title = \"Between nodes\"",
        "title = ¦\" \"",
        &[("empty-field", "say it in a few words")],
    ),
    case(
        "citation = \"Connections between PBX nodes\"",
        "citation = ¦\"\"",
        &[("empty-field", "say it in a few words")],
    ),
    case(
        "[[role]]",
        "[[condition]]\nid = \"more\"\nquestion = \"More?\"\nanswers = ¦[]\n\n[[role]]",
        &[("empty-list", "name at least one")],
    ),
    case("id = \"P3\"", "id = ¦\"\"", &[("empty-field", "give it a name")]),
    case(
        "port = \"5060\"",
        "port = ¦\"\"",
        &[("empty-field", "name the ports, or a parameter that may be empty: \"$name\"")],
    ),
    case(
        "when = { signalling = [\"clear\"] }",
        "when = { ¦signalling = [] }",
        &[("empty-list", "name at least one answer")],
    ),
    case(
        "initiator = [\"phone\"]",
        "initiator = [¦\"phones\"]",
        &[("unknown-role", "did you mean `phone`?")],
    ),
    case(
        "initiator = [\"phone\"]",
        "initiator = [¦\"printer\"]",
        &[("unknown-role", "defined are: directory, media-node, pbx, phone")],
    ),
    case(
        "subject-roles = [\"pbx\"]",
        "subject-roles = [¦\"pbxs\"]",
        &[("unknown-role", "did you mean `pbx`?")],
    ),
    case("is-a = [\"pbx\"]", "is-a = [¦\"pbz\"]", &[("unknown-role", "did you mean `pbx`?")]),
    case(
        "responder-has = [\"synchronised\"]",
        "responder-has = [¦\"synchronized\"]",
        &[("unknown-attribute", "did you mean `synchronised`?")],
    ),
    case(
        "relation = \"cluster\"",
        "relation = ¦\"clusters\"",
        &[("unknown-relation", "did you mean `cluster`?")],
    ),
    case(
        "port = \"$media-range\"",
        "port = ¦\"$media-rage\"",
        &[("unknown-parameter", "did you mean `media-range`?")],
    ),
    case(
        "when = { signalling = [\"tls\"] }",
        "when = { ¦signaling = [\"tls\"] }",
        &[("unknown-condition", "did you mean `signalling`?")],
    ),
    case(
        "when = { signalling = [\"tls\"] }",
        "when = { signalling = [¦\"ssl\"] }",
        &[("unknown-answer", "defined are: clear, tls")],
    ),
    case(
        "protocols = [\"ldap\"]",
        "protocols = [¦\"ldpa\"]",
        &[("unknown-protocol", "did you mean `ldap`?")],
    ),
    case(
        "protocols = [\"ldap\"]",
        "protocols = [¦\"ldap:dcom\"]",
        &[("unknown-protocol", "did you mean `dcom`?")],
    ),
    case(
        "service = \"ldap\"",
        "service = ¦\"ldaps\"",
        &[("unknown-service", "did you mean `ldap`?")],
    ),
    case(
        "readings = [\"R-1\"]",
        "readings = [\"R-1\", ¦\"R-2\"]",
        &[("unknown-reading", "did you mean `R-1`?")],
    ),
    case(
        "readings = [\"R-1\"]\nliteral = { initiator = [\"media-node\"] }\nrow = [\n  { id = ",
        "literal = { initiator = [\"media-node\"] }\nrow = [\n  { id = ¦",
        &[(
            "unexplained-literal",
            "name the reading in `readings` and mark it `changes-verdict = true`",
        )],
    ),
    case(
        "id = \"PH-PBX.sips.tcp\"",
        "id = ¦\"PH-PBX.sip.udp\"",
        &[(
            "duplicate-id",
            "the other one stands in policy.toml:117; rename or remove one of them",
        )],
    ),
    case(
        "answers = [\"clear\", \"tls\"]",
        "answers = [\"clear\", \"tls\", ¦\"clear\"]",
        &[("duplicate-id", "the other one stands in policy.toml:32; rename or remove one of them")],
    ),
    case(
        "definition = \"A node of the telephone system\"\n\n[[role]]\nid = \"media-node\"\ndefinition = \"A node that also mixes conferences\"\nis-a = [",
        "definition = \"A node of the telephone system\"\nis-a = [¦\"media-node\"]\n\n[[role]]\nid = \"media-node\"\ndefinition = \"A node that also mixes conferences\"\nis-a = [¦",
        &[
            ("role-cycle", "remove `media-node` from `is-a` here or further up"),
            ("role-cycle", "remove `pbx` from `is-a` here or further up"),
        ],
    ),
    case(
        "[scope]",
        "[[infrastructure]]\nid = ¦\"arp\"\ntitle = \"ARP\"\nmatch = { non-ip = \"arp\", to = \"any\" }\n[scope]",
        &[("misplaced-entry", "move it to a pack of the other kind")],
    ),
    case("default = \"16384-16583\"", "default = ¦\"16583-16384\"", &[("invalid-ports", PORTS)]),
    case("port = \"7000-7003\"", "port = ¦\"7000-70000\"", &[("invalid-ports", PORTS)]),
    case("candidates = \"1024-65535\"", "candidates = ¦\"high\"", &[("invalid-ports", PORTS)]),
];

const PORTS: &str = "write ports between 0 and 65535: \"25\", \"5000-5020\" or \"25, 587\"";

const INFRASTRUCTURE_TEXT: &str = "schema = 1
[pack]
id = \"base\"
kind = \"infrastructure\"
title = \"Base\"
[[infrastructure]]
id = \"ospf\"
title = \"OSPF\"
match = { ip-protocol = \"89\", to = \"any\" }
";

const MATCH: &str = "write `non-ip`, or `ip-protocol`, or `transport` together with `port`";

const INFRASTRUCTURE: &[Case] = &[
    case(
        "match = { ip-protocol = \"89\",",
        "match = ¦{ ip-protocol = \"89\", non-ip = \"arp\",",
        &[("invalid-match", MATCH)],
    ),
    case(
        "match = { ip-protocol = \"89\",",
        "match = ¦{ transport = \"udp\",",
        &[("invalid-match", MATCH)],
    ),
    case("\"89\"", "¦\"osfp\"", &[("invalid-match", "write its number: \"89\" for OSPF")]),
    case("\"89\"", "¦\"256\"", &[("invalid-match", "write its number: \"89\" for OSPF")]),
    case(
        "to = \"any\"",
        "to = ¦\"all\"",
        &[("invalid-value", "write one of: any, broadcast, multicast, group")],
    ),
];

const SITE: &[Case] = &[
    case("rdp = \"yes\"", "¦rpd = \"yes\"", &[("unknown-condition", "did you mean `rdp`?")]),
    case("rdp = \"yes\"", "rdp = ¦\"on\"", &[("unknown-answer", "defined are: yes, no")]),
    case(
        "exchange-static-tcp",
        "¦exchange-static",
        &[("unknown-parameter", "did you mean `exchange-static-tcp`?")],
    ),
    case("\"6500-6502\"", "¦\"6500-\"", &[("invalid-ports", PORTS)]),
    case(
        "\"exchange-partner\"",
        "¦\"exchange-partners\"",
        &[("unknown-role", "did you mean `exchange-partner`?")],
    ),
    case(
        "\"mapi-gc\"",
        "¦\"mapi\"",
        &[(
            "unknown-attribute",
            "defined are: mapi-gc, monitored-by-unity, primary, secondary, uses-pca, uses-viewmail",
        )],
    ),
    case(
        "type = \"mailbox-home\"",
        "type = ¦\"mailbox-hom\"",
        &[("unknown-relation", "did you mean `mailbox-home`?")],
    ),
    case("is = [\"dc-1\"]", "is = [¦\"dc-2\"]", &[("unknown-host", "did you mean `dc-1`?")]),
    case(
        "name = \"helpdesk\"",
        "name = ¦\"unity-1\"",
        &[("duplicate-id", "the other one stands in site.toml:31; rename or remove one of them")],
    ),
    case(
        "\"10.1.1.31\"",
        "¦\"10.1.1.311\"",
        &[(
            "invalid-address",
            "write one as \"192.0.2.1\" or \"2001:db8::1\"; names are not resolved",
        )],
    ),
    case(
        "\"10.1.1.31\"",
        "¦\"10.1.1.0/28\"",
        &[("invalid-address", "a prefix belongs into `prefixes`")],
    ),
    case(
        "subnets = [\"10.1.1.0/24\"",
        "subnets = [¦\"10.1.1.1/24\"",
        &[("invalid-prefix", "write \"10.1.1.0/24\"")],
    ),
    case(
        "prefixes = [\"10.1.20.0/24\"]",
        "prefixes = [¦\"10.1.20.0/33\"]",
        &[("invalid-prefix", "write one as \"192.0.2.0/24\" or \"2001:db8::/64\"")],
    ),
    case("valid-from = \"2026-01-10\"", "valid-from = ¦\"10.1.2026\"", &[("invalid-time", TIME)]),
    case(
        "valid-from = \"2026-01-10\"",
        "valid-from = \"2026-01-10\"\nvalid-until = ¦\"2026-01-10\"",
        &[("reversed-interval", "put `valid-until` later; it is exclusive")],
    ),
    case(
        "addresses = [\"10.1.20.5\"]",
        "addresses = [¦\"::ffff:10.1.1.31\"]",
        &[(
            "shared-address",
            "the other one stands in site.toml:51; keep one, or part them with `valid-from` and `valid-until`",
        )],
    ),
    case(
        "prefixes = [\"10.1.30.0/24\"]",
        "prefixes = [¦\"10.1.20.0/24\"]",
        &[(
            "shared-prefix",
            "the other one stands in site.toml:67; keep one, or part them with `valid-from` and `valid-until`",
        )],
    ),
    case(
        "name = \"helpdesk\"\naddresses = [\"10.1.30.9\"]",
        "name = ¦\"helpdesk\"",
        &[(
            "host-without-address",
            "add `addresses = [\"192.0.2.1\"]` or `prefixes = [\"192.0.2.0/24\"]`",
        )],
    ),
    case(
        "type = \"failover-pair\"\nmembers =",
        "type = ¦\"failover-pair\"\nof =",
        &[("relation-shape", "write `members = [\"...\", \"...\"]`, without `of` and `is`")],
    ),
    case(
        "type = \"mailbox-home\"\nof = [\"workstations\"]\nis =",
        "type = ¦\"mailbox-home\"\nmembers =",
        &[("relation-shape", "write `of = [\"...\"]` and `is = [\"...\"]`, without `members`")],
    ),
    case(
        "members = [\"unity-1\", \"unity-2\"]",
        "members = ¦[]",
        &[("empty-list", "name at least one")],
    ),
    case(
        "collectors = [\"10.1.1.200\"]",
        "collectors = [¦\"span\"]",
        &[(
            "invalid-address",
            "write one as \"192.0.2.1\" or \"2001:db8::1\"; names are not resolved",
        )],
    ),
];

const TIME: &str = "write \"2026-03-02\" or \"2026-03-02T22:00:00Z\" (RFC 3339)";

const WAIVERS: &[Case] = &[
    case(
        "owner = \"messaging team\"",
        "owner = ¦\"\"",
        &[("empty-field", "say it in a few words")],
    ),
    case(
        "reason = \"Public folders replicate over SMB until the migration ends\"",
        "reason = ¦\"\"",
        &[("empty-field", "say it in a few words")],
    ),
    case(
        "[[waiver]]\nid = \"W-1\"\nowner = \"messaging team\"\n",
        "¦[[waiver]]\nid = \"W-1\"\n",
        &[("missing-field", "add `owner = ...` to this entry")],
    ),
    case(
        "expires = \"2026-12-31\"",
        "expires = ¦\"2025-12-31\"",
        &[("reversed-interval", "put `expires` later; it is exclusive")],
    ),
    case("expires = \"2026-12-31\"", "expires = ¦\"never\"", &[("invalid-time", TIME)]),
    case(
        "id = \"W-2\"",
        "id = ¦\"W-1\"",
        &[("duplicate-id", "the other one stands in waivers.toml:4; rename or remove one of them")],
    ),
    case("\"exchange-2\"", "¦\"exchange-3\"", &[("unknown-host", "did you mean `exchange-1`?")]),
    case(
        "responder-roles = [\"phone\"]",
        "responder-roles = [¦\"phones\"]",
        &[("unknown-role", "did you mean `phone`?")],
    ),
    case("service = \"rtp\"", "service = ¦\"rtcp\"", &[("unknown-service", "did you mean `rtp`?")]),
    case("ports = \"445\"", "ports = ¦\"445-\"", &[("invalid-ports", PORTS)]),
    case("ports = \"445\"", "ports = ¦\"\"", &[("empty-field", "say it in a few words")]),
    case(
        "[waiver.match]\ninitiator-roles = [\"unity\"]\nresponder-roles = [\"phone\"]\nservice = \"rtp\"",
        "¦[waiver.match]\ntransport = \"udp\"",
        &[("unbounded-waiver", "name roles, hosts, ports or a service")],
    ),
    case(
        "maximum-flows = 200",
        "maximum-flows = ¦-1",
        &[("invalid-value", "give it a value that is expected")],
    ),
];

/// The text of a case, and the lines and columns of its marks.
fn marked(example: &str, case: &Case) -> (String, Vec<(usize, usize)>) {
    assert!(example.contains(case.from), "{}", case.from);
    let text = example.replacen(case.from, case.to, 1);
    let mut places = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let marks = line.chars().enumerate().filter(|(_, letter)| *letter == '¦');
        places.extend(marks.enumerate().map(|(earlier, (at, _))| (number + 1, at + 1 - earlier)));
    }
    (text.replace('¦', ""), places)
}

/// Checks the faults of every case and gives the codes that occurred.
fn check(
    example: &str,
    cases: &[Case],
    load: impl Fn(&str) -> Result<(), Vec<Diagnostic>>,
) -> BTreeSet<&'static str> {
    assert_eq!(load(example), Ok(()), "the example itself is sound");
    let mut codes = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in cases {
        let (text, places) = marked(example, case);
        let found = load(&text).expect_err(case.to);
        let found: Vec<(usize, usize, &str, &str)> = found
            .iter()
            .map(|it| (it.line, it.column, it.code.as_str(), it.help.as_str()))
            .collect();
        let expected: Vec<(usize, usize, &str, &str)> = places
            .iter()
            .zip(case.faults)
            .map(|((line, column), (code, help))| (*line, *column, *code, *help))
            .collect();
        assert_eq!(places.len(), case.faults.len(), "a mark for every fault: {}", case.to);
        if found != expected {
            wrong.push(format!("{}\n  found    {found:?}\n  expected {expected:?}\n", case.to));
        }
        codes.extend(case.faults.iter().map(|(code, _)| *code));
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    codes
}

fn load_one_policy(text: &str) -> Result<(), Vec<Diagnostic>> {
    load_policy(&[PolicySource { name: "policy.toml", text }]).map(drop)
}

#[test]
fn every_kind_of_fault_is_placed_and_answered() {
    let policy = shipped();
    let site = sound(load_site(EXAMPLE_SITE, "site.toml", &policy));
    let load_site = |text: &str| load_site(text, "site.toml", &policy).map(drop);
    let load_waivers = |text: &str| load_waivers(text, "waivers.toml", &policy, &site).map(drop);

    let mut codes = check(EXAMPLE_POLICY, POLICY, load_one_policy);
    codes.extend(check(INFRASTRUCTURE_TEXT, INFRASTRUCTURE, load_one_policy));
    codes.extend(check(EXAMPLE_SITE, SITE, load_site));
    codes.extend(check(EXAMPLE_WAIVERS, WAIVERS, load_waivers));

    // These have tests of their own below.
    codes.extend(["too-many", "misplaced-parameter"]);
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, all);
    assert_eq!(all.len(), Code::ALL.len(), "codes are unique");
}

#[test]
fn a_set_of_roles_has_room_for_64() {
    let with_roles = |count: usize| {
        let more: String = (0..count)
            .map(|it| format!("[[role]]\nid = \"more-{it}\"\ndefinition = \"One more\"\n"))
            .collect();
        EXAMPLE_POLICY.replacen("[[attribute]]", &format!("{more}[[attribute]]"), 1)
    };
    assert_eq!(load_one_policy(&with_roles(60)), Ok(()), "4 of the example and 60 more");
    let found = load_one_policy(&with_roles(61)).unwrap_err();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, Code::TooMany);
    assert!(found[0].message.contains("64 roles"), "{}", found[0].message);
    assert_eq!(found[0].help, "merge some, or load fewer packs in one run");
}

#[test]
fn a_parameter_of_the_whole_site_is_not_set_for_a_host() {
    let policy = super::example();
    let text = "schema = 1
[[host]]
name = \"node\"
addresses = [\"192.0.2.1\"]
parameters = { provisioning-port = \"8080\" }
";
    let found = load_site(text, "site.toml", &policy).unwrap_err();
    let [fault] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((fault.code, fault.line, fault.column), (Code::MisplacedParameter, 5, 16));
    assert_eq!(fault.help, "move it to the table `[parameters]`");
}

#[test]
fn sections_do_not_belong_into_an_infrastructure_pack() {
    let text = EXAMPLE_POLICY.replace("kind = \"document\"", "kind = \"infrastructure\"");
    let found = load_one_policy(&text).unwrap_err();
    let codes: Vec<Code> = found.iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::MisplacedEntry; 3], "one for each section");
}

#[test]
fn two_packs_may_not_define_the_same() {
    let sources = [
        PolicySource { name: "one.toml", text: INFRASTRUCTURE_TEXT },
        PolicySource { name: "two.toml", text: INFRASTRUCTURE_TEXT },
    ];
    let found = load_policy(&sources).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "two.toml:3:6: pack `base` is defined twice [duplicate-id]; the other one stands in \
             one.toml:3; rename or remove one of them",
            "two.toml:7:6: infrastructure row `ospf` is defined twice [duplicate-id]; the other \
             one stands in one.toml:7; rename or remove one of them",
        ]
    );
}

#[test]
fn all_faults_of_form_and_meaning_come_at_once() {
    let text = "schema = 1
[sit]
name = \"x\"
[conditions]
vnc = \"perhaps\"
[[host]]
name = \"a\"
adresses = [\"192.0.2.1\"]
roles = [\"uniti\"]
[[host]]
name = \"b\"
addresses = [\"192.0.2.2\", \"192.0.2\"]
";
    let found = load_site(text, "site.toml", &shipped()).unwrap_err();
    let found: Vec<(usize, usize, &str)> =
        found.iter().map(|it| (it.line, it.column, it.code.as_str())).collect();
    let expected = [
        (2, 2, "unknown-field"),
        (5, 7, "unknown-answer"),
        (8, 1, "unknown-field"),
        (9, 10, "unknown-role"),
        (12, 27, "invalid-address"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_missing_schema_version_hides_no_other_fault() {
    let text = "[[host]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\nroles = [\"uniti\"]\n";
    let found = load_site(text, "site.toml", &shipped()).unwrap_err();
    let found: Vec<(usize, usize, &str)> =
        found.iter().map(|it| (it.line, it.column, it.code.as_str())).collect();
    assert_eq!(found, [(1, 1, "missing-field"), (4, 10, "unknown-role")]);
}

#[test]
fn references_to_an_entry_with_a_fault_of_form_are_not_faults() {
    let text = EXAMPLE_SITE.replace("roles = [\"exchange-home\"]", "roles = \"exchange-home\"");
    let found = load_site(&text, "site.toml", &shipped()).unwrap_err();
    let codes: Vec<Code> = found.iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::WrongType]);
}

#[test]
fn faults_are_shown_with_their_line() {
    let text = "schema = 1\n[[host]]\nname = \"Zürich\"\naddresses = [\"192.0.2.1\"]\nroles = [\"unty\"]\n";
    let found = load_site(text, "site.toml", &shipped()).unwrap_err();
    let [fault] = found.as_slice() else { panic!("{found:?}") };
    let expected = "\
error[unknown-role]: role `unty` is not defined
 --> site.toml:5:10
  |
5 | roles = [\"unty\"]
  |          ^^^^^^
  |
  = help: did you mean `unity`?";
    assert_eq!(fault.render(Style::Plain), expected);
    let coloured = fault.render(Style::Coloured);
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    let stripped: String =
        coloured.split('\u{1b}').enumerate().fold(String::new(), |text, (n, part)| {
            let plain =
                if n == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) };
            text + plain
        });
    assert_eq!(stripped, expected);
}

#[test]
fn any_text_is_answered_without_a_panic() {
    let policy = shipped();
    for (example, from) in [(EXAMPLE_SITE, 'a'), (EXAMPLE_POLICY, '"'), (EXAMPLE_WAIVERS, '=')] {
        for (at, _) in example.char_indices().step_by(7) {
            let cut = &example[..at];
            let torn = format!("{cut}{}", example[at..].replacen(from, "\u{fffd}\0", 1));
            for text in [cut, torn.as_str()] {
                let _ = load_one_policy(text);
                let _ = load_site(text, "x", &policy);
            }
        }
    }
}
