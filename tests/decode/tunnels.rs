//! What tunnels and tags add to a packet, and what becomes of a frame when its inside cannot be
//! read.

use super::capture_walker::meta;
use super::encapsulations::wrapped;
use super::frames::flow;
use portolan::base::LinkType;
use portolan::decode::{Carrier, Decoded, FlowKey, Observer, Stop, Unit, dissect};

/// What a frame was decoded to, and what was told of it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) decoded: Decoded,
    pub(crate) carriers: Vec<Carrier>,
    pub(crate) unread: Vec<Stop>,
}

#[derive(Default)]
struct Notes {
    carriers: Vec<Carrier>,
    unread: Vec<Stop>,
}

impl Observer for Notes {
    fn carrier(&mut self, carrier: Carrier) {
        self.carriers.push(carrier);
    }

    fn unread_inside(&mut self, stop: Stop) {
        self.unread.push(stop);
    }
}

/// Decodes the first `captured` bytes of a frame.
pub(crate) fn told(link: LinkType, bytes: &[u8], captured: usize) -> Told {
    let original = u32::try_from(bytes.len()).unwrap();
    let mut notes = Notes::default();
    let decoded = dissect(&meta(link, captured, original, 1), &bytes[..captured], &mut notes);
    Told { decoded, carriers: notes.carriers, unread: notes.unread }
}

/// Ends, identifier and sequence number of a tunnel.
fn written(carrier: &Carrier) -> String {
    let key = FlowKey::new(carrier.source, carrier.destination, carrier.protocol);
    let sequence = carrier.sequence.map(|number| format!(" seq {number}")).unwrap_or_default();
    format!("{} id {}{sequence}", flow(key), carrier.identifier)
}

#[test]
fn every_encapsulation_gives_path_vlan_and_carriers() {
    for wrapped in wrapped() {
        let told = told(wrapped.link, &wrapped.bytes, wrapped.bytes.len());
        let Decoded::Unit(unit) = &told.decoded else { panic!("{}: {told:?}", wrapped.name) };
        let Unit { key, direction, path, vlan, .. } = *unit;
        assert_eq!(flow((key, direction)), wrapped.flow, "{}", wrapped.name);
        assert_eq!(path.to_string(), wrapped.path, "{}", wrapped.name);
        assert_eq!(vlan, wrapped.vlan, "{}", wrapped.name);
        let carriers: Vec<String> = told.carriers.iter().map(written).collect();
        assert_eq!(carriers, wrapped.carriers, "{}", wrapped.name);
        assert!(told.unread.is_empty(), "{}", wrapped.name);
    }
}
