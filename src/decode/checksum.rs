//! What lengths and checksums say of the point of capture. Nothing is refused for a wrong
//! checksum: a capture on the sending host shows packets before the network card completes them
//! (D4.3).

use super::unit::Oddities;
use crate::base::IpProto;

/// Bytes of an IPv4 header without options, and of an IPv6 header.
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;

/// Looks at an IP packet of `bytes` bytes from its header on, as far as it was captured.
#[inline]
pub(super) fn oddities(packet: &[u8], protocol: IpProto, bytes: usize) -> Oddities {
    match packet.first().map(|first| (first >> 4, usize::from(first & 0x0f) * 4)) {
        Some((4, header)) => Oddities {
            without_length: word(packet, 2) == Some(0),
            header_checksum_wrong: header_checksum_wrong(packet, header),
            checksum_left_to_card: left_to_card::<8>(packet, 12, header, protocol, bytes),
        },
        Some((6, _)) => Oddities {
            without_length: word(packet, 4) == Some(0) && bytes > IPV6_HEADER,
            header_checksum_wrong: false,
            // Behind extension headers nothing is known of the pseudo header without more work.
            checksum_left_to_card: packet.get(6) == Some(&protocol.0)
                && left_to_card::<32>(packet, 8, IPV6_HEADER, protocol, bytes),
        },
        _ => Oddities::default(),
    }
}

/// Whether an IPv4 header of `header` bytes does not sum up to all ones.
#[inline]
fn header_checksum_wrong(packet: &[u8], header: usize) -> bool {
    let sum = match packet.first_chunk::<IPV4_HEADER>() {
        // The compiler makes a sum of constant length out of this.
        Some(shortest) if header == IPV4_HEADER => words(shortest),
        _ => match packet.get(..header) {
            Some(header) => words(header),
            None => return false,
        },
    };
    folded(sum) != 0xffff
}

/// Whether the transport checksum is the sum over addresses, protocol and length, as a driver
/// leaves it. Both addresses together take `ADDRESSES` bytes from offset `addresses` on.
#[inline]
fn left_to_card<const ADDRESSES: usize>(
    packet: &[u8],
    addresses: usize,
    header: usize,
    protocol: IpProto,
    bytes: usize,
) -> bool {
    let offset = match protocol {
        IpProto::TCP => 16,
        IpProto::UDP => 6,
        _ => return false,
    };
    let addresses = packet.get(addresses..).and_then(|rest| rest.first_chunk::<ADDRESSES>());
    let (Some(found), Some(addresses)) = (word(packet, header + offset), addresses) else {
        return false;
    };
    let Ok(length) = u16::try_from(bytes.saturating_sub(header)) else { return false };
    let pseudo = words(addresses) + u64::from(protocol.0) + u64::from(length);
    found != 0 && found == folded(pseudo)
}

fn word(bytes: &[u8], offset: usize) -> Option<u16> {
    let word = bytes.get(offset..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*word))
}

/// The sum of what is whole words of 32 bits, as IP headers and addresses are. In one's complement
/// it stands for the sum of words of 16 bits, because 2^16 counts as 1 (RFC 1071 section 2).
#[inline]
fn words(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum()
}

/// The one's complement sum of 16 bits that such a sum stands for. Carries are added until none
/// can be left, of a sum below 2^48.
#[inline]
fn folded(sum: u64) -> u16 {
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    ((sum >> 16) + (sum & 0xffff)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of RFC 1071 section 3.
    #[test]
    fn the_sum_of_the_standard() {
        let sum = words(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(folded(sum), 0xddf2);
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
