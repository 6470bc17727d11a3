//! The Cisco Unity pack against the counts of the document and against a transcription of its
//! lines that was made apart from the pack.

use std::collections::{BTreeMap, BTreeSet};

use portolan::base::IpProto;
use portolan::judge::model::{PackKind, Policy, Row, RowPorts, Set64};
use portolan::judge::policy::{EMBEDDED, PolicySource, embedded, load_policy};

/// Both embedded packs.
fn shipped() -> Policy {
    load_policy(EMBEDDED).unwrap_or_else(|faults| {
        panic!("{}", faults.iter().map(|fault| format!("{fault}\n")).collect::<String>())
    })
}

/// The ports of a row as the pack writes them: text, or `$` and the parameter.
fn ports_as_written(policy: &Policy, row: &Row) -> String {
    match &row.ports {
        RowPorts::Fixed(ports) => ports.to_string(),
        RowPorts::Parameter(id) => format!("${}", policy.parameters[id.0].id),
    }
}

fn count(policy: &Policy, keep: impl Fn(&Row) -> bool) -> usize {
    policy.rows.iter().filter(|row| keep(row)).count()
}

#[test]
fn the_pack_has_the_counts_of_the_document() {
    let policy = shipped();
    assert_eq!(policy.rows.len(), 138);
    assert_eq!(count(&policy, |row| row.transport == IpProto::TCP), 82);
    assert_eq!(count(&policy, |row| row.transport == IpProto::UDP), 56);
    let symmetric = count(&policy, |row| row.symmetric);
    assert_eq!(symmetric, 15);
    assert_eq!(policy.rows.len() + symmetric, 153, "directed rules");

    let with_ports = |wanted: &[(IpProto, &str)]| {
        count(&policy, |row| wanted.contains(&(row.transport, &ports_as_written(&policy, row))))
    };
    use IpProto as P;
    assert_eq!(with_ports(&[(P::TCP, "$dcom-range")]), 11);
    assert_eq!(with_ports(&[(P::UDP, "$dcom-range")]), 11);
    assert_eq!(with_ports(&[(P::TCP, "135")]), 11);
    assert_eq!(
        with_ports(&[(P::UDP, "137"), (P::UDP, "138"), (P::TCP, "139"), (P::TCP, "445")]),
        32
    );
    let fixed = [(P::TCP, "$exchange-static-tcp"), (P::UDP, "$exchange-static-udp")];
    assert_eq!(with_ports(&fixed), 6);
    assert_eq!(with_ports(&[(P::UDP, "$rtp-range")]), 4);
    assert_eq!(with_ports(&[(P::TCP, "53"), (P::UDP, "53")]), 6);

    let pairs: BTreeSet<_> =
        policy.rows.iter().map(|row| (row.transport, ports_as_written(&policy, row))).collect();
    assert_eq!(pairs.len(), 39);
}
