//! String bindings in the answers of the object exporter resolver and of activation (MS-DCOM
//! section 2.2.19): the ports on which objects are served.
//!
//! The array (`DUALSTRINGARRAY`) is: its length and the offset of its security bindings, both in
//! units of 16 bits, then bindings, each a tower identifier and a zero-ended UTF-16 address such
//! as `host[port]`, the list ended by a zero unit. In an activation answer it lies deep inside
//! custom-marshalled properties; it is found there by its counts, which must all agree.

use super::uuid::ByteOrder;
use crate::base::Cursor;
use crate::identify::Carriage;

/// Tower identifiers (MS-DCOM section 2.2.19.3).
const TCP: u16 = 0x07;
const UDP: u16 = 0x08;

/// Shortest array of use: tower identifier, `a[1]`, three zero units.
const LEAST_UNITS: usize = 8;
/// Longest array believed.
const MOST_UNITS: usize = 8192;
/// How many arrays are tried, so that bytes made to look like many cost little.
const TRIES: u32 = 16;

/// A port on which objects are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) carriage: Carriage,
    pub(super) port: u16,
}

/// The ports in every binding array of an answer, each once.
pub(super) fn bindings(order: ByteOrder, stub: &[u8]) -> Vec<Binding> {
    let mut bindings = Vec::new();
    let mut tries = 0;
    let mut offset = 0;
    while let Some(bytes) = stub.get(offset..).filter(|bytes| bytes.len() >= 8) {
        offset += 2;
        let Some((units, security)) = counts(order, bytes) else { continue };
        tries += 1;
        if tries > TRIES {
            break;
        }
        if let Some(found) = array(order, bytes, security) {
            offset += units * 2;
            for binding in found {
                if !bindings.contains(&binding) {
                    bindings.push(binding);
                }
            }
        }
    }
    bindings
}

/// The counts before an array: the marshalled size, the length, the offset of the security
/// bindings. `None` unless they agree and the array is there.
fn counts(order: ByteOrder, bytes: &[u8]) -> Option<(usize, usize)> {
    let mut cursor = Cursor::new(bytes);
    let size = usize::try_from(order.u32(&mut cursor)?).ok()?;
    let units = usize::from(order.u16(&mut cursor)?);
    let security = usize::from(order.u16(&mut cursor)?);
    let plausible = size == units
        && (LEAST_UNITS..=MOST_UNITS).contains(&units)
        && security < units
        && security > 1
        && cursor.rest().len() >= units * 2;
    plausible.then_some((units, security))
}

/// The ports of the bindings behind the counts; `None` unless the list ends where the security
/// bindings begin.
fn array(order: ByteOrder, bytes: &[u8], security: usize) -> Option<Vec<Binding>> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip(8)?;
    let mut units = Cursor::new(cursor.take(security * 2)?);
    let mut bindings = Vec::new();
    loop {
        let tower = order.u16(&mut units)?;
        if tower == 0 {
            return units.rest().is_empty().then_some(bindings);
        }
        let port = address_port(order, &mut units)?;
        let carriage = match tower {
            TCP => Carriage::Tcp,
            UDP => Carriage::Udp,
            _ => continue,
        };
        if let Some(port) = port {
            bindings.push(Binding { carriage, port });
        }
    }
}

/// Reads an address to its zero unit: the port in brackets at its end, where there is one.
fn address_port(order: ByteOrder, units: &mut Cursor<'_>) -> Option<Option<u16>> {
    let mut port: Option<u32> = None;
    let mut closed = false;
    loop {
        let unit = order.u16(units)?;
        let digit = u8::try_from(unit).ok().and_then(|c| char::from(c).to_digit(10));
        match unit {
            0 => break,
            _ if unit < 0x20 => return None,
            0x5b => (port, closed) = (Some(0), false),
            0x5d => closed = true,
            _ => port = port.zip(digit).map(|(port, digit)| (port * 10 + digit).min(0x1_0000)),
        }
    }
    let port = port.filter(|_| closed).and_then(|port| u16::try_from(port).ok());
    Some(port.filter(|port| *port != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    /// An array of bindings with its counts, as `ResolveOxid2` answers it.
    fn array(bindings: &[(u16, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (tower, address) in bindings {
            body.extend(tower.to_le_bytes());
            body.extend(units(address));
        }
        body.extend([0, 0]);
        let security = (body.len() / 2) as u16;
        body.extend([0x0a, 0, 0xff, 0xff, 0, 0, 0, 0]);
        let length = (body.len() / 2) as u16;
        let mut array = u32::from(length).to_le_bytes().to_vec();
        array.extend(length.to_le_bytes());
        array.extend(security.to_le_bytes());
        array.extend(body);
        array
    }

    /// Several names of one host repeat its port; bindings without a port announce nothing.
    #[test]
    fn ports_in_brackets() {
        let mut stub = vec![0, 0, 2, 0];
        stub.extend(array(&[(7, "10.0.0.5[5007]"), (7, "exch-1[5007]"), (8, "exch-1[5008]")]));
        stub.extend([0; 24]);
        let tcp = Binding { carriage: Carriage::Tcp, port: 5007 };
        let udp = Binding { carriage: Carriage::Udp, port: 5008 };
        assert_eq!(bindings(ByteOrder::Little, &stub), [tcp, udp]);
        // As deep inside a custom-marshalled blob.
        let mut nested = vec![0x4d, 0x45, 0x4f, 0x57, 1, 0];
        nested.extend(&stub);
        assert_eq!(bindings(ByteOrder::Little, &nested), [tcp, udp]);
        assert_eq!(bindings(ByteOrder::Little, &array(&[(7, "10.0.0.5")])), []);
        assert_eq!(bindings(ByteOrder::Little, &array(&[(7, "a[70000]")])), []);
    }

    #[test]
    fn counts_that_disagree_are_not_believed() {
        let whole = array(&[(7, "10.0.0.5[5007]")]);
        for offset in [0, 4, 6] {
            let mut other = whole.clone();
            other[offset] ^= 1;
            assert_eq!(bindings(ByteOrder::Little, &other), [], "byte {offset}");
        }
        for end in 0..whole.len() {
            assert_eq!(bindings(ByteOrder::Little, &whole[..end]), [], "cut at {end}");
        }
    }
}
