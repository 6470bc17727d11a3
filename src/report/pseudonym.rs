//! Pseudonyms for addresses and names: consistent, keyed, and such that roles and prefixes hold.
//!
//! In: a key. Out: for each address another one, for each name another one, always the same under
//! the same key. Two addresses that share their first bits get pseudonyms that share as many
//! (Xu, Fan, Ammar, Moon: "Prefix-Preserving IP Address Anonymization", 2002), so that subnets stay
//! subnets. The pseudonyms replace the originals before anything is judged: no sentence, identifier
//! or hash of a report is ever made of an original. Captures are not rewritten.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::stored::hex;
use crate::base::Endpoint;
use crate::capture::{InputSummary, Skipped};
use crate::flow::{CarrierLog, FlowRecord};

/// Bytes below which a key can be guessed.
pub const LEAST_KEY: usize = 16;

/// What stands in place of text that may name anything.
pub const WITHHELD: &str = "(withheld)";

/// Bytes of a block of SHA-256, for HMAC (RFC 2104).
const BLOCK: usize = 64;

/// Gives pseudonyms under one key.
#[derive(Debug)]
pub struct Pseudonyms {
    inner: Sha256,
    outer: Sha256,
    addresses: BTreeMap<IpAddr, IpAddr>,
    /// Pseudonyms that change places, so that a directed broadcast stays one.
    swapped: Vec<(IpAddr, IpAddr)>,
}

impl Pseudonyms {
    /// Under a key; `None` when it is shorter than [`LEAST_KEY`].
    pub fn new(key: &[u8]) -> Option<Self> {
        if key.len() < LEAST_KEY {
            return None;
        }
        let mut block = [0; BLOCK];
        for (place, byte) in block.iter_mut().zip(Sha256::digest(key)) {
            *place = byte;
        }
        let pad = |with: u8| Sha256::new_with_prefix(block.map(|byte| byte ^ with));
        Some(Pseudonyms {
            inner: pad(0x36),
            outer: pad(0x5c),
            addresses: BTreeMap::new(),
            swapped: Vec::new(),
        })
    }

    /// HMAC-SHA-256 of `parts`.
    fn keyed(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = self.inner.clone();
        parts.iter().for_each(|part| inner.update(part));
        let mut outer = self.outer.clone();
        outer.update(inner.finalize());
        outer.finalize().into()
    }

    /// The pseudonym of a name, which begins with what it names.
    pub fn name(&self, what: &str, name: &str) -> String {
        let keyed = self.keyed(&[b"name", what.as_bytes(), name.as_bytes()]);
        format!("{what}-{}", hex(keyed.get(..5).unwrap_or_default()))
    }

    /// The pseudonym of an address.
    pub fn address(&mut self, address: IpAddr) -> IpAddr {
        if let Some(known) = self.addresses.get(&address) {
            return *known;
        }
        let mut pseudonym = self.mapped(address);
        for (one, other) in &self.swapped {
            if pseudonym == *one {
                pseudonym = *other;
            } else if pseudonym == *other {
                pseudonym = *one;
            }
        }
        self.addresses.insert(address, pseudonym);
        pseudonym
    }

    /// The pseudonym of a network, given by its address and the length of its prefix. From then on
    /// the broadcast address of the network has that of the pseudonym as its own.
    pub fn network(&mut self, address: IpAddr, length: u8) -> IpAddr {
        let (IpAddr::V4(v4), IpAddr::V4(mapped)) = (address, self.mapped(address)) else {
            return masked(self.mapped(address), length);
        };
        if length <= 30 {
            let hosts = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            let ours = IpAddr::V4(Ipv4Addr::from(u32::from(v4) | hosts));
            let theirs = IpAddr::V4(Ipv4Addr::from(u32::from(mapped) | hosts));
            let now = self.address(ours);
            if now != theirs && keeps(v4) <= u32::from(length) {
                self.swapped.push((now, theirs));
                self.addresses.clear();
            }
        }
        masked(IpAddr::V4(mapped), length)
    }

    /// Every bit behind those that are kept is turned or not, as the key and the bits before it
    /// say.
    fn mapped(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) => {
                let bits = u128::from(u32::from(v4)) << 96;
                let mapped = self.turned(4, bits, keeps(v4), 32);
                IpAddr::V4(Ipv4Addr::from((mapped >> 96) as u32))
            }
            IpAddr::V6(v6) => {
                let mapped = self.turned(6, u128::from(v6), keeps_v6(v6), 128);
                IpAddr::V6(Ipv6Addr::from(mapped))
            }
        }
    }

    fn turned(&self, version: u8, bits: u128, kept: u32, length: u32) -> u128 {
        let mut turned = bits;
        for at in kept..length {
            let before = bits & !(u128::MAX >> at);
            let keyed = self.keyed(&[b"address", &[version, at as u8], &before.to_be_bytes()]);
            let turn = keyed.first().is_some_and(|byte| byte & 1 == 1);
            turned ^= u128::from(turn) << (127 - at);
        }
        turned
    }

    /// The pseudonym of an address, prefix or host name, as site and waiver files write them.
    pub fn text(&mut self, text: &str) -> String {
        if let Ok(address) = text.parse() {
            return self.address(address).to_string();
        }
        let prefix = text.split_once('/').and_then(|(address, length)| {
            Some((address.parse::<IpAddr>().ok()?, length.parse::<u8>().ok()?))
        });
        match prefix {
            Some((address, length)) => format!("{}/{length}", self.network(address, length)),
            None => self.name("host", text),
        }
    }

    fn end(&mut self, end: Endpoint) -> Endpoint {
        Endpoint::new(self.address(end.address()), end.port())
    }

    /// Flows between pseudonyms.
    pub fn records(&mut self, records: Vec<FlowRecord>) -> Vec<FlowRecord> {
        let hidden = records.into_iter().map(|record| {
            let mut record = record.with_ends(|end| self.end(end));
            if let Some(content) = &mut record.content {
                Arc::make_mut(content).forget_names();
            }
            record
        });
        hidden.collect()
    }

    /// Tunnels between pseudonyms.
    pub fn carriers(&mut self, carriers: CarrierLog) -> CarrierLog {
        carriers.with_ends(|end| self.end(end))
    }

    /// Inputs without names: files and interfaces may be called after hosts, and filters hold
    /// addresses.
    pub fn input(&self, input: &InputSummary) -> InputSummary {
        let mut input = input.clone();
        input.name = self.name("input", &input.name);
        input.path = input.name.clone().into();
        for interface in &mut input.interfaces {
            interface.name = interface.name.as_ref().map(|name| self.name("interface", name));
            interface.description = None;
            interface.filter = interface.filter.as_ref().map(|_| WITHHELD.to_owned());
        }
        input
    }

    /// Skipped files without names; the reason may name another file.
    pub fn skipped(&self, skipped: &Skipped) -> Skipped {
        let name = skipped.path.to_string_lossy();
        Skipped { path: self.name("file", &name).into(), reason: WITHHELD.to_owned() }
    }
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let hosts = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & !hosts))
        }
        IpAddr::V6(v6) => {
            let hosts = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & !hosts))
        }
    }
}

