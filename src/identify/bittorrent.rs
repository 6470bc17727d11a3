//! BitTorrent between peers over TCP (BEP 3): each end begins with `13`, `BitTorrent protocol`,
//! eight bytes of extensions and two identifiers of 20 bytes.

use super::details::Details;
use super::messages::{Look, Looker, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::BitTorrent, carriage: &[Carriage::Tcp], recognise };

const MAGIC: &[u8] = b"\x13BitTorrent protocol";
/// Bytes of the whole handshake.
const LENGTH: usize = 68;

fn look(bytes: &[u8]) -> Look<()> {
    if bytes.starts_with(MAGIC) {
        Look::Fits { length: LENGTH, what: () }
    } else if MAGIC.starts_with(bytes) {
        Look::Open
    } else {
        Look::Differs
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = read_both(evidence, look as Looker<'_, ()>, |()| Role::Either, |_| {});
    sides.answer(Protocol::BitTorrent, Grade::Strong, Details::default())
}
