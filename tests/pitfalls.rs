//! Ways to a wrong verdict, and the right one: the numbered pitfalls of the domain. Each is a
//! handful of frames made by hand and judged at one site.

mod counted;
mod judged;
pub mod messages;
mod recognised;
mod trusted;
mod waived;

use std::sync::LazyLock;

use crate::frames::{self, Hosts};
use crate::runs::{Rules, Run, check_frames};

/// A pair of Unity servers and the hosts around them, every qualifier stated.
const SITE: &str = r#"
schema = 1
[site]
subnets = ["10.0.0.0/24"]
[parameters]
exchange-static-tcp = "6500"
exchange-static-udp = ""
[conditions]
failover = "yes"
sccp = "yes"
sip = "yes"
web-admin = "yes"
https-admin = "on"
https-pca = "on"
rdp = "yes"
vnc = "yes"
pca = "yes"
viewmail = "yes"
mailboxes-elsewhere = "yes"
exchange-aware-firewall = "no"

[[host]]
name = "unity1"
addresses = ["10.0.0.1", "fd00::1"]
roles = ["unity"]
attributes = ["secondary"]
[[host]]
name = "unity2"
addresses = ["10.0.0.2"]
roles = ["unity"]
attributes = ["primary"]
[[host]]
name = "dc1"
addresses = ["10.0.0.11", "fd00::11"]
roles = ["domain-controller"]
attributes = ["monitored-by-unity"]
[[host]]
name = "dc2"
addresses = ["10.0.0.12"]
roles = ["domain-controller"]
[[host]]
name = "gc1"
addresses = ["10.0.0.21"]
roles = ["global-catalog"]
attributes = ["monitored-by-unity"]
[[host]]
name = "gc2"
addresses = ["10.0.0.22"]
roles = ["global-catalog"]
attributes = ["mapi-gc"]
[[host]]
name = "exch1"
addresses = ["10.0.0.31"]
roles = ["exchange-partner", "exchange-voice-connector"]
[[host]]
name = "exch2"
addresses = ["10.0.0.32"]
roles = ["exchange-home", "global-catalog"]
[[host]]
name = "phones"
prefixes = ["10.0.1.0/24"]
roles = ["phone"]
[[host]]
name = "cucm1"
addresses = ["10.0.1.10"]
roles = ["cucm"]
[[host]]
name = "pimg1"
addresses = ["10.0.0.51"]
roles = ["sip-endpoint"]
[[host]]
name = "ws1"
addresses = ["10.0.0.61"]
roles = ["subscriber-workstation"]
attributes = ["uses-pca", "uses-viewmail"]
[[host]]
name = "admin1"
addresses = ["10.0.0.71"]
roles = ["admin-workstation", "vnc-client"]
[[relation]]
type = "failover-pair"
members = ["unity1", "unity2"]
[[relation]]
type = "mailbox-home"
of = ["ws1"]
is = ["exch2"]
"#;

const UNITY1: [u8; 4] = [10, 0, 0, 1];
const UNITY2: [u8; 4] = [10, 0, 0, 2];
const DC1: [u8; 4] = [10, 0, 0, 11];
const GC1: [u8; 4] = [10, 0, 0, 21];
const EXCH1: [u8; 4] = [10, 0, 0, 31];
const EXCH2: [u8; 4] = [10, 0, 0, 32];
const PIMG1: [u8; 4] = [10, 0, 0, 51];
const WS1: [u8; 4] = [10, 0, 0, 61];
const ADMIN1: [u8; 4] = [10, 0, 0, 71];
const CUCM1: [u8; 4] = [10, 0, 1, 10];
const PHONE1: [u8; 4] = [10, 0, 1, 21];
const STRANGER: [u8; 4] = [192, 0, 2, 77];

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const PUSH: u8 = 0x18;
const FIN: u8 = 0x11;
const RST: u8 = 0x04;

const SECOND: i64 = 1_000_000_000;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::at(SITE));

/// Judges frames that begin two minutes into a capture and come one tenth of a second apart.
fn judged(frames: &[Vec<u8>]) -> Run {
    judged_at(&RULES, frames)
}

/// The same at another site. An ARP frame begins the capture, so that what follows did not begin
/// before it.
fn judged_at(rules: &Rules, frames: &[Vec<u8>]) -> Run {
    let start = 1_772_488_800 * SECOND;
    let mut packets = vec![(start, frames::arp())];
    let times = (1_200..).map(|tenth| start + tenth * SECOND / 10);
    packets.extend(times.zip(frames.iter().cloned()));
    check_frames(&packets, rules)
}

/// A complete connection with data both ways.
fn connection(from: [u8; 4], to: [u8; 4], port: u16) -> Vec<Vec<u8>> {
    connection_of(from, to, (50_001, port), 1000)
}

fn connection_of(from: [u8; 4], to: [u8; 4], ports: (u16, u16), isn: u32) -> Vec<Vec<u8>> {
    let (there, back) = ((from, to), (to, from));
    let (up, down) = (ports, (ports.1, ports.0));
    vec![
        frames::tcp(there, up, isn, 0, SYN, b""),
        frames::tcp(back, down, 9000, isn + 1, SYN_ACK, b""),
        frames::tcp(there, up, isn + 1, 9001, ACK, b""),
        frames::tcp(there, up, isn + 1, 9001, PUSH, b"question"),
        frames::tcp(back, down, 9001, isn + 9, PUSH, b"answer"),
        frames::tcp(there, up, isn + 9, 9007, FIN, b""),
        frames::tcp(back, down, 9007, isn + 10, FIN, b""),
        frames::tcp(there, up, isn + 10, 9008, ACK, b""),
    ]
}

fn exchange(hosts: Hosts, ports: (u16, u16)) -> Vec<Vec<u8>> {
    let (from, to) = hosts;
    vec![
        frames::udp((from, to), ports, b"question"),
        frames::udp((to, from), (ports.1, ports.0), b"answer"),
    ]
}

/// Names of the rows behind the only flow to a responder port.
fn rows(run: &Run, port: u16) -> Vec<String> {
    let mut lines = run.lines.iter().filter(|line| line.dst_port == port);
    let line = lines.next().unwrap_or_else(|| panic!("no flow to port {port}"));
    assert!(lines.next().is_none(), "several flows to port {port}");
    line.rules.clone()
}

fn state(run: &Run, port: u16) -> &'static str {
    run.to_port(port).judgement.state.name()
}

/// A test for each number.
#[test]
fn every_pitfall_has_a_test() {
    let sources = ["counted", "judged", "recognised"]
        .map(|name| crate::runs::text(&format!("tests/pitfalls/{name}.rs")));
    for number in 1..=52 {
        let name = format!("fn pitfall_{number:02}_");
        assert!(sources.iter().any(|text| text.contains(&name)), "pitfall {number}");
    }
}
