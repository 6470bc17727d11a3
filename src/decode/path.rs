//! The headers that lie outside the innermost IP header of a packet.

use std::fmt;

/// A header outside the innermost IP header, other than the link header.
///
/// The numbers are the codes in a [`Path`]; they never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outer {
    /// An IEEE 802.1Q family tag.
    Vlan = 1,
}

/// Every kind of outer header, in order of its code.
const ALL: &[Outer] = &[Outer::Vlan];

impl Outer {
    /// The stable name in reports, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Outer::Vlan => "vlan",
        }
    }

    /// Whether the header serves nothing but to carry mirrored frames to a collector.
    pub fn is_mirror(self) -> bool {
        match self {
            Outer::Vlan => false,
        }
    }
}

/// Bits of one code.
const BITS: u32 = 6;
/// Codes that fit.
const ROOM: u32 = 10;

/// The outer headers of one packet, outermost first. Of more than ten the innermost are left
/// out, and the path says so.
///
/// Kept as one word: six bits a header, the outermost lowest, the count in the uppermost four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(u64);

impl Path {
    /// Appends the header inside those noted before.
    pub fn push(&mut self, outer: Outer) {
        let count = self.count();
        if count < ROOM {
            self.0 |= u64::from(outer as u8) << (count * BITS);
        }
        if count <= ROOM {
            self.0 += 1 << 60;
        }
    }

    fn count(self) -> u32 {
        (self.0 >> 60) as u32
    }

    /// Whether no header lies outside.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether there were more headers than a path holds.
    pub fn is_cut(self) -> bool {
        self.count() > ROOM
    }

    /// The headers, outermost first.
    pub fn headers(self) -> impl Iterator<Item = Outer> {
        (0..self.count().min(ROOM)).filter_map(move |place| {
            let code = (self.0 >> (place * BITS)) as u8 & ((1 << BITS) - 1);
            ALL.iter().copied().find(|outer| *outer as u8 == code)
        })
    }
}

impl fmt::Display for Path {
    /// The names joined by `/`, such as `vlan/vlan`; `...` at the end when some are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, outer) in self.headers().enumerate() {
            let separator = if place == 0 { "" } else { "/" };
            write!(f, "{separator}{}", outer.name())?;
        }
        if self.is_cut() { f.write_str("/...") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_at_its_place() {
        for (outer, code) in ALL.iter().zip(1..) {
            assert_eq!(*outer as u8, code);
            assert!(code < 1 << BITS);
        }
    }

    #[test]
    fn a_path_keeps_ten_headers_and_says_when_there_were_more() {
        let mut path = Path::default();
        assert!(path.is_empty());
        for _ in 0..10 {
            path.push(Outer::Vlan);
        }
        assert_eq!((path.headers().count(), path.is_cut()), (10, false));
        path.push(Outer::Vlan);
        path.push(Outer::Vlan);
        assert_eq!((path.headers().count(), path.is_cut()), (10, true));
        assert_eq!(path.to_string().matches("vlan").count(), 10);
        assert!(path.to_string().ends_with("/..."));
    }
}
