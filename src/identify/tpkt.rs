//! ISO transport over TCP (RFC 1006 section 6): `03 00`, two bytes of length, a transport unit.

use super::messages::Look;
use crate::base::Cursor;

/// Bytes of the header.
pub(super) const HEADER: usize = 4;

/// Looks at a possible packet of at least `least` bytes.
pub(super) fn look(bytes: &[u8], least: usize) -> Look<()> {
    let start = bytes.iter().zip([3, 0]).all(|(byte, wanted)| *byte == wanted);
    let length = Cursor::new(bytes.get(2..).unwrap_or_default()).u16_be().map(usize::from);
    match length {
        _ if !start => Look::Differs,
        None => Look::Open,
        Some(length) if length < least.max(HEADER) => Look::Differs,
        Some(length) => Look::Fits { length, what: () },
    }
}
