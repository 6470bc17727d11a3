//! A strict reader of HTML: elements in order, attributes in quotes, everything closed.

use std::collections::BTreeMap;

/// Elements that have no content.
const VOID: [&str; 6] = ["meta", "link", "br", "col", "input", "img"];

/// An element.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// Text inside it, that of its descendants included.
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub fn number(&self, name: &str) -> u64 {
        self.get(name).unwrap_or_else(|| panic!("{name} of {self:?}")).parse().unwrap()
    }
}

/// Reads a page, or panics where it is not well formed.
pub fn read(page: &str) -> Vec<Element> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some(at) = rest.find('<') {
        add_text(&mut elements, &open, &unescape(&rest[..at]));
        rest = &rest[at..];
        if let Some(close) = rest.strip_prefix("</") {
            let (name, after) = close.split_once('>').expect("an end of a tag");
            let index = open.pop().expect("an element to be closed");
            assert_eq!(elements[index].name, name, "closed out of order: {:?}", elements[index]);
            rest = after;
            continue;
        }
        let (element, closed, after) = start(&rest[1..]);
        rest = after;
        let raw = matches!(element.name.as_str(), "style" | "script");
        let name = element.name.clone();
        elements.push(element);
        if raw {
            let (text, after) = rest.split_once(&format!("</{name}>")).expect("its end");
            elements.last_mut().unwrap().text = text.to_owned();
            rest = after;
        } else if !closed && !VOID.contains(&name.as_str()) {
            open.push(elements.len() - 1);
        }
    }
    assert!(
        open.is_empty(),
        "not closed: {:?}",
        open.iter().map(|i| &elements[*i].name).collect::<Vec<_>>()
    );
    elements
}

/// A start tag without its `<`: the element, whether it closes itself, and what follows.
fn start(text: &str) -> (Element, bool, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).expect("an end of a tag");
    let (name, mut rest) = text.split_at(end);
    assert!(!name.is_empty(), "no name of a tag: {:?}", text.chars().take(60).collect::<String>());
    let mut attributes = BTreeMap::new();
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix("/>") {
            return (element(name, attributes), true, after);
        }
        if let Some(after) = trimmed.strip_prefix('>') {
            return (element(name, attributes), false, after);
        }
        assert!(trimmed.len() < rest.len(), "a space before an attribute of {name}");
        let end = trimmed.find(['=', '>', ' ', '\n']).expect("an end of an attribute");
        let (attribute, after) = trimmed.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').expect("an end of a value"),
            None => ("", after),
        };
        assert!(!after.starts_with('='), "{attribute} of {name} without quotes");
        let before = attributes.insert(attribute.to_owned(), unescape(value));
        assert!(before.is_none(), "{attribute} twice in {name}");
        rest = after;
    }
}

fn element(name: &str, attributes: BTreeMap<String, String>) -> Element {
    Element { name: name.to_owned(), attributes, text: String::new() }
}

fn add_text(elements: &mut [Element], open: &[usize], text: &str) {
    for index in open {
        elements[*index].text.push_str(text);
    }
}

fn unescape(text: &str) -> String {
    assert!(!text.contains('<'));
    let known =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", "\u{a0}")];
    let arrows = [("&rarr;", "\u{2192}"), ("&harr;", "\u{2194}"), ("&middot;", "\u{b7}")];
    let mut text = text.to_owned();
    for (entity, character) in known.into_iter().chain(arrows) {
        text = text.replace(entity, character);
    }
    let without = text.replace("&amp;", "");
    assert!(!without.contains('&'), "an unknown entity in {text:?}");
    text.replace("&amp;", "&")
}
