//! What a waiver accepts, to the moment and to the port.

use super::messages::rtp;
use super::*;
use crate::runs::text;

/// The site with one waiver.
fn waiving(dates: &str, matcher: &str) -> Rules {
    Rules::at(SITE).waiving(&format!(
        "schema = 1\n[[waiver]]\nid = \"W\"\nowner = \"o\"\nreason = \"r\"\n{dates}\n\
         [waiver.match]\n{matcher}\n"
    ))
}

const ALWAYS: &str = "created = \"2026-01-01\"\nexpires = \"2027-01-01\"";

fn speech(port: u16) -> Vec<Vec<u8>> {
    let datagram = |number| frames::udp((UNITY1, PHONE1), (23_000, port), &rtp(0, number, 7));
    (1..20).map(datagram).collect()
}

/// What a flow speaks is more than its port: the waiver of the documentation is for media on
/// other ports than the document names.
#[test]
fn a_service_is_what_is_spoken() {
    assert!(text("docs/examples/waivers.toml").contains("service = \"rtp\""));
    let media = waiving(ALWAYS, "responder-roles = [\"phone\"]\nservice = \"rtp\"");
    assert_eq!(judged(&speech(17_000)).verdict(17_000)[0], "violation");
    assert_eq!(judged_at(&media, &speech(17_000)).verdict(17_000)[0], "waived");
    // A shell on the port of the directory is no directory.
    let directory = waiving(ALWAYS, "responders = [\"10.0.0.21\"]\nservice = \"ldap\"");
    let hosts = (UNITY1, GC1);
    let shell = frames::tcp(hosts, (50_001, 389), 1001, 1, 0x18, b"SSH-2.0-OpenSSH_9.6\r\n");
    let answer = frames::tcp((GC1, UNITY1), (389, 50_001), 1, 1022, 0x18, b"SSH-2.0-dropbear\r\n");
    let run = judged_at(&directory, &[shell, answer]);
    assert_eq!(run.verdict(389)[0..2], ["violation", "protocol-mismatch"]);
}

#[test]
fn a_waiver_ends_with_the_moment_before_it_expires() {
    // The first flow begins at 2026-03-02T22:02:00Z.
    let connection = connection(GC1, UNITY1, 445);
    for (expires, verdict) in [
        ("2026-03-02T22:02:00Z", "violation"),
        ("2026-03-02T22:02:00.000000001Z", "waived"),
        ("2026-03-02", "violation"),
        ("2026-03-03", "waived"),
    ] {
        let dates = format!("created = \"2026-01-01\"\nexpires = \"{expires}\"");
        let run = judged_at(&waiving(&dates, "ports = \"445\""), &connection);
        assert_eq!(run.verdict(445)[0], verdict, "{expires}");
    }
    let later = "created = \"2026-03-03\"\nexpires = \"2027-01-01\"";
    let run = judged_at(&waiving(later, "ports = \"445\""), &connection);
    assert_eq!(run.verdict(445)[0], "violation");
}
