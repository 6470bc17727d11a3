//! Names of the protocols that stand beside IP, and of the encapsulations that are not opened.
//!
//! In: the layer that gave a number, and the number. Out: a stable name in kebab case, and
//! whether IP traffic may hide behind it. Sources: IEEE 802 Numbers (EtherTypes), IEEE 802.2
//! access points, vendor SNAP identifiers, PPP numbers (RFC 1661 registry).

use super::Layer;
use super::link::wlan;

/// What a number stands for.
struct Name {
    layer: Layer,
    value: u64,
    name: &'static str,
    /// An encapsulation that may hold IP packets, as against a protocol that never does.
    hides_ip: bool,
}

/// A protocol that carries no IP.
const fn plain(layer: Layer, value: u64, name: &'static str) -> Name {
    Name { layer, value, name, hides_ip: false }
}

/// An encapsulation that is not opened.
const fn hiding(layer: Layer, value: u64, name: &'static str) -> Name {
    Name { layer, value, name, hides_ip: true }
}

/// Every known number, in ascending order of layer and number.
static NAMES: &[Name] = &[
    plain(Layer::Ethernet, 0x0806, "arp"),
    plain(Layer::Ethernet, 0x0842, "wake-on-lan"),
    plain(Layer::Ethernet, 0x2000, "cdp"),
    plain(Layer::Ethernet, 0x22ea, "msrp"),
    plain(Layer::Ethernet, 0x22f0, "avtp"),
    hiding(Layer::Ethernet, 0x22f3, "trill"),
    plain(Layer::Ethernet, 0x22f4, "isis"),
    plain(Layer::Ethernet, 0x6001, "mop-dump-load"),
    plain(Layer::Ethernet, 0x6002, "mop-remote-console"),
    plain(Layer::Ethernet, 0x6003, "decnet"),
    plain(Layer::Ethernet, 0x6004, "lat"),
    hiding(Layer::Ethernet, 0x6558, "transparent-ethernet-bridging"),
    plain(Layer::Ethernet, 0x8035, "rarp"),
    plain(Layer::Ethernet, 0x8038, "dec-stp"),
    plain(Layer::Ethernet, 0x809b, "appletalk"),
    plain(Layer::Ethernet, 0x80f3, "aarp"),
    plain(Layer::Ethernet, 0x8137, "ipx"),
    plain(Layer::Ethernet, 0x8138, "ipx"),
    plain(Layer::Ethernet, 0x8808, "mac-control"),
    plain(Layer::Ethernet, 0x8809, "slow-protocols"),
    hiding(Layer::Ethernet, 0x880b, "ppp"),
    hiding(Layer::Ethernet, 0x8847, "mpls"),
    hiding(Layer::Ethernet, 0x8848, "mpls-upstream-label"),
    plain(Layer::Ethernet, 0x8863, "pppoe-discovery"),
    hiding(Layer::Ethernet, 0x8864, "pppoe-session"),
    hiding(Layer::Ethernet, 0x8870, "jumbo-llc"),
    plain(Layer::Ethernet, 0x887b, "homeplug"),
    plain(Layer::Ethernet, 0x888e, "eapol"),
    plain(Layer::Ethernet, 0x8892, "profinet"),
    plain(Layer::Ethernet, 0x8899, "realtek-remote-control"),
    plain(Layer::Ethernet, 0x88a2, "ata-over-ethernet"),
    plain(Layer::Ethernet, 0x88a4, "ethercat"),
    plain(Layer::Ethernet, 0x88ab, "powerlink"),
    plain(Layer::Ethernet, 0x88b8, "goose"),
    plain(Layer::Ethernet, 0x88b9, "gse-management"),
    plain(Layer::Ethernet, 0x88ba, "sampled-values"),
    hiding(Layer::Ethernet, 0x88bb, "lwapp"),
    plain(Layer::Ethernet, 0x88c7, "eapol-preauthentication"),
    plain(Layer::Ethernet, 0x88ca, "tipc"),
    plain(Layer::Ethernet, 0x88cc, "lldp"),
    plain(Layer::Ethernet, 0x88cd, "sercos"),
    plain(Layer::Ethernet, 0x88d9, "lltd"),
    plain(Layer::Ethernet, 0x88e1, "homeplug-av"),
    plain(Layer::Ethernet, 0x88e3, "media-redundancy"),
    hiding(Layer::Ethernet, 0x88e5, "macsec"),
    hiding(Layer::Ethernet, 0x88e7, "provider-backbone-bridge"),
    plain(Layer::Ethernet, 0x88ee, "e-lmi"),
    plain(Layer::Ethernet, 0x88f5, "mvrp"),
    plain(Layer::Ethernet, 0x88f6, "mmrp"),
    plain(Layer::Ethernet, 0x88f7, "ptp"),
    plain(Layer::Ethernet, 0x88f8, "nc-si"),
    plain(Layer::Ethernet, 0x88fb, "prp-supervision"),
    plain(Layer::Ethernet, 0x8902, "cfm"),
    hiding(Layer::Ethernet, 0x8903, "fabricpath"),
    plain(Layer::Ethernet, 0x8906, "fcoe"),
    hiding(Layer::Ethernet, 0x8909, "cisco-metadata"),
    plain(Layer::Ethernet, 0x8914, "fcoe-initialization"),
    plain(Layer::Ethernet, 0x8915, "roce"),
    hiding(Layer::Ethernet, 0x8926, "vn-tag"),
    hiding(Layer::Ethernet, 0x892f, "hsr"),
    plain(Layer::Ethernet, 0x893a, "ieee1905"),
    hiding(Layer::Ethernet, 0x893f, "e-tag"),
    hiding(Layer::Ethernet, 0x894f, "nsh"),
    plain(Layer::Ethernet, 0x9000, "loopback-ctp"),
    hiding(Layer::Ethernet, 0xf1c1, "redundancy-tag"),
    plain(Layer::Llc, 0x4242, "stp"),
    plain(Layer::Llc, 0xe0e0, "ipx"),
    plain(Layer::Llc, 0xf0f0, "netbeui"),
    plain(Layer::Llc, 0xfefe, "osi"),
    plain(Layer::Llc, 0xffff, "ipx"),
    plain(Layer::Llc, 0x00_000c_0104, "port-aggregation"),
    plain(Layer::Llc, 0x00_000c_010b, "pvst"),
    plain(Layer::Llc, 0x00_000c_010c, "vlan-bridge"),
    plain(Layer::Llc, 0x00_000c_0111, "udld"),
    plain(Layer::Llc, 0x00_000c_2000, "cdp"),
    plain(Layer::Llc, 0x00_000c_2001, "cgmp"),
    plain(Layer::Llc, 0x00_000c_2003, "vtp"),
    plain(Layer::Llc, 0x00_000c_2004, "dtp"),
    plain(Layer::Llc, 0x00_0081_01a1, "nortel-discovery"),
    plain(Layer::Llc, 0x00_0081_01a2, "nortel-discovery"),
    plain(Layer::Llc, 0x00_e02b_00bb, "extreme-discovery"),
    plain(Layer::Llc, 0x08_0007_809b, "appletalk"),
    plain(Layer::LinuxCooked, 0x0001, "ipx"),
    plain(Layer::LinuxCooked, 0x000c, "can"),
    plain(Layer::Ppp, 0x0023, "osi"),
    plain(Layer::Ppp, 0x0029, "appletalk"),
    plain(Layer::Ppp, 0x002b, "ipx"),
    hiding(Layer::Ppp, 0x002d, "van-jacobson-compressed"),
    hiding(Layer::Ppp, 0x002f, "van-jacobson-uncompressed"),
    hiding(Layer::Ppp, 0x0031, "bridging"),
    hiding(Layer::Ppp, 0x003d, "multilink"),
    plain(Layer::Ppp, 0x003f, "netbeui"),
    hiding(Layer::Ppp, 0x0053, "encrypted"),
    hiding(Layer::Ppp, 0x00fd, "compressed"),
    plain(Layer::Ppp, 0x0207, "cdp"),
    hiding(Layer::Ppp, 0x0281, "mpls"),
    hiding(Layer::Ppp, 0x0283, "mpls-upstream-label"),
    plain(Layer::Ppp, 0x8021, "ipcp"),
    plain(Layer::Ppp, 0x8029, "atcp"),
    plain(Layer::Ppp, 0x802b, "ipxcp"),
    plain(Layer::Ppp, 0x8057, "ipv6cp"),
    plain(Layer::Ppp, 0x80fd, "ccp"),
    plain(Layer::Ppp, 0x8207, "cdpcp"),
    plain(Layer::Ppp, 0x8281, "mplscp"),
    plain(Layer::Ppp, 0xc021, "lcp"),
    plain(Layer::Ppp, 0xc023, "pap"),
    plain(Layer::Ppp, 0xc025, "link-quality-report"),
    plain(Layer::Ppp, 0xc223, "chap"),
    plain(Layer::Ppp, 0xc227, "eap"),
    plain(Layer::FrameRelay, 0x08, "q933"),
    plain(Layer::FrameRelay, 0x81, "clnp"),
    plain(Layer::FrameRelay, 0x82, "es-is"),
    plain(Layer::FrameRelay, 0x83, "is-is"),
    hiding(Layer::FrameRelay, 0xb0, "compressed"),
    hiding(Layer::FrameRelay, 0xb1, "fragment"),
    plain(Layer::Wlan, 0x00, "wlan-management"),
    plain(Layer::Wlan, 0x04, "wlan-control"),
    plain(Layer::Wlan, 0x08, "wlan-no-data"),
    plain(Layer::Wlan, 0x0c, "wlan-extension"),
    hiding(Layer::Wlan, wlan::LATER_FRAGMENT, "wlan-fragment"),
    hiding(Layer::Wlan, wlan::SEVERAL_FRAMES, "wlan-aggregate"),
    plain(Layer::Mpls, 1, "mpls-associated-channel"),
];

