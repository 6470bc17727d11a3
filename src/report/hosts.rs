//! What the report says of the hosts of the site, and of addresses that it does not list.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::build::{Builder, by_name, volume};
use super::model;
use super::words;
use crate::judge::Hardening;

impl Builder<'_> {
    pub(super) fn hosts(&self) -> Vec<model::Host> {
        let known = self.assessment.hosts.iter().filter_map(|seen| {
            let host = self.names.site.hosts.get(seen.host.0)?;
            Some(model::Host {
                name: host.name.clone(),
                roles: self.names.roles(host.declared_roles),
                attributes: self.names.attributes(host.attributes),
                addresses_seen: seen.addresses.iter().map(ToString::to_string).collect(),
                address_count: seen.address_count,
                initiated: by_name(&seen.initiated, |verdict| verdict.name()),
                responded: by_name(&seen.answered, |verdict| verdict.name()),
                offers: seen
                    .offers
                    .iter()
                    .map(|((transport, port), flows)| (format!("{transport}/{port}"), *flows))
                    .collect(),
                hardening: seen
                    .hardening
                    .iter()
                    .map(|one| self.hardening(&host.name, one))
                    .collect(),
            })
        });
        known.collect()
    }

    fn hardening(&self, host: &str, seen: &Hardening) -> model::Hardening {
        let service = self.names.policy.services.get(seen.service.0);
        let row = self.names.row(seen.row);
        let verdict = if seen.is_applied() { "applied" } else { "not-applied" };
        model::Hardening {
            service: service.map(|service| service.id.clone()).unwrap_or_default(),
            verdict: verdict.to_owned(),
            sentence: words::hardening(service.map_or("", |one| one.name.as_str()), host, seen),
            citation: row.map(|row| self.names.citation(row)).unwrap_or_default(),
            documented: seen.documented.to_string(),
            inside: seen.inside.to_string(),
            outside: seen.outside.to_string(),
            flows_outside: seen.flows_outside,
        }
    }

    pub(super) fn unknown_peers(&self) -> Vec<model::UnknownPeer> {
        let peers = self.assessment.unknown_peers.iter().map(|peer| {
            let class = peer.class.name().to_owned();
            let roles: BTreeMap<String, u64> =
                peer.roles.iter().map(|(id, n)| (self.names.role(*id).to_owned(), *n)).collect();
            let mut likely: Vec<_> = roles.iter().collect();
            likely.sort_by_key(|(role, count)| (Reverse(**count), (*role).clone()));
            let likely = likely.first().map_or("ROLE", |(role, _)| role.as_str());
            model::UnknownPeer {
                address: peer.address.to_string(),
                class,
                volume: volume(&peer.volume),
                hosts: peer
                    .hosts
                    .iter()
                    .filter_map(|id| self.names.host(*id))
                    .map(str::to_owned)
                    .collect(),
                ports: peer
                    .ports
                    .iter()
                    .map(|(transport, port, serves)| {
                        let verb = if *serves { "served" } else { "initiated" };
                        format!("{verb} {transport}/{port}")
                    })
                    .collect(),
                site_lines: format!(
                    "[[host]]\nname = \"{}\"\naddresses = [\"{0}\"]\nroles = [\"{likely}\"]\n",
                    peer.address
                ),
                candidate_roles: roles,
            }
        });
        peers.collect()
    }
}
