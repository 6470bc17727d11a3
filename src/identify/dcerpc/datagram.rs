//! Connectionless DCE/RPC (C706 section 12.5): one header of 80 bytes before each datagram.
//!
//! | offset | field |
//! | --- | --- |
//! | 0 | version 4 |
//! | 1 | type |
//! | 2, 3 | flags |
//! | 4..7 | data representation |
//! | 8..24 | object |
//! | 24..40 | interface |
//! | 40..56 | activity |
//! | 60..64 | version of the interface |
//! | 68..70 | operation |
//! | 74..76 | bytes behind the header |
//! | 78 | authentication protocol |

use super::uuid::{ByteOrder, Uuid};
use crate::base::Cursor;
use crate::identify::messages::{Look, Role};

/// Bytes of the header.
const HEADER: usize = 80;

/// Flag bits that C706 table 12-3 reserves.
const RESERVED_FLAGS: u8 = 0x81;
/// Second flag bits that C706 table 12-4 reserves.
const RESERVED_SECOND_FLAGS: u8 = 0xfc;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datagram {
    kind: u8,
    pub(super) interface: Uuid,
    activity: Uuid,
}

impl Datagram {
    /// Whether one of its UUIDs has nothing in its first half, where the time of its making
    /// stands.
    fn is_blank(&self) -> bool {
        self.interface.0 >> 64 == 0 || self.activity.0 >> 64 == 0
    }
}

/// Looks at a possible datagram.
pub(super) fn look(bytes: &[u8]) -> Look<Datagram> {
    let fits = |offset: usize, test: fn(u8) -> bool| bytes.get(offset).is_none_or(|b| test(*b));
    // The upper bits of byte 8 of a UUID name its variant (C706 appendix A).
    let variant = |variant: u8| matches!(variant >> 6, 0b10 | 0b11);
    let start = fits(0, |version| version == 4)
        && fits(1, |kind| kind <= 10)
        && fits(2, |flags| flags & RESERVED_FLAGS == 0)
        && fits(3, |flags| flags & RESERVED_SECOND_FLAGS == 0)
        && fits(4, |order| matches!(order, 0x00 | 0x01 | 0x10 | 0x11))
        && fits(5, |floating_point| floating_point < 4)
        && fits(6, |zero| zero == 0)
        && fits(32, variant)
        && fits(48, variant);
    match header(bytes) {
        _ if !start => Look::Differs,
        Some((what, _)) if what.is_blank() => Look::Differs,
        Some((what, length)) => Look::Fits { length, what },
        None => Look::Open,
    }
}

/// The header and the bytes of the whole datagram; `None` when it is incomplete.
fn header(bytes: &[u8]) -> Option<(Datagram, usize)> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip(1)?;
    let kind = cursor.u8()?;
    cursor.skip(2)?;
    let order = if cursor.u8()? & 0x10 == 0 { ByteOrder::Big } else { ByteOrder::Little };
    cursor.skip(19)?;
    let interface = order.uuid(&mut cursor)?;
    let activity = order.uuid(&mut cursor)?;
    cursor.skip(18)?;
    let body = usize::from(order.u16(&mut cursor)?);
    cursor.skip(2)?;
    let authentication = cursor.u8()?;
    cursor.skip(1)?;
    // Behind the body of an authenticated datagram stands a trailer without a length field.
    let least = HEADER + body;
    let length = if authentication == 0 { least } else { least.max(bytes.len()) };
    Some((Datagram { kind, interface, activity }, length))
}

/// Who sends such a datagram.
pub(super) fn role(datagram: &Datagram) -> Role {
    match datagram.kind {
        // Request, ping, acknowledgement, cancel.
        0 | 1 | 7 | 8 => Role::Client,
        // Response, fault, working, no call, reject, cancel acknowledgement.
        2..=6 | 10 => Role::Server,
        _ => Role::Either,
    }
}
