//! Where the media of a call go, as a call manager and a device tell each other (D2.15).
//!
//! An address has four bytes up to header version 10, and is a family and sixteen bytes from
//! version 11 (hexadecimal) on. Placeholder ports, such as the source in a request to open a
//! channel, are not read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::{Header, look};
use crate::base::Cursor;
use crate::identify::announcement::{Announcement, Follower, Source, Trust};
use crate::identify::framing::Framing;
use crate::identify::{Carriage, End, Protocol};

/// Longest message kept.
const LONGEST: usize = 16_384 + 8;

/// First header version with the long form of addresses.
const LONG_ADDRESSES: u32 = 0x11;

/// Reads the messages that carry a media address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SccpFollower {
    a: Framing,
    b: Framing,
}

impl Default for SccpFollower {
    fn default() -> Self {
        SccpFollower { a: Framing::new(LONGEST), b: Framing::new(LONGEST) }
    }
}

impl Follower for SccpFollower {
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
        framing.feed(bytes, look, &mut |header: Header, message: &[u8]| {
            let Some((address, port)) = media(header, message) else { return };
            for (protocol, port) in
                [(Protocol::Rtp, Some(port)), (Protocol::Rtcp, port.checked_add(1))]
            {
                let Some(port) = port else { continue };
                out(Announcement {
                    protocol,
                    by: end,
                    address: Some(address),
                    carriage: Carriage::Udp,
                    port,
                    detail: None,
                    source: Source::Sccp,
                    trust: Trust::Strong,
                });
            }
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

/// The media address in a message.
fn media(header: Header, message: &[u8]) -> Option<(IpAddr, u16)> {
    let mut cursor = Cursor::new(message);
    cursor.skip(12)?;
    match header.message {
        // Open receive channel acknowledged: status, address.
        0x22 => (cursor.u32_le()? == 0).then_some(())?,
        // Start media transmission: conference, party, address.
        0x8a => cursor.skip(8)?,
        // Start media transmission acknowledged: conference, party, call, address, status.
        0x154 => cursor.skip(12)?,
        _ => return None,
    }
    let address = address(header.version, &mut cursor)?;
    let port = u16::try_from(cursor.u32_le()? & 0xffff).ok()?;
    if header.message == 0x154 && cursor.u32_le()? != 0 {
        return None;
    }
    (port >= 1024 && !address.is_unspecified()).then_some((address, port))
}

/// An address in the form of the header version.
fn address(version: u32, cursor: &mut Cursor<'_>) -> Option<IpAddr> {
    if version < LONG_ADDRESSES {
        return Some(IpAddr::V4(Ipv4Addr::from(cursor.array::<4>()?)));
    }
    let family = cursor.u32_le()?;
    let bytes = cursor.array::<16>()?;
    let [a, b, c, d, ..] = bytes;
    match family {
        0 => Some(IpAddr::V4(Ipv4Addr::from([a, b, c, d]))),
        1 => Some(IpAddr::V6(Ipv6Addr::from(bytes))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(stream: &[u8]) -> Vec<(IpAddr, u16)> {
        let mut announced = Vec::new();
        let mut follower = SccpFollower::default();
        for byte in stream.chunks(1) {
            follower.feed(End::A, byte, false, &mut |found| {
                announced.push((found.address.unwrap(), found.port));
            });
        }
        announced
    }

    /// Open receive channel acknowledged, version 14, as a real phone sent it (domain reference
    /// section 2.15).
    #[test]
    fn the_long_form_of_an_address() {
        let mut message = vec![0x28, 0, 0, 0, 0x14, 0, 0, 0, 0x22, 0, 0, 0];
        message.extend([0; 8]);
        message.extend([0xc0, 0xa8, 0xc3, 0x3a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        message.extend([0x90, 0x7d, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]);
        let phone = "192.168.195.58".parse().unwrap();
        assert_eq!(announced(&message), [(phone, 32144), (phone, 32145)]);
    }

    /// Start media transmission in the short form: address at 20, port at 24.
    #[test]
    fn the_short_form_and_refusals() {
        let mut message = vec![28, 0, 0, 0, 0x0b, 0, 0, 0, 0x8a, 0, 0, 0];
        message.extend([0; 8]);
        message.extend([10, 0, 0, 7, 0x10, 0x59, 0, 0, 20, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(announced(&message)[0], ("10.0.0.7".parse().unwrap(), 0x5910));
        message[8] = 0x22;
        message[12] = 1;
        assert!(announced(&message).is_empty(), "a status other than 0 opens nothing");
        message[8] = 0x05;
        message[9] = 0x01;
        assert!(announced(&message).is_empty(), "a request names a placeholder");
    }
}
