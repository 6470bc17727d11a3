//! JSON Schemas (draft 2020-12) of what portolan writes, generated from the types that write it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::flows::FlowLine;
use super::model::Report;

/// Schema of the JSON report.
pub fn report() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Report>().to_value()
}

/// Schema of one line of the flow list.
pub fn flow() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<FlowLine>().to_value()
}
