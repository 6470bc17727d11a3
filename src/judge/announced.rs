//! The endpoints that control connections announced: which port of which host speaks what (D2.21).
//!
//! In: the announcements of flow records. Out: what was announced for an endpoint while a flow ran.
//! An announcement names a service. It documents nothing, and what the payload shows goes before
//! it. It is believed only for the announcing host, for its peer and for hosts of the site, so that
//! nobody can speak for a third party.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::inventory::{Identity, Inventory};
use crate::base::{Endpoint, IpProto, Timestamp};
use crate::decode::{Direction, FlowKey};
use crate::flow::FlowRecord;
use crate::identify::dcerpc::InterfaceClass;
use crate::identify::{Announcement, Carriage, End, Grade, Protocol, Source, Trust};

const SECOND: i64 = 1_000_000_000;

/// Media may flow a little before the message that announces it arrives, and until a minute after
/// its call, in nanoseconds.
const EARLY_MEDIA: i64 = 5 * SECOND;
const LATE_MEDIA: i64 = 60 * SECOND;

/// How long a data channel waits for its connection, and a registration for its notification.
const DATA_CHANNEL: i64 = 120 * SECOND;
const REGISTRATION: i64 = 24 * 3600 * SECOND;

/// Announcements kept for one endpoint.
const PER_ENDPOINT: usize = 64;

/// One announcement of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Learned {
    /// How far it may be trusted.
    pub trust: Trust,
    /// From when to when it holds.
    pub from: Timestamp,
    /// See `from`.
    pub until: Timestamp,
    /// What was announced.
    pub protocol: Protocol,
    /// Of DCE/RPC: what the interface behind the port is part of, where it was named.
    pub class: Option<InterfaceClass>,
    /// By which message.
    pub source: Source,
    /// The connection that announced it.
    pub by: FlowKey,
    /// When it did first.
    pub at: Timestamp,
}

/// All announced endpoints of a stream.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    known: BTreeMap<(IpProto, IpAddr, u16), Vec<Learned>>,
    /// Announcements for hosts for which the announcing one may not speak.
    pub refused: u64,
    /// Announcements for which there was no room.
    pub lost: u64,
}

impl Endpoints {
    /// Collects what flows announced at a site.
    pub fn of(records: &[FlowRecord], inventory: &Inventory<'_>) -> Self {
        let mut endpoints = Endpoints::default();
        for record in records {
            let Some(content) = &record.content else { continue };
            endpoints.lost += u64::from(content.announcements_lost);
            let sure = content.identity.as_ref().is_some_and(|one| one.grade >= Grade::Strong);
            for (announcement, (first, last)) in content.announced.iter().filter(|_| sure) {
                endpoints.learn(record, announcement, (*first, *last), inventory);
            }
        }
        for known in endpoints.known.values_mut() {
            known.sort_unstable();
            endpoints.lost += known.len().saturating_sub(PER_ENDPOINT) as u64;
            known.truncate(PER_ENDPOINT);
        }
        endpoints
    }

    fn learn(
        &mut self,
        record: &FlowRecord,
        announcement: &Announcement,
        (first, last): (Timestamp, Timestamp),
        inventory: &Inventory<'_>,
    ) {
        let direction = match announcement.by {
            End::A => Direction::AToB,
            End::B => Direction::BToA,
        };
        let own = record.end(direction).address();
        let peer = record.end(direction.reverse()).address();
        let identify = |address: IpAddr| inventory.identify(address, first, last);
        // An endpoint mapper speaks for its own host, which it may know by an address that is
        // translated on the way (D2.9).
        let foreign = |address: &IpAddr| {
            let known = identify(own);
            announcement.source == Source::EndpointMapper
                && (known == Identity::Unknown || identify(*address) != known)
        };
        let address = announcement.address.filter(|address| !foreign(address)).unwrap_or(own);
        let listed = || identify(address) != Identity::Unknown;
        if address != own && address != peer && !listed() {
            self.refused += 1;
            return;
        }
        let transport = match announcement.carriage {
            Carriage::Tcp => IpProto::TCP,
            Carriage::Udp => IpProto::UDP,
        };
        let (from, until) = lifetime(announcement.source, first, last, record.latest);
        let Announcement { port, protocol, source, trust, ref detail, .. } = *announcement;
        let class = detail.as_ref().and_then(InterfaceClass::told_by);
        let (by, at) = (record.key, first);
        let learned = Learned { trust, from, until, protocol, class, source, by, at };
        self.known.entry((transport, address, port)).or_default().push(learned);
    }

    /// What was announced for an endpoint and holds while a flow runs: the most trusted, of those
    /// the one that was announced last.
    pub fn find(&self, transport: IpProto, end: Endpoint, record: &FlowRecord) -> Option<&Learned> {
        let known = self.known.get(&(transport, end.address(), end.port()))?;
        let holds = |one: &&Learned| {
            one.from <= record.latest && record.earliest <= one.until && one.by != record.key
        };
        known.iter().filter(holds).max_by_key(|one| (one.trust, one.from, one.protocol))
    }

    /// How many endpoints were announced.
    pub fn len(&self) -> u64 {
        self.known.len() as u64
    }

    /// Whether none was announced.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// From when to when an announcement holds.
fn lifetime(
    source: Source,
    first: Timestamp,
    last: Timestamp,
    end: Timestamp,
) -> (Timestamp, Timestamp) {
    let shifted = |time: Timestamp, by: i64| Timestamp::from_nanos(time.nanos().saturating_add(by));
    match source {
        Source::EndpointMapper
        | Source::ObjectExporter
        | Source::Activation
        | Source::SqlBrowser => (first, Timestamp::from_nanos(i64::MAX)),
        Source::BindAcknowledgement => (first, end),
        Source::Sccp | Source::Sdp => (shifted(first, -EARLY_MEDIA), shifted(end, LATE_MEDIA)),
        Source::PushRegistration => (first, shifted(end, REGISTRATION)),
        Source::Ftp | Source::Signalling => (first, shifted(last, DATA_CHANNEL)),
    }
}
