//! Text of a policy, a site file or waivers, as the first byte says: loaded, or refused with
//! faults that lie in the text and are told without steering a terminal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portolan::judge::diagnostic::{Diagnostic, Style};
use portolan::judge::model::Site;
use portolan::judge::{PolicySource, embedded, load_policy, load_site, load_waivers};
use portolan_fuzz::run::POLICY;

fn told<T>(loaded: Result<T, Vec<Diagnostic>>) {
    let Err(faults) = loaded else { return };
    assert!(!faults.is_empty(), "refused without a fault");
    for fault in &faults {
        let text = format!("{}\n{fault}", fault.render(Style::Plain));
        let steers = |c: &char| c.is_control() && *c != '\n';
        assert_eq!(text.chars().find(steers), None, "{text:?}");
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match kind % 4 {
        0 => told(load_policy(&[PolicySource { name: "policy.toml", text }])),
        1 => {
            let document = embedded("cisco-unity-5x-exchange").unwrap_or_default();
            let document = PolicySource { name: "document", text: document };
            told(load_policy(&[document, PolicySource { name: "policy.toml", text }]));
        }
        2 => told(load_site(text, "site.toml", &POLICY)),
        _ => told(load_waivers(text, "waivers.toml", &POLICY, &Site::default())),
    }
});
