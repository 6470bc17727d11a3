//! The data connections that an FTP control connection announces: `PORT` and `EPRT` by the client,
//! replies 227 and 229 by the server (RFC 959 section 4.1.2, RFC 2428 sections 2 and 3).

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::identify::announcement::{Announcement, Follower, Source, Trust};
use crate::identify::framing::Framing;
use crate::identify::messages::Look;
use crate::identify::text::{begins_with, line};
use crate::identify::{Carriage, End, Protocol};

/// Longest line kept.
const LONGEST: usize = 1024;

/// Reads the lines that announce a data connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FtpFollower {
    a: Framing,
    b: Framing,
}

impl Default for FtpFollower {
    fn default() -> Self {
        FtpFollower { a: Framing::new(LONGEST), b: Framing::new(LONGEST) }
    }
}

fn look(bytes: &[u8]) -> Look<()> {
    match line(bytes) {
        Look::Fits { length, .. } => Look::Fits { length, what: () },
        Look::Open => Look::Open,
        Look::Differs => Look::Differs,
    }
}

impl Follower for FtpFollower {
    fn feed(
        &mut self,
        end: End,
        bytes: &[u8],
        at_message_start: bool,
        out: &mut dyn FnMut(Announcement),
    ) {
        let framing = match end {
            End::A => &mut self.a,
            End::B => &mut self.b,
        };
        if at_message_start {
            framing.restart();
        }
        framing.feed(bytes, look, &mut |(), line: &[u8]| {
            let Some((address, port)) = data_connection(line) else { return };
            out(Announcement {
                protocol: Protocol::FtpData,
                by: end,
                address,
                carriage: Carriage::Tcp,
                port,
                detail: None,
                source: Source::Ftp,
                trust: Trust::Medium,
            });
        });
    }

    fn gap(&mut self, end: End, missing: usize) {
        match end {
            End::A => self.a.gap(missing, look),
            End::B => self.b.gap(missing, look),
        }
    }

    fn weight(&self) -> usize {
        self.a.weight() + self.b.weight()
    }
}

/// The address and port in a line that announces one; no address where it is the sender's.
fn data_connection(line: &[u8]) -> Option<(Option<IpAddr>, u16)> {
    let text = str::from_utf8(line).ok()?.trim_ascii_end();
    let is = |word: &[u8]| begins_with(line, word) == Some(true);
    let (address, port) = if is(b"PORT ") {
        six_numbers(text.get(5..)?)?
    } else if is(b"227 ") {
        let open = text.find('(').map_or(4, |at| at + 1);
        six_numbers(text.get(open..)?)?
    } else if is(b"EPRT ") {
        extended(text.get(5..)?)?
    } else if is(b"229 ") {
        extended(text.get(text.find('(')? + 1..)?)?
    } else {
        return None;
    };
    (port != 0).then_some((address, port))
}

/// `h1,h2,h3,h4,p1,p2`.
fn six_numbers(text: &str) -> Option<(Option<IpAddr>, u16)> {
    let numbers = text.trim_matches(|c: char| !c.is_ascii_digit());
    let mut bytes = [0_u8; 6];
    let mut parts = numbers.splitn(6, ',');
    for byte in &mut bytes {
        let part = parts.next()?.trim();
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        *byte = part.get(..digits)?.parse().ok()?;
    }
    let [a, b, c, d, high, low] = bytes;
    let address = Ipv4Addr::new(a, b, c, d);
    let address = (!address.is_unspecified()).then_some(IpAddr::V4(address));
    Some((address, u16::from_be_bytes([high, low])))
}

/// `|family|address|port|` with any delimiter; family and address may be empty.
fn extended(text: &str) -> Option<(Option<IpAddr>, u16)> {
    let delimiter = text.chars().next().filter(|c| !c.is_ascii_alphanumeric())?;
    let mut fields = text.split(delimiter).skip(2);
    let address = fields.next()?;
    let port = fields.next()?.parse().ok()?;
    let address = if address.is_empty() { None } else { Some(address.parse().ok()?) };
    Some((address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of RFC 959 and RFC 2428, and a reply without brackets.
    #[test]
    fn announcements_of_every_form() {
        let host = Some("132.235.1.2".parse().unwrap());
        let announced = [
            ("PORT 132,235,1,2,24,131\r\n", Some((host, 6275))),
            ("227 Entering Passive Mode (132,235,1,2,24,131).\r\n", Some((host, 6275))),
            ("227 =132,235,1,2,24,131\r\n", Some((host, 6275))),
            ("EPRT |1|132.235.1.2|6275|\r\n", Some((host, 6275))),
            (
                "EPRT |2|1080::8:800:200C:417A|5282|\r\n",
                Some((Some("1080::8:800:200c:417a".parse().unwrap()), 5282)),
            ),
            ("229 Entering Extended Passive Mode (|||6446|)\r\n", Some((None, 6446))),
            ("227 no numbers\r\n", None),
            ("PORT 1,2,3,4,256,1\r\n", None),
            ("PORT 1,2,3,4,0,0\r\n", None),
            ("200 PORT command successful\r\n", None),
        ];
        for (line, wanted) in announced {
            assert_eq!(data_connection(line.as_bytes()), wanted, "{line}");
        }
    }
}
