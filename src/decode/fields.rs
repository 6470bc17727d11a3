//! What a header says, field by field, for a person who wants to see it.
//!
//! In: the bytes of one header. Out: names, places and values of its main fields. Beside the
//! `step` of each header stands its [`HeaderFormat`], which names it and reads its fields; decoding
//! itself never asks for them.

use crate::base::Cursor;
use std::fmt;
use std::net::IpAddr;

/// What is to be shown of a kind of header.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderFormat {
    /// Stable name in kebab case, such as `ipv4`.
    pub(super) name: &'static str,
    /// Reads the main fields.
    pub(super) fields: fn(&mut FieldReader<'_>),
}

/// One field of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in the words of the standard.
    pub name: &'static str,
    /// Offset of its first byte in the frame.
    pub offset: usize,
    /// Bytes that it lies in, which it may share with other fields.
    pub length: usize,
    /// What it holds.
    pub value: FieldValue,
}

/// The value of a field, written in the way in which people write such values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A quantity, in decimal.
    Number(u64),
    /// A code or a set of bits, in so many hexadecimal digits.
    Code(u64, usize),
    /// An IP address.
    Address(IpAddr),
    /// A link-layer address.
    Station([u8; 6]),
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FieldValue::Number(number) => write!(f, "{number}"),
            FieldValue::Code(code, digits) => write!(f, "0x{code:0digits$x}"),
            FieldValue::Address(address) => write!(f, "{address}"),
            FieldValue::Station([first, rest @ ..]) => {
                write!(f, "{first:02x}")?;
                rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
            }
        }
    }
}

/// Reads the fields of a header one after the other. Fields that lie behind the end of what was
/// captured are left out.
#[derive(Debug)]
pub(super) struct FieldReader<'a> {
    header: Cursor<'a>,
    /// Where the header begins in the frame.
    start: usize,
    fields: Vec<Field>,
}

impl<'a> FieldReader<'a> {
    /// The fields of a header that begins at `start` in the frame.
    pub(super) fn read(format: &HeaderFormat, header: &'a [u8], start: usize) -> Vec<Field> {
        let mut reader = FieldReader { header: Cursor::new(header), start, fields: Vec::new() };
        (format.fields)(&mut reader);
        reader.fields
    }

    fn push(&mut self, name: &'static str, length: usize, value: FieldValue) {
        let offset = self.start.saturating_add(self.header.position()).saturating_sub(length);
        self.fields.push(Field { name, offset, length, value });
    }

    fn unsigned(&mut self, bytes: usize) -> Option<u64> {
        let taken = self.header.take(bytes)?;
        Some(taken.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The next `bytes` bytes, big-endian, as a quantity.
    pub(super) fn number(&mut self, name: &'static str, bytes: usize) -> Option<u64> {
        let value = self.unsigned(bytes)?;
        self.push(name, bytes, FieldValue::Number(value));
        Some(value)
    }

    /// The next `bytes` bytes, big-endian, as a code.
    pub(super) fn code(&mut self, name: &'static str, bytes: usize) -> Option<u64> {
        let value = self.unsigned(bytes)?;
        self.push(name, bytes, FieldValue::Code(value, 2 * bytes));
        Some(value)
    }

    /// The bits of `mask` in the next `bytes` bytes, as a quantity. The position stays.
    pub(super) fn bits(&mut self, name: &'static str, bytes: usize, mask: u64) -> Option<u64> {
        let before = self.header;
        let value = (self.unsigned(bytes)? & mask) >> mask.trailing_zeros().min(63);
        self.push(name, bytes, FieldValue::Number(value));
        self.header = before;
        Some(value)
    }

    /// An IPv4 address.
    pub(super) fn ipv4(&mut self, name: &'static str) {
        if let Some(address) = self.header.array::<4>() {
            self.push(name, 4, FieldValue::Address(address.into()));
        }
    }

    /// An IPv6 address.
    pub(super) fn ipv6(&mut self, name: &'static str) {
        if let Some(address) = self.header.array::<16>() {
            self.push(name, 16, FieldValue::Address(address.into()));
        }
    }

    /// A link-layer address.
    pub(super) fn station(&mut self, name: &'static str) {
        if let Some(address) = self.header.array() {
            self.push(name, 6, FieldValue::Station(address));
        }
    }

    /// Leaves out `bytes` bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        // What lies behind the end has no fields.
        let _ = self.header.skip(bytes);
    }

    /// Bytes of the header not read yet.
    pub(super) fn left(&self) -> usize {
        self.header.rest().len()
    }
}
