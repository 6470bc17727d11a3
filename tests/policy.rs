//! The shipped policy packs against the document, and the loaders against faulty files.

mod faults;
mod lints;
mod pack;
mod schemas;
mod site;

use portolan::judge::diagnostic::Diagnostic;
use portolan::judge::model::Policy;
use portolan::judge::policy::{EMBEDDED, PolicySource, load_policy};

/// The example of `docs/policy.md`.
const EXAMPLE_POLICY: &str = include_str!("../docs/examples/policy.toml");
/// The example of `docs/site.md`, for the Cisco Unity pack.
const EXAMPLE_SITE: &str = include_str!("../docs/examples/site.toml");
/// The waivers of `docs/site.md`, for the example site.
const EXAMPLE_WAIVERS: &str = include_str!("../docs/examples/waivers.toml");

/// The value, or a failure that shows every fault.
fn sound<T>(loaded: Result<T, Vec<Diagnostic>>) -> T {
    loaded.unwrap_or_else(|faults| {
        panic!("{}", faults.iter().map(|fault| format!("{fault}\n")).collect::<String>())
    })
}

/// Both embedded packs.
fn shipped() -> Policy {
    sound(load_policy(EMBEDDED))
}

/// The example of `docs/policy.md`.
fn example() -> Policy {
    sound(load_policy(&[PolicySource { name: "policy.toml", text: EXAMPLE_POLICY }]))
}
