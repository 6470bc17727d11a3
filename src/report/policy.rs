//! What the report says of the policy and of the site.

use super::build::Builder;
use super::model;
use crate::judge::model::{ConditionId, PackKind, ParameterId, ReadingId, Row, Section};
use crate::judge::{Assumption, Coverage};

impl Builder<'_> {
    pub(super) fn policy(&self) -> model::PolicyBlock {
        let policy = self.names.policy;
        model::PolicyBlock {
            packs: self.packs(),
            conditions: self.conditions(),
            parameters: self.parameters(),
            readings: self.readings(),
            sections: policy.sections.iter().map(|section| self.section(section)).collect(),
            lints: policy.lints.iter().map(lint).collect(),
        }
    }

    fn packs(&self) -> Vec<model::Pack> {
        let policy = self.names.policy;
        let rows_of = |pack: usize| {
            let in_pack = |row: &&Row| {
                policy.sections.get(row.section.0).is_some_and(|section| section.pack.0 == pack)
            };
            let documented = policy.rows.iter().filter(in_pack).count();
            let infrastructure = policy.infrastructure.iter().filter(|row| row.pack.0 == pack);
            (documented + infrastructure.count()) as u64
        };
        let packs = policy.packs.iter().enumerate().map(|(index, pack)| model::Pack {
            id: pack.id.clone(),
            kind: match pack.kind {
                PackKind::Document => "document".to_owned(),
                PackKind::Infrastructure => "infrastructure".to_owned(),
            },
            title: pack.title.clone(),
            publisher: pack.publisher.clone(),
            release: pack.release.clone(),
            document: pack.document.clone(),
            revision: pack.revision.clone(),
            source_sha256: pack.source_sha256.clone(),
            sha256: pack.sha256.clone(),
            rows: rows_of(index),
        });
        packs.collect()
    }

    fn section(&self, section: &Section) -> model::Section {
        let pack = self.names.policy.packs.get(section.pack.0);
        model::Section {
            id: section.id.clone(),
            number: section.number.clone(),
            pack: pack.map(|pack| pack.id.clone()).unwrap_or_default(),
            title: section.title.clone(),
            citation: section.citation.clone(),
            revised: section.revised.clone(),
            caution: section.caution.clone(),
        }
    }

    fn conditions(&self) -> Vec<model::Condition> {
        let contradicting = |condition: ConditionId| -> u64 {
            let depends = |seen: &&Coverage| {
                let row = self.names.row(seen.row);
                row.is_some_and(|row| row.terms.when.iter().any(|r| r.condition == condition))
            };
            let rows = self.assessment.coverage.iter().filter(depends);
            rows.map(|seen| seen.contradicting).sum()
        };
        let conditions = (0..).map(ConditionId).zip(&self.names.policy.conditions);
        conditions
            .map(|(id, condition)| {
                let answer = self.names.site.answers.get(&id);
                model::Condition {
                    id: condition.id.clone(),
                    question: condition.question.clone(),
                    answer: answer.and_then(|at| condition.answers.get(*at)).cloned(),
                    contradicting_flows: contradicting(id),
                }
            })
            .collect()
    }

    fn readings(&self) -> Vec<model::Reading> {
        let resting = |reading: ReadingId| {
            self.assessment.assumed.get(&Assumption::Reading(reading)).copied().unwrap_or(0)
        };
        let readings = (0..).map(ReadingId).zip(&self.names.policy.readings);
        readings
            .filter(|(_, reading)| reading.changes_verdict)
            .map(|(id, reading)| model::Reading {
                id: reading.id.clone(),
                question: reading.question.clone(),
                literal: reading.literal.clone(),
                inferred: reading.inferred.clone(),
                flows: resting(id),
            })
            .collect()
    }

    fn parameters(&self) -> Vec<model::Parameter> {
        let site = self.names.site;
        let parameters = self.names.policy.parameters.iter().enumerate();
        parameters
            .map(|(index, parameter)| {
                let id = ParameterId(index);
                let (value, from) = match (site.parameters.get(&id), &parameter.default) {
                    (Some(ports), _) => (Some(ports.to_string()), "site"),
                    (None, Some(ports)) => (Some(ports.to_string()), "document"),
                    (None, None) => (None, "unbound"),
                };
                let own = site.hosts.iter().filter_map(|host| {
                    let ports = host.parameters.get(&id)?;
                    Some((host.name.clone(), ports.to_string()))
                });
                model::Parameter {
                    id: parameter.id.clone(),
                    meaning: parameter.meaning.clone(),
                    value,
                    from: from.to_owned(),
                    hosts: own.collect(),
                }
            })
            .collect()
    }

    pub(super) fn site(&self) -> model::SiteBlock {
        let given = |hash: &String| Some(hash.clone()).filter(|hash| !hash.is_empty());
        let silent = self.assessment.hosts.iter().filter(|host| host.address_count == 0);
        model::SiteBlock {
            name: self.names.site.name.clone(),
            sha256: given(&self.names.site.sha256),
            waivers_sha256: given(&self.source.terms.waivers.sha256),
            hosts: self.names.site.hosts.len() as u64,
            nat: self.names.site.nat.iter().map(nat_note).collect(),
            collectors: self.names.site.collectors.iter().map(ToString::to_string).collect(),
            silent_hosts: silent
                .filter_map(|host| self.names.host(host.host))
                .map(str::to_owned)
                .collect(),
            lints: self.names.site.lints.iter().map(lint).collect(),
        }
    }
}

fn lint(lint: &crate::judge::model::Lint) -> model::Lint {
    model::Lint {
        code: lint.code.clone(),
        subject: lint.subject.clone(),
        message: lint.message.clone(),
    }
}

fn nat_note(note: &crate::judge::model::NatNote) -> model::NatNote {
    model::NatNote {
        addresses: note.addresses.iter().map(ToString::to_string).collect(),
        note: note.note.clone(),
    }
}
