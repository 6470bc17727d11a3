//! Site files made up from a seed: the addresses of a capture get roles and attributes
//! and answers by chance, so that judging is exercised on traffic that nobody prepared for it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;

use portolan::judge::model::Policy;

/// One Unity server and one monitored domain controller.
pub const UNITY_AND_DC: &str = r#"
schema = 1
[conditions]
failover = "no"
[[host]]
name = "unity"
addresses = ["10.0.0.1"]
roles = ["unity"]
[[host]]
name = "dc"
addresses = ["10.0.0.2"]
roles = ["domain-controller"]
attributes = ["monitored-by-unity"]
"#;

/// Numbers that look random and are the same in every run (xorshift64*, Vigna 2016).
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of a seed.
    pub fn seeded(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    /// One of the values.
    pub fn one_of<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.below(values.len())]
    }
}

/// A site file in which about three of four addresses are hosts of some role.
pub fn random(policy: &Policy, addresses: &BTreeSet<IpAddr>, seed: u64) -> String {
    of_roles(1, policy, addresses, seed)
}

/// A site file in which hosts have up to six roles, so that many rows are of the pair.
pub fn crowded(policy: &Policy, addresses: &BTreeSet<IpAddr>, seed: u64) -> String {
    of_roles(6, policy, addresses, seed)
}

fn of_roles(most: usize, policy: &Policy, addresses: &BTreeSet<IpAddr>, seed: u64) -> String {
    let mut numbers = Numbers::seeded(seed);
    let mut site = "schema = 1\n[site]\nname = \"by chance\"\n[conditions]\n".to_owned();
    for condition in &policy.conditions {
        if numbers.below(2) == 0 {
            writeln!(site, "{} = \"{}\"", condition.id, numbers.one_of(&condition.answers))
                .unwrap();
        }
    }
    let mut hosts = Vec::new();
    for address in addresses.iter().filter(|address| !is_group(address)) {
        if numbers.below(4) == 0 {
            continue;
        }
        let role = numbers.below(policy.roles.len());
        let name = format!("host-{}", hosts.len());
        writeln!(site, "[[host]]\nname = \"{name}\"\naddresses = [\"{address}\"]").unwrap();
        let mut roles = BTreeSet::from([role]);
        for _ in 1..most {
            roles.insert(numbers.below(policy.roles.len()));
        }
        let roles: Vec<String> =
            roles.into_iter().map(|role| format!("\"{}\"", policy.roles[role].id)).collect();
        writeln!(site, "roles = [{}]", roles.join(", ")).unwrap();
        let mine =
            policy.attributes.iter().filter(|attribute| attribute.roles.contains(role as u8));
        let mine: Vec<&str> = mine.map(|attribute| attribute.id.as_str()).collect();
        if !mine.is_empty() && numbers.below(2) == 0 {
            writeln!(site, "attributes = [\"{}\"]", numbers.one_of(&mine)).unwrap();
        }
        hosts.push(name);
    }
    site
}

fn is_group(address: &IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    broadcast || address.is_multicast() || address.is_unspecified()
}

/// A site, and a waiver for it, in which every free text is `name`.
pub fn texts_of(name: &str) -> (String, String) {
    let quoted = toml::Value::String(name.to_owned()).to_string();
    let site = format!(
        r#"
schema = 1
[site]
name = {quoted}
[[host]]
name = {quoted}
addresses = ["10.0.0.1"]
roles = ["unity"]
[[host]]
name = "dc"
addresses = ["10.0.0.2"]
roles = ["domain-controller"]
[[nat]]
addresses = ["10.0.0.9"]
note = {quoted}
"#
    );
    let waivers = format!(
        r#"
schema = 1
[[waiver]]
id = "w-1"
owner = {quoted}
reason = {quoted}
ticket = {quoted}
created = "2020-01-01"
expires = "2030-01-01"
[waiver.match]
initiator-roles = ["unity"]
responder-roles = ["domain-controller"]
transport = "tcp"
ports = "4444"
"#
    );
    (site, waivers)
}
