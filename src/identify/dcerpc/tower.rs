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
