//! JSON Schemas (draft 2020-12) of the three file formats, generated from the types that read
//! them. They describe form; references between entries are checked by the loaders alone.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::policy::raw::RawPolicy;
use super::site::raw::RawSite;
use super::waiver::raw::RawWaivers;

/// Schema of policy packs.
pub fn policy() -> Value {
    schema_of::<RawPolicy>()
}

/// Schema of site files.
pub fn site() -> Value {
    schema_of::<RawSite>()
}

/// Schema of waiver files.
pub fn waivers() -> Value {
    schema_of::<RawWaivers>()
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(join_lines));
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Descriptions come from doc comments, whose lines are cut where the source code needs it.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}