/// Bits kept of an IPv4 address, so that its kind stays what it is (RFC 6890): all of groups,
/// loopback and unspecified; the block of private, shared and link-local addresses; the first
/// octet, or what tells it from such a block, of all others.
fn keeps(address: Ipv4Addr) -> u32 {
    match address.octets() {
        [0 | 127 | 224..=255, ..] => 32,
        [192 | 169, ..] => 16,
        [172, ..] => 12,
        [100, ..] => 10,
        _ => 8,
    }
}

/// The same for IPv6 (RFC 4291, RFC 4193). Solicited-node groups hold the last bits of an address,
/// and so do groups formed from prefixes (RFC 3306).
fn keeps_v6(address: Ipv6Addr) -> u32 {
    let link_local = address.is_unicast_link_local();
    match address.octets() {
        [0xff, second, ..] if second & 0xf0 == 0 && address.segments()[1..5] == [0; 4] => {
            match address.segments() {
                [.., 0, 1, sixth, _] if sixth >> 8 == 0xff => 104,
                _ => 128,
            }
        }
        [0xff, ..] => 16,
        _ if link_local => 64,
        [0, ..] if address.is_unspecified() || address.is_loopback() => 128,
        [0, ..] => 96,
        [0xfc | 0xfd, ..] => 8,
        _ => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(b"a key of thirty-two bytes, or so").unwrap()
    }

    fn common(a: u32, b: u32) -> u32 {
        (a ^ b).leading_zeros()
    }

    #[test]
    fn common_prefixes_stay_as_long_as_they_are() {
        let mut names = pseudonyms();
        let mut map = |address: u32| match names.address(IpAddr::V4(address.into())) {
            IpAddr::V4(v4) => u32::from(v4),
            IpAddr::V6(_) => panic!("another family"),
        };
        let base = u32::from(Ipv4Addr::new(10, 20, 30, 40));
        for bit in 0..24 {
            let other = base ^ (1 << bit);
            assert_eq!(common(map(base), map(other)), common(base, other));
        }
    }

    #[test]
    fn kinds_of_addresses_stay() {
        let mut names = pseudonyms();
        let same = ["224.0.0.251", "255.255.255.255", "127.0.0.1", "0.0.0.0", "ff02::fb", "::1"];
        for address in same {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(names.address(address), address);
        }
        for host in 0..=255 {
            let inside = |name: IpAddr| matches!(name, IpAddr::V4(v4) if v4.is_private());
            assert!(inside(names.address(IpAddr::V4(Ipv4Addr::new(
                172,
                16 | (host & 15),
                9,
                host
            )))));
            assert!(!inside(names.address(IpAddr::V4(Ipv4Addr::new(172, 64 | host, 9, host)))));
            assert!(!inside(names.address(IpAddr::V4(Ipv4Addr::new(11, host, 9, host)))));
        }
    }

    #[test]
    fn the_last_bits_in_a_solicited_node_group_are_hidden() {
        let group: IpAddr = "ff02::1:ff12:3456".parse().unwrap();
        assert_ne!(pseudonyms().address(group), group);
    }

    #[test]
    fn a_directed_broadcast_stays_one() {
        let mut names = pseudonyms();
        let network = names.text("10.1.2.0/24");
        let (base, _) = network.split_once('/').unwrap();
        let broadcast = names.address("10.1.2.255".parse().unwrap()).to_string();
        assert_eq!(broadcast, base.trim_end_matches('0').to_owned() + "255");
        let all: std::collections::BTreeSet<_> = (0..=255)
            .map(|host| names.address(IpAddr::V4(Ipv4Addr::new(10, 1, 2, host))))
            .collect();
        assert_eq!(all.len(), 256);
    }

    #[test]
    fn short_keys_are_refused_and_keys_matter() {
        assert!(Pseudonyms::new(b"short").is_none());
        let other = Pseudonyms::new(b"another key of thirty-two bytes").unwrap();
        assert_ne!(pseudonyms().name("host", "dc-1"), other.name("host", "dc-1"));
    }
}
