//! Universally unique identifiers as DCE/RPC carries them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::Cursor;

/// A UUID; its 128 bits in the order in which the text form shows them (C706 appendix A).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Uuid(pub u128);

/// The byte order of the integers of a message, from its data representation label (C706
/// section 14.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Big,
    Little,
}

impl ByteOrder {
    pub(super) fn u16(self, cursor: &mut Cursor<'_>) -> Option<u16> {
        match self {
            ByteOrder::Big => cursor.u16_be(),
            ByteOrder::Little => cursor.u16_le(),
        }
    }

    pub(super) fn u32(self, cursor: &mut Cursor<'_>) -> Option<u32> {
        match self {
            ByteOrder::Big => cursor.u32_be(),
            ByteOrder::Little => cursor.u32_le(),
        }
    }

    /// A UUID: the first three fields in this order, the rest as bytes.
    pub(super) fn uuid(self, cursor: &mut Cursor<'_>) -> Option<Uuid> {
        let time_low = self.u32(cursor)?;
        let time_mid = self.u16(cursor)?;
        let time_high = self.u16(cursor)?;
        let rest = u64::from_be_bytes(cursor.array()?);
        let high = (u64::from(time_low) << 32) | (u64::from(time_mid) << 16) | u64::from(time_high);
        Some(Uuid((u128::from(high) << 64) | u128::from(rest)))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        let part = |shift: u32, mask: u64| (bits >> shift) as u64 & mask;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 0xffff_ffff),
            part(80, 0xffff),
            part(64, 0xffff),
            part(48, 0xffff),
            part(0, 0xffff_ffff_ffff)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The endpoint mapper's UUID as C706 appendix O prints it and as both byte orders carry it.
    #[test]
    fn both_byte_orders_give_the_text_form() {
        let little = [
            0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14,
            0xa0, 0xfa,
        ];
        let big = [
            0xe1, 0xaf, 0x83, 0x08, 0x5d, 0x1f, 0x11, 0xc9, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14,
            0xa0, 0xfa,
        ];
        let uuid = ByteOrder::Little.uuid(&mut Cursor::new(&little)).unwrap();
        assert_eq!(uuid.to_string(), "e1af8308-5d1f-11c9-91a4-08002b14a0fa");
        assert_eq!(ByteOrder::Big.uuid(&mut Cursor::new(&big)), Some(uuid));
    }
}
