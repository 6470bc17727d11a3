//! Whether a report still says what was written, and still belongs to the files it names.
//!
//! In: the bytes of a report, and the files among which its inputs, packs, site, waivers, slices
//! and flow list are looked for. Out: one [`Check`] for each thing that can be compared. A file is
//! known by its hash; a name only tells which file was meant.

use std::collections::BTreeMap;

use super::consistency;
use super::ledger::mismatches;
use super::model::Report;
use super::stored::seal_of;

/// What became of one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It agrees.
    Agrees,
    /// It does not, and how.
    Differs(String),
    /// It could not be compared, and why.
    Unchecked(String),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was compared.
    pub what: String,
    /// What became of it.
    pub answer: Answer,
}

impl Check {
    fn new(what: impl Into<String>, answer: Answer) -> Self {
        Check { what: what.into(), answer }
    }
}

/// A file that was looked at.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Base name.
    pub name: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// The files to which a report refers: by which name, with which hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What it is, in words.
    pub what: String,
    /// Base name; `None` where the report does not tell it.
    pub name: Option<String>,
    /// SHA-256 in hexadecimal; `None` where the report does not tell it.
    pub sha256: Option<String>,
}

/// All files to which a report refers.
pub fn wanted(report: &Report) -> Vec<Wanted> {
    let file = |what: &str, name: Option<&str>, sha256: Option<&str>| Wanted {
        what: what.to_owned(),
        name: name.map(str::to_owned),
        sha256: sha256.map(str::to_owned),
    };
    let mut all = Vec::new();
    for input in &report.inputs {
        all.push(file("input", Some(&input.name), input.sha256.as_deref()));
    }
    // The packs asked for come first, in their order.
    let policies = option_values(report, "--policy");
    for (index, pack) in report.policy.packs.iter().enumerate() {
        let name = policies.get(index).copied().unwrap_or(&pack.id);
        all.push(file("policy pack", Some(name), Some(&pack.sha256)));
    }
    let site = option_values(report, "--site");
    if let Some(hash) = &report.site.sha256 {
        all.push(file("site", site.first().copied(), Some(hash)));
    }
    let waivers = option_values(report, "--waivers");
    if let Some(hash) = &report.site.waivers_sha256 {
        all.push(file("waivers", waivers.first().copied(), Some(hash)));
    }
    for slice in &report.evidence {
        all.push(file("evidence", Some(&slice.file), Some(&slice.sha256)));
    }
    if let Some(list) = &report.flow_list {
        all.push(file("flow list", Some(&list.file), Some(&list.sha256)));
    }
    all
}

/// The values of an option with which the report was made.
fn option_values<'a>(report: &'a Report, option: &str) -> Vec<&'a str> {
    let options = &report.run.options;
    let pairs = options.iter().zip(options.iter().skip(1));
    pairs.filter(|(name, _)| *name == option).map(|(_, value)| value.as_str()).collect()
}

/// Compares a file that the report names with those found.
pub fn compare(wanted: &Wanted, found: &[Candidate]) -> Check {
    let name = wanted.name.as_deref();
    let what = match name {
        Some(name) => format!("{} {name}", wanted.what),
        None => wanted.what.clone(),
    };
    let Some(hash) = &wanted.sha256 else {
        let why = "the report has no hash of it, because it was not read to its end";
        return Check::new(what, Answer::Unchecked(why.to_owned()));
    };
    // A file of that name is the one meant; under other names the hash tells.
    let namesakes = found.iter().filter(|file| Some(file.name.as_str()) == name);
    let meant: Vec<_> = namesakes.collect();
    let agrees = match meant.is_empty() {
        true => found.iter().any(|file| file.sha256 == *hash),
        false => meant.iter().any(|file| file.sha256 == *hash),
    };
    let answer = match meant.first() {
        _ if agrees => Answer::Agrees,
        Some(file) => {
            Answer::Differs(format!("its SHA-256 is {}, and the report has {hash}", file.sha256))
        }
        None => Answer::Unchecked("no such file was found; name it, or its folder".to_owned()),
    };
    Check::new(what, answer)
}

