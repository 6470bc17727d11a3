//! The names that packs define: roles, attributes, relations, parameters, conditions, services
//! and readings. All packs are collected before any reference is followed, so that the order of
//! packs does not matter.

use std::ops::Range;

use super::raw::{RawParameterScope, RawPolicy};
use crate::base::{PortRange, PortSet};
use crate::identify::Protocol;
use crate::identify::dcerpc::InterfaceClass;
use crate::judge::diagnostic::{Code, Problems};
use crate::judge::document::At;
use crate::judge::model::{
    Attribute, Condition, Parameter, Policy, Reading, Relation, Role, Service, ServiceProtocol,
    Set64,
};
use crate::judge::names::{Names, suggestion};

/// A set of 64 bits holds no more.
const MOST_MEMBERS: usize = 64;

/// What the packs define, by kind.
pub(crate) struct Vocabulary {
    pub(crate) packs: Names,
    pub(crate) roles: Names,
    pub(crate) attributes: Names,
    pub(crate) relations: Names,
    pub(crate) parameters: Names,
    pub(crate) conditions: Names,
    pub(crate) services: Names,
    pub(crate) readings: Names,
    pub(crate) sections: Names,
    pub(crate) rows: Names,
    pub(crate) infrastructure: Names,
}

impl Default for Vocabulary {
    fn default() -> Self {
        // Nothing refers to packs, sections and rows by name, so their "unknown" never occurs.
        let none = Code::DuplicateId;
        Vocabulary {
            packs: Names::new("pack", none),
            roles: Names::new("role", Code::UnknownRole),
            attributes: Names::new("attribute", Code::UnknownAttribute),
            relations: Names::new("relation", Code::UnknownRelation),
            parameters: Names::new("parameter", Code::UnknownParameter),
            conditions: Names::new("condition", Code::UnknownCondition),
            services: Names::new("service", Code::UnknownService),
            readings: Names::new("reading", Code::UnknownReading),
            sections: Names::new("section", none),
            rows: Names::new("row", none),
            infrastructure: Names::new("infrastructure row", none),
        }
    }
}

impl Vocabulary {
    /// The names of a policy that was loaded before, for site and waiver files.
    pub(crate) fn of(policy: &Policy) -> Self {
        let mut names = Vocabulary::default();
        let mut none = Problems::new("", "");
        let mut fill = |names: &mut Names, ids: &mut dyn Iterator<Item = &String>| {
            for id in ids {
                names.define(&At { value: id.clone(), span: 0..0 }, &mut none);
            }
        };
        fill(&mut names.roles, &mut policy.roles.iter().map(|it| &it.id));
        fill(&mut names.attributes, &mut policy.attributes.iter().map(|it| &it.id));
        fill(&mut names.relations, &mut policy.relations.iter().map(|it| &it.id));
        fill(&mut names.parameters, &mut policy.parameters.iter().map(|it| &it.id));
        fill(&mut names.conditions, &mut policy.conditions.iter().map(|it| &it.id));
        fill(&mut names.services, &mut policy.services.iter().map(|it| &it.id));
        names
    }

    /// The set of the named roles, without the roles that each is one of.
    pub(crate) fn role_set(&self, ids: &[At<String>], problems: &mut Problems) -> Set64 {
        set(&self.roles, ids, problems)
    }

    /// The set of the named attributes.
    pub(crate) fn attribute_set(&self, ids: &[At<String>], problems: &mut Problems) -> Set64 {
        set(&self.attributes, ids, problems)
    }
}

fn set(names: &Names, ids: &[At<String>], problems: &mut Problems) -> Set64 {
    ids.iter()
        .filter_map(|id| names.find(id, problems))
        .filter_map(|number| u8::try_from(number).ok())
        .collect()
}

/// Reports an empty text; says whether there is one.
pub(crate) fn demand_text(text: &At<String>, what: &str, problems: &mut Problems) -> bool {
    let present = !text.value.trim().is_empty();
    if !present {
        let message = format!("`{what}` is empty");
        problems.report(Code::EmptyField, text.span.clone(), message, "say it in a few words");
    }
    present
}

/// Reports an empty list.
pub(crate) fn demand_entries<T>(list: &At<Vec<T>>, what: &str, problems: &mut Problems) {
    if list.value.is_empty() {
        let message = format!("`{what}` lists nothing");
        problems.report(Code::EmptyList, list.span.clone(), message, "name at least one");
    }
}

/// A set of ports from text; `None` and a fault if it is none.
pub(crate) fn ports(text: &At<String>, problems: &mut Problems) -> Option<PortSet> {
    match text.value.parse() {
        Ok(ports) => Some(ports),
        Err(reason) => {
            let help = "write ports between 0 and 65535: \"25\", \"5000-5020\" or \"25, 587\"";
            problems.report(Code::InvalidPorts, text.span.clone(), reason, help);
            None
        }
    }
}

