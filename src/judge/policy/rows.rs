//! The tables of a document and their lines: raw sections go in, sections and rows with resolved
//! terms come out. A row says only what differs from its section.

use std::collections::BTreeMap;

use super::raw::{RawDirection, RawLiteral, RawPolicy, RawRow, RawSection, RawTransport};
use super::vocabulary::{Vocabulary, demand_entries, demand_text, ports};
use crate::base::IpProto;
use crate::judge::diagnostic::{Code, Problems};
use crate::judge::document::At;
use crate::judge::model::{
    ConditionId, PackId, ParameterId, Policy, ReadingId, RelationId, Requirement, Row, RowId,
    RowPorts, Section, SectionId, ServiceId, Set64, Terms,
};
use crate::judge::names::suggestion;

/// Terms of which any part may be left to the layer below: literal over row over section.
#[derive(Clone, Default)]
struct Layer {
    initiator: Option<Set64>,
    responder: Option<Set64>,
    initiator_has: Option<Set64>,
    responder_has: Option<Set64>,
    when: Option<Vec<Requirement>>,
}

impl Layer {
    /// This layer, and what it leaves open from the layer `below`.
    fn over(&self, below: &Layer) -> Layer {
        Layer {
            initiator: self.initiator.or(below.initiator),
            responder: self.responder.or(below.responder),
            initiator_has: self.initiator_has.or(below.initiator_has),
            responder_has: self.responder_has.or(below.responder_has),
            when: self.when.clone().or_else(|| below.when.clone()),
        }
    }

    /// The terms, with no demand where no layer makes one.
    fn terms(self) -> Terms {
        Terms {
            initiator: self.initiator.unwrap_or_default(),
            responder: self.responder.unwrap_or_default(),
            initiator_has: self.initiator_has.unwrap_or_default(),
            responder_has: self.responder_has.unwrap_or_default(),
            when: self.when.unwrap_or_default(),
        }
    }
}

/// What a section passes on to its rows.
struct SectionLayer {
    base: Layer,
    literal: Option<Layer>,
    readings: Vec<ReadingId>,
    relation: Option<RelationId>,
    symmetric: bool,
}

/// Adds the sections and rows of one pack to the policy.
pub(crate) fn add_sections(
    raw: &RawPolicy,
    pack: PackId,
    names: &mut Vocabulary,
    policy: &mut Policy,
    problems: &mut Problems,
) {
    for raw in &raw.section {
        demand_text(&raw.number, "number", problems);
        demand_text(&raw.title, "title", problems);
        demand_text(&raw.citation, "citation", problems);
        demand_entries(&raw.row, "row", problems);
        let id = SectionId(policy.sections.len());
        if names.sections.define(&raw.id, problems).is_none() {
            continue;
        }
        let layer = Resolver { names, policy, problems }.section(raw);
        let mut rows = Vec::new();
        for raw_row in &raw.row.value {
            if names.rows.define(&raw_row.id, problems).is_none() {
                continue;
            }
            let row = Resolver { names, policy, problems }.row(raw_row, id, &layer);
            rows.push(RowId(policy.rows.len()));
            policy.rows.push(row);
        }
        policy.sections.push(Section {
            id: raw.id.value.clone(),
            number: raw.number.value.clone(),
            pack,
            title: raw.title.value.clone(),
            citation: raw.citation.value.clone(),
            revised: raw.revised.clone(),
            caution: raw.caution.clone(),
            rows,
        });
    }
}

/// Follows the references of a section or row.
struct Resolver<'a> {
    names: &'a Vocabulary,
    policy: &'a Policy,
    problems: &'a mut Problems,
}

