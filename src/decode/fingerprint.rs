//! By what two copies of one packet are known.
//!
//! A mirror port shows a packet when it enters and again when it leaves, a router shows it on
//! both sides. The copies differ in everything outside the innermost IP header, and behind a
//! router in hop limit, header checksum and traffic class. Everything else is equal (D4.2).

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use foldhash::fast::RandomState;

use crate::base::IpProto;

/// What is equal in all copies of a packet, and what tells them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Hash over the captured bytes of the innermost IP packet, without hop limit, header
    /// checksum and traffic class. Comparable within one run of the program: its key is drawn
    /// anew in each.
    pub digest: u64,
    /// Time to live or hop limit of the innermost IP header.
    pub hop_limit: u8,
    /// What tells a copy of the packet from a repetition by its sender.
    pub distinction: Distinction,
}

/// What tells a copy of a packet from a repetition by its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distinction {
    /// Nothing: TCP acknowledgements and resets without data are sent again at any time.
    #[default]
    Nothing,
    /// Time alone: no sender repeats a message at once.
    Time,
    /// A field: a non-zero IPv4 identification, or a TCP timestamp (RFC 7323).
    Field,
}

/// Key of the hash. With a key that senders know, other bytes could be made to look like a copy
/// of what went before, and be left out with it.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The IPv4 header without options, and the fields in it that a router may change.
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;

/// Fingerprints an IPv4 packet from its header on; `packet` ends where the capture or the
/// declared length ends.
pub(super) fn ipv4(packet: &[u8]) -> Fingerprint {
    let Some((header, rest)) = packet.split_first_chunk::<IPV4_HEADER>() else {
        return Fingerprint::default();
    };
    let [first, _, c, d, id_high, id_low, g, h, hop_limit, protocol, _, _, addresses @ ..] =
        *header;
    let header_bytes = usize::from(first & 0x0f) * 4;
    let distinction = if (id_high | id_low) != 0 {
        Distinction::Field
    } else {
        distinction(IpProto(protocol), packet.get(header_bytes..).unwrap_or_default())
    };
    // Numbers are hashed faster than bytes.
    let mut state = KEY.build_hasher();
    state.write_u64(u64::from_ne_bytes([first, protocol, c, d, id_high, id_low, g, h]));
    state.write_u64(u64::from_ne_bytes(addresses));
    state.write(rest);
    Fingerprint { digest: state.finish(), hop_limit, distinction }
}

/// Fingerprints an IPv6 packet from its header on.
pub(super) fn ipv6(packet: &[u8]) -> Fingerprint {
    let Some((header, rest)) = packet.split_first_chunk::<IPV6_HEADER>() else {
        return Fingerprint::default();
    };
    let mut masked = *header;
    let [version, class, _, _, _, _, next, hops, ..] = &mut masked;
    let hop_limit = *hops;
    let distinction = distinction(IpProto(*next), rest);
    (*version, *hops) = (*version & 0xf0, 0);
    *class &= 0x0f;
    Fingerprint { digest: digest(&masked, rest), hop_limit, distinction }
}

/// What the transport header tells, for want of an identification. `packet` begins with it.
fn distinction(protocol: IpProto, packet: &[u8]) -> Distinction {
    const FIN_OR_SYN: u8 = 0x03;
    if protocol != IpProto::TCP {
        return Distinction::Time;
    }
    let length = packet.get(12).map_or(0, |offset| usize::from(offset >> 4) * 4);
    let opens_or_closes = packet.get(13).is_some_and(|flags| flags & FIN_OR_SYN != 0);
    if has_timestamp(packet, length) {
        Distinction::Field
    } else if opens_or_closes || packet.len() > length {
        Distinction::Time
    } else {
        Distinction::Nothing
    }
}

/// Whether a TCP header of `length` bytes carries a timestamp (option kind 8, RFC 7323
/// section 3.2).
fn has_timestamp(header: &[u8], length: usize) -> bool {
    const OPTIONS: usize = 20;
    const TIMESTAMP: u8 = 8;
    let mut options = header.get(OPTIONS..length).unwrap_or_default();
    loop {
        options = match options {
            [TIMESTAMP, 10, rest @ ..] => return rest.len() >= 8,
            // End of the list, and no operation (RFC 9293 section 3.2).
            [] | [0, ..] => return false,
            [1, rest @ ..] => rest,
            [_, length, ..] => options.get(usize::from(*length).max(2)..).unwrap_or_default(),
            [_] => return false,
        };
    }
}

fn digest(header: &[u8], rest: &[u8]) -> u64 {
    let mut state = KEY.build_hasher();
    state.write(header);
    state.write(rest);
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(identification: u16, hops: u8, checksum: u16) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 28];
        bytes.extend(identification.to_be_bytes());
        bytes.extend([0x40, 0, hops, 17]);
        bytes.extend(checksum.to_be_bytes());
        bytes.extend([10, 0, 0, 1, 10, 0, 0, 2, 0, 53, 0, 99, 0, 8, 0, 0]);
        bytes
    }

    #[test]
    fn a_routed_copy_is_equal_and_its_hop_limit_differs() {
        let (before, after) = (ipv4(&packet(7, 64, 0x1234)), ipv4(&packet(7, 63, 0x1334)));
        assert_eq!(before.digest, after.digest);
        assert_eq!((before.hop_limit, after.hop_limit), (64, 63));
        assert_ne!(before.digest, ipv4(&packet(8, 64, 0x1234)).digest);
    }

    #[test]
    fn any_other_byte_makes_another_packet() {
        let whole = packet(7, 64, 0);
        for place in (0..whole.len()).filter(|place| ![1, 8, 10, 11].contains(place)) {
            let mut other = whole.clone();
            other[place] ^= 1;
            assert_ne!(ipv4(&whole).digest, ipv4(&other).digest, "byte {place}");
        }
        let mut v6 = vec![0x60; 60];
        let digest = ipv6(&v6).digest;
        (v6[7], v6[0], v6[1]) = (9, 0x6f, 0xf0);
        assert_eq!(ipv6(&v6).digest, digest);
        v6[3] ^= 1;
        assert_ne!(ipv6(&v6).digest, digest);
    }

    /// Under a key that anyone can look up, eight bytes of payload equal to a part of it make eight
    /// other bytes count for nothing, those of a sequence number say.
    #[test]
    fn no_payload_makes_other_bytes_count_for_nothing() {
        const PART_OF_PUBLIC_KEY: u64 = 0xc0ac_29b7_c97c_50dd;
        let (one, mut other) = (vec![0; 300], vec![0; 300]);
        let with_part = |mut bytes: Vec<u8>| {
            bytes[48..56].copy_from_slice(&PART_OF_PUBLIC_KEY.to_ne_bytes());
            bytes
        };
        other[4..8].copy_from_slice(&[1, 2, 3, 4]);
        let (one, other) = (with_part(one), with_part(other));
        let public = |bytes: &[u8]| {
            let mut state = foldhash::fast::FixedState::with_seed(0).build_hasher();
            state.write(bytes);
            state.finish()
        };
        assert_eq!(public(&one), public(&other));
        let keyed = |rest: &[u8]| digest(&[0; 20], rest);
        assert_ne!(keyed(&one), keyed(&other));
    }
}
