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

#[test]
fn the_manuals_show_the_examples_that_the_tests_load() {
    let policy = include_str!("../docs/policy.md");
    let site = include_str!("../docs/site.md");
    for (manual, example) in
        [(policy, EXAMPLE_POLICY), (site, EXAMPLE_SITE), (site, EXAMPLE_WAIVERS)]
    {
        assert!(manual.contains(&format!("```toml\n{example}```")), "{example}");
    }
}

/// Every word in backticks in the first column of a table, or in the passage, that looks like the
/// code of a lint must be one that the loaders give.
#[test]
fn the_manuals_name_every_lint() {
    let sources =
        [include_str!("../src/judge/policy/lint.rs"), include_str!("../src/judge/site/lint.rs")];
    let manuals = [include_str!("../docs/policy.md"), include_str!("../docs/site.md")].concat();
    let mut named = 0;
    for source in sources {
        for after in source.split("lint(\"").skip(1) {
            let code = after.split('"').next().unwrap();
            assert!(manuals.contains(&format!("`{code}`")), "{code}");
            named += 1;
        }
    }
    assert!(named >= 15, "{named} lints");
}
