//! The headers that lie outside the innermost IP header of a packet.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A header outside the innermost IP header, other than the link header.
///
/// The numbers are the codes in a [`Path`]; they never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Outer {
    /// An IEEE 802.1Q family tag.
    Vlan = 1,
    /// A Cisco metadata header, which holds a security group tag.
    CiscoMetadata = 2,
    /// A Cisco timestamp tag.
    TimestampTag = 3,
    /// A Cisco VN-Tag.
    VnTag = 4,
    /// An IEEE 802.1BR E-tag.
    ETag = 5,
    /// An HSR tag (IEC 62439-3) or an IEEE 802.1CB R-tag.
    RedundancyTag = 6,
    /// An IEEE 802.1ah service tag and the backbone addresses before it.
    ProviderBackbone = 7,
    /// A Cisco FabricPath header.
    FabricPath = 8,
    /// A TRILL header.
    Trill = 9,
    /// An IEEE 802.1AE security tag that hides nothing.
    Macsec = 10,
    /// A stack of MPLS labels.
    Mpls = 11,
    /// A PPPoE session.
    Pppoe = 12,
    /// A network service header.
    Nsh = 13,
    /// An IPsec Authentication Header in tunnel mode.
    Authentication = 14,
    /// GRE, version 0.
    Gre = 15,
    /// GRE as PPTP enhanced it, version 1.
    Pptp = 16,
    /// GRE with a virtual subnet identifier as its key.
    Nvgre = 17,
    /// ERSPAN type I.
    Erspan1 = 18,
    /// ERSPAN type II.
    Erspan2 = 19,
    /// ERSPAN type III.
    Erspan3 = 20,
    /// IPv4 in IPv4.
    Ip4InIp4 = 21,
    /// IPv6 in IPv4.
    Ip6InIp4 = 22,
    /// IPv4 in IPv6.
    Ip4InIp6 = 23,
    /// IPv6 in IPv6.
    Ip6InIp6 = 24,
    /// Ethernet in IP.
    EtherIp = 25,
    /// MPLS in IP, without GRE.
    MplsInIp = 26,
    /// L2TP version 2.
    L2tp2 = 27,
    /// L2TP version 3, over IP or UDP.
    L2tp3 = 28,
    /// VXLAN.
    Vxlan = 29,
    /// VXLAN with the generic protocol extension.
    VxlanGpe = 30,
    /// Geneve.
    Geneve = 31,
    /// GTP user plane.
    GtpU = 32,
    /// MPLS in UDP.
    MplsInUdp = 33,
    /// LISP data plane.
    Lisp = 34,
    /// Teredo.
    Teredo = 35,
    /// AYIYA.
    Ayiya = 36,
    /// TZSP, a mirror transport.
    Tzsp = 37,
    /// CAPWAP data channel.
    Capwap = 38,
}

/// Every kind of outer header, in order of its code.
const ALL: &[Outer] = &[
    Outer::Vlan,
    Outer::CiscoMetadata,
    Outer::TimestampTag,
    Outer::VnTag,
    Outer::ETag,
    Outer::RedundancyTag,
    Outer::ProviderBackbone,
    Outer::FabricPath,
    Outer::Trill,
    Outer::Macsec,
    Outer::Mpls,
    Outer::Pppoe,
    Outer::Nsh,
    Outer::Authentication,
    Outer::Gre,
    Outer::Pptp,
    Outer::Nvgre,
    Outer::Erspan1,
    Outer::Erspan2,
    Outer::Erspan3,
    Outer::Ip4InIp4,
    Outer::Ip6InIp4,
    Outer::Ip4InIp6,
    Outer::Ip6InIp6,
    Outer::EtherIp,
    Outer::MplsInIp,
    Outer::L2tp2,
    Outer::L2tp3,
    Outer::Vxlan,
    Outer::VxlanGpe,
    Outer::Geneve,
    Outer::GtpU,
    Outer::MplsInUdp,
    Outer::Lisp,
    Outer::Teredo,
    Outer::Ayiya,
    Outer::Tzsp,
    Outer::Capwap,
];

impl Outer {
    /// The stable name in reports, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Outer::Vlan => "vlan",
            Outer::CiscoMetadata => "cmd",
            Outer::TimestampTag => "ttag",
            Outer::VnTag => "vn-tag",
            Outer::ETag => "e-tag",
            Outer::RedundancyTag => "redundancy-tag",
            Outer::ProviderBackbone => "pbb",
            Outer::FabricPath => "fabricpath",
            Outer::Trill => "trill",
            Outer::Macsec => "macsec",
            Outer::Mpls => "mpls",
            Outer::Pppoe => "pppoe",
            Outer::Nsh => "nsh",
            Outer::Authentication => "ah",
            Outer::Gre => "gre",
            Outer::Pptp => "pptp",
            Outer::Nvgre => "nvgre",
            Outer::Erspan1 => "erspan-1",
            Outer::Erspan2 => "erspan-2",
            Outer::Erspan3 => "erspan-3",
            Outer::Ip4InIp4 => "4in4",
            Outer::Ip6InIp4 => "6in4",
            Outer::Ip4InIp6 => "4in6",
            Outer::Ip6InIp6 => "6in6",
            Outer::EtherIp => "etherip",
            Outer::MplsInIp => "mpls-in-ip",
            Outer::L2tp2 => "l2tp-2",
            Outer::L2tp3 => "l2tp-3",
            Outer::Vxlan => "vxlan",
            Outer::VxlanGpe => "vxlan-gpe",
            Outer::Geneve => "geneve",
            Outer::GtpU => "gtp-u",
            Outer::MplsInUdp => "mpls-in-udp",
            Outer::Lisp => "lisp",
            Outer::Teredo => "teredo",
            Outer::Ayiya => "ayiya",
            Outer::Tzsp => "tzsp",
            Outer::Capwap => "capwap",
        }
    }

    /// Whether the header serves nothing but to carry mirrored frames to a collector.
    pub fn is_mirror(self) -> bool {
        matches!(self, Outer::Erspan1 | Outer::Erspan2 | Outer::Erspan3 | Outer::Tzsp)
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
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
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
