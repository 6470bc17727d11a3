//! What is doubtful about a policy by itself: rows that say nothing new, rows that open much,
//! parameters outside their limits. Doubts are data for the report; they stop nothing.

use crate::base::{IpProto, PortRange, PortSet};
use crate::judge::model::{
    Lint, Parameter, ParameterId, Policy, Reading, Requirement, Row, RowPorts, Set64, Terms,
};

/// A row that opens more ports than this is pointed out.
const WIDE_ROW: u32 = 1000;

/// Ports from which operating systems take the source ports of outgoing connections.
const EPHEMERAL: [(PortRange, &str); 3] = [
    (PortRange { low: 1025, high: 5000 }, "Windows before Vista and Server 2008"),
    (PortRange { low: 32_768, high: 60_999 }, "Linux"),
    (PortRange { low: 49_152, high: 65_535 }, "later Windows (RFC 6335)"),
];

/// The doubts about a policy, sorted.
pub(crate) fn lints(policy: &Policy) -> Vec<Lint> {
    let mut found = Vec::new();
    for (index, row) in policy.rows.iter().enumerate() {
        let others = policy.rows.iter().enumerate().filter(|(other, _)| *other != index);
        found.extend(wide_row(policy, row));
        found.extend(repeated_row(policy, row, index, others));
    }
    let defaults = |id: ParameterId| policy.parameters.get(id.0)?.default.as_ref();
    for (parameter, id) in policy.parameters.iter().zip(0..) {
        if let Some(default) = &parameter.default {
            let subject = parameter.id.clone();
            found.extend(limits(parameter, default, &subject));
            found.extend(overlaps(policy, ParameterId(id), default, &subject, &defaults, None));
        }
    }
    found.extend(policy.readings.iter().zip(0..).filter_map(|(it, id)| idle(policy, it, id)));
    found.sort();
    found.dedup();
    found
}

fn lint(code: &str, subject: &str, message: String) -> Lint {
    Lint { code: code.to_owned(), subject: subject.to_owned(), message }
}

/// The ports of a row under given values of parameters; `None` while its parameter is unbound.
fn ports_of<'a>(
    row: &'a Row,
    value: &dyn Fn(ParameterId) -> Option<&'a PortSet>,
) -> Option<&'a PortSet> {
    match &row.ports {
        RowPorts::Fixed(ports) => Some(ports),
        RowPorts::Parameter(id) => value(*id),
    }
}

fn wide_row(policy: &Policy, row: &Row) -> Option<Lint> {
    let default = |id: ParameterId| policy.parameters.get(id.0)?.default.as_ref();
    let count = ports_of(row, &default)?.count();
    let message =
        format!("opens {count} ports; report the range in use and narrow it where possible");
    (count > WIDE_ROW).then(|| lint("wide-row", &row.id, message))
}

/// A row that another row makes superfluous. Of two equal rows the later one is superfluous.
fn repeated_row<'a>(
    policy: &Policy,
    row: &Row,
    index: usize,
    mut others: impl Iterator<Item = (usize, &'a Row)>,
) -> Option<Lint> {
    others.find_map(|(other_index, other)| {
        if !covers(policy, other, row) {
            return None;
        }
        match covers(policy, row, other) {
            true if other_index < index => {
                let message = format!("says the same as `{}`; remove one of them", other.id);
                Some(lint("duplicate-row", &row.id, message))
            }
            true => None,
            false => {
                let message = format!("`{}` grants all of it; remove it or narrow that", other.id);
                Some(lint("shadowed-row", &row.id, message))
            }
        }
    })
}

/// Whether `wide` documents everything that `narrow` documents.
fn covers(policy: &Policy, wide: &Row, narrow: &Row) -> bool {
    let ports = match (&wide.ports, &narrow.ports) {
        (RowPorts::Fixed(wide), RowPorts::Fixed(narrow)) => includes(wide, narrow),
        (wide, narrow) => wide == narrow,
    };
    let literal = |row: &'_ Row| row.literal.clone().unwrap_or_else(|| row.terms.clone());
    wide.transport == narrow.transport
        && ports
        && (!wide.weak || narrow.weak)
        && (wide.symmetric || !narrow.symmetric)
        && (wide.relation.is_none() || wide.relation == narrow.relation)
        && terms_cover(policy, &wide.terms, &narrow.terms)
        && terms_cover(policy, &literal(wide), &literal(narrow))
}

