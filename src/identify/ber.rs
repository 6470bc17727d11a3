//! Tags and lengths of the Basic Encoding Rules (ITU-T X.690), as Kerberos, LDAP and SNMP use them.

use crate::base::Cursor;

/// Why an element could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes end before the element's contents begin.
    Short,
    /// It is not what was expected.
    Wrong,
}

/// Reads a tag of one byte that must be `wanted`, and the length after it.
///
/// # Errors
///
/// When the bytes end, the tag is another one, or the length is of the indefinite form or of more
/// than four bytes.
pub(super) fn expect(cursor: &mut Cursor<'_>, wanted: u8) -> Result<usize, Fault> {
    let (tag, length) = element(cursor)?;
    if tag == wanted { Ok(length) } else { Err(Fault::Wrong) }
}

/// Reads a tag of one byte and the length after it (X.690 section 8.1.3).
///
/// # Errors
///
/// When the bytes end, or the length is of the indefinite form or of more than four bytes.
pub(super) fn element(cursor: &mut Cursor<'_>) -> Result<(u8, usize), Fault> {
    let tag = cursor.u8().ok_or(Fault::Short)?;
    let first = cursor.u8().ok_or(Fault::Short)?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => {
            let bytes = cursor.take(usize::from(first & 0x0f)).ok_or(Fault::Short)?;
            bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte))
        }
        _ => return Err(Fault::Wrong),
    };
    Ok((tag, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_form() {
        let read = |bytes: &[u8]| element(&mut Cursor::new(bytes));
        assert_eq!(read(&[0x30, 0x7f]), Ok((0x30, 127)));
        assert_eq!(read(&[0x30, 0x81, 0xb8]), Ok((0x30, 184)));
        assert_eq!(read(&[0x30, 0x84, 0, 0, 1, 2]), Ok((0x30, 258)), "as Windows writes it");
        assert_eq!(read(&[0x30, 0x80]), Err(Fault::Wrong), "indefinite");
        assert_eq!(read(&[0x30, 0x82, 1]), Err(Fault::Short));
    }
}
