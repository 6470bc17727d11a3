//! Reading a TOML file into its raw types: comes text, goes values that know their place in it,
//! with every fault of form at once. What the values mean is the business of the loaders.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::{Code, Diagnostic, Problems};
use super::names::nearest;

/// A value and the byte range where it stands. Compares by value alone.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(At { value: spanned.into_inner(), span })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}

impl<T: Ord> PartialOrd for At<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> Ord for At<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

/// A file after its form was checked.
pub(crate) struct Document<T> {
    /// What could be read; `None` when not even the outline could.
    pub(crate) raw: Option<T>,
    /// Faults so far.
    pub(crate) problems: Problems,
    /// Whether anything was left out of `raw` because of its form.
    gaps: bool,
    /// Whether whole entries were left out, so that references to them fail.
    lost_entries: bool,
    /// Whether `schema` was left out, so that its fault is told.
    lost_version: bool,
}

/// The version of all three file formats that this build reads.
const SCHEMA_VERSION: i64 = 1;

/// Reports a schema version that is missing or that this build does not read.
pub(crate) fn demand_version<T>(document: &mut Document<T>, schema: fn(&T) -> Option<&At<i64>>) {
    let Document { raw: Some(raw), problems, lost_version, .. } = document else { return };
    let help =
        format!("this build reads version {SCHEMA_VERSION}: write `schema = {SCHEMA_VERSION}`");
    match schema(raw) {
        None if *lost_version => {}
        None => {
            problems.report(Code::MissingField, 0..0, "missing field `schema`", help);
        }
        Some(schema) if schema.value != SCHEMA_VERSION => {
            let message = format!("schema version {} is not known", schema.value);
            problems.report(Code::UnsupportedSchema, schema.span.clone(), message, help);
        }
        Some(_) => {}
    }
}

