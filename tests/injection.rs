//! Names from packets and files that would like to be commands: whatever they say, they do nothing
//! in any output, and a reader sees what they say.
//!
//! The page as markup is tested in `page`, the status view of a watch in its own module.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::frames;
use crate::pitfalls::messages::{
    By, NDR, REM_UNKNOWN_2, accepted, bind, bind_ack, client_hello_to, dns_answer, dns_query,
    invite, request, response, sdp, server_hello, talk,
};
use crate::runs::pcap;
use crate::sites::texts_of;

const UNITY: [u8; 4] = [10, 0, 0, 1];
const DC: [u8; 4] = [10, 0, 0, 2];
const STRANGER: [u8; 4] = [192, 0, 2, 7];

/// Markup, escapes of terminals (ECMA-48: CSI and OSC by ESC and by C1), overrides of direction,
/// formulas, workflow commands, links, ends of strings and of filters. No full stop: it parts the
/// labels of a host name.
const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|x",
    "\t=1+1",
    "a\u{1b}[2J\u{1b}]8;;http://evil\u{7}b\u{1b}]8;;\u{7}",
    "\u{9b}31mc\u{9d}0;t\u{9c}\u{202e}d\u{2066}\u{200b}\u{e0041}",
    "\n::error title=evil::y%0A::stop-commands::z",
    "x\r\n\" || frame || \"' ; rm -rf / #",
    "[click](http://evil) ![i](http://evil/i)",
    "{0} ${HOME} `id` $(id) %s%n \\",
    "-2+3\",\"x\r\n\"=1",
];

/// A folder with a capture, a site and waivers in which every name is hostile.
struct Scene {
    folder: TempDir,
    capture: PathBuf,
}

