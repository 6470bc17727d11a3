//! Community ID version 1: one name for a five-tuple across tools
//! (<https://github.com/corelight/community-id-spec>).

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use crate::base::Endpoint;
use crate::decode::FlowKey;

/// The Community ID of a flow with seed 0. `None` for protocols that the specification does not
/// order by ports; ICMP is ordered by message type there, which a flow of many messages lacks.
pub fn community_id(key: &FlowKey) -> Option<String> {
    if !key.protocol().has_ports() {
        return None;
    }
    let (a, b) = (key.a(), key.b());
    let (first, second) = if order(&a) <= order(&b) { (a, b) } else { (b, a) };
    let mut hash = Sha1::new();
    hash.update(0_u16.to_be_bytes());
    hash.update(octets(first.address()));
    hash.update(octets(second.address()));
    hash.update([key.protocol().0, 0]);
    hash.update(first.port().to_be_bytes());
    hash.update(second.port().to_be_bytes());
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
    use crate::base::IpProto;

    fn id(from: (&str, u16), to: (&str, u16), protocol: u8) -> Option<String> {
        let end = |(address, port): (&str, u16)| Endpoint::new(address.parse().unwrap(), port);
        community_id(&FlowKey::new(end(from), end(to), IpProto(protocol)).0)
    }

    /// Vectors of the specification's baseline for seed 0.
    #[test]
    fn reference_vectors() {
        let tcp = id(("128.232.110.120", 34855), ("66.35.250.204", 80), 6);
        assert_eq!(tcp.as_deref(), Some("1:LQU9qZlK+B5F3KDmev6m5PMibrg="));
        let udp = id(("192.168.1.52", 54585), ("8.8.8.8", 53), 17);
        assert_eq!(udp.as_deref(), Some("1:d/FP5EW3wiY1vCndhwleRRKHowQ="));
        let reversed = id(("8.8.8.8", 53), ("192.168.1.52", 54585), 17);
        assert_eq!(reversed, udp);
        assert_eq!(id(("10.0.0.1", 0), ("10.0.0.2", 0), 47), None);
    }
}
