//! pcapng blocks, field by field as draft-ietf-opsawg-pcapng lays them out.

/// Writes blocks in one byte order.
#[derive(Clone, Copy)]
pub(crate) struct Builder {
    big: bool,
}

impl Builder {
    pub(crate) const LITTLE: Builder = Builder { big: false };
    pub(crate) const BIG: Builder = Builder { big: true };

    pub(crate) fn u16(self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(crate) fn u32(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(crate) fn u64(self, value: u64) -> [u8; 8] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u32s(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }

    /// Any block.
    pub(crate) fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let total = self.u32(12 + body.len() as u32);
        [&self.u32(kind)[..], &total, body, &total].concat()
    }

    /// A section header of unknown section length.
    pub(crate) fn section(self, major: u16, minor: u16) -> Vec<u8> {
        let magic = self.u32(0x1a2b_3c4d);
        let body = [&magic[..], &self.u16(major), &self.u16(minor), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    pub(crate) fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let length = self.u16(value.len() as u16);
        padded([&self.u16(code)[..], &length, value].concat())
    }

    pub(crate) fn interface(self, link: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
        let body = [&self.u16(link)[..], &[0; 2], &self.u32(snaplen), options].concat();
        self.block(1, &body)
    }

    pub(crate) fn enhanced(
        self,
        interface: u32,
        time: u64,
        data: &[u8],
        options: &[u8],
    ) -> Vec<u8> {
        let lengths = [data.len() as u32, data.len() as u32];
        self.enhanced_of_lengths(interface, time, lengths, data, options)
    }

    /// With captured and original length as given.
    pub(crate) fn enhanced_of_lengths(
        self,
        interface: u32,
        time: u64,
        [captured, original]: [u32; 2],
        data: &[u8],
        options: &[u8],
    ) -> Vec<u8> {
        let fixed = [interface, (time >> 32) as u32, time as u32, captured, original];
        self.block(6, &[padded([&self.u32s(&fixed)[..], data].concat()), options.to_vec()].concat())
    }

    pub(crate) fn simple(self, original: u32, data: &[u8]) -> Vec<u8> {
        self.block(3, &padded([&self.u32(original)[..], data].concat()))
    }

    pub(crate) fn obsolete(self, interface: u16, drops: u16, time: u64, data: &[u8]) -> Vec<u8> {
        let length = data.len() as u32;
        let fixed = [(time >> 32) as u32, time as u32, length, length];
        let first = [self.u16(interface), self.u16(drops)].concat();
        self.block(2, &padded([&first[..], &self.u32s(&fixed), data].concat()))
    }

    pub(crate) fn statistics(self, interface: u32, options: &[u8]) -> Vec<u8> {
        self.block(5, &[&self.u32s(&[interface, 0, 0])[..], options].concat())
    }
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
