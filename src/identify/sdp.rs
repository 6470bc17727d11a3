//! Session description protocol: where media will be received (RFC 4566, RFC 3264).
//!
//! In: a body that may hold a description, alone or as part of a multipart body. Out: the
//! announced endpoints. `m=<media> <port>[/<count>] <proto> <formats>` opens a medium, `c=IN
//! IP4|IP6 <address>` gives the address, before the first `m=` for all and below one for that
//! medium; `a=rtcp:<port> [IN IP4 <address>]` (RFC 3605) and `a=rtcp-mux` (RFC 5761) say where
//! RTCP goes if not to the next port; `a=candidate` (RFC 8839 section 5.1) lists further places.
//! Nothing is announced by a medium with port 0 (rejected) or `$` (to be chosen), by a connection
//! to 0.0.0.0 (on hold), or by a host name.

use std::net::IpAddr;

use super::announcement::{Announcement, Source, Trust};
use super::evidence::{Carriage, End};
use super::protocol::Protocol;

/// Ports of one medium that are followed.
const COUNT_LIMIT: u16 = 8;

/// Announcements of one description.
const LIMIT: usize = 64;

/// Announces the media of the descriptions in a body that one end sent.
pub(super) fn announce(by: End, body: &[u8], out: &mut dyn FnMut(Announcement)) {
    let mut left = LIMIT;
    let mut bounded = |place: Place| {
        if left > 0 {
            left -= 1;
            let Place { protocol, address, carriage, port, trust } = place;
            let (detail, source) = (None, Source::Sdp);
            out(Announcement { protocol, by, address, carriage, port, detail, source, trust });
        }
    };
    let mut session: Option<Session> = None;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(line) = std::str::from_utf8(line) else { continue };
        if line.starts_with("v=0") || line.starts_with("--") {
            // A new description, or the end of a part of a multipart body.
            if let Some(session) = session.take() {
                session.finish(&mut bounded);
            }
            if line.starts_with("v=0") {
                session = Some(Session::default());
            }
        } else if let Some(session) = &mut session
            && let Some((kind, value)) = line.split_once('=')
        {
            session.line(kind, value.trim(), &mut bounded);
        }
    }
    if let Some(session) = session {
        session.finish(&mut bounded);
    }
}

/// An endpoint that a description names.
struct Place {
    protocol: Protocol,
    address: Option<IpAddr>,
    carriage: Carriage,
    port: u16,
    trust: Trust,
}

/// What a connection line says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Connection {
    /// Nothing that can be used: no line, a host name, or on hold.
    #[default]
    Unknown,
    At(IpAddr),
}

impl Connection {
    /// Reads `IN IP4 192.0.2.1[/ttl]`.
    fn parse(value: &str) -> Self {
        let mut words = value.split_ascii_whitespace();
        let (net, family, address) = (words.next(), words.next(), words.next());
        if net != Some("IN") || !matches!(family, Some("IP4" | "IP6")) {
            return Connection::Unknown;
        }
        let address = address.and_then(|text| text.split('/').next()?.parse::<IpAddr>().ok());
        match address {
            Some(address) if !address.is_unspecified() => Connection::At(address),
            _ => Connection::Unknown,
        }
    }
}

/// A description as far as it was read.
#[derive(Debug, Default)]
struct Session {
    connection: Connection,
    medium: Option<Medium>,
}

impl Session {
    fn line(&mut self, kind: &str, value: &str, out: &mut impl FnMut(Place)) {
        match (kind, &mut self.medium) {
            ("m", _) => {
                if let Some(medium) = self.medium.take() {
                    medium.announce(out);
                }
                self.medium = Medium::parse(value, self.connection);
            }
            ("c", Some(medium)) => medium.connection = Connection::parse(value),
            ("c", None) => self.connection = Connection::parse(value),
            ("a", Some(medium)) => medium.attribute(value, out),
            _ => {}
        }
    }

    fn finish(self, out: &mut impl FnMut(Place)) {
        if let Some(medium) = self.medium {
            medium.announce(out);
        }
    }
}

/// Where RTCP of a medium goes.
#[derive(Debug)]
enum Control {
    NextPort,
    SamePort,
    At(u16, Connection),
}

