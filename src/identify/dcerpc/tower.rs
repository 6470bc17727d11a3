//! Answers of the endpoint mapper: towers of protocol layers, each with an interface at its top
//! and an endpoint at its foot (C706 appendices L and O).

use std::net::{IpAddr, Ipv4Addr};

use super::uuid::{ByteOrder, Uuid};
use crate::base::Cursor;
use crate::identify::Carriage;

/// Most layers of one tower.
const MOST_FLOORS: u16 = 16;
/// Most towers of one answer.
const MOST_TOWERS: usize = 512;

/// Layer identifiers (C706 appendix I).
const TCP: u8 = 0x07;
const UDP: u8 = 0x08;
const IP: u8 = 0x09;
const UUID: u8 = 0x0d;
const HTTP: u8 = 0x1f;

/// Where an interface is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tower {
    pub(super) interface: Uuid,
    pub(super) carriage: Carriage,
    pub(super) port: u16,
    /// `None` where the mapper left the address open.
    pub(super) address: Option<IpAddr>,
}

/// Reads a tower that ends at a TCP or UDP port.
fn tower(octets: &[u8]) -> Option<Tower> {
    let mut cursor = Cursor::new(octets);
    let floors = cursor.u16_le()?.min(MOST_FLOORS);
    let mut interface = None;
    let mut endpoint = None;
    let mut address = None;
    for _ in 0..floors {
        let length = cursor.u16_le()?.into();
        let left = cursor.take(length)?;
        let length = cursor.u16_le()?.into();
        let mut right = Cursor::new(cursor.take(length)?);
        match left.split_first() {
            Some((&UUID, uuid)) if interface.is_none() => {
                interface = ByteOrder::Little.uuid(&mut Cursor::new(uuid));
            }
            Some((&(TCP | HTTP), _)) => endpoint = right.u16_be().map(|p| (Carriage::Tcp, p)),
            Some((&UDP, _)) => endpoint = right.u16_be().map(|port| (Carriage::Udp, port)),
            Some((&IP, _)) => address = right.array::<4>().map(Ipv4Addr::from),
            _ => {}
        }
    }
    let (carriage, port) = endpoint.filter(|(_, port)| *port != 0)?;
    let address = address.filter(|address| !address.is_unspecified()).map(IpAddr::V4);
    Some(Tower { interface: interface?, carriage, port, address })
}

/// How arguments are marshalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) order: ByteOrder,
    /// NDR64: counts and pointers take eight bytes (MS-RPCE section 2.2.5).
    pub(super) wide: bool,
}

/// Reads marshalled arguments.
struct Arguments<'a> {
    cursor: Cursor<'a>,
    syntax: Syntax,
}

impl<'a> Arguments<'a> {
    fn align(&mut self, to: usize) -> Option<()> {
        self.cursor.skip(self.cursor.position().wrapping_neg() % to)
    }

    fn u32(&mut self) -> Option<u32> {
        self.align(4)?;
        self.syntax.order.u32(&mut self.cursor)
    }

    /// A count or the identifier of a pointer.
    fn size(&mut self) -> Option<usize> {
        if !self.syntax.wide {
            return usize::try_from(self.u32()?).ok();
        }
        self.align(8)?;
        let order = self.syntax.order;
        let (first, second) = (order.u32(&mut self.cursor)?, order.u32(&mut self.cursor)?);
        let (low, high) =
            if order == ByteOrder::Little { (first, second) } else { (second, first) };
        (high == 0).then_some(usize::try_from(low).ok()?)
    }

    /// The number of elements of a conformant and varying array.
    fn array(&mut self) -> Option<usize> {
        let most = self.size()?;
        self.size()?;
        self.size().filter(|count| *count <= most)
    }

    /// The octets of a tower.
    fn tower(&mut self) -> Option<&'a [u8]> {
        let room = self.size()?;
        let length = usize::try_from(self.u32()?).ok()?;
        if length <= room { self.cursor.take(length) } else { None }
    }

    /// Towers behind those pointers that are not null, up to the first that is incomplete.
    fn towers(&mut self, pointers: &[usize]) -> Vec<Tower> {
        let set = pointers.iter().filter(|pointer| **pointer != 0);
        set.map_while(|_| self.tower()).filter_map(tower).collect()
    }
}

/// The endpoints in an answer to `ept_map` (operation 3). Empty unless it succeeded.
pub(super) fn map_answer(syntax: Syntax, stub: &[u8]) -> Vec<Tower> {
    answer(syntax, stub, Arguments::size).unwrap_or_default()
}

/// The endpoints in an answer to `ept_lookup` (operation 2). Empty unless it succeeded.
pub(super) fn lookup_answer(syntax: Syntax, stub: &[u8]) -> Vec<Tower> {
    answer(syntax, stub, entry).unwrap_or_default()
}

