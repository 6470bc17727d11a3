//! The policy packs that every build carries.

use super::PolicySource;

/// The packs inside the binary, by the name under which `--policy` knows them.
pub const EMBEDDED: &[PolicySource<'static>] = &[
    PolicySource {
        name: "cisco-unity-5x-exchange",
        text: include_str!("../../../rules/cisco-unity-5x-exchange.toml"),
    },
    PolicySource {
        name: "infrastructure",
        text: include_str!("../../../rules/infrastructure.toml"),
    },
];

/// The text of an embedded pack.
pub fn embedded(name: &str) -> Option<&'static str> {
    EMBEDDED.iter().find(|pack| pack.name == name).map(|pack| pack.text)
}
