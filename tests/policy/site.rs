//! What loaded sites and waivers say.

use ipnet::IpNet;
use portolan::base::{IpProto, Timestamp};
use portolan::judge::model::{HostId, Policy, Set64, Site, WaivedEnd};
use portolan::judge::site::load_site;
use portolan::judge::waiver::load_waivers;

use super::{EXAMPLE_SITE, EXAMPLE_WAIVERS, shipped, sound};

fn loaded(policy: &Policy) -> Site {
    sound(load_site(EXAMPLE_SITE, "site.toml", policy))
}

fn role_names(policy: &Policy, roles: Set64) -> Vec<&str> {
    roles.members().map(|role| policy.roles[usize::from(role)].id.as_str()).collect()
}

#[test]
fn the_example_site_says_what_its_lines_say() {
    let policy = shipped();
    let site = loaded(&policy);
    assert_eq!(site.name, "Example voice-mail site");
    let names: Vec<&str> = site.hosts.iter().map(|host| host.name.as_str()).collect();
    let expected = [
        "unity-1",
        "unity-2",
        "dc-1",
        "exchange-1",
        "exchange-2",
        "cucm-1",
        "phones",
        "workstations",
        "helpdesk",
    ];
    assert_eq!(names, expected);

    let exchange = &site.hosts[3];
    assert_eq!(role_names(&policy, exchange.declared_roles), ["exchange-partner", "exchange-home"]);
    let closed = ["exchange", "exchange-partner", "exchange-home"];
    assert_eq!(role_names(&policy, exchange.roles), closed);
    assert_eq!(site.hosts[4].valid_from, Timestamp::parse("2026-01-10T00:00:00Z"));
    assert_eq!(site.hosts[0].addresses.len(), 2);
    assert_eq!(site.hosts[6].prefixes, ["10.1.20.0/24".parse::<IpNet>().unwrap()]);

    let parameter = |id: &str| {
        let number = policy.parameters.iter().position(|it| it.id == id).unwrap();
        portolan::judge::model::ParameterId(number)
    };
    assert_eq!(site.parameters[&parameter("exchange-static-tcp")].count(), 3);
    assert!(site.parameters[&parameter("exchange-static-udp")].is_empty());
    assert_eq!(site.hosts[1].parameters[&parameter("dcom-range")].to_string(), "5000-5039");

    assert_eq!(site.answers.len(), policy.conditions.len());
    let answer = |id: &str| {
        let number = policy.conditions.iter().position(|it| it.id == id).unwrap();
        let answer = site.answers[&portolan::judge::model::ConditionId(number)];
        policy.conditions[number].answers[answer].as_str()
    };
    assert_eq!(answer("https-admin"), "on");
    assert_eq!(answer("voice-networking"), "none");
}

#[test]
fn relations_are_resolved_to_hosts() {
    let policy = shipped();
    let site = loaded(&policy);
    let facts: Vec<(&str, &[HostId], &[HostId])> = site
        .relations
        .iter()
        .map(|it| (policy.relations[it.relation.0].id.as_str(), &it.of[..], &it.is[..]))
        .collect();
    let pair = [HostId(0), HostId(1)];
    let askers = [HostId(0), HostId(1), HostId(3), HostId(4), HostId(7)];
    let expected: [(&str, &[HostId], &[HostId]); 3] = [
        ("failover-pair", &pair, &pair),
        ("dns-server", &askers, &[HostId(2)]),
        ("mailbox-home", &[HostId(7)], &[HostId(3)]),
    ];
    assert_eq!(facts, expected);
}

#[test]
fn an_address_may_move_between_hosts() {
    let text = "schema = 1
[[host]]
name = \"old\"
addresses = [\"192.0.2.1\"]
valid-until = \"2026-03-01T00:00:00Z\"
[[host]]
name = \"new\"
addresses = [\"192.0.2.1\"]
valid-from = \"2026-03-01T00:00:00Z\"
";
    let policy = shipped();
    assert_eq!(sound(load_site(text, "site.toml", &policy)).hosts.len(), 2);
    let early = text.replace("valid-from = \"2026-03-01T00", "valid-from = \"2026-02-28T23");
    let found = load_site(&early, "site.toml", &policy).unwrap_err();
    assert_eq!(found[0].code.as_str(), "shared-address");
    assert_eq!((found[0].line, found[0].column), (8, 14));
}

#[test]
fn an_empty_site_is_a_site() {
    let site = sound(load_site("schema = 1\n", "site.toml", &shipped()));
    assert!(site.hosts.is_empty() && site.answers.is_empty());
}

#[test]
fn waivers_tell_hosts_from_networks() {
    let policy = shipped();
    let site = loaded(&policy);
    let waivers = sound(load_waivers(EXAMPLE_WAIVERS, "waivers.toml", &policy, &site));
    let [smb, media] = waivers.list.as_slice() else { panic!("{waivers:?}") };
    assert_eq!((smb.id.as_str(), smb.ticket.as_str()), ("W-1", "CHG-4711"));
    let host = |name: &str| {
        let place = site.hosts.iter().position(|host| host.name == name).unwrap();
        WaivedEnd::Host(HostId(place))
    };
    assert_eq!(smb.initiators, [host("exchange-1")]);
    let network = WaivedEnd::Network("10.9.0.0/16".parse::<IpNet>().unwrap());
    assert_eq!(smb.responders, [host("exchange-2"), network]);
    assert_eq!(smb.transport, Some(IpProto::TCP));
    assert_eq!(smb.maximum_flows, Some(200));
    assert!(smb.ports.as_ref().is_some_and(|ports| ports.contains(445) && ports.count() == 1));
    assert_eq!(Some(smb.created), Timestamp::parse("2026-01-05"));
    assert_eq!(Some(smb.expires), Timestamp::parse("2026-06-30T22:00:00Z"));
    assert_eq!(role_names(&policy, media.initiator_roles), ["unity"]);
    assert_eq!(role_names(&policy, media.responder_roles), ["phone"]);
    assert_eq!(media.service.map(|it| policy.services[it.0].id.as_str()), Some("rtp"));
    assert!(media.initiators.is_empty() && media.transport.is_none() && media.ports.is_none());
}
