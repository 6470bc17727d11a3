//! What a watch judges against, which may be read again while it runs.

use crate::judge::model::{Policy, Site, Waivers};
use crate::judge::{Grade, ReadingMode, Severity, Terms};

/// What is judged against.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The policy.
    pub policy: Policy,
    /// The site.
    pub site: Site,
    /// The waivers.
    pub waivers: Waivers,
    /// How unclear passages are read.
    pub reading: ReadingMode,
    /// Findings below this do not fail a run.
    pub fail_on: Severity,
    /// Evidence below this grade is too poor for a pass.
    pub min_grade: Grade,
}

impl Rules {
    /// The same, borrowed.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            policy: &self.policy,
            site: &self.site,
            waivers: &self.waivers,
            reading: self.reading,
            fail_on: self.fail_on,
            min_grade: self.min_grade,
        }
    }
}

/// Reads the rules again.
pub type Load = Box<dyn Fn() -> Result<Rules, String> + Send>;
