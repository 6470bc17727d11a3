//! Community ID version 1: one name for a five-tuple across tools
//! (<https://github.com/corelight/community-id-spec>).

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use crate::base::{Endpoint, IpProto};
use crate::decode::FlowKey;

/// The Community ID of a flow with seed 0. `None` for ICMP, which the specification orders by
/// message type: a flow of many messages has none.
pub fn community_id(key: &FlowKey) -> Option<String> {
    if matches!(key.protocol(), IpProto::ICMP | IpProto::ICMPV6) {
        return None;
    }
    let (a, b) = (key.a(), key.b());
    let (first, second) = if order(&a) <= order(&b) { (a, b) } else { (b, a) };
    let mut hash = Sha1::new();
    hash.update(0_u16.to_be_bytes());
    hash.update(octets(first.address()));
    hash.update(octets(second.address()));
    hash.update([key.protocol().0, 0]);
    if key.protocol().has_ports() {
        hash.update(first.port().to_be_bytes());
        hash.update(second.port().to_be_bytes());
    }
    Some(format!("1:{}", STANDARD.encode(hash.finalize())))
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn order(end: &Endpoint) -> (Vec<u8>, u16) {
    (octets(end.address()), end.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(from: (&str, u16), to: (&str, u16), protocol: u8) -> Option<String> {
        let end = |(address, port): (&str, u16)| Endpoint::new(address.parse().unwrap(), port);
        community_id(&FlowKey::new(end(from), end(to), IpProto(protocol)).0)
    }

    /// The vectors of the specification's baseline for seed 0 that are no ICMP; each stands there
    /// in both directions.
    #[test]
    fn reference_vectors() {
        let (v6, peer) = ("2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a");
        let vectors = [
            (("128.232.110.120", 34855), ("66.35.250.204", 80), 6, "LQU9qZlK+B5F3KDmev6m5PMibrg="),
            (("192.168.1.52", 54585), ("8.8.8.8", 53), 17, "d/FP5EW3wiY1vCndhwleRRKHowQ="),
            ((v6, 63943), (peer, 25), 6, "/qFaeAR+gFe1KYjMzVDsMv+wgU4="),
            (("192.168.170.8", 7), ("192.168.170.56", 7), 132, "MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
            (("10.1.12.1", 0), ("10.1.12.2", 0), 46, "KHlLkgoJW7ifUTyTSgyVfkFHzKw="),
        ];
        for (from, to, protocol, expected) in vectors {
            let expected = Some(format!("1:{expected}"));
            assert_eq!(id(from, to, protocol), expected);
            assert_eq!(id(to, from, protocol), expected);
        }
        assert_eq!(id(("192.168.0.89", 8), ("192.168.0.1", 0), 1), None);
    }
}