/// All faults of the documents, in the order of the documents and of their lines; `Ok` when there
/// is none.
pub(crate) fn finish<T>(documents: Vec<Document<T>>) -> Result<(), Vec<Diagnostic>> {
    let gaps = documents.iter().any(|document| document.gaps);
    let lost_entries = documents.iter().any(|document| document.lost_entries);
    let mut found = Vec::new();
    for mut document in documents {
        document.problems.retain(|code| {
            !(gaps && may_follow_from_gap(code) || lost_entries && may_follow_from_loss(code))
        });
        found.extend(document.problems.into_sorted());
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Faults that a misspelt key may bring about elsewhere in its entry.
fn may_follow_from_gap(code: Code) -> bool {
    matches!(
        code,
        Code::HostWithoutAddress
            | Code::RelationShape
            | Code::InvalidMatch
            | Code::UnboundedWaiver
            | Code::UnexplainedLiteral
    )
}

/// Faults of references and lists that may come of an entry which was left out.
fn may_follow_from_loss(code: Code) -> bool {
    matches!(
        code,
        Code::EmptyList
            | Code::UnknownRole
            | Code::UnknownAttribute
            | Code::UnknownRelation
            | Code::UnknownParameter
            | Code::UnknownCondition
            | Code::UnknownAnswer
            | Code::UnknownService
            | Code::UnknownProtocol
            | Code::UnknownReading
            | Code::UnknownHost
    )
}

/// SHA-256 of a text in hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// More faults of form than this are not collected: the file is of another kind.
const MOST_FAULTS: usize = 200;

/// Reads `text` as a TOML file of the format `T`.
///
/// What has a fault of form is reported, taken out and read without, until all faults are known.
pub(crate) fn read<T: DeserializeOwned>(file: &str, text: &str) -> Document<T> {
    let mut document = Document {
        raw: None,
        problems: Problems::new(file, text),
        gaps: false,
        lost_entries: false,
        lost_version: false,
    };
    let (mut root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        document.problems.report(Code::TomlSyntax, span, error.message(), SYNTAX_HELP);
    }
    if !errors.is_empty() {
        document.gaps = true;
        document.lost_entries = true;
        return document;
    }
    let mut removed: Vec<Removed> = Vec::new();
    for _ in 0..MOST_FAULTS {
        match T::deserialize(toml::de::Deserializer::from(root.clone())) {
            Ok(raw) => {
                document.raw = Some(raw);
                return document;
            }
            Err(error) => {
                let fault = Fault::of(&error);
                let known = removed.iter().any(|gap| fault.is_gap(gap));
                if !known {
                    document.problems.report(
                        fault.code,
                        fault.span.clone(),
                        fault.message.clone(),
                        fault.help(),
                    );
                }
                document.gaps = true;
                document.lost_entries |= fault.code != Code::UnknownField;
                match remove(root.get_mut(), ROOT, &fault.span) {
                    Some(gap) => {
                        document.lost_version |= gap.is_version();
                        removed.push(gap);
                    }
                    None => return document,
                }
            }
        }
    }
    document
}

const SYNTAX_HELP: &str = "see https://toml.io for the notation; text stands in double quotes";

/// A fault of form as the deserialiser states it.
struct Fault {
    code: Code,
    message: String,
    span: Range<usize>,
}

impl Fault {
    fn of(error: &toml::de::Error) -> Self {
        let message = error.message().to_owned();
        let code = if message.starts_with("unknown field") {
            Code::UnknownField
        } else if message.starts_with("missing field") {
            Code::MissingField
        } else if message.starts_with("invalid type") {
            Code::WrongType
        } else {
            Code::InvalidValue
        };
        Fault { code, message, span: error.span().unwrap_or(0..0) }
    }

    /// Whether this only says that a value which was taken out is now missing.
    fn is_gap(&self, gap: &Removed) -> bool {
        self.code == Code::MissingField
            && self.span == gap.table
            && self.names().next() == gap.key.as_deref()
    }

    /// The names in the message: the offending one first, then the possible ones.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.message.split('`').skip(1).step_by(2)
    }

    fn help(&self) -> String {
        let mut names = self.names();
        match self.code {
            Code::UnknownField | Code::InvalidValue => {
                let Some(wrong) = names.next() else {
                    return "give it a value that is expected".to_owned();
                };
                let possible: Vec<&str> = names.collect();
                match nearest(wrong, possible.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None if possible.is_empty() => "give it a value that is expected".to_owned(),
                    None => format!("write one of: {}", possible.join(", ")),
                }
            }
            Code::MissingField => {
                format!("add `{} = ...` to this entry", names.next().unwrap_or_default())
            }
            _ if self.message.ends_with("a string") => "write it in double quotes".to_owned(),
            _ if self.message.ends_with("a sequence") => {
                "write a list in square brackets: [\"...\"]".to_owned()
            }
            _ if self.message.ends_with("a boolean") => {
                "write `true` or `false`, without quotes".to_owned()
            }
            _ if self.message.ends_with("64") => "write a whole number, without quotes".to_owned(),
            _ => "give it the type that is expected".to_owned(),
        }
    }
}

/// Where the deserialiser says that the outermost table stands.
const ROOT: Range<usize> = 0..0;

/// What was taken out of a table.
struct Removed {
    key: Option<String>,
    table: Range<usize>,
}

impl Removed {
    /// Whether it was the version of the file.
    fn is_version(&self) -> bool {
        self.table == ROOT && self.key.as_deref() == Some("schema")
    }
}

/// Takes the entry out whose key or value stands at `span`.
fn remove(table: &mut DeTable<'_>, whole: Range<usize>, span: &Range<usize>) -> Option<Removed> {
    let hit = table
        .iter()
        .find(|(key, value)| key.span() == *span || value.span() == *span)
        .map(|(key, _)| key.get_ref().to_string());
    if let Some(name) = hit {
        table.remove(name.as_str());
        return Some(Removed { key: Some(name), table: whole });
    }
    table.iter_mut().find_map(|(_, value)| remove_inside(value, span))
}

fn remove_inside(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Removed> {
    let whole = value.span();
    match value.get_mut() {
        DeValue::Table(table) => remove(table, whole, span),
        DeValue::Array(items) => {
            if items.iter().any(|item| item.span() == *span) {
                let mut kept = DeArray::new();
                for item in items.iter().filter(|item| item.span() != *span) {
                    kept.push(item.clone());
                }
                *items = kept;
                return Some(Removed { key: None, table: whole });
            }
            items.iter_mut().find_map(|item| remove_inside(item, span))
        }
        _ => None,
    }
}
