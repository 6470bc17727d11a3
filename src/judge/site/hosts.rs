//! The hosts of a site file: their addresses, roles and validity. Raw entries go in, hosts come
//! out; an address or prefix that two hosts claim at the same time is a fault.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;

use super::load::Loader;
use super::raw::{RawHost, RawSite};
use crate::base::Timestamp;
use crate::judge::diagnostic::{Code, Problems};
use crate::judge::document::At;
use crate::judge::model::{Host, Site};
use crate::judge::names::Names;

/// Adds the hosts of the file to the site and their names to `names`.
pub(crate) fn add_hosts(
    raw: &RawSite,
    loader: &mut Loader<'_>,
    names: &mut Names,
    site: &mut Site,
) {
    let mut addresses = Vec::new();
    let mut prefixes = Vec::new();
    for raw in &raw.host {
        let defined = names.define(&raw.name, loader.problems);
        let host = host(raw, loader);
        claim(&raw.addresses, &host, address, &mut addresses);
        claim(&raw.prefixes, &host, prefix, &mut prefixes);
        if defined.is_some() {
            site.hosts.push(host);
        }
    }
    refuse_shared(addresses, Code::SharedAddress, "address", loader.problems);
    refuse_shared(prefixes, Code::SharedPrefix, "prefix", loader.problems);
}

fn host(raw: &RawHost, loader: &mut Loader<'_>) -> Host {
    let declared_roles = loader.names.role_set(&raw.roles, loader.problems);
    let mut roles = declared_roles;
    for member in declared_roles.members() {
        if let Some(role) = loader.policy.roles.get(usize::from(member)) {
            roles.insert_all(role.closure);
        }
    }
    if raw.addresses.is_empty() && raw.prefixes.is_empty() {
        let message = format!("host `{}` has neither address nor prefix", raw.name.value);
        let help = "add `addresses = [\"192.0.2.1\"]` or `prefixes = [\"192.0.2.0/24\"]`";
        loader.problems.report(Code::HostWithoutAddress, raw.name.span.clone(), message, help);
    }
    let (valid_from, valid_until) = interval(
        raw.valid_from.as_ref(),
        raw.valid_until.as_ref(),
        ["valid-from", "valid-until"],
        loader.problems,
    );
    Host {
        name: raw.name.value.clone(),
        addresses: addresses(&raw.addresses, loader.problems),
        prefixes: prefixes(&raw.prefixes, loader.problems),
        roles,
        declared_roles,
        attributes: loader.names.attribute_set(&raw.attributes, loader.problems),
        parameters: loader.parameters(&raw.parameters, true),
        valid_from,
        valid_until,
    }
}

/// Addresses from text; faults are reported and left out.
pub(crate) fn addresses(raw: &[At<String>], problems: &mut Problems) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for text in raw {
        match address(&text.value) {
            Some(address) => found.push(address),
            None => {
                let message = format!("`{}` is not an IP address", text.value);
                let help = match prefix(&text.value) {
                    Some(_) => "a prefix belongs into `prefixes`",
                    None => "write one as \"192.0.2.1\" or \"2001:db8::1\"; names are not resolved",
                };
                problems.report(Code::InvalidAddress, text.span.clone(), message, help);
            }
        }
    }
    found
}

/// Prefixes from text; faults are reported and left out.
pub(crate) fn prefixes(raw: &[At<String>], problems: &mut Problems) -> Vec<IpNet> {
    let mut found = Vec::new();
    for text in raw {
        match text.value.parse::<IpNet>() {
            Ok(net) if net == net.trunc() => found.push(net),
            Ok(net) => {
                let message = format!("`{}` has bits set behind its length", text.value);
                let help = format!("write \"{}\"", net.trunc());
                problems.report(Code::InvalidPrefix, text.span.clone(), message, help);
            }
            Err(_) => {
                let message = format!("`{}` is not a prefix", text.value);
                let help = "write one as \"192.0.2.0/24\" or \"2001:db8::/64\"";
                problems.report(Code::InvalidPrefix, text.span.clone(), message, help);
            }
        }
    }
    found
}

/// An address from text, IPv4 where it is IPv4 in IPv6 notation.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A prefix from text, if its host bits are clear.
pub(crate) fn prefix(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().filter(|net| *net == net.trunc())
}

/// The two ends of an interval from text, `keys` being their names. An end that is absent or no
/// time is `None`; an interval that ends before it begins is a fault.
pub(crate) fn interval(
    from: Option<&At<String>>,
    until: Option<&At<String>>,
    keys: [&str; 2],
    problems: &mut Problems,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let [from_key, until_key] = keys;
    let start = from.and_then(|text| time(text, problems));
    let end = until.and_then(|text| time(text, problems));
    if let (Some(start), Some(end), Some(until)) = (start, end, until)
        && end <= start
    {
        let message = format!("`{until_key}` is not after `{from_key}`");
        let help = format!("put `{until_key}` later; it is exclusive");
        problems.report(Code::ReversedInterval, until.span.clone(), message, help);
    }
    (start, end)
}

fn time(text: &At<String>, problems: &mut Problems) -> Option<Timestamp> {
    let time = Timestamp::parse(&text.value);
    if time.is_none() {
        let message = format!("`{}` is not a date or time", text.value);
        let help = "write \"2026-03-02\" or \"2026-03-02T22:00:00Z\" (RFC 3339)";
        problems.report(Code::InvalidTime, text.span.clone(), message, help);
    }
    time
}

/// An address or prefix that a host claims for a time.
struct Claim<T> {
    what: T,
    span: Range<usize>,
    host: String,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

fn claim<T>(
    raw: &[At<String>],
    host: &Host,
    parse: impl Fn(&str) -> Option<T>,
    claims: &mut Vec<Claim<T>>,
) {
    for text in raw {
        if let Some(what) = parse(&text.value) {
            claims.push(Claim {
                what,
                span: text.span.clone(),
                host: host.name.clone(),
                from: host.valid_from,
                until: host.valid_until,
            });
        }
    }
}

/// Whether two validity intervals share a moment; an open end reaches for ever.
fn overlap<T>(a: &Claim<T>, b: &Claim<T>) -> bool {
    let before = |until: Option<Timestamp>, from: Option<Timestamp>| match (until, from) {
        (Some(until), Some(from)) => until <= from,
        _ => false,
    };
    !before(a.until, b.from) && !before(b.until, a.from)
}

fn refuse_shared<T: Ord + Display>(
    mut claims: Vec<Claim<T>>,
    code: Code,
    what: &str,
    problems: &mut Problems,
) {
    claims.sort_by(|a, b| a.what.cmp(&b.what).then(a.span.start.cmp(&b.span.start)));
    for same in claims.chunk_by(|a, b| a.what == b.what) {
        for (index, later) in same.iter().enumerate() {
            let earlier = same.iter().take(index).find(|earlier| overlap(earlier, later));
            if let Some(earlier) = earlier {
                let message =
                    format!("{what} {} is already that of `{}`", later.what, earlier.host);
                let help = format!(
                    "the other one stands in {}; keep one, or part them with `valid-from` and `valid-until`",
                    problems.place(earlier.span.start)
                );
                problems.report(code, later.span.clone(), message, help);
            }
        }
    }
}
