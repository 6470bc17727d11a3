//! The one bounds-checked reader used by every decoder.

/// Reads big- or little-endian fields from a byte slice without ever panicking.
///
/// Every method answers `None` once the slice is exhausted; the position then stays where the
/// read began, so the offset of the missing field can be reported.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// Starts reading at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, position: 0 }
    }

    /// Offset of the next byte to read, from the start of the slice.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// Takes the next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(count)?;
        let taken = self.bytes.get(self.position..end)?;
        self.position = end;
        Some(taken)
    }

    /// Skips `count` bytes; `None` when fewer are left.
    pub fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    /// Takes an array of `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes, big-endian (network order).
    pub fn u16_be(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian (network order).
    pub fn u32_be(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Two bytes, little-endian.
    pub fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    pub fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_past_the_end_leaves_the_position() {
        let mut cursor = Cursor::new(&[0x12, 0x34, 0x56]);
        assert_eq!(cursor.u16_be(), Some(0x1234));
        assert_eq!(cursor.u16_be(), None);
        assert_eq!(cursor.position(), 2);
        assert_eq!(cursor.rest(), &[0x56]);
        assert_eq!(cursor.take(usize::MAX), None);
    }

    #[test]
    fn byte_orders() {
        let bytes = [1, 2, 3, 4];
        assert_eq!(Cursor::new(&bytes).u32_be(), Some(0x0102_0304));
        assert_eq!(Cursor::new(&bytes).u32_le(), Some(0x0403_0201));
        assert_eq!(Cursor::new(&bytes).u16_le(), Some(0x0201));
    }
}