/// Defines the names of one pack and appends what they stand for to the policy; references among
/// roles and attributes wait for [`resolve`].
pub(crate) fn define(
    raw: &RawPolicy,
    names: &mut Vocabulary,
    policy: &mut Policy,
    problems: &mut Problems,
) {
    define_roles(raw, names, policy, problems);
    define_parameters(raw, names, policy, problems);
    define_conditions(raw, names, policy, problems);
    for raw in &raw.relation {
        demand_text(&raw.meaning, "meaning", problems);
        if names.relations.define(&raw.id, problems).is_some() {
            policy.relations.push(Relation {
                id: raw.id.value.clone(),
                meaning: raw.meaning.value.clone(),
                symmetric: raw.symmetric,
                from: Set64::default(),
                to: Set64::default(),
            });
        }
    }
    for raw in &raw.service {
        demand_text(&raw.name, "name", problems);
        let mut protocols = |names: &[At<String>]| {
            names.iter().filter_map(|name| service_protocol(name, problems)).collect()
        };
        let (spoken, tolerated) = (protocols(&raw.protocols), protocols(&raw.tolerated));
        if names.services.define(&raw.id, problems).is_some() {
            policy.services.push(Service {
                id: raw.id.value.clone(),
                name: raw.name.value.clone(),
                protocols: spoken,
                tolerated,
                per_direction: raw.per_direction,
            });
        }
    }
    for raw in &raw.reading {
        demand_text(&raw.question, "question", problems);
        demand_text(&raw.literal, "literal", problems);
        demand_text(&raw.inferred, "inferred", problems);
        if names.readings.define(&raw.id, problems).is_some() {
            policy.readings.push(Reading {
                id: raw.id.value.clone(),
                question: raw.question.value.clone(),
                literal: raw.literal.value.clone(),
                inferred: raw.inferred.value.clone(),
                changes_verdict: raw.changes_verdict,
            });
        }
    }
}

fn define_roles(
    raw: &RawPolicy,
    names: &mut Vocabulary,
    policy: &mut Policy,
    problems: &mut Problems,
) {
    for raw in &raw.role {
        demand_text(&raw.definition, "definition", problems);
        if let Some(number) = names.roles.define(&raw.id, problems) {
            let member = within_set(number, "roles", &raw.id.span, problems);
            policy.roles.push(Role {
                id: raw.id.value.clone(),
                definition: raw.definition.value.clone(),
                closure: Set64::of(member),
                usually: Set64::default(),
            });
        }
    }
    for raw in &raw.attribute {
        demand_text(&raw.meaning, "meaning", problems);
        if let Some(number) = names.attributes.define(&raw.id, problems) {
            within_set(number, "attributes", &raw.id.span, problems);
            policy.attributes.push(Attribute {
                id: raw.id.value.clone(),
                meaning: raw.meaning.value.clone(),
                roles: Set64::default(),
            });
        }
    }
}

