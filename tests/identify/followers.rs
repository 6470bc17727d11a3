//! What real control connections announce, against the flows that the truth table and tshark show
//! to have followed.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use portolan::identify::dcerpc::RpcFollower;
use portolan::identify::ftp::FtpFollower;
use portolan::identify::sccp::SccpFollower;
use portolan::identify::{Announcement, Carriage, End, Follower, Protocol, Source};

use super::assemble::{Conversation, conversations};
use crate::capture::corpus_folder;

/// Protocol, source, host, port and finer fact.
type Said = (Protocol, Source, IpAddr, u16, String);

/// Feeds a whole conversation, in stretches of at most `size` bytes.
fn follow(conversation: &Conversation, follower: &mut dyn Follower, size: usize) -> BTreeSet<Said> {
    let mut said = BTreeSet::new();
    let hosts = [conversation.key.a().address(), conversation.key.b().address()];
    let mut out = |announcement: Announcement| {
        let Announcement { protocol, by, address, port, detail, source, .. } = announcement;
        let host = address.unwrap_or(if by == End::A { hosts[0] } else { hosts[1] });
        said.insert((protocol, source, host, port, detail.map(|d| d.value).unwrap_or_default()));
    };
    for (end, bytes, hole) in conversation.in_order() {
        for (index, part) in bytes.chunks(size).enumerate() {
            follower.feed(end, part, hole && index == 0, &mut out);
        }
    }
    said
}

/// What all conversations of a file announce, however their streams are cut.
fn announced<F: Follower + Default>(folder: &Path, file: &str) -> BTreeSet<Said> {
    let mut said = BTreeSet::new();
    for conversation in conversations(&folder.join(file)) {
        if conversation.carriage == Carriage::Tcp {
            let whole = follow(&conversation, &mut F::default(), usize::MAX);
            for size in [1, 7, 100] {
                assert_eq!(follow(&conversation, &mut F::default(), size), whole, "{file}");
            }
            said.extend(whole);
        }
    }
    said
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// The port mapped for an interface is the one that the next connection goes to.
#[test]
fn the_endpoint_mapper_announces_the_port_of_an_interface() {
    let Some(folder) = corpus_folder() else { return };
    let said = announced::<RpcFollower>(&folder, "protocols/scapy__dcerpc_privacy_krb.pcapng.gz");
    let drsuapi = "e3514235-4b06-11d1-ab04-00c04fc2dcd2".to_owned();
    let server = address("192.168.0.100");
    let mapped = (Protocol::DceRpc, Source::EndpointMapper, server, 49667, drsuapi);
    assert!(said.contains(&mapped), "{said:#?}");
    let bound = |port| (Protocol::DceRpc, Source::BindAcknowledgement, server, port, String::new());
    assert!(said.contains(&bound(135)) && said.contains(&bound(49667)), "{said:#?}");
}

/// Data connections of the truth table, passive and active.
#[test]
fn file_transfer_announces_its_data_connections() {
    let Some(folder) = corpus_folder() else { return };
    let passive = announced::<FtpFollower>(&folder, "protocols/zeek__ftp-ipv4.pcap");
    let active = announced::<FtpFollower>(&folder, "protocols/suricata__bug-4877-input.pcap");
    let data = |host, port| (Protocol::FtpData, Source::Ftp, address(host), port, String::new());
    for port in [56666, 56667] {
        assert!(passive.contains(&data("199.233.217.249", port)), "{passive:#?}");
    }
    for port in [42987, 48902, 52407, 57829] {
        assert!(active.contains(&data("192.168.100.16", port)), "{active:#?}");
    }
}

/// Streams that the truth table calls signalled.
#[test]
fn call_control_announces_the_media_of_calls() {
    let Some(folder) = corpus_folder() else { return };
    let said = announced::<SccpFollower>(&folder, "protocols/ndpi__skinny.pcap");
    let text = std::fs::read_to_string(folder.join("truth.tsv")).expect("the truth table");
    let rows = text.lines().filter(|line| line.starts_with("protocols/ndpi__skinny.pcap"));
    let media = rows.map(|line| line.split('\t').collect::<Vec<_>>());
    let mut compared = 0;
    for row in media.filter(|row| row[21] == "rtp" && row[25].contains("rtp-signalled")) {
        let ends = [(row[6], row[7]), (row[8], row[9])];
        let known = ends.iter().any(|(host, port)| {
            said.iter().any(|(protocol, _, host_said, port_said, _)| {
                *protocol == Protocol::Rtp
                    && *host_said == address(host)
                    && port_said.to_string() == **port
            })
        });
        assert!(known, "{row:?}");
        compared += 1;
    }
    assert!(compared > 0);
}
