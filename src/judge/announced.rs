//! The endpoints that control connections announced: which port of which host speaks what (D2.21).
//!
//! In: the announcements of flow records. Out: what was announced for an endpoint while a flow ran.
//! An announcement names a service. It documents nothing, and what the payload shows goes before
//! it. A host is believed about its own ports. Beyond that a data connection may go to the peer,
//! and call control of a host of the site may place media at another host of the site; nobody else
//! can speak for a third party.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;

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

/// The lowest port at which call control may place media: those below belong to services.
const LOWEST_MEDIA: u16 = 1024;

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
    /// The only host that is expected at the endpoint, where the announcement was made to it alone.
    pub expects: Option<IpAddr>,
    /// When it did first.
    pub at: Timestamp,
}

/// All announced endpoints of a stream.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// Hashed, because two are looked up for each flow.
    known: HashMap<(IpProto, Endpoint), Vec<Learned>, RandomState>,
    /// Announcements for hosts for which the announcing one may not speak.
    pub refused: u64,
    /// Announcements for which there was no room.
    pub lost: u64,
    /// What else was announced.
    others: Option<Arc<Endpoints>>,
}

impl Endpoints {
    /// Collects what flows announced at a site.
    pub fn of(records: &[FlowRecord], inventory: &Inventory<'_>) -> Self {
        let mut endpoints = Endpoints::default();
        let mut known: BTreeMap<_, Vec<Learned>> = BTreeMap::new();
        for record in records {
            let Some(content) = &record.content else { continue };
            endpoints.lost += u64::from(content.announcements_lost);
            let sure = content.identity.as_ref().is_some_and(|one| one.grade >= Grade::Strong);
            for (announcement, (first, last)) in content.announced.iter().filter(|_| sure) {
                match learn(record, announcement, (*first, *last), inventory) {
                    Some((endpoint, learned)) => known.entry(endpoint).or_default().push(learned),
                    None => endpoints.refused += 1,
                }
            }
        }
        for known in known.values_mut() {
            known.sort_unstable();
            endpoints.lost += known.len().saturating_sub(PER_ENDPOINT) as u64;
            known.truncate(PER_ENDPOINT);
        }
        endpoints.known = known.into_iter().collect();
        endpoints
    }

    /// The same with what is known from elsewhere besides.
    pub(super) fn besides(self, others: Arc<Endpoints>) -> Self {
        Endpoints { others: Some(others), ..self }
    }

    /// What was announced for the end of a flow whose packets travel in direction `receiver`, and
    /// holds while the flow runs: the most trusted, of those the one that was announced last.
    pub fn find(
        &self,
        receiver: Direction,
        record: &FlowRecord,
        inventory: &Inventory<'_>,
    ) -> Option<&Learned> {
        let others = self.others.as_ref();
        let others = others.and_then(|others| others.find(receiver, record, inventory));
        let end = record.end(receiver);
        let sender = record.end(receiver.reverse()).address();
        let known = self.known.get(&(record.key.protocol(), end));
        let times = (record.earliest, record.latest);
        let expected = |host: IpAddr| inventory.is_same_host(host, sender, times);
        let holds = |one: &&Learned| {
            one.from <= record.latest
                && record.earliest <= one.until
                && one.by != record.key
                && one.expects.is_none_or(expected)
        };
        let known = known.into_iter().flatten().chain(others);
        known.filter(holds).max_by_key(|one| (one.trust, one.from, one.protocol))
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

/// What a flow announced, and for which endpoint; `None` where it may not speak for it.
fn learn(
    record: &FlowRecord,
    announcement: &Announcement,
    (first, last): (Timestamp, Timestamp),
    inventory: &Inventory<'_>,
) -> Option<((IpProto, Endpoint), Learned)> {
    let direction = match announcement.by {
        End::A => Direction::AToB,
        End::B => Direction::BToA,
    };
    let own = record.end(direction).address();
    let peer = record.end(direction.reverse()).address();
    let address = meant(announcement, own, peer, (first, last), inventory)?;
    let transport = match announcement.carriage {
        Carriage::Tcp => IpProto::TCP,
        Carriage::Udp => IpProto::UDP,
    };
    let (from, until) = lifetime(announcement.source, first, last, record.latest);
    let Announcement { port, protocol, source, trust, ref detail, .. } = *announcement;
    let class = detail.as_ref().and_then(InterfaceClass::told_by);
    // A client that registers is woken by the server with which it did.
    let expects = (source == Source::PushRegistration).then_some(peer);
    let (by, at) = (record.key, first);
    let learned = Learned { trust, from, until, protocol, class, source, by, expects, at };
    Some(((transport, Endpoint::new(address, port)), learned))
}

/// The address of which an announcement by `own` to `peer` speaks; `None` where it may not (D2.21).
fn meant(
    announcement: &Announcement,
    own: IpAddr,
    peer: IpAddr,
    times: (Timestamp, Timestamp),
    inventory: &Inventory<'_>,
) -> Option<IpAddr> {
    let Announcement { address, source, port, .. } = *announcement;
    let Some(address) = address.filter(|address| *address != own) else { return Some(own) };
    let same = |one, other| inventory.is_same_host(one, other, times);
    let listed = |one| inventory.identify(one, times.0, times.1) != Identity::Unknown;
    match source {
        _ if same(own, address) => Some(address),
        // A service speaks for its own host, which it may know by an address that is translated on
        // the way (D2.9).
        Source::EndpointMapper
        | Source::BindAcknowledgement
        | Source::ObjectExporter
        | Source::Activation
        | Source::SqlBrowser => Some(own),
        Source::PushRegistration => None,
        _ if address == peer => Some(address),
        Source::Ftp | Source::Signalling => None,
        Source::Sccp | Source::Sdp => {
            (listed(own) && listed(address) && port >= LOWEST_MEDIA).then_some(address)
        }
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
