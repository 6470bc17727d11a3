//! What is doubtful about a site under a policy: what it leaves open, what it says to no effect,
//! values outside their limits. Doubts are data for the report; they stop nothing.

use std::collections::BTreeMap;

use crate::base::PortSet;
use crate::judge::model::{
    ConditionId, Host, Lint, ParameterId, Policy, Row, RowPorts, Set64, Site, Terms,
};
use crate::judge::policy::lint::{limits, overlaps};

/// The doubts about a site under a policy, sorted.
pub(crate) fn lints(policy: &Policy, site: &Site) -> Vec<Lint> {
    let mut found = Vec::new();
    found.extend(roles_without_host(policy, site));
    found.extend(site.hosts.iter().filter_map(host_without_role));
    found.extend(site.hosts.iter().flat_map(|host| missing_usual_roles(policy, host)));
    found.extend(site.hosts.iter().flat_map(|host| misplaced_attributes(policy, host)));
    found.extend(misplaced_relations(policy, site));
    found.extend(swallowed_hosts(site));
    let live: Vec<&Row> = policy.rows.iter().filter(|row| is_live(site, row)).collect();
    found.extend(missing_attributes(policy, site, &live));
    found.extend(missing_relations(policy, site, &live));
    found.extend(unanswered_conditions(policy, site, &live));
    found.extend(unbound_parameters(policy, site, &live));
    found.extend(doubtful_values(policy, site));
    found.sort();
    found.dedup();
    found
}

fn lint(code: &str, subject: &str, message: String) -> Lint {
    Lint { code: code.to_owned(), subject: subject.to_owned(), message }
}

fn any_host(site: &Site, roles: Set64) -> bool {
    site.hosts.iter().any(|host| host.roles.meets(roles))
}

/// Whether the site has hosts for both ends of a row, and no answer that switches it off.
fn is_live(site: &Site, row: &Row) -> bool {
    let off = row.terms.when.iter().any(|requirement| {
        let answer = site.answers.get(&requirement.condition);
        answer.is_some_and(|answer| !requirement.accepted.contains(answer))
    });
    !off && any_host(site, row.terms.initiator) && any_host(site, row.terms.responder)
}

fn role_names(policy: &Policy, roles: Set64) -> String {
    let name = |role: u8| policy.roles.get(usize::from(role)).map(|role| role.id.as_str());
    roles.members().filter_map(name).collect::<Vec<_>>().join(", ")
}

fn attribute_names(policy: &Policy, attributes: Set64) -> String {
    let name = |at: u8| policy.attributes.get(usize::from(at)).map(|it| it.id.as_str());
    attributes.members().filter_map(name).collect::<Vec<_>>().join(" or ")
}

fn roles_without_host(policy: &Policy, site: &Site) -> Vec<Lint> {
    let mut used = Set64::default();
    for row in &policy.rows {
        used.insert_all(row.terms.initiator);
        used.insert_all(row.terms.responder);
    }
    let absent = used.members().filter(|role| !any_host(site, Set64::of(*role)));
    absent
        .filter_map(|role| policy.roles.get(usize::from(role)))
        .map(|role| {
            let message = "no host holds this role; its rows cannot be exercised".to_owned();
            lint("role-without-host", &role.id, message)
        })
        .collect()
}

fn host_without_role(host: &Host) -> Option<Lint> {
    let message = "holds no role, so no row applies to it: add `roles = [...]`".to_owned();
    host.roles.is_empty().then(|| lint("host-without-role", &host.name, message))
}

fn missing_usual_roles(policy: &Policy, host: &Host) -> Vec<Lint> {
    let declared = policy.roles.iter().zip(0_u8..);
    let held = declared.filter(|(_, number)| host.declared_roles.contains(*number));
    held.flat_map(|(role, _)| {
        role.usually.members().filter(|usual| !host.roles.contains(*usual)).map(|usual| {
            let usual = role_names(policy, Set64::of(usual));
            let message = format!("is `{}` but not `{usual}`; add the role if it is both", role.id);
            lint("usual-role-missing", &host.name, message)
        })
    })
    .collect()
}

fn misplaced_attributes(policy: &Policy, host: &Host) -> Vec<Lint> {
    let carried = policy.attributes.iter().zip(0_u8..);
    carried
        .filter(|(attribute, number)| {
            host.attributes.contains(*number) && !host.roles.meets(attribute.roles)
        })
        .map(|(attribute, _)| {
            let roles = role_names(policy, attribute.roles);
            let message = format!("`{}` says something of {roles} only", attribute.id);
            lint("misplaced-attribute", &host.name, message)
        })
        .collect()
}

fn misplaced_relations(policy: &Policy, site: &Site) -> Vec<Lint> {
    let mut found = Vec::new();
    for fact in &site.relations {
        let Some(relation) = policy.relations.get(fact.relation.0) else { continue };
        for (hosts, roles) in [(&fact.of, relation.from), (&fact.is, relation.to)] {
            let hosts = hosts.iter().filter_map(|id| site.hosts.get(id.0));
            for host in hosts.filter(|host| !host.roles.meets(roles)) {
                let roles = role_names(policy, roles);
                let message = format!("`{}` here concerns {roles} only", relation.id);
                found.push(lint("misplaced-relation", &host.name, message));
            }
        }
    }
    found
}