impl Resolver<'_> {
    fn section(&mut self, raw: &RawSection) -> SectionLayer {
        SectionLayer {
            base: Layer {
                initiator: self.roles("initiator", Some(&raw.initiator)),
                responder: self.roles("responder", Some(&raw.responder)),
                initiator_has: self.attributes(raw.initiator_has.as_deref()),
                responder_has: self.attributes(raw.responder_has.as_deref()),
                when: self.when(raw.when.as_ref()),
            },
            literal: raw.literal.as_ref().map(|literal| self.literal(&literal.value)),
            readings: self.readings(&raw.readings),
            relation: self.relation(raw.relation.as_ref()),
            symmetric: raw.direction == RawDirection::BothWays,
        }
    }

    fn row(&mut self, raw: &RawRow, section: SectionId, above: &SectionLayer) -> Row {
        demand_text(&raw.printed, "printed", self.problems);
        let layer = Layer {
            initiator: self.roles("initiator", raw.initiator.as_ref()),
            responder: self.roles("responder", raw.responder.as_ref()),
            initiator_has: self.attributes(raw.initiator_has.as_deref()),
            responder_has: self.attributes(raw.responder_has.as_deref()),
            when: self.when(raw.when.as_ref()),
        }
        .over(&above.base);
        let mut readings = above.readings.clone();
        readings.extend(self.readings(&raw.readings));
        readings.sort_unstable();
        readings.dedup();
        let own_literal = raw.literal.as_ref().map(|literal| self.literal(&literal.value));
        let literal = own_literal.or_else(|| above.literal.clone());
        if literal.is_some() {
            self.demand_changing_reading(raw, &readings);
        }
        Row {
            id: raw.id.value.clone(),
            section,
            line: self.problems.line(raw.id.span.start),
            transport: transport(raw.transport),
            ports: self.ports(&raw.port),
            service: ServiceId(self.names.services.find(&raw.service, self.problems).unwrap_or(0)),
            printed: raw.printed.value.clone(),
            symmetric: above.symmetric,
            weak: raw.weak,
            relation: self.relation(raw.relation.as_ref()).or(above.relation),
            literal: literal.map(|literal| literal.over(&layer).terms()),
            terms: layer.terms(),
            readings,
        }
    }

    fn literal(&mut self, raw: &RawLiteral) -> Layer {
        Layer {
            initiator: self.roles("initiator", raw.initiator.as_ref()),
            responder: self.roles("responder", raw.responder.as_ref()),
            initiator_has: self.attributes(raw.initiator_has.as_deref()),
            responder_has: self.attributes(raw.responder_has.as_deref()),
            when: self.when(raw.when.as_ref()),
        }
    }

    fn roles(&mut self, what: &str, raw: Option<&At<Vec<At<String>>>>) -> Option<Set64> {
        let raw = raw?;
        demand_entries(raw, what, self.problems);
        Some(self.names.role_set(&raw.value, self.problems))
    }

    fn attributes(&mut self, raw: Option<&[At<String>]>) -> Option<Set64> {
        raw.map(|ids| self.names.attribute_set(ids, self.problems))
    }

    fn readings(&mut self, raw: &[At<String>]) -> Vec<ReadingId> {
        let found = raw.iter().filter_map(|id| self.names.readings.find(id, self.problems));
        found.map(ReadingId).collect()
    }

    fn relation(&mut self, raw: Option<&At<String>>) -> Option<RelationId> {
        raw.and_then(|id| self.names.relations.find(id, self.problems)).map(RelationId)
    }

    fn when(
        &mut self,
        raw: Option<&BTreeMap<At<String>, Vec<At<String>>>>,
    ) -> Option<Vec<Requirement>> {
        let mut requirements = Vec::new();
        for (condition, answers) in raw? {
            let Some(number) = self.names.conditions.find(condition, self.problems) else {
                continue;
            };
            if answers.is_empty() {
                let message = format!("no answer to `{}` would satisfy this", condition.value);
                let span = condition.span.clone();
                self.problems.report(Code::EmptyList, span, message, "name at least one answer");
            }
            let mut accepted: Vec<usize> = answers
                .iter()
                .filter_map(|wanted| find_answer(self.policy, number, wanted, self.problems))
                .collect();
            accepted.sort_unstable();
            requirements.push(Requirement { condition: ConditionId(number), accepted });
        }
        requirements.sort_by_key(|requirement| requirement.condition);
        Some(requirements)
    }

    fn ports(&mut self, raw: &At<String>) -> RowPorts {
        if let Some(name) = raw.value.strip_prefix('$') {
            let id = At { value: name.to_owned(), span: raw.span.clone() };
            let number = self.names.parameters.find(&id, self.problems).unwrap_or(0);
            return RowPorts::Parameter(ParameterId(number));
        }
        let fixed = ports(raw, self.problems);
        if fixed.as_ref().is_some_and(|ports| ports.is_empty()) {
            let help = "name the ports, or a parameter that may be empty: \"$name\"";
            let message = "the row has no port";
            self.problems.report(Code::EmptyField, raw.span.clone(), message, help);
        }
        RowPorts::Fixed(fixed.unwrap_or_default())
    }

    /// A literal alternative must name the reading that explains it.
    fn demand_changing_reading(&mut self, raw: &RawRow, readings: &[ReadingId]) {
        let changes = |id: &ReadingId| {
            self.policy.readings.get(id.0).is_some_and(|reading| reading.changes_verdict)
        };
        if !readings.iter().any(changes) {
            let message = format!(
                "row `{}` has a literal alternative, but none of its readings changes a verdict",
                raw.id.value
            );
            let help = "name the reading in `readings` and mark it `changes-verdict = true`";
            self.problems.report(Code::UnexplainedLiteral, raw.id.span.clone(), message, help);
        }
    }
}

/// The index of an answer to a condition; `None` and a fault if the condition does not offer it.
pub(crate) fn find_answer(
    policy: &Policy,
    condition: usize,
    wanted: &At<String>,
    problems: &mut Problems,
) -> Option<usize> {
    let condition = policy.conditions.get(condition)?;
    let found = condition.answers.iter().position(|answer| *answer == wanted.value);
    if found.is_none() {
        let message = format!("`{}` is no answer to `{}`", wanted.value, condition.id);
        let help = suggestion(&wanted.value, condition.answers.iter().map(String::as_str));
        problems.report(Code::UnknownAnswer, wanted.span.clone(), message, help);
    }
    found
}

/// The protocol number of a transport.
pub(crate) fn transport(raw: RawTransport) -> IpProto {
    match raw {
        RawTransport::Tcp => IpProto::TCP,
        RawTransport::Udp => IpProto::UDP,
    }
}
