//! What lengths and checksums say of the point of capture. Nothing is refused for a wrong
//! checksum: a capture on the sending host shows packets before the network card completes them
//! (D4.3).

use etherparse::checksum::Sum16BitWords;

use super::unit::Oddities;
use crate::base::IpProto;

const IPV6_HEADER: usize = 40;

/// Looks at an IP packet of `bytes` bytes from its header on, as far as it was captured.
pub(super) fn oddities(packet: &[u8], protocol: IpProto, bytes: usize) -> Oddities {
    match packet.first().map(|first| (first >> 4, usize::from(first & 0x0f) * 4)) {
        Some((4, header)) => Oddities {
            without_length: word(packet, 2) == Some(0),
            header_checksum_wrong: packet.get(..header).is_some_and(|header| sum(header) != 0xffff),
            checksum_left_to_card: left_to_card(packet, (12, 20), header, protocol, bytes),
        },
        Some((6, _)) => Oddities {
            without_length: word(packet, 4) == Some(0) && bytes > IPV6_HEADER,
            header_checksum_wrong: false,
            // Behind extension headers nothing is known of the pseudo header without more work.
            checksum_left_to_card: packet.get(6) == Some(&protocol.0)
                && left_to_card(packet, (8, 40), IPV6_HEADER, protocol, bytes),
        },
        _ => Oddities::default(),
    }
}

/// Whether the transport checksum is the sum over addresses, protocol and length, as a driver
/// leaves it. `addresses` are the offsets where the two addresses begin and end.
fn left_to_card(
    packet: &[u8],
    addresses: (usize, usize),
    header: usize,
    protocol: IpProto,
    bytes: usize,
) -> bool {
    let offset = match protocol {
        IpProto::TCP => 16,
        IpProto::UDP => 6,
        _ => return false,
    };
    let (Some(found), Some(addresses)) =
        (word(packet, header + offset), packet.get(addresses.0..addresses.1))
    else {
        return false;
    };
    let Ok(length) = u16::try_from(bytes.saturating_sub(header)) else { return false };
    let pseudo = words(addresses).add_2bytes([0, protocol.0]).add_2bytes(length.to_be_bytes());
    found != 0 && found == total(pseudo)
}

fn word(bytes: &[u8], offset: usize) -> Option<u16> {
    let word = bytes.get(offset..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*word))
}

fn words(bytes: &[u8]) -> Sum16BitWords {
    Sum16BitWords::new().add_slice(bytes)
}

/// The one's complement sum (RFC 1071) of what was added.
fn total(words: Sum16BitWords) -> u16 {
    !words.ones_complement().to_be()
}

fn sum(bytes: &[u8]) -> u16 {
    total(words(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of RFC 1071 section 3.
    #[test]
    fn the_sum_of_the_standard() {
        assert_eq!(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0xddf2);
    }

    #[test]
    fn a_right_header_is_not_odd_and_one_flipped_bit_is() {
        // 10.0.0.1 to 10.0.0.2, UDP, total length 28, time to live 64: the checksum is the
        // complement of 4500 + 001c + 0001 + 4011 + 0a00 + 0001 + 0a00 + 0002 = 9931.
        let mut packet = vec![0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0x66, 0xce];
        packet.extend([10, 0, 0, 1, 10, 0, 0, 2, 0, 53, 0, 99, 0, 8, 0, 0]);
        let of = |packet: &[u8]| oddities(packet, IpProto::UDP, 28);
        assert_eq!(of(&packet), Oddities::default());
        packet[8] = 63;
        assert!(of(&packet).header_checksum_wrong);
        // Pseudo header: 0a00 + 0001 + 0a00 + 0002 + 0011 + 0008 = 141c.
        (packet[26], packet[27]) = (0x14, 0x1c);
        assert!(of(&packet).checksum_left_to_card);
        packet[27] = 0x1d;
        assert!(!of(&packet).checksum_left_to_card);
    }
}
