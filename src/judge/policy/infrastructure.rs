//! Rows of infrastructure packs: traffic that every network carries and that no port matrix
//! lists. Raw entries go in, validated rows come out.

use super::raw::{RawDestination, RawMatch, RawPolicy};
use super::rows::transport;
use super::vocabulary::{Vocabulary, demand_text, ports};
use crate::base::IpProto;
use crate::judge::diagnostic::{Code, Problems};
use crate::judge::document::At;
use crate::judge::model::{Destination, InfrastructureMatch, InfrastructureRow, PackId, Policy};

/// Adds the infrastructure rows of one pack to the policy.
pub(crate) fn add_infrastructure(
    raw: &RawPolicy,
    pack: PackId,
    names: &mut Vocabulary,
    policy: &mut Policy,
    problems: &mut Problems,
) {
    for raw in &raw.infrastructure {
        demand_text(&raw.title, "title", problems);
        let matches = matched(&raw.matches, problems);
        if names.infrastructure.define(&raw.id, problems).is_none() {
            continue;
        }
        if let Some(matches) = matches {
            policy.infrastructure.push(InfrastructureRow {
                id: raw.id.value.clone(),
                pack,
                title: raw.title.value.clone(),
                matches,
                to: destination(raw.matches.value.to),
                informational: raw.informational,
            });
        }
    }
}

fn matched(raw: &At<RawMatch>, problems: &mut Problems) -> Option<InfrastructureMatch> {
    let RawMatch { non_ip, ip_protocol, transport: by_transport, from_port, port, to: _ } =
        &raw.value;
    match (non_ip, ip_protocol, by_transport, port) {
        (Some(name), None, None, None) => Some(InfrastructureMatch::NonIp(name.clone())),
        (None, Some(name), None, None) => {
            ip_protocol_number(name, problems).map(InfrastructureMatch::IpProtocol)
        }
        (None, None, Some(by_transport), Some(port)) => {
            let transport = transport(*by_transport);
            let from = from_port.as_ref().map(|text| ports(text, problems));
            if from == Some(None) {
                return None;
            }
            ports(port, problems).map(|ports| InfrastructureMatch::Ports {
                transport,
                from: from.flatten(),
                ports,
            })
        }
        _ => {
            let message = "the match must name one kind of traffic";
            let help = "write `non-ip`, or `ip-protocol`, or `transport` together with `port`";
            problems.report(Code::InvalidMatch, raw.span.clone(), message, help);
            None
        }
    }
}

fn ip_protocol_number(name: &At<String>, problems: &mut Problems) -> Option<IpProto> {
    let by_keyword = || (0..=u8::MAX).map(IpProto).find(|it| it.name() == Some(&name.value));
    let found = name.value.parse().ok().map(IpProto).or_else(by_keyword);
    if found.is_none() {
        let message = format!("`{}` is not an IP protocol", name.value);
        let help = "write its number: \"89\" for OSPF";
        problems.report(Code::InvalidMatch, name.span.clone(), message, help);
    }
    found
}

fn destination(raw: RawDestination) -> Destination {
    match raw {
        RawDestination::Any => Destination::Any,
        RawDestination::Broadcast => Destination::Broadcast,
        RawDestination::Multicast => Destination::Multicast,
        RawDestination::Group => Destination::Group,
    }
}
