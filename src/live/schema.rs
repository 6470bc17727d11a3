//! JSON Schema (draft 2020-12) of the events, generated from the types that write them.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::event::EventLine;

/// Schema of one line of the events.
pub fn event() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<EventLine>().to_value()
}