/// A medium as far as its lines were read. One without a port is kept for its attributes to be
/// ignored.
#[derive(Debug)]
struct Medium {
    protocol: Option<Protocol>,
    carriage: Carriage,
    port: u16,
    count: u16,
    connection: Connection,
    control: Control,
}

impl Medium {
    /// Reads `audio 22800/2 RTP/AVP 8 101`.
    fn parse(value: &str, connection: Connection) -> Option<Self> {
        let mut words = value.split_ascii_whitespace().skip(1);
        let port = words.next()?;
        let (port, count) = port.split_once('/').unwrap_or((port, "1"));
        let stack = words.next()?.to_ascii_uppercase();
        let protocol = match stack.as_str() {
            "UDPTL" | "UDP/UDPTL" | "UDP/TLS/UDPTL" => Some(Protocol::T38),
            stack if stack.contains("RTP/") => Some(Protocol::Rtp),
            _ => None,
        };
        let carriage = if stack.starts_with("TCP") { Carriage::Tcp } else { Carriage::Udp };
        let port = port.parse().unwrap_or(0);
        let count = count.parse().unwrap_or(1);
        let control = Control::NextPort;
        Some(Medium { protocol, carriage, port, count, connection, control })
    }

    fn attribute(&mut self, value: &str, out: &mut impl FnMut(Place)) {
        if value == "rtcp-mux" {
            self.control = Control::SamePort;
        } else if let Some(rtcp) = value.strip_prefix("rtcp:") {
            let (port, connection) = rtcp.split_once(' ').unwrap_or((rtcp, ""));
            if let Ok(port) = port.parse() {
                self.control = Control::At(port, Connection::parse(connection));
            }
        } else if let Some(candidate) = value.strip_prefix("candidate:") {
            self.candidate(candidate, out);
        }
    }

    /// Reads `1 1 UDP 2130706431 192.0.2.1 22800 typ host`.
    fn candidate(&self, value: &str, out: &mut impl FnMut(Place)) {
        let mut words = value.split_ascii_whitespace().skip(1);
        let (component, transport) = (words.next(), words.next());
        let (address, port) = (words.nth(1), words.next());
        let protocol = match (component, self.protocol) {
            (Some("1"), Some(protocol)) => protocol,
            (Some("2"), Some(Protocol::Rtp)) => Protocol::Rtcp,
            _ => return,
        };
        let address = address.and_then(|address| address.parse::<IpAddr>().ok());
        let port = port.and_then(|port| port.parse().ok()).filter(|port| *port != 0);
        let udp = transport.is_some_and(|name| name.eq_ignore_ascii_case("udp"));
        if let (true, Some(address), Some(port)) = (udp, address, port) {
            let (carriage, trust) = (Carriage::Udp, Trust::Medium);
            out(Place { protocol, address: Some(address), carriage, port, trust });
        }
    }

    fn announce(&self, out: &mut impl FnMut(Place)) {
        let Some(protocol) = self.protocol.filter(|_| self.port != 0) else { return };
        for number in 0..self.count.clamp(1, COUNT_LIMIT) {
            let Some(port) = self.port.checked_add(2 * number) else { return };
            self.at(protocol, self.connection, port, out);
            let next = port.checked_add(1);
            if let (Protocol::Rtp, Control::NextPort, Some(next)) = (protocol, &self.control, next)
            {
                self.at(Protocol::Rtcp, self.connection, next, out);
            }
        }
        if let Control::At(port, connection) = self.control
            && protocol == Protocol::Rtp
            && port != self.port
            && port != 0
        {
            let own = connection == Connection::Unknown;
            let connection = if own { self.connection } else { connection };
            self.at(Protocol::Rtcp, connection, port, out);
        }
    }

