//! Every form of a report, and what must hold of it whatever the report says.

use std::io::{self, Write};

use portolan::report::model::Report;
use portolan::report::{
    FlowFormat, FlowLine, Palette, StoredReport, csv, github, html, oscal, sarif, sha256, summary,
    write, write_flows,
};

/// Elements that the templates of the page use. Anything else came out of a packet or a file.
const ELEMENTS: &[&str] = &[
    "a", "article", "b", "bdi", "body", "br", "button", "caption", "code", "col", "colgroup", "dd",
    "defs", "details", "div", "dl", "dt", "em", "fieldset", "figure", "footer", "form", "g", "h1",
    "h2", "h3", "h4", "head", "header", "html", "input", "label", "legend", "li", "line", "link",
    "main", "meta", "nav", "ol", "p", "pattern", "pre", "rect", "script", "section", "span",
    "strong", "style", "summary", "svg", "table", "tbody", "td", "text", "tfoot", "th", "thead",
    "title", "tr", "tspan", "ul",
];

/// The text that `write` writes.
fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).expect("memory can be written");
    String::from_utf8(bytes).expect("every form is UTF-8")
}

/// Asserts that nothing in a text steers a terminal. Lines end, and nothing else.
fn cannot_steer(what: &str, text: &str) {
    let steers = |c: &char| c.is_control() && *c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
    assert_eq!(text.chars().find(steers), None, "{what} holds a character that steers");
}

/// The forms of a report, each with what must hold of it.
const FORMS: [fn(&Report); 6] = [
    stored,
    |report| cannot_steer("the summary", &summary(report, Palette::new(false))),
    |report| cannot_steer("annotations", &text(|out| github::write(out, report))),
    |report| cannot_steer("SARIF", &text(|out| sarif::write(out, report))),
    // RFC 4180: lines end in CR LF.
    |report| cannot_steer("CSV", &text(|out| csv::write(out, report)).replace("\r\n", "\n")),
    |report| page(&text(|out| html::write(out, report, &sha256(report)?))),
];

/// Writes a report in all its forms.
pub fn all_forms(report: &Report) {
    cannot_steer("OSCAL", &text(|out| oscal::write(out, report)));
    FORMS.iter().for_each(|form| form(report));
}

/// Writes a report in one of its forms, because all take long.
pub fn one_form(report: &Report, which: usize) {
    FORMS[which % FORMS.len()](report);
}

/// The JSON, which is read back.
fn stored(report: &Report) {
    let json = text(|out| write(out, report));
    let again = StoredReport::read(json.as_bytes()).expect("a report that was written is read");
    assert_eq!(text(|out| write(out, &again.report)), json, "read and written once more");
    cannot_steer("the report", &json);
}

/// Asserts that the page has no element but those of its templates, and one script.
fn page(page: &str) {
    cannot_steer("the page", page);
    let (_, style) = page.split_once("<body").expect("a page has a body");
    let (body, script) = style.rsplit_once("<script").expect("a page has a script");
    assert!(!body.contains("<script"), "a second script");
    assert!(script.matches("</script").count() == 1, "the script ends once");
    for element in body.split('<').skip(1) {
        let name: String = element
            .trim_start_matches('/')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        assert!(ELEMENTS.contains(&name.as_str()), "an element `{name}` in the page");
    }
}

/// Writes a flow list in both forms.
pub fn flow_lists(lines: &[FlowLine]) {
    for format in [FlowFormat::Native, FlowFormat::Ecs] {
        let list = text(|out| write_flows(out, format, lines.iter().cloned()).map(|_| ()));
        cannot_steer("the flow list", &list);
        assert_eq!(list.lines().count(), lines.len(), "one line for each flow");
    }
}
