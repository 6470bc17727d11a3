//! The policy, the site and the waivers of a run, read from their files.

use std::fs;
use std::path::Path;

use super::args::{FlowFormatName, GradeName, ReadingName, RuleFiles, SeverityName};
use super::check::colour;
use super::{pseudonyms, shown};
use crate::capture::{InputSummary, Skipped};
use crate::engine::Evaluated;
use crate::judge::diagnostic::{Code, Diagnostic, Style};
use crate::judge::model::{PackKind, Policy, Site, Waivers};
use crate::judge::policy::{PolicySource, embedded, load_policy};
use crate::judge::site::load_site;
use crate::judge::waiver::load_waivers;
use crate::judge::{Grade, ReadingMode, Severity};
use crate::report::{FlowFormat, Pseudonyms, printable};

/// Name of the pack that every run uses besides those that were asked for.
const INFRASTRUCTURE: &str = "infrastructure";

/// The policy, the site and the waivers of a run.
pub(super) struct Rules {
    pub(super) policy: Policy,
    pub(super) site: Site,
    pub(super) waivers: Waivers,
    pseudonyms: Option<Pseudonyms>,
}

impl Rules {
    /// Reads them from their files, the policy packs by name or file. With a key, the site and the
    /// waivers are in the pseudonyms that it gives.
    ///
    /// # Errors
    /// Everything that is wrong with the first file that cannot be used, with lines and columns.
    pub(super) fn load(files: &RuleFiles, pseudonymise: Option<&Path>) -> Result<Self, String> {
        let policy = policy(&files.policy)?;
        let mut pseudonyms = pseudonymise.map(pseudonyms::load).transpose()?;
        let (site, hidden) = match &files.site {
            Some(path) => read_site(path, &policy, pseudonyms.as_mut())?,
            None => <(Site, Site)>::default(),
        };
        let waivers = match &files.waivers {
            Some(path) => read_waivers(path, &policy, (&site, &hidden), pseudonyms.as_mut())?,
            None => Waivers::default(),
        };
        let site = if pseudonyms.is_some() { hidden } else { site };
        Ok(Rules { policy, site, waivers, pseudonyms })
    }

    /// Replaces what the captures tell of addresses and names, if pseudonyms were asked for.
    pub(super) fn hide(
        &mut self,
        stream: &mut Evaluated,
        inputs: Vec<InputSummary>,
        skipped: Vec<Skipped>,
    ) -> (Vec<InputSummary>, Vec<Skipped>) {
        let Some(names) = &mut self.pseudonyms else { return (inputs, skipped) };
        stream.records = names.records(std::mem::take(&mut stream.records));
        stream.carriers = names.carriers(std::mem::take(&mut stream.carriers));
        (
            inputs.iter().map(|input| names.input(input)).collect(),
            skipped.iter().map(|file| names.skipped(file)).collect(),
        )
    }
}

/// The site as it is, and in pseudonyms.
fn read_site(
    path: &Path,
    policy: &Policy,
    names: Option<&mut Pseudonyms>,
) -> Result<(Site, Site), String> {
    let text = text_of(path)?;
    let load = |text: &str| {
        load_site(text, &shown(path), policy).map_err(|faults| {
            let foreign = faults.iter().any(|fault| fault.code == Code::UnknownRole);
            let hint = if foreign { words_of(policy) } else { String::new() };
            rendered("site", &faults) + &hint
        })
    };
    let site = load(&text)?;
    let mut hidden = Site::default();
    if let Some(names) = names {
        hidden = load(&pseudonyms::site(&text, names)?)?;
        hidden.sha256.clone_from(&site.sha256);
    }
    Ok((site, hidden))
}

/// Whose roles a site file is read with: the policy may have been forgotten.
fn words_of(policy: &Policy) -> String {
    let packs = policy.packs.iter().filter(|pack| pack.kind == PackKind::Document);
    let names: Vec<_> = packs.map(|pack| pack.id.as_str()).collect();
    format!("\n\nroles are those of the policy {}; --policy names another", names.join(" and "))
}

/// The waivers, in pseudonyms if there are any, for the site as it is and in pseudonyms.
fn read_waivers(
    path: &Path,
    policy: &Policy,
    (site, hidden): (&Site, &Site),
    names: Option<&mut Pseudonyms>,
) -> Result<Waivers, String> {
    let text = text_of(path)?;
    let load = |text: &str, site: &Site| {
        load_waivers(text, &shown(path), policy, site).map_err(|faults| rendered("waiver", &faults))
    };
    let mut waivers = load(&text, site)?;
    if let Some(names) = names {
        let sha256 = waivers.sha256;
        waivers = load(&pseudonyms::waivers(&text, names)?, hidden)?;
        waivers.sha256 = sha256;
    }
    Ok(waivers)
}

/// Loads the packs that were asked for, and the infrastructure pack unless one is among them.
fn policy(names: &[String]) -> Result<Policy, String> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|other| other == name) {
            return Err(format!("the policy `{}` is named twice; name it once", printable(name)));
        }
        let text = match embedded(name) {
            Some(text) => text.to_owned(),
            None => text_of(Path::new(name)).map_err(|error| {
                format!("{error}; embedded packs are {}", embedded_names().join(" and "))
            })?,
        };
        texts.push((printable(name), text));
    }
    let load = |texts: &[(String, String)]| {
        let sources: Vec<_> =
            texts.iter().map(|(name, text)| PolicySource { name, text }).collect();
        load_policy(&sources).map_err(|faults| rendered("policy", &faults))
    };
    let policy = load(&texts)?;
    if policy.packs.iter().any(|pack| pack.kind == PackKind::Infrastructure) {
        return Ok(policy);
    }
    texts
        .push((INFRASTRUCTURE.to_owned(), embedded(INFRASTRUCTURE).unwrap_or_default().to_owned()));
    load(&texts)
}

fn embedded_names() -> Vec<&'static str> {
    crate::judge::policy::EMBEDDED.iter().map(|pack| pack.name).collect()
}

fn text_of(path: &Path) -> Result<String, String> {
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", shown(path)))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("cannot read `{}`: it is no text in UTF-8, from byte {at} on", shown(path))
    })
}

fn rendered(what: &str, faults: &[Diagnostic]) -> String {
    let style = if colour(&std::io::stderr()) { Style::Coloured } else { Style::Plain };
    let all: Vec<_> = faults.iter().map(|fault| fault.render(style)).collect();
    let count = match faults.len() {
        1 => "1 fault".to_owned(),
        count => format!("{count} faults"),
    };
    format!("the {what} file cannot be used: {count}\n\n{}", all.join("\n\n"))
}

impl From<FlowFormatName> for FlowFormat {
    fn from(name: FlowFormatName) -> Self {
        match name {
            FlowFormatName::Native => FlowFormat::Native,
            FlowFormatName::Ecs => FlowFormat::Ecs,
        }
    }
}

impl From<ReadingName> for ReadingMode {
    fn from(name: ReadingName) -> Self {
        match name {
            ReadingName::Inferred => ReadingMode::Inferred,
            ReadingName::Literal => ReadingMode::Literal,
        }
    }
}

impl From<SeverityName> for Severity {
    fn from(name: SeverityName) -> Self {
        match name {
            SeverityName::Info => Severity::Info,
            SeverityName::Low => Severity::Low,
            SeverityName::Medium => Severity::Medium,
            SeverityName::High => Severity::High,
        }
    }
}

impl From<GradeName> for Grade {
    fn from(name: GradeName) -> Self {
        match name {
            GradeName::A => Grade::A,
            GradeName::B => Grade::B,
            GradeName::C => Grade::C,
        }
    }
}
