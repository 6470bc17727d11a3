//! The options on which a report depends, as it repeats them.

use std::path::Path;

use clap::ValueEnum;

use super::{Check, Judging, RuleFiles};
use crate::report::WITHHELD;

impl Check {
    /// The options on which the report depends, with every default filled in and without the
    /// folders of files, which are nobody's business.
    pub(in crate::cli) fn options(&self) -> Vec<String> {
        let hidden = self.pseudonymise.is_some();
        let mut options = Options { list: Vec::new(), hidden };
        options.add_files(&self.rules);
        options.add_terms(self.judging);
        options.add("max-memory", self.max_memory.to_string());
        options.add_flag("keep-copies", self.folding.keep_copies);
        if hidden {
            options.add("pseudonymise", WITHHELD.to_owned());
        }
        options.list
    }
}

#[cfg(unix)]
impl super::Watch {
    /// The same for a watch.
    pub(in crate::cli) fn options(&self) -> Vec<String> {
        let mut options = Options { list: Vec::new(), hidden: false };
        options.add_files(&self.rules);
        options.add_terms(self.judging);
        options.add("max-memory", self.max_memory.to_string());
        options.add_flag("keep-copies", self.folding.keep_copies);
        options.add("keep", self.keep.to_string());
        if let Some(filter) = &self.filter {
            options.add("filter", filter.clone());
        }
        options.list
    }
}

/// Options as a command line has them.
struct Options {
    list: Vec<String>,
    /// Whether names of files are withheld: a file may be called after a host.
    hidden: bool,
}

impl Options {
    fn add(&mut self, name: &str, value: String) {
        self.list.extend([format!("--{name}"), value]);
    }

    fn add_flag(&mut self, name: &str, given: bool) {
        self.list.extend(given.then(|| format!("--{name}")));
    }

    fn add_files(&mut self, files: &RuleFiles) {
        let base = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        for (name, file) in [("site", &files.site), ("waivers", &files.waivers)] {
            if let Some(file) = file {
                self.add(name, if self.hidden { WITHHELD.to_owned() } else { base(file) });
            }
        }
        for policy in &files.policy {
            self.add("policy", base(Path::new(policy)));
        }
    }

    fn add_terms(&mut self, judging: Judging) {
        let Judging { fail_on, min_grade, reading } = judging;
        self.add("reading", chosen(reading));
        self.add("fail-on", chosen(fail_on));
        self.add("min-grade", chosen(min_grade));
    }
}

/// The name of a value, as the command line takes it.
fn chosen(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
