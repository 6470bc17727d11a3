//! `--pseudonymise KEYFILE`: site and waivers in pseudonyms.
//!
//! The files are loaded as they are first, so that faults are shown where they stand; what is
//! judged against is their text with every name and address replaced.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::shown;
use crate::report::{LEAST_KEY, Pseudonyms, WITHHELD};

/// Reads the key.
pub(super) fn load(path: &Path) -> Result<Pseudonyms, String> {
    let key = fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", shown(path)))?;
    Pseudonyms::new(&key).ok_or_else(|| {
        let path = shown(path);
        format!(
            "the key in `{path}` has {} bytes, and less than {LEAST_KEY} can be guessed; make one \
             with `head -c 32 /dev/urandom > {path}`",
            key.len()
        )
    })
}

/// A site file in pseudonyms.
pub(super) fn site(text: &str, names: &mut Pseudonyms) -> Result<String, String> {
    rewritten(text, |file| {
        // Networks first: they settle where directed broadcasts go.
        if let Some(site) = file.get_mut("site").and_then(Value::as_table_mut) {
            each(site, "subnets", names);
            if let Some(Value::String(name)) = site.get_mut("name") {
                *name = names.name("site", name);
            }
        }
        for key in ["prefixes", "addresses", "name"] {
            tables(file, "host").for_each(|host| each(host, key, names));
        }
        for key in ["members", "of", "is"] {
            tables(file, "relation").for_each(|fact| each(fact, key, names));
        }
        for nat in tables(file, "nat") {
            each(nat, "addresses", names);
            withhold(nat, "note");
        }
        if let Some(capture) = file.get_mut("capture").and_then(Value::as_table_mut) {
            each(capture, "collectors", names);
        }
    })
}

/// A waiver file in pseudonyms.
pub(super) fn waivers(text: &str, names: &mut Pseudonyms) -> Result<String, String> {
    rewritten(text, |file| {
        for waiver in tables(file, "waiver") {
            if let Some(Value::String(id)) = waiver.get_mut("id") {
                *id = names.name("waiver", id);
            }
            ["owner", "reason", "ticket"].iter().for_each(|key| withhold(waiver, key));
            if let Some(matcher) = waiver.get_mut("match").and_then(Value::as_table_mut) {
                each(matcher, "initiators", names);
                each(matcher, "responders", names);
            }
        }
    })
}

fn rewritten(text: &str, change: impl FnOnce(&mut Table)) -> Result<String, String> {
    let mut file: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    change(&mut file);
    toml::to_string(&file).map_err(|error| error.to_string())
}

fn tables<'a>(file: &'a mut Table, key: &str) -> impl Iterator<Item = &'a mut Table> {
    let list = file.get_mut(key).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_table_mut)
}

/// Replaces a text, or every text of a list.
fn each(table: &mut Table, key: &str, names: &mut Pseudonyms) {
    let texts = match table.get_mut(key) {
        Some(Value::Array(list)) => list.as_mut_slice(),
        Some(single) => std::slice::from_mut(single),
        None => return,
    };
    for text in texts {
        if let Value::String(text) = text {
            *text = names.text(text.trim());
        }
    }
}

fn withhold(table: &mut Table, key: &str) {
    if let Some(value) = table.get_mut(key) {
        *value = Value::String(WITHHELD.to_owned());
    }
}