impl Scene {
    fn of(name: &str) -> Scene {
        let folder = TempDir::new().unwrap();
        // A slash parts folders; a name of a file has at most 255 bytes.
        let capture = folder.path().join(format!("{}.pcap", name.replace('/', "|")));
        std::fs::write(&capture, pcap(&traffic(name))).unwrap();
        let (site, waivers) = texts_of(name);
        std::fs::write(folder.path().join("site.toml"), site).unwrap();
        std::fs::write(folder.path().join("waivers.toml"), waivers).unwrap();
        Scene { folder, capture }
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::cargo_bin("portolan").unwrap();
        let output = command.args(arguments).current_dir(self.folder.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Said {
            status: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn check(&self, more: &[&str]) -> Said {
        let capture = self.capture.to_str().unwrap();
        let rules = ["--site", "site.toml", "--waivers", "waivers.toml"];
        self.run(&[&["check", capture][..], &rules, more].concat())
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

/// What a run said.
struct Said {
    status: i32,
    out: String,
    err: String,
}

/// Conversations on ports of their own, each of a protocol that carries the name.
fn traffic(name: &str) -> Vec<(i64, Vec<u8>)> {
    let (there, back) = ((UNITY, DC), (DC, UNITY));
    let mut packets = Vec::new();
    let hello = [(By::Client, client_hello_to(name)), (By::Server, server_hello())];
    packets.extend(talk(there, (50_001, 4501), &hello));
    let annotated = [
        (By::Client, bind(REM_UNKNOWN_2, &[NDR])),
        (By::Server, bind_ack(name, 0, &[NDR])),
        (By::Client, request(0, 5, &[0; 24])),
        (By::Server, response(0, &[0; 24])),
    ];
    packets.extend(talk(there, (50_002, 4502), &annotated));
    let call = [
        (By::Client, sip(invite(&described(name)), name)),
        (By::Server, sip(accepted(&described(name)), name)),
    ];
    packets.extend(talk(there, (50_003, 4503), &call));
    let mut ask = |port: u16, question: Vec<u8>, answer: Vec<u8>| {
        packets.push(frames::udp(there, (50_000, port), &question));
        packets.push(frames::udp(back, (port, 50_000), &answer));
    };
    ask(4504, dns_query(7, name), dns_answer(7, name));
    ask(4505, netbios(name, false), netbios(name, true));
    ask(4506, dhcp(name, 1), dhcp(name, 2));
    ask(4507, ssdp("M-SEARCH * HTTP/1.1", name), ssdp("HTTP/1.1 200 OK", name));
    packets.push(frames::udp((STRANGER, UNITY), (40_000, 4508), name.as_bytes()));
    packets.push(frames::udp((UNITY, STRANGER), (4508, 40_000), name.as_bytes()));
    (0..).map(|index| 1_700_000_000_000_000_000 + index * 1_000_000).zip(packets).collect()
}

/// A description whose free texts are the name (RFC 4566 section 5). Line ends would be lines.
fn described(name: &str) -> String {
    let line = name.replace(['\r', '\n'], " ");
    sdp(DC, &["m=audio 23000 RTP/AVP 0"]).replace("s=-", &format!("s={line}\r\ni={line}"))
}

/// A message of SIP with the name in its headers (RFC 3261 section 20).
fn sip(message: Vec<u8>, name: &str) -> Vec<u8> {
    let line = name.replace(['\r', '\n'], " ");
    let headers = format!(
        "Contact: \"{line}\" <sip:{line}@b.example>\r\nUser-Agent: {line}\r\nServer: {line}\r\nCSeq:"
    );
    let text = String::from_utf8(message).unwrap();
    text.replace("<sip:a@a.example>", &format!("\"{line}\" <sip:{line}@a.example>"))
        .replace("CSeq:", &headers)
        .into_bytes()
}

/// A question for a NetBIOS name, or its answer (RFC 1002 sections 4.2.12 and 4.2.13).
fn netbios(name: &str, answer: bool) -> Vec<u8> {
    let mut bytes = if answer {
        vec![0, 9, 0x85, 0, 0, 0, 0, 1, 0, 0, 0, 0, 32]
    } else {
        vec![0, 9, 1, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 32]
    };
    let padded = name.bytes().chain(std::iter::repeat(b' ')).take(15).chain([0]);
    bytes.extend(padded.flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]));
    bytes.extend([0, 0, 0x20, 0, 1]);
    if answer {
        bytes.extend([0, 0, 0, 60, 0, 6, 0, 0, 10, 0, 0, 2]);
    }
    bytes
}

/// A request or a reply of DHCP with a host name (RFC 2131 section 2, RFC 2132 section 3.14).
fn dhcp(name: &str, operation: u8) -> Vec<u8> {
    let mut bytes = vec![operation, 1, 6, 0, 0x39, 3, 0xf3, 0x26];
    bytes.resize(28, 0);
    bytes.extend([0, 5, 0x9a, 0x3c, 0x78, 0]);
    bytes.resize(236, 0);
    bytes.extend([0x63, 0x82, 0x53, 0x63, 53, 1, operation, 12, name.len() as u8]);
    bytes.extend(name.as_bytes());
    bytes.push(255);
    bytes
}

fn ssdp(first: &str, name: &str) -> Vec<u8> {
    let line = name.replace(['\r', '\n'], " ");
    format!(
        "{first}\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\
         SERVER: {line}\r\nUSER-AGENT: {line}\r\n\r\n"
    )
    .into_bytes()
}

/// Characters by which text acts on what shows it (Unicode 16, ECMA-48): all controls but the line
/// feed, marks and overrides of direction, what is invisible.
fn steering(text: &str) -> BTreeSet<char> {
    let invisible = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().filter(|c| c.is_control() && *c != '\n' || invisible(*c)).collect()
}

#[track_caller]
fn assert_still(output: &str, name: &str, what: &str) {
    assert_eq!(steering(output), BTreeSet::new(), "{name:?} in {what}");
}

/// The facts that packets told, as name and value.
fn facts(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap();
    let facts = findings.iter().filter_map(|one| one["service"]["spoken"]["facts"].as_array());
    let pair = |fact: &Value| {
        let text = |key: &str| fact[key].as_str().unwrap().to_owned();
        (text("name"), text("value"))
    };
    facts.flatten().map(pair).collect()
}

#[test]
fn packets_of_every_protocol_bring_the_name_into_the_report() {
    for name in HOSTILE {
        let scene = Scene::of(name);
        let said = scene.check(&["--report", "report.json", "--quiet"]);
        assert_eq!(said.status, 1, "{}", said.err);
        let facts = facts(&serde_json::from_str(&scene.text("report.json")).unwrap());
        let line = name.replace(['\r', '\n'], " ");
        let told = |fact: &str, value: &str| {
            facts.iter().any(|(known, said)| known == fact && said.trim() == value.trim())
        };
        assert!(told("server-name", name), "TLS: {facts:?}");
        assert!(told("secondary-address", name), "DCE/RPC: {facts:?}");
        assert!(told("host-name", name), "DHCP: {facts:?}");
        assert!(told("user-agent", &line) && told("server", &line), "SIP, SSDP: {facts:?}");
        let netbios = facts.iter().find(|(fact, _)| fact == "netbios-name").expect("NetBIOS");
        assert!(netbios.1.trim().chars().take(5).eq(name.trim().chars().take(5)), "{netbios:?}");
    }
}

#[test]
fn no_output_acts() {
    for name in HOSTILE {
        let scene = Scene::of(name);
        let mut outputs = Vec::new();
        let files = ["--report", "report.json", "--html", "page.html", "--flows", "flows.ndjson"];
        let said = scene.check(&[&files[..], &["--evidence", "slices"]].concat());
        assert_eq!(said.status, 1, "{}", said.err);
        outputs.extend([("summary", said.out), ("progress and notes", said.err)]);
        for file in ["report.json", "page.html", "flows.ndjson"] {
            outputs.push((file, scene.text(file)));
        }
        let more = ["--flows", "ecs.ndjson", "--flows-format", "ecs"];
        let said = scene.check(&[&["--baseline", "report.json", "--quiet"], &more[..]].concat());
        assert_eq!(said.status, 1, "{}", said.err);
        outputs.push(("ecs.ndjson", scene.text("ecs.ndjson")));
        for format in ["github", "sarif", "json"] {
            let said = scene.check(&["--format", format, "--quiet"]);
            outputs.extend([(format, said.out), ("notes", said.err)]);
        }
        for form in ["html", "csv", "github", "sarif", "oscal"] {
            let said = scene.run(&["report", form, "report.json"]);
            assert_eq!((said.status, said.err.as_str()), (0, ""), "{form}");
            outputs.push((form, said.out.replace("\r\n", "\n")));
        }
        let verify = ["report", "verify", "report.json", "slices"];
        outputs.push(("verify", scene.run(&verify).out));
        let other = Scene::of("harmless");
        other.check(&["--report", "other.json", "--quiet"]);
        let baseline = other.folder.path().join("other.json");
        let said = scene.run(&["report", "diff", baseline.to_str().unwrap(), "report.json"]);
        outputs.extend([("diff", said.out), ("diff", said.err)]);
        let capture = scene.capture.to_str().unwrap();
        let watch = ["watch", "--replay", capture, "--site", "site.toml", "--events", "-"];
        let said = scene.run(&watch);
        assert!(said.out.lines().count() > 5, "{}{}", said.out, said.err);
        outputs.extend([("events", said.out), ("watch", said.err)]);
        outputs.push(("show", scene.run(&["show", capture, "4"]).out));
        for (what, output) in &outputs {
            assert_still(output, name, what);
        }
        assert_files_still(&scene, name);
    }
}

/// The comments of the slices, and the display filters.
fn assert_files_still(scene: &Scene, name: &str) {
    let slices: Vec<_> = std::fs::read_dir(scene.folder.path().join("slices")).unwrap().collect();
    assert!(slices.len() > 5, "{slices:?}");
    for slice in slices {
        for comment in comments(&slice.unwrap().path()) {
            assert_still(&comment, name, "a comment of a slice");
            assert!(!comment.contains('\n'), "{comment}");
        }
    }
    let report: Value = serde_json::from_str(&scene.text("report.json")).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        let filter = finding["display_filter"].as_str().unwrap();
        let known = |c: char| c.is_ascii_alphanumeric() || " ._:()=!<>&|#{},-".contains(c);
        assert!(filter.chars().all(known), "{filter}");
    }
}

/// The comments of a little-endian pcapng file (draft-ietf-opsawg-pcapng section 3.5), of the
/// section and of its packets.
fn comments(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let u32_at = |at: usize| u16_at(at) | u16_at(at + 2) << 16;
    let mut comments = Vec::new();
    let mut block = 0;
    while block < bytes.len() {
        let end = block + u32_at(block + 4);
        let mut at = match u32_at(block) {
            6 => block + 28 + u32_at(block + 20).next_multiple_of(4),
            0x0a0d_0d0a => block + 24,
            _ => end,
        };
        while at + 4 < end && u16_at(at) != 0 {
            let length = u16_at(at + 2);
            if u16_at(at) == 1 {
                comments.push(String::from_utf8(bytes[at + 4..at + 4 + length].to_vec()).unwrap());
            }
            at += 4 + length.next_multiple_of(4);
        }
        block = end;
    }
    assert!(comments.len() > 1, "{path:?}");
    comments
}

#[test]
fn no_cell_of_a_table_is_a_formula() {
    for name in HOSTILE {
        let scene = Scene::of(name);
        scene.check(&["--report", "report.json", "--quiet"]);
        let csv = scene.run(&["report", "csv", "report.json"]).out;
        let rows = rows(&csv);
        let columns = rows[0].len();
        assert!(rows.len() > 5 && rows.iter().all(|row| row.len() == columns), "{name:?}: {csv}");
        for cell in rows.iter().flatten() {
            let first = cell.trim_start().chars().next().unwrap_or('x');
            assert!(!"=+-@\t\r\n".contains(first), "{name:?}: {cell:?}");
        }
        let visible: String = name.chars().take_while(|c| !c.is_control()).collect();
        assert!(rows.iter().flatten().any(|cell| cell.contains(&visible)), "{name:?}");
    }
}

/// The cells of a table (RFC 4180 section 2).
fn rows(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.next_if_eq(&'\n').is_some() => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "{csv}");
    rows
}

#[test]
fn no_line_of_a_workflow_is_a_command_of_a_name() {
    for name in HOSTILE {
        let scene = Scene::of(name);
        scene.check(&["--report", "report.json", "--quiet"]);
        let report: Value = serde_json::from_str(&scene.text("report.json")).unwrap();
        let said = scene.run(&["report", "github", "report.json"]).out;
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(said.lines().count(), findings.len() + 1, "{name:?}: {said}");
        for line in said.lines() {
            let command = line.split(" title=").next().unwrap();
            assert!(["::error", "::warning", "::notice"].contains(&command), "{name:?}: {line}");
            let title = line.split_once(" title=").unwrap().1.split("::").next().unwrap();
            assert!(title == "portolan" || title.starts_with("F-"), "{name:?}: {title}");
        }
    }
}

#[test]
fn no_message_of_sarif_holds_a_link() {
    for name in HOSTILE {
        let scene = Scene::of(name);
        scene.check(&["--report", "report.json", "--quiet"]);
        let said = scene.run(&["report", "sarif", "report.json"]).out;
        let log: Value = serde_json::from_str(&said).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert!(!results.is_empty());
        for result in results {
            let text = result["message"]["text"].as_str().unwrap();
            assert!(!text.contains("]("), "{name:?}: {text}");
            assert_still(text, name, "a message of SARIF");
        }
        for artifact in log["runs"][0]["artifacts"].as_array().unwrap() {
            let uri = artifact["location"]["uri"].as_str().unwrap();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._~%".contains(c);
            assert!(uri.chars().all(plain), "{uri}");
        }
    }
}