fn within_set(number: usize, what: &str, span: &Range<usize>, problems: &mut Problems) -> u8 {
    if number >= MOST_MEMBERS {
        let message = format!("more than {MOST_MEMBERS} {what}");
        let help = "merge some, or load fewer packs in one run";
        problems.report(Code::TooMany, span.clone(), message, help);
    }
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn define_parameters(
    raw: &RawPolicy,
    names: &mut Vocabulary,
    policy: &mut Policy,
    problems: &mut Problems,
) {
    for raw in &raw.parameter {
        demand_text(&raw.meaning, "meaning", problems);
        let default = raw.default.as_ref().and_then(|text| ports(text, problems));
        let candidates = match &raw.candidates {
            Some(text) => ports(text, problems).unwrap_or_default(),
            None => PortSet::range(PortRange { low: 0, high: u16::MAX }),
        };
        if names.parameters.define(&raw.id, problems).is_some() {
            policy.parameters.push(Parameter {
                id: raw.id.value.clone(),
                meaning: raw.meaning.value.clone(),
                default,
                per_responder: raw.per == RawParameterScope::Responder,
                candidates,
                minimum_count: raw.minimum_count,
                lowest: raw.lowest,
            });
        }
    }
}

fn define_conditions(
    raw: &RawPolicy,
    names: &mut Vocabulary,
    policy: &mut Policy,
    problems: &mut Problems,
) {
    for raw in &raw.condition {
        demand_text(&raw.question, "question", problems);
        demand_entries(&raw.answers, "answers", problems);
        let mut answers = Names::new("answer", Code::UnknownAnswer);
        for answer in &raw.answers.value {
            answers.define(answer, problems);
        }
        if names.conditions.define(&raw.id, problems).is_some() {
            policy.conditions.push(Condition {
                id: raw.id.value.clone(),
                question: raw.question.value.clone(),
                answers: raw.answers.value.iter().map(|answer| answer.value.clone()).collect(),
            });
        }
    }
}

/// Follows the references between the names of one pack: parents of roles, roles of attributes
/// and of relations.
pub(crate) fn resolve(
    raw: &RawPolicy,
    names: &Vocabulary,
    policy: &mut Policy,
    problems: &mut Problems,
) {
    for raw in &raw.role {
        let parents = names.role_set(&raw.is_a, problems);
        let usually = names.role_set(&raw.usually, problems);
        let role = names.roles.number(&raw.id.value).and_then(|at| policy.roles.get_mut(at));
        if let Some(role) = role {
            role.closure.insert_all(parents);
            role.usually = usually;
        }
    }
    for raw in &raw.attribute {
        demand_entries(&raw.roles, "roles", problems);
        let roles = names.role_set(&raw.roles.value, problems);
        let number = names.attributes.number(&raw.id.value);
        if let Some(attribute) = number.and_then(|at| policy.attributes.get_mut(at)) {
            attribute.roles = roles;
        }
    }
    for raw in &raw.relation {
        demand_entries(&raw.from, "from", problems);
        demand_entries(&raw.to, "to", problems);
        let from = names.role_set(&raw.from.value, problems);
        let to = names.role_set(&raw.to.value, problems);
        let number = names.relations.number(&raw.id.value);
        if let Some(relation) = number.and_then(|at| policy.relations.get_mut(at)) {
            relation.from = from;
            relation.to = to;
        }
    }
}

/// Adds to every role the roles that its parents are.
pub(crate) fn close_roles(policy: &mut Policy) {
    // Each pass follows one more step, and no chain is longer than the number of roles.
    for _ in 0..policy.roles.len() {
        let closures: Vec<Set64> = policy.roles.iter().map(|role| role.closure).collect();
        for role in &mut policy.roles {
            role.closure = closed(role.closure, &closures);
        }
    }
}

fn closed(roles: Set64, closures: &[Set64]) -> Set64 {
    let mut all = roles;
    for member in roles.members() {
        all.insert_all(closures.get(usize::from(member)).copied().unwrap_or_default());
    }
    all
}

/// Reports roles that are one of themselves. The closures must be complete.
pub(crate) fn refuse_cycles(
    raw: &RawPolicy,
    names: &Vocabulary,
    policy: &Policy,
    problems: &mut Problems,
) {
    for raw in &raw.role {
        let Some(own) = names.roles.number(&raw.id.value).and_then(|at| u8::try_from(at).ok())
        else {
            continue;
        };
        for parent in &raw.is_a {
            let number = names.roles.number(&parent.value);
            let above = number.and_then(|at| policy.roles.get(at)).map(|role| role.closure);
            if above.is_some_and(|above| above.contains(own)) {
                let message = format!("role `{}` is one of itself", raw.id.value);
                let help = format!("remove `{}` from `is-a` here or further up", parent.value);
                problems.report(Code::RoleCycle, parent.span.clone(), message, help);
            }
        }
    }
}

/// The protocol that a service speaks: its name, and of DCE/RPC the class of its interfaces behind
/// a colon.
fn service_protocol(name: &At<String>, problems: &mut Problems) -> Option<ServiceProtocol> {
    let (protocol, class) = match name.value.split_once(':') {
        Some((protocol, class)) => (protocol, Some(class)),
        None => (name.value.as_str(), None),
    };
    let found = Protocol::ALL.iter().find(|known| known.name() == protocol);
    let Some(found) = found.copied() else {
        let names = Protocol::ALL.iter().map(|known| known.name());
        let message = format!("protocol `{protocol}` is not one that is recognised");
        let help = suggestion(protocol, names);
        problems.report(Code::UnknownProtocol, name.span.clone(), message, help);
        return None;
    };
    let Some(class) = class else { return Some(ServiceProtocol { protocol: found, class: None }) };
    let classes = InterfaceClass::ALL;
    let known = classes.iter().find(|one| one.name() == class && found == Protocol::DceRpc);
    if known.is_none() {
        let message = format!("`{class}` is not a class of interfaces of `{protocol}`");
        let help = suggestion(class, classes.iter().map(|one| one.name()));
        problems.report(Code::UnknownProtocol, name.span.clone(), message, help);
    }
    Some(ServiceProtocol { protocol: found, class: Some(*known?) })
}
