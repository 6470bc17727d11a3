//! A layer names only the layers to its left, and every source file is part of the build.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::runs::repository;

/// From left to right. A layer that has no code yet may be missing.
const LAYERS: [&str; 11] = [
    "base", "capture", "decode", "identify", "flow", "judge", "engine", "report", "live", "cli",
    "main",
];

/// The position of a layer, if the name is one.
fn rank(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == name)
}

/// All source files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The modules from the root of the crate to a file: `decode/link/mod.rs` is `decode`, `link`.
fn modules(file: &str) -> Vec<&str> {
    let mut modules: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(modules.last(), Some(&"mod" | &"lib" | &"main")) && modules.len() > 1 {
        modules.pop();
    }
    modules
}

/// The first names behind `prefix`: `crate::decode::X` gives `decode`, `crate::{base, flow::Y}`
/// gives both.
fn names_behind<'a>(line: &'a str, prefix: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (at, _) in line.match_indices(prefix) {
        let own_word = line[..at].chars().next_back().is_none_or(|c| !is_name(c) && c != ':');
        let rest = &line[at + prefix.len()..];
        if !own_word {
            continue;
        }
        match rest.strip_prefix('{') {
            Some(group) => names.extend(top_level(group)),
            None => names.push(first_name(rest)),
        }
    }
    names
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn first_name(text: &str) -> &str {
    text.split(|c: char| !is_name(c)).next().unwrap_or_default()
}

/// The first names of the members of a group, which nested groups do not add to.
fn top_level(group: &str) -> Vec<&str> {
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The modules that a statement names by its first step from the root of the crate.
///
/// `super::` counts when it leads out of the layer: from a file of `modules`, n times `super`
/// leads to the root when n is their number.
fn crossings<'a>(statement: &'a str, modules: &[&str]) -> Vec<&'a str> {
    let mut names = names_behind(statement, "crate::");
    let to_root = "super::".repeat(modules.len());
    names.extend(names_behind(statement, &to_root));
    // A test module inside the file is one step further down.
    names.extend(names_behind(statement, &format!("super::{to_root}")));
    names
}

/// Statements with the line on which each begins; comments are left out.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("//").next().unwrap_or_default().trim();
        if code.is_empty() {
            continue;
        }
        match statements.last_mut() {
            Some((_, statement)) if open => statement.push_str(code),
            _ => statements.push((number, code.to_owned())),
        }
        open = statements.last().is_some_and(|(_, statement)| {
            let import = statement.starts_with("use ") || statement.starts_with("pub use ");
            import && !statement.ends_with(';')
        });
    }
    statements
}

/// What a file names that it must not know.
fn violations(file: &str, text: &str) -> Vec<String> {
    let modules = modules(file);
    let Some(own) = modules.first().and_then(|layer| rank(layer)) else { return Vec::new() };
    let mut found = Vec::new();
    for (line, statement) in statements(text) {
        for name in crossings(&statement, &modules) {
            if rank(name).is_some_and(|other| other > own) {
                let layer = LAYERS[own];
                found.push(format!("src/{file}:{line}: {layer} must not know {name}"));
            }
        }
    }
    found
}

#[test]
fn layers_name_only_layers_to_their_left() {
    let root = repository("src");
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for path in sources(&root) {
        let file = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let layer = modules(&file)[0].to_owned();
        assert!(layer == "lib" || rank(&layer).is_some(), "src/{file} is in no layer");
        seen.insert(layer);
        found.extend(violations(&file, &fs::read_to_string(&path).unwrap()));
    }
    assert!(seen.len() >= 9, "{seen:?}");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_crossing_is_found_wherever_it_stands() {
    let message = |text: &str| violations("decode/link/vlan.rs", text);
    let expected =
        |line: u32| vec![format!("src/decode/link/vlan.rs:{line}: decode must not know flow")];
    assert_eq!(message("use crate::flow::FlowTable;"), expected(1));
    assert_eq!(message("\n\nlet x = crate::flow::of(1);"), expected(3));
    assert_eq!(message("use crate::{base::{Cursor, net}, flow::FlowTable};"), expected(1));
    assert_eq!(message("use crate::{\n    base::Cursor,\n    flow,\n};"), expected(1));
    assert_eq!(message("use super::super::super::flow::Tally;"), expected(1));
    assert_eq!(message("mod tests {\n  use super::super::super::super::flow;"), expected(2));
    assert!(message("use crate::base::Cursor; // not crate::flow").is_empty());
    assert!(message("use crate::decode::flow::X; use super::super::flow;").is_empty());
    assert!(message("use other_crate::flow;").is_empty());
}

/// A file that no `mod` reaches is not compiled, and nobody notices.
#[test]
fn every_source_file_is_part_of_the_build() {
    let root = repository("src");
    for path in sources(&root) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if matches!(name.as_str(), "lib.rs" | "main.rs") && path.parent() == Some(&root) {
            continue;
        }
        let (module, folder) = match name.as_str() {
            "mod.rs" => {
                let folder = path.parent().unwrap();
                (folder.file_name().unwrap().to_string_lossy().into_owned(), folder.parent())
            }
            _ => (name.trim_end_matches(".rs").to_owned(), path.parent()),
        };
        let folder = folder.unwrap();
        let beside = folder.with_extension("rs");
        let owners = [folder.join("mod.rs"), folder.join("lib.rs"), beside];
        let declared =
            owners.iter().filter_map(|owner| fs::read_to_string(owner).ok()).any(|text| {
                let wanted = format!("mod {module};");
                text.lines().any(|line| {
                    let line = line.trim();
                    line.strip_suffix(&wanted).is_some_and(|before| {
                        before.is_empty() || before == "pub " || before.starts_with("pub(")
                    })
                })
            });
        assert!(declared, "{} is in no `mod`", path.display());
    }
}
