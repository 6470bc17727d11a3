//! Which host an address is, at the time of a flow.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use foldhash::fast::RandomState;
use ipnet::IpNet;

use super::model::{Host, HostId, Site};
use crate::base::Timestamp;

/// What the site says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Not in the site file.
    Unknown,
    /// One host, or one block of hosts.
    Host(HostId),
    /// Different hosts with different roles while the flow ran.
    Contested,
}

/// The site's addresses, ready for look-up: an exact address wins over a prefix, a longer
/// prefix over a shorter one.
#[derive(Debug)]
pub struct Inventory<'a> {
    site: &'a Site,
    /// Hashed, because both ends of each flow are looked up.
    addresses: HashMap<IpAddr, Vec<HostId>, RandomState>,
    prefixes: HashMap<IpNet, Vec<HostId>, RandomState>,
    lengths_v4: Vec<u8>,
    lengths_v6: Vec<u8>,
    broadcasts: BTreeSet<IpAddr>,
    likely_broadcasts: BTreeSet<IpAddr>,
}

impl<'a> Inventory<'a> {
    /// Prepares the look-up.
    pub fn new(site: &'a Site) -> Self {
        let mut addresses: BTreeMap<IpAddr, Vec<HostId>> = BTreeMap::new();
        let mut prefixes: BTreeMap<IpNet, Vec<HostId>> = BTreeMap::new();
        for (host, id) in site.hosts.iter().zip((0..).map(HostId)) {
            for address in &host.addresses {
                addresses.entry(*address).or_default().push(id);
            }
            for prefix in &host.prefixes {
                prefixes.entry(prefix.trunc()).or_default().push(id);
            }
        }
        let broadcast = |net: &IpNet| match net {
            IpNet::V4(net) if net.prefix_len() <= 30 => Some(IpAddr::V4(net.broadcast())),
            _ => None,
        };
        let broadcasts = site.subnets.iter().filter_map(broadcast).collect();
        // A block of hosts need not be a subnet: its last address may be a host.
        let blocks = site.hosts.iter().flat_map(|host| &host.prefixes);
        let likely_broadcasts = blocks.filter_map(broadcast).collect();
        let lengths = |v4: bool| {
            let nets = prefixes.keys().filter(|net| matches!(net, IpNet::V4(_)) == v4);
            let lengths: BTreeSet<u8> = nets.map(IpNet::prefix_len).collect();
            lengths.into_iter().rev().collect()
        };
        let (lengths_v4, lengths_v6) = (lengths(true), lengths(false));
        Inventory {
            site,
            addresses: addresses.into_iter().collect(),
            prefixes: prefixes.into_iter().collect(),
            lengths_v4,
            lengths_v6,
            broadcasts,
            likely_broadcasts,
        }
    }

    /// The host behind a number.
    pub fn host(&self, id: HostId) -> Option<&'a Host> {
        self.site.hosts.get(id.0)
    }

    /// Which host owned `address` from `earliest` to `latest`.
    pub fn identify(&self, address: IpAddr, earliest: Timestamp, latest: Timestamp) -> Identity {
        let exact = self.addresses.get(&address);
        let found = exact.map(|owners| self.valid(owners, earliest, latest));
        if let Some(identity) = found.filter(|identity| *identity != Identity::Unknown) {
            return identity;
        }
        let lengths = if address.is_ipv4() { &self.lengths_v4 } else { &self.lengths_v6 };
        for length in lengths {
            let Ok(net) = IpNet::new(address, *length) else { continue };
            let Some(owners) = self.prefixes.get(&net.trunc()) else { continue };
            let identity = self.valid(owners, earliest, latest);
            if identity != Identity::Unknown {
                return identity;
            }
        }
        Identity::Unknown
    }

    /// Whether two addresses are of one host at that time: equal, or both listed for it. The
    /// addresses of a block are those of as many hosts.
    pub fn is_same_host(
        &self,
        one: IpAddr,
        other: IpAddr,
        (earliest, latest): (Timestamp, Timestamp),
    ) -> bool {
        let listed = |address: IpAddr| match self.identify(address, earliest, latest) {
            Identity::Host(id) => {
                self.host(id).filter(|host| host.addresses.contains(&address)).map(|_| id)
            }
            Identity::Unknown | Identity::Contested => None,
        };
        one == other || listed(one).is_some_and(|id| listed(other) == Some(id))
    }

    fn valid(&self, owners: &[HostId], earliest: Timestamp, latest: Timestamp) -> Identity {
        let mut identity = Identity::Unknown;
        for id in owners {
            let Some(host) = self.host(*id) else { continue };
            let began = host.valid_from.is_none_or(|from| from <= latest);
            let ended = host.valid_until.is_some_and(|until| until <= earliest);
            if !began || ended {
                continue;
            }
            identity = match identity {
                Identity::Host(other)
                    if self.host(other).map(|other| (other.roles, other.attributes))
                        != Some((host.roles, host.attributes)) =>
                {
                    return Identity::Contested;
                }
                Identity::Host(other) => Identity::Host(other),
                _ => Identity::Host(*id),
            };
        }
        identity
    }

    /// Whether packets to `address` go to a group of hosts: multicast, limited broadcast, or a
    /// directed broadcast of a subnet that the site names or that the link layer showed to be
    /// one.
    pub fn is_group(&self, address: IpAddr, link_group: bool) -> bool {
        let certain = match address {
            IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
            IpAddr::V6(v6) => v6.is_multicast(),
        };
        // The link layer alone proves nothing: a cluster has a unicast address behind a
        // multicast one.
        let likely = matches!(address, IpAddr::V4(v4) if v4.octets()[3] == 255)
            || self.likely_broadcasts.contains(&address);
        certain || self.broadcasts.contains(&address) || (link_group && likely)
    }
}