fn find(layer: Layer, value: u64) -> Option<&'static Name> {
    let place =
        NAMES.binary_search_by_key(&(layer, value), |name| (name.layer, name.value)).ok()?;
    NAMES.get(place)
}

/// The name of what `layer` announced with the number `value`, as found in
/// [`Decoded::NonIp`](super::Decoded::NonIp) or in an unknown [`Stop`](super::Stop).
pub fn non_ip_name(layer: Layer, value: u64) -> Option<&'static str> {
    find(layer, value).map(|name| name.name)
}

/// Whether the number stands for a known encapsulation in which IP packets may travel unseen.
pub fn hides_ip(layer: Layer, value: u64) -> bool {
    find(layer, value).is_some_and(|name| name.hides_ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(NAMES.is_sorted_by_key(|name| (name.layer, name.value)));
        assert!(
            NAMES
                .windows(2)
                .all(|pair| { matches!(pair, [a, b] if (a.layer, a.value) != (b.layer, b.value)) })
        );
    }

    #[test]
    fn encapsulations_are_told_from_protocols() {
        assert_eq!(non_ip_name(Layer::Ethernet, 0x88cc), Some("lldp"));
        assert!(!hides_ip(Layer::Ethernet, 0x88cc));
        assert_eq!(non_ip_name(Layer::Ethernet, 0x8847), Some("mpls"));
        assert!(hides_ip(Layer::Ethernet, 0x8847));
        assert_eq!(non_ip_name(Layer::Ppp, 0x88cc), None);
    }
}