/// Hosts and blocks inside the prefix of another block with other roles. The narrower entry wins,
/// which may surprise.
fn swallowed_hosts(site: &Site) -> Vec<Lint> {
    let mut found = Vec::new();
    for block in &site.hosts {
        for prefix in &block.prefixes {
            let others = site.hosts.iter().filter(|it| it.declared_roles != block.declared_roles);
            for host in others {
                let address = host.addresses.iter().find(|it| prefix.contains(*it));
                let narrower =
                    host.prefixes.iter().find(|it| prefix != *it && prefix.contains(*it));
                let inside =
                    address.map(ToString::to_string).or_else(|| narrower.map(ToString::to_string));
                if let Some(inside) = inside {
                    let message = format!(
                        "{inside} lies inside {prefix} of `{}`; there the roles of `{}` hold",
                        block.name, host.name
                    );
                    found.push(lint("prefix-swallows-host", &host.name, message));
                }
            }
        }
    }
    found
}

/// Qualified rows whose qualifier no host of the role carries.
fn missing_attributes(policy: &Policy, site: &Site, live: &[&Row]) -> Vec<Lint> {
    let mut demands: BTreeMap<(Set64, Set64), &str> = BTreeMap::new();
    for row in live {
        let Terms { initiator, responder, initiator_has, responder_has, .. } = row.terms;
        for (roles, has) in [(initiator, initiator_has), (responder, responder_has)] {
            if !has.is_empty() {
                demands.entry((roles, has)).or_insert(&row.id);
            }
        }
    }
    let unmet = demands.into_iter().filter(|((roles, has), _)| {
        !site.hosts.iter().any(|it| it.roles.meets(*roles) && it.attributes.meets(*has))
    });
    unmet
        .map(|((roles, has), row)| {
            let message = format!(
                "no host with the role {} carries it, which row `{row}` demands: add `attributes`",
                role_names(policy, roles)
            );
            lint("attribute-missing", &attribute_names(policy, has), message)
        })
        .collect()
}

fn missing_relations(policy: &Policy, site: &Site, live: &[&Row]) -> Vec<Lint> {
    let unstated = policy
        .relations
        .iter()
        .enumerate()
        .filter(|(number, _)| !site.relations.iter().any(|fact| fact.relation.0 == *number));
    unstated
        .filter_map(|(number, relation)| {
            let row = live.iter().find(|row| row.relation.is_some_and(|it| it.0 == number))?;
            let keys = if relation.symmetric { "members" } else { "of` and `is" };
            let message = format!(
                "row `{}` depends on it: add a `[[relation]]` with `type = \"{}\"`, `{keys}`",
                row.id, relation.id
            );
            Some(lint("relation-missing", &relation.id, message))
        })
        .collect()
}

fn unanswered_conditions(policy: &Policy, site: &Site, live: &[&Row]) -> Vec<Lint> {
    let asks = |row: &Row, id: ConditionId| {
        let literal = row.literal.iter().flat_map(|terms| &terms.when);
        row.terms.when.iter().chain(literal).any(|requirement| requirement.condition == id)
    };
    let open = policy.conditions.iter().zip(0..).map(|(it, number)| (it, ConditionId(number)));
    open.filter(|(_, id)| !site.answers.contains_key(id))
        .filter_map(|(condition, id)| {
            let row = live.iter().find(|row| asks(row, id))?;
            let message = format!(
                "row `{}` depends on the answer: add `{} = \"{}\"` to `[conditions]`",
                row.id,
                condition.id,
                condition.answers.join("\" or \"")
            );
            Some(lint("condition-unanswered", &condition.id, message))
        })
        .collect()
}

fn unbound_parameters(policy: &Policy, site: &Site, live: &[&Row]) -> Vec<Lint> {
    let open = policy.parameters.iter().zip(0..).map(|(it, number)| (it, ParameterId(number)));
    open.filter(|(parameter, id)| parameter.default.is_none() && !site.parameters.contains_key(id))
        .filter_map(|(parameter, id)| {
            let unset = |row: &Row| {
                let responders = site.hosts.iter().filter(|it| it.roles.meets(row.terms.responder));
                responders.into_iter().any(|host| !host.parameters.contains_key(&id))
            };
            let mut rows = live.iter().filter(|row| row.ports == RowPorts::Parameter(id));
            let row = rows.find(|row| unset(row))?;
            let message = format!(
                "has no value, so row `{}` cannot be judged: add `{} = \"...\"` to `[parameters]`, \
             \"\" for none",
                row.id, parameter.id
            );
            Some(lint("parameter-unbound", &parameter.id, message))
        })
        .collect()
}

/// Values that the site sets, against the limits of the parameter and against the ports of other
/// rows.
fn doubtful_values(policy: &Policy, site: &Site) -> Vec<Lint> {
    let mut found = Vec::new();
    let of_site = |id: ParameterId| -> Option<&PortSet> {
        site.parameters.get(&id).or_else(|| policy.parameters.get(id.0)?.default.as_ref())
    };
    for (id, ports) in &site.parameters {
        let Some(parameter) = policy.parameters.get(id.0) else { continue };
        found.extend(limits(parameter, ports, &parameter.id));
        found.extend(overlaps(policy, *id, ports, &parameter.id, &of_site, None));
    }
    for host in &site.hosts {
        let of_host = |id: ParameterId| host.parameters.get(&id).or_else(|| of_site(id));
        for (id, ports) in &host.parameters {
            let Some(parameter) = policy.parameters.get(id.0) else { continue };
            found.extend(limits(parameter, ports, &host.name));
            found.extend(overlaps(policy, *id, ports, &host.name, &of_host, Some(host.roles)));
        }
    }
    found
}
