//! Names that would like to be markup, script, or something else than they are.

use portolan::report::model::Finding;

use super::markup::{Element, read};
use crate::frames;
use crate::pitfalls::messages::{By, client_hello_to, server_hello, talk};
use crate::runs::{Rules, check_frames};
use crate::sites::texts_of;

/// What a name may be made of in a site file.
const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)' x='",
    "</style></title><base href=//evil>&lt;b&gt;",
    "a\u{1b}[2Jb\u{202e}c\u{200b}d\u{7f}",
];

fn rules(name: &str) -> Rules {
    let (site, waivers) = texts_of(name);
    Rules::at(&site).waiving(&waivers)
}

fn page(name: &str) -> String {
    let (unity, dc, stranger) = ([10, 0, 0, 1], [10, 0, 0, 2], [192, 0, 2, 7]);
    let hello = [(By::Client, client_hello_to(name)), (By::Server, server_hello())];
    let mut packets = vec![
        frames::udp((unity, dc), (40_000, 4445), b"<script>"),
        frames::udp((dc, unity), (4445, 40_000), b"<script>"),
        frames::udp((stranger, unity), (40_000, 4446), b"<script>"),
    ];
    packets.extend(talk((dc, unity), (50_000, 4447), &hello));
    let times = (0..).map(|index| 1_700_000_000_000_000_000 + index * 1_000_000);
    let run = check_frames(&times.zip(packets).collect::<Vec<_>>(), &rules(name));
    let facts = |finding: &Finding| finding.service.spoken.clone().map(|spoken| spoken.facts);
    let mut facts = run.report.findings.iter().filter_map(facts).flatten();
    assert!(facts.any(|fact| fact.value == name), "the name that a packet holds: {name:?}");
    super::page(&run.report)
}

/// Elements and the names of their attributes.
fn shape(page: &str) -> Vec<String> {
    let names = |element: &Element| {
        let attributes: Vec<_> = element.attributes.keys().map(String::as_str).collect();
        format!("{} {}", element.name, attributes.join(" "))
    };
    read(page).iter().map(names).collect()
}

#[test]
fn names_stay_text_whatever_they_say() {
    let harmless = shape(&page("harmless"));
    for name in HOSTILE {
        let page = page(name);
        assert_eq!(shape(&page), harmless, "{name}");
        let steering = page.chars().filter(|c| {
            c.is_control() && *c != '\n'
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        });
        assert_eq!(steering.collect::<String>(), "", "{name}");
        let visible = name.replace('\u{1b}', "\\u{1b}").replace('\u{202e}', "\\u{202e}");
        let visible = visible.replace('\u{200b}', "\\u{200b}").replace('\u{7f}', "\\u{7f}");
        let elements = read(&page);
        let shown = |tag: &str| elements.iter().any(|e| e.name == tag && e.text.contains(&visible));
        for tag in ["title", "bdi", "li"] {
            assert!(shown(tag), "{name} in {tag}");
        }
    }
}