fn terms_cover(policy: &Policy, wide: &Terms, narrow: &Terms) -> bool {
    let roles = |wide: Set64, narrow: Set64| {
        narrow.members().all(|role| {
            let closure = policy.roles.get(usize::from(role)).map(|role| role.closure);
            closure.is_some_and(|closure| closure.meets(wide))
        })
    };
    let demand = |wide: Set64, narrow: Set64| {
        wide.is_empty() || (!narrow.is_empty() && narrow.intersection(wide) == narrow)
    };
    let implied = |wide: &Requirement| {
        narrow.when.iter().any(|narrow| {
            narrow.condition == wide.condition
                && narrow.accepted.iter().all(|answer| wide.accepted.contains(answer))
        })
    };
    roles(wide.initiator, narrow.initiator)
        && roles(wide.responder, narrow.responder)
        && demand(wide.initiator_has, narrow.initiator_has)
        && demand(wide.responder_has, narrow.responder_has)
        && wide.when.iter().all(implied)
}

fn includes(wide: &PortSet, narrow: &PortSet) -> bool {
    narrow.ranges().iter().all(|narrow| {
        wide.ranges().iter().any(|wide| wide.low <= narrow.low && narrow.high <= wide.high)
    })
}

/// Values of a parameter outside the limits that the pack gives for it.
pub(crate) fn limits(parameter: &Parameter, ports: &PortSet, subject: &str) -> Vec<Lint> {
    let mut found = Vec::new();
    let count = ports.count();
    if let Some(minimum) = parameter.minimum_count
        && count < minimum
    {
        let message = format!(
            "`{}` holds {count} ports ({ports}); with fewer than {minimum} services may not start",
            parameter.id
        );
        found.push(lint("too-few-ports", subject, message));
    }
    if let (Some(lowest), Some(first)) = (parameter.lowest, ports.ranges().first())
        && first.low < lowest
    {
        let message = format!(
            "`{}` reaches down to port {}; ports below {lowest} belong to other services",
            parameter.id, first.low
        );
        found.push(lint("low-ports", subject, message));
    }
    found
}

/// Ports of a parameter that another row of the same responders names too, or that clients use as
/// source ports. `responder` narrows the comparison to the rows of one host's roles.
pub(crate) fn overlaps<'a>(
    policy: &'a Policy,
    id: ParameterId,
    ports: &PortSet,
    subject: &str,
    value: &dyn Fn(ParameterId) -> Option<&'a PortSet>,
    responder: Option<Set64>,
) -> Vec<Lint> {
    let mut found = Vec::new();
    if ports.count() < 2 {
        return found;
    }
    let name = policy.parameters.get(id.0).map_or("", |parameter| parameter.id.as_str());
    let own = RowPorts::Parameter(id);
    for transport in [IpProto::TCP, IpProto::UDP] {
        let mine = policy.rows.iter().filter(|row| row.transport == transport && row.ports == own);
        let served: Vec<Set64> = mine.map(|row| row.terms.responder).collect();
        let same_host = |theirs: Set64| match responder {
            Some(roles) => theirs.meets(roles) && served.iter().any(|it| it.meets(roles)),
            None => served.iter().any(|it| it.meets(theirs)),
        };
        let rivals = policy.rows.iter().filter(|row| {
            row.transport == transport
                && row.ports != own
                && !row.weak
                && same_host(row.terms.responder)
        });
        for row in rivals {
            if let Some(shared) = ports_of(row, value).and_then(|theirs| shared(ports, theirs)) {
                let message =
                    format!("`{name}` ({ports}) contains {transport} {shared} of row `{}`", row.id);
                found.push(lint("range-overlaps-row", subject, message));
            }
        }
    }
    for (range, system) in EPHEMERAL {
        if let Some(shared) = shared(ports, &PortSet::range(range)) {
            let message = format!(
                "`{name}` ({ports}) contains {shared}, which {system} also uses as source ports"
            );
            found.push(lint("range-overlaps-ephemeral", subject, message));
        }
    }
    found
}

/// The first ports that two sets share.
fn shared(a: &PortSet, b: &PortSet) -> Option<PortRange> {
    let pairs = a.ranges().iter().flat_map(|a| b.ranges().iter().map(move |b| (a, b)));
    pairs
        .map(|(a, b)| PortRange { low: a.low.max(b.low), high: a.high.min(b.high) })
        .find(|range| range.low <= range.high)
}

/// A reading that announces a change of verdict which no row carries.
fn idle(policy: &Policy, reading: &Reading, id: usize) -> Option<Lint> {
    let carried = policy
        .rows
        .iter()
        .any(|row| row.literal.is_some() && row.readings.iter().any(|reading| reading.0 == id));
    let message =
        "is said to change a verdict, but no row that rests on it has a literal alternative";
    (reading.changes_verdict && !carried)
        .then(|| lint("reading-without-effect", &reading.id, message.to_owned()))
}
