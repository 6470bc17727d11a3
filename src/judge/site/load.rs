//! Loading a site file: text and policy go in, a valid [`Site`] comes out, or every fault of the
//! text.

use std::collections::BTreeMap;

use super::hosts::{add_hosts, addresses, prefixes};
use super::lint;
use super::raw::{RawFact, RawSite};
use crate::base::PortSet;
use crate::judge::diagnostic::{Code, Diagnostic, Problems};
use crate::judge::document::{self, At, Document};
use crate::judge::model::{
    ConditionId, HostId, NatNote, ParameterId, Policy, RelationFact, RelationId, Site,
};
use crate::judge::names::Names;
use crate::judge::policy::rows::find_answer;
use crate::judge::policy::vocabulary::{Vocabulary, demand_entries, demand_text, ports};

/// Loads a site file against a policy. `name` is the name of the file, for messages.
///
/// # Errors
///
/// All faults of the text, in the order of its lines.
pub fn load_site(text: &str, name: &str, policy: &Policy) -> Result<Site, Vec<Diagnostic>> {
    let mut document: Document<RawSite> = document::read(name, text);
    let mut site = Site { sha256: document::sha256(text), ..Site::default() };
    document::demand_version(&mut document, |raw| raw.schema.as_ref());
    if let Document { raw: Some(raw), problems, .. } = &mut document {
        let mut loader = Loader { policy, names: Vocabulary::of(policy), problems };
        let mut hosts = Names::new("host", Code::UnknownHost);
        site.name.clone_from(&raw.site.name);
        site.subnets = prefixes(&raw.site.subnets, loader.problems);
        site.collectors = addresses(&raw.capture.collectors, loader.problems);
        site.parameters = loader.parameters(&raw.parameters, false);
        site.answers = loader.answers(&raw.conditions);
        add_hosts(raw, &mut loader, &mut hosts, &mut site);
        site.relations = raw.relation.iter().filter_map(|fact| loader.fact(fact, &hosts)).collect();
        site.nat = loader.nat(raw);
    }
    document::finish(vec![document])?;
    site.lints = lint::lints(policy, &site);
    Ok(site)
}

/// Follows the references of a site file into the policy.
pub(crate) struct Loader<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) names: Vocabulary,
    pub(crate) problems: &'a mut Problems,
}

impl Loader<'_> {
    /// Values of parameters. A site-wide parameter cannot be set for one host.
    pub(crate) fn parameters(
        &mut self,
        raw: &BTreeMap<At<String>, At<String>>,
        for_one_host: bool,
    ) -> BTreeMap<ParameterId, PortSet> {
        let mut values = BTreeMap::new();
        for (id, text) in raw {
            let number = self.names.parameters.find(id, self.problems);
            let value = ports(text, self.problems);
            let Some(number) = number else { continue };
            let per_responder =
                self.policy.parameters.get(number).is_none_or(|parameter| parameter.per_responder);
            if for_one_host && !per_responder {
                let message = format!("parameter `{}` holds for the whole site", id.value);
                let help = "move it to the table `[parameters]`";
                self.problems.report(Code::MisplacedParameter, id.span.clone(), message, help);
            }
            if let Some(value) = value {
                values.insert(ParameterId(number), value);
            }
        }
        values
    }

    fn answers(&mut self, raw: &BTreeMap<At<String>, At<String>>) -> BTreeMap<ConditionId, usize> {
        let mut answers = BTreeMap::new();
        for (id, answer) in raw {
            let Some(number) = self.names.conditions.find(id, self.problems) else { continue };
            if let Some(index) = find_answer(self.policy, number, answer, self.problems) {
                answers.insert(ConditionId(number), index);
            }
        }
        answers
    }

    fn fact(&mut self, raw: &RawFact, hosts: &Names) -> Option<RelationFact> {
        let number = self.names.relations.find(&raw.kind, self.problems);
        let of = self.hosts(raw.of.as_ref(), "of", hosts);
        let is = self.hosts(raw.is.as_ref(), "is", hosts);
        let members = self.hosts(raw.members.as_ref(), "members", hosts);
        let relation = RelationId(number?);
        let symmetric = self.policy.relations.get(relation.0).is_some_and(|it| it.symmetric);
        match (symmetric, members, of, is) {
            (true, Some(members), None, None) => {
                Some(RelationFact { relation, of: members.clone(), is: members })
            }
            (false, None, Some(of), Some(is)) => Some(RelationFact { relation, of, is }),
            (symmetric, ..) => {
                let (message, help) = if symmetric {
                    (
                        "holds both ways",
                        "write `members = [\"...\", \"...\"]`, without `of` and `is`",
                    )
                } else {
                    (
                        "has a direction",
                        "write `of = [\"...\"]` and `is = [\"...\"]`, without `members`",
                    )
                };
                let message = format!("relation `{}` {message}", raw.kind.value);
                self.problems.report(Code::RelationShape, raw.kind.span.clone(), message, help);
                None
            }
        }
    }

    fn hosts(
        &mut self,
        raw: Option<&At<Vec<At<String>>>>,
        what: &str,
        hosts: &Names,
    ) -> Option<Vec<HostId>> {
        let raw = raw?;
        demand_entries(raw, what, self.problems);
        let found = raw.value.iter().filter_map(|name| hosts.find(name, self.problems));
        Some(found.map(HostId).collect())
    }

    fn nat(&mut self, raw: &RawSite) -> Vec<NatNote> {
        let mut notes = Vec::new();
        for raw in &raw.nat {
            demand_entries(&raw.addresses, "addresses", self.problems);
            demand_text(&raw.note, "note", self.problems);
            notes.push(NatNote {
                addresses: addresses(&raw.addresses.value, self.problems),
                note: raw.note.value.clone(),
            });
        }
        notes
    }
}