/// A context handle, the number of towers, an array of elements that each point to a tower, the
/// towers, a status of 0.
fn answer<'a>(
    syntax: Syntax,
    stub: &'a [u8],
    element: fn(&mut Arguments<'a>) -> Option<usize>,
) -> Option<Vec<Tower>> {
    let mut arguments = Arguments { cursor: Cursor::new(stub), syntax };
    arguments.cursor.skip(20)?;
    arguments.u32()?;
    let count = arguments.array()?.min(MOST_TOWERS);
    let pointers: Vec<usize> = (0..count).map_while(|_| element(&mut arguments)).collect();
    let towers = arguments.towers(&pointers);
    (arguments.u32() == Some(0)).then_some(towers)
}

/// The pointer to the tower of one entry: object UUID, pointer, annotation.
fn entry(arguments: &mut Arguments<'_>) -> Option<usize> {
    arguments.align(if arguments.syntax.wide { 8 } else { 4 })?;
    arguments.cursor.skip(16)?;
    let pointer = arguments.size()?;
    arguments.size()?;
    let annotation = arguments.size()?;
    arguments.cursor.skip(annotation)?;
    Some(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LSARPC: Uuid = Uuid(0x12345778_1234_abcd_ef00_0123456789ab);

    /// The canonical tower of five layers (domain reference, section 2.9).
    fn octets(protocol: u8, port: u16, address: [u8; 4]) -> Vec<u8> {
        let mut octets = vec![5, 0, 19, 0, UUID];
        octets.extend([0x78, 0x57, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab]);
        octets.extend([0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0, 0, 2, 0, 0, 0]);
        octets.extend([19, 0, UUID, 0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8]);
        octets.extend([0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2, 0, 2, 0, 0, 0]);
        octets.extend([1, 0, 0x0b, 2, 0, 0, 0, 1, 0, protocol, 2, 0]);
        octets.extend(port.to_be_bytes());
        octets.extend([1, 0, IP, 4, 0]);
        octets.extend(address);
        octets
    }

    /// An answer to `ept_map` that carries these towers.
    fn answer(towers: &[Vec<u8>], wide: bool, status: u32) -> Vec<u8> {
        let size = |stub: &mut Vec<u8>, value: usize| {
            let width = if wide { 8 } else { 4 };
            stub.resize(stub.len().next_multiple_of(width), 0);
            stub.extend_from_slice(&(value as u64).to_le_bytes()[..width]);
        };
        let mut stub = vec![0; 20];
        stub.extend((towers.len() as u32).to_le_bytes());
        for count in [4, 0, towers.len()] {
            size(&mut stub, count);
        }
        for index in 0..towers.len() {
            size(&mut stub, 3 + index);
        }
        for tower in towers {
            size(&mut stub, tower.len());
            stub.extend((tower.len() as u32).to_le_bytes());
            stub.extend(tower);
        }
        stub.resize(stub.len().next_multiple_of(4), 0);
        stub.extend(status.to_le_bytes());
        stub
    }

    const SYNTAX: Syntax = Syntax { order: ByteOrder::Little, wide: false };

    /// `13 89` is 5001; the address 0.0.0.0, as Samba writes it, is that of the mapper itself.
    #[test]
    fn the_port_is_big_endian_and_the_zero_address_is_none() {
        let [tcp, udp] = [octets(TCP, 5001, [0; 4]), octets(UDP, 5003, [10, 0, 0, 9])];
        let stub = answer(&[tcp.clone(), udp], false, 0);
        // Referents of two towers stand before the first: 20 + 4 + 12 + 8, two lengths of 4, 64.
        assert_eq!(stub.get(116..118), Some(&[0x13, 0x89][..]));
        let tower = Tower { interface: LSARPC, carriage: Carriage::Tcp, port: 5001, address: None };
        let address = "10.0.0.9".parse().ok();
        let other = Tower { carriage: Carriage::Udp, port: 5003, address, ..tower };
        assert_eq!(map_answer(SYNTAX, &stub), [tower, other]);
        let wide = Syntax { wide: true, ..SYNTAX };
        assert_eq!(map_answer(wide, &answer(&[tcp], true, 0)), [tower]);
    }

    #[test]
    fn failed_and_cut_answers_give_nothing() {
        let stub = answer(&[octets(TCP, 5001, [0; 4])], false, 0x16c9_a0d6);
        assert_eq!(map_answer(SYNTAX, &stub), []);
        let whole = answer(&[octets(TCP, 5001, [0; 4])], false, 0);
        for end in 0..whole.len() {
            assert_eq!(map_answer(SYNTAX, &whole[..end]), [], "cut at {end}");
        }
        assert_eq!(map_answer(SYNTAX, &answer(&[octets(0x0f, 5001, [0; 4])], false, 0)), []);
        assert_eq!(map_answer(SYNTAX, &answer(&[octets(TCP, 0, [0; 4])], false, 0)), []);
    }
}