/// What the bytes of a report say of themselves.
pub fn own(text: &[u8], report: &Report) -> Vec<Check> {
    let claimed = &report.attestation.sha256;
    let seal = seal_of(text, claimed);
    let seal = match seal == *claimed {
        true => Answer::Agrees,
        false => Answer::Differs(
            "the report was changed or written anew after it was made: it does not have the hash \
             it holds"
                .to_owned(),
        ),
    };
    let mut sums: Vec<String> = mismatches(report)
        .iter()
        .chain(&report.accounting.mismatches)
        .map(|sums| {
            let (one, other) = (sums.one_count, sums.other_count);
            format!("{}: {one} {}, {other} {}", sums.what, sums.one, sums.other)
        })
        .collect();
    sums.dedup();
    vec![
        Check::new("the report itself", seal),
        Check::new("sums of the ledger", faults(sums)),
        Check::new("consistency", faults(consistency::faults(report))),
    ]
}

fn faults(found: Vec<String>) -> Answer {
    if found.is_empty() { Answer::Agrees } else { Answer::Differs(found.join("; ")) }
}

/// What the lines of a flow list add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowTotals {
    flows: u64,
    verdicts: BTreeMap<String, [u64; 3]>,
    strengths: BTreeMap<String, [u64; 3]>,
    rules: BTreeMap<String, [u64; 3]>,
}

impl FlowTotals {
    /// Adds a line of a flow list, in either format.
    ///
    /// # Errors
    ///
    /// The line is no flow.
    pub fn add(&mut self, line: &[u8]) -> Result<(), String> {
        let value: serde_json::Value =
            serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let at = |native: &str, ecs: &str| value.get(native).or_else(|| value.pointer(ecs));
        let text = |native: &str, ecs: &str| {
            at(native, ecs).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        let count = |native: &str, ecs: &str| {
            let found = at(native, ecs).and_then(serde_json::Value::as_u64);
            found.ok_or_else(|| format!("no field `{native}`"))
        };
        let volume = [1, count("packets", "/network/packets")?, count("bytes", "/network/bytes")?];
        let strength = text("strength", "/portolan/strength");
        self.flows += 1;
        add(&mut self.verdicts, text("verdict", "/portolan/verdict"), volume);
        if !strength.is_empty() {
            add(&mut self.strengths, strength, volume);
            let rules = at("rules", "/portolan/rules").and_then(|rules| rules.get(0));
            if let Some(rule) = rules.and_then(|rule| rule.as_str()) {
                add(&mut self.rules, rule.to_owned(), volume);
            }
        }
        Ok(())
    }

    /// Compares them with what the report says.
    pub fn check(&self, report: &Report) -> Check {
        let mut faults_found = Vec::new();
        if self.flows != report.accounting.flows {
            let told = report.accounting.flows;
            faults_found.push(format!("{} flows, and the report has {told}", self.flows));
        }
        let summary = &report.summary;
        let tables = [(&self.verdicts, &summary.verdicts), (&self.strengths, &summary.strengths)];
        for (counted, told) in tables {
            for name in counted.keys().filter(|name| !told.contains_key(*name)) {
                faults_found.push(format!("`{name}` is not in the report"));
            }
            for (name, told) in told {
                let counted = counted.get(name).copied().unwrap_or_default();
                if counted != [told.flows, told.packets, told.frame_bytes] {
                    faults_found.push(format!("{name}: the totals differ"));
                }
            }
        }
        for rule in &report.rules {
            let counted = self.rules.get(&rule.id).copied().unwrap_or_default();
            if counted != [rule.flows, rule.packets, rule.frame_bytes] {
                faults_found.push(format!("row {}: the totals differ", rule.id));
            }
        }
        Check::new("totals of the flow list", faults(faults_found))
    }
}

fn add(table: &mut BTreeMap<String, [u64; 3]>, name: String, volume: [u64; 3]) {
    let sums = table.entry(name).or_default();
    for (sum, more) in sums.iter_mut().zip(volume) {
        *sum = sum.saturating_add(more);
    }
}