    /// Announces a port at the address given, and at the host that sent the description, whose
    /// address may have been translated on the way.
    fn at(
        &self,
        protocol: Protocol,
        connection: Connection,
        port: u16,
        out: &mut impl FnMut(Place),
    ) {
        let Connection::At(address) = connection else { return };
        let carriage = self.carriage;
        for (address, trust) in [(Some(address), Trust::Strong), (None, Trust::Weak)] {
            out(Place { protocol, address, carriage, port, trust });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Port, protocol and address of the announcements as written.
    fn written(body: &str) -> Vec<(u16, Protocol, String)> {
        let mut found = Vec::new();
        announce(End::A, body.as_bytes(), &mut |announcement| {
            if let Some(address) = announcement.address {
                found.push((announcement.port, announcement.protocol, address.to_string()));
            }
        });
        found
    }

    fn at(port: u16, protocol: Protocol, address: &str) -> (u16, Protocol, String) {
        (port, protocol, address.to_owned())
    }

    /// The example of RFC 4566 section 5.
    #[test]
    fn the_example_of_the_standard() {
        let body = "v=0\r\no=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=SDP Seminar\r\n\
                    c=IN IP4 224.2.17.12/127\r\nt=2873397496 2873404696\r\na=recvonly\r\n\
                    m=audio 49170 RTP/AVP 0\r\nm=video 51372 RTP/AVP 99\r\n\
                    a=rtpmap:99 h263-1998/90000\r\n";
        let expected = [
            at(49170, Protocol::Rtp, "224.2.17.12"),
            at(49171, Protocol::Rtcp, "224.2.17.12"),
            at(51372, Protocol::Rtp, "224.2.17.12"),
            at(51373, Protocol::Rtcp, "224.2.17.12"),
        ];
        assert_eq!(written(body), expected);
    }

    /// Pitfall 21 of the domain reference: port 0, hold and several ports.
    #[test]
    fn rejected_and_held_media_announce_nothing_and_two_ports_are_two() {
        let head = "v=0\r\nc=IN IP4 192.0.2.1\r\n";
        assert_eq!(written(&format!("{head}m=video 0 RTP/AVP 31\r\n")), []);
        assert_eq!(written(&format!("{head}m=audio $ RTP/AVP 0\r\n")), []);
        assert_eq!(written("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 22800 RTP/AVP 0\r\n"), []);
        assert_eq!(written("v=0\r\nc=IN IP4 host.example\r\nm=audio 22800 RTP/AVP 0\r\n"), []);
        let two = written(&format!("{head}m=audio 22810/2 RTP/AVP 0\r\n"));
        let ports: Vec<u16> = two.iter().map(|one| one.0).collect();
        assert_eq!(ports, [22810, 22811, 22812, 22813]);
    }

    /// The second example of RFC 3605 section 2.1, and RFC 5761 section 5.1.1.
    #[test]
    fn rtcp_goes_where_its_attribute_says() {
        let body = "v=0\nc=IN IP4 192.0.2.1\nm=audio 49170 RTP/AVP 0\n\
                    a=rtcp:53020 IN IP6 2001:2345:6789:ABCD:EF01:2345:6789:ABCD\n";
        let expected = [
            at(49170, Protocol::Rtp, "192.0.2.1"),
            at(53020, Protocol::Rtcp, "2001:2345:6789:abcd:ef01:2345:6789:abcd"),
        ];
        assert_eq!(written(body), expected);
        let body = "v=0\nc=IN IP4 192.0.2.1\nm=audio 49170 RTP/AVP 0\na=rtcp-mux\n";
        assert_eq!(written(body), [at(49170, Protocol::Rtp, "192.0.2.1")]);
    }

    #[test]
    fn a_description_in_a_multipart_body_is_found() {
        let body = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nc=IN IP4 192.0.2.7\r\n\
                    m=image 5000 udptl t38\r\n--b\r\n\r\nm=audio 6000 RTP/AVP 0\r\n--b--\r\n";
        assert_eq!(written(body), [at(5000, Protocol::T38, "192.0.2.7")]);
    }

    /// The address of the sender may have been translated, so the same port at the sender itself
    /// is announced too, and trusted less.
    #[test]
    fn the_sender_itself_is_announced_weakly() {
        let mut trusts = Vec::new();
        announce(End::A, b"v=0\nc=IN IP4 10.0.0.1\nm=image 9 udptl t38\n", &mut |announcement| {
            trusts.push((announcement.address.is_some(), announcement.trust));
        });
        assert_eq!(trusts, [(true, Trust::Strong), (false, Trust::Weak)]);
    }
}
