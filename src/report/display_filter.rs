//! Display filters of Wireshark that select the flows a finding shows.
//!
//! In: flows and where their five-tuples were used again. Out: an expression that tshark 3.6 and
//! later take, over the packets of any input; for flows without ports 4.0. It names what tshark
//! itself decodes: what tshark cannot read, no filter of it selects.

use std::fmt::Write;
use std::net::IpAddr;

use super::uses::{Start, Uses};
use crate::base::{Endpoint, IpProto, Timestamp};
use crate::decode::{DatagramId, Direction, FlowKey};
use crate::judge::JudgedFlow;

/// The filter for some flows, and for the fragments of their datagrams where these are known;
/// empty without flows.
pub(super) fn display_filter<'a>(
    flows: impl Iterator<Item = &'a JudgedFlow>,
    fragments: &[DatagramId],
    uses: &Uses,
) -> String {
    let mut clauses: Vec<String> = Vec::new();
    for clause in flows.map(|flow| of_flow(flow, uses)).chain(fragments.iter().map(of_fragments)) {
        if !clauses.contains(&clause) {
            clauses.push(clause);
        }
    }
    match clauses.as_slice() {
        [one] => one.clone(),
        several => {
            let several: Vec<_> = several.iter().map(|clause| format!("({clause})")).collect();
            several.join(" || ")
        }
    }
}

fn of_flow(flow: &JudgedFlow, uses: &Uses) -> String {
    let key = &flow.record.key;
    if let Some(notice) = flow.record.icmp.as_ref().filter(|_| flow.is_hearsay()) {
        let (from, to) = (key.sender(notice.direction), key.receiver(notice.direction));
        // An error that went to whoever sent the packet it quotes.
        let (version, icmp) = versions(&from);
        let quoted = travel(&from, &to, key.protocol(), false);
        return format!("{icmp} && {version}.dst == {} && {quoted}", from.address());
    }
    let is_icmp = matches!(key.protocol(), IpProto::ICMP | IpProto::ICMPV6);
    let ways = [Direction::AToB, Direction::BToA]
        .map(|way| travel(&key.sender(way), &key.receiver(way), key.protocol(), is_icmp));
    let [there, back] = &ways;
    let mut clause = match there == back || flow.record.half(Direction::BToA).packets == 0 {
        true => there.clone(),
        false if flow.record.half(Direction::AToB).packets == 0 => back.clone(),
        false => format!("(({there}) || ({back}))"),
    };
    if !is_icmp {
        clause.push_str(no_quotes(key));
    }
    let (from, before) = uses.bounds(&flow.record);
    for (comparison, bound) in [(">=", from), ("<", before)] {
        if let Some(Start { time, .. }) = bound {
            // Writing to a string cannot fail.
            let _ = write!(clause, " && frame.time_epoch {comparison} {}", epoch(time));
        }
    }
    clause
}

/// Leaves out the ICMP errors that quote packets of a flow. A tunnel may carry other ICMP messages.
fn no_quotes(key: &FlowKey) -> &'static str {
    let tunnel = key.a().port() == 0 || key.b().port() == 0;
    match (versions(&key.a()).0, tunnel) {
        ("ip", false) => " && !icmp",
        ("ip", true) => " && !(icmp.type in {3..5, 11..12})",
        (_, false) => " && !icmpv6",
        (_, true) => " && !(icmpv6.type in {1..4})",
    }
}

/// Packets on the way between two ends. `outermost`: by the first IP header of the packet, not by
/// one that is quoted.
fn travel(from: &Endpoint, to: &Endpoint, protocol: IpProto, outermost: bool) -> String {
    let (version, _) = versions(from);
    let layer = if outermost { "#1" } else { "" };
    let mut clause = format!(
        "{version}.src{layer} == {} && {version}.dst{layer} == {}",
        from.address(),
        to.address()
    );
    let ports = match protocol {
        IpProto::TCP => "tcp",
        IpProto::UDP => "udp",
        IpProto::SCTP => "sctp",
        other => {
            clause.push_str(&format!(" && {}", named(other, version)));
            return clause;
        }
    };
    // A tunnel over UDP has no source port of its own.
    for (side, port) in [("srcport", from.port()), ("dstport", to.port())] {
        if port != 0 {
            clause.push_str(&format!(" && {ports}.{side} == {port}"));
        }
    }
    clause
}

/// A protocol without ports, as tshark names it.
fn named(protocol: IpProto, version: &str) -> String {
    match protocol {
        IpProto::ICMP => "icmp".to_owned(),
        IpProto::ICMPV6 => "icmpv6".to_owned(),
        IpProto::IGMP => "igmp".to_owned(),
        IpProto(number) if version == "ip" => format!("ip.proto == {number}"),
        IpProto(47) => "gre".to_owned(),
        IpProto(50) => "esp".to_owned(),
        IpProto(51) => "ah".to_owned(),
        IpProto(89) => "ospf".to_owned(),
        IpProto(103) => "pim".to_owned(),
        IpProto(112) => "vrrp".to_owned(),
        IpProto(number) => format!("ipv6.nxt == {number}"),
    }
}

/// The fragments of a datagram. tshark shows ports in the one that completes it alone.
fn of_fragments(datagram: &DatagramId) -> String {
    let (source, destination) = (datagram.source.address(), datagram.destination.address());
    let identification = datagram.identification;
    match source {
        IpAddr::V4(_) => format!(
            "ip.src == {source} && ip.dst == {destination} && ip.proto == {} && \
             ip.id == {identification:#06x} && (ip.flags.mf == 1 || ip.frag_offset > 0)",
            datagram.protocol.0
        ),
        IpAddr::V6(_) => format!(
            "ipv6.src == {source} && ipv6.dst == {destination} && \
             ipv6.fraghdr.ident == {identification:#010x}"
        ),
    }
}

/// The names of the IP version of an address, and of its error messages.
fn versions(end: &Endpoint) -> (&'static str, &'static str) {
    match end.address() {
        IpAddr::V4(_) => ("ip", "icmp"),
        IpAddr::V6(_) => ("ipv6", "icmpv6"),
    }
}

/// Seconds since 1970 with nanoseconds.
fn epoch(time: Timestamp) -> String {
    let nanos = time.nanos();
    let sign = if nanos < 0 { "-" } else { "" };
    format!(
        "{sign}{}.{:09}",
        nanos.unsigned_abs() / 1_000_000_000,
        nanos.unsigned_abs() % 1_000_000_000
    )
}
