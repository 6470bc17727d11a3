//! Registration for notifications by UDP at an Exchange server: `EcRRegisterPushNotification`
//! (MS-OXCRPC section 3.1.4.5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::uuid::ByteOrder;
use crate::base::Cursor;

/// Longest opaque text and longest address.
const LONGEST: usize = 128;
/// Address families of the callback address as Windows numbers them.
const INTERNET: u16 = 2;
const INTERNET_6: u16 = 23;

/// Where a client wants to be notified, and by which bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registration<'a> {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    /// The whole payload of each notification.
    pub(super) payload: &'a [u8],
}

/// Reads the arguments of a registration in NDR.
pub(super) fn registration(order: ByteOrder, stub: &[u8]) -> Option<Registration<'_>> {
    let mut cursor = Cursor::new(stub);
    cursor.skip(24)?;
    let payload = counted(order, &mut cursor)?;
    let callback = {
        align(&mut cursor, 4)?;
        cursor.skip(4)?;
        counted(order, &mut cursor)?
    };
    let mut callback = Cursor::new(callback);
    let family = callback.u16_le()?;
    let port = callback.u16_be()?;
    let address = match family {
        INTERNET => IpAddr::V4(Ipv4Addr::from(callback.array::<4>()?)),
        INTERNET_6 => {
            callback.skip(4)?;
            IpAddr::V6(Ipv6Addr::from(callback.array::<16>()?))
        }
        _ => return None,
    };
    (port != 0).then_some(Registration { address, port, payload })
}

/// Bytes before which their number stands in four bytes, and behind which it stands in two.
fn counted<'a>(order: ByteOrder, cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    align(cursor, 4)?;
    let count = usize::try_from(order.u32(cursor)?).ok().filter(|count| *count <= LONGEST)?;
    let bytes = cursor.take(count)?;
    align(cursor, 2)?;
    (usize::from(order.u16(cursor)?) == count).then_some(bytes)
}

fn align(cursor: &mut Cursor<'_>, to: usize) -> Option<()> {
    cursor.skip(cursor.position().wrapping_neg() % to)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arguments in the order of the interface definition (MS-OXCRPC section 6).
    #[test]
    fn a_registration_names_the_callback() {
        let mut stub = vec![0; 24];
        stub.extend([10, 0, 0, 0]);
        stub.extend(b"0123456789");
        stub.extend([10, 0]);
        stub.extend([0xff, 0xff, 0xff, 0xff]);
        stub.extend([16, 0, 0, 0, 2, 0, 0x0d, 0x80, 10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0]);
        let found = registration(ByteOrder::Little, &stub);
        let address = "10.0.0.7".parse().unwrap();
        assert_eq!(found, Some(Registration { address, port: 3456, payload: b"0123456789" }));
        for end in 0..stub.len() {
            assert_eq!(registration(ByteOrder::Little, &stub[..end]), None, "cut at {end}");
        }
    }
}
