//! `portolan schema`.

use super::Exit;
use super::args::SchemaName;
use crate::judge::schema as judged;
use crate::report::schema as reported;

/// Prints a JSON Schema.
pub(super) fn run(name: SchemaName) -> Result<Exit, String> {
    let schema = match name {
        SchemaName::Report => reported::report(),
        SchemaName::Flow => reported::flow(),
        #[cfg(unix)]
        SchemaName::Event => crate::live::schema::event(),
        SchemaName::Site => judged::site(),
        SchemaName::Policy => judged::policy(),
        SchemaName::Waivers => judged::waivers(),
    };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| format!("cannot write the schema: {error}"))?;
    super::output::to_stdout(|out| writeln!(out, "{text}"))?;
    Ok(Exit::Pass)
}
